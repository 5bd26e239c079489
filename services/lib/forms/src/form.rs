//! A statutory form: its chapters, rows, columns and cells, in the order in which it prints them.
//!
//! A form is data (`forms/*.toml`) and independent of any document. The matcher looks up its labels, and the rules
//! derive their identities from it: every row of chapter 三 adds up to its 总计 column, the rows of kind
//! [`RowKind::Result`] to the row of kind [`RowKind::Total`], and each block of chapter 四 to its total column.

use std::collections::HashMap;

use gongkai_model::{Applicant, Concept, FactId, FormId, Variant};
use serde::Deserialize;

/// One form in one variant.
#[derive(Debug, Clone)]
pub struct Form {
    /// The id of the form.
    pub id: FormId,
    /// The variant of the form.
    pub variant: Variant,
    /// The number (文号) of the notice that decrees the form.
    pub notice: String,
    /// The six chapters, in order.
    pub chapters: Vec<Chapter>,
    /// Chapter 二, band by band.
    pub bands: Vec<Band>,
    /// The columns of chapter 三, in order; the last is the total of the others.
    pub applicants: Vec<ApplicantColumn>,
    /// The rows of chapter 三, in order.
    pub rows: Vec<RequestRow>,
    /// Chapter 四.
    pub disputes: Disputes,
    /// Every cell with its chapter, unit and position, in the form's order.
    pub cells: Vec<FormCell>,
    pub(crate) by_id: HashMap<FactId, usize>,
}

/// A printed name, and its aliases in reports.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub struct Label {
    /// The name as the notice prints it.
    pub text: String,
    /// Other spellings with the same meaning.
    pub aliases: Vec<String>,
    /// Misprints that reports have.
    pub misprints: Vec<String>,
}

impl From<String> for Label {
    fn from(text: String) -> Self {
        Self { text, aliases: Vec::new(), misprints: Vec::new() }
    }
}

impl Label {
    /// Returns the printed name, then the aliases and misprints.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.text.as_str())
            .chain(self.aliases.iter().chain(&self.misprints).map(String::as_str))
    }
}

/// One of the six chapters.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chapter {
    /// Number of the chapter, 1 to 6.
    pub number: u32,
    /// The canonical title, without its numeral.
    pub title: String,
    /// Titles with the same meaning, as in article 50 of the regulations.
    pub variants: Vec<String>,
}

/// What a cell counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// 件, 条: a whole number, not negative.
    #[default]
    Count,
    /// 本年增/减: a whole number with a sign.
    Change,
    /// 万元
    TenThousandYuan,
    /// 元
    Yuan,
}

/// A band of chapter 二: the rows under one item of article 20, with their own column titles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Band {
    /// 第二十条第（…）项
    pub item: String,
    /// Value columns of the band, left to right.
    pub columns: Vec<BandColumn>,
    /// Rows of the band, top to bottom.
    pub rows: Vec<BandRow>,
}

/// A value column of a band.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BandColumn {
    /// Last part of the concepts' names, such as `issued`.
    pub name: String,
    /// Title of the column.
    pub label: Label,
    /// Unit of the numbers in the column.
    pub unit: Unit,
}

/// A row of a band.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BandRow {
    /// First part of the concepts' names, such as `proactive.regulations`.
    pub concept: String,
    /// Title of the row.
    pub label: Label,
}

/// A column of chapter 三.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicantColumn {
    /// Kind of applicant (申请人) that the column counts.
    pub applicant: Applicant,
    /// Title of the column.
    pub label: Label,
}

/// The part of a row of chapter 三 in the identities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowKind {
    /// 一、本年新收
    Received,
    /// 二、上年结转
    CarriedIn,
    /// A row of 三、本年度办理结果 that sums to the total.
    Result,
    /// （七）总计
    Total,
    /// 四、结转下年度继续办理
    CarriedOut,
}

/// A row of chapter 三.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRow {
    /// The concept that the row counts.
    pub concept: Concept,
    /// Part of the row in the identities.
    pub kind: RowKind,
    /// The group of the row, such as （三）不予公开.
    pub group: Option<String>,
    /// Title of the row.
    pub label: Label,
}

impl RequestRow {
    /// Returns the group and title, in the form that an editor uses for the row.
    #[must_use]
    pub fn full_label(&self) -> String {
        match &self.group {
            Some(group) => format!("{group} {}", self.label.text),
            None => self.label.text.clone(),
        }
    }
}

/// Chapter 四: blocks side by side, each with the same columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disputes {
    /// The blocks, left to right.
    pub blocks: Vec<DisputeBlock>,
    /// The columns of every block, left to right; the last is the total of the others.
    pub columns: Vec<DisputeColumn>,
}

