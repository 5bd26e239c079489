//! Bytes to text.

use gongkai_model::{Note, Rejection};

use crate::Hints;

/// Decoded text.
pub(crate) struct Decoded {
    pub(crate) text: String,
    pub(crate) charset: &'static str,
    pub(crate) notes: Vec<Note>,
}

pub(crate) fn decode(bytes: &[u8], _hints: &Hints<'_>) -> Result<Decoded, Rejection> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    Ok(Decoded { text, charset: "utf-8", notes: Vec::new() })
}
