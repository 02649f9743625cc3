//! Stretches of time, in words for people.
//!
//! Takes durations and instants, gives text. Never reads the clock.

use jiff::{SignedDuration, Timestamp};

/// As kubectl shows an age: `45s`, `7m12s`, `3h5m`, `2d4h`, `31d`, `2y40d`; two units at most, the second only while it matters.
pub fn rough(elapsed: SignedDuration) -> String {
    let seconds = elapsed.as_secs().max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let pair = |high: i64, unit: char, low: i64, low_unit: char| match low {
        0 => format!("{high}{unit}"),
        low => format!("{high}{unit}{low}{low_unit}"),
    };
    match seconds {
        0..120 => format!("{seconds}s"),
        120..600 => pair(minutes, 'm', seconds % 60, 's'),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => pair(hours, 'h', minutes % 60, 'm'),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => pair(days, 'd', hours % 24, 'h'),
        691_200..63_072_000 => format!("{days}d"),
        63_072_000..252_288_000 => pair(days / 365, 'y', days % 365, 'd'),
        _ => format!("{}y", days / 365),
    }
}

/// Every unit, as a manifest has it: `10m`, `1h30m`, `90m` as `1h30m`.
pub fn exact(duration: std::time::Duration) -> String {
    let seconds = duration.as_secs();
    let parts = [(seconds / 3600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let mut text: String = parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, unit)| format!("{number}{unit}"))
        .collect();
    let rest = duration.subsec_millis();
    if rest > 0 || text.is_empty() {
        text.push_str(&if rest > 0 { format!("{rest}ms") } else { "0s".to_owned() });
    }
    text
}

/// How far an instant lies ahead or behind: `in 3h5m`, `12s ago`.
pub fn from_now(at: Timestamp, now: Timestamp) -> String {
    if at > now {
        format!("in {}", rough(at.duration_since(now)))
    } else {
        format!("{} ago", rough(now.duration_since(at)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_read_as_in_kubectl() {
        for (seconds, says) in [
            (-5, "0s"),
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (432, "7m12s"),
            (600, "10m"),
            (10_799, "179m"),
            (11_100, "3h5m"),
            (28_800, "8h"),
            (172_799, "47h"),
            (187_200, "2d4h"),
            (691_200, "8d"),
            (63_072_000, "2y"),
            (66_528_000, "2y40d"),
            (315_360_000, "10y"),
        ] {
            assert_eq!(rough(SignedDuration::from_secs(seconds)), says, "{seconds}");
        }
    }

    #[test]
    fn durations_read_as_in_a_manifest() {
        for (millis, says) in [
            (0, "0s"),
            (600_000, "10m"),
            (5_400_000, "1h30m"),
            (1_500, "1s500ms"),
            (90_000, "1m30s"),
        ] {
            assert_eq!(exact(std::time::Duration::from_millis(millis)), says);
        }
    }

    #[test]
    fn instants_lie_ahead_or_behind() {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        assert_eq!(from_now("2026-11-23T15:05:00Z".parse().unwrap(), now), "in 3h5m");
        assert_eq!(from_now("2026-11-23T11:59:48Z".parse().unwrap(), now), "12s ago");
    }
}
