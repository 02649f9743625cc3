//! The mark that the operator writes on each Job that it makes, and by which it knows them again.
//!
//! Anybody who may create Jobs can write our labels, annotations and owner reference on one, and take the name of a slot. The
//! mark is a keyed hash of the task's UID and the Job's name, so nobody who does not know the key can write it. Replicas that
//! elect a leader share a key that tenants cannot read: the UID of their Lease, a random number that the API server chose. A
//! process without an election has a key of its own, and cannot tell what its predecessor made from what others forged.

use ring::hmac;

/// What makes and checks marks.
#[derive(Clone, Debug)]
pub struct Seal {
    /// Newest first. An older key stays known: the Lease may have been deleted and made again.
    keys: Vec<hmac::Key>,
    /// Whether other processes have the same key.
    is_shared: bool,
}

/// How many keys are remembered: a Lease that is made again and again is somebody's mistake.
const KEYS: usize = 4;

impl Seal {
    /// The seal of a process that runs alone. `key` is random.
    #[must_use]
    pub fn alone(key: &[u8]) -> Self {
        Self {
            keys: vec![hmac::Key::new(hmac::HMAC_SHA256, key)],
            is_shared: false,
        }
    }

    /// From now on marks are made with a secret that all replicas know.
    pub fn share(&mut self, secret: &str) {
        self.keys.insert(0, hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()));
        self.keys.truncate(KEYS);
        self.is_shared = true;
    }

    /// The mark of a Job of that task.
    #[must_use]
    pub fn mark(&self, task_uid: &str, job: &str) -> u64 {
        self.keys.first().map_or(0, |key| of(key, task_uid, job))
    }

    /// Whether the operator made the Job that carries this mark.
    #[must_use]
    pub fn is_ours(&self, task_uid: &str, job: &str, mark: Option<u64>) -> bool {
        mark.is_some_and(|mark| self.keys.iter().any(|key| of(key, task_uid, job) == mark))
    }

    /// Whether every process of the operator makes the same marks, so that a Job without one is nobody's of them.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.is_shared
    }
}

fn of(key: &hmac::Key, task_uid: &str, job: &str) -> u64 {
    let tag = hmac::sign(key, format!("{task_uid}/{job}").as_bytes());
    let first = tag.as_ref().first_chunk::<8>().copied().unwrap_or_default();
    u64::from_be_bytes(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_known_to_all_who_share_the_secret_and_to_nobody_else() {
        let (mut one, mut other) = (Seal::alone(b"one"), Seal::alone(b"other"));
        let mark = Some(one.mark("uid", "job-1"));
        assert!(one.is_ours("uid", "job-1", mark) && !other.is_ours("uid", "job-1", mark));
        for (task, job) in [("uid", "job-2"), ("uie", "job-1")] {
            assert!(!one.is_ours(task, job, mark), "a mark speaks of one Job of one task");
        }
        one.share("lease");
        assert!(one.is_ours("uid", "job-1", mark), "the older key stays known");
        assert!(one.is_shared() && !other.is_shared());
        other.share("lease");
        assert!(other.is_ours("uid", "job-1", Some(one.mark("uid", "job-1"))));
        assert!(!other.is_ours("uid", "job-1", None));
    }
}
