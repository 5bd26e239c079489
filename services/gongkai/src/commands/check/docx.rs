//! Writes a letter as DOCX: A4 with the margins, fonts and sizes of an official document (GB/T 9704).

use std::io::{self, Cursor, Write as _};

use gongkai_worker::inert;
use quick_xml::escape::escape;
use zip::{ZipWriter, write::SimpleFileOptions};

/// A paragraph or a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Block {
    /// The title, centred.
    Title(String),
    /// The line that names the addressees, without indent.
    Addressee(String),
    /// The heading of a part.
    Heading(String),
    /// A paragraph, its first line indented by two characters.
    Body(String),
    /// The sender or the date, at the right.
    Signature(String),
    Table(DocxTable),
}

/// A table. Its first row is repeated on each page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DocxTable {
    /// Widths of the columns, as shares of the page's width.
    pub(super) widths: Vec<u32>,
    /// The heads, then the rows.
    pub(super) rows: Vec<Vec<String>>,
}

/// Width of the text in twips: A4 without the margins.
const TEXT_WIDTH: u32 = 8844;

const CONTENT_TYPES: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>"#;

const RELATIONSHIPS: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>"#;

const DOCUMENT: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>"#;

const DOCUMENT_END: &str = r#"<w:sectPr><w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="2098" w:right="1474" w:bottom="1984" w:left="1588" w:header="851" w:footer="992" w:gutter="0"/></w:sectPr></w:body></w:document>"#;

/// Returns the bytes of a letter.
///
/// # Errors
/// The archive could not be written, which in memory means that it exceeds 4 GiB.
pub(super) fn bytes(blocks: &[Block]) -> io::Result<Vec<u8>> {
    let body: String = blocks.iter().map(Block::xml).collect();
    let document = format!("{DOCUMENT}{body}{DOCUMENT_END}");
    let parts = [
        ("[Content_Types].xml", CONTENT_TYPES),
        ("_rels/.rels", RELATIONSHIPS),
        ("word/document.xml", &document),
    ];
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        archive.start_file(name, SimpleFileOptions::default())?;
        archive.write_all(text.as_bytes())?;
    }
    Ok(archive.finish()?.into_inner())
}

// === impl Block ===

impl Block {
    fn xml(&self) -> String {
        const BODY: &str = r#"<w:spacing w:line="560" w:lineRule="exact"/>"#;
        const INDENT: &str = r#"<w:ind w:firstLineChars="200" w:firstLine="640"/>"#;
        match self {
            Self::Title(text) => {
                let look = r#"<w:spacing w:before="240" w:after="480" w:line="640" w:lineRule="exact"/><w:jc w:val="center"/>"#;
                paragraph(look, "方正小标宋简体", 44, text)
            }
            Self::Addressee(text) => paragraph(BODY, "仿宋_GB2312", 32, text),
            Self::Heading(text) => paragraph(&format!("<w:keepNext/>{BODY}{INDENT}"), "黑体", 32, text),
            Self::Body(text) => paragraph(&format!("{BODY}{INDENT}"), "仿宋_GB2312", 32, text),
            Self::Signature(text) => paragraph(
                &format!(r#"{BODY}<w:ind w:rightChars="400" w:right="1280"/><w:jc w:val="right"/>"#),
                "仿宋_GB2312",
                32,
                text,
            ),
            Self::Table(table) => table.xml(),
        }
    }
}

/// Returns a paragraph with its properties; the size is in half points.
fn paragraph(properties: &str, font: &str, size: u32, text: &str) -> String {
    let text = inert::escape(text);
    format!(
        r#"<w:p><w:pPr>{properties}</w:pPr><w:r><w:rPr><w:rFonts w:ascii="Times New Roman" w:hAnsi="Times New Roman" w:eastAsia="{font}"/><w:sz w:val="{size}"/><w:szCs w:val="{size}"/></w:rPr><w:t xml:space="preserve">{}</w:t></w:r></w:p>"#,
        escape(text.as_ref())
    )
}

impl DocxTable {
    fn xml(&self) -> String {
        const EDGES: [&str; 6] = ["top", "left", "bottom", "right", "insideH", "insideV"];
        let edge = |side| format!(r#"<w:{side} w:val="single" w:sz="4" w:space="0" w:color="000000"/>"#);
        let borders: String = EDGES.map(edge).concat();
        let whole = self.widths.iter().sum::<u32>().max(1);
        let widths: Vec<u32> = self.widths.iter().map(|width| TEXT_WIDTH * width / whole).collect();
        let grid: String = widths.iter().map(|width| format!(r#"<w:gridCol w:w="{width}"/>"#)).collect();
        let rows: String =
            self.rows.iter().enumerate().map(|(at, cells)| row(at == 0, cells, &widths)).collect();
        // A paragraph after the table keeps it apart from the next one.
        format!(
            r#"<w:tbl><w:tblPr><w:tblW w:w="{TEXT_WIDTH}" w:type="dxa"/><w:tblBorders>{borders}</w:tblBorders><w:tblLayout w:type="fixed"/></w:tblPr><w:tblGrid>{grid}</w:tblGrid>{rows}</w:tbl>{}"#,
            paragraph(r#"<w:spacing w:line="240" w:lineRule="exact"/>"#, "仿宋_GB2312", 20, "")
        )
    }
}

fn row(is_head: bool, cells: &[String], widths: &[u32]) -> String {
    let font = if is_head { "黑体" } else { "仿宋_GB2312" };
    let cell = |(text, width): (&String, &u32)| {
        let text = paragraph(r#"<w:jc w:val="center"/>"#, font, 24, text);
        format!(
            r#"<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/><w:vAlign w:val="center"/></w:tcPr>{text}</w:tc>"#
        )
    };
    let cells: String = cells.iter().zip(widths).map(cell).collect();
    let head = if is_head { "<w:tblHeader/>" } else { "" };
    format!("<w:tr><w:trPr><w:cantSplit/>{head}</w:trPr>{cells}</w:tr>")
}
