//! The files in `deploy/kustomize` make kustomize treat a ScheduledTask as it treats a CronJob.
//!
//! Each case is built twice by the real kustomize in kubectl, as a CronJob and as a ScheduledTask with these files; the results must be
//! equal. `BLESS=1 cargo test --test kustomize` regenerates `openapi.json` from the API server's own schema.

#[path = "kustomize/schema.rs"]
mod schema;
#[path = "chart/server.rs"]
#[allow(dead_code, reason = "the chart's tests use the rest of it")]
mod server;

use serde::Deserialize;
use serde_json::Value;
use server::Server;
use std::fs;
use std::path::Path;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/kustomize");
const CRON_JOB: &str = "apiVersion: batch/v1\nkind: CronJob\n";
const TASK: &str = "apiVersion: punctual.dev/v1alpha1\nkind: ScheduledTask\n";

/// A job with every kind of reference, two containers, and lists that are merged by a key.
const JOB: &str = r#"
metadata: {name: report, labels: {app: report}}
spec:
  schedule: "30 2 * * *"
  jobTemplate:
    spec:
      template:
        spec:
          serviceAccountName: reporter
          priorityClassName: low
          restartPolicy: Never
          imagePullSecrets: [{name: report-db}]
          initContainers:
            - name: prepare
              image: registry.example/report:1
              env:
                - {name: MODE, valueFrom: {configMapKeyRef: {name: report-config, key: MODE}}}
                - {name: PASSWORD, valueFrom: {secretKeyRef: {name: report-db, key: PASSWORD}}}
              envFrom: [{configMapRef: {name: report-config}}, {secretRef: {name: report-db}}]
          containers:
            - name: report
              image: registry.example/report:1
              env:
                - {name: LEVEL, value: info}
                - {name: PASSWORD, valueFrom: {secretKeyRef: {name: report-db, key: PASSWORD}}}
              envFrom: [{configMapRef: {name: report-config}}, {secretRef: {name: report-db}}]
              ports: [{containerPort: 8080, name: http}, {containerPort: 8081, name: metrics}]
              volumeMounts: [{name: config, mountPath: /config}, {name: data, mountPath: /data}]
            - name: uploader
              image: registry.example/uploader:1
              command: [upload, /data]
          volumes:
            - {name: config, configMap: {name: report-config}}
            - {name: secret, secret: {secretName: report-db}}
            - {name: data, persistentVolumeClaim: {claimName: report-data}}
            - name: both
              projected: {sources: [{configMap: {name: report-config}}, {secret: {name: report-db}}]}
          tolerations: [{key: spot, operator: Exists}]
          hostAliases: [{ip: 192.0.2.1, hostnames: [a]}]
          topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway}]
"#;

const OBJECTS: &str = r#"
apiVersion: v1
kind: ServiceAccount
metadata: {name: reporter}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: report-data}
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: low}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      serviceAccountName: reporter
      containers:
        - {name: web, image: registry.example/report:1, envFrom: [{configMapRef: {name: report-config}}]}
        - {name: proxy, image: registry.example/proxy:1, ports: [{containerPort: 80}, {containerPort: 443}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, name: http}, {port: 443, name: https}]}
"#;

const BASE: &str = "
resources: [job.yaml, objects.yaml]
configMapGenerator: [{name: report-config, literals: [MODE=full]}]
secretGenerator: [{name: report-db, literals: [PASSWORD=x]}]
";

/// What overlays do, one feature each. `HEADER` is the header of the manifest.
const OVERLAYS: [(&str, &str); 9] = [
    ("nothing", ""),
    ("a prefix and a suffix", "namePrefix: prod-\nnameSuffix: -v2"),
    ("a namespace", "namespace: shop"),
    (
        "an image",
        "images: [{name: registry.example/report, newName: mirror.example/report, newTag: '2'}]",
    ),
    ("labels in templates", "labels: [{pairs: {team: shop}, includeTemplates: true}]"),
    ("labels in selectors", "labels: [{pairs: {team: shop}, includeSelectors: true}]"),
    ("annotations", "commonAnnotations: {note: x}"),
    (
        "a strategic merge patch",
        r#"
namePrefix: prod-
patches:
  - patch: |
      HEADER
      metadata: {name: report}
      spec:
        jobTemplate:
          spec:
            template:
              spec:
                imagePullSecrets: [{name: more}]
                initContainers: [{name: prepare, env: [{name: MODE, $patch: delete}]}]
                containers:
                  - name: report
                    image: registry.example/report:3
                    env: [{name: LEVEL, value: debug}, {name: NEW, value: x}]
                    ports: [{containerPort: 8081, name: renamed}]
                    volumeMounts: [{mountPath: /data, name: other}]
                  - {name: extra, image: registry.example/extra:1}
                volumes:
                  - {name: secret, $patch: delete}
                  - {name: other, emptyDir: {}}
                tolerations: [{key: gpu, operator: Exists}]
                hostAliases: [{ip: 192.0.2.1, hostnames: [b]}]
                topologySpreadConstraints: [{topologyKey: zone, maxSkew: 2, whenUnsatisfiable: DoNotSchedule}]
  - patch: |
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: web}
      spec: {template: {spec: {containers: [{name: web, env: [{name: A, value: b}]}]}}}
  - patch: |
      apiVersion: v1
      kind: Service
      metadata: {name: web}
      spec: {ports: [{port: 443, name: tls}]}"#,
    ),
    (
        "a JSON patch and a replacement",
        r"
patches:
  - target: {name: report}
    patch: |
      - {op: replace, path: /spec/jobTemplate/spec/template/spec/containers/1/command/1, value: /mnt}
replacements:
  - source: {kind: Service, name: web, fieldPath: metadata.name}
    targets: [{select: {name: report}, fieldPaths: ['spec.jobTemplate.spec.template.spec.containers.[name=report].env.[name=LEVEL].value']}]",
    ),
];

