//! Files as people have them: other encodings, other tools' formats, kinds that are nearly right. Each is read, or the error names the fix.

use crate::process::{TEMPLATE, punctual, task};

fn check(name: &str, bytes: &[u8]) -> (Option<i32>, String) {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join(name);
    std::fs::write(&file, bytes).expect("written");
    let said = punctual(&["check", &file.display().to_string()], "");
    (said.code, said.out)
}

#[test]
fn a_wrong_file_names_the_way_out() {
    let good = task("a", &format!("{{schedule: 17 3 * * *, {TEMPLATE}}}"));
    let with = |from: &str, to: &str| good.replace(from, to).into_bytes();
    for (bytes, words) in [
        (
            with("kind:", "Kind:"),
            "kind is missing: expected ScheduledTask or CronJob (the field \"Kind\" is written \"kind\")",
        ),
        (
            with("apiVersion:", "apiversion:"),
            "(the field \"apiversion\" is written \"apiVersion\")",
        ),
        (
            with("ScheduledTask", "scheduledtask"),
            "no matches for kind \"scheduledtask\" in version \"punctual.dev/v1alpha1\": expected ScheduledTask in",
        ),
        (with("ScheduledTask", "ScheduleTask"), "no matches for kind \"ScheduleTask\""),
        (
            with("ScheduledTask", "CronJob"),
            "expected ScheduledTask in punctual.dev/v1alpha1, or CronJob in batch/v1",
        ),
        (
            with("punctual.dev/v1alpha1", "punctual.dev/v1"),
            "expected ScheduledTask in punctual.dev/v1alpha1",
        ),
        (
            with("schedule: 17", "startAt: 2027-01-01, schedule: 17"),
            "must be of type date-time: \"2027-01-01\": use RFC 3339",
        ),
        (
            with("schedule: 17", "timeZone: GMT+2, schedule: 17"),
            "Etc/GMT-2 (its sign is inverted)",
        ),
        (
            b"a:\n\tb: 1\n".to_vec(),
            "the line begins with a tab, and YAML is indented with spaces",
        ),
        (b"{{- if .Values.on }}\na: 1\n{{- end }}\n".to_vec(), "a template is rendered first"),
        (
            b"apiVersion: v1\nkind: List\nitems: []\n".to_vec(),
            "contains no object: its List is empty",
        ),
        (b"---\n---\n# nothing\n".to_vec(), "contains no document"),
        (
            b"\x1f\x8b\x08\x00".to_vec(),
            "neither UTF-8 nor UTF-16 with a byte order mark: is it text?",
        ),
    ] {
        let (code, out) = check("task.yaml", &bytes);
        assert!(code == Some(1) && out.contains(words), "{words}: {out}");
    }
}

#[test]
fn each_unknown_field_of_a_cron_job_is_one_error() {
    let stream = "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: a}\nspec: {schedule: 17 3 * * *, timezone: UTC, runTimeout: 1h, jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: m, image: x}]}}}}}\n";
    for command in [&["check", "-"][..], &["convert"], &["preview", "-"]] {
        let said = punctual(command, stream);
        let text = said.out + &said.err;
        let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("error: ")).collect();
        let count = lines.join("\n").matches("unknown field").count();
        assert!(said.code == Some(1) && count == 2, "{command:?}: {lines:#?}");
        assert!(
            text.contains("unknown field \"spec.timezone\" (did you mean \"timeZone\"?)"),
            "{text}"
        );
        assert!(text.contains("unknown field \"spec.runTimeout\""), "{text}");
    }
}

/// As kubectl: PowerShell's `>` writes UTF-16 with a byte order mark.
#[test]
fn utf_16_and_crlf_are_read() {
    let good = task("a", &format!("{{schedule: 17 3 * * *, {TEMPLATE}}}")).replace('\n', "\r\n");
    let units = || std::iter::once(0xfeff_u16).chain(good.encode_utf16());
    for bytes in [
        units().flat_map(u16::to_le_bytes).collect(),
        units().flat_map(u16::to_be_bytes).collect(),
        good.clone().into_bytes(),
    ] {
        let (code, out) = check("task.yaml", &bytes);
        assert!(code == Some(0) && out.contains("task.yaml, document 1 (a): next run "), "{out}");
    }
}
