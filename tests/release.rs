//! What a release publishes: the workflow and the make targets that it calls agree on architectures, platforms and files.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const VERSION: &str = env!("CARGO_PKG_VERSION");
const PLATFORMS: [&str; 4] = ["linux-amd64", "linux-arm64", "darwin-amd64", "darwin-arm64"];

fn workflow() -> Value {
    let text = fs::read_to_string(Path::new(ROOT).join(".github/workflows/release.yaml")).expect("the workflow");
    serde_yaml::from_str(&text).expect("YAML")
}

/// Runners of a job by platform.
fn runners(job: &str) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let matrix = workflow()["jobs"][job]["strategy"]["matrix"]["include"].clone();
    let matrix = matrix.as_array().expect("a matrix");
    matrix.iter().map(|one| (text(&one["platform"]), text(&one["runner"]))).collect()
}

fn make(args: &[&str]) -> Result<String, String> {
    let output = Command::new("make")
        .arg("-s")
        .args(args)
        .current_dir(ROOT)
        .env_remove("MAKEFLAGS")
        .output();
    let output = output.expect("make runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(text(&output.stderr))
    }
}

/// F22: the image is built for amd64 and arm64, each on its own runner, and both are published under one tag.
#[test]
fn the_image_is_published_for_amd64_and_arm64() {
    let runners = runners("image");
    assert_eq!(runners.keys().collect::<Vec<_>>(), ["amd64", "arm64"]);
    for (platform, runner) in runners {
        assert_eq!(runner.ends_with("-arm"), platform == "arm64", "{platform} on {runner}");
    }
    let jobs = &workflow()["jobs"];
    assert_eq!(jobs["publish"]["needs"], json!(["image", "cli"]));

    let folder = tempfile::tempdir().expect("a folder");
    let target = format!("TARGET={}", folder.path().display());
    let publish = |more: &[&str]| {
        make(
            &[
                &[
                    "publish",
                    &target,
                    "REGISTRY=registry.example/team",
                    "HELM=true",
                    "CARGO=echo cargo",
                ],
                more,
            ]
            .concat(),
        )
    };
    let said = publish(&[]).expect_err("there is no image");
    assert!(
        said.contains("punctual-amd64.tar is missing: run `make image` on a machine of that architecture"),
        "{said}"
    );
    for architecture in ["amd64", "arm64"] {
        fs::write(folder.path().join(format!("punctual-{architecture}.tar")), "").expect("written");
    }
    let steps = publish(&["--dry-run"]).expect("a dry run");
    let index = folder.path().join("punctual-index.tar").display().to_string();
    let image = |architecture: &str| folder.path().join(format!("punctual-{architecture}.tar")).display().to_string();
    let join = format!("join --out {index} {} {}", image("amd64"), image("arm64"));
    let copy = format!("skopeo copy --all oci-archive:{index} docker://registry.example/team/punctual:{VERSION}");
    assert!(steps.find(&join) < steps.find(&copy) && steps.contains(&join), "{steps}");
}

#[test]
fn the_command_line_is_published_for_each_platform_with_a_krew_manifest() {
    let runners = runners("cli");
    let mut platforms = PLATFORMS;
    platforms.sort_unstable();
    assert_eq!(runners.keys().collect::<Vec<_>>(), platforms);
    for (platform, runner) in runners {
        assert_eq!(
            runner.starts_with("macos"),
            platform.starts_with("darwin"),
            "{platform} on {runner}"
        );
    }

    let folder = tempfile::tempdir().expect("a folder");
    let target = format!("TARGET={}", folder.path().display());
    let krew = || make(&["krew", &target, "URL=https://example.com/v1"]);
    assert!(krew().expect_err("there is no archive").contains("is missing: run `make cli`"));
    let mut sums = BTreeMap::new();
    for platform in PLATFORMS {
        let name = format!("punctual-{VERSION}-{platform}.tar.gz");
        fs::write(folder.path().join(&name), platform).expect("written");
        let sum = Command::new("sha256sum")
            .arg(folder.path().join(&name))
            .output()
            .expect("coreutils");
        let sum = String::from_utf8_lossy(&sum.stdout).into_owned();
        sums.insert(
            format!("https://example.com/v1/{name}"),
            sum.split(' ').next().expect("a sum").to_owned(),
        );
    }
    krew().expect("written");
    let manifest = fs::read_to_string(folder.path().join("punctual-krew.yaml")).expect("the manifest");
    assert!(!manifest.contains(['@']), "{manifest}");
    let manifest: Value = serde_yaml::from_str(&manifest).expect("YAML");
    assert_eq!(manifest["spec"]["version"], format!("v{VERSION}"));
    let named: BTreeMap<String, String> = manifest["spec"]["platforms"]
        .as_array()
        .expect("platforms")
        .iter()
        .map(|platform| {
            let labels = &platform["selector"]["matchLabels"];
            let (os, arch) = (
                labels["os"].as_str().expect("an os"),
                labels["arch"].as_str().expect("an architecture"),
            );
            let uri = platform["uri"].as_str().expect("an address").to_owned();
            assert!(uri.ends_with(&format!("-{os}-{arch}.tar.gz")), "{uri} for {os} {arch}");
            (uri, platform["sha256"].as_str().expect("a checksum").to_owned())
        })
        .collect();
    assert_eq!(named, sums);
}
