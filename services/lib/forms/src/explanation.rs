//! Explains how a document is read, for whoever mends the readers.

use std::fmt::{self, Write as _};

use gongkai_model::{Block, CellRef, Document, Evidence, Fact, Grid, Rejection, Source, State};

use crate::{
    hints::ReportHints,
    identity,
    load::Forms,
    report::{self, ReadParts},
    rows::{self, Item, Row},
    value::CellValue,
};

/// Maximum length of a text in the explanation, in scalars.
const LONGEST: usize = 60;

/// Returns how a document is read, in lines of text: its blocks and grids, the clues to its body and year with their
/// weights, its rows with the cells of the form that they are read as, and the state of each cell with the reason if it
/// is unreadable.
///
/// # Errors
/// No form is loaded.
pub fn explain(document: &Document, forms: &Forms, known: &ReportHints<'_>) -> Result<String, Rejection> {
    let parts = report::parts(document, forms)?;
    let mut out = String::new();
    write(&mut out, document, forms, &parts, known).expect("writing to a string does not fail");
    Ok(out)
}

fn write(
    out: &mut String,
    document: &Document,
    forms: &Forms,
    parts: &ReadParts<'_>,
    known: &ReportHints<'_>,
) -> fmt::Result {
    writeln!(out, "blocks of {}", document.media_type.as_str())?;
    blocks(out, document)?;
    writeln!(out, "identity")?;
    let settled = identity::settle(&parts.identity, known);
    evidence(out, "body", &settled.agency)?;
    evidence(out, "year", &settled.year)?;
    writeln!(out, "rows")?;
    for item in rows::items(document, forms.chapter_titles(), forms.vocabulary()) {
        self::item(out, &item, &parts.tables.facts)?;
    }
    let form = parts.tables.form;
    writeln!(out, "facts of form {} {}", form.id, form.variant.as_str())?;
    for fact in &parts.tables.facts {
        self::fact(out, fact)?;
    }
    Ok(())
}

fn blocks(out: &mut String, document: &Document) -> fmt::Result {
    let mut table = 0;
    for block in &document.blocks {
        match block {
            Block::Paragraph(paragraph) => writeln!(out, "  paragraph {}", short(&paragraph.text))?,
            Block::Table(grid) => {
                self::grid(out, grid, table)?;
                table += 1;
            }
        }
    }
    Ok(())
}

fn grid(out: &mut String, grid: &Grid, table: u32) -> fmt::Result {
    let columns = if grid.spans_known { "columns known" } else { "order only" };
    writeln!(out, "  table {table}: {} rows, {} columns, {columns}", grid.rows, grid.columns)?;
    for (at, row) in grid.by_row().iter().enumerate() {
        let cells: Vec<String> =
            row.iter().map(|cell| format!("{}:{}", cell.column, short(&cell.text))).collect();
        writeln!(out, "    row {at}: {}", cells.join(" "))?;
    }
    Ok(())
}

fn evidence<T: fmt::Display>(out: &mut String, what: &str, found: &[Evidence<T>]) -> fmt::Result {
    for Evidence { value, source, weight } in found {
        writeln!(out, "  {what} {value}: weight {weight}, {}", source.as_str())?;
    }
    Ok(())
}

fn item(out: &mut String, item: &Item<'_>, facts: &[Fact]) -> fmt::Result {
    match item {
        Item::Chapter(number) => writeln!(out, "  chapter {number}"),
        Item::Line(label) => writeln!(out, "  line {}", short(label)),
        Item::Row(row) => self::row(out, row, facts),
    }
}

