//! Assembles pages into blocks: joins what page breaks cut, and drops repeated headers and page numbers.

use gongkai_model::{Block, Cell, Paragraph, Rejection};

use super::{
    canvas::UNREADABLE,
    drawn_page::DrawnPage,
    lines::{self, MARGIN, TextLine},
    page_line::{PageLine, goes_on},
    rulings::{self, clustered},
    table::{self, PartCell, TablePart},
    unruled,
};
use crate::{grid, limits::Limits, reject, text::lines::is_item};

/// Maximum difference between the sides of two parts of one table, in points.
const SAME_SIDES: f64 = 8.0;

/// Maximum number of rows of a header that is printed again on the next page.
const MOST_HEADER_ROWS: usize = 6;

/// Maximum difference in height between a running header and its repetition on another page, in points.
const SAME_HEIGHT: f64 = 3.0;

/// Maximum number of different lines in the margins that are compared.
const MOST_RUNNING: usize = 64;

/// Builds blocks page by page.
pub(super) struct Assembler<'l> {
    limits: &'l Limits,
    pages: Vec<PageParts>,
    items: Vec<PageItem>,
    cells: usize,
    paragraphs: usize,
    /// Left and right end of the running text of the document.
    left: f64,
    right: f64,
}

/// The contents of a page.
struct PageParts {
    number: u32,
    height: f64,
    lines: Vec<TextLine>,
    parts: Vec<TablePart>,
}

/// A piece of a page, in reading order.
enum PageItem {
    Line(PageLine),
    Table(TablePart),
}

impl<'l> Assembler<'l> {
    pub(super) fn new(limits: &'l Limits) -> Self {
        Self {
            limits,
            pages: Vec::new(),
            items: Vec::new(),
            cells: 0,
            paragraphs: 0,
            left: f64::MAX,
            right: f64::MIN,
        }
    }

    /// Adds the next page.
    pub(super) fn page(&mut self, number: u32, page: &DrawnPage) -> Result<(), Rejection> {
        let mut taken = vec![false; page.glyphs.len()];
        let mut parts = Vec::new();
        for lattice in rulings::lattices(&page.rules) {
            parts.extend(table::read(&lattice, &page.glyphs, &mut taken, number));
        }
        self.cells += parts.iter().map(|part| part.cells.len()).sum::<usize>();
        if self.cells > self.limits.cells {
            return Err(reject::too_many_cells(self.limits));
        }
        let free = page.glyphs.iter().zip(&taken).filter(|(_, taken)| !**taken).map(|(glyph, _)| glyph);
        let mut lines = lines::lines(free);
        lines.retain(|line| !is_page_number(line, page.height));
        self.paragraphs += lines.len();
        if self.paragraphs > self.limits.paragraphs {
            return Err(reject::too_many_paragraphs(self.limits));
        }
        self.pages.push(PageParts { number, height: page.height, lines, parts });
        Ok(())
    }

    /// Joins the pages, without the lines that are printed on each of them.
    fn join_pages(&mut self) {
        let pages = std::mem::take(&mut self.pages);
        let running = RunningLines::of(&pages);
        for page in pages {
            let number = page.number;
            let kept = page.lines.into_iter().filter(|line| !running.has(line, page.height));
            let lines: Vec<TextLine> = kept.collect();
            self.left = lines.iter().map(|line| line.x0).fold(self.left, f64::min);
            self.right = lines.iter().map(|line| line.x1).fold(self.right, f64::max);
            let mut lines = lines.into_iter().peekable();
            for part in page.parts {
                while let Some(line) = lines.next_if(|line| line.y <= part.bottom) {
                    self.items.push(PageItem::Line(PageLine { line, page: number }));
                }
                self.table(part);
            }
            self.items.extend(lines.map(|line| PageItem::Line(PageLine { line, page: number })));
        }
    }

