//! Values in cells that are merged over several rows. A zero or a mark is the value of each row; it is unknown to which row
//! any other number belongs.

use crate::{read_cell::ReadCell, value::CellValue};

/// The values of earlier rows that reach down into the next row, left to right.
#[derive(Default)]
pub(crate) struct MergedDown<'a> {
    reaching: Vec<ReadCell<'a>>,
}

impl<'a> MergedDown<'a> {
    /// Adds the values that reach down into a row to its cells, and notes the row's own.
    pub(crate) fn add_to(&mut self, row: &mut Vec<ReadCell<'a>>) {
        let Some(own) = row.first().map(|piece| piece.cell.row) else { return };
        self.reaching.retain(|piece| piece.cell.row.saturating_add(piece.cell.row_span) > own);
        let new: Vec<ReadCell<'a>> = row.iter().filter(|piece| is_merged_value(piece)).cloned().collect();
        for piece in row.iter_mut().filter(|piece| is_merged_value(piece)) {
            settle(piece);
        }
        if !self.reaching.is_empty() {
            row.extend(self.reaching.iter().cloned());
            row.sort_by_key(ReadCell::start);
        }
        self.reaching.extend(new);
        self.reaching.iter_mut().for_each(settle);
    }
}

fn is_merged_value(piece: &ReadCell<'_>) -> bool {
    piece.cell.row_span > 1 && matches!(piece.value, CellValue::Number(..) | CellValue::NotApplicable)
}

fn settle(piece: &mut ReadCell<'_>) {
    if let CellValue::Number(number, _) = piece.value
        && !number.is_zero()
    {
        piece.value = CellValue::Text;
    }
}
