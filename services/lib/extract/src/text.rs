//! Reads flattened plain text: prose becomes paragraphs, and tables become grids without geometry.

mod bracketed_notes;
mod chapter_headings;
mod comma_values;
mod delimited_rows;
mod drawn_tables;
mod fixed_width;
mod flat;
mod inline_markup;
mod line_marks;
pub(crate) mod lines;
mod listed_values;
mod lone_bars;
mod markup_tables;
mod open_rows;
mod opened_cells;
mod ruled_rows;
pub(crate) mod run_together;
mod two_up;
mod wide_spaces;

use gongkai_model::{Block, Paragraph, Rejection, RejectionCode};

use self::lines::{Line, LineKind};
use crate::{limits::Limits, source_text::SourceText};

/// Minimum length of a line that a hard line break may have cut, in scalars.
const WRAPPED: usize = 24;

pub(crate) fn read(source: &SourceText, limits: &Limits) -> Result<Vec<Block>, Rejection> {
    let prepared = prepared(source);
    let source = prepared.as_ref().unwrap_or(source);
    blocks(source, &lines::classify(source), limits)
}

/// Returns the lines of a text with their kinds, as the readers see them.
pub(crate) fn explain(source: &SourceText) -> String {
    let prepared = prepared(source);
    let source = prepared.as_ref().unwrap_or(source);
    let line = |line: &Line<'_>| format!("  {:9} {}\n", format!("{:?}", line.kind), line.text.trim());
    lines::classify(source).iter().map(line).collect()
}

/// Returns the text as its lines are classified, or `None` if it is that already.
fn prepared(source: &SourceText) -> Option<SourceText> {
    let apart = two_up::apart(source);
    let source = apart.as_ref().unwrap_or(source);
    let joined = fixed_width::mended(source);
    plain(joined.as_ref().unwrap_or(source)).or(joined).or(apart)
}

/// Returns the text without marks before lines and markup inside them, and with bars between the cells of drawn and
/// separated tables, or `None` if it has none of these.
pub(crate) fn plain(source: &SourceText) -> Option<SourceText> {
    let without_marks = line_marks::removed(source);
    let source = without_marks.as_ref().unwrap_or(source);
    let without_markup = inline_markup::without(source);
    let source = without_markup.as_ref().unwrap_or(source);
    let barred = markup_tables::barred(source)
        .or_else(|| drawn_tables::barred(source))
        .or_else(|| delimited_rows::barred(source))
        .or_else(|| comma_values::barred(source))
        .or_else(|| wide_spaces::barred(source))
        .or_else(|| listed_values::unmarked(source));
    barred.or(without_markup).or(without_marks)
}

/// Returns the blocks of classified lines.
pub(crate) fn blocks(
    source: &SourceText,
    lines: &[Line<'_>],
    limits: &Limits,
) -> Result<Vec<Block>, Rejection> {
    let mut out = BlockList { source, limits, blocks: Vec::new(), open: None, cells: 0 };
    let mut rest = lines;
    while let Some(line) = rest.first() {
        let run = rest.iter().position(|l| !l.kind.fits_table()).unwrap_or(rest.len());
        if run == 0 {
            out.prose(line);
            rest = rest.get(1..).unwrap_or_default();
        } else {
            let (inside, other) = rest.split_at(run);
            out.stretch(inside)?;
            rest = other;
        }
    }
    out.end_paragraph();
    let is_long = |text: &str| text.len() > limits.line_scalars && text.chars().count() > limits.line_scalars;
    let holds_long = |block: &Block| match block {
        Block::Paragraph(paragraph) => is_long(&paragraph.text),
        Block::Table(grid) => grid.cells.iter().any(|cell| is_long(&cell.text)),
    };
    if out.blocks.len() > limits.paragraphs || out.blocks.iter().any(holds_long) {
        return Err(too_large());
    }
    Ok(out.blocks)
}

struct BlockList<'a> {
    source: &'a SourceText,
    limits: &'a Limits,
    blocks: Vec<Block>,
    /// The paragraph under construction, with the scalars that it covers.
    open: Option<(String, usize, usize)>,
    cells: usize,
}

