//! Invisible characters. Every reader drops them, because two names that look the same would otherwise differ.

/// Returns true for zero-width characters, marks and overrides of direction, byte order marks and soft hyphens.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}')
}
