//! A cell of a document, with its text interpreted as a value or a label.

use gongkai_model::{Cell, CellRef, Source};
use rust_decimal::prelude::ToPrimitive;

use crate::{label::norm, value::CellValue};

/// A cell with its interpreted text.
#[derive(Debug, Clone)]
pub(crate) struct ReadCell<'a> {
    /// The cell itself.
    pub cell: &'a Cell,
    /// Ordinal of the cell's table in the document.
    pub table: u32,
    /// The interpreted text.
    pub value: CellValue,
    /// The text as a label; empty for numbers, marks and blanks.
    pub label: String,
    /// The grid columns of this piece, if they are only a part of the cell's.
    pub over: Option<(u32, u32)>,
    /// A note in brackets that belongs to this cell but is in a cell of its own.
    pub note: Option<&'a Cell>,
}

impl<'a> ReadCell<'a> {
    pub(crate) fn new(table: u32, cell: &'a Cell) -> Self {
        let value = CellValue::of(&cell.text);
        let label = if value == CellValue::Text { norm(&cell.text) } else { String::new() };
        Self { cell, table, value, label, over: None, note: None }
    }

    /// Returns the place of the cell: table, row, column.
    pub(crate) fn place(&self) -> (u32, u32, u32) {
        (self.table, self.cell.row, self.cell.column)
    }

    /// Returns the position of the cell in the document.
    pub(crate) fn source(&self) -> Source {
        Source {
            text: self.cell.text.clone(),
            cell: Some(CellRef { table: self.table, row: self.cell.row, column: self.cell.column }),
            page: self.cell.page,
            span: self.cell.span,
            area: self.cell.area,
            part: None,
        }
    }

    /// Returns true if the text can be that of a value cell.
    pub(crate) fn is_value(&self) -> bool {
        self.value.is_value()
    }

    /// Returns the year that is all the cell contains, without the word 年.
    pub(crate) fn bare_year(&self) -> Option<i32> {
        let CellValue::Number(number, _) = self.value else { return None };
        number.to_i32().filter(|year| (2000..2100).contains(year) && number.fract().is_zero())
    }

    /// Returns the first column.
    pub(crate) fn start(&self) -> u32 {
        self.over.map_or(self.cell.column, |(start, _)| start)
    }

    /// Returns the column after the last one.
    pub(crate) fn end(&self) -> u32 {
        self.over
            .map_or_else(|| self.cell.column.saturating_add(self.cell.column_span.max(1)), |(_, end)| end)
    }
}
