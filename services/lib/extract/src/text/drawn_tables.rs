//! Tables of box-drawing characters, and with rules of plus signs, rewritten with bars.

use std::ops::Range;

use crate::source_text::SourceText;

/// Returns the text with bars between the cells of such tables, or `None` if it has none.
pub(super) fn barred(source: &SourceText) -> Option<SourceText> {
    let text = source.as_str();
    if text.contains(['│', '┃', '║', '｜', '¦']) {
        return Some(source.replaced(text.char_indices().filter_map(|(at, c)| {
            let bar = match c {
                '│' | '┃' | '║' | '｜' | '¦' | '\u{250c}'..='\u{254b}' | '\u{2552}'..='\u{256c}' => {
                    "|"
                }
                '─' | '━' | '═' => "-",
                _ => return None,
            };
            Some((at..at + c.len_utf8(), bar.to_owned()))
        })));
    }
    let has_rules = text.contains("--+") || text.contains("==+");
    has_rules.then(|| source.replaced(plus_rules(text)))
}

/// Returns the changes that turn `+---+===+` into `|---|---|`.
fn plus_rules(text: &str) -> Vec<(Range<usize>, String)> {
    let mut changes = Vec::new();
    let mut first = 0;
    for line in text.split_inclusive('\n') {
        let rule = line.trim();
        let is_rule = rule.starts_with('+')
            && rule.ends_with('+')
            && rule.bytes().all(|byte| matches!(byte, b'+' | b'-' | b'=' | b':'));
        if is_rule {
            let new = |byte: u8| if byte == b'+' { "|" } else { "-" };
            let bytes = line.bytes().enumerate().filter(|(_, byte)| matches!(byte, b'+' | b'='));
            changes.extend(bytes.map(|(at, byte)| (first + at..first + at + 1, new(byte).to_owned())));
        }
        first += line.len();
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        let source = SourceText::verbatim(text.to_owned());
        assert_eq!(barred(&source).as_ref().map_or(text, SourceText::as_str), expect, "{text}");
    }

    #[test]
    fn boxes_become_bars() {
        check("┌──┬──┐\n│规章│ 7│\n└──┴──┘", "|--|--|\n|规章| 7|\n|--|--|");
    }

    #[test]
    fn rules_of_plus_signs_become_bars() {
        check("+--+--+\n|规章| 7|\n+==+==+\n1 + 2", "|--|--|\n|规章| 7|\n|--|--|\n1 + 2");
    }
}
