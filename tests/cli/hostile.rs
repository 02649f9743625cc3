//! Hostile manifests, read by the commands that need no cluster: they are cheap, end in an error message, and cannot control a terminal.

#[path = "hostile/large.rs"]
mod large;
#[path = "hostile/mutated.rs"]
mod mutated;

use crate::process::{Output, TEMPLATE, punctual, task};
use serde_json::{Value, json};

/// Escape sequences, a forged line, bidirectional controls, zero-width characters, and unusual line separators.
pub const HOSTILE: &str =
    "x\u{1b}[2J\u{1b}]0;t\u{7}\nok: forged\r\u{9b}2J\u{7f}\u{202e}\u{2066}\u{200b}\u{61c}\u{feff}\u{85}\u{2028}\u{ad}\u{e0041}";

/// The commands that read a stream.
pub const COMMANDS: [&[&str]; 7] = [
    &["check", "-f", "-", "--from", "2026-11-23T12:00:00Z"],
    &["check", "-f", "-", "-o", "json"],
    &["check", "-f", "-", "-o", "yaml"],
    &["convert"],
    &["convert", "-o", "json"],
    &["preview", "-f", "-", "--from", "2026-11-23T12:00:00Z"],
    &["preview", "-f", "-", "-o", "json"],
];

/// The same as in the product; repeated here so that a gap in one is noticed.
fn is_unprintable(c: char) -> bool {
    let code = u32::from(c);
    (code < 0x20 && c != '\n' && c != '\t')
        || (0x7f..=0x9f).contains(&code)
        || [0xad, 0x61c, 0x180e, 0xfeff].contains(&code)
        || (0x200b..=0x200f).contains(&code)
        || (0x2028..=0x202e).contains(&code)
        || (0x2060..=0x206f).contains(&code)
        || (0xe0000..=0xe0fff).contains(&code)
}

/// The process ended with a verdict, without a panic, and with printable output only.
pub fn assert_clean(said: &Output, of: &[&str], input: &str) {
    let input = || input.chars().take(2000).collect::<String>();
    assert!(matches!(said.code, Some(0 | 1)), "{of:?}: {said:?}: {:?}", input());
    for text in [&said.out, &said.err] {
        assert!(!text.contains("panicked"), "{of:?}: {said:?}: {:?}", input());
        let dirt: String = text.chars().filter(|c| is_unprintable(*c)).collect();
        assert_eq!(dirt, "", "{of:?}: {said:?}: {:?}", input());
    }
}

/// Both kinds, with hostile text in every place that is shown somewhere.
fn manifests() -> Vec<Value> {
    let template = json!({"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": HOSTILE, "image": HOSTILE}]}}}});
    let spec = json!({"schedule": "17 3 * * *", "jobTemplate": template});
    let with = |field: &str, value: Value| {
        let mut spec = spec.clone();
        spec[field] = value;
        spec
    };
    let specs = [
        spec.clone(),
        with("schedule", json!(HOSTILE)),
        with("schedule", json!(format!("17 {HOSTILE} * * *"))),
        with("timeZone", json!(HOSTILE)),
        with("suspend", json!(HOSTILE)),
        with("concurrencyPolicy", json!(HOSTILE)),
        with("runTimeout", json!(HOSTILE)),
        with("startAt", json!(HOSTILE)),
        with("exclude", json!([{"schedule": HOSTILE}, {"from": HOSTILE, "until": "2026-12-24"}])),
        with(HOSTILE, json!(HOSTILE)),
        json!(HOSTILE),
    ];
    let mut manifests = Vec::new();
    for (version, kind) in [
        ("punctual.dev/v1alpha1", "ScheduledTask"),
        ("batch/v1", "CronJob"),
        ("v1", HOSTILE),
        (HOSTILE, "CronJob"),
    ] {
        // The spec of other kinds is not read.
        let read = if [version, kind].contains(&HOSTILE) { 1 } else { specs.len() };
        for spec in specs.iter().take(read) {
            manifests.push(json!({"apiVersion": version, "kind": kind, "spec": spec,
                "metadata": {"name": HOSTILE, "namespace": HOSTILE, "annotations": {HOSTILE: HOSTILE}}}));
        }
    }
    manifests
}

/// A16
#[test]
fn no_manifest_controls_the_terminal_or_forges_a_line() {
    let json: String = manifests().iter().map(|manifest| format!("{manifest}\n")).collect();
    let yaml: Vec<String> = manifests()
        .iter()
        .map(|manifest| serde_yaml::to_string(manifest).unwrap())
        .collect();
    for input in [json, yaml.join("---\n")] {
        for command in COMMANDS {
            let said = punctual(command, &input);
            assert_clean(&said, command, &input);
            if command != ["convert"] {
                let forged = said
                    .out
                    .lines()
                    .chain(said.err.lines())
                    .find(|line| line.trim_start().starts_with("ok: forged"));
                assert_eq!(forged, None, "{command:?}");
            }
        }
    }
}

#[test]
fn conversion_keeps_the_data() {
    for manifest in manifests() {
        let said = punctual(&["convert"], &manifest.to_string());
        let read: Value = serde_yaml::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {}", said.out));
        let json: Value = serde_json::from_str(&punctual(&["convert", "-o", "json"], &manifest.to_string()).out).unwrap();
        assert_eq!((&read["metadata"], &read["spec"]), (&manifest["metadata"], &manifest["spec"]));
        assert_eq!(json, read);
    }
    // Text without unprintable characters is kept, other text is serialized again.
    let raw = |comment: &str| format!("apiVersion: v1\nkind: Service # {comment}\nmetadata: {{name: x}}\n");
    assert_eq!(punctual(&["convert"], &raw("plain")).out, raw("plain"));
    assert_eq!(
        punctual(&["convert"], &raw("\u{202e}")).out,
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: x\n"
    );
}

#[test]
fn a_file_may_have_any_name_and_any_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let name = HOSTILE.replace('/', "");
    for (bytes, says) in [
        (
            task("x", &format!("{{schedule: 17 3 * * *, {TEMPLATE}}}")).into_bytes(),
            "document 1",
        ),
        (vec![0xff, 0x00, 0x1b], "neither UTF-8 nor UTF-16"),
        // UTF-16 with a byte order mark.
        (vec![0xff, 0xfe, 0x1b, 0x00], "control characters are not allowed"),
        (Vec::new(), "contains no document"),
        (b"a: \0\n".to_vec(), "control characters are not allowed"),
    ] {
        let path = dir.path().join(&name);
        std::fs::write(&path, bytes).unwrap();
        let path = path.display().to_string();
        for command in [&["check", "-f"][..], &["convert", "-f"], &["preview", "-f"]] {
            let said = punctual(&[command, &[&path]].concat(), "");
            assert_clean(&said, command, says);
            if command == ["check", "-f"] {
                assert!(said.out.contains(says) && said.out.lines().count() == 1, "{}", said.out);
            }
        }
    }
    // As a wrong argument.
    let said = punctual(&["list", "-o", &name], "");
    assert_eq!(said.code, Some(2));
    assert!(!said.err.contains(is_unprintable), "{:?}", said.err);
    for zone in [HOSTILE, "\u{202e}"] {
        let said = punctual(&["preview", "--schedule", HOSTILE, "--time-zone", zone], "");
        assert_clean(&said, &["preview", "--schedule"], zone);
    }
}
