//! client-go's rules of leader election on a Lease, as pure functions.
//!
//! ```text
//!   the lease changes ─► a leader is alive      unchanged for leaseDuration, or released ─► it may be acquired
//! ```
//! The input is the Lease as it was read and instants of the monotonic clock; the output is the Lease to write. The times in the
//! Lease are informational: clocks differ, so a candidate measures the time since it *observed* the last change. Sends no request.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::Resource as _;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::ObjectMeta;
use std::time::{Duration, Instant};

/// API version and kind of a Lease, for events.
pub const LEASE: (&str, &str) = (Lease::API_VERSION, Lease::KIND);

/// Settings of the leader election, with client-go's names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaderElectionConfig {
    /// Identity of this process: the pod's name.
    pub identity: String,
    /// Name of the Lease.
    pub name: String,
    /// Namespace of the Lease.
    pub namespace: String,
    /// A candidate may acquire a lease that has not changed for this long.
    pub lease_duration: Duration,
    /// A leader that failed to renew for this long stops writing. Shorter than `lease_duration`.
    pub renew_deadline: Duration,
    /// Pause between two attempts.
    pub retry_period: Duration,
}

impl LeaderElectionConfig {
    /// From the last moment in which a leader writes to the first in which another may lead.
    pub fn margin(&self) -> Duration {
        self.lease_duration.saturating_sub(self.renew_deadline)
    }

    /// Checks the three durations against each other.
    ///
    /// # Errors
    /// Which duration is wrong, and why.
    pub fn check(&self) -> Result<(), String> {
        if self.lease_duration <= self.renew_deadline {
            return Err(format!(
                "the lease duration ({:?}) must be longer than the renew deadline ({:?}): otherwise two replicas may lead at once",
                self.lease_duration, self.renew_deadline
            ));
        }
        if self.renew_deadline <= self.retry_period + self.retry_period / 5 {
            return Err(format!(
                "the renew deadline ({:?}) must be longer than 1.2 times the retry period ({:?}): otherwise it expires before the second attempt",
                self.renew_deadline, self.retry_period
            ));
        }
        if self.retry_period.is_zero() {
            return Err("the retry period must be longer than zero".into());
        }
        Ok(())
    }
}

/// The Lease as a candidate last observed it.
#[derive(Clone, Debug)]
pub struct ObservedLease {
    lease: Option<Lease>,
    /// The holder when the Lease was deleted: that process may not know about the deletion yet.
    last_holder: Option<String>,
    changed_at: Instant,
}

impl ObservedLease {
    /// No Lease was observed yet.
    pub fn none(now: Instant) -> Self {
        Self {
            lease: None,
            last_holder: None,
            changed_at: now,
        }
    }

    /// Records the Lease as it was read or written at `now`.
    pub fn observe(&mut self, lease: Lease, now: Instant) {
        let version = |lease: &Lease| lease.metadata.resource_version.clone();
        if self.lease.as_ref().is_none_or(|known| version(known) != version(&lease)) {
            self.changed_at = now;
        }
        self.lease = Some(lease);
        self.last_holder = None;
    }

    /// Records that there is no Lease at `now`.
    pub fn observe_missing(&mut self, now: Instant) {
        let holder = self.holder().map(str::to_owned);
        if self.lease.take().is_some() {
            self.changed_at = now;
            self.last_holder = holder;
        }
    }

    /// The current holder, or the last one if the Lease was deleted.
    pub fn holder(&self) -> Option<&str> {
        let Some(lease) = &self.lease else {
            return self.last_holder.as_deref();
        };
        let holder = lease.spec.as_ref()?.holder_identity.as_deref();
        holder.filter(|holder| !holder.is_empty())
    }

    /// Whether a Lease was observed.
    pub fn is_known(&self) -> bool {
        self.lease.is_some()
    }

    /// Whether this process may write itself as the holder.
    pub fn may_acquire(&self, config: &LeaderElectionConfig, now: Instant) -> bool {
        match self.holder() {
            None => true,
            Some(holder) => holder == config.identity || now.duration_since(self.changed_at) >= config.lease_duration,
        }
    }

    /// The Lease that acquires or renews leadership. `now` is informational.
    pub fn acquired(&self, config: &LeaderElectionConfig, now: Timestamp) -> Lease {
        let known = self.lease.as_ref().and_then(|lease| lease.spec.clone()).unwrap_or_default();
        let mine = known.holder_identity.as_deref() == Some(&config.identity);
        let transitions = known.lease_transitions.unwrap_or(0) + i32::from(!mine && self.lease.is_some());
        self.with(
            config,
            LeaseSpec {
                holder_identity: Some(config.identity.clone()),
                lease_duration_seconds: i32::try_from(whole_seconds(config.lease_duration).as_secs()).ok(),
                acquire_time: if mine { known.acquire_time.clone() } else { Some(MicroTime(now)) },
                renew_time: Some(MicroTime(now)),
                lease_transitions: Some(transitions),
                ..known
            },
        )
    }