fn row(out: &mut String, row: &Row<'_>, facts: &[Fact]) -> fmt::Result {
    let labels: Vec<&str> = row.labels.iter().map(|piece| piece.label.as_str()).collect();
    let value = |value: CellValue| match value {
        CellValue::Number(number, _) => number.to_string(),
        CellValue::Blank => "blank".to_owned(),
        CellValue::NotApplicable => "mark".to_owned(),
        CellValue::Text => "text".to_owned(),
    };
    let values: Vec<String> = row.values.iter().map(|piece| value(piece.value)).collect();
    let places: Vec<CellRef> = row.values.iter().filter_map(|piece| piece.source().cell).collect();
    let is_here =
        |fact: &&Fact| fact.source.as_ref().and_then(|s| s.cell).is_some_and(|c| places.contains(&c));
    let mut names: Vec<&str> = facts.iter().filter(is_here).map(|fact| fact.id.concept.as_str()).collect();
    names.dedup();
    let read_as = if names.is_empty() { "nothing".to_owned() } else { names.join(" ") };
    writeln!(out, "  row [{}] {} -> {read_as}", labels.join(" | "), values.join(" "))
}

fn fact(out: &mut String, fact: &Fact) -> fmt::Result {
    write!(out, "  {} {}", fact.id, fact.state.as_str())?;
    if let State::Reported(value) = fact.state {
        write!(out, " {value}, by label and position")?;
    }
    if let Some(reason) = fact.unread_reason {
        write!(out, " {}:", reason.as_str())?;
    }
    let cells = if fact.candidates.is_empty() { fact.source.as_slice() } else { &fact.candidates };
    for source in cells {
        write!(out, " {}", place(source))?;
    }
    writeln!(out)
}

fn place(source: &Source) -> String {
    let text = short(&source.text);
    match source.cell {
        Some(CellRef { table, row, column }) => format!("{table}.{row}.{column} {text}"),
        None => text,
    }
}

/// Returns a text in one line, in quotation marks and cut if it is long.
fn short(text: &str) -> String {
    let line: String = text.chars().take(LONGEST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let more = if text.chars().nth(LONGEST).is_some() { "…" } else { "" };
    format!("“{line}{more}”")
}

#[cfg(test)]
mod tests {
    use gongkai_model::{Cell, MediaType, Paragraph};

    use super::*;

    /// Returns a document with a title and one row of chapter 二 with these cells.
    fn document(cells: &[&str]) -> Document {
        let cell = |(column, text): (u32, &&str)| Cell {
            column,
            row_span: 1,
            column_span: 1,
            text: (*text).to_owned(),
            ..Cell::default()
        };
        let grid = Grid {
            rows: 1,
            columns: u32::try_from(cells.len()).unwrap(),
            cells: (0..).zip(cells).map(cell).collect(),
            spans_known: true,
            ends_unsure: false,
        };
        let title = "云川市水务局2023年政府信息公开工作年度报告".to_owned();
        Document {
            media_type: MediaType::Html,
            charset: "utf-8",
            meta_title: None,
            fields: Vec::new(),
            blocks: vec![
                Block::Paragraph(Paragraph { text: title, ..Paragraph::default() }),
                Block::Table(grid),
            ],
            notes: Vec::new(),
        }
    }

    fn lines(cells: &[&str]) -> Vec<String> {
        let text = explain(&document(cells), &Forms::embedded(), &ReportHints::default()).unwrap();
        text.lines().map(|line| line.trim().to_owned()).collect()
    }

    #[test]
    fn rows_cells_and_reasons_are_told() {
        let told = lines(&["行政许可", "317"]);
        for line in [
            "table 0: 1 rows, 2 columns, columns known",
            "row 0: 0:“行政许可” 1:“317”",
            "body 云川市水务局: weight 12, title",
            "row [行政许可] 317 -> proactive.licensing.decisions",
            "proactive.licensing.decisions reported 317, by label and position 0.0.1 “317”",
            "proactive.punishment.decisions missing",
        ] {
            assert!(told.contains(&line.to_owned()), "{line} {told:#?}");
        }
        let told = lines(&["行政许可", "约317"]);
        let line = "proactive.licensing.decisions unreadable no_number: 0.0.1 “约317”";
        assert!(told.contains(&line.to_owned()), "{told:#?}");
    }
}
