//! Who may lead: client-go's rules on a Lease, as values.
//!
//! ```text
//!   a lease that changes ─► somebody leads      unchanged for leaseDuration, or released ─► it may be taken
//! ```
//! Takes leases and moments of the monotonic clock, gives the lease to write. What stands in the lease about time is for people:
//! clocks differ, so a candidate only counts the time since it last *saw* the lease change. Never sends a request.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::ObjectMeta;
use std::time::{Duration, Instant};

/// How leadership is decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Who this process is: the pod's name.
    pub identity: String,
    /// The Lease.
    pub name: String,
    pub namespace: String,
    /// A lease that did not change for so long may be taken.
    pub lease_duration: Duration,
    /// A leader that could not renew for so long stops writing. Shorter than `lease_duration`.
    pub renew_deadline: Duration,
    /// Between two attempts.
    pub retry_period: Duration,
}

impl Terms {
    /// Whether the three durations can work.
    ///
    /// # Errors
    /// Which of them is wrong, and why.
    pub fn check(&self) -> Result<(), String> {
        if self.lease_duration <= self.renew_deadline {
            return Err(format!(
                "the lease duration ({:?}) must be longer than the renew deadline ({:?}): else two may lead at once",
                self.lease_duration, self.renew_deadline
            ));
        }
        if self.renew_deadline <= self.retry_period + self.retry_period / 5 {
            return Err(format!(
                "the renew deadline ({:?}) must be longer than 1.2 times the retry period ({:?}): else it is over before the second attempt",
                self.renew_deadline, self.retry_period
            ));
        }
        if self.retry_period.is_zero() {
            return Err("the retry period must be longer than zero".into());
        }
        Ok(())
    }
}

/// What a candidate has seen of the lease.
#[derive(Clone, Debug)]
pub struct Seen {
    lease: Option<Lease>,
    /// Who held it when somebody deleted it: that process may not know yet.
    held_before: Option<String>,
    changed_at: Instant,
}

impl Seen {
    /// Nothing yet.
    pub fn nothing(now: Instant) -> Self {
        Self {
            lease: None,
            held_before: None,
            changed_at: now,
        }
    }

    /// The lease as it was read or written at `now`.
    pub fn see(&mut self, lease: Lease, now: Instant) {
        let version = |lease: &Lease| lease.metadata.resource_version.clone();
        if self.lease.as_ref().is_none_or(|known| version(known) != version(&lease)) {
            self.changed_at = now;
        }
        self.lease = Some(lease);
        self.held_before = None;
    }

    /// There is no lease at `now`.
    pub fn miss(&mut self, now: Instant) {
        let holder = self.holder().map(str::to_owned);
        if self.lease.take().is_some() {
            self.changed_at = now;
            self.held_before = holder;
        }
    }

    /// Who holds it, by its last word, or held it when it was deleted.
    pub fn holder(&self) -> Option<&str> {
        let Some(lease) = &self.lease else {
            return self.held_before.as_deref();
        };
        let holder = lease.spec.as_ref()?.holder_identity.as_deref();
        holder.filter(|holder| !holder.is_empty())
    }

    /// Whether it was read at all.
    pub fn is_known(&self) -> bool {
        self.lease.is_some()
    }

    /// Whether this process may write itself into it.
    pub fn may_take(&self, terms: &Terms, now: Instant) -> bool {
        match self.holder() {
            None => true,
            Some(holder) => holder == terms.identity || now.duration_since(self.changed_at) >= terms.lease_duration,
        }
    }

    /// The lease that makes this process the leader, or keeps it one. `now` is for people.
    pub fn taken(&self, terms: &Terms, now: Timestamp) -> Lease {
        let known = self.lease.as_ref().and_then(|lease| lease.spec.clone()).unwrap_or_default();
        let mine = known.holder_identity.as_deref() == Some(&terms.identity);
        let transitions = known.lease_transitions.unwrap_or(0) + i32::from(!mine && self.lease.is_some());
        self.with(
            terms,
            LeaseSpec {
                holder_identity: Some(terms.identity.clone()),
                lease_duration_seconds: i32::try_from(whole_seconds(terms.lease_duration).as_secs()).ok(),
                acquire_time: if mine { known.acquire_time.clone() } else { Some(MicroTime(now)) },
                renew_time: Some(MicroTime(now)),
                lease_transitions: Some(transitions),
                ..known
            },
        )
    }

