use std::time::Duration;

use gongkai_model::{Block, RejectionCode};
use proptest::prelude::*;

use self::pdf_file::pdf_file;
use super::read;
use crate::{cpu::Cpu, limits::Limits};

#[path = "../../tests/support/pdf_file.rs"]
pub(super) mod pdf_file;

/// Returns a file with pages of 400 by 300 points, one per content stream, in Helvetica of 10 points.
pub(super) fn file(pages: &[String]) -> Vec<u8> {
    file_with(pages, "")
}

fn file_with(pages: &[String], trailer: &str) -> Vec<u8> {
    let font = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding /FirstChar 32 /LastChar 126 /Widths ["
        .to_owned() + &"500 ".repeat(95) + "] >>";
    file_in(&font, pages, trailer)
}

/// Returns a file with this font, these pages and this trailer.
pub(super) fn file_in(font: &str, pages: &[String], trailer: &str) -> Vec<u8> {
    let kids: String = (0..pages.len()).map(|index| format!("{} 0 R ", 4 + index * 2)).collect();
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!("<< /Type /Pages /Kids [{kids}] /Count {} >>", pages.len()),
        font.to_owned(),
    ];
    for (index, content) in pages.iter().enumerate() {
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 400 300] /Contents {} 0 R /Resources << /Font << /F 3 0 R >> /XObject << /I 99 0 R >> >> >>",
            5 + index * 2
        ));
        objects.push(format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()));
    }
    pdf_file(&objects, trailer)
}

/// Returns text at a position, measured from the bottom left corner.
pub(super) fn text(x: f64, y: f64, text: &str) -> String {
    format!("BT /F 10 Tf {x} {y} Td ({text}) Tj ET\n")
}

pub(super) fn line(x0: f64, y0: f64, x1: f64, y1: f64) -> String {
    format!("{x0} {y0} m {x1} {y1} l S\n")
}

/// Returns a text above the tables that makes the file long enough to be accepted.
pub(super) fn title() -> String {
    text(20.0, 280.0, "Annual report on information disclosure")
}

/// Returns lines at these positions.
pub(super) fn ruled(xs: &[f64], ys: &[f64]) -> String {
    let (left, right) = (xs[0], xs[xs.len() - 1]);
    let (bottom, top) = (ys[0], ys[ys.len() - 1]);
    let level = ys.iter().map(|y| line(left, *y, right, *y));
    level.chain(xs.iter().map(|x| line(*x, bottom, *x, top))).collect()
}

fn shown(pages: &[String]) -> Vec<String> {
    let blocks = read(&file(pages), &Limits::default()).unwrap_or_else(|error| panic!("{error}: {pages:?}"));
    blocks.iter().map(shown_block).collect()
}

fn shown_block(block: &Block) -> String {
    match block {
        Block::Paragraph(paragraph) => format!("{}: {}", paragraph.page.unwrap(), paragraph.text),
        Block::Table(grid) => {
            assert!(grid.spans_known);
            let cell = |cell: &gongkai_model::Cell| match (cell.row_span, cell.column_span) {
                (1, 1) => format!("{}@{}", cell.text, cell.column),
                (rows, columns) => format!("{}@{}×{rows},{columns}", cell.text, cell.column),
            };
            let rows = grid
                .by_row()
                .into_iter()
                .map(|row| row.into_iter().map(cell).collect::<Vec<_>>().join(" | "));
            rows.collect::<Vec<_>>().join(" / ")
        }
    }
}

fn check(pages: &[String], expect: &[&str]) {
    assert_eq!(shown(pages), expect, "{pages:?}");
}

