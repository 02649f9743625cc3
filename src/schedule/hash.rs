//! The hash behind `H` and jitter.
//!
//! Takes a seed and what the number is for; gives a number below a bound, the same on every machine, in every release and
//! after every restart: a changed hash would move every task's slots. So it is written out here (FNV-1a of 64 bits, then the
//! finaliser of splitmix64, for FNV alone spreads the last bytes poorly), and a test pins values. Never random.

/// A seed, such as `namespace/name` of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seed(u64);

impl Seed {
    pub(super) fn of(text: &str) -> Seed {
        Seed(fnv(0xcbf2_9ce4_8422_2325, text.as_bytes()))
    }

    /// A number below `bound` (0 if that is 0). The same purpose and bound give the same number; other purposes are
    /// independent.
    pub(super) fn below(self, purpose: &[u8], bound: u64) -> u64 {
        // No UTF-8 text holds the byte 0xff, so seed and purpose cannot run into each other.
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
