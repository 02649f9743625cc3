//! JSON that is kept as text.
//!
//! A tree of small values takes twenty times its text, and what is in it need not be understood to be passed on. Written as it is
//! read, without a tree between.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// JSON as text, in its shortest form.
#[derive(Clone, Debug)]
pub struct Json(String);

impl Json {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Json {
    fn default() -> Self {
        Self("null".into())
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = serde_json::to_string(&serde_transcode::Transcoder::new(deserializer));
        text.map(Self).map_err(D::Error::custom)
    }
}
