//! Makes untrusted text safe to show in a terminal, a log, a status or an event.
//!
//! Names, annotations, termination messages and answers of servers can contain characters that move the cursor, begin a line or change
//! the writing direction. Each such character becomes a visible escape; none is dropped. JSON keeps its data: [`json_escaped`].

use std::borrow::Cow;
use std::fmt::Write;

/// Whether a character is invisible or changes how others are displayed: control characters (C0, DEL, C1), line and paragraph separators,
/// bidirectional controls, zero-width characters and noncharacters.
#[must_use]
pub fn is_unprintable(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{fffe}'..='\u{ffff}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// The text as one line that is safe to show: line feeds, carriage returns and tabs become spaces, other unprintable characters escapes
/// such as `\u{1b}`.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    replaced(text, is_unprintable, |character, out| match character {
        '\n' | '\r' | '\t' => out.push(' '),
        other => out.extend(other.escape_unicode()),
    })
}

/// The same for text of several lines: line feeds and tabs stay. Only for text whose line feeds are trusted.
#[must_use]
pub fn printable_lines(text: &str) -> Cow<'_, str> {
    let unprintable = |character| is_unprintable(character) && !matches!(character, '\n' | '\t');
    replaced(text, unprintable, |character, out| match character {
        '\r' => out.push(' '),
        other => out.extend(other.escape_unicode()),
    })
}

/// The same as [`printable`], but escape sequences that set colours stay. Only for text whose colours are trusted.
#[must_use]
pub fn printable_coloured(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for (number, piece) in text.split("\x1b[").enumerate() {
        let rest = piece.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        match rest.strip_prefix('m') {
            _ if number == 0 => out.push_str(&printable(piece)),
            Some(after) => {
                out.extend(["\x1b[", piece.strip_suffix(after).unwrap_or_default(), &printable(after)]);
            }
            None => out.extend(["\\u{1b}[", &printable(piece)]),
        }
    }
    Cow::Owned(out)
}

/// JSON with the same data, in whose strings unprintable characters are escaped. Outside of strings there are none but whitespace, which
/// stays.
#[must_use]
pub fn json_escaped(json: &str) -> Cow<'_, str> {
    let unprintable = |character| is_unprintable(character) && !matches!(character, '\n' | '\r' | '\t');
    replaced(json, unprintable, |character, out| {
        for unit in character.encode_utf16(&mut [0; 2]) {
            let _ = write!(out, "\\u{unit:04x}");
        }
    })
}

/// The text, cut after `max` characters and marked with `…` if it is longer.
#[must_use]
pub fn shortened(mut text: String, max: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(max) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// Replaces special characters; borrows the text if it has none.
fn replaced(text: &str, special: impl Fn(char) -> bool, write: impl Fn(char, &mut String)) -> Cow<'_, str> {
    if !text.contains(&special) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for character in text.chars() {
        if special(character) {
            write(character, &mut out);
        } else {
            out.push(character);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All characters of Unicode.
    fn all() -> String {
        ('\0'..=char::MAX).collect()
    }

    #[test]
    fn a_line_has_no_unprintable_characters() {
        for (text, shown) in [
            ("nightly", "nightly"),
            ("café 日本 🙂", "café 日本 🙂"),
            ("a\nb\tc\r\nd", "a b c  d"),
            ("\x1b]0;gone\x07\x1b[2J", "\\u{1b}]0;gone\\u{7}\\u{1b}[2J"),
            ("\u{9b}31m\u{7f}", "\\u{9b}31m\\u{7f}"),
            ("gnp.\u{202e}exe", "gnp.\\u{202e}exe"),
            ("a\u{2066}b\u{61c}c\u{200b}d\u{feff}", "a\\u{2066}b\\u{61c}c\\u{200b}d\\u{feff}"),
            ("x\u{2028}y\u{85}z\u{e0041}", "x\\u{2028}y\\u{85}z\\u{e0041}"),
        ] {
            assert_eq!(printable(text), shown);
        }
        assert!(!printable(&all()).contains(is_unprintable));
        assert!(matches!(printable("as it was"), Cow::Borrowed("as it was")));
    }

    #[test]
    fn lines_keep_line_feeds_and_tabs_only() {
        assert_eq!(printable_lines("a\tb\r\nc\x1b[2J\n"), "a\tb \nc\\u{1b}[2J\n");
        let left: String = printable_lines(&all()).chars().filter(|c| is_unprintable(*c)).collect();
        assert_eq!(left, "\t\n");
    }

    #[test]
    fn colours_stay_and_other_sequences_do_not() {
        for (text, shown) in [
            ("plain", "plain"),
            ("\x1b[31mred\x1b[0m\x1b[1;4mx", "\x1b[31mred\x1b[0m\x1b[1;4mx"),
            ("\x1b[31", "\\u{1b}[31"),
            ("\x1b[2J\x1b[31m\n\x1b]8;;\x07", "\\u{1b}[2J\x1b[31m \\u{1b}]8;;\\u{7}"),
            ("\x1b[?25l\x1b[5A\x1b", "\\u{1b}[?25l\\u{1b}[5A\\u{1b}"),
        ] {
            assert_eq!(printable_coloured(text), shown);
        }
    }

    #[test]
    fn json_reads_back_as_the_same_text() {
        for text in [all(), "a\u{202e}\"\\\u{e0041}\n\r\t\u{85}\u{2028}\x1b".to_owned(), String::new()] {
            let json = serde_json::to_string(&text).unwrap();
            let json = json_escaped(&json);
            assert!(!json.contains(is_unprintable));
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
        assert_eq!(json_escaped("{\n  \"a\": \"\u{202e}\"\n}"), "{\n  \"a\": \"\\u202e\"\n}");
    }
}
