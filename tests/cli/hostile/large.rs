//! Documents that are cheap to write and expensive to read.

use super::assert_clean;
use crate::process::{TEMPLATE, punctual, task};
use serde_json::Value;

const LEVELS: &str = "nested deeper than 100 levels, the limit of a document";
const VALUES: &str = "more than 1000000 values, the limit of a document";

/// The commands that read documents.
const READERS: [&[&str]; 3] = [&["check", "-f", "-"], &["convert"], &["preview", "-f", "-"]];

/// A list of ten thousand items, with ten thousand aliases.
fn aliases() -> String {
    format!("a: &a [{}]\nb: [{}]\n", "x,".repeat(10_000), "*a,".repeat(10_000))
}

/// Nine levels, each with nine aliases of the previous one.
fn laughs() -> String {
    let level = |number: usize| format!("a{number}: &a{number} [{}]\n", vec![format!("*a{}", number - 1); 9].join(","));
    (1..9).fold("a0: &a0 [x]\n".to_owned(), |text, number| text + &level(number))
}

/// A18
#[test]
fn a_document_over_a_limit_is_rejected_early() {
    for (name, text, says) in [
        ("brackets", "[".repeat(200_000), LEVELS),
        ("braces", "{".repeat(200_000), LEVELS),
        ("pairs", "[]".repeat(100_000), "did not find expected"),
        ("closed brackets", "[".repeat(100_000) + &"]".repeat(100_000), LEVELS),
        ("maps in maps", "{a: ".repeat(60_000), LEVELS),
        ("dashes", "- ".repeat(100_000), LEVELS),
        ("questions", "? ".repeat(100_000), LEVELS),
        ("anchors", "&a [*a, ".repeat(30_000), LEVELS),
        ("JSON", "{\"a\":".repeat(40_000), LEVELS),
        (
            "JSON that ends",
            format!("{{\"a\":{}{}}}", "[".repeat(100), "]".repeat(100)),
            LEVELS,
        ),
        ("indented", (0..500).map(|level| " ".repeat(level) + "a:\n").collect(), LEVELS),
        ("behind a separator of lines", format!("# \u{85}{}", "[".repeat(200_000)), LEVELS),
        (
            "behind a separator",
            format!("--- {}", "[".repeat(200_000)),
            "invalid document separator",
        ),
        ("aliases", aliases(), VALUES),
        ("laughs", laughs(), VALUES),
        ("tags", "!a ".repeat(60_000), "not valid YAML"),
        ("quotes", format!("\"{}", "\\n".repeat(100_000)), "not valid YAML"),
        ("colons", "a: ".repeat(60_000), "not valid YAML"),
    ] {
        for command in READERS {
            let said = punctual(command, &text);
            assert_eq!(said.code, Some(1), "{name}: {command:?}");
            assert!((said.out.clone() + &said.err).contains(says), "{name}: {command:?}: {said:?}");
            assert!((said.out.len() + said.err.len()) < 1000, "{name}: {command:?}");
            assert_clean(&said, command, name);
        }
    }
    let said = punctual(&["check", "-f", "-"], &"[".repeat(200_000));
    assert_eq!(
        said.out,
        "error: standard input, document 1: line 1: nested deeper than 100 levels, the limit of a document: no manifest is this deep\n"
    );
}

#[test]
fn a_stream_over_a_limit_is_rejected() {
    for text in ["---\n".repeat(20_000), "{}\n".repeat(20_000), "...\n---\n".repeat(20_000)] {
        let said = punctual(&["check", "-f", "-"], &text);
        assert_eq!(
            said.out,
            "error: standard input: more than 10000 documents, the limit of a file: split it, and give each part a -f\n"
        );
    }
    let large = format!("a: {}\n---\nkind: {}\n", "x".repeat(17 << 20), "ScheduledTask");
    let said = punctual(&["check", "-f", "-"], &large);
    let lines: Vec<&str> = said.out.lines().collect();
    assert_eq!(lines.len(), 2, "{}", said.out);
    assert!(
        lines[0].starts_with("error: standard input, document 1: larger than 16 MiB"),
        "{}",
        lines[0]
    );
    assert!(
        lines[1].starts_with("error: standard input, document 2: apiVersion is missing"),
        "{}",
        lines[1]
    );
    let said = punctual(&["check", "-f", "/dev/zero"], "");
    assert!(said.out.starts_with("error: /dev/zero: larger than 64 MiB"), "{}", said.out);
}

/// A18
#[test]
fn the_number_of_errors_is_bounded() {
    let unknown: String = (0..100_000).map(|number| format!("x{number}: 1, ")).collect();
    let many = "'', ".repeat(20_000);
    let wrong = "{}, ".repeat(20_000);
    let args = |args: &str| TEMPLATE.replace("image: x", &format!("image: x, args: [{args}]"));
    for (name, spec, messages) in [
        ("unknown fields", format!("{{schedule: 17 3 * * *, {unknown}{TEMPLATE}}}"), 101),
        ("empty texts", format!("{{schedule: 17 3 * * *, {}}}", args(&many)), 0),
        (
            "items of the wrong type",
            format!("{{schedule: 17 3 * * *, {}}}", args(&wrong)),
            102,
        ),
        (
            "a long value",
            format!("{{schedule: 17 3 * * *, suspend: {}, {TEMPLATE}}}", "y".repeat(1 << 20)),
            2,
        ),
        (
            "a long name of a field",
            format!("{{schedule: 17 3 * * *, {}: 1, {TEMPLATE}}}", "y".repeat(1000)),
            1,
        ),
    ] {
        for kind in [
            task("a", &spec),
            task("a", &spec).replace("punctual.dev/v1alpha1\nkind: ScheduledTask", "batch/v1\nkind: CronJob"),
        ] {
            let said = punctual(&["check", "-f", "-", "-o", "json"], &kind);
            let checked: Value = serde_json::from_str(&said.out).unwrap();
            let errors = checked[0]["errors"].as_array().unwrap();
            // Fields that neither CronJob nor ScheduledTask has are reported twice for a CronJob.
            assert!(errors.len() >= messages && errors.len() <= 2 * messages, "{name}: {}", errors.len());
            assert!(errors.iter().all(|error| error.as_str().unwrap().chars().count() <= 2001), "{name}");
            let said = punctual(&["convert"], &kind);
            assert_clean(&said, &["convert"], name);
            assert!(said.err.lines().count() <= 2 * messages + 1, "{name}");
        }
    }
    let said = punctual(
        &["check", "-f", "-"],
        &task("a", &format!("{{schedule: 17 3 * * *, {unknown}{TEMPLATE}}}")),
    );
    assert!(said.out.ends_with(": and 99900 more\n"), "{}", said.out);
}
