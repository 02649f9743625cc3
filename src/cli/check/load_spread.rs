//! Suggests `H` for schedules that start at minute 0, when many other tasks start: every few hours or at midnight.

/// The expression with `H` for the minute, if it names minute 0 of every hour, of every nth hour or of midnight.
pub fn spread(expression: &str) -> Option<String> {
    let words: Vec<&str> = expression.split_whitespace().collect();
    let line = match words.as_slice() {
        ["@hourly"] => "H * * * *",
        ["@daily" | "@midnight"] => "H 0 * * *",
        ["@weekly"] => "H 0 * * 0",
        ["@monthly"] => "H 0 1 * *",
        [minute, hour, day, month @ ("*" | "?"), weekday] if is_zero(minute) && is_popular(hour) => {
            return Some(format!("H {hour} {day} {month} {weekday}"));
        }
        [second, minute, hour, day, month @ ("*" | "?"), weekday] if is_zero(second) && is_zero(minute) && is_popular(hour) => {
            return Some(format!("{second} H {hour} {day} {month} {weekday}"));
        }
        _ => return None,
    };
    Some(line.to_owned())
}

fn is_zero(field: &str) -> bool {
    !field.is_empty() && field.bytes().all(|byte| byte == b'0')
}

/// Every hour, every nth hour, or midnight.
fn is_popular(hour: &str) -> bool {
    is_zero(hour) || hour.starts_with(['*', '?']) || hour.contains('/') && !hour.starts_with(['H', 'h'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minute_zero_of_many_hours_becomes_h() {
        for (expression, instead) in [
            ("0 * * * *", "H * * * *"),
            ("00 */6 * * *", "H */6 * * *"),
            ("0 0/4 * * 1-5", "H 0/4 * * 1-5"),
            ("0 0 * * *", "H 0 * * *"),
            ("0 0 * * * *", "0 H * * * *"),
            ("@hourly", "H * * * *"),
            ("@daily", "H 0 * * *"),
            ("@midnight", "H 0 * * *"),
            ("@weekly", "H 0 * * 0"),
            ("@monthly", "H 0 1 * *"),
        ] {
            assert_eq!(spread(expression).as_deref(), Some(instead), "{expression}");
        }
    }

    #[test]
    fn a_chosen_minute_is_kept() {
        for expression in [
            "17 * * * *",
            "0 3 * * *",
            "0 9-17 * * *",
            "*/5 * * * *",
            "H * * * *",
            "0 H/6 * * *",
            "@every 1h",
            "@yearly",
            "30 0 * * * *",
            "0 0 1 1 *",
        ] {
            assert_eq!(spread(expression), None, "{expression}");
        }
    }
}
