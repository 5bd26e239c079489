//! Text of sheets with two pages side by side. The pages are put one after the other.

use std::ops::Range;

use super::lines;
use crate::source_text::SourceText;

/// Minimum number of columns of a page.
const NARROWEST: usize = 16;

/// Spaces between two pages.
const GUTTER: &str = "  ";

/// Minimum number of lines with text on both pages.
const FEWEST_LINES: usize = 10;

/// How programs count the columns that a character takes.
pub(super) const WIDTHS: [fn(char) -> usize; 3] = [width, |c| if c.is_ascii() { 1 } else { 2 }, |_| 1];

/// The way of [`WIDTHS`] that counts every character beyond ASCII as two, and the one that counts scalars.
pub(super) const IN_COLUMNS: usize = 1;
pub(super) const IN_SCALARS: usize = 2;

/// Returns the sizes of a text in all ways of [`WIDTHS`], in one pass.
pub(super) fn sizes(text: &str) -> [usize; WIDTHS.len()] {
    text.chars().fold([0; WIDTHS.len()], |[full, columns, scalars], c| {
        if c.is_ascii() {
            [full + 1, columns + 1, scalars + 1]
        } else {
            [full + width(c), columns + 2, scalars + 1]
        }
    })
}

/// Returns the text page by page, or `None` unless a chapter's title is at the top of a second column of text.
pub(super) fn apart(source: &SourceText) -> Option<SourceText> {
    let text = source.as_str();
    if !text.contains(GUTTER) {
        return None;
    }
    let title = title_behind_gutter(text)?;
    WIDTHS.into_iter().find_map(|width| {
        let column = columns(text.get(title.clone())?, width);
        pages(text, column, width).map(|pages| source.rearranged(&pages))
    })
}

/// Returns the bytes of a line before a chapter's title that stands behind other text or far from the margin.
fn title_behind_gutter(text: &str) -> Option<Range<usize>> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let body = line.trim_end();
        let cut = body.rfind(GUTTER).map(|at| at + GUTTER.len()).filter(|at| *at > NARROWEST);
        if let Some(at) = cut.filter(|at| body.get(*at..).is_some_and(lines::is_title)) {
            return Some(start..start + at);
        }
        start += line.len();
    }
    None
}

/// Returns the lines of the left and then of the right page, or `None` if a line has text in the gutter.
fn pages(text: &str, column: usize, width: fn(char) -> usize) -> Option<Vec<Range<usize>>> {
    let (mut left, mut right) = (Vec::new(), Vec::new());
    let (mut start, mut both) = (0, 0);
    for line in text.split_inclusive('\n') {
        let body = line.trim_end_matches(['\n', '\r']);
        let cut = cut(body, column, width)?;
        let before = body.get(..cut).unwrap_or_default();
        let has_both = !before.trim().is_empty() && cut < body.len();
        if cut < body.len() && !before.ends_with(GUTTER) {
            return None;
        }
        both += usize::from(has_both);
        left.push(start..start + before.trim_end().len());
        right.push(start + cut..start + body.len());
        start += line.len();
    }
    left.append(&mut right);
    (both >= FEWEST_LINES).then_some(left)
}

/// Returns the byte at a column; the end of the line if it is shorter, and `None` if a character extends over the column.
fn cut(line: &str, column: usize, width: fn(char) -> usize) -> Option<usize> {
    let mut passed = 0;
    for (at, c) in line.char_indices() {
        if passed >= column {
            return (passed == column).then_some(at);
        }
        passed += width(c);
    }
    Some(line.len())
}

fn columns(text: &str, width: fn(char) -> usize) -> usize {
    text.chars().map(width).sum()
}

/// Returns the columns that a terminal gives a character.
fn width(c: char) -> usize {
    let is_wide = matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}')
        || matches!(c, '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}' | '\u{20000}'..);
    if is_wide { 2 } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns twelve lines of both pages.
    fn sheet(gap: &str) -> String {
        let rows = format!("规章 12 3 40                {gap}许可 7\n").repeat(11);
        format!("二、主动公开政府信息情况    {gap}六、其他需要报告的事项\n{rows}")
    }

    #[test]
    fn the_right_page_comes_behind_the_left() {
        let apart = apart(&SourceText::verbatim(sheet("  "))).unwrap();
        let lines: Vec<&str> = apart.as_str().lines().collect();
        assert_eq!(
            (lines[0], lines[1], lines[12], lines[13]),
            ("二、主动公开政府信息情况", "规章 12 3 40", "六、其他需要报告的事项", "许可 7",)
        );
        let at = apart.as_str().find("许可").map(|at| apart.as_str()[..at].chars().count()).unwrap();
        let original = sheet("  ").chars().collect::<Vec<_>>();
        let span = apart.span(at, at + 2);
        assert_eq!(original[span.start as usize..span.end as usize].iter().collect::<String>(), "许可");
    }

    #[test]
    fn a_table_with_columns_stays_as_it_is() {
        let table = "二、主动公开政府信息情况\n".to_owned() + &"规章                  12     3\n".repeat(12);
        assert_eq!(apart(&SourceText::verbatim(table)), None);
        let crossed = sheet("  ") + "一行穿过两页之间空白处的文字一行穿过两页之间空白处的文字\n";
        assert_eq!(apart(&SourceText::verbatim(crossed)), None);
    }
}
