//! The examples in `--help`. Lines to type begin with two spaces.

pub const CONTROLLER: &str = "Examples:
  # With the current context of the kubeconfig, or in a pod with its service account
  punctual controller

  # On another cluster, for one namespace, with JSON logs
  punctual controller --context staging --watch-namespaces reports --log-format json";

pub const PREVIEW: &str = "Examples:
  # The next ten runs of each task in a file
  punctual preview task.yaml

  # From a day on, in the task's time zone
  punctual preview task.yaml --from 2027-03-26

  # The slots of a CronJob when clocks change, as JSON
  kubectl get cronjob nightly -o yaml | punctual preview -f - --from 2027-03-27T00:00:00Z --count 3 -o json

  # A schedule without a manifest; H is hashed from the name
  punctual preview --schedule 'H 2 * * *' --time-zone Europe/Paris --name reports/nightly";

pub const CHECK: &str = "Examples:
  # Errors and warnings for the tasks in a file, or in each file of a directory
  punctual check tasks.yaml
  punctual check examples/

  # What only the cluster knows, too: dry runs of the task and its Job, with your rights
  punctual check tasks.yaml --server

  # The output of kustomize; documents of other kinds are ignored
  kustomize build . | punctual check -

  # Name, errors, warnings and next runs of each document, as JSON
  punctual check tasks.yaml -o json";

pub const CONVERT: &str = "Examples:
  # A manifest in git; comments name the differences that matter
  punctual convert cronjob.yaml > task.yaml

  # All CronJobs of a namespace, without the fields that the API server sets
  kubectl get cronjobs -o yaml | punctual convert

  # Directly into the cluster; documents of other kinds pass through
  kustomize build . | punctual convert | kubectl apply -f -";

pub const LIST: &str = "Examples:
  # Tasks of the current namespace
  punctual list

  # Tasks of all namespaces, with their counters
  punctual list -A -o wide

  # Some tasks, and each change of them
  punctual list nightly weekly -w

  # Tasks that are not ready
  punctual list -A | grep NotReady";

pub const HISTORY: &str = "Examples:
  # The last runs, newest first
  punctual history nightly -n reports

  # The runs as JSON
  punctual history nightly -o json | jq '.status.recentRuns'";

pub const LOGS: &str = "Examples:
  # The newest run
  punctual logs nightly

  # A run of the history, by its slot or by a Job
  punctual logs nightly --run 2026-11-23T01:30:00Z
  punctual logs nightly --run nightly-1763861400

  # Request a run and follow it
  punctual run-now nightly && punctual logs nightly -f";

pub const RUN_NOW: &str = "Examples:
  # Request a run, under the policies of the task
  punctual run-now nightly

  # Wait until the run has finished
  punctual run-now nightly --wait --timeout 30m";

pub const SUSPEND: &str = "Examples:
  # No slot starts; active runs continue, and runs that are requested start
  punctual suspend nightly weekly

  # The end of it; slots in the meantime are counted as skipped
  punctual resume nightly weekly --spec";

pub const RESUME: &str = "Examples:
  # After the cause is fixed: slots start again, and earlier failures no longer count
  punctual resume nightly weekly

  # Also where spec.suspend is true
  punctual resume nightly --spec

  # Slots that were skipped meanwhile are not run, except on request
  punctual backfill nightly 2026-11-01/2026-11-08";

pub const BACKFILL: &str = "Examples:
  # A week, by dates in the task's zone; the last day is not included
  punctual backfill nightly 2026-11-01/2026-11-08

  # Six hours, by a time and a duration
  punctual backfill hourly 2026-11-01T00:00:00Z/PT6H";

pub const NOTIFY: &str = "Examples:
  # In the operator's pod, with its configuration and its Secrets
  kubectl exec --namespace punctual-system deploy/punctual -- punctual notify test --sink chat

  # Here, before the file goes into the cluster
  punctual notify test --sink chat --config notifications.yaml";

pub const COMPLETION: &str = "Examples:
  # For this shell
  source <(punctual completion bash)

  # For every zsh
  punctual completion zsh > \"${fpath[1]}/_punctual\"

  # As a kubectl plugin: kubectl calls a second name of the same file for completion
  ln -s \"$(command -v punctual)\" /usr/local/bin/kubectl-punctual
  ln -s \"$(command -v punctual)\" /usr/local/bin/kubectl_complete-punctual";

/// The examples for `kubectl punctual`.
pub fn for_plugin(text: &str) -> String {
    ["\n  ", "| ", "<("].iter().fold(text.to_owned(), |text, before| {
        text.replace(&format!("{before}punctual "), &format!("{before}kubectl punctual "))
    })
}
