use std::io::{Cursor, Read as _, Write as _};

use gongkai_extract::{Hints, Limits, docx_blocks};
use gongkai_model::{Block, CellRef, Severity, Source};
use proptest::prelude::*;
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

use crate::{Lang, Remark, RemarkSheet, annotate};

const W: &str = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";
const TYPES: &str = "<?xml version=\"1.0\"?><Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">\
    <Override PartName=\"/word/document.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.\
    wordprocessingml.document.main+xml\"/></Types>";
const BODY: &str = "<w:p><w:pPr><w:jc w:val=\"center\"/></w:pPr><w:r><w:rPr><w:b/></w:rPr><w:t>全年共收到申</w:t></w:r>\
    <w:r><w:t>请 12 </w:t><w:tab/><w:t>件，A&amp;B。</w:t></w:r></w:p>\
    <w:tbl><w:tr><w:tc><w:p><w:r><w:t>规章</w:t></w:r></w:p></w:tc><w:tc><w:p/></w:tc>\
    <w:tc><w:tcPr/><w:p><w:pPr/><w:r><w:t>7</w:t></w:r></w:p><w:p><w:r><w:t>8</w:t></w:r></w:p></w:tc>\
    <w:tc><w:p><w:r><w:t>9</w:t></w:r></w:p></w:tc></w:tr></w:tbl><w:p><w:r><w:t>收到申请12件</w:t></w:r></w:p>";

fn document(body: &str) -> String {
    format!("<?xml version=\"1.0\"?><w:document xmlns:w=\"{W}\"><w:body>{body}</w:body></w:document>")
}

