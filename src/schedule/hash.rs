//! The hash behind `H` and jitter.
//!
//! It maps a seed and a purpose to a number below a bound, the same on every machine and in every release: a changed hash would
//! move the slots of every task. So it is implemented here (64-bit FNV-1a, then the finalizer of SplitMix64, as FNV alone
//! distributes the last bytes poorly), and a test pins values.

/// A seed, in use the `namespace/name` of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seed(u64);

/// A 64-bit hash of a text, the same on every machine and in every release.
#[must_use]
pub fn hash(text: &str) -> u64 {
    mixed(Seed::of(text).0)
}

impl Seed {
    pub(super) fn of(text: &str) -> Seed {
        Seed(fnv(0xcbf2_9ce4_8422_2325, text.as_bytes()))
    }

    /// A number below `bound` (0 if `bound` is 0). It depends on seed, purpose and bound; numbers for different purposes are
    /// independent.
    pub(super) fn below(self, purpose: &[u8], bound: u64) -> u64 {
        // UTF-8 never contains the byte 0xff, so no seed ends with the start of a purpose.
        let hash = mixed(fnv(fnv(self.0, &[0xff]), purpose));
        let product = u128::from(hash) * u128::from(bound);
        u64::try_from(product >> 64).unwrap_or_default()
    }
}

fn fnv(state: u64, bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(state, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

fn mixed(hash: u64) -> u64 {
    let hash = (hash ^ hash >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ hash >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ hash >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(seed: &str) -> u64 {
        Seed::of(seed).below(b"minute", 60)
    }

    /// The numbers come from a second implementation, in Python.
    #[test]
    fn the_hash_is_the_same_in_every_release() {
        let found = ["", "default/backup", "ns-1/name-1", "ns-1/name-2", "zürich/nächtlich"].map(minute);
        assert_eq!(found, [9, 4, 3, 14, 54]);
        assert_eq!(Seed::of("default/backup").below(b"hour", u64::MAX), 8_630_655_013_050_314_899);
    }

    /// `ns-0/name-0` to `ns-99/name-99`.
    fn seeds() -> impl Iterator<Item = Seed> {
        let names = (0..100).flat_map(|i| (0..100).map(move |j| format!("ns-{i}/name-{j}")));
        names.map(|name| Seed::of(&name))
    }

    #[test]
    fn ten_thousand_names_spread_evenly() {
        for (purpose, bound) in [(b"minute".as_slice(), 60), (b"hour", 24), (b"second", 60), (b"day of month", 28)] {
            for chunks in [2, 3, 10] {
                let mut shares = vec![0; chunks];
                seeds().for_each(|seed| shares[seed.below(purpose, bound) as usize * chunks / bound as usize] += 1);
                for (chunk, share) in shares.iter().enumerate() {
                    let values = (0..bound as usize).filter(|value| value * chunks / bound as usize == chunk).count();
                    let expected = 10_000 * values / bound as usize;
                    assert!(share * 10 > expected * 9 && share * 10 < expected * 11, "{purpose:?}: {shares:?}");
                }
            }
        }
    }

    #[test]
    fn two_purposes_of_one_seed_are_independent() {
        // Sixteen pairs of quarters of minute and hour: each holds a sixteenth.
        let mut shares = [0; 16];
        for seed in seeds() {
            let (minute, hour) = (seed.below(b"minute", 4), seed.below(b"hour", 4));
            shares[(minute * 4 + hour) as usize] += 1;
        }
        assert!(shares.iter().all(|share| (540..710).contains(share)), "{shares:?}");
    }

    #[test]
    fn a_number_is_below_its_bound() {
        assert!(seeds().all(|seed| seed.below(b"x", 7) < 7 && seed.below(b"x", 1) == 0 && seed.below(b"x", 0) == 0));
    }
}
