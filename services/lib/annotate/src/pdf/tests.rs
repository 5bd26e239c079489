use gongkai_extract::{Hints, Limits, pdf_glyphs};
use gongkai_model::{Area, Block, Cell, RejectionCode, Severity, Source};
use hayro_interpret::hayro_syntax::{
    Pdf,
    object::{Array, Dict, Name, Rect, String as PdfString},
};

use crate::{Lang, Remark, RemarkSheet, annotate};

const SAMPLE: &[u8] = include_bytes!("../../../../../tests/samples/14_ruled_pages.pdf");

#[path = "../../../extract/tests/support/pdf_file.rs"]
mod pdf_file;

fn remark(sources: Vec<Source>) -> Remark {
    Remark {
        severity: Severity::Error,
        label: "必须整改".to_owned(),
        rule: "T2-SUM".to_owned(),
        place: String::new(),
        problem: "合计不符".to_owned(),
        advice: "核对".to_owned(),
        legal: String::new(),
        sources,
    }
}

fn copy_of(bytes: &[u8], remarks: Vec<Remark>) -> Vec<u8> {
    let sheet = RemarkSheet {
        lang: Lang::Chinese,
        subject: "某局 2024 年度".to_owned(),
        remarks,
        ..RemarkSheet::default()
    };
    let copy = annotate(bytes, &Hints::default(), &Limits::default(), &sheet).unwrap().bytes;
    assert!(copy.starts_with(bytes), "the original comes first");
    let read = |bytes: &[u8]| {
        gongkai_extract::read(bytes, &Hints::default(), &Limits::default()).map(|read| read.blocks)
    };
    assert_eq!(read(&copy), read(bytes), "the copy reads like the original");
    copy
}

/// An annotation as another program finds it.
#[derive(Debug)]
struct Found {
    page: u32,
    kind: String,
    /// Left, bottom, right, top.
    rect: [f64; 4],
    contents: String,
}

fn annotations(bytes: &[u8]) -> Vec<Found> {
    let pdf = Pdf::new(bytes.to_vec()).unwrap();
    let mut found = Vec::new();
    for (page, own) in (1..).zip(pdf.pages().iter()) {
        let Some(array) = own.raw().get::<Array<'_>>("Annots") else { continue };
        for dict in array.iter::<Dict<'_>>() {
            let Rect { x0, y0, x1, y1 } = dict.get("Rect").unwrap();
            let contents: Option<PdfString<'_>> = dict.get("Contents");
            let units: Vec<u16> = contents
                .map(|text| {
                    text.as_bytes().chunks_exact(2).map(|two| u16::from_be_bytes([two[0], two[1]])).collect()
                })
                .unwrap_or_default();
            found.push(Found {
                page,
                kind: dict.get::<Name<'_>>("Subtype").unwrap().as_str().to_owned(),
                rect: [x0, y0, x1, y1],
                contents: String::from_utf16(&units).unwrap().trim_start_matches('\u{feff}').to_owned(),
            });
        }
    }
    found
}

fn cells() -> Vec<Cell> {
    let document = gongkai_extract::read(SAMPLE, &Hints::default(), &Limits::default()).unwrap();
    let tables = document.blocks.into_iter().filter_map(|block| match block {
        Block::Table(grid) => Some(grid.cells),
        Block::Paragraph(_) => None,
    });
    tables.flatten().collect()
}

fn source_of(cell: &Cell) -> Source {
    Source { text: cell.text.clone(), page: cell.page, area: cell.area, ..Source::default() }
}

/// Returns the height of a page of the sample.
fn height(page: u32) -> f64 {
    let pdf = Pdf::new(SAMPLE.to_vec()).unwrap();
    f64::from(pdf.pages().get(page as usize - 1).unwrap().render_dimensions().1)
}