    /// The lease that lets go: whoever sees it may take it at once.
    pub fn released(&self, terms: &Terms, now: Timestamp) -> Lease {
        let known = self.lease.as_ref().and_then(|lease| lease.spec.clone()).unwrap_or_default();
        self.with(
            terms,
            LeaseSpec {
                holder_identity: Some(String::new()),
                lease_duration_seconds: Some(1),
                acquire_time: Some(MicroTime(now)),
                renew_time: Some(MicroTime(now)),
                ..known
            },
        )
    }

    fn with(&self, terms: &Terms, spec: LeaseSpec) -> Lease {
        let metadata = self.lease.as_ref().map_or_else(ObjectMeta::default, |lease| lease.metadata.clone());
        Lease {
            metadata: ObjectMeta {
                name: Some(terms.name.clone()),
                namespace: Some(terms.namespace.clone()),
                managed_fields: None,
                ..metadata
            },
            spec: Some(spec),
        }
    }
}

/// A lease has whole seconds, at least one.
fn whole_seconds(duration: Duration) -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(duration.as_millis().div_ceil(1000)).unwrap_or(i64::MAX).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(identity: &str) -> Terms {
        Terms {
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
    fn a_lease_is_taken_only_when_it_did_not_change_for_its_duration_or_was_released() {
        let (a, b) = (terms("a"), terms("b"));
        let start = Instant::now();
        let second = |n: u64| start + Duration::from_secs(n);
        let mut seen = Seen::nothing(start);
        assert!(seen.may_take(&b, start), "there is none");
        // The holder's clock is years off: that means nothing.
        let held = at("1", Seen::nothing(start).taken(&a, Timestamp::UNIX_EPOCH));
        seen.see(held.clone(), second(1));
        assert_eq!(seen.holder(), Some("a"));
        assert!(!seen.may_take(&b, second(15)) && seen.may_take(&b, second(16)) && seen.may_take(&a, second(2)));
        seen.see(held.clone(), second(10));
        assert!(seen.may_take(&b, second(16)), "seen again, not changed");
        seen.see(at("2", held), second(14));
        assert!(!seen.may_take(&b, second(28)), "it was renewed");
        let released = at("3", seen.released(&a, Timestamp::UNIX_EPOCH));
        seen.see(released, second(20));
        assert!(seen.may_take(&b, second(20)) && seen.holder().is_none());
    }

    #[test]
    fn a_lease_that_was_deleted_is_made_by_its_holder_and_by_others_only_after_its_duration() {
        let start = Instant::now();
        let second = |n: u64| start + Duration::from_secs(n);
        let mut seen = Seen::nothing(start);
        seen.miss(start);
        assert!(seen.may_take(&terms("b"), start), "there never was one");
        seen.see(at("1", Seen::nothing(start).taken(&terms("a"), Timestamp::UNIX_EPOCH)), start);
        seen.miss(second(3));
        seen.miss(second(9));
        assert!(seen.may_take(&terms("a"), second(3)));
        assert!(!seen.may_take(&terms("b"), second(17)) && seen.may_take(&terms("b"), second(18)));
        seen.see(
            at("2", Seen::nothing(start).released(&terms("a"), Timestamp::UNIX_EPOCH)),
            second(4),
        );
        seen.miss(second(5));
        assert!(seen.may_take(&terms("b"), second(5)), "it was released before it was deleted");
    }

    #[test]
    fn a_change_of_holder_is_counted_and_a_renewal_is_not() {
        let now = Timestamp::UNIX_EPOCH;
        let mut seen = Seen::nothing(Instant::now());
        let transitions = |lease: &Lease| lease.spec.as_ref().unwrap().lease_transitions;
        let first = seen.taken(&terms("a"), now);
        assert_eq!(transitions(&first), Some(0));
        seen.see(at("7", first), Instant::now());
        assert_eq!(transitions(&seen.taken(&terms("a"), now)), Some(0));
        let taken = seen.taken(&terms("b"), now);
        assert_eq!(
            (transitions(&taken), taken.metadata.resource_version.as_deref()),
            (Some(1), Some("7"))
        );
    }

    #[test]
    fn terms_that_cannot_work_are_refused() {
        let with = |lease, renew, retry| {
            let terms = Terms {
                lease_duration: Duration::from_secs(lease),
                renew_deadline: Duration::from_secs(renew),
                retry_period: Duration::from_secs(retry),
                ..terms("a")
            };
            terms.check()
        };
        assert_eq!(with(15, 10, 2), Ok(()));
        assert!(with(10, 10, 2).unwrap_err().contains("longer than the renew deadline (10s)"));
        assert!(with(15, 2, 2).unwrap_err().contains("1.2 times"));
        assert!(with(15, 10, 0).unwrap_err().contains("longer than zero"));
    }
}
