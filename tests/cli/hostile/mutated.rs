//! Manifests and streams with random changes.

use super::{COMMANDS, HOSTILE, assert_clean};
use crate::process::punctual;
use proptest::prelude::*;
use serde_json::{Value, json};

/// A task with nearly every field.
fn whole(kind: bool) -> Value {
    let (version, kind) = if kind {
        ("punctual.dev/v1alpha1", "ScheduledTask")
    } else {
        ("batch/v1", "CronJob")
    };
    let template = json!({"metadata": {"labels": {"g": "h"}}, "spec": {"backoffLimit": 0, "template": {"spec": {"restartPolicy": "Never",
        "containers": [{"name": "main", "image": "x", "args": ["y"], "resources": {"limits": {"cpu": "1"}}}]}}}});
    json!({"apiVersion": version, "kind": kind, "metadata": {"name": "a", "namespace": "b", "labels": {"c": "d"}, "annotations": {"e": "f"}},
    "spec": {"schedule": "H 3 * * MON-FRI", "schedules": [], "timeZone": "Europe/Paris", "suspend": false, "jitter": "5m",
        "exclude": [{"from": "2027-12-24", "until": "2028-01-02"}, {"schedule": "* 4 * * *"}],
        "startAt": "2026-01-01T00:00:00Z", "endAt": "2028-01-01T00:00:00Z",
        "daylightSaving": {"gap": "Skip", "overlap": "Both"}, "concurrencyPolicy": "Queue", "queueLimit": 3, "maxConcurrentRuns": 2,
        "retryPolicy": {"limit": 3, "delay": "30s"}, "runTimeout": "2h", "pendingTimeout": "15m", "suspendAfterFailures": 5,
        "missedRunPolicy": "All", "startingDeadlineSeconds": 60, "successfulJobsHistoryLimit": 1, "failedJobsHistoryLimit": 1,
        "jobTemplate": template}})
}

/// The JSON pointers of all parts of a value.
fn places(value: &Value, at: &str, all: &mut Vec<String>) {
    all.push(at.to_owned());
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, inner)| places(inner, &format!("{at}/{name}"), all)),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(number, inner)| places(inner, &format!("{at}/{number}"), all)),
        _ => {}
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(HOSTILE.to_owned()),
        any::<String>(),
        "[0-9*/,LW#H?@A-Z -]{0,40}",
        "[\\x00-\\x1f\\x7f-\\xa0\u{200b}-\u{206f}é日🙂]{0,20}",
        (1_usize..5000).prop_map(|length| "é".repeat(length)),
        "[+-]?[0-9]{1,6}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z",
        Just("-9999-01-02T00:00:00Z".to_owned()),
        Just("9999-12-30T22:00:00.999999999Z".to_owned()),
        "P?T?-?[0-9]{1,20}(ns|s|m|h|d|y|w)?",
        "(CRON_)?TZ=.{0,10} [0-9*]{1,3} \\* \\* \\* \\*",
        "@every -?[0-9]{1,20}(ns|s|h|d)",
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
        (1_usize..120).prop_map(|depth| (0..depth).fold(json!(1), |inner, _| json!([inner]))),
    ];
    leaf.prop_recursive(3, 20, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((text(), inner), 0..6).prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}

/// A task or a CronJob with up to three random changes.
fn manifest() -> impl Strategy<Value = Value> {
    (any::<bool>(), prop::collection::vec((any::<prop::sample::Index>(), value()), 0..4)).prop_map(|(kind, changes)| {
        let mut manifest = whole(kind);
        for (at, value) in changes {
            let mut all = Vec::new();
            places(&manifest, "", &mut all);
            if let Some(place) = manifest.pointer_mut(at.get(&all).as_str()) {
                *place = value;
            }
        }
        manifest
    })
}

/// YAML tokens at random places.
fn bits() -> impl Strategy<Value = Vec<(prop::sample::Index, String)>> {
    let bit = prop_oneof![
        prop::sample::select(vec![
            "[",
            "]",
            "{",
            "}",
            "- ",
            "? ",
            ": ",
            "&a ",
            "*a",
            "!x ",
            "|",
            ">",
            "'",
            "\"",
            "%",
            "---\n",
            "...\n",
            "\n",
            "\t",
            "#",
            ",",
            "<<: ",
            "\\",
            "\0",
            "\u{85}",
            "\u{2028}",
            "\u{feff}",
            "\u{1b}[2J",
            "\u{202e}",
            "é",
            "~",
            "@",
            "`",
            "1e999",
            "0x",
            "  ",
        ])
        .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec((any::<prop::sample::Index>(), bit), 0..8)
}

fn broken(mut text: String, bits: &[(prop::sample::Index, String)]) -> String {
    for (at, bit) in bits {
        let places: Vec<usize> = text.char_indices().map(|(place, _)| place).collect();
        if !places.is_empty() {
            text.insert_str(*at.get(&places), bit);
        }
    }
    text
}

proptest! {
    // Each case runs seven processes that read twelve documents.
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    /// A16, A18
    #[test]
    fn no_manifest_causes_a_panic_or_unprintable_output(documents in prop::collection::vec((manifest(), any::<bool>(), bits()), 12)) {
        let texts: Vec<String> = documents.iter().map(|(manifest, yaml, bits)| {
            let text = if *yaml { serde_yaml::to_string(manifest).unwrap() } else { manifest.to_string() + "\n" };
            broken(text, bits)
        }).collect();
        let input = texts.join("---\n");
        for command in COMMANDS {
            assert_clean(&punctual(command, &input), command, &input);
        }
    }
}

/// `PROPTEST_CASES`, or a few.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(4)
}
