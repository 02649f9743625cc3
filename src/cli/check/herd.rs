//! Tasks that start together with everybody else's: on the hour, at midnight.
//!
//! Takes an expression, gives one with `H` in place of the minute, which spreads tasks and keeps each at its own minute.

/// What to write instead, if the expression names minute 0 of every or every so many hours, or of midnight.
pub fn spread(expression: &str) -> Option<String> {
    let words: Vec<&str> = expression.split_whitespace().collect();
    let line = match words.as_slice() {
        ["@hourly"] => "H * * * *",
        ["@daily" | "@midnight"] => "H 0 * * *",
        ["@weekly"] => "H 0 * * 0",
        ["@monthly"] => "H 0 1 * *",
        [minute, hour, day, month @ ("*" | "?"), weekday] if zero(minute) && crowded(hour) => {
            return Some(format!("H {hour} {day} {month} {weekday}"));
        }
        [second, minute, hour, day, month @ ("*" | "?"), weekday] if zero(second) && zero(minute) && crowded(hour) => {
            return Some(format!("{second} H {hour} {day} {month} {weekday}"));
        }
        _ => return None,
    };
    Some(line.to_owned())
}

fn zero(field: &str) -> bool {
    !field.is_empty() && field.bytes().all(|byte| byte == b'0')
}

/// Every hour, every so many hours, or midnight.
fn crowded(hour: &str) -> bool {
    zero(hour) || hour.starts_with(['*', '?']) || hour.contains('/') && !hour.starts_with(['H', 'h'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minute_0_of_many_hours_gets_h() {
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
    fn a_minute_that_somebody_chose_stays() {
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
