//! A time in a flag: an instant, or a date or local time in the time zone of whatever task it is for.

use crate::schedule;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::str::FromStr;

/// A time that the user wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment(String);

impl Moment {
    /// The instant in this zone.
    pub fn in_zone(&self, zone: &TimeZone) -> Timestamp {
        // Only a zone's offset can differ, so that this is out of range at the end of all times only.
        schedule::moment(&self.0, zone).unwrap_or(Timestamp::MAX)
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match schedule::moment(text, &TimeZone::UTC) {
            Some(_) => Ok(Self(text.to_owned())),
            None => {
                Err("use a date, a local time or RFC 3339, for example 2027-03-26, 2027-03-26T02:30 or 2027-03-26T02:30:00Z".to_owned())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_local_times_are_in_the_zone_of_the_task() {
        let paris = TimeZone::get("Europe/Paris").unwrap();
        for (text, instant) in [
            ("2027-03-26", "2027-03-25T23:00:00Z"),
            ("2027-03-26T02:30", "2027-03-26T01:30:00Z"),
            ("2027-03-26T02:30:00Z", "2027-03-26T02:30:00Z"),
            ("2027-03-26T02:30:00-05:00", "2027-03-26T07:30:00Z"),
        ] {
            assert_eq!(text.parse::<Moment>().unwrap().in_zone(&paris).to_string(), instant, "{text}");
        }
        assert!("soon".parse::<Moment>().unwrap_err().starts_with("use a date"));
    }
}
