//! docs/metrics.md has a row for every metric of the code, with its type and labels, and for no other.

use super::{read, root};
use punctual::metrics::{FAMILIES, Metrics};
use std::collections::{BTreeMap, BTreeSet};

/// Name, and type and labels.
type Rows = BTreeMap<String, (String, BTreeSet<String>)>;

fn words(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The rows of the page's tables.
fn documented() -> Rows {
    let page = read(&root().join("docs/metrics.md"));
    let rows = page.lines().filter(|line| line.starts_with("| `punctual_"));
    let parsed = rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        assert!(cells.len() == 4 && !cells[3].is_empty(), "{row}");
        (cells[0].trim_matches('`').to_owned(), (cells[1].to_owned(), words(cells[2])))
    });
    parsed.collect()
}

/// The operator's metrics, each with a sample.
fn of_operator() -> Rows {
    let metrics = Metrics::new();
    metrics.slots.with_label_values(&["", ""]).inc();
    for counters in [
        &metrics.reconcile_errors,
        &metrics.requests,
        &metrics.watch_errors,
        &metrics.quarantined,
    ] {
        counters.with_label_values(&[""]).inc();
    }
    metrics.watches_forbidden.with_label_values(&[""]).inc();
    metrics.notifications.with_label_values(&["", ""]).inc();
    metrics.notification_failures.with_label_values(&[""]).inc();
    metrics.notification_tasks_waiting.with_label_values(&[""]).inc();
    let text = metrics.render(0, 0, 0);
    let mut rows = Rows::new();
    for line in text.lines() {
        if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            rows.insert(name.to_owned(), (kind.to_owned(), BTreeSet::new()));
        } else if let Some((name, rest)) = line.split_once('{')
            // Every line of a histogram has a name of its own; this one has the labels of the metric.
            && let Some((_, labels)) = rows.get_mut(name.trim_end_matches("_count"))
        {
            let (values, _) = rest.split_once('}').expect("the end of the labels");
            labels.extend(values.split(',').filter_map(|label| Some(label.split_once('=')?.0.to_owned())));
        }
    }
    rows
}

fn of_tasks() -> Rows {
    let row = |family: &punctual::metrics::Family| {
        let labels = family.labels.iter().map(|label| (*label).to_owned()).collect();
        (family.name.to_owned(), (family.kind.to_owned(), labels))
    };
    FAMILIES.iter().map(row).collect()
}

#[test]
fn every_metric_is_documented_with_its_type_and_labels() {
    let mut known = of_operator();
    let source = read(&root().join("src/metrics.rs"));
    let named = source.split('"').skip(1).step_by(2).filter(|word| word.starts_with("punctual_"));
    for name in named {
        assert!(known.contains_key(name), "{name} has no sample in this test: add it");
    }
    known.extend(of_tasks());
    assert_eq!(documented(), known);
}
