//! R: how many Jobs a second this API server takes, whoever creates them.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::{Value, json};

use crate::book::{Book, Subject, Unit};
use crate::ground::Ground;
use crate::load;
use crate::workload::Workload;

/// Numbers of connections, and of Jobs that are created with each.
#[derive(Clone, Debug)]
pub struct Ceiling(pub Vec<(usize, usize)>);

impl Ceiling {
    /// Whether all numbers of connections are measured, not only enough to know how fast tasks can be created.
    pub fn is_a_result(&self) -> bool {
        self.0.len() > 1
    }
}

/// R at the end of a session is measured once: with the most connections, and as many Jobs as a small herd starts.
const AT_END: (usize, usize) = (128, 1000);

/// POSTs a second by number of connections, into a new namespace.
pub async fn measure(ceiling: &Ceiling, ground: &Ground, namespace: &str) -> Result<BTreeMap<usize, f64>> {
    ground.namespace(namespace).await?;
    let mut rates = BTreeMap::new();
    for (connections, posts) in &ceiling.0 {
        let path = format!("/apis/batch/v1/namespaces/{namespace}/jobs");
        let jobs = jobs(namespace, *connections, *posts);
        let rate = load::posts_per_second(&ground.cluster.kubeconfig(), &path, jobs, *connections).await?;
        rates.insert(*connections, rate);
    }
    Ok(rates)
}

/// The Jobs that the herds' tasks make, without their owner.
fn jobs(namespace: &str, connections: usize, posts: usize) -> Vec<Value> {
    let spec = Workload::new(namespace, 0).job_spec();
    let job = |number| json!({"metadata": {"name": format!("r-{connections}-{number}")}, "spec": spec});
    (0..posts).map(job).collect()
}

/// The same when the cluster holds the tasks and the Jobs of a whole session.
pub async fn measure_at_end(ground: &Ground) -> Result<Option<f64>> {
    let rates = measure(&Ceiling(vec![AT_END]), ground, "ceiling-at-end").await?;
    Ok(rates.values().copied().next())
}

/// Writes the rates into the book.
pub fn record(rates: &BTreeMap<usize, f64>, full: Option<f64>, book: &mut Book) {
    const SECTION: &str = "R: bare POSTs of the Job";
    for (connections, rate) in rates {
        let plural = if *connections == 1 { "" } else { "s" };
        let label = format!("{connections} connection{plural}, Jobs a second");
        book.add(SECTION, &label, Unit::JobsPerSecond, Subject::Ceiling, *rate);
    }
    if let Some(rate) = full {
        let label = format!("{} connections, Jobs a second, at the end of the session", AT_END.0);
        book.add(SECTION, &label, Unit::JobsPerSecond, Subject::Ceiling, rate);
    }
}
