//! The type of a YAML scalar, as kubectl's reader resolves it: YAML 1.1 with the exceptions of `go.yaml.in/yaml/v2`.
//!
//! `yes`, `on` and `y` are booleans, `0644` is octal, `1_000` is a number, and a date is a string. There are no base 60 numbers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Number, Value};

/// The value of a plain scalar without a tag.
///
/// # Errors
/// When it is a number that JSON does not have.
pub fn resolve(text: &str) -> Result<Value, String> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => return Ok(true.into()),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => return Ok(false.into()),
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        ".nan" | ".NaN" | ".NAN" | ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" | "-.inf" | "-.Inf" | "-.INF" => {
            return Err(format!("{text} is not a number in JSON"));
        }
        _ => {}
    }
    let number = match text.bytes().next() {
        Some(b'.') => text.parse().ok().filter(|_| is_decimal(text)).map(float),
        Some(b'0'..=b'9' | b'+' | b'-') => {
            let digits = text.replace('_', "");
            integer(&digits).or_else(|| digits.parse().ok().filter(|_| is_decimal(&digits)).map(float))
        }
        _ => None,
    };
    match number {
        Some(Some(number)) => Ok(number.into()),
        // Go's parser reports that the value is out of range, and the text stays what it is.
        Some(None) | None => Ok(text.into()),
    }
}

/// The value of a scalar with a tag.
///
/// # Errors
/// When the text is not of the type that the tag names.
pub fn resolve_tagged(tag: &str, text: &str) -> Result<Value, String> {
    let Some(kind) = tag.strip_prefix("tag:yaml.org,2002:") else {
        return Ok(text.into());
    };
    if kind == "binary" {
        let decoded = STANDARD.decode(text.replace(['\n', '\r'], ""));
        let decoded = decoded.map_err(|_| "!!binary is not base64".to_owned())?;
        return Ok(String::from_utf8_lossy(&decoded).into());
    }
    let value = resolve(text)?;
    let fits = match kind {
        "bool" => value.is_boolean(),
        "int" => value.is_i64() || value.is_u64(),
        "float" => value.is_number(),
        "null" => value.is_null(),
        "timestamp" => value.is_string(),
        _ => return Ok(text.into()),
    };
    match fits {
        true => Ok(value),
        false => Err(format!("cannot decode {text:?} as a !!{kind}")),
    }
}

/// A key as text: JSON has no others.
///
/// # Errors
/// When the key is not a scalar.
pub fn key(value: Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        Value::Null => Err("a key is null".into()),
        Value::Array(_) | Value::Object(_) => Err("a key is a list or an object".into()),
    }
}

/// As `strconv.ParseInt` reads it with base 0.
fn integer(text: &str) -> Option<Option<Number>> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let (base, digits) = match lower.split_at_checked(2) {
        Some(("0x", rest)) => (16, rest),
        Some(("0o", rest)) => (8, rest),
        Some(("0b", rest)) => (2, rest),
        Some((start, _)) if start.starts_with('0') => (8, lower.strip_prefix('0').unwrap_or_default()),
        _ => (10, lower.as_str()),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let number = i128::from_str_radix(digits, base).ok()?;
    let number = if negative { -number } else { number };
    Number::from_i128(number).map(Some)
}

/// A decimal number with an optional fraction and exponent.
fn is_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (number, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, Some(exponent)),
        None => (unsigned, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_number = digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty());
    is_number
        && exponent.is_none_or(|text| {
            let text = text.strip_prefix(['+', '-']).unwrap_or(text);
            !text.is_empty() && digits(text)
        })
}

/// A float as Go writes it into JSON: one without a fraction has no decimal point, and reads back as an integer.
fn float(number: f64) -> Option<Number> {
    // Below this bound every integer is exact.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() < EXACT {
        return Number::from_i128(number as i128);
    }
    Number::from_f64(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn plain_scalars_have_the_types_of_yaml_1_1() {
        for (text, value) in [
            ("yes", json!(true)),
            ("On", json!(true)),
            ("y", json!(true)),
            ("NO", json!(false)),
            ("n", json!(false)),
            ("oN", json!("oN")),
            ("~", json!(null)),
            ("0644", json!(420)),
            ("0o17", json!(15)),
            ("0x1F", json!(31)),
            ("0b101", json!(5)),
            ("-0b11", json!(-3)),
            ("08", json!(8)),
            ("1_000", json!(1000)),
            ("+7", json!(7)),
            ("1:30", json!("1:30")),
            ("2027-01-01", json!("2027-01-01")),
            ("1e3", json!(1000)),
            ("1.50", json!(1.5)),
            (".5", json!(0.5)),
            ("5.", json!(5)),
            ("1e999", json!("1e999")),
            ("18446744073709551615", json!(18_446_744_073_709_551_615_u64)),
            ("0", json!(0)),
            ("-", json!("-")),
            ("+-1", json!("+-1")),
            ("100m", json!("100m")),
            ("=", json!("=")),
        ] {
            assert_eq!(resolve(text), Ok(value), "{text}");
        }
        assert!(resolve(".inf").is_err());
    }

    #[test]
    fn a_tag_decides_about_the_type() {
        let tagged = |kind: &str, text: &str| resolve_tagged(&format!("tag:yaml.org,2002:{kind}"), text);
        assert_eq!(tagged("str", "5"), Ok(json!("5")));
        assert_eq!(tagged("int", "5"), Ok(json!(5)));
        assert_eq!(tagged("int", "five"), Err("cannot decode \"five\" as a !!int".into()));
        assert_eq!(resolve_tagged("!mine", "5"), Ok(json!("5")));
    }
}
