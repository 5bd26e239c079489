use std::{
    io::{Cursor, Write},
    time::Duration,
};

use gongkai_model::{Block, Cell, Note, RejectionCode};
use proptest::prelude::*;
use zip::{ZipWriter, write::SimpleFileOptions};

use super::read;
use crate::{cpu::Cpu, limits::Limits};

const STYLES: &str = r#"<w:styles xmlns:w="w"><w:style w:styleId="Base"><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:style>
<w:style w:styleId="Chapter"><w:name w:val="heading 1"/><w:basedOn w:val="Base"/></w:style>
<w:style w:styleId="T1"><w:name w:val="toc 1"/></w:style>
<w:style w:styleId="Secret"><w:rPr><w:vanish/></w:rPr></w:style>
<w:style w:styleId="Note"><w:rPr><w:vertAlign w:val="superscript"/></w:rPr></w:style>
<w:style w:styleId="White"><w:basedOn w:val="Snow"/></w:style>
<w:style w:styleId="Snow"><w:rPr><w:color w:val="FFFFFF"/></w:rPr></w:style></w:styles>"#;

const NUMBERING: &str = r#"<w:numbering xmlns:w="w"><w:abstractNum w:abstractNumId="4">
<w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="chineseCounting"/><w:lvlText w:val="%1、"/></w:lvl>
<w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="chineseCounting"/><w:lvlText w:val="（%2）"/></w:lvl>
<w:lvl w:ilvl="2"><w:start w:val="3"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%3."/></w:lvl></w:abstractNum>
<w:num w:numId="1"><w:abstractNumId w:val="4"/></w:num>
<w:num w:numId="2"><w:abstractNumId w:val="4"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="7"/></w:lvlOverride></w:num></w:numbering>"#;

