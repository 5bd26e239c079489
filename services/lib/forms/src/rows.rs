//! A document's tables as one stream of logical rows: labels, then values.
//!
//! Flattened layouts lose row ends, tear labels off and put band titles behind short rows; here the cells of every
//! layout become [`Row`]s that the two readings compare with the form. Nothing is matched yet, and nothing is dropped:
//! which blanks are cells and which are filling is decided later, with the row's neighbours in sight.

use gongkai_model::{Block, Cell, CellRef, Document, Paragraph, Source};

use crate::{chapter_titles::ChapterTitles, label::norm, value::Value, vocabulary::Vocabulary};

/// A cell with what its text says.
#[derive(Debug, Clone)]
pub(crate) struct Piece<'a> {
    /// The cell itself.
    pub cell: &'a Cell,
    /// Ordinal of its table in the document.
    pub table: u32,
    /// What its text says.
    pub value: Value,
    /// Its text as a label; empty for numbers, marks and blanks.
    pub label: String,
    /// The grid columns it stands for, if those are only a part of the cell's.
    pub over: Option<(u32, u32)>,
    /// A note in brackets that belongs to it and stands in a cell of its own.
    pub note: Option<&'a Cell>,
}

impl<'a> Piece<'a> {
    fn new(table: u32, cell: &'a Cell) -> Self {
        let value = Value::of(&cell.text);
        let label = if value == Value::Text { norm(&cell.text) } else { String::new() };
        Self { cell, table, value, label, over: None, note: None }
    }

    /// Where it stands.
    pub(crate) fn source(&self) -> Source {
        Source {
            text: self.cell.text.clone(),
            cell: Some(CellRef { table: self.table, row: self.cell.row, column: self.cell.column }),
            page: self.cell.page,
            span: self.cell.span,
            area: self.cell.area,
        }
    }

    /// True if it can stand in a value cell.
    pub(crate) fn is_value(&self) -> bool {
        self.value.is_value()
    }

    /// Its first column.
    pub(crate) fn start(&self) -> u32 {
        self.over.map_or(self.cell.column, |(start, _)| start)
    }

    /// One past its last column.
    pub(crate) fn end(&self) -> u32 {
        self.over
            .map_or_else(|| self.cell.column.saturating_add(self.cell.column_span.max(1)), |(_, end)| end)
    }
}

/// A logical row: label cells, then value cells.
#[derive(Debug, Clone, Default)]
pub(crate) struct Row<'a> {
    /// The label cells, left to right (or top to bottom, one cell a line).
    pub labels: Vec<Piece<'a>>,
    /// The cells behind them; blanks between and behind included.
    pub values: Vec<Piece<'a>>,
    /// True if columns come from the document's own geometry.
    pub spans_known: bool,
    /// True if its blanks were put in: see [`gongkai_model::Grid::ends_unsure`].
    pub ends_unsure: bool,
    /// True if the row was put together of lines with one cell each.
    pub stream: bool,
    /// Where the row's own label stands in the layout's row, and how many cells that has; absent in streams.
    pub shape: Option<(u32, usize)>,
}

/// What stands in a document, in reading order.
#[derive(Debug, Clone)]
pub(crate) enum Item<'a> {
    /// A chapter's heading, by number.
    Chapter(u32),
    /// A logical row of a table.
    Row(Row<'a>),
    /// A short line outside tables, as a label: text torn from a table, or nothing of interest.
    Line(String),
}

/// The stream of a document.
pub(crate) fn items<'a>(
    document: &'a Document,
    titles: &ChapterTitles,
    vocabulary: &Vocabulary,
) -> Vec<Item<'a>> {
    let mut items = Vec::new();
    let mut table = 0;
    for block in &document.blocks {
        match block {
            Block::Paragraph(paragraph) => items.extend(line(paragraph, titles)),
            Block::Table(grid) => {
                let ends_unsure = grid.ends_unsure;
                let mut maker = Maker { out: &mut items, open: Row::default(), vocabulary, ends_unsure };
                for cells in grid.by_row() {
                    let pieces: Vec<Piece<'a>> =
                        cells.into_iter().map(|cell| Piece::new(table, cell)).collect();
                    match <[Piece<'a>; 1]>::try_from(pieces) {
                        Ok([one]) if !grid.spans_known => maker.single(one, titles),
                        Ok([one]) => maker.physical(vec![one], true),
                        Err(pieces) => maker.physical(pieces, grid.spans_known),
                    }
                }
                maker.close();
                table += 1;
            }
        }
    }
    items
}

