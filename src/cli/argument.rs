//! Recognizes arguments in the wrong place: a schedule, a file or a task where another of them is expected, and says what to write.
//!
//! Takes the text of an argument and gives a validated name or a hint. Reads no file and no cluster.

use super::admission::is_subdomain;
use crate::api::GROUP;
use clap::error::ErrorKind;

/// Commands whose arguments are names of tasks.
const BY_NAME: [&str; 7] = ["list", "history", "logs", "run-now", "suspend", "resume", "backfill"];
/// Commands that read manifests and no cluster.
const OFFLINE: [&str; 2] = ["preview", "convert"];

/// The name in an argument such as `nightly`, `stask/nightly` or `scheduledtask.punctual.dev/nightly`.
pub fn bare_name(argument: &str) -> &str {
    let (kind, name) = argument.split_once('/').unwrap_or(("", argument));
    let kind = kind.strip_suffix(&format!(".{GROUP}")).unwrap_or(kind);
    match kind {
        "scheduledtask" | "scheduledtasks" | "stask" => name,
        _ => argument,
    }
}

/// Parses the name of a task, perhaps with its kind.
///
/// # Errors
/// When it cannot be a name, with what it looks like.
pub fn task_name(text: &str) -> Result<String, String> {
    let name = bare_name(text);
    if is_subdomain(name) {
        return Ok(text.to_owned());
    }
    Err(match text.split_once('/') {
        _ if is_schedule(text) => {
            format!("expected the name of a task, not a schedule: to see its slots, use punctual preview --schedule '{text}'")
        }
        Some((from, _)) if from.parse::<jiff::civil::Date>().is_ok() || from.parse::<jiff::Timestamp>().is_ok() => {
            "expected the name of a task, not an interval: write the interval after the name".to_owned()
        }
        _ if is_file(text) => "expected the name of a task, not a file: use its metadata.name".to_owned(),
        Some((kind, name)) if is_subdomain(kind) && is_subdomain(name) => {
            format!("expected the name of a ScheduledTask, not of another kind ({kind})")
        }
        _ if is_subdomain(&text.to_ascii_lowercase()) => "names of tasks are in lower case".to_owned(),
        _ => "expected the name of a task: lower case letters, digits, '-' and '.'".to_owned(),
    })
}

/// What to write instead of a file that does not exist, as arguments of this command; empty if it may well be the name of a file.
pub fn instead_of_file(text: &str, command: &str) -> String {
    if text.contains("://") {
        return format!(": URLs are not read, use curl -L {text} | punctual {command} -f -");
    }
    if is_schedule(text) {
        return format!(": to see the slots of a schedule, use punctual preview --schedule '{text}'");
    }
    if !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || "*/,-?".contains(c)) && !text.starts_with(['/', '-']) {
        return ": a schedule is one argument, in quotes: punctual preview --schedule '30 2 * * *'".to_owned();
    }
    let (kind, name) = match text.split_once('/') {
        Some((kind @ ("cronjob" | "cronjobs" | "cj"), name)) => (kind, name),
        _ if command == "convert" => ("cronjob", bare_name(text)),
        _ => ("stask", bare_name(text)),
    };
    if !is_subdomain(name) || is_file(name) {
        return String::new();
    }
    format!(": for an object of the cluster, use kubectl get {kind} {name} -o yaml | punctual {command} -f -")
}

/// A hint for a command line that clap rejected.
pub fn hint(kind: ErrorKind, words: &[String]) -> Option<String> {
    let command = words.iter().skip(1).find(|word| {
        let word = word.as_str();
        BY_NAME.contains(&word) || OFFLINE.contains(&word)
    })?;
    let has = |flags: &[&str]| words.iter().any(|word| flags.contains(&word.as_str()));
    let is_unknown = kind == ErrorKind::UnknownArgument;
    let by_name = BY_NAME.contains(&command.as_str());
    if command == "preview"
        && kind == ErrorKind::ArgumentConflict
        && let Some(schedule) = words.iter().find(|word| is_schedule(word)).filter(|_| !has(&["--schedule"]))
    {
        return Some(format!(
            "a schedule is a flag, and the arguments are files: --schedule '{schedule}'"
        ));
    }
    if is_unknown && by_name && has(&["-f", "--filename"]) && command != "logs" {
        return Some("the arguments of this command are names of tasks, not files".to_owned());
    }
    if is_unknown && command == "backfill" {
        return Some("an interval is one argument, for example 2026-11-01/2026-11-08".to_owned());
    }
    let cluster = ["-n", "--namespace", "-A", "--all-namespaces", "--context", "--kubeconfig"];
    (is_unknown && !by_name && has(&cluster)).then(|| {
        let objects = if command == "convert" { "cronjobs" } else { "stask" };
        format!("this command reads manifests, and no cluster: kubectl get {objects} -n NAMESPACE -o yaml | punctual {command} -f -")
    })
}