    /// Adds a table, or continues the one at the end of the previous page.
    fn table(&mut self, mut part: TablePart) {
        match self.items.last_mut() {
            Some(PageItem::Table(last)) if continues(last, &part) => join(last, part),
            _ => {
                self.doubt(&mut part);
                self.items.push(PageItem::Table(part));
            }
        }
    }

    /// Marks doubtful numbers at a page break with a line above the table's second part. If that line is a header,
    /// the part's first row may contain the rest of the row that was cut. The two halves of its numbers must then not
    /// be read as numbers.
    fn doubt(&mut self, part: &mut TablePart) {
        let Some(PageItem::Table(last)) =
            self.items.iter_mut().rev().find(|item| matches!(item, PageItem::Table(_)))
        else {
            return;
        };
        if continues(last, part) && goes_on_below(last, part) {
            doubt(last, part);
        }
    }

    pub(super) fn finish(mut self) -> Result<Vec<Block>, Rejection> {
        self.join_pages();
        let items = std::mem::take(&mut self.items);
        let is_ruled = items.iter().any(|item| matches!(item, PageItem::Table(_)));
        let mut blocks = Vec::new();
        let mut lines: Vec<PageLine> = Vec::new();
        for item in items {
            match item {
                PageItem::Line(line) => lines.push(line),
                PageItem::Table(part) => {
                    blocks.extend(self.text(&std::mem::take(&mut lines), is_ruled)?);
                    blocks.extend(table_blocks(part, self.limits)?);
                }
            }
        }
        blocks.extend(self.text(&lines, is_ruled)?);
        Ok(blocks)
    }

    /// Turns consecutive lines into running text or a table without rulings.
    fn text(&self, lines: &[PageLine], is_ruled: bool) -> Result<Vec<Block>, Rejection> {
        let is_spaced = |line: &PageLine| line.line.text.contains('\t');
        let is_table = if is_ruled { unruled::holds_table(lines) } else { lines.iter().any(is_spaced) };
        let sides = (self.left, self.right);
        if is_table { unruled::read(lines, sides, self.limits) } else { Ok(paragraphs(lines, sides)) }
    }
}

// === headers and footers ===

/// Lines at the same height on several pages, above or below the text.
struct RunningLines(Vec<(f64, String)>);

impl RunningLines {
    fn of(pages: &[PageParts]) -> Self {
        let mut seen: Vec<(f64, String, usize)> = Vec::new();
        for page in pages {
            for line in page.lines.iter().filter(|line| is_marginal(line, page.height)) {
                let text = without_numbers(&line.text);
                let room = seen.len() < MOST_RUNNING;
                match seen
                    .iter_mut()
                    .find(|(y, other, _)| (line.y - *y).abs() <= SAME_HEIGHT && *other == text)
                {
                    Some((_, _, pages)) => *pages += 1,
                    None if room => seen.push((line.y, text, 1)),
                    None => {}
                }
            }
        }
        // The first page may have no running lines, and even pages may have others than odd ones.
        let enough = (pages.len() / 2).max(2);
        seen.retain(|(_, text, pages)| *pages >= enough && !text.is_empty());
        Self(seen.into_iter().map(|(y, text, _)| (y, text)).collect())
    }

    fn has(&self, line: &TextLine, height: f64) -> bool {
        is_marginal(line, height)
            && self
                .0
                .iter()
                .any(|(y, text)| (line.y - *y).abs() <= SAME_HEIGHT && *text == without_numbers(&line.text))
    }
}

fn is_marginal(line: &TextLine, height: f64) -> bool {
    line.y < height * MARGIN || line.y > height * (1.0 - MARGIN)
}

fn without_numbers(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && !c.is_ascii_digit()).collect()
}

// === running text ===

fn paragraphs(lines: &[PageLine], sides: (f64, f64)) -> Vec<Block> {
    let mut paragraphs: Vec<Paragraph> = Vec::new();
    let mut above: Option<&PageLine> = None;
    for line in lines {
        match paragraphs.last_mut() {
            Some(open) if above.is_some_and(|above| goes_on(above, line, sides)) => {
                append(&mut open.text, &line.line.text);
            }
            _ => paragraphs.push(paragraph(line)),
        }
        above = Some(line);
    }
    paragraphs.into_iter().map(Block::Paragraph).collect()
}

