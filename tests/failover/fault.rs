//! What befalls a leader.
//!
//! Takes a number, gives a kind: the kinds come in turn. Never acts: `arena` does.

/// A fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// SIGKILL; started again when another leads.
    Killed,
    /// SIGTERM; started again when another leads.
    Stopped,
    /// SIGSTOP for longer than the lease, until the next leader has run slots of its own; then SIGCONT.
    Frozen,
    /// Nothing that it sends arrives, and nothing says so.
    Silenced,
    /// Its connections are reset and refused.
    Refused,
    /// Its wall clock is stepped by four seconds, ahead or back; it goes on so, and is killed at the next common slot.
    Stepped,
}

impl Kind {
    pub const ALL: [Kind; 6] = [
        Kind::Killed,
        Kind::Stopped,
        Kind::Frozen,
        Kind::Silenced,
        Kind::Refused,
        Kind::Stepped,
    ];

    pub fn of(number: usize) -> Kind {
        Self::ALL[number % Self::ALL.len()]
    }

    /// Whether the leader could let go of the lease.
    pub fn is_graceful(self) -> bool {
        self == Kind::Stopped
    }

    pub fn shown(self) -> &'static str {
        match self {
            Kind::Killed => "SIGKILL",
            Kind::Stopped => "SIGTERM",
            Kind::Frozen => "SIGSTOP, SIGCONT",
            Kind::Silenced => "cut off, silent",
            Kind::Refused => "cut off, refused",
            Kind::Stepped => "clock stepped 4 s, SIGKILL",
        }
    }
}

/// Milliseconds after the full second at which a fault comes: dense where claims and Jobs are written.
const MOMENTS: [i64; 12] = [-20, 0, 3, 6, 9, 12, 16, 20, 30, 60, 150, 500];

pub fn moment(number: usize) -> i64 {
    // Another moment for each kind each time round.
    MOMENTS[(number + number / Kind::ALL.len()) % MOMENTS.len()]
}