#[test]
fn a_cell_is_highlighted_where_its_number_is_drawn() {
    let cells = cells();
    let numbers: Vec<&Cell> = cells
        .iter()
        .filter(|cell| cell.text.len() >= 2 && cell.text.parse::<u32>().is_ok())
        .take(3)
        .collect();
    let copy = copy_of(SAMPLE, vec![remark(numbers.iter().map(|cell| source_of(cell)).collect())]);
    let found = annotations(&copy);
    assert_eq!(found.len(), 3, "{found:?}");
    for (cell, found) in numbers.iter().zip(&found) {
        let page = cell.page.unwrap();
        assert_eq!((found.page, found.kind.as_str()), (page, "Highlight"));
        let [left, bottom, right, top] = found.rect;
        let glyphs = pdf_glyphs(SAMPLE, &Limits::default(), |wanted| wanted == page).unwrap();
        let inside = glyphs[&page].iter().filter(|glyph| {
            let (x, y) = (
                f64::midpoint(glyph.left, glyph.right),
                height(page) - f64::midpoint(glyph.top, glyph.bottom),
            );
            (left..right).contains(&x) && (bottom..top).contains(&y)
        });
        let shown: String = inside.map(|glyph| glyph.text.as_str()).collect();
        assert_eq!(shown, cell.text);
    }
    assert!(found[0].contents.starts_with("[1] 必须整改 T2-SUM：合计不符\n建议：核对"), "{found:?}");
    assert!(found[1].contents.contains("同一问题的另一处"), "{found:?}");
}

#[test]
fn a_quotation_is_highlighted_line_by_line_and_a_remark_without_place_is_a_note() {
    let document = gongkai_extract::read(SAMPLE, &Hints::default(), &Limits::default()).unwrap();
    let paragraph = document.blocks.iter().find_map(|block| match block {
        Block::Paragraph(paragraph) if paragraph.text.chars().count() > 60 => Some(paragraph),
        _ => None,
    });
    let paragraph = paragraph.unwrap();
    let words: String = paragraph.text.chars().skip(20).take(35).collect();
    let quoted = Source { text: words, page: paragraph.page, ..Source::default() };
    let lost = Source { text: "没有这句话".to_owned(), page: Some(1), ..Source::default() };
    let copy = copy_of(SAMPLE, vec![remark(vec![quoted]), remark(vec![lost]), remark(Vec::new())]);
    let found = annotations(&copy);
    let kinds: Vec<&str> = found.iter().map(|found| found.kind.as_str()).collect();
    assert_eq!(kinds, ["Highlight", "Text", "Text"]);
    assert!(found[1].contents.contains("文中没有可标注的位置"));
    let text = String::from_utf8_lossy(&copy[SAMPLE.len()..]).into_owned();
    assert!(text.contains("/QuadPoints") && text.contains("/AP <</N"), "{text}");
}

/// A page of 400 by 300 points that is turned, with an annotation that it has already.
fn turned() -> Vec<String> {
    let text = "BT /F 10 Tf 20 280 Td (Annual report on information disclosure) Tj ET";
    vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 400 300] /Rotate 90 /Annots [6 0 R] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>".to_owned(),
        format!("<< /Length {} >>\nstream\n{text}\nendstream", text.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
        "<< /Type /Annot /Subtype /Square /Rect [1 2 3 4] >>".to_owned(),
    ]
}

#[test]
fn what_a_page_has_stays_and_a_turned_page_is_marked_in_its_own_space() {
    let file = pdf_file::pdf_file(&turned(), "/ID [<00ff> <00ff>]");
    let glyphs = pdf_glyphs(&file, &Limits::default(), |_| true).unwrap();
    let text: String = glyphs[&1].iter().map(|glyph| glyph.text.as_str()).collect();
    assert!(text.starts_with("Annual"), "{text}");
    // What is drawn at the right of the turned page is at the top of its own space.
    let area = Area { left: 270, top: 20, right: 300, bottom: 60 };
    let source = Source { area: Some(area), page: Some(1), ..Source::default() };
    let copy = copy_of(&file, vec![remark(vec![source])]);
    let found = annotations(&copy);
    assert_eq!(found.iter().map(|found| found.kind.as_str()).collect::<Vec<_>>(), ["Square", "Highlight"]);
    assert_eq!(found[1].rect.map(f64::round), [20.0, 270.0, 60.0, 300.0]);
    let update = String::from_utf8_lossy(&copy[file.len()..]).into_owned();
    assert!(update.contains("trailer\n<</Size") && update.contains("/ID [<00FF> <00FF>]"), "{update}");
}

