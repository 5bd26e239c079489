//! Rows whose values are separated by signs, rewritten with bars: `规章 / 12 / 3`, `规章：12，3，40`, `规章 = 12 3 40`.

use std::ops::Range;

use super::lines;
use crate::source_text::SourceText;

/// Minimum number of values of a wide row, and of such rows.
const WIDE: usize = 7;
const FEWEST_ROWS: usize = 10;

/// Minimum number of values of a wide row that are not blank.
const FEWEST_FILLED: usize = 4;

/// Maximum length of a title, in bytes.
const LONGEST_TITLE: usize = 150;

/// How the rows of a text are written.
#[derive(Debug, Clone, Copy)]
enum Style {
    /// This sign is between the label and the values, and any separator between values.
    Led(&'static str),
    /// This sign is between all cells.
    Same(&'static str),
}

const STYLES: [Style; 12] = [
    Style::Led("："),
    Style::Led(":"),
    Style::Led("="),
    Style::Led("->"),
    Style::Led("→"),
    Style::Same(" / "),
    Style::Same("；"),
    Style::Same("、"),
    Style::Same(" ; "),
    Style::Same(" · "),
    Style::Same("\\"),
    Style::Same(" & "),
];

/// Separators of values behind a label.
const SEPARATORS: [&str; 4] = ["，", "、", ",", " "];

/// Returns the text with bars around the cells of such rows, or `None` if it has no such table.
pub(super) fn barred(source: &SourceText) -> Option<SourceText> {
    let text = source.as_str();
    let counts = Counts::of(text);
    let is_usual = |style: &&Style| match style {
        Style::Led(lead) => counts.get(lead) >= FEWEST_ROWS,
        Style::Same(sign) => counts.get(sign) >= FEWEST_ROWS * (WIDE - 1),
    };
    let mut styles = STYLES.iter().filter(is_usual).peekable();
    styles.peek()?;
    let lines: Vec<Range<usize>> = lines_of(text).collect();
    let bodies = lines.iter().filter_map(|line| text.get(line.clone()));
    let candidates: Vec<&str> = bodies.filter(|body| is_candidate(body)).collect();
    styles.find_map(|style| {
        if candidates.iter().filter(|line| style.may_be_wide(line)).count() < FEWEST_ROWS {
            return None;
        }
        let rows: Vec<Option<Row>> = lines.iter().map(|line| style.row(text, line.clone())).collect();
        let is_wide = |row: &&Row| row.values >= WIDE && row.filled >= FEWEST_FILLED;
        if rows.iter().flatten().filter(is_wide).count() < FEWEST_ROWS {
            return None;
        }
        // Fields such as a date or a telephone number are before the first chapter.
        let is_title = |line: &Range<usize>| text.get(line.clone()).is_some_and(lines::is_title);
        let title = lines.iter().position(is_title).unwrap_or_default();
        let first = title + rows.iter().skip(title).position(Option::is_some)?;
        let last = rows.iter().rposition(Option::is_some)?;
        // The header of a table is right above its first row.
        let inside = first.saturating_sub(1)..=last;
        let changes = rows.into_iter().enumerate().filter(|(at, _)| inside.contains(at));
        let changes = changes.filter_map(|(at, row)| {
            let line = lines.get(at)?.clone();
            let cuts = row.map(|row| row.cuts).or_else(|| style.titles(text, line.clone()))?;
            Some(bars(line, cuts))
        });
        Some(source.replaced(changes.flatten()))
    })
}

/// Signs that may stand between cells.
const SIGNS: [char; 12] = ['：', ':', '=', '>', '→', '、', '/', '；', ';', '·', '\\', '&'];

/// How often a text has each of the signs.
struct Counts([usize; SIGNS.len()]);

impl Counts {
    fn of(text: &str) -> Self {
        let mut counts = [0; SIGNS.len()];
        // Han characters are no signs, and most of a text.
        for c in text.chars().filter(|c| !('\u{3400}'..='\u{9fff}').contains(c) && !c.is_ascii_digit()) {
            let at = SIGNS.iter().position(|sign| *sign == c);
            if let Some(count) = at.and_then(|at| counts.get_mut(at)) {
                *count += 1;
            }
        }
        Self(counts)
    }

    /// Returns the count of a sign, which may have other characters around it.
    fn get(&self, sign: &str) -> usize {
        let at = SIGNS.iter().position(|own| sign.trim().ends_with(*own));
        at.and_then(|at| self.0.get(at)).copied().unwrap_or_default()
    }
}

/// A row of values.
struct Row {
    /// Number of values, and of those that are not blank.
    values: usize,
    filled: usize,
    /// The signs between the cells.
    cuts: Vec<Range<usize>>,
}

impl Style {
    /// Returns true if a line has enough signs for a wide row. This is the fast path.
    fn may_be_wide(self, line: &str) -> bool {
        match self {
            Self::Led(lead) => line.rfind(lead).is_some_and(|at| line.len() - at >= WIDE + FEWEST_FILLED),
            Self::Same(sign) => line.matches(sign).nth(WIDE - 2).is_some(),
        }
    }

    /// Returns a line as a row, or `None` if it has no value or is a sentence.
    fn row(self, text: &str, line: Range<usize>) -> Option<Row> {
        let body = text.get(line.clone()).filter(|body| is_candidate(body))?;
        match self {
            Self::Led(lead) => {
                let at = line.start + body.rfind(lead)?;
                let rest = at + lead.len()..line.end;
                let lead = at..at + lead.len();
                SEPARATORS.iter().find_map(|between| {
                    let signs = signs(text, rest.clone(), between);
                    let row = Row::of(text, rest.clone(), &signs)?;
                    let cuts = std::iter::once(lead.clone()).chain(signs.iter().cloned()).collect();
                    (row.values == signs.len() + 1).then_some(Row { cuts, ..row })
                })
            }
            Self::Same(between) => {
                let signs = signs(text, line.clone(), between);
                Row::of(text, line, &signs).filter(|_| !signs.is_empty())
            }
        }
    }

    /// Returns the signs between the titles of a header's row.
    fn titles(self, text: &str, line: Range<usize>) -> Option<Vec<Range<usize>>> {
        let Self::Same(between) = self else { return None };
        text.get(line.clone()).filter(|body| is_candidate(body))?;
        let signs = signs(text, line.clone(), between);
        let is_short = |cell: Range<usize>| cell.len() <= LONGEST_TITLE;
        (!signs.is_empty() && cells(line, &signs).into_iter().all(is_short)).then_some(signs)
    }
}

impl Row {
    /// Returns the cells between signs as a row, or `None` if it has no value.
    fn of(text: &str, line: Range<usize>, signs: &[Range<usize>]) -> Option<Self> {
        let cells = cells(line, signs);
        let body = |cell: &Range<usize>| text.get(cell.clone()).unwrap_or_default().trim();
        let is_value = |cell: &&Range<usize>| body(cell).is_empty() || is_value(body(cell));
        let values = cells.iter().rev().take_while(is_value).count();
        let own = cells.get(cells.len() - values..)?;
        let filled = own.iter().filter(|cell| !body(cell).is_empty()).count();
        (filled > 0).then(|| Self { values, filled, cuts: signs.to_vec() })
    }
}

/// Returns the places of the sign between values.
fn signs(text: &str, within: Range<usize>, between: &str) -> Vec<Range<usize>> {
    let body = text.get(within.clone()).unwrap_or_default();
    let start = within.start + (body.len() - body.trim_start().len());
    let places = body.trim().match_indices(between).map(|(at, sign)| (start + at, sign.len()));
    places.map(|(at, length)| at..at + length).collect()
}

/// Returns true for a line that is no title, sentence or row with bars.
fn is_candidate(line: &str) -> bool {
    !line.contains(['。', '|', '\t']) && !lines::is_title(line)
}

fn is_value(text: &str) -> bool {
    lines::is_number(text) || lines::is_mark(text)
}

/// Returns the cells between signs.
fn cells(line: Range<usize>, signs: &[Range<usize>]) -> Vec<Range<usize>> {
    let starts = std::iter::once(line.start).chain(signs.iter().map(|sign| sign.end));
    let ends = signs.iter().map(|sign| sign.start).chain([line.end]);
    starts.zip(ends).map(|(start, end)| start..end.max(start)).collect()
}

/// Returns the changes that put bars in the place of signs and around the line.
fn bars(line: Range<usize>, cuts: Vec<Range<usize>>) -> Vec<(Range<usize>, String)> {
    let bar = |place: Range<usize>| (place, "|".to_owned());
    let ends = [line.start..line.start, line.end..line.end];
    let [first, last] = ends;
    std::iter::once(first).chain(cuts).chain([last]).map(bar).collect()
}

/// Returns the lines without white space behind them.
pub(super) fn lines_of(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    text.split_inclusive('\n').map(move |line| {
        let own = start..start + line.trim_end().len();
        start += line.len();
        own
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Option<&str>) {
        let source = SourceText::verbatim(text.to_owned());
        let barred = barred(&source);
        let first = barred.as_ref().map(|text| text.as_str().lines().take(2).collect::<Vec<_>>().join("\n"));
        assert_eq!(first.as_deref(), expect, "{text}");
    }

    #[test]
    fn values_behind_a_label_become_cells() {
        let row = "（一）予以公开：1，2，，4，5，/，12\n";
        check(
            &format!("行政许可：7\n{}", row.repeat(10)),
            Some("|行政许可|7|\n|（一）予以公开|1|2||4|5|/|12|"),
        );
        check(&row.repeat(9), None);
        check(&"2023年情况：公开1条，2条，3条，4条，5条，6条，7条\n".repeat(10), None);
    }

    #[test]
    fn values_between_signs_become_cells() {
        for (sign, expect) in [(" / ", "|予以公开|31|2|4|5|6|7|55|"), ("；", "|予以公开|31|2|4|5|6|7|55|")]
        {
            let row = ["予以公开", "31", "2", "4", "5", "6", "7", "55"].join(sign);
            let title = ["自然人", "总计"].join(sign);
            check(
                &format!("{title}\n{}", format!("{row}\n").repeat(10)),
                Some(&format!("|自然人|总计|\n{expect}")),
            );
        }
        let row = "予以公开=31 2 4 5 6 7 55\n";
        check(&row.repeat(10), Some("|予以公开|31|2|4|5|6|7|55|\n|予以公开|31|2|4|5|6|7|55|"));
    }
}
