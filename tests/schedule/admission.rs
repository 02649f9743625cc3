//! The CEL rules of the CRD never refuse a schedule that the parser accepts.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use kube::core::cel::{CompiledSchema, Validator, compile_schema};
use punctual::schedule::{Definition, Expressions, Schedule};
use serde_json::{Value, json};

use super::accept::unescaped;

const GOLDEN: &str = include_str!("../cron/cron-golden.tsv");
const SECONDS: [i64; 7] = [1, 11, 61, 1801, 3601, 13 * 3600, 100_000];

/// The schema of the spec.
fn spec() -> Value {
    let versions = punctual::api::crd().spec.versions;
    let schema = versions.into_iter().next().and_then(|version| version.schema?.open_api_v3_schema);
    serde_json::to_value(schema).unwrap()["properties"]["spec"].clone()
}

/// The rules of the spec as a whole, without those of its fields.
fn rules() -> CompiledSchema {
    let text = json!({"type": "string"});
    compile_schema(&json!({
        "type": "object",
        "properties": {"schedule": text, "schedules": {"type": "array", "items": text}, "jitter": text},
        "x-kubernetes-validations": spec()["x-kubernetes-validations"],
    }))
}

fn told(rules: &CompiledSchema, spec: &Value) -> Option<String> {
    let errors = Validator::new().validate_compiled(rules, spec, None).err()?.into_vec();
    let messages: Vec<String> = errors.iter().map(|error| error.message.clone()).collect();
    Some(messages.join("; "))
}

fn refused(expression: &str, jitter: i64) -> bool {
    let definition = Definition {
        expressions: Expressions::One(expression.to_owned()),
        time_zone: "UTC".to_owned(),
        jitter: SignedDuration::from_secs(jitter),
        ..Definition::default()
    };
    Schedule::new(&definition, "default/backup").is_err()
}

#[test]
fn the_parser_refuses_every_jitter_that_admission_refuses() {
    let rules = rules();
    let golden = GOLDEN.lines().filter(|line| !line.starts_with('#'));
    let golden: BTreeSet<String> = golden.filter_map(|line| line.split('\t').next()).map(unescaped).collect();
    let more = [
        "*/10 * * * * *",
        "7 * * * * *",
        "H/30 * * * *",
        "h/12 h/12 * * *",
        "@every 1h1s",
        "@every 99999h",
        "0 0 * * H",
        "0 0 ? * FRI#2",
    ];
    let (mut by_both, mut by_the_parser, mut taken) = (0, 0, 0);
    for expression in golden.iter().step_by(16).map(String::as_str).chain(more) {
        for jitter in SECONDS {
            let told = told(&rules, &json!({"schedule": expression, "jitter": format!("{jitter}s")}));
            match (told, refused(expression, jitter)) {
                (Some(told), false) => panic!("{expression} with {jitter}s is fine, and admission says {told}"),
                (Some(_), true) => by_both += 1,
                (None, true) => by_the_parser += 1,
                (None, false) => taken += 1,
            }
        }
    }
    println!("{by_both} refused by both, {by_the_parser} by the parser alone, {taken} taken");
    assert!(by_both > 100 && taken > 100, "the expressions say little");
}

#[test]
fn admission_names_the_longest_jitter() {
    let rules = rules();
    for (expression, longest, seconds) in [
        ("* * * * * *", "1s", 1),
        ("*/10 * * * * *", "10s", 10),
        ("* * * * *", "1m", 60),
        ("5 * * * * *", "1m", 60),
        ("*/5 * * * *", "5m", 300),
        ("30 0/20 9-17 * * *", "20m", 1200),
        ("H/15 * * * MON-FRI", "15m", 900),
        ("17 * * * *", "1h", 3600),
        ("@hourly", "1h", 3600),
        ("0 */6 1 * *", "6h", 6 * 3600),
        ("30 2 * * ?", "24h", 86_400),
        ("@midnight", "24h", 86_400),
        ("0 9 * * MON", "168h", 7 * 86_400),
        ("@weekly", "168h", 7 * 86_400),
        ("@every 1h30m", "1h30m", 5400),
    ] {
        let spec = |jitter: i64| json!({"schedule": expression, "jitter": format!("{jitter}s")});
        assert_eq!(told(&rules, &spec(seconds)), None, "{expression}");
        let jitter = seconds + 1;
        let expected = format!("jitter \"{jitter}s\" is longer than the {longest} between two slots of {expression:?}: use at most that");
        assert_eq!(told(&rules, &spec(jitter)), Some(expected));
    }
}

#[test]
fn admission_names_the_schedule_with_the_closest_slots() {
    let rules = rules();
    let several = |jitter: &str| json!({"schedules": ["0 4 * * *", " @every 30m", "0 0 L * *"], "jitter": jitter});
    let expected = "jitter \"1h\" is longer than the 30m between two slots of \"@every 30m\": use at most that";
    assert_eq!(told(&rules, &several("1h")).as_deref(), Some(expected));
    assert_eq!(told(&rules, &several("30m")), None);
    for (field, value) in [
        ("exclude", json!([{"schedule": "0-58 * * * *"}])),
        ("endAt", json!("2027-01-01T00:00:00Z")),
        ("jitter", json!("soon")),
    ] {
        let mut spec = json!({"schedule": "* * * * *", "jitter": "1h"});
        spec[field] = value;
        assert_eq!(told(&rules, &spec), None, "{field}");
    }
}

#[test]
fn admission_refuses_an_h_step_larger_than_its_field() {
    let rules = compile_schema(&json!({"type": "object", "properties": {"schedule": spec()["properties"]["schedule"]}}));
    for (expression, longest) in [
        ("H/# 0 0 * * *", 60),
        ("H/# * * * *", 60),
        ("0 h/# * * *", 24),
        ("0 0 H/# * *", 28),
        ("0 0 1 H/# *", 12),
        ("0 0 * * H/#", 7),
    ] {
        for step in [1, 2, longest - 1, longest, longest + 1, 100] {
            let schedule = expression.replace('#', &step.to_string());
            let told = told(&rules, &json!({"schedule": schedule}));
            assert_eq!(told.is_some(), step > longest, "{schedule}: {told:?}");
            assert_eq!(told.is_some(), refused(&schedule, 0), "{schedule}: {told:?}");
        }
    }
}
