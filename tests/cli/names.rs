//! The names of the binary: `punctual`, the kubectl plugin, and its completion.

use crate::process::{Output, linked, punctual, run};

const COMMANDS: [&str; 13] = [
    "controller",
    "preview",
    "check",
    "convert",
    "list",
    "history",
    "logs",
    "run-now",
    "suspend",
    "resume",
    "backfill",
    "crd",
    "completion",
];

#[test]
fn help_names_every_command_and_each_has_examples() {
    let help = punctual(&["--help"], "");
    for command in COMMANDS {
        assert!(help.out.contains(&format!("\n  {command} ")), "{}", help.out);
        let own = punctual(&[command, "--help"], "");
        assert_eq!(own.code, Some(0));
        assert!(own.out.contains(&format!("Usage: punctual {command}")), "{}", own.out);
        assert!(command == "crd" || own.out.contains(&format!("punctual {command} ")), "{}", own.out);
    }
}

#[test]
fn a_plugin_calls_itself_kubectl_punctual() {
    let dir = tempfile::tempdir().unwrap();
    let plugin = linked(dir.path(), "kubectl-punctual");
    for command in COMMANDS {
        let help = run(&plugin, &[command, "--help"], "").out;
        assert!(help.contains(&format!("Usage: kubectl punctual {command}")), "{help}");
        let examples = help.lines().filter(|line| line.starts_with("  ") && line.contains("punctual "));
        for line in examples.filter(|line| !line.trim().starts_with('#') && !line.contains("command -v") && !line.trim().starts_with('-')) {
            assert!(line.contains("kubectl punctual "), "{line}");
        }
    }
    let wrong = run(&plugin, &["check"], "");
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.err.contains("Usage: kubectl punctual check <FILE>..."), "{}", wrong.err);
    assert_eq!(
        run(
            &plugin,
            &["preview", "--schedule", "@daily", "--from", "2026-11-23T12:00:00Z", "--count", "1"],
            ""
        )
        .code,
        Some(0)
    );
}

#[test]
fn a_completion_script_is_for_the_name_in_use() {
    let dir = tempfile::tempdir().unwrap();
    let plugin = linked(dir.path(), "kubectl-punctual");
    for (shell, own, of_the_plugin) in [
        (
            "bash",
            "-F _clap_complete_punctual punctual\n",
            "-F _clap_complete_punctual kubectl-punctual\n",
        ),
        ("zsh", "#compdef punctual\n", "#compdef kubectl-punctual\n"),
        ("fish", "--command punctual ", "--command kubectl-punctual "),
        ("powershell", "-CommandName punctual ", "-CommandName kubectl-punctual "),
    ] {
        for (said, name) in [
            (punctual(&["completion", shell], ""), own),
            (run(&plugin, &["completion", shell], ""), of_the_plugin),
        ] {
            assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
            assert!(said.out.contains(name), "{shell}: {}", &said.out[..said.out.len().min(2000)]);
        }
    }
    assert_eq!(punctual(&["completion", "tcsh"], "").code, Some(2));
}

#[test]
fn bash_completes_with_the_script() {
    let script = punctual(&["completion", "bash"], "").out;
    let directory = std::path::Path::new(env!("CARGO_BIN_EXE_punctual")).parent().unwrap().display();
    let ask = "COMP_WORDS=(punctual run); COMP_CWORD=1; _clap_complete_punctual punctual run punctual; echo ${COMPREPLY[@]}";
    let said = run("bash".as_ref(), &["-c", &format!("PATH={directory}:$PATH\n{script}\n{ask}")], "");
    assert_eq!((said.code, said.out.as_str()), (Some(0), "run-now\n"), "{}", said.err);
}

#[test]
fn flags_of_the_cluster_may_stand_before_the_command() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("none").display().to_string();
    let after = punctual(&["list", "-n", "x", "--kubeconfig", &missing], "");
    assert!(after.err.starts_with("error: cannot read --kubeconfig "), "{}", after.err);
    assert_eq!(punctual(&["-n", "x", "--kubeconfig", &missing, "list"], ""), after);
    // The flag after the command wins.
    assert_eq!(punctual(&["--kubeconfig", "/other", "list", "--kubeconfig", &missing], ""), after);
    for args in [
        &["-n", "x", "crd"][..],
        &["-n", "x", "preview", "--schedule", "@daily"],
        &["-n", "x", "controller"],
    ] {
        let said = punctual(args, "");
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{args:?}");
        assert!(
            said.err.starts_with("error: this command has no flag '--namespace'"),
            "{}",
            said.err
        );
    }
}

#[test]
fn contexts_of_the_kubeconfig_are_candidates() {
    let dir = tempfile::tempdir().unwrap();
    let kubeconfig = dir.path().join("config");
    std::fs::write(
        &kubeconfig,
        "apiVersion: v1\nkind: Config\ncontexts: [{name: staging}, {name: production}]\n",
    )
    .unwrap();
    let completer = linked(dir.path(), "kubectl_complete-punctual");
    let said = run(
        &completer,
        &["list", "--kubeconfig", &kubeconfig.display().to_string(), "--context", "st"],
        "",
    );
    assert_eq!((said.out.as_str(), said.err.as_str()), ("staging\n:4\n", ""));
}

#[test]
fn kubectl_gets_candidates_and_a_directive() {
    let dir = tempfile::tempdir().unwrap();
    let completer = linked(dir.path(), "kubectl_complete-punctual");
    for (words, out) in [
        (&["run"][..], "run-now\tRun tasks now, in addition to their schedule\n:4\n"),
        (&["list", "-o", ""], "json\nyaml\nwide\nname\n:4\n"),
        (&["list", "--all"], "--all-namespaces\tList the tasks of all namespaces\n:4\n"),
        (&["check", "-f", "src/cli/con"], "src/cli/controller.rs\nsrc/cli/convert/\n:6\n"),
        (&["completion", "z"], "zsh\n:4\n"),
        (&["history", ""], ":4\n"),
    ] {
        assert_eq!(
            run(&completer, words, ""),
            Output {
                code: Some(0),
                out: out.into(),
                err: String::new()
            },
            "{words:?}"
        );
    }
}
