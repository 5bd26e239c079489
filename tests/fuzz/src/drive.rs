//! Runs one input through one target, for the fuzzer and for the tests that replay its findings.
//!
//! Every input is processed from bytes to findings. For container formats, the fuzzer writes the content (XML, a page's
//! content stream), because a mutated compressed stream is rarely valid.

use std::{
    io::{Cursor, Write},
    sync::LazyLock,
};

use gongkai_check::{Hints, Limits};
use gongkai_forms::{Forms, read_report};
use gongkai_model::{Block, Cell, Document, Grid, MediaType, Paragraph, State};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

static FORMS: LazyLock<Forms> = LazyLock::new(Forms::embedded);
static VOCABULARY: LazyLock<Vec<String>> = LazyLock::new(|| words(&FORMS));

/// The names of all targets.
pub const TARGETS: [&str; 7] = ["text", "markdown", "html", "docx", "pdf", "doc", "matcher"];

/// Runs one input.
///
/// # Errors
/// A guarantee was broken: two readings differ, or a fact does not have the value in its source.
pub fn drive(target: &str, data: &[u8]) -> Result<(), String> {
    match target {
        "text" => check("a.txt", data),
        "markdown" => check("a.md", data),
        "html" => check("a.html", data),
        "doc" => check("a.doc", data),
        "docx" if data.starts_with(b"PK") => check("a.docx", data),
        "docx" => check("a.docx", &package(data)),
        "pdf" if data.starts_with(b"%PDF") => check("a.pdf", data),
        "pdf" => check("a.pdf", &pages(data)),
        "matcher" => matched(&document(data)),
        other => Err(format!("no such target: {other}")),
    }
}

/// Computes the line of `gongkai check`, for some inputs twice.
fn check(name: &str, bytes: &[u8]) -> Result<(), String> {
    let hints = Hints { filename: Some(name), ..Hints::default() };
    let line = || gongkai_check::check(name, bytes, &hints, &Limits::default());
    let first = line();
    let ours = first.rejection.as_ref().is_some_and(|rejection| rejection.code == "PARSER_PANIC");
    if ours && name != "a.pdf" {
        return Err(format!("{name}: a reader panicked"));
    }
    if bytes.len().is_multiple_of(16) && first != line() {
        return Err(format!("{name}: the same bytes, another line"));
    }
    Ok(())
}

// === containers ===

/// Returns a package of the parts, which zero bytes separate: the text, the styles, the numbering.
fn package(data: &[u8]) -> Vec<u8> {
    const NAMES: [&str; 3] = ["word/document.xml", "word/styles.xml", "word/numbering.xml"];
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, part) in NAMES.into_iter().zip(data.splitn(NAMES.len(), |byte| *byte == 0)) {
        zip.start_file(name, options).expect("a fresh archive takes an entry");
        zip.write_all(part).expect("memory takes bytes");
    }
    zip.finish().expect("memory takes bytes").into_inner()
}

/// Returns a file of pages whose content streams zero bytes separate, with a Chinese font that is not embedded (`F`)
/// and a Latin one (`G`).
fn pages(data: &[u8]) -> Vec<u8> {
    const MOST: usize = 8;
    let streams: Vec<&[u8]> = data.splitn(MOST, |byte| *byte == 0).collect();
    let kids: String = (0..streams.len()).map(|at| format!("{} 0 R ", 7 + at * 2)).collect();
    let mut objects: Vec<Vec<u8>> = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!("<< /Type /Pages /Kids [{kids}] /Count {} >>", streams.len()),
        "<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H /DescendantFonts [4 0 R] >>".to_owned(),
        "<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /DW 1000 /FontDescriptor 5 0 R \
         /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 2 >> >>".to_owned(),
        "<< /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /FontBBox [-25 -254 1000 880] /ItalicAngle 0 \
         /Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >>".to_owned(),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
    ]
    .into_iter()
    .map(String::into_bytes)
    .collect();
    for (at, stream) in streams.iter().enumerate() {
        objects.push(
            format!(
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {} 0 R \
                 /Resources << /Font << /F 3 0 R /G 6 0 R >> >> >>",
                8 + at * 2
            )
            .into_bytes(),
        );
        let mut object = format!("<< /Length {} >>\nstream\n", stream.len()).into_bytes();
        object.extend_from_slice(stream);
        object.extend_from_slice(b"\nendstream");
        objects.push(object);
    }
    file(&objects)
}

/// Returns the objects as a file, with their table.
fn file(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = b"%PDF-1.4\n".to_vec();
    let mut offsets = Vec::new();
    for (number, object) in (1..).zip(objects) {
        offsets.push(bytes.len());
        bytes.extend_from_slice(format!("{number} 0 obj\n").as_bytes());
        bytes.extend_from_slice(object);
        bytes.extend_from_slice(b"\nendobj\n");
    }
    let start = bytes.len();
    let size = objects.len() + 1;
    bytes.extend_from_slice(format!("xref\n0 {size}\n0000000000 65535 f \n").as_bytes());
    for offset in offsets {
        bytes.extend_from_slice(format!("{offset:010} 00000 n \n").as_bytes());
    }
    let trailer = format!("trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n");
    bytes.extend_from_slice(trailer.as_bytes());
    bytes
}

