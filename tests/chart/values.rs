//! The values: `values.yaml`, its schema and `ci/everything-values.yaml`.

use super::helm::{chart, everything, helm, read, root, template};
use super::is_generated_from;
use serde_json::Value;
use std::collections::BTreeSet;
use std::thread;

/// A value of the chart.
struct Setting {
    path: Vec<String>,
    says: String,
    default: Value,
}

impl Setting {
    fn key(&self) -> String {
        self.path.join(".")
    }

    /// Its JSON pointer.
    fn pointer(&self) -> String {
        format!("/{}", self.path.join("/"))
    }
}

fn yaml(path: &str) -> Value {
    serde_yaml::from_str(&read(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The keys of `values.yaml` with a `# --` comment, in order.
fn settings() -> Vec<Setting> {
    let defaults = yaml("charts/punctual/values.yaml");
    let mut settings: Vec<Setting> = Vec::new();
    let (mut above, mut says) = (Vec::<(usize, String)>::new(), String::new());
    let mut inside: Option<usize> = None;
    for line in read("charts/punctual/values.yaml").lines() {
        let (text, indent) = (line.trim(), line.len() - line.trim_start().len());
        if inside.is_some_and(|outer| indent > outer || text.starts_with('-')) && !text.is_empty() {
            continue;
        }
        inside = None;
        if let Some(first) = text.strip_prefix("# -- ") {
            first.clone_into(&mut says);
        } else if let Some(more) = text.strip_prefix("# ").filter(|_| !says.is_empty()) {
            says = format!("{says} {more}");
        } else if let Some((key, _)) = text.split_once(':').filter(|_| !text.starts_with('#')) {
            above.retain(|(outer, _)| *outer < indent);
            above.push((indent, key.to_owned()));
            if !says.is_empty() {
                let path: Vec<String> = above.iter().map(|(_, key)| key.clone()).collect();
                let default = defaults.pointer(&format!("/{}", path.join("/"))).expect("a value").clone();
                let says = std::mem::take(&mut says);
                settings.push(Setting { path, says, default });
                inside = Some(indent);
            }
        }
    }
    settings
}

/// The pointers of all leaves and of all empty objects.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    match value.as_object().filter(|object| !object.is_empty()) {
        Some(object) => object.iter().for_each(|(key, value)| places(value, &format!("{at}/{key}"), found)),
        None => found.push(at.to_owned()),
    }
}

#[test]
fn every_value_is_described() {
    let (settings, mut found) = (settings(), Vec::new());
    places(&yaml("charts/punctual/values.yaml"), "", &mut found);
    let described = |place: &String| {
        let within = |setting: &Setting| place == &setting.pointer() || place.starts_with(&format!("{}/", setting.pointer()));
        settings.iter().any(within)
    };
    let silent: Vec<&String> = found.iter().filter(|place| !described(place)).collect();
    assert!(silent.is_empty(), "no `# --` comment above: {silent:?}");
    println!("{} values", settings.len());
}

#[test]
fn the_schema_knows_each_value_and_no_other() {
    fn known(schema: &Value, at: &str, found: &mut BTreeSet<String>, settings: &BTreeSet<String>) {
        if settings.contains(at) || schema["properties"].is_null() {
            found.insert(at.to_owned());
            return;
        }
        assert_eq!(schema["additionalProperties"], false, "typos are taken at {at:?}");
        for (key, inner) in schema["properties"].as_object().expect("properties") {
            known(inner, &format!("{at}/{key}"), found, settings);
        }
    }
    let settings: BTreeSet<String> = settings().iter().map(Setting::pointer).collect();
    let schema: Value = serde_json::from_str(&read("charts/punctual/values.schema.json")).expect("JSON");
    let mut found = BTreeSet::new();
    known(&schema, "", &mut found, &settings);
    // For parent charts.
    for key in ["/global", "/enabled"] {
        assert!(found.remove(key), "{key}");
    }
    assert_eq!(found, settings);
}

#[test]
fn invalid_values_are_rejected_with_a_clear_message() {
    let cases = [
        ("replicaCount=two", "at '/replicaCount': got string, want integer"),
        ("replicaCount=-1", "at '/replicaCount': minimum"),
        ("replicaCuont=3", "additional properties 'replicaCuont' not allowed"),
        ("image.repository=", "at '/image/repository': minLength: got 0, want 1"),
        ("image.repository=a:b@c", "at '/image/repository'"),
        ("image.repositroy=x", "at '/image': additional properties 'repositroy' not allowed"),
        (
            "image.pullPolicy=Sometimes",
            "at '/image/pullPolicy': value must be one of 'Always', 'IfNotPresent', 'Never'",
        ),
        ("image.digest=sha256:1", "at '/image/digest'"),
        ("crds.enabled=maybe", "at '/crds/enabled': got string, want boolean"),
        ("crds.install=true", "at '/crds': additional properties 'install' not allowed"),
        ("watchNamespaces=a", "at '/watchNamespaces': got string, want array"),
        ("watchNamespaces={A_b}", "at '/watchNamespaces/0': 'A_b' does not match pattern"),
        ("watchNamespaces={a,a}", "at '/watchNamespaces': items at 0 and 1 are equal"),
        (
            "admissionPolicy.status.users=velero",
            "at '/admissionPolicy/status/users': got string, want array",
        ),
        ("workers=0", "at '/workers': minimum: got 0, want 1"),
        (
            "leaderElection.leaseDuration=15",
            "at '/leaderElection/leaseDuration': got number, want string",
        ),
        (
            "leaderElection.leaseDuration=soon",
            "at '/leaderElection/leaseDuration': 'soon' does not match pattern",
        ),
        ("log.level=loud", "at '/log/level': value must be one of"),
        ("metrics.port=0", "at '/metrics/port': minimum"),
        ("metrics.address=::", "at '/metrics/address': '::' does not match pattern"),
        ("extraEnv[0].value=x", "at '/extraEnv/0': missing property 'name'"),
        (
            "resources.limit.memory=1Gi",
            "at '/resources': additional properties 'limit' not allowed",
        ),
        (
            "livenessProbe.path=/x",
            "at '/livenessProbe': additional properties 'path' not allowed",
        ),
        (
            "prometheusRule.disabled={PunctualTypo}",
            "at '/prometheusRule/disabled/0': value must be one of",
        ),
        ("test.runAsUser=0", "at '/test/runAsUser': minimum: got 0, want 1"),
        ("test.image.tag=-", "at '/test/image/tag'"),
        // A schema cannot express these.
        (
            "leaderElection.enabled=false",
            "Set replicaCount to 1 or leaderElection.enabled to true",
        ),
        (
            "replicaCount=1,leaderElection.enabled=false,strategy.type=RollingUpdate",
            "two operators would write at the same time during each upgrade. Set strategy.type to Recreate",
        ),
        (
            "leaderElection.leaseDuration=5s",
            "leaderElection.leaseDuration (5s) must be longer than renewDeadline (10s)",
        ),
        (
            "leaderElection.retryPeriod=10s",
            "leaderElection.renewDeadline (10s) must be longer than retryPeriod (10s)",
        ),
        ("fullnameOverride=0123", "at '/fullnameOverride'"),
    ];
    for (value, word) in cases {
        let said = template(["--set", value]).err().unwrap_or_else(|| panic!("{value} is accepted"));
        assert!(said.contains(word), "{value}: {said}");
    }
    let said = template(["--set", "serviceMonitor.enabled=true", "--set", "metrics.service.enabled=false"]);
    assert!(said.is_err_and(|said| said.contains("serviceMonitor.enabled requires metrics.service.enabled")));
}

#[test]
fn each_value_has_an_effect() {
    let (defaults, everything) = (
        Value::Object(serde_json::Map::new()),
        yaml("charts/punctual/ci/everything-values.yaml"),
    );
    let has_effect = |setting: &Setting| {
        let other = everything
            .pointer(&setting.pointer())
            .unwrap_or_else(|| panic!("{} is not in everything", setting.key()));
        let flipped = setting.default.as_bool().map(|default| Value::Bool(!default));
        assert!(
            flipped.is_some() || *other != setting.default,
            "{} is the default in everything",
            setting.key()
        );
        let other = flipped.as_ref().unwrap_or(other);
        // Some values show an effect only beside the defaults, because others hide them, and some only beside all others.
        [(&defaults, other), (&everything, &setting.default), (&everything, other)]
            .into_iter()
            .any(|(base, value)| {
                let mut changed = base.clone();
                place(&mut changed, &setting.path, value.clone());
                rendered(base, &setting.key()) != rendered(&changed, &setting.key())
            })
    };
    let settings = settings();
    let idle: Vec<String> = thread::scope(|scope| {
        let parts = settings.chunks(settings.len().div_ceil(4));
        let part = |part: &'_ [Setting]| {
            part.iter()
                .filter(|setting| !has_effect(setting))
                .map(Setting::key)
                .collect::<Vec<_>>()
        };
        let parts: Vec<_> = parts.map(|settings| scope.spawn(move || part(settings))).collect();
        parts.into_iter().flat_map(|part| part.join().expect("judged")).collect()
    });
    assert!(idle.is_empty(), "these values have no effect: {idle:?}");
}