fn paragraph(line: &PageLine) -> Paragraph {
    let text = line.line.text.replace('\t', " ").trim().to_owned();
    Paragraph { text, span: None, page: Some(line.page) }
}

fn append(text: &mut String, line: &str) {
    let line = line.replace('\t', " ");
    let (last, first) = (text.chars().next_back(), line.chars().next());
    let word = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphabetic());
    if word(last) && word(first) {
        text.push(' ');
    }
    text.push_str(line.trim());
}

/// Returns true for a page number above or below the text: `- 4 -`, 第4页 and the like.
fn is_page_number(line: &TextLine, height: f64) -> bool {
    let bare: String = line.text.chars().filter(|c| !c.is_whitespace()).collect();
    let digits = bare.trim_matches(|c| "-—–－―─·•第页共,，/／".contains(c));
    let parts = digits.split(|c| "/／页共第,，".contains(c)).filter(|part| !part.is_empty());
    is_marginal(line, height)
        && !digits.is_empty()
        && parts.clone().count() <= 2
        && parts.into_iter().all(|part| part.len() <= 4 && part.chars().all(|c| c.is_ascii_digit()))
}

// === tables ===

/// Returns true if a part continues the table above it: the sides are the same, and nothing is between the two.
fn continues(last: &TablePart, part: &TablePart) -> bool {
    let near = |a: Option<&f64>, b: Option<&f64>| a.zip(b).is_some_and(|(a, b)| (a - b).abs() <= SAME_SIDES);
    let is_next_page = last.cells.last().map(|cell| cell.page) < part.cells.first().map(|cell| cell.page);
    is_next_page && near(last.xs.first(), part.xs.first()) && near(last.xs.last(), part.xs.last())
}

fn join(last: &mut TablePart, mut part: TablePart) {
    let header = repeated_header(last, &part);
    part.cells.retain(|cell| cell.row >= header);
    part.cells.iter_mut().for_each(|cell| cell.row -= header);
    part.rows -= header;
    let is_open = last.is_open_below && part.is_open_above;
    let torn = last.rows > 0 && fits_below(last, &part) && (is_open || goes_on_below(last, &part));
    if torn {
        mend(last, &mut part);
    } else if is_open && last.rows > 0 {
        doubt(last, &mut part);
    }
    let offset = last.rows - usize::from(torn);
    part.cells.iter_mut().for_each(|cell| cell.row += offset);
    last.cells.append(&mut part.cells);
    last.rows = offset + part.rows;
    last.xs.extend(part.xs);
    last.is_open_below = part.is_open_below;
    last.bottom = part.bottom;
}

/// Returns true if each cell in the first row of a part is the lower half of a cell at the end of the table above.
fn fits_below(last: &TablePart, part: &TablePart) -> bool {
    let upper: Vec<&PartCell> =
        last.cells.iter().filter(|cell| cell.row + cell.row_span == last.rows).collect();
    let mut lower = part.cells.iter().filter(|cell| cell.row == 0);
    let apart = |cell: &PartCell| upper.iter().filter(|upper| is_above(upper, cell)).count() == 1;
    lower.clone().count() == upper.len() && lower.all(apart)
}

/// Marks the texts of a row that a page break may have cut. Their halves must not be read as numbers.
fn doubt(last: &mut TablePart, part: &mut TablePart) {
    let is_filled = |cell: &&mut PartCell| !cell.text.trim().is_empty();
    let bottom = last.rows;
    let upper = last.cells.iter_mut().filter(|cell| cell.row + cell.row_span == bottom);
    let lower = part.cells.iter_mut().filter(|cell| cell.row == 0);
    upper.chain(lower).filter(is_filled).for_each(|cell| cell.text.push_str(UNREADABLE));
}

