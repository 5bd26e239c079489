//! The tables of a document as one stream of logical rows: labels, then values.
//!
//! Flattened layouts lose row ends, separate labels from their values, and put band titles after short rows. This
//! module turns the cells of every layout into [`Row`]s, which the two readings compare with the form. It matches
//! nothing and drops nothing: which blanks are cells and which are padding is decided later, when the neighbouring
//! rows are known.

use gongkai_model::{Block, Document, Paragraph};

use crate::{
    chapter_titles::ChapterTitles, label::norm, merged_down::MergedDown, read_cell::ReadCell,
    value::CellValue, vocabulary::Vocabulary,
};

/// A logical row: label cells, then value cells.
#[derive(Debug, Clone, Default)]
pub(crate) struct Row<'a> {
    /// The label cells, left to right. In a stream of one cell per line, top to bottom.
    pub labels: Vec<ReadCell<'a>>,
    /// The cells after the labels, including blanks.
    pub values: Vec<ReadCell<'a>>,
    /// True if the columns come from the document's own geometry.
    pub spans_known: bool,
    /// True if blanks were inserted into the row: see [`gongkai_model::Grid::ends_unsure`].
    pub ends_unsure: bool,
    /// True if the row was assembled from lines of one cell each.
    pub stream: bool,
    /// Position of the row's own label in the layout's row, and the number of cells of that row; `None` in streams.
    pub shape: Option<(u32, usize)>,
    /// The row's cell in a column of units.
    pub unit: Option<ReadCell<'a>>,
}

impl<'a> Row<'a> {
    /// Returns the values that are not blank.
    pub(crate) fn filled(&self) -> impl Iterator<Item = &ReadCell<'a>> + Clone {
        self.values.iter().filter(|piece| piece.value != CellValue::Blank)
    }

    /// Returns the row with other values.
    pub(crate) fn with_values(&self, values: Vec<ReadCell<'a>>) -> Self {
        Self { labels: self.labels.clone(), values, unit: self.unit.clone(), ..*self }
    }

    /// Returns the last `count` values, or all if there are fewer.
    pub(crate) fn last_values(&self, count: usize) -> &[ReadCell<'a>] {
        self.values.get(self.values.len().saturating_sub(count)..).unwrap_or_default()
    }
}

/// An item of a document, in reading order.
#[derive(Debug, Clone)]
pub(crate) enum Item<'a> {
    /// The heading of a chapter, by number.
    Chapter(u32),
    /// A logical row of a table.
    Row(Row<'a>),
    /// A short line outside tables, as a label. It may be text that was separated from a table.
    Line(String),
}

/// Minimum number of years in a row of bare years.
const FEWEST_YEARS: usize = 4;

/// Maximum number of words' characters beside the digits of a number that cannot be read.
const MOST_WORDS: usize = 4;

/// Maximum number of lines over which a label of a stream is broken.
const MOST_PARTS: usize = 4;