impl BlockList<'_> {
    /// Adds lines without prose: a table with labels around it, or just short lines.
    fn stretch(&mut self, lines: &[Line<'_>]) -> Result<(), Rejection> {
        let hard = |line: &&Line<'_>| {
            matches!(line.kind, LineKind::Bars | LineKind::Tabs | LineKind::Number | LineKind::Spaced)
        };
        let count = |kind: LineKind| lines.iter().filter(|line| line.kind == kind).count();
        let is_row = |line: &Line<'_>| line.is_cell || line.text.split_whitespace().nth(4).is_some();
        let row = lines.iter().any(|line| line.kind == LineKind::Number && is_row(line));
        let is_table = count(LineKind::Bars) > 0
            || count(LineKind::Tabs) > 1
            || count(LineKind::Number) + count(LineKind::Spaced) > 2
            || row;
        let ends = |line: &Line<'_>| hard(&line) || line.kind == LineKind::Mark;
        let end = if is_table { lines.iter().rposition(ends).map_or(0, |last| last + 1) } else { 0 };
        let (table, tail) = lines.split_at(end);
        // Short lines above bars are titles; above numbers they are the table's first labels.
        let first = table.iter().position(|line| hard(&line)).unwrap_or(0);
        let barred = table.get(first).is_some_and(|line| line.kind == LineKind::Bars);
        let (above, table) = table.split_at(if barred { first } else { 0 });
        above.iter().for_each(|line| self.prose(line));
        if !table.is_empty() {
            self.end_paragraph();
            let table: Vec<Line<'_>> = table.iter().map(Line::in_table).collect();
            let grid = flat::grid(self.source, &table, self.limits.cells - self.cells);
            self.cells += grid.cells.len();
            if self.cells > self.limits.cells
                || grid.rows > self.limits.rows
                || grid.columns > self.limits.columns
            {
                return Err(too_large());
            }
            if !grid.cells.is_empty() {
                self.blocks.push(Block::Table(grid));
            }
        }
        tail.iter().for_each(|line| self.prose(line));
        Ok(())
    }

    /// Adds a line of running text. It continues the open paragraph if a line break cut that, and otherwise opens
    /// one.
    fn prose(&mut self, line: &Line<'_>) {
        let text = line.text.trim();
        match line.kind {
            LineKind::PageNumber | LineKind::Separator => return,
            LineKind::Blank => return self.end_paragraph(),
            _ if text.is_empty() => return self.end_paragraph(),
            _ => {}
        }
        let start = line.first + line.text.chars().take_while(|c| c.is_whitespace()).count();
        let end = start + text.chars().count();
        let cut = line.kind != LineKind::Heading && !begins_paragraph(line.text);
        match &mut self.open {
            Some((open, _, last))
                if cut
                    && is_cut(open)
                    && !is_whole_title(text)
                    && !(line.kind == LineKind::Number && is_header(open)) =>
            {
                if open.ends_with(|c: char| c.is_ascii_alphanumeric())
                    && text.starts_with(|c: char| c.is_ascii_alphanumeric())
                {
                    open.push(' ');
                }
                open.push_str(text);
                *last = end;
            }
            _ => {
                self.end_paragraph();
                self.open = Some((text.to_owned(), start, end));
                if line.kind == LineKind::Heading {
                    self.end_paragraph();
                }
            }
        }
    }

    fn end_paragraph(&mut self) {
        if let Some((text, start, end)) = self.open.take() {
            let span = Some(self.source.span(start, end));
            self.blocks.push(Block::Paragraph(Paragraph { text, span, page: None }));
        }
    }
}

/// Returns true if the paragraph so far ends like a line that was broken for its length.
fn is_cut(open: &str) -> bool {
    let ended = open.ends_with(['。', '！', '？', '；', '：', ':', '”', '…', '.'])
        || ["报告", "年报", "年）", "年度）"].iter().any(|end| open.ends_with(end));
    !ended && open.chars().nth(WRAPPED - 1).is_some() && !is_of_page(open) && !is_decorated_title(open)
}

/// Returns true for the title of a report with words behind it: 关于公布《…年度报告》的公告, …年度报告（公开版）.
fn is_decorated_title(line: &str) -> bool {
    let Some((before, behind)) = line.rsplit_once("年度报告") else { return false };
    let behind = behind.trim_start_matches('》').trim();
    let is_short = behind.chars().nth(12).is_none();
    let is_notice =
        ["公告", "公示", "通知", "通告", "说明", "全文", "函"].iter().any(|end| behind.ends_with(end));
    let is_mark = behind.ends_with(|c: char| !c.is_alphabetic() && !matches!(c, '（' | '《' | '、'));
    let is_whole = before.matches('《').count() == line.matches('》').count();
    is_short && is_whole && (behind.is_empty() || is_notice || is_mark) && !before.contains(['，', ',', '。'])
}

/// Returns true for a text without punctuation, such as the titles of columns.
fn is_header(open: &str) -> bool {
    !open.contains(['。', '，', '；', '：', '、', '》'])
}

/// Returns true for the title of a report with its year. It is a line of its own.
fn is_whole_title(line: &str) -> bool {
    line.ends_with("年度报告")
        && line.contains("信息公开")
        && line.contains("20")
        && !line.contains(['，', ',', '《', '。'])
}

/// Returns true for breadcrumbs, and for a line of several fields such as `发布日期：2024-01-15 来源：某局`. Such a line
/// ends where it ends.
fn is_of_page(line: &str) -> bool {
    let is_long = line.contains(['。', '，', ',', '；', '《']);
    let colons = || line.chars().filter(|c| matches!(c, '：' | ':')).count();
    !is_long && (line.contains(['>', '＞', '»', '›', '→']) || colons() > 1)
}

/// Returns true if a line looks like the first of a paragraph.
fn begins_paragraph(line: &str) -> bool {
    let text = line.trim_start();
    let indent =
        line.chars().take_while(|c| c.is_whitespace()).map(|c| if c == '　' { 2 } else { 1 }).sum::<usize>();
    let rest = text.trim_start_matches(['（', '(']);
    let body = rest.trim_start_matches(lines::is_numeral);
    let enumerated = body.len() < rest.len()
        && (body.starts_with('、')
            || (rest.len() < text.len() && body.starts_with(['）', ')']))
            || (body.starts_with(['.', '．'])
                && !body.get(1..).is_some_and(|b| b.starts_with(|c: char| c.is_ascii_digit()))));
    enumerated || indent >= 2 || text.starts_with("注：")
}

fn too_large() -> Rejection {
    Rejection::new(
        RejectionCode::TooLarge,
        "文件中的表格或段落过多，超过上限；请只报送年度报告本身",
        "more table cells or paragraphs than the limit; send the annual report alone",
    )
}
