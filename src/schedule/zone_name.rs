//! Suggests how to fix an unknown name of a time zone: a similar name, or the zone of an abbreviation or of an offset.

use super::zone_offset;
use jiff::tz::TimeZoneDatabase;

/// The greatest edit distance of a suggested name.
const MAX_DISTANCE: usize = 2;
/// No name in the database is longer, so that a comparison would be wasted.
const MAX_NAME: usize = 40;

/// Common abbreviations that are not names of zones, and the zone with most people in which they are used.
const ABBREVIATIONS: &[(&str, &str)] = &[
    ("ACDT", "Australia/Adelaide"),
    ("ACST", "Australia/Adelaide"),
    ("AEDT", "Australia/Sydney"),
    ("AEST", "Australia/Sydney"),
    ("AKDT", "America/Anchorage"),
    ("AKST", "America/Anchorage"),
    ("AWST", "Australia/Perth"),
    ("BRT", "America/Sao_Paulo"),
    ("BST", "Europe/London"),
    ("CDT", "America/Chicago"),
    ("CEST", "Europe/Paris"),
    ("CST", "America/Chicago"),
    ("EDT", "America/New_York"),
    ("EEST", "Europe/Athens"),
    ("HKT", "Asia/Hong_Kong"),
    ("IST", "Asia/Kolkata"),
    ("JST", "Asia/Tokyo"),
    ("KST", "Asia/Seoul"),
    ("MDT", "America/Denver"),
    ("MSK", "Europe/Moscow"),
    ("NZDT", "Pacific/Auckland"),
    ("NZST", "Pacific/Auckland"),
    ("PDT", "America/Los_Angeles"),
    ("PST", "America/Los_Angeles"),
    ("SAST", "Africa/Johannesburg"),
    ("SGT", "Asia/Singapore"),
    ("WEST", "Europe/Lisbon"),
];

/// How to fix a name that the database does not have.
pub(super) fn suggestion(database: &TimeZoneDatabase, name: &str) -> String {
    let name = name.trim();
    let known = ABBREVIATIONS
        .iter()
        .find(|(abbreviation, _)| abbreviation.eq_ignore_ascii_case(name));
    if let Some((abbreviation, zone)) = known {
        return format!("{abbreviation} is an abbreviation, use an IANA name, for example {zone}");
    }
    if let Some(suggestion) = zone_offset::suggestion(name) {
        return suggestion;
    }
    match similar(database, name).as_slice() {
        [] => "use an IANA name, for example Europe/Paris or America/New_York".to_owned(),
        names => format!("did you mean {}?", names.join(" or ")),
    }
}

/// Up to three of the most similar names, compared as a whole and by their last part (`paris`, `New York`).
fn similar(database: &TimeZoneDatabase, name: &str) -> Vec<String> {
    if name.len() > MAX_NAME {
        return Vec::new();
    }
    let wanted = name.replace(' ', "_").to_ascii_lowercase();
    let mut found: Vec<(usize, String)> = database
        .available()
        .filter(|name| number(name.as_str()) == number(&wanted))
        .filter_map(|name| {
            let lower = name.as_str().to_ascii_lowercase();
            let city = lower.rsplit('/').next().unwrap_or(&lower);
            let distance = distance(&lower, &wanted).into_iter().chain(distance(city, &wanted)).min()?;
            Some((distance, name.as_str().to_owned()))
        })
        .collect();
    found.sort();
    let best = found.first().map_or(0, |(distance, _)| *distance);
    let best = found.into_iter().filter(|(distance, _)| *distance == best);
    best.take(3).map(|(_, name)| name).collect()
}

/// The number in a name, with its sign. It is not a typing error: GMT+15 is not GMT+1.
fn number(name: &str) -> Option<(bool, &str)> {
    let (before, number) = name.split_at(name.find(|c: char| c.is_ascii_digit())?);
    let end = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
    let signed = before.ends_with(['+', '-']);
    Some((signed, number.get(..end)?.trim_start_matches('0')))
}

/// The edit distance of names that are similar: same first letter, and one edit in three letters at most.
fn distance(name: &str, wanted: &str) -> Option<usize> {
    let distance = strsim::osa_distance(name, wanted);
    let same_start = name.chars().next() == wanted.chars().next();
    (same_start && distance <= MAX_DISTANCE && distance * 3 <= wanted.len()).then_some(distance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_errors_get_the_name_and_abbreviations_a_zone() {
        let database = TimeZoneDatabase::bundled();
        for (name, text) in [
            ("Europe/Pariss", "did you mean Europe/Paris?"),
            ("Europe/Brelin", "did you mean Europe/Berlin?"),
            ("paris", "did you mean Europe/Paris?"),
            ("New York", "did you mean America/New_York?"),
            ("Amerika/New_York", "did you mean America/New_York?"),
            ("CEST", "CEST is an abbreviation, use an IANA name, for example Europe/Paris"),
            ("pst", "PST is an abbreviation, use an IANA name, for example America/Los_Angeles"),
            ("XYZT", "use an IANA name, for example Europe/Paris or America/New_York"),
            (
                "GMT+2",
                "use a place, for example Europe/Athens, or Etc/GMT-2 (its sign is inverted) for a fixed offset of +02:00",
            ),
            ("UTC ", "use UTC"),
            ("GMT2", "use an IANA name, for example Europe/Paris or America/New_York"),
            ("Etc/GMT+02", "did you mean Etc/GMT+2?"),
            ("Etc/GMT+15", "use an IANA name, for example Europe/Paris or America/New_York"),
            ("EST4EDT", "use an IANA name, for example Europe/Paris or America/New_York"),
            ("EST5ETD", "did you mean EST5EDT?"),
        ] {
            assert_eq!(suggestion(&database, name), text, "{name}");
        }
    }

    #[test]
    fn abbreviations_are_unknown_and_their_zones_are_known() {
        let database = TimeZoneDatabase::bundled();
        for (abbreviation, zone) in ABBREVIATIONS {
            assert!(database.get(abbreviation).is_err() && database.get(zone).is_ok(), "{abbreviation}");
        }
    }
}
