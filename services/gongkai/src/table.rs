//! Rows as a table for people, or as CSV or JSON lines for scripts.

use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use crate::{
    csv_writer::CsvWriter,
    printer::{Printer, clean},
};

/// The output format of a command that lists rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// Table for people
    #[default]
    Table,
    /// One JSON object per line
    Json,
    /// CSV with a header line, UTF-8
    Csv,
}

/// A type that is shown as a row.
pub(crate) trait TableRow: Serialize + 'static {
    /// Titles of the columns.
    const COLUMNS: &'static [Column<Self>];
    /// Titles of the columns that a table for people leaves out, so that the others have room on a terminal.
    const LEFT_OUT: &'static [&'static str] = &[];
}

/// A column: its heading, and a function that returns its cell of a row.
pub(crate) type Column<R> = (&'static str, fn(&R) -> String);

/// Writes a complete list of rows.
pub(crate) fn write<R: TableRow>(out: &mut Printer, format: Format, rows: &[R]) -> anyhow::Result<()> {
    match format {
        Format::Table => table(out, rows),
        Format::Json => json(out, rows),
        Format::Csv => csv(out, rows, true),
    }
}

/// Writes one row of an endless stream, with the header before it if `first`.
pub(crate) fn follow<R: TableRow>(
    out: &mut Printer,
    format: Format,
    row: &R,
    first: bool,
) -> anyhow::Result<()> {
    match format {
        // The widths of later rows are unknown, so columns are not aligned.
        Format::Table => out.line(clean(&cells(row).collect::<Vec<_>>().join("  ")))?,
        Format::Json => json(out, std::slice::from_ref(row))?,
        Format::Csv => csv(out, std::slice::from_ref(row), first)?,
    }
    out.flush()?;
    Ok(())
}

fn headings<R: TableRow>() -> impl Iterator<Item = &'static str> {
    R::COLUMNS.iter().map(|(heading, _)| *heading)
}

fn cells<R: TableRow>(row: &R) -> impl Iterator<Item = String> {
    R::COLUMNS.iter().map(|(_, cell)| cell(row))
}

fn table<R: TableRow>(out: &mut Printer, rows: &[R]) -> anyhow::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    if let Some(width) = given_width() {
        table.set_width(width);
    }
    let shown = || R::COLUMNS.iter().filter(|(heading, _)| !R::LEFT_OUT.contains(heading));
    table.set_header(shown().map(|(heading, _)| *heading));
    for row in rows {
        table.add_row(shown().map(|(_, cell)| clean(&cell(row))));
    }
    for line in table.lines() {
        out.line(line.trim_end())?;
    }
    Ok(())
}

/// Returns the width that the environment asks for, as `COLUMNS`. Without it the terminal's applies, and none to a file.
fn given_width() -> Option<u16> {
    std::env::var_os("COLUMNS")?.to_str()?.parse().ok().filter(|width| *width > 0)
}

fn json<R: TableRow>(out: &mut Printer, rows: &[R]) -> anyhow::Result<()> {
    for row in rows {
        out.json(row)?;
    }
    Ok(())
}

fn csv<R: TableRow>(out: &mut Printer, rows: &[R], header: bool) -> anyhow::Result<()> {
    let mut writer = CsvWriter::new(out);
    if header {
        writer.write(headings::<R>())?;
    }
    for row in rows {
        writer.write(cells(row))?;
    }
    writer.flush()?;
    Ok(())
}