/// `key:` without a value is null, in any values file: a value, its default, or a message that names it.
#[test]
fn a_value_without_content_is_accepted_or_named() {
    let settings = settings();
    let wrong: Vec<String> = thread::scope(|scope| {
        let part = |part: &'_ [Setting]| {
            let said = |setting: &Setting| {
                let mut values = yaml("charts/punctual/ci/everything-values.yaml");
                place(&mut values, &setting.path, Value::Null);
                let said = rendered(&values, "").err()?;
                let named = said.contains(&format!("missing property '{}'", setting.path.last()?));
                (!named).then(|| format!("{}: {said}", setting.key()))
            };
            part.iter().filter_map(said).collect::<Vec<_>>()
        };
        let parts: Vec<_> = settings
            .chunks(settings.len().div_ceil(4))
            .map(|settings| scope.spawn(move || part(settings)))
            .collect();
        parts.into_iter().flat_map(|part| part.join().expect("judged")).collect()
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The chart rendered with these values; without the CRD, which is long, where it does not matter.
fn rendered(values: &Value, about: &str) -> Result<String, String> {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), serde_json::to_string(values).expect("JSON")).expect("written");
    let mut args = vec!["-f".to_owned(), file.path().display().to_string()];
    if !about.starts_with("crds.") {
        args.extend(["--set".to_owned(), "crds.enabled=false".to_owned()]);
    }
    template(args)
}

