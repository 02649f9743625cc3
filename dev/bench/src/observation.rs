//! What a session shows from outside: the requests that the API server saw, and the CPU time of the schedulers.

use std::collections::BTreeMap;

use crate::audit::Request;
use crate::peer::Peer;
use crate::usage::CpuSeries;

/// What was seen from outside.
pub struct Observation {
    /// All requests of both schedulers since the first minute began, without watches.
    pub requests: Vec<Request>,
    /// CPU time of the scheduler's process.
    pub cpu: BTreeMap<Peer, CpuSeries>,
    /// R of this session, at 1, 16 and 128 connections.
    pub ceiling: BTreeMap<usize, f64>,
    /// R at the end of the session, beside all its tasks and their Jobs.
    pub full_ceiling: Option<f64>,
}

impl Observation {
    /// The best of R.
    pub fn best_ceiling(&self) -> Option<f64> {
        self.ceiling.values().copied().reduce(f64::max)
    }

    /// The starts of a scheduler in a namespace.
    pub fn starts<'a>(&'a self, peer: Peer, namespace: &'a str) -> impl Iterator<Item = &'a Request> {
        let of_namespace = self.requests.iter().filter(move |request| request.namespace == namespace);
        of_namespace.filter(move |request| request.is_start() && peer.sent(request))
    }
}
