//! The pictures of a page.

use html5gum::{Token, Tokenizer};

/// Returns true if a page shows a picture.
pub(crate) fn is_shown(source: &str) -> bool {
    Tokenizer::new(source)
        .any(|Ok(token)| matches!(token, Token::StartTag(tag) if tag.name.as_slice() == b"img"))
}