pub(super) fn check_rejected(bytes: &[u8], limits: &Limits, expect: RejectionCode) {
    let begun = Cpu::now();
    assert_eq!(read(bytes, limits).unwrap_err().code, expect);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

const TITLE: &str = "1: Annual report on information disclosure";

#[test]
fn ruled_lines_make_cells() {
    let table = ruled(&[20.0, 120.0, 200.0, 280.0], &[150.0, 170.0, 190.0])
        + &text(25.0, 175.0, "rules")
        + &text(130.0, 175.0, "11")
        + &text(210.0, 175.0, "12")
        + &text(25.0, 155.0, "norms")
        + &text(130.0, 155.0, "13")
        + &text(210.0, 155.0, "14");
    check(&[title() + &table], &[TITLE, "rules@0 | 11@1 | 12@2 / norms@0 | 13@1 | 14@2"]);
}

#[test]
fn a_missing_line_merges_cells_and_thin_boxes_are_lines() {
    let table = [
        line(20.0, 190.0, 280.0, 190.0),
        line(120.0, 170.0, 280.0, 170.0),
        line(20.0, 150.0, 280.0, 150.0),
        "20 150 0.5 40 re f\n".to_owned(),
        "280 150 0.5 40 re f 120 150 0.5 40 re f\n".to_owned(),
        line(200.0, 150.0, 200.0, 170.0),
        text(25.0, 165.0, "group"),
        text(130.0, 175.0, "21"),
        text(130.0, 155.0, "22"),
        text(210.0, 155.0, "23"),
    ];
    check(&[title() + &table.concat()], &[TITLE, "group@0×2,1 | 21@1×1,2 / 22@1 | 23@2"]);
}

#[test]
fn a_stroked_box_is_four_lines_and_open_sides_are_sides() {
    let table = "20 150 100 40 re S 120 150 100 40 re S\n".to_owned()
        + &text(25.0, 165.0, "a")
        + &text(130.0, 165.0, "31");
    check(&[title() + &table], &[TITLE, "a@0 | 31@1"]);
    let open = [
        line(20.0, 190.0, 280.0, 190.0),
        line(20.0, 150.0, 280.0, 150.0),
        line(120.0, 150.0, 120.0, 190.0),
        text(25.0, 165.0, "b"),
        text(130.0, 165.0, "32"),
    ];
    check(&[title() + &open.concat()], &[TITLE, "b@0 | 32@1"]);
}

#[test]
fn a_table_over_a_page_break_is_one_table() {
    let xs = [20.0, 120.0, 200.0];
    let head = |y: f64| text(25.0, y, "item") + &text(125.0, y, "count");
    let first = title()
        + &ruled(&xs, &[40.0, 60.0, 80.0])
        + &head(65.0)
        + &text(25.0, 45.0, "x")
        + &text(125.0, 45.0, "41")
        + &text(190.0, 10.0, "- 1 -");
    let second = ruled(&xs, &[240.0, 260.0, 280.0])
        + &head(265.0)
        + &text(25.0, 245.0, "y")
        + &text(125.0, 245.0, "42")
        + &text(190.0, 10.0, "- 2 -")
        + &text(20.0, 200.0, "after");
    check(&[first, second], &[TITLE, "item@0 | count@1 / x@0 | 41@1 / y@0 | 42@1", "2: after"]);
}

#[test]
fn a_row_torn_by_a_page_break_is_one_row() {
    let xs = [20.0, 120.0, 200.0];
    let sides = |from: f64, to: f64| xs.map(|x| line(x, from, x, to)).concat();
    let first = title()
        + &line(20.0, 80.0, 200.0, 80.0)
        + &line(20.0, 60.0, 200.0, 60.0)
        + &sides(30.0, 80.0)
        + &text(25.0, 65.0, "x")
        + &text(125.0, 65.0, "51")
        + &text(25.0, 45.0, "label be")
        + &text(125.0, 45.0, "52");
    let second = sides(260.0, 280.0) + &line(20.0, 260.0, 200.0, 260.0) + &text(25.0, 265.0, "low");
    check(&[first, second], &[TITLE, "x@0 | 51@1 / label below@0 | 52@1"]);
}

#[test]
fn a_row_torn_where_lines_are_drawn_is_one_row() {
    let xs = [20.0, 120.0, 150.0];
    let upper = |label: &str, value: &str| {
        title()
            + &ruled(&xs, &[40.0, 60.0, 80.0])
            + &text(25.0, 65.0, "x")
            + &text(125.0, 65.0, "71")
            + &text(25.0, 45.0, label)
            + &text(125.0, 45.0, value)
    };
    let lower = |label: &str, value: &str| {
        ruled(&xs, &[240.0, 260.0, 280.0])
            + &text(25.0, 265.0, label)
            + &text(125.0, 265.0, value)
            + &text(25.0, 245.0, "y")
            + &text(125.0, 245.0, "74")
    };
    check(
        &[upper("a label that fills", "1460"), lower("it", "9")],
        &[TITLE, "x@0 | 71@1 / a label that fillsit@0 | 14609@1 / y@0 | 74@1"],
    );
    check(
        &[upper("a label that fills", "1460"), lower("2.it", "9")],
        &[TITLE, "x@0 | 71@1 / a label that fills@0 | 1460@1 / 2.it@0 | 9@1 / y@0 | 74@1"],
    );
    check(
        &[upper("a label that fills", "7"), lower("it", "9")],
        &[TITLE, "x@0 | 71@1 / a label that fills@0 | 7@1 / it@0 | 9@1 / y@0 | 74@1"],
    );
}

/// Returns a table under `headers` whose last row is cut inside a number by a page break. The number fills its cell.
fn cut_under(headers: [&str; 2]) -> Vec<String> {
    let xs = [20.0, 120.0, 150.0];
    let first = text(20.0, 285.0, headers[0])
        + &text(20.0, 200.0, "Annual report on information disclosure")
        + &ruled(&xs, &[40.0, 60.0, 80.0])
        + &text(25.0, 65.0, "x")
        + &text(125.0, 65.0, "71")
        + &text(25.0, 45.0, "y")
        + &text(125.0, 45.0, "2119");
    let second = text(20.0, 285.0, headers[1])
        + &ruled(&xs, &[220.0, 240.0, 260.0])
        + &text(125.0, 245.0, "3")
        + &text(25.0, 225.0, "z")
        + &text(125.0, 225.0, "74");
    vec![first, second]
}

#[test]
fn a_number_cut_under_a_running_header_is_one_number() {
    let table = "x@0 | 71@1 / y@0 | 21193@1 / z@0 | 74@1";
    check(&cut_under(["Report 2023 1", "Report 2023 2"]), &[TITLE, table]);
}

#[test]
fn a_number_cut_under_a_line_of_unknown_kind_is_no_number() {
    let expect = [
        "1: Left",
        TITLE,
        "x@0 | 71@1 / y\u{fffd}@0 | 2119\u{fffd}@1",
        "2: Right",
        "@0 | 3\u{fffd}@1 / z@0 | 74@1",
    ];
    check(&cut_under(["Left", "Right"]), &expect);
}

#[test]
fn values_under_their_names_on_the_next_page_are_a_row() {
    let xs = [20.0, 50.0, 80.0];
    let first = title()
        + &ruled(&xs, &[40.0, 60.0, 80.0])
        + &text(25.0, 65.0, "name")
        + &text(55.0, 65.0, "word")
        + &text(25.0, 45.0, "abcd")
        + &text(55.0, 45.0, "efgh");
    let second = ruled(&xs, &[240.0, 260.0]) + &text(25.0, 245.0, "17") + &text(55.0, 245.0, "18");
    check(&[first, second], &[TITLE, "name@0 | word@1 / abcd@0 | efgh@1 / 17@0 | 18@1"]);
}

#[test]
fn a_cell_says_where_on_its_page_it_stands() {
    let page = title()
        + &ruled(&[20.0, 120.0, 200.0], &[40.0, 60.0, 80.0])
        + &text(25.0, 65.0, "x")
        + &text(125.0, 45.0, "7");
    let blocks = read(&file(&[page]), &Limits::default()).unwrap();
    let Some(Block::Table(grid)) = blocks.last() else { panic!("{blocks:?}") };
    let area = grid.cells.iter().find(|cell| cell.text == "7").and_then(|cell| cell.area).unwrap();
    assert_eq!((area.left, area.top, area.right, area.bottom), (120, 240, 200, 260));
}

#[test]
fn lines_of_a_paragraph_are_joined() {
    let long = "one line that goes on to the right hand margin of the page so that it is full";
    let page = text(20.0, 280.0, long)
        + &text(20.0, 265.0, "and ends here")
        + &text(20.0, 250.0, "another one")
        + &text(190.0, 10.0, "7");
    check(&[page], &[&format!("1: {long} and ends here"), "1: another one"]);
}

#[test]
fn columns_without_lines_are_read_as_flattened_text() {
    let row = |y: f64, label: &str, values: [&str; 3]| {
        text(20.0, y, label)
            + &text(150.0, y, values[0])
            + &text(220.0, y, values[1])
            + &text(290.0, y, values[2])
    };
    let page = title() + &row(200.0, "rules", ["61", "62", "63"]) + &row(180.0, "norms", ["64", "65", "66"]);
    let blocks = read(&file(&[page]), &Limits::default()).unwrap();
    let Some(Block::Table(grid)) = blocks.last() else { panic!("{blocks:?}") };
    assert!(!grid.spans_known);
    let rows: Vec<Vec<&str>> =
        grid.by_row().iter().map(|row| row.iter().map(|cell| cell.text.as_str()).collect()).collect();
    assert!(rows.ends_with(&[vec!["rules", "61", "62", "63"], vec!["norms", "64", "65", "66"]]), "{rows:?}");
    assert!(grid.cells.iter().all(|cell| cell.page == Some(1)));
}

#[test]
fn invisible_text_is_no_text() {
    let page = format!("3 Tr {} 0 Tr", title());
    check_rejected(&file(&[page]), &Limits::default(), RejectionCode::NeedsOcr);
}

#[test]
fn pictures_alone_need_ocr() {
    let picture = "q 400 0 0 300 0 0 cm BI /W 1 /H 1 /BPC 8 /CS /G ID \u{1} EI Q\n".to_owned();
    check_rejected(&file(&[picture]), &Limits::default(), RejectionCode::NeedsOcr);
}

#[test]
fn damage_and_locks_are_named() {
    let limits = Limits::default();
    check_rejected(b"%PDF-1.7\n", &limits, RejectionCode::Corrupt);
    check_rejected(
        b"%PDF-1.7\n1 0 obj << /Type /Catalog >> endobj trailer << /Root 1 0 R >>",
        &limits,
        RejectionCode::Corrupt,
    );
    let owner = "00".repeat(32);
    let lock = format!(
        "/ID [<00> <00>] /Encrypt << /Filter /Standard /V 1 /R 2 /P -44 /O <{owner}> /U <{owner}> >>"
    );
    check_rejected(&file_with(&[title()], &lock), &limits, RejectionCode::Encrypted);
}

#[test]
fn limits_end_the_reading() {
    let limits = Limits::default();
    check_rejected(&file(&vec![title(); 6]), &Limits { pages: 5, ..limits }, RejectionCode::TooLarge);
    check_rejected(&file(&[title()]), &Limits { glyphs: 20, ..limits }, RejectionCode::TooLarge);
    let ys: Vec<f64> = (0..20).map(|y| f64::from(y) * 10.0).collect();
    check_rejected(
        &file(&[title() + &ruled(&ys, &ys)]),
        &Limits { cells: 50, ..limits },
        RejectionCode::TooLarge,
    );
    let deep = "[".repeat(100_000);
    assert_eq!(read(&file(&[deep]), &limits), Ok(Vec::new()));
}

#[test]
fn a_chinese_font_that_is_not_embedded_is_read() {
    let font = "<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H /DescendantFonts [<< /Type /Font \
        /Subtype /CIDFontType0 /BaseFont /STSong-Light /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 4 >> \
        /FontDescriptor << /Type /FontDescriptor /FontName /STSong-Light /Flags 4 >> >>] >>";
    let code: String = "政府信息公开工作年度报告，共收到申请1746件。"
        .encode_utf16()
        .map(|unit| format!("{unit:04X}"))
        .collect();
    let page = format!("BT /F 10 Tf 20 280 Td <{code}> Tj ET");
    let bytes = file_in(font, &[page], "");
    let blocks = read(&bytes, &Limits::default()).unwrap();
    assert_eq!(
        blocks.iter().map(shown_block).collect::<Vec<_>>(),
        ["1: 政府信息公开工作年度报告，共收到申请1746件。"]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_damaged_file_panics(flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let table = ruled(&[20.0, 120.0, 200.0], &[150.0, 170.0, 190.0]) + &text(25.0, 175.0, "rules") + &text(130.0, 175.0, "11");
        let mut bytes = file(&[title() + &table, title()]);
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        drop(read(&bytes, &Limits::default()));
    }

    #[test]
    fn no_drawing_makes_cells_share_a_place(
        lines in prop::collection::vec((0..8_u8, 0..8_u8, 0..8_u8, any::<bool>()), 0..40),
        words in prop::collection::vec((0..400_u16, 0..300_u16), 0..20),
    ) {
        let place = |step: u8| f64::from(step) * 30.0 + 20.0;
        let drawn = lines.iter().map(|(at, from, to, level)| {
            let (at, from, to) = (place(*at), place(*from), place(*to));
            if *level { line(from, at, to, at) } else { line(at, from, at, to) }
        });
        let words = (10..).zip(&words).map(|(number, (x, y))| text(f64::from(*x), f64::from(*y), &format!("{number}")));
        // A table stays a table, whatever is drawn over it.
        let table = ruled(&[20.0, 110.0, 230.0], &[20.0, 110.0, 230.0]) + &text(25.0, 115.0, "a") + &text(115.0, 25.0, "b");
        let page = title() + &table + &drawn.chain(words).collect::<String>();
        let blocks = read(&file(&[page.clone(), page]), &Limits::default()).unwrap();
        prop_assert!(blocks.iter().any(|block| matches!(block, Block::Table(_))));
        for block in blocks {
            let Block::Table(grid) = block else { continue };
            let mut places: Vec<(u32, u32)> = Vec::new();
            for cell in &grid.cells {
                prop_assert!(cell.row + cell.row_span <= grid.rows && cell.column + cell.column_span <= grid.columns);
                for row in cell.row..cell.row + cell.row_span {
                    places.extend((cell.column..cell.column + cell.column_span).map(|column| (row, column)));
                }
            }
            let count = places.len();
            places.sort_unstable();
            places.dedup();
            prop_assert_eq!(places.len(), count);
        }
    }
}
