//! Says what the bytes are.

use gongkai_model::{MediaType, Rejection, RejectionCode};

use crate::{Hints, Limits};

pub(crate) fn screen(bytes: &[u8], limits: &Limits) -> Result<(), Rejection> {
    if bytes.len() > limits.input_bytes {
        return Err(Rejection::new(RejectionCode::TooLarge, "文件过大", "the file is too large"));
    }
    Ok(())
}

pub(crate) fn media_type(text: &str, hints: &Hints<'_>) -> MediaType {
    let named = hints.filename.is_some_and(|name| name.ends_with(".md"));
    if named || text.contains("|---") { MediaType::Markdown } else { MediaType::Text }
}
