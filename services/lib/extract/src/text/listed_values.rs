//! Lists of values in Markdown, one value to an item. They lose the marks of their items.

use std::ops::Range;

use super::delimited_rows::lines_of;
use crate::source_text::SourceText;

/// Minimum number of items of a list of values.
const FEWEST_ITEMS: usize = 60;

/// Marks of items and of quoted lines in Markdown.
const MARKS: [char; 6] = ['-', '*', '+', '•', '·', '>'];

/// Returns the text without the marks of items, or `None` if it has no such list.
pub(super) fn unmarked(source: &SourceText) -> Option<SourceText> {
    let text = source.as_str();
    let marks: Vec<Range<usize>> = lines_of(text).filter_map(|line| mark(text, line)).collect();
    let is_list = marks.len() >= FEWEST_ITEMS;
    is_list.then(|| source.replaced(marks.into_iter().map(|mark| (mark, String::new()))))
}

/// Returns the mark of an item, the space before it and one behind it. `- 4 -` is a page number.
fn mark(text: &str, line: Range<usize>) -> Option<Range<usize>> {
    let body = text.get(line.clone())?;
    let item = body.trim_start();
    let rest = item.strip_prefix(MARKS)?;
    let behind = rest.strip_prefix(' ').filter(|behind| !behind.ends_with(MARKS))?;
    Some(line.start..line.end - behind.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_of_a_list_become_lines() {
        let check = |text: String, expect: Option<&str>| {
            let unmarked = unmarked(&SourceText::verbatim(text));
            let first =
                unmarked.as_ref().map(|text| text.as_str().lines().take(2).collect::<Vec<_>>().join("\n"));
            assert_eq!(first.as_deref(), expect);
        };
        check("- 规章\n  - 12\n".repeat(30), Some("规章\n12"));
        check("- 4 -\n规章\n".repeat(60), None);
        check("- 规章\n".repeat(20), None);
    }
}
