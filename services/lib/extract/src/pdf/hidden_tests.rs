//! Text that a page holds and does not show, or shows as no part of a number.

use gongkai_model::Block;

use super::{
    read,
    tests::{file, line, pdf_file::pdf_file, ruled, text, title},
};
use crate::limits::Limits;

/// Returns a page with a table whose only cell has the number 17, and this content after it.
fn page(extra: &str) -> String {
    let lines = ruled(&[20.0, 100.0, 180.0], &[200.0, 220.0, 240.0]);
    let cells = [(25.0, 226.0, "rules"), (105.0, 226.0, "17"), (25.0, 206.0, "norms"), (105.0, 206.0, "23")];
    let cells: String = cells.map(|(x, y, cell)| text(x, y, cell)).concat();
    format!("{}{lines}{cells}{extra}", title())
}

/// Returns the text of the cell with the number.
fn cell_of(bytes: &[u8]) -> String {
    let blocks = read(bytes, &Limits::default()).unwrap();
    let cells = blocks.iter().find_map(|block| match block {
        Block::Table(grid) => Some(grid.cells.as_slice()),
        Block::Paragraph(_) => None,
    });
    let cell = cells.unwrap().iter().find(|cell| cell.row == 0 && cell.column == 1);
    cell.map(|cell| cell.text.clone()).unwrap_or_default()
}

fn cell(extra: &str) -> String {
    cell_of(&file(&[page(extra)]))
}

/// The digit right behind the number.
fn digit() -> String {
    text(115.0, 226.0, "9")
}

fn sized(size: &str, y: f64) -> String {
    format!("BT /F {size} Tf 115 {y} Td (9) Tj ET\n")
}

#[test]
fn text_that_is_not_shown_is_no_part_of_a_number() {
    let digit = digit();
    for extra in [
        format!("3 Tr {digit} 0 Tr"),
        format!("1 g {digit} 0 g"),
        format!("0.85 g {digit} 0 g"),
        sized("1", 226.0),
        sized("2", 226.0),
        "BT /F 10 Tf 0 Tz 115 226 Td (9) Tj 100 Tz ET".to_owned(),
        format!("q 0 0 10 10 re W n {digit} Q"),
        format!("{digit} q 1 g 114 222 8 14 re f Q"),
        format!("{digit} q 8 0 0 14 114 222 cm BI /W 1 /H 1 /BPC 8 /CS /G ID \u{1} EI Q"),
        format!("q 0.9 g 114 222 8 14 re f Q 0.9 g {digit} 0 g"),
        format!("/Artifact BMC {digit} EMC"),
        format!("/Artifact << /Type /Pagination >> BDC {digit} EMC"),
        format!("/Artifact << /Subtype /Watermark >> BDC {digit} EMC"),
        "BT /F 40 Tf 0.7 0.7 -0.7 0.7 108 220 Tm (2023) Tj ET".to_owned(),
        format!("{digit}{}", line(114.0, 229.3, 121.0, 229.3)),
    ] {
        assert_eq!(cell(&extra), "17", "{extra}");
    }
}

#[test]
fn text_off_the_baseline_is_no_part_of_a_number() {
    assert_eq!(cell("BT /F 10 Tf 115 226 Td 4 Ts (9) Tj 0 Ts ET"), "17⁹");
    assert_eq!(cell(&sized("6", 224.0)), "17₉");
    for raised in [sized("6", 230.0), sized("5", 229.0)] {
        let found = cell(&raised);
        assert!(["17⁹", "9\n17"].contains(&found.as_str()), "{found}");
    }
    // Numbers of one row may have different baselines.
    let apart = "BT /F 10 Tf 140 229 Td (9) Tj ET";
    assert!(!cell(apart).contains('⁹'), "{}", cell(apart));
}

#[test]
fn furniture_of_a_page_that_is_all_marked_is_read() {
    let all = format!("/Artifact BMC {} EMC", page(&digit()));
    assert_eq!(cell_of(&file(&[all])), "179");
}

/// Returns a file with an annotation of this kind over the cell, which shows a digit.
fn annotated(subtype: &str) -> Vec<u8> {
    let (content, shown) = (page(""), digit());
    let font = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding /FirstChar 32 /LastChar 126 /Widths ["
        .to_owned() + &"500 ".repeat(95) + "] >>";
    let fonts = "/Resources << /Font << /F 3 0 R >> >>";
    pdf_file(
        &[
            "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
            "<< /Type /Pages /Kids [4 0 R] /Count 1 >>".to_owned(),
            font,
            format!(
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 400 300] /Contents 5 0 R {fonts} /Annots [6 0 R] >>"
            ),
            format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()),
            format!("<< /Type /Annot /Subtype /{subtype} /Rect [114 222 122 236] /AP << /N 7 0 R >> >>"),
            format!(
                "<< /Type /XObject /Subtype /Form /BBox [114 222 122 236] {fonts} /Length {} >>\nstream\n{shown}\nendstream",
                shown.len()
            ),
        ],
        "",
    )
}

#[test]
fn comments_and_stamps_are_no_text_and_text_boxes_stay_apart() {
    for subtype in ["Stamp", "Text", "Popup", "Highlight"] {
        assert_eq!(cell_of(&annotated(subtype)), "17", "{subtype}");
    }
    for subtype in ["FreeText", "Widget"] {
        assert_eq!(cell_of(&annotated(subtype)), "17 9", "{subtype}");
    }
}
