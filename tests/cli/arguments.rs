//! Schedules, files and tasks in the place of one another: the error names what to write.

use crate::process::punctual;

#[test]
fn an_argument_in_the_wrong_place_names_the_way_out() {
    const SCHEDULE: &str = "use punctual preview --schedule '* * * * *'";
    for (args, code, words) in [
        (&["preview", "* * * * *"][..], 1, SCHEDULE),
        (&["preview", "-f", "* * * * *"], 1, SCHEDULE),
        (&["check", "* * * * *"], 1, SCHEDULE),
        (&["convert", "* * * * *"], 1, SCHEDULE),
        (
            &["preview", "--time-zone", "UTC", "* * * * *"],
            2,
            "hint: a schedule is a flag, and the arguments are files: --schedule '* * * * *'",
        ),
        (&["preview", "30", "2", "*", "*", "*"], 1, "a schedule is one argument, in quotes"),
        (
            &["preview", "nightly"],
            1,
            "use kubectl get stask nightly -o yaml | punctual preview -f -",
        ),
        (
            &["check", "nightly"],
            1,
            "use kubectl get stask nightly -o yaml | punctual check -f -",
        ),
        (
            &["convert", "nightly"],
            1,
            "use kubectl get cronjob nightly -o yaml | punctual convert -f -",
        ),
        (&["preview", "missing.yaml"], 1, "error: cannot read missing.yaml: no such file\n"),
        (&["check", "missing.yaml"], 1, "error: missing.yaml: no such file\n"),
        (
            &["preview", "--schedule", "examples/nightly.yaml"],
            1,
            "for a file, leave --schedule out",
        ),
        (&["run-now", "examples/nightly.yaml"], 2, "not a file: use its metadata.name"),
        (&["history", "examples/nightly.yaml"], 2, "not a file: use its metadata.name"),
        (&["logs", "./nightly.yaml"], 2, "not a file: use its metadata.name"),
        (&["suspend", "examples/"], 2, "not a file: use its metadata.name"),
        (&["resume", "-"], 2, "not a file: use its metadata.name"),
        (&["list", "cronjob/nightly"], 2, "not of another kind (cronjob)"),
        (&["run-now", "* * * * *"], 2, SCHEDULE),
        (
            &["run-now", "-f", "task.yaml"],
            2,
            "hint: the arguments of this command are names of tasks, not files",
        ),
        (
            &["backfill", "2026-11-01/2026-11-02", "nightly"],
            2,
            "write the interval after the name",
        ),
        (
            &["backfill", "nightly", "2026-11-01", "2026-11-02"],
            2,
            "hint: an interval is one argument",
        ),
        (
            &["convert", "-n", "team", "nightly"],
            2,
            "hint: this command reads manifests, and no cluster",
        ),
    ] {
        let said = punctual(args, "");
        let text = said.out.clone() + &said.err;
        assert!(said.code == Some(code) && text.contains(words), "{args:?}: {said:?}");
    }
}
