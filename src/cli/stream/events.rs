//! Looks at the structure of a YAML text before any of it is built: how deep it is, and how many values it holds.
//!
//! `serde_yaml` collects all events of a document before it hands out the first, and its scanner takes a step for each open bracket at each
//! token: 200 KB of `[` cost it half a minute. The same scanner, asked event by event, is stopped at the first level too many. It has to be
//! the same one: a second opinion on what is a bracket and what is text would leave a gap to hide in. Never judges syntax: that is told
//! by whoever reads the text afterwards.

#![expect(
    unsafe_code,
    reason = "the scanner inside serde_yaml is C in Rust's clothes, and has no other interface to its events"
)]

use super::budget::{Exceeded, LEVELS, VALUES};
use anyhow::{Result, anyhow};
use std::mem::MaybeUninit;
use unsafe_libyaml::{
    YAML_ALIAS_EVENT, YAML_MAPPING_END_EVENT, YAML_MAPPING_START_EVENT, YAML_SCALAR_EVENT, YAML_SEQUENCE_END_EVENT,
    YAML_SEQUENCE_START_EVENT, YAML_STREAM_END_EVENT, YAML_UTF8_ENCODING, yaml_event_delete, yaml_event_t, yaml_event_type_t,
    yaml_parser_delete, yaml_parser_initialize, yaml_parser_parse, yaml_parser_set_encoding, yaml_parser_set_input_string, yaml_parser_t,
};

/// Counts the text up to its end, or to where its syntax is wrong.
///
/// # Errors
/// When it is deeper or holds more than a document may.
pub fn count(text: &str) -> Result<()> {
    let mut scanner = Scanner::new(text);
    let (mut levels, mut values) = (0_usize, 0);
    while let Some((event, line)) = scanner.next() {
        match event {
            YAML_SEQUENCE_START_EVENT | YAML_MAPPING_START_EVENT => levels += 1,
            YAML_SCALAR_EVENT | YAML_ALIAS_EVENT => {}
            YAML_SEQUENCE_END_EVENT | YAML_MAPPING_END_EVENT => {
                levels = levels.saturating_sub(1);
                continue;
            }
            _ => continue,
        }
        let exceeded = if levels > LEVELS {
            Exceeded::Levels
        } else if values >= VALUES {
            Exceeded::Values
        } else {
            values += 1;
            continue;
        };
        return Err(anyhow!("line {line}: {exceeded}"));
    }
    Ok(())
}

/// libyaml's parser over borrowed text.
struct Scanner<'text> {
    parser: Box<MaybeUninit<yaml_parser_t>>,
    ended: bool,
    _text: &'text str,
}

impl<'text> Scanner<'text> {
    fn new(text: &'text str) -> Self {
        let mut parser = Box::new(MaybeUninit::uninit());
        let raw = parser.as_mut_ptr();
        // SAFETY: `raw` is memory of a parser's size, which initialize fills before anything else touches it. It stays where it is, in
        // its box, until drop. The text outlives the parser, by the lifetime of the struct, and is not written to.
        let ready = unsafe {
            let ready = yaml_parser_initialize(raw).ok;
            if ready {
                yaml_parser_set_encoding(raw, YAML_UTF8_ENCODING);
                yaml_parser_set_input_string(raw, text.as_ptr(), text.len() as u64);
            }
            ready
        };
        // There is one way to fail, memory, and it aborts the process before.
        assert!(ready, "libyaml has memory for a parser");
        Self {
            parser,
            ended: false,
            _text: text,
        }
    }

    /// The next event and the line on which it begins; `None` at the end of the text, and from the first error on.
    fn next(&mut self) -> Option<(yaml_event_type_t, u64)> {
        if self.ended {
            return None;
        }
        let mut event = MaybeUninit::<yaml_event_t>::uninit();
        // SAFETY: `new` has initialized the parser. parse fills the event if it succeeds, and only then is it read and freed, once.
        let next = unsafe {
            if yaml_parser_parse(self.parser.as_mut_ptr(), event.as_mut_ptr()).ok {
                let next = ((*event.as_ptr()).type_, (*event.as_ptr()).start_mark.line + 1);
                yaml_event_delete(event.as_mut_ptr());
                Some(next)
            } else {
                None
            }
        };
        self.ended = next.is_none_or(|(kind, _)| kind == YAML_STREAM_END_EVENT);
        next
    }
}

impl Drop for Scanner<'_> {
    fn drop(&mut self) {
        // SAFETY: `new` has initialized the parser, and nothing has deleted it since.
        unsafe { yaml_parser_delete(self.parser.as_mut_ptr()) }
    }
}