fn place(values: &mut Value, path: &[String], value: Value) {
    let inner = path.iter().fold(values, |values, key| &mut values[key.as_str()]);
    *inner = value;
}

#[test]
fn the_readme_is_generated_from_values_yaml() {
    let file = chart().join("README.md");
    let kept = std::fs::read_to_string(&file).expect("README.md");
    let (begin, end) = ("<!-- values: begin -->\n", "<!-- values: end -->");
    let (before, rest) = kept.split_once(begin).expect("a mark");
    let (_, after) = rest.split_once(end).expect("a mark");
    let cell = |text: &str| text.replace('|', "\\|");
    let row = |setting: &Setting| {
        format!(
            "| `{}` | `{}` | {} |\n",
            setting.key(),
            cell(&setting.default.to_string()),
            cell(&setting.says)
        )
    };
    let rows: String = settings().iter().map(row).collect();
    is_generated_from(
        &file,
        &format!("{before}{begin}| value | default | description |\n|---|---|---|\n{rows}{end}{after}"),
    );
}

#[test]
fn the_notes_contain_a_valid_first_manifest() {
    let chart = chart().display().to_string();
    let base = ["install", "punctual", &chart, "--dry-run=client", "--namespace", "here"];
    let said = helm(base.into_iter().map(str::to_owned).chain(everything())).expect("rendered");
    let notes = said.split("NOTES:").nth(1).expect("notes");
    let manifest = notes
        .split("<<'EOF'\n")
        .nth(1)
        .and_then(|rest| rest.split("\n  EOF").next())
        .expect("a manifest");
    let manifest: String = manifest
        .lines()
        .map(|line| format!("{}\n", line.strip_prefix("  ").unwrap_or(line)))
        .collect();
    let task: Value = serde_yaml::from_str(&manifest).expect("YAML");
    assert_eq!(
        (&task["kind"], &task["metadata"]["namespace"]),
        (&"ScheduledTask".into(), &"team-a".into())
    );
    let file = tempfile::NamedTempFile::with_suffix(".yaml").expect("a file");
    std::fs::write(file.path(), manifest).expect("written");
    let mut preview = std::process::Command::new(env!("CARGO_BIN_EXE_punctual"));
    let preview = preview
        .args(["preview", "--count", "1", "-f"])
        .arg(file.path())
        .current_dir(root())
        .output();
    let preview = preview.expect("runs");
    assert!(preview.status.success(), "{}", String::from_utf8_lossy(&preview.stderr));
}
