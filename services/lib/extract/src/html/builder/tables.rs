//! Tables: their rows and cells, and tables inside tables.

use gongkai_model::{Block, Rejection};

use super::{BlockBuilder, too_large};
use crate::html::{
    element::{Attributes, Class},
    table::{Closed, OpenTable},
};

impl BlockBuilder<'_> {
    /// Opens a table. If it is directly inside another table, outside of any cell, it ends that table first, as in a
    /// browser.
    pub(super) fn open_table(&mut self, name: &[u8], attributes: &Attributes) -> Result<(), Rejection> {
        if self.tables.last().is_some_and(|table| !table.has_open_cell()) {
            self.close_table()?;
        }
        self.break_line()?;
        self.push(name, Class::Table, attributes)?;
        self.page.hidden_tables += usize::from(self.top().hidden);
        self.tables.push(OpenTable::default());
        Ok(())
    }

    /// Removes everything above the innermost table. Returns false if there is none.
    fn back_to_table(&mut self) -> Result<bool, Rejection> {
        if self.tables.is_empty() {
            return Ok(false);
        }
        self.break_line()?;
        let table = self.frames.iter().rposition(|frame| frame.class == Class::Table);
        self.truncate(table.map_or(1, |index| index + 1));
        Ok(true)
    }

    pub(super) fn open_group(&mut self, class: Class, name: &[u8]) -> Result<(), Rejection> {
        if !self.back_to_table()? {
            return self.break_line();
        }
        let table = self.tables.last_mut().expect("back_to_table found it");
        if class == Class::Group {
            table.open_group(name == b"tfoot");
        } else {
            table.close_cell();
        }
        Ok(())
    }

    pub(super) fn open_row(&mut self, attributes: &Attributes) -> Result<(), Rejection> {
        if !self.back_to_table()? {
            return self.break_line();
        }
        self.row_look = attributes.look;
        let hidden =
            self.top().hidden || attributes.flat || (attributes.look.removed && !self.options.shows_hidden);
        self.tables.last_mut().expect("back_to_table found it").open_row(hidden, self.limits)
    }

    pub(super) fn open_cell(
        &mut self,
        name: &[u8],
        attributes: &mut Attributes,
        at: u32,
    ) -> Result<(), Rejection> {
        if !self.back_to_table()? {
            return self.break_line();
        }
        let frame_is_hidden = self.top().hidden;
        let table = self.tables.last_mut().expect("back_to_table found it");
        attributes.look.removed |= table.row_is_hidden();
        let shown = !table.row_is_hidden() && (!attributes.look.removed || self.options.shows_hidden);
        if shown && !frame_is_hidden {
            self.cells += 1;
            let spans = (attributes.row_span.unwrap_or(1), attributes.column_span.unwrap_or(1));
            table.open_cell(spans, at, self.limits)?;
        } else {
            table.open_hidden_cell();
        }
        if self.cells > self.limits.cells {
            return Err(too_large("文档单元格数", "the number of table cells"));
        }
        self.push(name, Class::Cell, attributes)
    }

    /// Ends a cell, row, group or caption of the innermost table.
    pub(super) fn close_part(&mut self, class: Class) -> Result<(), Rejection> {
        if !self.back_to_table()? {
            return self.break_line();
        }
        let table = self.tables.last_mut().expect("back_to_table found it");
        match class {
            Class::Cell | Class::Caption => table.close_cell(),
            Class::Row => table.close_row(),
            _ => table.close_group(),
        }
        Ok(())
    }

    /// Ends the innermost table. If it is a grid, every table around it becomes layout.
    pub(super) fn close_table(&mut self) -> Result<(), Rejection> {
        if !self.back_to_table()? {
            return self.break_line();
        }
        self.truncate(self.frames.len() - 1);
        match self.tables.pop().expect("back_to_table found it").close() {
            Closed::Layout(lines) => lines.into_iter().try_for_each(|line| self.deliver(line)),
            Closed::Data(grid) => {
                self.make_layout()?;
                self.push_block(Block::Table(grid))
            }
        }
    }

    /// Turns the open tables into layout. The text of their cells so far becomes paragraphs before the grid that was
    /// found inside.
    fn make_layout(&mut self) -> Result<(), Rejection> {
        let mut lines = Vec::new();
        for table in &mut self.tables {
            if !table.is_layout {
                table.is_layout = true;
                lines.append(&mut table.take_lines());
            }
        }
        lines.into_iter().try_for_each(|line| self.push_block(Block::Paragraph(line)))
    }
}