/// Whether the text looks like a file with a manifest, or a path.
pub fn is_file(text: &str) -> bool {
    text == "-"
        || text.starts_with(['.', '/', '~'])
        || text.ends_with('/')
        || [".yaml", ".yml", ".json"].iter().any(|end| text.ends_with(end))
}

/// Whether the text looks like a schedule.
fn is_schedule(text: &str) -> bool {
    let fields: Vec<&str> = text.split_whitespace().collect();
    let is_field = |field: &&str| field.chars().all(|c| c.is_ascii_alphanumeric() || "*/,-?#()".contains(c));
    let has_values = |field: &&str| field.starts_with(|c: char| c.is_ascii_digit() || c == '*' || c == 'H');
    text.trim_start().starts_with('@')
        || (4..=7).contains(&fields.len()) && fields.iter().all(is_field) && fields.first().is_some_and(has_values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_name_is_told_by_what_it_looks_like() {
        for name in [
            "nightly",
            "a.b",
            "nightly.yaml",
            "stask/nightly",
            "scheduledtask.punctual.dev/nightly",
        ] {
            assert_eq!(task_name(name).as_deref(), Ok(name));
        }
        for (text, words) in [
            ("examples/nightly.yaml", "not a file: use its metadata.name"),
            ("./nightly", "not a file"),
            ("-", "not a file"),
            ("examples/", "not a file"),
            (
                "* * * * *",
                "not a schedule: to see its slots, use punctual preview --schedule '* * * * *'",
            ),
            ("@daily", "not a schedule"),
            ("cronjob/nightly", "not of another kind (cronjob)"),
            ("2026-11-01/2026-11-02", "not an interval: write the interval after the name"),
            ("Nightly", "lower case"),
            ("", "expected the name of a task"),
            ("a b", "expected the name of a task"),
        ] {
            let error = task_name(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn a_missing_file_may_be_a_schedule_or_an_object() {
        const SCHEDULE: &str = ": to see the slots of a schedule, use punctual preview --schedule";
        const QUOTES: &str = ": a schedule is one argument, in quotes:";
        for (text, command, start) in [
            ("* * * * *", "preview", SCHEDULE),
            ("30 2 * * MON-FRI", "check", SCHEDULE),
            ("30 2 * *", "preview", SCHEDULE),
            ("H H * * *", "preview", SCHEDULE),
            ("@every 5m", "convert", SCHEDULE),
            (
                "https://example.com/a.yaml",
                "check",
                ": URLs are not read, use curl -L https://example.com/a.yaml | punctual check -f -",
            ),
            ("30", "preview", QUOTES),
            ("*/5", "check", QUOTES),
            (
                "nightly",
                "preview",
                ": for an object of the cluster, use kubectl get stask nightly -o yaml | punctual preview -f -",
            ),
            (
                "stask/nightly",
                "check",
                ": for an object of the cluster, use kubectl get stask nightly -o yaml | punctual check -f -",
            ),
            (
                "nightly",
                "convert",
                ": for an object of the cluster, use kubectl get cronjob nightly -o yaml | punctual convert -f -",
            ),
            (
                "cronjob/nightly",
                "check",
                ": for an object of the cluster, use kubectl get cronjob nightly -o yaml | punctual check -f -",
            ),
        ] {
            let hint = instead_of_file(text, command);
            assert!(hint.starts_with(start), "{text}: {hint}");
        }
        for text in ["nightly.yaml", "examples/nightly.yaml", "./nightly", "/tmp/x", "two words", ""] {
            assert_eq!(instead_of_file(text, "preview"), "", "{text}");
        }
    }

    #[test]
    fn wrong_usage_has_a_hint_where_the_intention_is_clear() {
        let hint = |kind, words: &[&str]| {
            let words: Vec<String> = [&["punctual"], words].concat().iter().map(|word| (*word).to_owned()).collect();
            hint(kind, &words).unwrap_or_default()
        };
        let unknown = ErrorKind::UnknownArgument;
        for (kind, words, start) in [
            (
                ErrorKind::ArgumentConflict,
                &["preview", "--time-zone", "UTC", "0 3 * * *"][..],
                "a schedule is a flag",
            ),
            (unknown, &["run-now", "-f", "task.yaml"], "the arguments of this command are names"),
            (
                unknown,
                &["backfill", "nightly", "2026-11-01", "2026-11-02"],
                "an interval is one argument",
            ),
            (
                unknown,
                &["convert", "-n", "x", "nightly"],
                "this command reads manifests, and no cluster: kubectl get cronjobs",
            ),
            (
                unknown,
                &["preview", "--context", "x", "a.yaml"],
                "this command reads manifests, and no cluster: kubectl get stask",
            ),
        ] {
            assert!(hint(kind, words).starts_with(start), "{words:?}: {}", hint(kind, words));
        }
        assert_eq!(hint(unknown, &["list", "--nope"]), "");
        assert_eq!(
            hint(ErrorKind::ArgumentConflict, &["preview", "a.yaml", "--schedule", "@daily"]),
            ""
        );
    }
}
