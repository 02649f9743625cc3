//! The examples that `--help` shows.
//!
//! Takes nothing, gives text. Lines that are to be typed begin with two blanks.

pub const CONTROLLER: &str = "Examples:
  # With the current context of your kubeconfig, or in a pod with its service account
  punctual controller

  # On another cluster, for one namespace, with logs for machines
  punctual controller --context staging --watch-namespaces reports --log-format json";

pub const PREVIEW: &str = "Examples:
  # The next ten runs of each task in a file
  punctual preview -f task.yaml

  # What a CronJob of the cluster would do around the change of clocks, as JSON
  kubectl get cronjob nightly -o yaml | punctual preview -f - --from 2027-03-27T00:00:00Z --count 3 -o json

  # An expression, without a manifest; H is hashed from the name
  punctual preview --schedule 'H 2 * * *' --time-zone Europe/Paris --name reports/nightly";

pub const CHECK: &str = "Examples:
  # What is wrong with the tasks of a file, and what is worth a thought
  punctual check -f tasks.yaml

  # Whatever kustomize makes; documents of other kinds are passed over
  kustomize build . | punctual check -f -

  # For a machine: name, errors, hints and next runs of each document
  punctual check -f tasks.yaml -o json";

pub const CONVERT: &str = "Examples:
  # A manifest in git, with a comment for each difference that matters
  punctual convert -f cronjob.yaml > task.yaml

  # Every CronJob of a namespace, without what the cluster wrote into them
  kubectl get cronjobs -o yaml | punctual convert

  # Straight into the cluster; documents of other kinds pass through
  kustomize build . | punctual convert | kubectl apply -f -";

pub const LIST: &str = "Examples:
  # Tasks of the current namespace
  punctual list

  # All of them, with their counters
  punctual list -A -o wide

  # Those that are not ready
  punctual list -A | grep NotReady";

pub const HISTORY: &str = "Examples:
  # The last runs, newest first
  punctual history nightly -n reports

  # For a machine
  punctual history nightly -o json | jq '.status.recentRuns'";

pub const RUN_NOW: &str = "Examples:
  # Ask for a run, under the task's own policies
  punctual run-now nightly

  # Wait until it has succeeded, or say why it did not
  punctual run-now nightly --wait --timeout 30m";

pub const RESUME: &str = "Examples:
  # After the cause is mended: slots start again, the failures are forgiven
  punctual resume nightly weekly";

pub const BACKFILL: &str = "Examples:
  # A week, by its dates in the task's zone; the last day is not included
  punctual backfill nightly 2026-11-01/2026-11-08

  # Six hours, by an instant and a duration
  punctual backfill hourly 2026-11-01T00:00:00Z/PT6H";

pub const COMPLETION: &str = "Examples:
  # For this shell
  source <(punctual completion bash)

  # For every zsh
  punctual completion zsh > \"${fpath[1]}/_punctual\"

  # As a plugin of kubectl, whose own completion asks a second name of the same file
  ln -s \"$(command -v punctual)\" /usr/local/bin/kubectl-punctual
  ln -s \"$(command -v punctual)\" /usr/local/bin/kubectl_complete-punctual";

/// The same for `kubectl punctual`.
pub fn of_the_plugin(text: &str) -> String {
    ["\n  ", "| ", "<("].iter().fold(text.to_owned(), |text, before| {
        text.replace(&format!("{before}punctual "), &format!("{before}kubectl punctual "))
    })
}