// === the matcher ===

/// The words of a document for the matcher's target, besides the forms' own labels.
const WORDS: [&str; 36] = [
    "",
    "0",
    "1",
    "2",
    "7",
    "12",
    "40",
    "345",
    "/",
    "—",
    "无",
    "17.27万元",
    "22（其中修订 16 件）",
    "1 234",
    "-3",
    "减4",
    "云川市水务局2023年政府信息公开工作年度报告",
    "一、总体情况",
    "二、主动公开政府信息情况",
    "三、收到和处理政府信息公开申请情况",
    "四、政府信息公开行政复议、行政诉讼情况",
    "五、存在的主要问题及改进情况",
    "六、其他需要报告的事项",
    "申请人情况",
    "自然人",
    "法人或其他组织",
    "商业",
    "企业",
    "总计",
    "信息内容",
    "（六）其他处理",
    "其他",
    "行政复议",
    "行政诉讼",
    "2023年，本局公开信息312条。",
    "99999999999999999999999999999999",
];

/// Builds a document. Each step consumes two bytes: an operation, and a word.
fn document(data: &[u8]) -> Document {
    let words = &*VOCABULARY;
    let mut blocks = Vec::new();
    let mut grid = Grid::default();
    let mut column = 0;
    for step in data.chunks_exact(2) {
        let (what, word) =
            (step[0], words.get(usize::from(step[1]) % words.len()).cloned().unwrap_or_default());
        match what {
            0..=15 => {
                close(&mut grid, &mut blocks);
                column = 0;
                blocks.push(Block::Paragraph(Paragraph { text: word, ..Paragraph::default() }));
            }
            16..=23 => {
                close(&mut grid, &mut blocks);
                column = 0;
                grid.spans_known = what.is_multiple_of(2);
            }
            24..=63 => {
                grid.rows += 1;
                column = u32::from(what % 4);
            }
            _ => {
                let span = if what >= 192 { u32::from(what % 8) + 1 } else { 1 };
                let row = grid.rows.saturating_sub(1);
                grid.rows = grid.rows.max(1);
                let row_span = u32::from(what / 64 % 3) + 1;
                let cell = Cell { row, column, row_span, column_span: span, text: word, ..Cell::default() };
                grid.cells.push(cell);
                column += span;
                grid.columns = grid.columns.max(column);
            }
        }
    }
    close(&mut grid, &mut blocks);
    Document {
        media_type: MediaType::Html,
        charset: "utf-8",
        meta_title: None,
        fields: Vec::new(),
        blocks,
        notes: Vec::new(),
    }
}

fn close(grid: &mut Grid, blocks: &mut Vec<Block>) {
    let grid = std::mem::take(grid);
    if !grid.cells.is_empty() {
        blocks.push(Block::Table(grid));
    }
}

fn words(forms: &Forms) -> Vec<String> {
    let mut words: Vec<String> = WORDS.into_iter().map(str::to_owned).collect();
    for form in forms.iter() {
        let bands = form.bands.iter().flat_map(|band| {
            let columns = band.columns.iter().map(|column| column.label.text.clone());
            columns.chain(band.rows.iter().map(|row| row.label.text.clone())).chain([band.item.clone()])
        });
        words.extend(bands);
        words.extend(form.rows.iter().flat_map(|row| row.group.iter().chain([&row.label.text]).cloned()));
        words.extend(form.applicants.iter().map(|column| column.label.text.clone()));
        words.extend(form.disputes.blocks.iter().map(|block| block.label.text.clone()));
        words.extend(form.disputes.columns.iter().map(|column| column.label.text.clone()));
    }
    words.sort();
    words.dedup();
    words
}

/// Checks that every cell of the form occurs once, and that no number lacks a digit in its source.
fn matched(document: &Document) -> Result<(), String> {
    let Ok(report) = read_report(document, &FORMS) else { return Ok(()) };
    let Some(form) = FORMS.get(report.form, report.variant) else {
        return Err("a report of a form that is not there".to_owned());
    };
    if !report.facts.iter().map(|fact| &fact.id).eq(form.cells.iter().map(|cell| &cell.id)) {
        return Err("the facts are not the form's cells".to_owned());
    }
    for fact in &report.facts {
        let source = fact.source.as_ref().map_or("", |source| source.text.as_str());
        let digits = source.chars().any(|c| c.is_ascii_digit());
        match fact.state {
            State::Reported(_) if !digits => return Err(format!("{} is no number: {source:?}", fact.id)),
            State::Blank if digits => return Err(format!("{} is not blank: {source:?}", fact.id)),
            _ => {}
        }
    }
    let by_name = gongkai_agencies::nature_of(&report.agency);
    let context = gongkai_rules::ReportContext { by_name, ..Default::default() };
    drop(gongkai_rules::RuleSet::embedded().evaluate(&report, &context));
    Ok(())
}
