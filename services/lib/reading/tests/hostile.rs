//! Documents that are made to be expensive: each is rejected with its code in bounded time.
//!
//! The limits of each reader have tests beside them. These inputs are expensive in other ways: parts that are read
//! twice, or that expand. `gongkai-check` tests expensive documents that can be read.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what is missing fails the test")]

use std::{
    io::{Cursor, Write},
    time::Duration,
};

use gongkai_reading::{Hints, Limits};
use rustix::time::{ClockId, clock_gettime};
use zip::{ZipWriter, write::SimpleFileOptions};

use self::pdf_file::pdf_file;

#[path = "../../extract/tests/support/pdf_file.rs"]
mod pdf_file;

/// Maximum CPU time of each document. The debug build is about twenty times slower than the release build.
const LONGEST: Duration = Duration::from_secs(if cfg!(debug_assertions) { 60 } else { 5 });

const TITLE: &str = "云川市水务局2023年政府信息公开工作年度报告";

/// Returns the code of a document; `ok` if it was read.
fn code(filename: &str, bytes: &[u8]) -> String {
    let begun = clock_gettime(ClockId::ThreadCPUTime);
    let hints = Hints { filename: Some(filename), ..Hints::default() };
    let result = gongkai_reading::read(bytes, &hints, &Limits::default());
    let taken: Duration = (clock_gettime(ClockId::ThreadCPUTime) - begun).try_into().unwrap();
    assert!(taken < LONGEST, "{filename}: {taken:?}");
    result.map_or_else(|rejection| rejection.code.to_string(), |_| "ok".to_owned())
}

fn check(filename: &str, bytes: impl AsRef<[u8]>, expect: &str) {
    assert_eq!(code(filename, bytes.as_ref()), expect, "{filename}");
}

#[test]
fn zeros_and_blanks_are_turned_away_at_once() {
    check("a.html", vec![0; 100 << 20], "TOO_LARGE");
    check("a.doc", vec![0; 1 << 20], "UNSUPPORTED_FORMAT");
    check("a.txt", vec![b' '; 30 << 20], "EMPTY");
}

// === text ===

#[test]
fn many_headings_are_turned_away() {
    let headings = "一、总体情况\n".repeat(60_000);
    check("a.txt", format!("{TITLE}\n{headings}"), "TOO_LARGE");
}

#[test]
fn one_long_line_is_turned_away_or_read_once() {
    assert_ne!(code("a.txt", "（bào".repeat(2 << 20).as_bytes()), "PARSER_PANIC");
    assert_ne!(code("a.txt", "2023年1月".repeat(1 << 20).as_bytes()), "PARSER_PANIC");
    assert_ne!(code("a.txt", "|".repeat(8 << 20).as_bytes()), "PARSER_PANIC");
    assert_ne!(code("a.txt", "与国办发〔2016〕80号".repeat(200_000).as_bytes()), "PARSER_PANIC");
}

// === HTML ===

#[test]
fn spans_do_not_make_cells() {
    let row = "<tr><td colspan=1000000000 rowspan=1000000000>7</td><td>3</td></tr>".repeat(400);
    check("a.html", format!("<p>{TITLE}</p><table>{row}</table>"), "TOO_LARGE");
    let cells = "<td rowspan=65534>1</td>".repeat(500);
    let rows = "<tr></tr>".repeat(19_000);
    check("a.html", format!("<table><tr>{cells}</tr>{rows}</table>"), "NOT_A_REPORT");
}

#[test]
fn depth_is_counted_whatever_nests() {
    for tag in ["<div>", "<table><tr><td>", "<ul><li>", "<b>"] {
        let page = format!("<html><body>{}", tag.repeat(100_000));
        let code = code("a.html", page.as_bytes());
        assert!(["TOO_DEEP", "EMPTY", "NOT_A_REPORT"].contains(&code.as_str()), "{tag}: {code}");
    }
}

// === DOCX ===

fn package(document: &str) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("word/document.xml", SimpleFileOptions::default()).unwrap();
    zip.write_all(document.as_bytes()).unwrap();
    zip.finish().unwrap().into_inner()
}

