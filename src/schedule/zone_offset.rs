//! Suggests names of time zones for an offset such as `GMT+2`, `UTC+02:00` or `+0530`: people write offsets, the database has names.
//!
//! Parses the text as an offset in hours and minutes, and names a place with this offset and the zone that always has it. Never guesses
//! from other text, and never suggests a name whose sign means the opposite: `Etc/GMT-2` is two hours *ahead* of UTC, as in POSIX.

/// Offsets in minutes, and the place with most people that has it: in winter, where clocks change.
const PLACES: &[(i32, &str)] = &[
    (-11 * 60, "Pacific/Pago_Pago"),
    (-10 * 60, "Pacific/Honolulu"),
    (-(9 * 60 + 30), "Pacific/Marquesas"),
    (-9 * 60, "America/Anchorage"),
    (-8 * 60, "America/Los_Angeles"),
    (-7 * 60, "America/Denver"),
    (-6 * 60, "America/Chicago"),
    (-5 * 60, "America/New_York"),
    (-4 * 60, "America/Halifax"),
    (-(3 * 60 + 30), "America/St_Johns"),
    (-3 * 60, "America/Sao_Paulo"),
    (-2 * 60, "America/Noronha"),
    (-60, "Atlantic/Cape_Verde"),
    (60, "Europe/Berlin"),
    (2 * 60, "Europe/Athens"),
    (3 * 60, "Europe/Istanbul"),
    (3 * 60 + 30, "Asia/Tehran"),
    (4 * 60, "Asia/Dubai"),
    (4 * 60 + 30, "Asia/Kabul"),
    (5 * 60, "Asia/Karachi"),
    (5 * 60 + 30, "Asia/Kolkata"),
    (5 * 60 + 45, "Asia/Kathmandu"),
    (6 * 60, "Asia/Dhaka"),
    (6 * 60 + 30, "Asia/Yangon"),
    (7 * 60, "Asia/Jakarta"),
    (8 * 60, "Asia/Shanghai"),
    (8 * 60 + 45, "Australia/Eucla"),
    (9 * 60, "Asia/Tokyo"),
    (9 * 60 + 30, "Australia/Adelaide"),
    (10 * 60, "Australia/Sydney"),
    (10 * 60 + 30, "Australia/Lord_Howe"),
    (11 * 60, "Pacific/Guadalcanal"),
    (12 * 60, "Pacific/Auckland"),
    (12 * 60 + 45, "Pacific/Chatham"),
    (13 * 60, "Pacific/Tongatapu"),
    (14 * 60, "Pacific/Kiritimati"),
];

/// What to write instead of an offset; `None` if the text is not an offset.
pub(super) fn suggestion(text: &str) -> Option<String> {
    let minutes = parse(text)?;
    if minutes == 0 {
        return Some("use UTC".to_owned());
    }
    let place = PLACES.iter().find(|(offset, _)| *offset == minutes).map(|(_, place)| *place);
    let fixed = fixed(minutes);
    let offset = display(minutes);
    Some(match (place, fixed) {
        (Some(place), Some(fixed)) => {
            format!("use a place, for example {place}, or {fixed} (its sign is inverted) for a fixed offset of {offset}")
        }
        (Some(place), None) => format!("use a place, for example {place}: only whole hours have a zone with a fixed offset"),
        (None, Some(fixed)) => format!("use {fixed} (its sign is inverted) for a fixed offset of {offset}"),
        (None, None) => format!("no time zone has the offset {offset}: use a place, for example Europe/Paris"),
    })
}

/// The zone that always has this offset.
fn fixed(minutes: i32) -> Option<String> {
    let hours = minutes / 60;
    let sign = if hours > 0 { '-' } else { '+' };
    (minutes % 60 == 0 && (-12..=14).contains(&hours)).then(|| format!("Etc/GMT{sign}{}", hours.abs()))
}

fn display(minutes: i32) -> String {
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
}