/// Returns a package with `body` as its text.
fn package(body: &str) -> Vec<u8> {
    let document =
        format!(r#"<?xml version="1.0"?><w:document xmlns:w="w"><w:body>{body}</w:body></w:document>"#);
    zipped(&[
        ("word/document.xml", &document),
        ("word/styles.xml", STYLES),
        ("word/numbering.xml", NUMBERING),
    ])
}

fn zipped(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn shown(body: &str) -> Vec<String> {
    let docx = read(&package(body), &Limits::default()).unwrap_or_else(|error| panic!("{error}: {body}"));
    docx.blocks.iter().map(shown_block).collect()
}

fn shown_block(block: &Block) -> String {
    match block {
        Block::Paragraph(paragraph) => paragraph.text.clone(),
        Block::Table(grid) => {
            assert!(grid.spans_known);
            let rows = grid
                .by_row()
                .into_iter()
                .map(|row| row.into_iter().map(shown_cell).collect::<Vec<_>>().join(" | "));
            rows.collect::<Vec<_>>().join(" / ")
        }
    }
}

fn shown_cell(cell: &Cell) -> String {
    let spans = match (cell.row_span, cell.column_span) {
        (1, 1) => String::new(),
        (rows, columns) => format!("×{rows},{columns}"),
    };
    format!("{}@{}{spans}", cell.text.replace('\n', "⏎"), cell.column)
}

fn check(body: &str, expect: &[&str]) {
    assert_eq!(shown(body), expect, "{body}");
}

fn check_rejected(bytes: &[u8], limits: &Limits, expect: RejectionCode) {
    let begun = Cpu::now();
    assert_eq!(read(bytes, limits).unwrap_err().code, expect);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

fn p(text: &str) -> String {
    format!("<w:p><w:r><w:t>{text}</w:t></w:r></w:p>")
}

/// Returns a cell with those properties.
fn tc(properties: &str, text: &str) -> String {
    format!("<w:tc><w:tcPr>{properties}</w:tcPr>{}</w:tc>", p(text))
}

fn row(cells: &[(&str, &str)]) -> String {
    let cells: String = cells.iter().map(|(properties, text)| tc(properties, text)).collect();
    format!("<w:tr>{cells}</w:tr>")
}

fn table(rows: &[&str]) -> String {
    format!("<w:tbl>{}</w:tbl>", rows.concat())
}

// === text ===

#[test]
fn runs_tabs_and_breaks_make_lines() {
    check(
        "<w:p><w:pPr><w:tabs><w:tab w:val=\"left\"/></w:tabs></w:pPr><w:r><w:t>总体</w:t></w:r><w:r><w:t>情况</w:t><w:tab/><w:t xml:space=\"preserve\">3 </w:t><w:br/><w:t>A&amp;B&#x4e00;</w:t><w:noBreakHyphen/></w:r></w:p>",
        &["总体情况\t3", "A&B一-"],
    );
}

#[test]
fn tracked_changes_are_read_as_accepted() {
    check(
        "<w:p><w:r><w:t>共</w:t></w:r><w:del><w:r><w:delText>17</w:delText></w:r></w:del><w:ins><w:r><w:t>23</w:t></w:r></w:ins>\
         <w:moveFrom><w:r><w:t>5</w:t></w:r></w:moveFrom><w:moveTo><w:r><w:t>件</w:t></w:r></w:moveTo></w:p>",
        &["共23件"],
    );
    let gone = "<w:tr><w:trPr><w:del w:id=\"1\"/></w:trPr><w:tc><w:p><w:r><w:t>旧 99</w:t></w:r></w:p></w:tc></w:tr>";
    let changed = "<w:tcPrChange><w:tcPr><w:gridSpan w:val=\"3\"/></w:tcPr></w:tcPrChange>";
    check(&table(&[gone, &row(&[(changed, "规章"), ("", "3"), ("", "5")])]), &["规章@0 | 3@1 | 5@2"]);
    let joined = "<w:p><w:pPr><w:rPr><w:del/></w:rPr></w:pPr><w:r><w:t>上半</w:t></w:r></w:p>";
    check(&format!("{joined}{}", p("下半")), &["上半下半"]);
}

#[test]
fn what_is_not_printed_is_not_read() {
    check(
        "<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>隐藏 9</w:t></w:r><w:r><w:rPr><w:vanish w:val=\"0\"/></w:rPr><w:t>可见</w:t></w:r>\
         <w:r><w:rPr><w:rStyle w:val=\"Secret\"/></w:rPr><w:t>8</w:t></w:r></w:p>",
        &["可见"],
    );
    check(
        "<w:p><w:r><w:rPr><w:sz w:val=\"2\"/></w:rPr><w:t>8</w:t></w:r><w:r><w:rPr><w:sz w:val=\"21\"/></w:rPr><w:t>317</w:t></w:r>\
         <w:r><w:rPr><w:vertAlign w:val=\"subscript\"/></w:rPr><w:t>4</w:t></w:r></w:p>",
        &["317₄"],
    );
    check(
        "<w:sdt><w:sdtPr><w:showingPlcHdr/></w:sdtPr><w:sdtContent><w:p><w:r><w:t>单击此处输入</w:t></w:r></w:p></w:sdtContent></w:sdt>\
         <w:sdt><w:sdtContent><w:p><w:r><w:t>内容</w:t></w:r></w:p></w:sdtContent></w:sdt>",
        &["内容"],
    );
    check("<w:p><w:pPr><w:pStyle w:val=\"T1\"/></w:pPr><w:r><w:t>一、总体情况 1</w:t></w:r></w:p>", &[]);
    check(
        "<w:p><w:r><w:ruby><w:rt><w:r><w:t>bào</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>报</w:t></w:r></w:rubyBase></w:ruby></w:r></w:p>",
        &["报"],
    );
}

/// Returns the text of a cell with these properties, with the number 17 and a run with the number 3.
fn cell_with(cell: &str, run: &str) -> String {
    let runs = format!("<w:r><w:t>17</w:t></w:r><w:r><w:rPr>{run}</w:rPr><w:t>3</w:t></w:r>");
    let row = format!(
        "<w:tr><w:tc>{}</w:tc><w:tc><w:tcPr>{cell}</w:tcPr><w:p>{runs}</w:p></w:tc></w:tr>",
        p("规章")
    );
    let blocks = read(&package(&table(&[&row])), &Limits::default()).unwrap().blocks;
    let Some(Block::Table(grid)) = blocks.first() else { panic!("no table: {blocks:?}") };
    grid.cells.last().map(|cell| cell.text.clone()).unwrap_or_default()
}

#[test]
fn runs_in_the_colour_of_their_ground_or_off_the_line_are_no_part_of_a_number() {
    let fill = |colour: &str| format!("<w:shd w:val=\"clear\" w:color=\"auto\" w:fill=\"{colour}\"/>");
    let ink = |colour: &str| format!("<w:color w:val=\"{colour}\"/>");
    for (cell, run, expect) in [
        (String::new(), ink("FEFEFE"), "17"),
        (String::new(), ink("D9D9D9") + &fill("D9D9D9"), "17"),
        (fill("D9D9D9"), ink("D9D9D9"), "17"),
        (String::new(), ink("FFFF00") + "<w:highlight w:val=\"yellow\"/>", "17"),
        (String::new(), "<w:rStyle w:val=\"White\"/>".to_owned(), "17"),
        (String::new(), "<w:sz w:val=\"4\"/>".to_owned(), "17"),
        (String::new(), "<w:w w:val=\"1\"/>".to_owned(), "17"),
        (String::new(), "<w:textFill><w:noFill/></w:textFill>".to_owned(), "17"),
        (String::new(), "<w:rStyle w:val=\"Note\"/>".to_owned(), "17³"),
        (String::new(), "<w:position w:val=\"8\"/>".to_owned(), "17³"),
        (String::new(), "<w:position w:val=\"-6\"/>".to_owned(), "17 3"),
        (fill("1F497D"), ink("FFFFFF"), "173"),
        (String::new(), ink("FFFFFF") + &fill("000000"), "173"),
        (String::new(), ink("auto"), "173"),
        (fill("FFFFFF"), ink("C00000"), "173"),
    ] {
        assert_eq!(cell_with(&cell, &run), expect, "{cell} {run}");
    }
}

#[test]
fn an_exponent_is_no_part_of_a_number() {
    check(
        "<w:p><m:oMath xmlns:m=\"m\"><m:sSup><m:e><m:r><m:t>17</m:t></m:r></m:e><m:sup><m:r><m:t>3</m:t></m:r></m:sup></m:sSup></m:oMath></w:p>",
        &["17³"],
    );
}

#[test]
fn what_an_editor_left_is_counted() {
    #[track_caller]
    fn check(body: &str, expect: &[Note]) {
        assert_eq!(read(&package(body), &Limits::default()).unwrap().notes, expect, "{body}");
    }
    check(
        "<w:p><w:del><w:r><w:delText>17</w:delText></w:r></w:del><w:ins><w:r><w:t>23</w:t></w:r></w:ins></w:p>",
        &[Note::TrackedChanges(2)],
    );
    check(
        "<w:p><w:commentRangeStart w:id=\"0\"/><w:r><w:t>23</w:t></w:r><w:commentRangeEnd w:id=\"0\"/>\
         <w:r><w:commentReference w:id=\"0\"/></w:r></w:p>",
        &[Note::Comments(1)],
    );
    check(
        "<w:p><w:r><w:t>共23件</w:t></w:r><w:r><w:rPr><w:vanish/></w:rPr><w:t>核</w:t></w:r></w:p>",
        &[Note::HiddenText(1)],
    );
    // Changes of the format, hidden marks of paragraphs and hidden blanks are no leftovers.
    for clean in [
        "<w:p><w:pPr><w:rPr><w:vanish/></w:rPr></w:pPr><w:r><w:t>共23件</w:t></w:r></w:p>",
        "<w:p><w:r><w:rPr><w:rPrChange w:id=\"1\"><w:rPr><w:b/></w:rPr></w:rPrChange></w:rPr><w:t>共23件</w:t></w:r></w:p>",
        "<w:p><w:r><w:t>共23件</w:t></w:r><w:r><w:rPr><w:vanish/></w:rPr><w:t> </w:t></w:r></w:p>",
        "<w:p><w:r><w:rPr><w:webHidden/></w:rPr><w:t>共23件</w:t></w:r></w:p>",
    ] {
        check(clean, &[]);
    }
}

#[test]
fn a_field_shows_its_result() {
    let run = |inner: &str| format!("<w:r>{inner}</w:r>");
    let mark = |kind: &str| run(&format!("<w:fldChar w:fldCharType=\"{kind}\"/>"));
    let code = run("<w:instrText>PAGE 3</w:instrText>") + &run("<w:t>4</w:t>");
    let body =
        [mark("begin"), code, mark("separate"), run("<w:t>7</w:t>"), mark("end"), run("<w:t>件</w:t>")];
    check(&format!("<w:p>{}</w:p>", body.concat()), &["7件"]);
    check(&format!("<w:p>{}</w:p>{}", mark("begin"), p("后文")), &["后文"]);
    check(
        "<w:p><w:hyperlink><w:r><w:t>链接</w:t></w:r></w:hyperlink><w:bookmarkStart w:name=\"_GoBack\"/></w:p>",
        &["链接"],
    );
}

#[test]
fn links_are_told_by_their_relations_and_fields() {
    let relation = |id: &str, kind: &str, target: &str| {
        format!(r#"<Relationship Id="{id}" Type="http://x/relationships/{kind}" Target="{target}"/>"#)
    };
    let relations = [
        relation("rId7", "hyperlink", "http://www.example.com/a?b=1&amp;c=2"),
        relation("rId8", "hyperlink", "mailto:a@example.com"),
        relation("rId9", "hyperlink", "http://unused.example.com"),
        relation("rId3", "image", "http://image.example.com"),
        relation("rId5", "hyperlink", "file:///C:/work/a.docx"),
    ];
    let body = r#"<w:p><w:hyperlink r:id="rId7"><w:r><w:t>网站</w:t></w:r></w:hyperlink><w:hyperlink r:id="rId8"/><w:hyperlink r:id="rId5"/>
        <w:r><w:instrText> HYPERLINK "https://field.example.com/x" \h</w:instrText></w:r><w:pict r:id="rId3"/></w:p>"#;
    let document = format!(r#"<w:document xmlns:w="w" xmlns:r="r"><w:body>{body}</w:body></w:document>"#);
    let bytes = zipped(&[
        ("word/document.xml", &document),
        ("word/_rels/document.xml.rels", &format!("<Relationships>{}</Relationships>", relations.concat())),
    ]);
    let links = read(&bytes, &Limits::default()).unwrap().links;
    let addresses: Vec<&str> = links.iter().map(|link| link.value.as_str()).collect();
    assert_eq!(
        addresses,
        ["file:///C:/work/a.docx", "http://www.example.com/a?b=1&c=2", "https://field.example.com/x"]
    );
}

#[test]
fn automatic_numbers_are_counted() {
    let item = |list: u32, level: u32, text: &str| {
        format!(
            "<w:p><w:pPr><w:numPr><w:ilvl w:val=\"{level}\"/><w:numId w:val=\"{list}\"/></w:numPr></w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"
        )
    };
    let styled = "<w:p><w:pPr><w:pStyle w:val=\"Chapter\"/></w:pPr><w:r><w:t>主动公开</w:t></w:r></w:p>";
    let body = [
        item(1, 0, "总体情况"),
        item(1, 1, "收"),
        item(1, 1, "发"),
        item(1, 2, "2023年"),
        item(0, 0, "无"),
        styled.to_owned(),
        item(1, 1, "又"),
        item(2, 0, "另"),
    ];
    check(
        &body.concat(),
        &["一、总体情况", "（一）收", "（二）发", "3. 2023年", "无", "二、主动公开", "（一）又", "七、另"],
    );
}

#[test]
fn a_text_box_is_read_once() {
    let content = format!("<w:txbxContent>{}</w:txbxContent>", p("框内 6"));
    let alternate = format!(
        "<mc:AlternateContent><mc:Choice>{content}</mc:Choice><mc:Fallback>{content}</mc:Fallback></mc:AlternateContent>"
    );
    check(&format!("<w:p><w:r>{alternate}</w:r><w:r><w:t>框外</w:t></w:r></w:p>"), &["框内 6", "框外"]);
}

// === tables ===

#[test]
fn spans_place_cells_on_the_grid() {
    let (two, down, on) = ("<w:gridSpan w:val=\"2\"/>", "<w:vMerge w:val=\"restart\"/>", "<w:vMerge/>");
    check(
        &table(&[
            &row(&[(down, "组"), (two, "甲"), ("", "11")]),
            &row(&[(on, ""), ("", "乙"), ("", "丙"), ("", "12")]),
            &row(&[("", "丁"), ("", "13"), ("", "14"), ("", "15")]),
        ]),
        &["组@0×2,1 | 甲@1×1,2 | 11@3 / 乙@1 | 丙@2 | 12@3 / 丁@0 | 13@1 | 14@2 | 15@3"],
    );
    let before = "<w:tr><w:trPr><w:gridBefore w:val=\"1\"/></w:trPr><w:tc><w:p><w:r><w:t>21</w:t></w:r></w:p></w:tc></w:tr>";
    check(&table(&[&row(&[("", "甲"), ("", "22")]), before]), &["甲@0 | 22@1 / 21@1"]);
    let wide = "<w:gridSpan w:val=\"1000000000\"/>";
    check(
        &table(&[&row(&[("", "甲"), (wide, "31")]), &row(&[("", "乙"), ("", "32")])]),
        &["甲@0 | 31@1 / 乙@0 | 32@1"],
    );
    check(
        &table(&[
            &row(&[("<w:hMerge w:val=\"restart\"/>", "甲"), ("<w:hMerge/>", ""), ("", "41")]),
            &row(&[("", "42"), ("", "43"), ("", "44")]),
        ]),
        &["甲@0×1,2 | 41@2 / 42@0 | 43@1 | 44@2"],
    );
}

#[test]
fn edges_drawn_by_hand_are_one_edge() {
    let grid =
        "<w:tblGrid><w:gridCol w:w=\"2000\"/><w:gridCol w:w=\"30\"/><w:gridCol w:w=\"1500\"/></w:tblGrid>";
    let two = "<w:gridSpan w:val=\"2\"/>";
    check(
        &table(&[grid, &row(&[("", "甲"), (two, "51")]), &row(&[(two, "乙"), ("", "52")])]),
        &["甲@0 | 51@1 / 乙@0 | 52@1"],
    );
}

#[test]
fn paragraphs_of_a_cell_stay_apart() {
    let cell = format!("<w:tc>{}{}</w:tc>", p("1"), p("2"));
    check(&table(&[&format!("<w:tr>{cell}{}</w:tr>", tc("", "甲"))]), &["1⏎2@0 | 甲@1"]);
}

#[test]
fn a_table_that_holds_a_table_is_layout() {
    let inner = table(&[&row(&[("", "规章"), ("", "61")])]);
    let outer = format!("<w:tbl><w:tr><w:tc>{}{inner}<w:p/></w:tc></w:tr></w:tbl>", p("二、主动公开"));
    check(&outer, &["二、主动公开", "规章@0 | 61@1"]);
    check(&table(&[&row(&[("", "只有一格")])]), &["只有一格"]);
    let control = format!(
        "<w:tbl><w:tr><w:sdt><w:sdtContent>{}</w:sdtContent></w:sdt>{}</w:tr></w:tbl>",
        tc("", "甲"),
        tc("", "71")
    );
    check(&control, &["甲@0 | 71@1"]);
}

// === hostility ===

#[test]
fn damage_is_named() {
    let limits = Limits::default();
    let whole = package(&p("一"));
    check_rejected(&whole[..whole.len() / 2], &limits, RejectionCode::Corrupt);
    check_rejected(&zipped(&[("word/document2.xml", "<a/>")]), &limits, RejectionCode::Corrupt);
    for broken in ["<w:document><w:body>", "<w:a></w:b>", "<w:t>&unknown;</w:t>", "\u{0}<"] {
        check_rejected(&zipped(&[("word/document.xml", broken)]), &limits, RejectionCode::Corrupt);
    }
}

#[test]
fn the_main_part_may_have_another_name() {
    let relations = r#"<Relationships><Relationship Type="x/officeDocument" Target="/word/document2.xml"/></Relationships>"#;
    let document = format!("<w:document><w:body>{}</w:body></w:document>", p("正文"));
    let bytes = zipped(&[("_rels/.rels", relations), ("word/document2.xml", &document)]);
    let blocks = read(&bytes, &Limits::default()).unwrap().blocks;
    assert_eq!(blocks.iter().map(shown_block).collect::<Vec<_>>(), ["正文"]);
}

#[test]
fn limits_end_the_reading() {
    let limits = Limits::default();
    check_rejected(&package(&"<w:sdt>".repeat(600)), &limits, RejectionCode::TooDeep);
    check_rejected(
        &package(&" ".repeat(2 << 20)),
        &Limits { expanded_bytes: 1 << 20, ..limits },
        RejectionCode::TooLarge,
    );
    check_rejected(&package(&p("1").repeat(6)), &Limits { paragraphs: 5, ..limits }, RejectionCode::TooLarge);
    check_rejected(
        &package(&format!("<w:tbl><w:tr>{}</w:tr></w:tbl>", "<w:tc/>".repeat(513))),
        &limits,
        RejectionCode::TooLarge,
    );
    check_rejected(
        &package(&format!("<w:tbl>{}</w:tbl>", "<w:tr/>".repeat(6))),
        &Limits { rows: 5, ..limits },
        RejectionCode::TooLarge,
    );
    let small = Limits { cells: 5, ..limits };
    check_rejected(
        &package(&table(&[&row(&[("", "1"); 3]), &row(&[("", "2"); 3])])),
        &small,
        RejectionCode::TooLarge,
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_damaged_package_panics(flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let mut bytes = package(&table(&[&row(&[("", "规章"), ("", "3")])]));
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        drop(read(&bytes, &Limits::default()));
    }

    #[test]
    fn no_soup_of_elements_panics_or_shares_a_place(
        soup in prop::collection::vec(prop::sample::select(vec![
            "<w:tbl>", "</w:tbl>", "<w:tr>", "</w:tr>", "<w:tc>", "</w:tc>", "<w:p>", "</w:p>", "<w:r><w:t>7</w:t></w:r>",
            "<w:tcPr><w:gridSpan w:val=\"2\"/></w:tcPr>", "<w:tcPr><w:vMerge w:val=\"restart\"/></w:tcPr>", "<w:tcPr><w:vMerge/></w:tcPr>",
            "<w:fldChar w:fldCharType=\"begin\"/>", "<w:br/>", "<w:hMerge/>", "<w:gridBefore w:val=\"2\"/>", "<w:cellDel/>",
            "<w:pPr><w:numPr><w:numId w:val=\"1\"/></w:numPr></w:pPr>",
        ]), 0..60)
    ) {
        // End tags match, so that the XML reader accepts the input.
        let cell = "<w:tc><w:p><w:r><w:t>1</w:t></w:r></w:p></w:tc>";
        let (mut body, mut open) = (format!("<w:tbl><w:tr>{cell}{cell}</w:tr><w:tr>"), vec!["w:tbl>", "w:tr>"]);
        for piece in soup {
            if let Some(name) = piece.strip_prefix("</") {
                if !open.contains(&name) { continue }
                while let Some(last) = open.pop() {
                    body.push_str("</");
                    body.push_str(last);
                    if last == name { break }
                }
            } else {
                body.push_str(piece);
                if let Some(name) = piece.strip_prefix('<').filter(|name| !name.contains('/')) { open.push(name) }
            }
        }
        for last in open.into_iter().rev() {
            body.push_str("</");
            body.push_str(last);
        }
        let blocks = read(&package(&body), &Limits::default()).unwrap().blocks;
        prop_assert!(blocks.iter().any(|block| matches!(block, Block::Table(_))), "{}", body);
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
            prop_assert_eq!(places.len(), count, "{}", body);
        }
    }
}