/// The overlay as objects, in kustomize's order.
fn build(header: &str, overlay: &str, with: &str) -> Result<Vec<Value>, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    };
    write("base/job.yaml", &format!("{header}{JOB}"));
    write("base/objects.yaml", OBJECTS);
    write("base/kustomization.yaml", BASE);
    for file in ["configurations.yaml", "openapi.json", "kustomization.yaml"] {
        let text = fs::read_to_string(Path::new(FOLDER).join(file)).expect(file);
        write(&format!("punctual/{file}"), &text);
        write(&format!("overlay/{file}"), &text);
    }
    let overlay = overlay.replace("HEADER", &header.trim_end().replace('\n', "\n      "));
    write("overlay/kustomization.yaml", &format!("resources: [../base]\n{with}{overlay}\n"));
    let overlay = folder.path().join("overlay").display().to_string();
    let text = Server::shared().kubectl(&["kustomize", &overlay], "")?;
    let documents = serde_yaml::Deserializer::from_str(&text).map(|document| Value::deserialize(document).expect("YAML"));
    Ok(documents.collect())
}

/// Without what makes a task of a CronJob.
fn same_kind(mut objects: Vec<Value>) -> Vec<Value> {
    for object in objects.iter_mut().filter(|object| object["kind"] == "ScheduledTask") {
        object["apiVersion"] = "batch/v1".into();
        object["kind"] = "CronJob".into();
    }
    objects.sort_by_key(|object| format!("{} {}", object["kind"], object["metadata"]["name"]));
    objects
}

/// The two ways to use the files.
const WAYS: [&str; 2] = [
    "components: [../punctual]\n",
    "configurations: [configurations.yaml]\nopenapi: {path: openapi.json}\n",
];

/// F17: two changed lines, and every overlay of a CronJob still does what it did.
#[test]
fn overlays_of_a_cronjob_and_of_its_task_give_the_same() {
    for (name, overlay) in OVERLAYS {
        let cron_job = build(CRON_JOB, overlay, "").unwrap_or_else(|said| panic!("{name}: {said}"));
        assert!(cron_job.len() >= 8, "{name}: {} objects", cron_job.len());
        for way in WAYS {
            let task = build(TASK, overlay, way).unwrap_or_else(|said| panic!("{name}: {said}"));
            assert_eq!(same_kind(task), same_kind(cron_job.clone()), "{name}, {way}");
        }
    }
}

/// F17: without the files kustomize silently changes less, and replaces lists.
#[test]
fn without_the_files_the_overlays_differ() {
    let differs = |(_, overlay): &&(&str, &str)| {
        let [cron_job, task] = [CRON_JOB, TASK].map(|header| build(header, overlay, "").expect("kustomize builds it"));
        same_kind(task) != same_kind(cron_job)
    };
    let different: Vec<&str> = OVERLAYS.iter().filter(differs).map(|(name, _)| *name).collect();
    println!("without the files: {different:?}");
    assert!(different.len() >= 5, "{different:?}: are the files still needed?");
}

/// The schema replaces kustomize's own, so it must have the merge keys of all other kinds as well.
#[test]
fn the_schema_is_generated_from_the_api_server() {
    if Server::shared().is_other_release() {
        println!("skipped: K8S selects another Kubernetes version, and each version has its own schema");
        return;
    }
    let served = Server::shared().kubectl(&["get", "--raw", "/openapi/v2"], "").expect("the schema");
    let generated = schema::merge_keys(&serde_json::from_str(&served).expect("JSON"));
    let file = Path::new(FOLDER).join("openapi.json");
    if std::env::var_os("BLESS").is_some_and(|bless| bless == "1") {
        fs::write(&file, &generated).expect("written");
    }
    println!("{} bytes", generated.len());
    let kept = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        kept == generated,
        "deploy/kustomize/openapi.json is out of date: BLESS=1 cargo test --test kustomize"
    );
}
