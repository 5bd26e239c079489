//! Marks of footnotes: `①`, `¹`, `[1]`, `※`. The reader of HTML and DOCX writes raised digits as `¹`.
//!
//! NFKC turns `24①` and `24¹` into `241`, so the marks have to go before a text is folded.

use gongkai_model::is_han;
use unicode_normalization::UnicodeNormalization;

/// Returns true for a character that means a digit and is not one, and for raised letters: `①`, `¹`, `⑴`, `₂`, `ᵃ`.
pub(crate) fn is_note_mark(c: char) -> bool {
    if c.is_ascii() || is_han(c) || ('\u{ff01}'..='\u{ff5e}').contains(&c) {
        return false;
    }
    matches!(c, '\u{2460}'..='\u{24ff}' | '\u{2776}'..='\u{2793}' | 'ᵃ' | 'ᵇ' | 'ᶜ' | 'ᵈ' | 'ᵉ')
        || std::iter::once(c).nfkc().any(|folded| folded.is_ascii_digit())
}

/// Returns true for the other characters of a mark: brackets, 注 and signs.
fn is_part(c: char) -> bool {
    is_sign(c)
        || matches!(
            c,
            '[' | ']' | '［' | '］' | '〔' | '〕' | '【' | '】' | '(' | ')' | '（' | '）' | '注' | '、' | ' '
        )
}

fn is_sign(c: char) -> bool {
    matches!(c, '※' | '*' | '＊' | '†' | '‡' | '★' | '☆')
}

/// Returns the text without the mark at its end. A text that is only a mark stays as it is.
pub(crate) fn without(text: &str) -> &str {
    let rest = without_note_word(without_number_in_brackets(text));
    let head = rest.trim_end_matches(|c| is_note_mark(c) || is_part(c));
    let tail = rest.get(head.len()..).unwrap_or_default();
    let marked = tail.contains(|c| is_note_mark(c) || is_sign(c));
    let rest = if marked { head } else { rest };
    if rest.trim().is_empty() { text } else { rest.trim_end() }
}

/// Removes `注`, `（注）`, `注1` after a digit.
fn without_note_word(text: &str) -> &str {
    let bare = text.trim_end_matches(['）', ')', ']', '］', '】']);
    let bare = bare.trim_end_matches(|c: char| c.is_ascii_digit() || is_note_mark(c));
    let Some(head) = bare.strip_suffix('注') else { return text };
    let head = head.trim_end_matches(['（', '(', '[', '［', '【', ' ']);
    if head.ends_with(|c: char| c.is_ascii_digit()) { head } else { text }
}

/// Removes `[1]` after a digit.
fn without_number_in_brackets(text: &str) -> &str {
    let Some(inner) = text.strip_suffix([']', '］', '〕']) else { return text };
    let Some(at) = inner.rfind(['[', '［', '〔']) else { return text };
    let (head, note) = inner.split_at(at);
    let note = note.trim_start_matches(['[', '［', '〔', '注', ' ']);
    let counts = (1..=2).contains(&note.len()) && note.bytes().all(|b| b.is_ascii_digit());
    let follows = head.trim_end().ends_with(|c: char| c.is_ascii_digit() || is_part(c));
    if counts && follows { head.trim_end() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_goes_and_a_number_stays() {
        for (text, expect) in [
            ("317①", "317"),
            ("317¹²", "317"),
            ("317[3]", "317"),
            ("317（注①）", "317"),
            ("317注", "317"),
            ("317（注）", "317"),
            ("317注2", "317"),
            ("317ᵃ", "317"),
            ("规章（注）", "规章（注）"),
            ("317（其中修订 16 件）", "317（其中修订 16 件）"),
            ("317（3）", "317（3）"),
            ("规章②", "规章"),
            ("①", "①"),
            ("317", "317"),
        ] {
            assert_eq!(without(text), expect, "{text:?}");
        }
    }

    #[test]
    fn digits_of_any_width_are_no_marks() {
        assert!("0９一x（".chars().all(|c| !is_note_mark(c)));
        assert!("①¹⑴₂⒈㈠".chars().filter(|c| *c != '㈠').all(is_note_mark));
    }
}
