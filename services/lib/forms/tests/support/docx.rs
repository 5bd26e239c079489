//! A report as a DOCX package, with merged cells in Word's form.

use std::io::{Cursor, Write};

use zip::{ZipWriter, write::SimpleFileOptions};

use super::{Table, layout::Part, placed};

pub(crate) fn write(parts: &[Part<'_>]) -> Vec<u8> {
    let body: String = parts.iter().map(part).collect();
    let document =
        format!(r#"<?xml version="1.0"?><w:document xmlns:w="w"><w:body>{body}</w:body></w:document>"#);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("word/document.xml", SimpleFileOptions::default()).unwrap();
    zip.write_all(document.as_bytes()).unwrap();
    zip.finish().unwrap().into_inner()
}

fn part(part: &Part<'_>) -> String {
    match part {
        Part::Line(text) => paragraph(text),
        Part::Table(table) => self::table(table),
    }
}

fn paragraph(text: &str) -> String {
    format!("<w:p><w:r><w:t>{text}</w:t></w:r></w:p>")
}

fn table(table: &Table) -> String {
    let rows = placed::rows(table);
    let grid = "<w:gridCol/>".repeat(placed::width(&rows));
    let rows: String = rows
        .iter()
        .map(|row| {
            let cells: String = row
                .iter()
                .map(|placed| {
                    let merge = match placed.cell {
                        None => "<w:vMerge/>",
                        Some(cell) if cell.rows > 1 => r#"<w:vMerge w:val="restart"/>"#,
                        Some(_) => "",
                    };
                    let text = paragraph(placed.cell.map_or("", |cell| &cell.text));
                    let span = placed.columns;
                    format!(r#"<w:tc><w:tcPr><w:gridSpan w:val="{span}"/>{merge}</w:tcPr>{text}</w:tc>"#)
                })
                .collect();
            format!("<w:tr>{cells}</w:tr>")
        })
        .collect();
    format!("<w:tbl><w:tblGrid>{grid}</w:tblGrid>{rows}</w:tbl>")
}
