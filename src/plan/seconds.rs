//! Whole seconds: the resolution of a status, as of all times in Kubernetes. Slots are whole seconds, so cutting never hides one.

use jiff::Timestamp;

/// The second in which this instant lies.
#[must_use]
pub fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second() - i64::from(at.subsec_nanosecond() < 0)).unwrap_or(at)
}