/// Returns the items of a document.
pub(crate) fn items<'a>(
    document: &'a Document,
    titles: &ChapterTitles,
    vocabulary: &Vocabulary,
) -> Vec<Item<'a>> {
    let mut items = Vec::new();
    let mut table = 0;
    for block in &document.blocks {
        match block {
            Block::Paragraph(paragraph) => {
                items.extend(line(paragraph, titles));
                items.extend(numbers_in(paragraph));
            }
            Block::Table(grid) => {
                let ends_unsure = grid.ends_unsure;
                let mut maker = Maker { out: &mut items, open: Row::default(), vocabulary, ends_unsure };
                let mut merged = MergedDown::default();
                for cells in grid.by_row() {
                    let mut pieces: Vec<ReadCell<'a>> =
                        cells.into_iter().map(|cell| ReadCell::new(table, cell)).collect();
                    if grid.spans_known {
                        merged.add_to(&mut pieces);
                    }
                    match <[ReadCell<'a>; 1]>::try_from(pieces) {
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

/// Returns all labels, top to bottom.
pub(crate) fn labels<'i, 'a: 'i>(items: impl IntoIterator<Item = &'i Item<'a>>) -> Vec<&'i str> {
    let of = |item: &'i Item<'a>| match item {
        Item::Row(row) => row.labels.iter().map(|piece| piece.label.as_str()).collect(),
        Item::Line(text) => vec![text.as_str()],
        Item::Chapter(_) => Vec::new(),
    };
    items.into_iter().flat_map(of).collect()
}

/// Minimum length of a cell with the text of several cells, in bytes.
const LONG_CELL: usize = 180;

/// Returns the number of numbers in cells that have the text of many cells.
pub(crate) fn numbers_in_text(row: &Row<'_>) -> usize {
    let texts = row.labels.iter().chain(&row.values).filter(|piece| piece.value == CellValue::Text);
    let long = texts.filter(|piece| piece.cell.text.len() >= LONG_CELL);
    let numbers = |piece: &ReadCell<'_>| {
        let words = piece.cell.text.split_whitespace();
        words.filter(|word| word.starts_with(|c: char| c.is_ascii_digit())).count()
    };
    long.map(numbers).sum()
}

/// Returns the number of lines outside of tables that contain only a number, with or without a counting word.
pub(crate) fn lines_of_numbers(items: &[Item<'_>]) -> usize {
    let is_number = |text: &str| {
        let digits = text.trim_end_matches(['件', '条', '项', '宗', '次', '份', '户', '个']);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    items.iter().filter(|item| matches!(item, Item::Line(text) if is_number(text))).count()
}

/// Returns true if a text with a digit follows a label that `is_name`: it may be the label's value.
pub(crate) fn has_digits_behind(items: &[Item<'_>], is_name: impl Fn(&str) -> bool) -> bool {
    let has_digit = |text: &str| text.contains(|c: char| c.is_ascii_digit());
    let labels = labels(items);
    labels.windows(2).any(|pair| match pair {
        [own, behind] => is_name(own) && has_digit(behind),
        _ => false,
    })
}

/// Minimum number of numbers in a text that is no sentence for them to be those of an unknown layout. A text with a year
/// may be prose, and must have more. So must one with a sentence.
const FEWEST_IN_TEXT: usize = 3;
const FEWEST_BESIDE_YEAR: usize = 7;
const FEWEST_BESIDE_SENTENCE: usize = 40;

/// Returns the numbers of a text that is no sentence, each as a line: `规章 & 12 & 3 & 40`. One number behind the titles of
/// chapter 四 may be that of all its cells.
fn numbers_in<'a>(paragraph: &Paragraph) -> Vec<Item<'a>> {
    let text = paragraph.text.as_str();
    let numbers = || text.split(|c: char| !c.is_ascii_digit()).filter(|number| !number.is_empty());
    let is_header = text.contains("结果维持") && text.contains("尚未审结") && !text.contains("。");
    let fewest = if is_header {
        1
    } else if text.contains(['。', '；']) {
        FEWEST_BESIDE_SENTENCE
    } else if text.contains("年") && text.split('年').any(|part| part.ends_with(|c: char| c.is_ascii_digit()))
    {
        FEWEST_BESIDE_YEAR
    } else {
        FEWEST_IN_TEXT
    };
    if numbers().nth(fewest - 1).is_none() {
        return Vec::new();
    }
    numbers().map(|number| Item::Line(number.to_owned())).collect()
}

fn line<'a>(paragraph: &Paragraph, titles: &ChapterTitles) -> Option<Item<'a>> {
    let text = paragraph.text.as_str();
    if text.chars().nth(60).is_some() || text.contains("。") {
        let is_header = !text.contains("。") && text.contains("自然人") && text.contains("总计");
        let header = || is_header.then(|| Item::Line(norm(text)));
        return titles.chapter(text).map(Item::Chapter).or_else(header);
    }
    let label = norm(text);
    Some(titles.chapter_of(text, &label).map_or(Item::Line(label), Item::Chapter))
}

struct Maker<'m, 'a> {
    out: &'m mut Vec<Item<'a>>,
    /// The row that is being assembled from single cells.
    open: Row<'a>,
    vocabulary: &'m Vocabulary,
    ends_unsure: bool,
}

impl<'a> Maker<'_, 'a> {
    /// Adds a line of one cell. A label opens a new row if the open row has values; a value is added to the open row.
    fn single(&mut self, piece: ReadCell<'a>, titles: &ChapterTitles) {
        // A number is never a title. The check saves time in the longest layouts, which have one cell per line.
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
        let labels =
            if piece.is_value() { Vec::new() } else { self.vocabulary.labels_together(&piece.label) };
        if !labels.is_empty() {
            self.close();
            self.open.stream = true;
            let label = |name: &&str| ReadCell { label: (*name).to_owned(), ..piece.clone() };
            self.open.labels.extend(labels.iter().map(label));
            return;
        }
        self.open.stream = true;
        let is_first = self.open.values.is_empty();
        let is_unread = is_first
            && (self.is_broken_value(&piece) || self.is_written_number(&piece, self.open.labels.last()));
        if piece.is_value() || is_unread {
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
        self.join_label();
    }

    /// Joins the last lines of a stream if they are the parts of one label of chapter 二: 行政, 事业, 性收费. Chapter 三 joins
    /// its labels itself.
    fn join_label(&mut self) {
        let labels = &mut self.open.labels;
        let is_own = labels.last().is_none_or(|own| self.vocabulary.is_structural(&own.label));
        for first in (labels.len().saturating_sub(MOST_PARTS)..labels.len().saturating_sub(1)).rev() {
            let joined: String = labels.iter().skip(first).map(|piece| piece.label.as_str()).collect();
            if !is_own && joined.starts_with("行政") && self.vocabulary.is_structural(&joined) {
                labels.truncate(first + 1);
                labels.iter_mut().skip(first).for_each(|piece| piece.label.clone_from(&joined));
                return;
            }
        }
    }

    /// Adds a row of the layout. A known label after values begins the next row: the row break was lost.
    fn physical(&mut self, pieces: Vec<ReadCell<'a>>, spans_known: bool) {
        self.close();
        let cells = pieces.len();
        let pieces = if spans_known { bare_years(pieces) } else { pieces };
        let new = || Row { spans_known, ends_unsure: self.ends_unsure, ..Row::default() };
        let mut row = new();
        for (at, piece) in pieces.into_iter().enumerate() {
            let own = row.labels.last();
            let is_written = self.is_written_number(&piece, own) || self.is_numeral(&piece, own);
            let label = !piece.is_value() && !self.is_broken_value(&piece) && !is_written;
            if label && row.values.iter().any(|v| v.value != CellValue::Blank) {
                // A label on both sides of the numbers is one label.
                let again = spans_known && row.labels.last().is_some_and(|own| own.label == piece.label);
                if again || !self.vocabulary.is_structural(&piece.label) {
                    row.values.push(piece);
                    continue;
                }
                if spans_known && row.labels.is_empty() && at + 1 == cells {
                    row.labels.push(piece);
                    continue;
                }
                let done = std::mem::replace(&mut row, new());
                self.out.push(Item::Row(Row { shape: None, ..done }));
            }
            if label {
                // Blanks before a label are left over from merged cells.
                row.values.clear();
                row.shape = Some((piece.cell.column, cells));
                let titles = if spans_known {
                    Vec::new()
                } else {
                    let titles = self.vocabulary.run_together(&piece.label);
                    if titles.is_empty() { self.vocabulary.labels_together(&piece.label) } else { titles }
                };
                let title = |title: &&str| ReadCell { label: (*title).to_owned(), ..piece.clone() };
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

    /// Returns true for a text that is not a label of the form and begins with a digit, or has neither letters nor
    /// digits (`●`, `√`, `#`): a value that cannot be read.
    fn is_broken_value(&self, piece: &ReadCell<'a>) -> bool {
        let text = piece.cell.text.trim();
        let first = text.chars().next().unwrap_or(' ');
        if piece.label.is_empty() && !piece.is_value() {
            return !text.chars().all(is_punctuation);
        }
        if !(first.is_ascii_digit() || ('０'..='９').contains(&first)) {
            return false;
        }
        let words =
            piece.label.chars().filter(|c| !c.is_ascii_digit() && !"件条项元万余约多个".contains(*c)).count();
        let enumerator = piece.cell.text.trim_end().ends_with(['.', '．', '、']);
        !enumerator && words == 0 && !piece.label.is_empty() && !self.vocabulary.is_structural(&piece.label)
    }

    /// Returns true for a number with a few words beside the label of a row: `约317`, `见附表2`. A year is a title.
    fn is_written_number(&self, piece: &ReadCell<'a>, label: Option<&ReadCell<'a>>) -> bool {
        let text = piece.label.as_str();
        let words = text.chars().filter(|c| !c.is_ascii_digit()).count();
        let is_number = words < text.chars().count() && words <= MOST_WORDS;
        let ends_in_sign = piece.cell.text.trim_end().ends_with(['.', '．', '、']);
        is_number
            && !ends_in_sign
            && !text.contains(['年', '月', '页', '第'])
            && !self.vocabulary.is_structural(text)
            && label.is_some_and(|label| self.vocabulary.is_structural(&label.label))
    }

    /// Returns true for a number in Chinese numerals beside the label of a row: 零, 十二.
    fn is_numeral(&self, piece: &ReadCell<'a>, label: Option<&ReadCell<'a>>) -> bool {
        let is_numeral = |c: char| "零〇一二两三四五六七八九十百千万".contains(c);
        let text = piece.label.as_str();
        let is_number = !text.is_empty() && text.chars().all(is_numeral) && text == piece.cell.text.trim();
        is_number && label.is_some_and(|label| self.vocabulary.is_structural(&label.label))
    }

    fn close(&mut self) {
        let row = std::mem::take(&mut self.open);
        if !row.labels.is_empty() || !row.values.is_empty() {
            self.out.push(Item::Row(row));
        }
    }
}

/// Makes labels of the cells of a row of bare years: 2022, 2023, 2022, 2023. Such a row has nothing else.
fn bare_years(mut pieces: Vec<ReadCell<'_>>) -> Vec<ReadCell<'_>> {
    let is_year = |piece: &ReadCell<'_>| piece.bare_year().is_some();
    let first = pieces.iter().find_map(ReadCell::bare_year);
    let is_header = pieces.iter().all(|piece| piece.value == CellValue::Blank || is_year(piece))
        && pieces.iter().filter(|piece| is_year(piece)).nth(FEWEST_YEARS - 1).is_some()
        && pieces.iter().filter(|piece| piece.bare_year() == first).nth(1).is_some()
        && pieces.iter().any(|piece| is_year(piece) && piece.bare_year() != first);
    for piece in pieces.iter_mut().filter(|piece| is_header && is_year(piece)) {
        piece.value = CellValue::Text;
        piece.label = piece.cell.text.trim().to_owned();
    }
    pieces
}

/// Returns true for the signs that end a label or a sentence, and for brackets.
fn is_punctuation(c: char) -> bool {
    matches!(c, '：' | ':' | '，' | ',' | '。' | '；' | ';' | '（' | '）' | '(' | ')')
}

/// Returns true for a note on the number before it, on a line of its own: `（其中修订 16 件）`.
fn is_note(piece: &ReadCell<'_>, vocabulary: &Vocabulary) -> bool {
    let text = piece.cell.text.trim();
    let inner = text.strip_prefix(['（', '(']).and_then(|text| text.strip_suffix(['）', ')']));
    inner.is_some_and(|inner| {
        let counts = inner.contains(|c: char| c.is_ascii_digit() || ('０'..='９').contains(&c));
        counts && inner.contains(char::is_alphabetic) && !inner.contains(['（', '(', '）', ')'])
    }) && !vocabulary.is_structural(&piece.label)
}