fn line<'a>(paragraph: &Paragraph, titles: &ChapterTitles) -> Option<Item<'a>> {
    let text = paragraph.text.as_str();
    if text.chars().nth(60).is_some() || text.contains("。") {
        return titles.chapter(text).map(Item::Chapter);
    }
    let label = norm(text);
    Some(titles.chapter_of(text, &label).map_or(Item::Line(label), Item::Chapter))
}

struct Maker<'m, 'a> {
    out: &'m mut Vec<Item<'a>>,
    /// The row under construction of single cells.
    open: Row<'a>,
    vocabulary: &'m Vocabulary,
    ends_unsure: bool,
}

impl<'a> Maker<'_, 'a> {
    /// A line with one cell: a label opens a row if values have been seen, a value goes to the open row.
    fn single(&mut self, piece: Piece<'a>, titles: &ChapterTitles) {
        // A number is no title; one cell a line is what the longest of all layouts have.
        let chapter = if piece.is_value() { None } else { titles.chapter_of(&piece.cell.text, &piece.label) };
        if let Some(number) = chapter {
            self.close();
            self.out.push(Item::Chapter(number));
            return;
        }
        if !piece.is_value() && !self.vocabulary.run_together(&piece.label).is_empty() {
            self.physical(vec![piece], false);
            return;
        }
        self.open.stream = true;
        if piece.is_value() {
            self.open.values.push(piece);
            return;
        }
        if let Some(value) = self.open.values.last_mut() {
            if value.note.is_none() && is_note(&piece, self.vocabulary) {
                value.note = Some(piece.cell);
                return;
            }
            if self.is_broken_value(&piece) {
                self.open.values.push(piece);
                return;
            }
            self.close();
            self.open.stream = true;
        }
        self.open.labels.push(piece);
    }

    /// A row of the layout itself. A known label behind values is the next row, its break lost.
    fn physical(&mut self, pieces: Vec<Piece<'a>>, spans_known: bool) {
        self.close();
        let cells = pieces.len();
        let new = || Row { spans_known, ends_unsure: self.ends_unsure, ..Row::default() };
        let mut row = new();
        for piece in pieces {
            let label = !piece.is_value() && !self.is_broken_value(&piece);
            if label && row.values.iter().any(|v| v.value != Value::Blank) {
                if !self.vocabulary.is_structural(&piece.label) {
                    row.values.push(piece);
                    continue;
                }
                let done = std::mem::replace(&mut row, new());
                self.out.push(Item::Row(Row { shape: None, ..done }));
            }
            if label {
                // Blanks before a label are what merged cells left.
                row.values.clear();
                row.shape = Some((piece.cell.column, cells));
                let titles =
                    if spans_known { Vec::new() } else { self.vocabulary.run_together(&piece.label) };
                let title = |title: &&str| Piece { label: (*title).to_owned(), ..piece.clone() };
                row.labels.extend(titles.iter().map(title));
                if titles.is_empty() {
                    row.labels.push(piece);
                }
            } else {
                row.values.push(piece);
            }
        }
        self.out.push(Item::Row(row));
    }

    /// A text that begins with a digit and is no label of the form: a value that does not read.
    fn is_broken_value(&self, piece: &Piece<'a>) -> bool {
        let first = piece.cell.text.trim_start().chars().next().unwrap_or(' ');
        if !(first.is_ascii_digit() || ('０'..='９').contains(&first)) {
            return false;
        }
        let words =
            piece.label.chars().filter(|c| !c.is_ascii_digit() && !"件条项元万余约多个".contains(*c)).count();
        let enumerator = piece.cell.text.trim_end().ends_with(['.', '．', '、']);
        !enumerator && words == 0 && !piece.label.is_empty() && !self.vocabulary.is_structural(&piece.label)
    }

    fn close(&mut self) {
        let row = std::mem::take(&mut self.open);
        if !row.labels.is_empty() || !row.values.is_empty() {
            self.out.push(Item::Row(row));
        }
    }
}

/// `（其中修订 16 件）` on a line of its own: a note to the number before it.
fn is_note(piece: &Piece<'_>, vocabulary: &Vocabulary) -> bool {
    let text = piece.cell.text.trim();
    let inner = text.strip_prefix(['（', '(']).and_then(|text| text.strip_suffix(['）', ')']));
    inner.is_some_and(|inner| {
        let counts = inner.contains(|c: char| c.is_ascii_digit() || ('０'..='９').contains(&c));
        counts && inner.contains(char::is_alphabetic) && !inner.contains(['（', '(', '）', ')'])
    }) && !vocabulary.is_structural(&piece.label)
}
