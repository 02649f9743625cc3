//! CPU time and memory of processes, by /proc.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use jiff::Timestamp;

use crate::clock;

/// The kernel's unit of CPU time in /proc (USER_HZ): 100 a second on every architecture that Kubernetes runs on.
const TICKS_PER_SECOND: f64 = 100.0;
/// How often CPU time is read while a session runs.
const INTERVAL: Duration = Duration::from_millis(100);

/// User and system time of a process so far, in seconds.
pub fn cpu_seconds(pid: u32) -> Result<f64> {
    let path = format!("/proc/{pid}/stat");
    let stat = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    parse_stat(&stat).with_context(|| format!("{path} is not understood: {stat}"))
}

/// The process's name may hold blanks and parentheses, so fields are counted from its end.
fn parse_stat(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS_PER_SECOND)
}

/// Memory of a process, in MiB.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Memory {
    pub resident: f64,
    /// The largest so far.
    pub peak: f64,
}

/// Reads the memory of a process.
pub fn memory(pid: u32) -> Result<Memory> {
    let path = format!("/proc/{pid}/status");
    let status = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    parse_status(&status).with_context(|| format!("{path} is not understood"))
}

fn parse_status(status: &str) -> Option<Memory> {
    let field = |name: &str| -> Option<f64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        let kib: f64 = line.split_whitespace().next()?.parse().ok()?;
        Some(kib / 1024.0)
    };
    Some(Memory {
        resident: field("VmRSS:")?,
        peak: field("VmHWM:")?,
    })
}

/// CPU time of one process over a session: when, and how many seconds until then.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CpuSeries(Vec<(Timestamp, f64)>);

impl CpuSeries {
    /// CPU time from the last reading before `from` to the first one after `until`.
    pub fn between(&self, from: Timestamp, until: Timestamp) -> Option<f64> {
        let before = self.0.iter().rev().find(|(at, _)| *at <= from)?;
        let after = self.0.iter().find(|(at, _)| *at >= until)?;
        Some(after.1 - before.1)
    }

    /// Adds a reading.
    pub fn push(&mut self, at: Timestamp, seconds: f64) {
        self.0.push((at, seconds));
    }
}

/// Reads the CPU time of processes again and again, until it is dropped.
pub struct Sampler {
    series: Arc<Mutex<BTreeMap<u32, CpuSeries>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Sampler {
    /// Begins with these processes.
    pub fn start(pids: Vec<u32>) -> Sampler {
        let series: Arc<Mutex<BTreeMap<u32, CpuSeries>>> = Arc::default();
        let written = series.clone();
        let task = tokio::spawn(async move {
            let mut beat = tokio::time::interval(INTERVAL);
            loop {
                beat.tick().await;
                let mut all = written.lock().unwrap_or_else(PoisonError::into_inner);
                for pid in &pids {
                    if let Ok(seconds) = cpu_seconds(*pid) {
                        all.entry(*pid).or_default().push(clock::now(), seconds);
                    }
                }
            }
        });
        Sampler { series, task }
    }

    /// What was read of a process.
    pub fn series(&self, pid: u32) -> CpuSeries {
        let all = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&pid).cloned().unwrap_or_default()
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_blanks_does_not_shift_the_fields() {
        let stat = "42 (a (b) c) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 7 7 20 0 5 0 1000 1 1";
        assert_eq!(parse_stat(stat), Some(3.0));
        assert_eq!(parse_stat("42"), None);
    }

    #[test]
    fn memory_is_read_in_mebibytes() {
        let status = "Name:\tx\nVmHWM:\t  204800 kB\nVmRSS:\t  131072 kB\n";
        let expected = Memory {
            resident: 128.0,
            peak: 200.0,
        };
        assert_eq!(parse_status(status), Some(expected));
        assert_eq!(parse_status("VmRSS:\t1 kB\n"), None);
    }

    #[test]
    fn this_process_can_be_read() {
        let pid = std::process::id();
        assert!(cpu_seconds(pid).unwrap() >= 0.0);
        assert!(memory(pid).unwrap().resident > 0.5);
    }

    #[test]
    fn time_between_two_moments_is_a_difference() {
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let mut series = CpuSeries::default();
        for second in 0..10 {
            series.push(at(second), second as f64 / 2.0);
        }
        assert_eq!(series.between(at(2), at(6)), Some(2.0));
        assert_eq!(series.between(at(2), at(60)), None);
    }
}