/// Joins the cells of a row that a page break cut to their upper halves.
fn mend(last: &mut TablePart, part: &mut TablePart) {
    let row = last.rows - 1;
    part.cells.retain(|cell| {
        let upper =
            last.cells.iter_mut().find(|upper| upper.row + upper.row_span > row && is_above(upper, cell));
        match upper.filter(|_| cell.row == 0) {
            Some(upper) => {
                upper.text.push_str(&cell.text);
                upper.row_span += cell.row_span - 1;
                false
            }
            None => true,
        }
    });
}

fn is_above(upper: &PartCell, cell: &PartCell) -> bool {
    (upper.x0 - cell.x0).abs() <= SAME_SIDES && (upper.x1 - cell.x1).abs() <= SAME_SIDES
}

/// Returns true if the first row of a part contains only the overflow of the last row on the previous page: every
/// text in it is below a full cell and does not look like the beginning of a text.
fn goes_on_below(last: &TablePart, part: &TablePart) -> bool {
    let upper: Vec<&PartCell> =
        last.cells.iter().filter(|cell| cell.row + cell.row_span == last.rows).collect();
    let mut filled =
        part.cells.iter().filter(|cell| cell.row == 0 && !cell.text.trim().is_empty()).peekable();
    filled.peek().is_some()
        && filled.all(|cell| {
            let above = upper.iter().find(|upper| is_above(upper, cell));
            above.is_some_and(|above| above.is_full && !is_value_below(&above.text, &cell.text))
                && !is_item(&cell.text)
        })
}

/// Returns true for a number below a text that is not a number. It belongs to the next row and does not continue the
/// text.
fn is_value_below(above: &str, below: &str) -> bool {
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ','));
    let (above, below) = (above.trim(), below.trim());
    digits(below) && !above.ends_with(|c: char| c.is_ascii_digit() || matches!(c, '.' | ','))
}

/// Returns how many rows at the beginning of a part repeat the first rows of the table.
fn repeated_header(last: &TablePart, part: &TablePart) -> usize {
    let most = MOST_HEADER_ROWS.min(part.rows.saturating_sub(1)).min(last.rows);
    (1..=most).rev().find(|rows| is_same_header(last, part, *rows)).unwrap_or(0)
}

fn is_same_header(last: &TablePart, part: &TablePart, rows: usize) -> bool {
    fn top(part: &TablePart, rows: usize) -> Option<Vec<&PartCell>> {
        let cells: Vec<&PartCell> = part.cells.iter().filter(|cell| cell.row < rows).collect();
        cells.iter().all(|cell| cell.row + cell.row_span <= rows).then_some(cells)
    }
    let bare = |cell: &PartCell| cell.text.split_whitespace().collect::<String>();
    let (Some(first), Some(again)) = (top(last, rows), top(part, rows)) else { return false };
    let is_value = |text: &str| text.chars().any(|c| c.is_ascii_digit());
    first.len() == again.len()
        && first.iter().any(|cell| !bare(cell).is_empty())
        && first.iter().zip(&again).all(|(a, b)| a.row == b.row && bare(a) == bare(b) && !is_value(&bare(a)))
}

fn table_blocks(part: TablePart, limits: &Limits) -> Result<Vec<Block>, Rejection> {
    let xs = clustered(part.xs);
    let nearest = |x: f64| {
        let at = xs.iter().enumerate().min_by(|(_, a), (_, b)| (*a - x).abs().total_cmp(&(*b - x).abs()));
        at.and_then(|(index, _)| u32::try_from(index).ok()).unwrap_or(0)
    };
    let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    let cells = part.cells.into_iter().map(|cell| {
        let (column, end) = (nearest(cell.x0), nearest(cell.x1));
        Cell {
            row: number(cell.row),
            column,
            row_span: number(cell.row_span).max(1),
            column_span: end.saturating_sub(column).max(1),
            text: cell.text.trim().to_owned(),
            span: None,
            page: Some(cell.page),
            area: cell.area,
        }
    });
    grid::blocks(number(part.rows), cells.collect(), limits)
}
