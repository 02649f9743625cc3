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

const NAMESPACE: &str = "ceiling";

/// POSTs a second by number of connections.
pub async fn measure(ceiling: &Ceiling, ground: &Ground) -> Result<BTreeMap<usize, f64>> {
    ground.namespace(NAMESPACE).await?;
    let mut rates = BTreeMap::new();
    for (connections, posts) in &ceiling.0 {
        let path = format!("/apis/batch/v1/namespaces/{NAMESPACE}/jobs");
        let jobs = jobs(*connections, *posts);
        let rate = load::posts_per_second(&ground.cluster.kubeconfig(), &path, jobs, *connections).await?;
        rates.insert(*connections, rate);
    }
    Ok(rates)
}

/// The Jobs that the herds' tasks make, without their owner.
fn jobs(connections: usize, posts: usize) -> Vec<Value> {
    let spec = Workload::new(NAMESPACE, 0).job_spec();
    let job = |number| json!({"metadata": {"name": format!("r-{connections}-{number}")}, "spec": spec});
    (0..posts).map(job).collect()
}

/// Writes the rates into the book.
pub fn record(rates: &BTreeMap<usize, f64>, book: &mut Book) {
    for (connections, rate) in rates {
        let plural = if *connections == 1 { "" } else { "s" };
        let label = format!("{connections} connection{plural}, Jobs a second");
        book.add("R: bare POSTs of the Job", &label, Unit::JobsPerSecond, Subject::Ceiling, *rate);
    }
}