    /// The Lease that releases leadership: any candidate may acquire it at once.
    pub fn released(&self, config: &LeaderElectionConfig, now: Timestamp) -> Lease {
        let known = self.lease.as_ref().and_then(|lease| lease.spec.clone()).unwrap_or_default();
        self.with(
            config,
            LeaseSpec {
                holder_identity: Some(String::new()),
                lease_duration_seconds: Some(1),
                acquire_time: Some(MicroTime(now)),
                renew_time: Some(MicroTime(now)),
                ..known
            },
        )
    }

    fn with(&self, config: &LeaderElectionConfig, spec: LeaseSpec) -> Lease {
        let metadata = self.lease.as_ref().map_or_else(ObjectMeta::default, |lease| lease.metadata.clone());
        Lease {
            metadata: ObjectMeta {
                name: Some(config.name.clone()),
                namespace: Some(config.namespace.clone()),
                managed_fields: None,
                ..metadata
            },
            spec: Some(spec),
        }
    }
}

/// `leaseDurationSeconds` is a whole number, at least one.
fn whole_seconds(duration: Duration) -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(duration.as_millis().div_ceil(1000)).unwrap_or(i64::MAX).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(identity: &str) -> LeaderElectionConfig {
        LeaderElectionConfig {
            identity: identity.into(),
            name: "punctual".into(),
            namespace: "punctual-system".into(),
            lease_duration: Duration::from_secs(15),
            renew_deadline: Duration::from_secs(10),
            retry_period: Duration::from_secs(2),
        }
    }

    fn at(version: &str, lease: Lease) -> Lease {
        let metadata = ObjectMeta {
            resource_version: Some(version.into()),
            ..lease.metadata
        };
        Lease { metadata, ..lease }
    }

    #[test]
    fn a_lease_is_acquired_only_after_it_expired_or_was_released() {
        let (a, b) = (config("a"), config("b"));
        let start = Instant::now();
        let second = |n: u64| start + Duration::from_secs(n);
        let mut observed = ObservedLease::none(start);
        assert!(observed.may_acquire(&b, start), "there is no lease");
        // The holder's clock is years off, which has no effect.
        let held = at("1", ObservedLease::none(start).acquired(&a, Timestamp::UNIX_EPOCH));
        observed.observe(held.clone(), second(1));
        assert_eq!(observed.holder(), Some("a"));
        assert!(!observed.may_acquire(&b, second(15)) && observed.may_acquire(&b, second(16)) && observed.may_acquire(&a, second(2)));
        observed.observe(held.clone(), second(10));
        assert!(observed.may_acquire(&b, second(16)), "read again without a change");
        observed.observe(at("2", held), second(14));
        assert!(!observed.may_acquire(&b, second(28)), "it was renewed");
        let released = at("3", observed.released(&a, Timestamp::UNIX_EPOCH));
        observed.observe(released, second(20));
        assert!(observed.may_acquire(&b, second(20)) && observed.holder().is_none());
    }

    #[test]
    fn others_recreate_a_deleted_lease_only_after_its_duration() {
        let start = Instant::now();
        let second = |n: u64| start + Duration::from_secs(n);
        let mut observed = ObservedLease::none(start);
        observed.observe_missing(start);
        assert!(observed.may_acquire(&config("b"), start), "there never was one");
        observed.observe(
            at("1", ObservedLease::none(start).acquired(&config("a"), Timestamp::UNIX_EPOCH)),
            start,
        );
        observed.observe_missing(second(3));
        observed.observe_missing(second(9));
        assert!(observed.may_acquire(&config("a"), second(3)));
        assert!(!observed.may_acquire(&config("b"), second(17)) && observed.may_acquire(&config("b"), second(18)));
        observed.observe(
            at("2", ObservedLease::none(start).released(&config("a"), Timestamp::UNIX_EPOCH)),
            second(4),
        );
        observed.observe_missing(second(5));
        assert!(
            observed.may_acquire(&config("b"), second(5)),
            "it was released before it was deleted"
        );
    }

    #[test]
    fn only_a_change_of_holder_counts_as_a_transition() {
        let now = Timestamp::UNIX_EPOCH;
        let mut observed = ObservedLease::none(Instant::now());
        let transitions = |lease: &Lease| lease.spec.as_ref().unwrap().lease_transitions;
        let first = observed.acquired(&config("a"), now);
        assert_eq!(transitions(&first), Some(0));
        observed.observe(at("7", first), Instant::now());
        assert_eq!(transitions(&observed.acquired(&config("a"), now)), Some(0));
        let acquired = observed.acquired(&config("b"), now);
        assert_eq!(
            (transitions(&acquired), acquired.metadata.resource_version.as_deref()),
            (Some(1), Some("7"))
        );
    }

    #[test]
    fn durations_that_cannot_work_are_refused() {
        let with = |lease, renew, retry| {
            let config = LeaderElectionConfig {
                lease_duration: Duration::from_secs(lease),
                renew_deadline: Duration::from_secs(renew),
                retry_period: Duration::from_secs(retry),
                ..config("a")
            };
            config.check()
        };
        assert_eq!(with(15, 10, 2), Ok(()));
        assert!(with(10, 10, 2).unwrap_err().contains("longer than the renew deadline (10s)"));
        assert!(with(15, 2, 2).unwrap_err().contains("1.2 times"));
        assert!(with(15, 10, 0).unwrap_err().contains("longer than zero"));
    }
}
