//! Milliseconds of the simulated world, and the two ways to write them down.
//!
//! Takes numbers, gives timestamps. Never the wall clock.

use jiff::Timestamp;

/// Milliseconds since 1970.
pub type Ms = i64;

pub const SECOND: Ms = 1000;
pub const MINUTE: Ms = 60 * SECOND;
pub const HOUR: Ms = 60 * MINUTE;
pub const DAY: Ms = 24 * HOUR;

pub fn at(ms: Ms) -> Timestamp {
    Timestamp::from_millisecond(ms).expect("a time")
}

/// As the API server writes it: whole seconds.
pub fn whole(ms: Ms) -> Timestamp {
    Timestamp::from_second(ms.div_euclid(1000)).expect("a time")
}

pub fn ms(at: Timestamp) -> Ms {
    at.as_millisecond()
}

pub fn show(ms: Ms) -> String {
    at(ms).strftime("%m-%d %H:%M:%S.%3f").to_string()
}