fn document(body: &str) -> Vec<u8> {
    package(&format!(r#"<w:document xmlns:w="w"><w:body>{body}</w:body></w:document>"#))
}

#[test]
fn a_bomb_of_zeros_is_not_unpacked() {
    let bomb = package(&"<w:p/>".repeat(12 << 20));
    assert!(bomb.len() < 1 << 20, "{}", bomb.len());
    check("a.docx", bomb, "TOO_LARGE");
}

#[test]
fn fields_that_never_end_are_no_burden_on_the_text() {
    let field = r#"<w:r><w:fldChar w:fldCharType="begin"/><w:fldChar w:fldCharType="separate"/></w:r>"#;
    let text = "<w:r><w:t>1</w:t></w:r>".repeat(60_000);
    let body = format!("<w:p>{}{text}</w:p>", field.repeat(60_000));
    assert_ne!(code("a.docx", &document(&body)), "PARSER_PANIC");
}

#[test]
fn grids_wider_than_any_table_are_turned_away() {
    let cell =
        r#"<w:tc><w:tcPr><w:gridSpan w:val="4000000000"/></w:tcPr><w:p><w:r><w:t>1</w:t></w:r></w:p></w:tc>"#;
    let body = format!("<w:tbl><w:tr>{}</w:tr></w:tbl>", cell.repeat(100));
    let code = code("a.docx", &document(&body));
    assert!(["TOO_LARGE", "NOT_A_REPORT"].contains(&code.as_str()), "{code}");
}

// === PDF ===

fn pdf(objects: &[String]) -> Vec<u8> {
    pdf_file(objects, "")
}

fn stream(dictionary: &str, content: &str) -> String {
    format!("<< {dictionary} /Length {} >>\nstream\n{content}\nendstream", content.len())
}

const CATALOG: &str = "<< /Type /Catalog /Pages 2 0 R >>";

#[test]
fn a_tree_of_pages_that_bites_its_tail_ends() {
    let objects = [CATALOG, "<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 1000000000 >>"].map(str::to_owned);
    check("a.pdf", pdf(&objects), "CORRUPT");
    let kids = "3 0 R ".repeat(1_000_000);
    let objects = [
        CATALOG.to_owned(),
        format!("<< /Type /Pages /Kids [{kids}] /Count 1000000 >>"),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>".to_owned(),
    ];
    // A page that is named a million times is one page, and an empty one.
    check("a.pdf", pdf(&objects), "EMPTY");
    let kids: String = (0..2_001).map(|at| format!("{} 0 R ", at + 3)).collect();
    let mut objects = vec![CATALOG.to_owned(), format!("<< /Type /Pages /Kids [{kids}] /Count 7 >>")];
    let page = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>";
    objects.extend(std::iter::repeat_n(page.to_owned(), 2_001));
    check("a.pdf", pdf(&objects), "TOO_LARGE");
}

/// Each form draws the next one ten times: 10¹² texts in total.
#[test]
fn forms_that_draw_forms_are_given_up() {
    let mut objects = vec![
        CATALOG.to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] /Contents 4 0 R /Resources << /XObject << /X 5 0 R >> >> >>".to_owned(),
        stream("", "/X Do"),
    ];
    for next in 6..18 {
        let dictionary = format!(
            "/Type /XObject /Subtype /Form /BBox [0 0 99 99] /Resources << /XObject << /X {next} 0 R >> >>"
        );
        objects.push(stream(&dictionary, &"/X Do ".repeat(10)));
    }
    objects.push(stream("/Type /XObject /Subtype /Form /BBox [0 0 99 99]", "0 0 m 50 0 l S"));
    // The limit is a count, or the clock where the machine is slow.
    let code = code("a.pdf", &pdf(&objects));
    assert!(["TOO_LARGE", "TOO_SLOW"].contains(&code.as_str()), "{code}");
}

#[test]
fn one_stream_on_many_pages_counts_each_time() {
    let kids: String = (0..1_900).map(|at| format!("{} 0 R ", at + 4)).collect();
    let mut objects = vec![
        CATALOG.to_owned(),
        format!("<< /Type /Pages /Kids [{kids}] /Count 1900 >>"),
        stream("", &"q Q ".repeat(250_000)),
    ];
    let page = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] /Contents 3 0 R >>";
    objects.extend(std::iter::repeat_n(page.to_owned(), 1_900));
    check("a.pdf", pdf(&objects), "TOO_LARGE");
}
