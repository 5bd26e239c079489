//! Positions in the original document, in the JSON line.

use gongkai_model::{Area, CellRef, Source, Span, masked};
use serde::{Deserialize, Serialize};

/// A position in the original document. Members that the document's format lacks are absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceLine {
    /// The text verbatim, with personal data masked.
    pub text: String,
    /// Ordinal of the table in the document, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<u32>,
    /// Row on the expanded grid, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<u32>,
    /// Column on the expanded grid, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// Page, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// First Unicode scalar in the decoded original.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<u32>,
    /// One past the last Unicode scalar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<u32>,
    /// The cell's box on its page: left, top, right, bottom, in points from the page's top left corner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<[u32; 4]>,
    /// The name of the attachment that contains the position; absent for the main body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
}

impl From<&Source> for SourceLine {
    fn from(source: &Source) -> Self {
        Self {
            text: masked(&source.text).into_owned(),
            table: source.cell.map(|cell| cell.table),
            row: source.cell.map(|cell| cell.row),
            column: source.cell.map(|cell| cell.column),
            page: source.page,
            start: source.span.map(|span| span.start),
            end: source.span.map(|span| span.end),
            area: source.area.map(|area| [area.left, area.top, area.right, area.bottom]),
            part: source.part.clone(),
        }
    }
}

impl From<&SourceLine> for Source {
    fn from(line: &SourceLine) -> Self {
        let cell = line.table.zip(line.row).zip(line.column);
        Self {
            text: line.text.clone(),
            cell: cell.map(|((table, row), column)| CellRef { table, row, column }),
            page: line.page,
            span: line.start.zip(line.end).map(|(start, end)| Span { start, end }),
            area: line.area.map(|[left, top, right, bottom]| Area { left, top, right, bottom }),
            part: line.part.clone(),
        }
    }
}
