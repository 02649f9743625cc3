//! Every command in documents, examples and `--help` fits its program: no cluster is needed.
//!
//! `punctual` parses its arguments, `helm` renders the chart with the same values, and files, make targets and tests that a command names
//! exist. tests/it/readme.rs runs the commands of README on a cluster.

use super::{files, read, root};
use crate::process::{punctual, run};
use crate::{helm, shell};
use std::collections::BTreeMap;

/// Documents with commands.
fn pages() -> Vec<std::path::PathBuf> {
    files(&["", "docs", "docs/decisions", "charts/punctual"], "md")
}

/// The command lines of fenced blocks, indented or not.
fn blocks(page: &str) -> Vec<String> {
    let mut lines = String::new();
    let mut inside = false;
    for line in page.lines() {
        match line.trim().strip_prefix("```") {
            Some(language) => inside = !inside && ["sh", "bash", "console"].contains(&language),
            None if inside => lines.extend([line.trim_start().trim_start_matches("$ "), "\n"]),
            None => {}
        }
    }
    shell::lines(&lines)
}

/// Commands in running text: code between backticks, unless it has placeholders.
fn spans(page: &str) -> Vec<String> {
    let lines = page.lines().filter(|line| !line.trim_start().starts_with("```"));
    let spans = lines.flat_map(|line| line.split('`').skip(1).step_by(2));
    let whole = spans.filter(|span| !span.contains(['…', '<', '[']) && !span.contains("..."));
    whole.map(str::to_owned).collect()
}

/// The examples of `--help` of each command.
fn examples_of_help() -> Vec<String> {
    let help = punctual(&["--help"], "").out;
    let names = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty());
    let names: Vec<&str> = names
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert!(names.len() > 10, "{names:?}");
    let mut commands = Vec::new();
    for name in names {
        let text = punctual(&[name, "--help"], "").out;
        let examples = text.split("Examples:\n").nth(1).unwrap_or_default();
        commands.extend(
            examples
                .lines()
                .map(|line| line.trim().to_owned())
                .filter(|line| line.contains("punctual ")),
        );
    }
    commands
}

/// What is wrong with a command; `whole` unless it may lack arguments, as in running text.
fn problem(words: &[String], whole: bool) -> Option<String> {
    let rest: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
    match (words.first()?.as_str(), rest.as_slice()) {
        ("punctual", args) => {
            let output = punctual(args, "");
            let lacks = output.err.contains("arguments were not provided") || output.err.contains("a value is required");
            (output.code == Some(2) && (whole || !(lacks || args.is_empty()))).then_some(output.err)
        }
        ("kubectl", ["punctual", args @ ..]) => problem(
            &[&["punctual"], args]
                .concat()
                .iter()
                .map(|word| (*word).to_owned())
                .collect::<Vec<_>>(),
            whole,
        ),
        ("kubectl", args) => missing_file(args),
        ("helm", ["install" | "upgrade" | "template", _, chart, flags @ ..]) if chart.starts_with("charts/") => {
            let unrelated = ["--create-namespace", "--reuse-values", "--install", "--wait"];
            let flags = flags.iter().filter(|flag| !unrelated.contains(flag));
            let args = ["template", "punctual"].into_iter().chain([*chart]).chain(flags.copied());
            helm::helm(args).err().or_else(|| missing_file(&rest))
        }
        ("make", args) => {
            let makefile = read(&root().join("Makefile"));
            let unknown = args.iter().find(|word| match word.split_once('=') {
                Some((variable, _)) => !makefile.contains(variable),
                None => !makefile.contains(&format!("\n{word}:")),
            });
            unknown.map(|word| format!("Makefile has no {word}"))
        }
        ("docker", args) => {
            let dockerfile = read(&root().join("Dockerfile"));
            let names = args.iter().filter_map(|word| word.split_once('=')).map(|(name, _)| name);
            let mut unknown = names.filter(|name| !dockerfile.contains(&format!("ARG {name}")));
            unknown.next().map(|name| format!("Dockerfile has no ARG {name}"))
        }
        ("cargo", args) => {
            let tests = args
                .windows(2)
                .filter_map(|pair| if pair[0] == "--test" { Some(pair[1]) } else { None });
            let folder = root().join("tests");
            let mut unknown =
                tests.filter(|name| !folder.join(format!("{name}.rs")).exists() && !folder.join(name).join("main.rs").exists());
            unknown.next().map(|name| format!("no test {name}"))
        }
        _ => None,
    }
}

/// A file of the repository that `-f` names and that does not exist.
fn missing_file(args: &[&str]) -> Option<String> {
    let named = args
        .windows(2)
        .filter(|pair| ["-f", "-k", "--filename", "--values"].contains(&pair[0]))
        .map(|pair| pair[1]);
    let mut missing = named.filter(|name| *name != "-" && !name.contains("://") && name.contains('/') && !root().join(name).exists());
    missing.next().map(|name| format!("no file {name}"))
}

#[test]
fn commands_of_documents_and_examples_fit_their_programs() {
    let mut commands: Vec<(String, String, bool)> = Vec::new();
    for page in pages() {
        let (name, text) = (page.display().to_string(), read(&page));
        commands.extend(blocks(&text).into_iter().map(|line| (name.clone(), line, true)));
        commands.extend(spans(&text).into_iter().map(|line| (name.clone(), line, false)));
    }
    for page in files(&["examples"], "yaml") {
        let text = read(&page);
        let comments = text.lines().filter_map(|line| line.trim_start().strip_prefix('#')).map(str::trim);
        commands.extend(comments.map(|line| (page.display().to_string(), line.to_owned(), false)));
    }
    commands.extend(examples_of_help().into_iter().map(|line| ("--help".to_owned(), line, true)));
    let mut checked: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (place, line, whole) in &commands {
        for words in shell::commands(line) {
            *checked.entry(words[0].clone()).or_default() += 1;
            if let Some(problem) = problem(&words, *whole) {
                wrong.push(format!("{place}: {line}: {problem}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (program, least) in [("punctual", 50), ("kubectl", 40), ("helm", 10), ("make", 20)] {
        assert!(checked.get(program).copied().unwrap_or_default() >= least, "{program}: {checked:?}");
    }
}

/// The test finds what is wrong.
#[test]
fn a_command_that_does_not_fit_is_found() {
    for line in [
        "punctual lst",
        "punctual preview --form 2027-03-26 examples/nightly.yaml",
        "kubectl punctual history",
        "kubectl apply -f examples/nothing.yaml",
        "helm install punctual charts/punctual --set watchNamespace=x",
        "make demoo",
        "make demo KUBECONTXT=x",
        "docker build --build-arg VERSIN=1 .",
        "cargo test --test nothing",
        "helm template x charts/punctual \\\n  --set nothing.here=1",
    ] {
        let lines = shell::lines(line);
        let problems = lines
            .iter()
            .flat_map(|line| shell::commands(line))
            .filter_map(|words| problem(&words, true));
        assert_eq!(problems.count(), 1, "{line}");
    }
    // The commands are run by a shell elsewhere: the same words.
    let words = shell::commands("punctual x --a='b c' \"d e\" # f").remove(0);
    let echoed = run("sh".as_ref(), &["-c", "printf '%s\\n' punctual x --a='b c' \"d e\" # f"], "").out;
    assert_eq!(words, echoed.lines().collect::<Vec<_>>());
}
