//! A safe wrapper around libyaml's parser, which `serde_yaml` contains: text in, events with their positions out.
//!
//! `serde_yaml` itself cannot be used to read manifests. It implements YAML 1.2 while kubectl reads YAML 1.1, it does not tell quoted
//! scalars from plain ones, and it collects all events of a document before it returns the first, which takes half a minute for 200 KB of
//! `[`. The caller of this parser can stop at any event.

#![expect(unsafe_code, reason = "unsafe-libyaml has no safe interface")]

use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::ops::Range;
use unsafe_libyaml::{
    YAML_ALIAS_EVENT, YAML_DOCUMENT_START_EVENT, YAML_MAPPING_END_EVENT, YAML_MAPPING_START_EVENT, YAML_SCALAR_EVENT,
    YAML_SEQUENCE_END_EVENT, YAML_SEQUENCE_START_EVENT, YAML_STREAM_END_EVENT, YAML_UTF8_ENCODING, yaml_event_delete, yaml_event_t,
    yaml_parser_delete, yaml_parser_initialize, yaml_parser_parse, yaml_parser_set_encoding, yaml_parser_set_input_string, yaml_parser_t,
};

/// What the parser finds.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    DocumentStart,
    Alias(String),
    Scalar {
        value: String,
        /// Whether the value decides about the type: it is neither quoted nor tagged.
        plain: bool,
        anchor: Option<String>,
        tag: Option<String>,
    },
    SequenceStart {
        anchor: Option<String>,
    },
    MappingStart {
        anchor: Option<String>,
    },
    /// The end of a sequence or mapping.
    End,
}

/// An event and where it stands.
#[derive(Debug)]
pub struct Located {
    pub event: Event,
    /// Line, from 1.
    pub line: u64,
    /// Position in the text, in bytes, with quotes.
    pub span: Range<usize>,
}

/// The parser; an iterator over the events of all documents in a text.
pub struct Parser<'text> {
    parser: Box<MaybeUninit<yaml_parser_t>>,
    ended: bool,
    failed: bool,
    _text: &'text str,
}

impl<'text> Parser<'text> {
    pub fn new(text: &'text str) -> Self {
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
        // Initialization fails only without memory, and then the process has aborted.
        assert!(ready, "libyaml has memory for a parser");
        Self {
            parser,
            ended: false,
            failed: false,
            _text: text,
        }
    }

    /// Whether the parser stopped at a syntax error. libyaml's message is private; `serde_yaml` repeats it.
    pub fn has_failed(&self) -> bool {
        self.failed
    }
}

impl Iterator for Parser<'_> {
    type Item = Located;

    fn next(&mut self) -> Option<Located> {
        while !self.ended {
            let mut raw = MaybeUninit::<yaml_event_t>::uninit();
            // SAFETY: `new` has initialized the parser. parse fills the event if it succeeds, and only then is it read, and freed once.
            let event = unsafe {
                if !yaml_parser_parse(self.parser.as_mut_ptr(), raw.as_mut_ptr()).ok {
                    (self.ended, self.failed) = (true, true);
                    return None;
                }
                let raw_event = &*raw.as_ptr();
                self.ended = raw_event.type_ == YAML_STREAM_END_EVENT;
                let event = event(raw_event).map(|event| Located {
                    event,
                    line: raw_event.start_mark.line + 1,
                    span: position(raw_event.start_mark.index)..position(raw_event.end_mark.index),
                });
                yaml_event_delete(raw.as_mut_ptr());
                event
            };
            if event.is_some() {
                return event;
            }
        }
        None
    }
}

fn position(index: u64) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}

/// Copies an event; `None` for those that carry no information.
///
/// # Safety
/// The event was filled by the parser and is not freed yet, so that its type names the member of its data, and its pointers are valid.
unsafe fn event(raw: &yaml_event_t) -> Option<Event> {
    // SAFETY: the caller's promise. Anchors and tags are null or end with a zero; a scalar's value has its length.
    unsafe {
        let text = |pointer: *mut u8| (!pointer.is_null()).then(|| CStr::from_ptr(pointer.cast()).to_string_lossy().into_owned());
        Some(match raw.type_ {
            YAML_DOCUMENT_START_EVENT => Event::DocumentStart,
            YAML_ALIAS_EVENT => Event::Alias(text(raw.data.alias.anchor).unwrap_or_default()),
            YAML_SCALAR_EVENT => {
                let scalar = &raw.data.scalar;
                let length = usize::try_from(scalar.length).unwrap_or_default();
                Event::Scalar {
                    value: String::from_utf8_lossy(std::slice::from_raw_parts(scalar.value, length)).into_owned(),
                    plain: scalar.plain_implicit,
                    anchor: text(scalar.anchor),
                    tag: text(scalar.tag),
                }
            }
            YAML_SEQUENCE_START_EVENT => Event::SequenceStart {
                anchor: text(raw.data.sequence_start.anchor),
            },
            YAML_MAPPING_START_EVENT => Event::MappingStart {
                anchor: text(raw.data.mapping_start.anchor),
            },
            YAML_SEQUENCE_END_EVENT | YAML_MAPPING_END_EVENT => Event::End,
            _ => return None,
        })
    }
}

impl Drop for Parser<'_> {
    fn drop(&mut self) {
        // SAFETY: `new` has initialized the parser, and nothing has deleted it since.
        unsafe { yaml_parser_delete(self.parser.as_mut_ptr()) }
    }
}