fn zipped(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn part(package: &[u8], name: &str) -> String {
    let mut text = String::new();
    ZipArchive::new(Cursor::new(package)).unwrap().by_name(name).unwrap().read_to_string(&mut text).unwrap();
    text
}

fn remark(sources: Vec<Source>) -> Remark {
    Remark {
        severity: Severity::Error,
        label: "必须整改".to_owned(),
        rule: "P-SUM".to_owned(),
        place: String::new(),
        problem: "数字<不符>\u{1}".to_owned(),
        advice: "核对".to_owned(),
        legal: String::new(),
        sources,
    }
}

fn quoted(text: &str) -> Source {
    Source { text: text.to_owned(), ..Source::default() }
}

fn cell(column: u32) -> Source {
    Source { cell: Some(CellRef { table: 0, row: 0, column }), ..Source::default() }
}

fn copy_of(package: &[u8], remarks: Vec<Remark>) -> Vec<u8> {
    let sheet = RemarkSheet {
        lang: Lang::Chinese,
        subject: "某局 2023 年度".to_owned(),
        remarks,
        ..RemarkSheet::default()
    };
    let copy = annotate(package, &Hints::default(), &Limits::default(), &sheet).unwrap().bytes;
    let texts = |package: &[u8]| {
        let mut blocks = docx_blocks(package, &Limits::default()).unwrap();
        blocks.iter_mut().for_each(Block::forget_spans);
        blocks
    };
    assert_eq!(texts(&copy), texts(package), "the copy reads like the original");
    copy
}

/// Returns the body of a copy with its comments as `{0`, `0}`.
fn body_of(body: &str, remarks: Vec<Remark>) -> String {
    let copy =
        copy_of(&zipped(&[("[Content_Types].xml", TYPES), ("word/document.xml", &document(body))]), remarks);
    let mut text = part(&copy, "word/document.xml");
    for id in 0..4 {
        let end = format!("<w:commentRangeEnd w:id=\"{id}\"/><w:r><w:commentReference w:id=\"{id}\"/></w:r>");
        text = text
            .replace(&format!("<w:commentRangeStart w:id=\"{id}\"/>"), &format!("{{{id}"))
            .replace(&end, &format!("{id}}}"));
    }
    let (_, text) = text.split_once("<w:body>").unwrap();
    text.split_once("</w:body>").unwrap().0.to_owned()
}

#[test]
fn a_phrase_over_two_runs_is_cut_out_of_both() {
    let body = body_of(BODY, vec![remark(vec![quoted("申请12")])]);
    let cut = "<w:t xml:space=\"preserve\">全年共收到</w:t></w:r>{0<w:r><w:rPr><w:b/></w:rPr><w:t xml:space=\"preserve\">申</w:t></w:r>\
        <w:r><w:t xml:space=\"preserve\">请 12</w:t></w:r>0}<w:r><w:t xml:space=\"preserve\"> </w:t><w:tab/>";
    assert!(body.contains(cut), "{body}");
    let body = body_of(BODY, vec![remark(vec![quoted("A&B。")])]);
    assert!(
        body.contains("件，</w:t></w:r>{0<w:r><w:t xml:space=\"preserve\">A&amp;B。</w:t></w:r>0}</w:p>"),
        "{body}"
    );
}

#[test]
fn a_cell_is_commented_as_a_whole_even_if_it_is_blank() {
    let body = body_of(BODY, vec![remark(vec![cell(1), cell(2)])]);
    assert!(body.contains("<w:tc><w:p>{00}</w:p></w:tc>"), "{body}");
    assert!(
        body.contains("<w:p><w:pPr/>{1<w:r><w:t>7</w:t></w:r></w:p><w:p><w:r><w:t>8</w:t></w:r>1}</w:p>"),
        "{body}"
    );
}

#[test]
fn equal_quotations_get_their_occurrences_and_a_remark_without_place_the_beginning() {
    let words = || remark(vec![quoted("收到申请12")]);
    let body = body_of(BODY, vec![words(), words(), remark(vec![quoted("没有这句话")])]);
    assert!(
        body.contains("</w:pPr>{2<w:r>")
            && body.contains("<w:p>{1<w:r><w:t xml:space=\"preserve\">收到申请12</w:t></w:r>1}"),
        "{body}"
    );
}

#[test]
fn comments_are_a_part_of_their_own_that_is_named() {
    let package = zipped(&[
        ("[Content_Types].xml", TYPES),
        ("word/document.xml", &document(BODY)),
        ("word/media/a.png", "png"),
    ]);
    let copy = copy_of(&package, vec![remark(vec![cell(2), cell(3)])]);
    assert!(part(&copy, "[Content_Types].xml").contains("<Override PartName=\"/word/comments.xml\""));
    assert!(
        part(&copy, "word/_rels/document.xml.rels")
            .contains("relationships/comments\" Target=\"comments.xml\"/></Relationships>")
    );
    let comments = part(&copy, "word/comments.xml");
    assert!(
        comments.contains(&format!(
            "<w:comments xmlns:w=\"{W}\"><w:comment w:id=\"0\" w:author=\"政务公开核查\""
        )),
        "{comments}"
    );
    assert!(
        comments.contains("必须整改 P-SUM：数字&lt;不符&gt;</w:t>") && comments.contains("建议：核对"),
        "{comments}"
    );
    assert!(comments.contains("同一问题的另一处"), "{comments}");
    assert_eq!(part(&copy, "word/media/a.png"), "png");
}

#[test]
fn existing_comments_and_strict_names_stay() {
    let strict = "http://purl.oclc.org/ooxml/wordprocessingml/main";
    let main = document(BODY)
        .replace(W, strict)
        .replace("<w:body>", "<w:body><w:p><w:commentRangeStart w:id=\"4\"/></w:p>");
    let relations = "<Relationships xmlns=\"r\"><Relationship Id=\"rId7\" Target=\"notes/comments1.xml\" \
        Type=\"http://purl.oclc.org/ooxml/officeDocument/relationships/comments\"/></Relationships>";
    for (existing, kept) in [
        (
            format!("<x:comments xmlns:x=\"{strict}\"><x:comment x:id=\"7\"/></x:comments>"),
            "<x:comment x:id=\"7\"/><x:comment x:id=\"8\"",
        ),
        (format!("<x:comments xmlns:x=\"{strict}\"/>"), "><x:comment x:id=\"5\""),
    ] {
        let package = zipped(&[
            ("[Content_Types].xml", TYPES),
            ("word/document.xml", &main),
            ("word/_rels/document.xml.rels", relations),
            ("word/notes/comments1.xml", &existing),
        ]);
        let copy = copy_of(&package, vec![remark(vec![cell(0)])]);
        let comments = part(&copy, "word/notes/comments1.xml");
        assert!(comments.contains(kept) && comments.ends_with("</x:comment></x:comments>"), "{comments}");
        assert_eq!(part(&copy, "word/_rels/document.xml.rels"), relations);
        assert!(ZipArchive::new(Cursor::new(&copy)).unwrap().by_name("word/comments.xml").is_err());
    }
}

#[test]
fn text_boxes_links_and_tracked_changes_stay_whole() {
    let body = "<w:p><w:r><w:pict><w:txbxContent><w:p><w:r><w:t>框内申请三件</w:t></w:r></w:p></w:txbxContent></w:pict></w:r></w:p>\
        <w:p><w:hyperlink><w:r><w:t>公开12</w:t></w:r></w:hyperlink><w:del><w:r><w:delText>旧</w:delText></w:r></w:del>\
        <w:ins><w:r><w:t>条信息</w:t></w:r></w:ins></w:p>";
    let body = body_of(body, vec![remark(vec![quoted("申请三件")]), remark(vec![quoted("12条信")])]);
    assert!(body.starts_with("<w:p>{0<w:r><w:pict>") && body.contains("</w:pict></w:r>0}</w:p>"), "{body}");
    assert!(
        body.contains("公开</w:t></w:r>{1<w:r><w:t xml:space=\"preserve\">12</w:t>")
            && body.contains("条信</w:t></w:r>1}<w:r>"),
        "{body}"
    );
}

proptest! {
    #[test]
    fn every_copy_reads_like_its_original(words in "[全年共收到申请12件，A&B。规章789]{1,6}", columns in prop::collection::vec(0_u32..5, 0..4)) {
        let package = zipped(&[("[Content_Types].xml", TYPES), ("word/document.xml", &document(BODY))]);
        let sources = columns.into_iter().map(cell).chain([quoted(&words)]).collect();
        copy_of(&package, vec![remark(sources), remark(vec![quoted(&words)])]);
    }
}