/// A block of chapter 四.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DisputeBlock {
    /// First part of the concepts' names, such as `disputes.litigation_direct`.
    pub concept: String,
    /// Title of the block.
    pub label: Label,
    /// The title above the block, 行政诉讼.
    pub group: Option<String>,
}

/// A column of every block of chapter 四.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisputeColumn {
    /// Last part of the concepts' names, such as `upheld`.
    pub name: String,
    /// Title of the column.
    pub label: Label,
    /// True for the column that is the sum of the others.
    pub total: bool,
}

/// A cell of the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormCell {
    /// Public name of the cell.
    pub id: FactId,
    /// Number of the chapter: 2, 3 or 4.
    pub chapter: u32,
    /// Unit of the number in the cell.
    pub unit: Unit,
    /// Position for an editor, such as 第三部分表格「（一）予以公开」行「自然人」列.
    pub position: String,
}

impl Form {
    /// Returns the rows that sum to （七）总计.
    pub fn result_rows(&self) -> impl Iterator<Item = &RequestRow> {
        self.rows.iter().filter(|row| row.kind == RowKind::Result)
    }

    /// Returns the one row of a kind, or the first row of kind [`RowKind::Result`].
    ///
    /// # Panics
    /// Never: a form without the row does not load.
    #[must_use]
    pub fn row(&self, kind: RowKind) -> &RequestRow {
        self.rows.iter().find(|row| row.kind == kind).expect("loading a form requires a row of every kind")
    }

    /// Returns every cell's name, in the form's order.
    pub fn cells(&self) -> impl Iterator<Item = FactId> {
        self.cells.iter().map(|cell| cell.id.clone())
    }

    /// Returns one cell, or `None` if the form has none of that name.
    #[must_use]
    pub fn cell(&self, id: &FactId) -> Option<&FormCell> {
        self.by_id.get(id).and_then(|at| self.cells.get(*at))
    }

    /// Returns the position of a cell for an editor, or its public name if the form has no such cell.
    #[must_use]
    pub fn position(&self, id: &FactId) -> String {
        self.cell(id).map_or_else(|| id.to_string(), |cell| cell.position.clone())
    }

    /// Returns the cell of a row and column of chapter 三.
    #[must_use]
    pub fn request_cell(row: &RequestRow, applicant: Applicant) -> FactId {
        FactId { concept: row.concept.clone(), applicant: Some(applicant) }
    }

    /// Returns the cell of a row and column of chapter 二.
    #[must_use]
    pub fn band_cell(row: &BandRow, column: &BandColumn) -> FactId {
        FactId { concept: Concept::new(&format!("{}.{}", row.concept, column.name)), applicant: None }
    }

    /// Returns the cell of a block and column of chapter 四.
    #[must_use]
    pub fn dispute_cell(block: &DisputeBlock, column: &DisputeColumn) -> FactId {
        FactId { concept: Concept::new(&format!("{}.{}", block.concept, column.name)), applicant: None }
    }

    /// Lists the cells from the rest of the form; called once, when it loads.
    pub(crate) fn list_cells(&mut self) {
        let mut cells = self.proactive_cells();
        cells.extend(self.request_cells());
        cells.extend(self.dispute_cells());
        self.by_id = cells.iter().enumerate().map(|(at, cell)| (cell.id.clone(), at)).collect();
        self.cells = cells;
    }

    fn proactive_cells(&self) -> Vec<FormCell> {
        let mut cells = Vec::new();
        for band in &self.bands {
            for row in &band.rows {
                for column in &band.columns {
                    cells.push(FormCell {
                        id: Self::band_cell(row, column),
                        chapter: 2,
                        unit: column.unit,
                        position: format!("第二部分表格「{}」行「{}」列", row.label.text, column.label.text),
                    });
                }
            }
        }
        cells
    }

    fn request_cells(&self) -> Vec<FormCell> {
        let mut cells = Vec::new();
        for row in &self.rows {
            for column in &self.applicants {
                cells.push(FormCell {
                    id: Self::request_cell(row, column.applicant),
                    chapter: 3,
                    unit: Unit::Count,
                    position: format!("第三部分表格「{}」行「{}」列", row.full_label(), column.label.text),
                });
            }
        }
        cells
    }

    fn dispute_cells(&self) -> Vec<FormCell> {
        let mut cells = Vec::new();
        for block in &self.disputes.blocks {
            let name = match &block.group {
                Some(group) => format!("{group}·{}", block.label.text),
                None => block.label.text.clone(),
            };
            for column in &self.disputes.columns {
                cells.push(FormCell {
                    id: Self::dispute_cell(block, column),
                    chapter: 4,
                    unit: Unit::Count,
                    position: format!("第四部分表格「{name}」栏「{}」列", column.label.text),
                });
            }
        }
        cells
    }
}