/// Returns a file whose objects are in an object stream and whose cross-reference section is a stream.
fn compressed() -> Vec<u8> {
    let objects = turned();
    let (mut bytes, mut offsets) = (b"%PDF-1.5\n".to_vec(), vec![(0, 0, 0)]);
    let (mut heads, mut bodies) = (String::new(), String::new());
    for (number, object) in (1_u32..).zip(&objects) {
        if number == 4 {
            offsets.push((1, u32::try_from(bytes.len()).unwrap(), 0));
            bytes.extend(format!("4 0 obj\n{object}\nendobj\n").into_bytes());
        } else {
            let index = u16::try_from(heads.matches(' ').count() / 2).unwrap();
            offsets.push((2, 7, index));
            heads.push_str(&format!("{number} {} ", bodies.len()));
            bodies.push_str(&format!("{object} "));
        }
    }
    offsets.push((1, u32::try_from(bytes.len()).unwrap(), 0));
    let (first, count) = (heads.len(), objects.len() - 1);
    let content = heads + &bodies;
    bytes.extend(
        format!("7 0 obj\n<< /Type /ObjStm /N {count} /First {first} /Length {} >>\nstream\n{content}\nendstream\nendobj\n", content.len())
            .into_bytes(),
    );
    let start = bytes.len();
    offsets.push((1, u32::try_from(start).unwrap(), 0));
    let data: Vec<u8> = offsets
        .iter()
        .flat_map(|(kind, at, index)| [&[*kind][..], &at.to_be_bytes(), &index.to_be_bytes()].concat())
        .collect();
    bytes.extend(
        format!("8 0 obj\n<< /Type /XRef /Size 9 /W [1 4 2] /Root 1 0 R /Length {} >>\nstream\n", data.len())
            .into_bytes(),
    );
    bytes.extend(data);
    bytes.extend(format!("\nendstream\nendobj\nstartxref\n{start}\n%%EOF").into_bytes());
    bytes
}

#[test]
fn a_file_of_streams_gets_a_section_that_is_a_stream() {
    let file = compressed();
    let source = Source {
        area: Some(Area { left: 1, top: 1, right: 9, bottom: 9 }),
        page: Some(1),
        ..Source::default()
    };
    let copy = copy_of(&file, vec![remark(vec![source])]);
    assert_eq!(annotations(&copy).len(), 2);
    let update = String::from_utf8_lossy(&copy[file.len()..]).into_owned();
    assert!(update.contains("/Type /XRef /Size 12") && !update.contains("trailer"), "{update}");
}

#[test]
fn what_cannot_be_updated_is_refused_with_its_reason() {
    let code = |bytes: &[u8]| {
        let sheet = RemarkSheet { remarks: vec![remark(Vec::new())], ..RemarkSheet::default() };
        annotate(bytes, &Hints::default(), &Limits::default(), &sheet).unwrap_err().code
    };
    let locked = pdf_file::pdf_file(&turned(), "/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 >>");
    assert_eq!(code(&locked), RejectionCode::Encrypted);
    let file = pdf_file::pdf_file(&turned(), "");
    let text = String::from_utf8(file).unwrap();
    for damaged in [
        text.replace("startxref\n", "startxref\n9"),
        text.replace("/Root 1 0 R", ""),
        text.replace("trailer", ""),
    ] {
        assert_eq!(code(damaged.as_bytes()), RejectionCode::Corrupt, "{damaged}");
    }
}