/// The offset in minutes of `[UTC|GMT|UT][+|-]H[H][[:]MM]`; only after such a name may the offset be missing, which is zero.
fn parse(text: &str) -> Option<i32> {
    let upper = text.trim().to_ascii_uppercase();
    let upper = upper.strip_prefix("ETC/").filter(|rest| rest.starts_with("UT")).unwrap_or(&upper);
    if matches!(upper, "Z" | "UTC" | "UTC0") {
        return Some(0);
    }
    let rest = ["UTC", "GMT", "UT"]
        .iter()
        .find_map(|name| upper.strip_prefix(name))
        .unwrap_or(upper);
    let rest = rest.trim_start();
    // Texts that were formatted for people have the minus sign of Unicode.
    let (sign, digits) = match rest.strip_prefix('+') {
        Some(digits) => (1, digits),
        None => (-1, rest.strip_prefix('-').or_else(|| rest.strip_prefix('\u{2212}'))?),
    };
    let digits = digits.trim_start();
    let (hours, minutes) = match digits.split_once(':') {
        Some((hours, minutes)) => (hours, minutes),
        None if digits.len() > 2 => digits.split_at_checked(digits.len() - 2)?,
        None => (digits, "00"),
    };
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(hours) || !is_number(minutes) || !(1..=2).contains(&hours.len()) || minutes.len() != 2 {
        return None;
    }
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    (minutes < 60).then_some(sign * (hours * 60 + minutes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use jiff::tz::TimeZoneDatabase;

    const TWO_AHEAD: &str = "use a place, for example Europe/Athens, or Etc/GMT-2 (its sign is inverted) for a fixed offset of +02:00";
    const FIVE_BEHIND: &str = "use a place, for example America/New_York, or Etc/GMT+5 (its sign is inverted) for a fixed offset of -05:00";
    const INDIA: &str = "use a place, for example Asia/Kolkata: only whole hours have a zone with a fixed offset";

    #[test]
    fn an_offset_gets_a_place_and_the_zone_of_inverted_sign() {
        for (text, expected) in [
            ("GMT+2", TWO_AHEAD),
            ("UTC+2", TWO_AHEAD),
            ("utc+2", TWO_AHEAD),
            ("UTC+02", TWO_AHEAD),
            ("UTC+02:00", TWO_AHEAD),
            ("UTC+0200", TWO_AHEAD),
            ("UTC + 2", TWO_AHEAD),
            ("+02:00", TWO_AHEAD),
            ("+0200", TWO_AHEAD),
            ("+02", TWO_AHEAD),
            ("+2", TWO_AHEAD),
            (" +2:00 ", TWO_AHEAD),
            ("Etc/UTC+2", TWO_AHEAD),
            ("GMT-5", FIVE_BEHIND),
            ("UTC-05:00", FIVE_BEHIND),
            ("-0500", FIVE_BEHIND),
            ("\u{2212}05:00", FIVE_BEHIND),
            ("+05:30", INDIA),
            ("UTC+5:30", INDIA),
            ("GMT+0530", INDIA),
            ("+530", INDIA),
            ("UTC-12", "use Etc/GMT+12 (its sign is inverted) for a fixed offset of -12:00"),
            (
                "UTC+15",
                "no time zone has the offset +15:00: use a place, for example Europe/Paris",
            ),
            (
                "+02:15",
                "no time zone has the offset +02:15: use a place, for example Europe/Paris",
            ),
            ("UTC+0", "use UTC"),
            ("UTC0", "use UTC"),
            ("UTC ", "use UTC"),
            ("+00:00", "use UTC"),
            ("Z", "use UTC"),
        ] {
            assert_eq!(suggestion(text).as_deref(), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn other_text_is_not_an_offset() {
        for text in [
            "",
            "2",
            "UTC2",
            "GMT",
            "GMT2",
            "+",
            "-",
            "UTC+",
            "+02:60",
            "+02:0",
            "+02:00:00",
            "+123456",
            "+éé",
            "++2",
            "CET+1",
            "CET-1CEST",
            "Etc/GMT+02",
            "Europe/Paris",
        ] {
            assert_eq!(suggestion(text), None, "{text:?}");
        }
    }

    /// The first of January and of July 2026: one of them is winter.
    #[test]
    fn each_place_and_fixed_zone_has_its_offset() {
        let database = TimeZoneDatabase::bundled();
        let offsets = |zone: &str| {
            let zone = database.get(zone).unwrap();
            let at = |text: &str| zone.to_offset(text.parse::<Timestamp>().unwrap()).seconds() / 60;
            [at("2026-01-01T00:00:00Z"), at("2026-07-01T00:00:00Z")]
        };
        for (minutes, place) in PLACES {
            assert_eq!(offsets(place).iter().min(), Some(minutes), "{place}");
            if let Some(zone) = fixed(*minutes) {
                assert_eq!(offsets(&zone), [*minutes; 2], "{zone}");
            }
        }
        assert_eq!(fixed(-12 * 60).as_deref(), Some("Etc/GMT+12"));
    }
}
