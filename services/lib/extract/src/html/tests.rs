use std::time::Duration;

use gongkai_model::{Block, Grid, Note, RejectionCode};
use proptest::prelude::*;

use super::{Html, read};
use crate::{cpu::Cpu, limits::Limits};

fn page(source: &str) -> Html {
    read(source, &Limits::default()).unwrap()
}

/// Returns the blocks as text: a paragraph verbatim, and a table as rows of `text@column`, with `×rows,columns` after
/// a cell with spans.
fn shown(html: &Html) -> Vec<String> {
    html.blocks.iter().map(shown_block).collect()
}

fn shown_block(block: &Block) -> String {
    match block {
        Block::Paragraph(paragraph) => paragraph.text.clone(),
        Block::Table(grid) => {
            assert!(grid.spans_known);
            grid.by_row().iter().map(|row| shown_row(row)).collect::<Vec<_>>().join(" / ")
        }
    }
}

fn shown_row(row: &[&gongkai_model::Cell]) -> String {
    let cells = row.iter().map(|cell| {
        let spans = match (cell.row_span, cell.column_span) {
            (1, 1) => String::new(),
            (rows, columns) => format!("×{rows},{columns}"),
        };
        format!("{}@{}{spans}", cell.text.replace('\n', "⏎"), cell.column)
    });
    cells.collect::<Vec<_>>().join(" | ")
}

fn check(source: &str, expect: &[&str]) {
    assert_eq!(shown(&page(source)), expect, "{source}");
}

fn check_rejected(source: &str, limits: &Limits, expect: RejectionCode) {
    let begun = Cpu::now();
    assert_eq!(read(source, limits).unwrap_err().code, expect);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

fn grids(html: &Html) -> impl Iterator<Item = &Grid> {
    html.blocks.iter().filter_map(|block| match block {
        Block::Table(grid) => Some(grid),
        Block::Paragraph(_) => None,
    })
}

fn slice(source: &str, span: gongkai_model::Span) -> String {
    source.chars().skip(span.start as usize).take((span.end - span.start) as usize).collect()
}

// === text ===

#[test]
fn blocks_part_paragraphs_and_inline_elements_do_not() {
    check(
        "<p>一、总体<span>情</span><b>况</b></p>二<div>三</div>四<br>五",
        &["一、总体情况", "二", "三", "四", "五"],
    );
    check("<ul><li>甲<li>乙</ul><h1>丙</h1>丁", &["甲", "乙", "丙", "丁"]);
    check("<p>甲<p>乙", &["甲", "乙"]);
}

#[test]
fn white_space_collapses_and_entities_are_read() {
    check("<p>&nbsp;&#160; 收费  17.5&nbsp;万元 &lt;7&gt; &#x4e00;</p>", &["收费 17.5\u{a0}万元 <7> 一"]);
    check("<pre>甲 3\n乙 4</pre>", &["甲 3", "乙 4"]);
}

#[test]
fn what_is_not_shown_is_not_read() {
    check(
        "<head><title>题</title><style>p{}</style></head><script>if (a<b) '<p>x</p>'</script><noscript>y</noscript>\
         <!-- <table><tr><td>1</td></tr></table> --><!--[if gte mso 9]><xml>z</xml><![endif]-->\
         <p style='DISPLAY: none'>隐</p><div hidden>藏<div>深</div></div><svg><text>画</text></svg><template>板</template>见",
        &["见"],
    );
    check("<textarea>甲</textarea><select><option>乙</select>丙", &["丙"]);
}

/// Returns the text of a cell with the number 17 and this markup behind it, under a style sheet and with attributes of the
/// cell.
fn cell(sheet: &str, attributes: &str, markup: &str) -> String {
    let html = page(&format!(
        "<style>{sheet}</style><table><tr><td>规章</td><td{attributes}>17{markup}</td></tr></table>"
    ));
    grids(&html).next().and_then(|grid| grid.cells.last()).map(|cell| cell.text.clone()).unwrap_or_default()
}

#[test]
fn text_in_the_colour_of_its_ground_is_not_seen() {
    for (attributes, markup) in [
        ("", "<span style='color:#fefefe'>3</span>"),
        ("", "<span style='color:hsl(0,0%,100%)'>3</span>"),
        ("", "<span style='background:#eee;color:#eee'>3</span>"),
        ("", "<span style='background-color:yellow;color:#ff0'>3</span>"),
        (" style='background:#f0f0f0'", "<span style='color:rgb(240, 240, 240)'>3</span>"),
        (" bgcolor='#ccffcc'", "<font color='#ccffcc'>3</font>"),
        ("", "<span style='color:rgb(0 0 0 / 0)'>3</span>"),
    ] {
        assert_eq!(cell("", attributes, markup), "17", "{markup}");
    }
    for (attributes, markup) in [
        (" style='background:#1e90ff'", "<span style='color:white'>3</span>"),
        ("", "<span style='background:navy;color:#fff'>3</span>"),
        (" style='background:url(a.png)'", "<span style='color:#fff'>3</span>"),
        ("", "<span style='color:black'>3</span>"),
        ("", "<span style='color:white'><span style='color:#333'>3</span></span>"),
    ] {
        assert_eq!(cell("", attributes, markup), "173", "{markup}");
    }
}

#[test]
fn a_pages_own_rules_hide_or_part_text() {
    for sheet in [
        ".x{display:none}",
        ".x{color:#fff}",
        "#y{color:#ffffff}",
        "#y{display:none}",
        "@media screen{.x{display:none}}",
        "@supports (display:grid){.x{opacity:0}}",
    ] {
        assert_eq!(cell(sheet, "", "<b class=x id=y>3</b>"), "17", "{sheet}");
    }
    // Whether the rest of the selector fits is unknown.
    for sheet in ["td .x{display:none}", "table > #y{opacity:0}", ".x.z{display:none}"] {
        assert_eq!(cell(sheet, "", "<b class=x id=y>3</b>"), "17 3", "{sheet}");
    }
    for sheet in ["@media print{.x{display:none}}", ".x{color:red}", "p:hover{display:none}"] {
        assert_eq!(cell(sheet, "", "<b class=x id=y>3</b>"), "173", "{sheet}");
    }
}

#[test]
fn text_that_may_be_no_part_of_a_number_stays_apart() {
    for markup in [
        "<span aria-hidden=true>3</span>",
        "<a href='#_ftn1'>3</a>",
        "<span style='position:absolute;z-index:-1'>3</span>",
    ] {
        assert_eq!(cell("", "", markup), "17 3", "{markup}");
    }
    assert_eq!(cell("", "", "<textarea hidden>3</textarea><object>4</object>"), "17");
    check("<table><tr><td>规章</td><td><a href='#'>17</a></td></tr></table>", &["规章@0 | 17@1"]);
}

#[test]
fn tables_that_only_a_script_shows_are_read_all_the_same() {
    check("<div style='display:none'><table><tr><td>规章<td>3</table></div>", &["规章@0 | 3@1"]);
}

#[test]
fn the_title_is_the_articles_then_the_pages() {
    let title = |source: &str| page(source).meta_title;
    assert_eq!(title("<title> 甲\n乙 </title><svg><title>丙</title></svg>").as_deref(), Some("甲 乙"));
    assert_eq!(title("<title>甲</title><meta name='articletitle' content='年报'>").as_deref(), Some("年报"));
    assert_eq!(title("<p>甲</p>"), None);
}

#[test]
fn text_whose_only_markup_is_its_tables_keeps_its_lines() {
    check(
        "# 一、总体情况\n很好。\n**二、主动公开**\n<table><tr><td>规\n章</td><td>3</td></tr></table>\n注：\n7",
        &["一、总体情况", "很好。", "二、主动公开", "规章@0 | 3@1", "注：", "7"],
    );
}

// === tables ===

#[test]
fn cells_take_the_places_that_their_spans_leave() {
    check(
        "<table><tr><td rowspan=2>类<td colspan=2>数<tr><td>3<td>4<tr><td>收<td>5<td>6</table>",
        &["类@0×2,1 | 数@1×1,2 / 3@1 | 4@2 / 收@0 | 5@1 | 6@2"],
    );
}

#[test]
fn end_tags_may_be_missing_and_groups_present() {
    let expect = &["甲@0 | 1@1 / 乙@0 | 2@1 / 丙@0 | 3@1"];
    check(
        "<table><thead><tr><th>甲</th><th>1</th></tr></thead><tbody><tr><td>乙</td><td>2</td></tr></tbody>\
         <tfoot><tr><td>丙</td><td>3</td></tr></tfoot></table>",
        expect,
    );
    check("<table><thead><tr><th>甲<th>1<tbody><tr><td>乙<td>2<tfoot><tr><td>丙<td>3</table>", expect);
    check("<table><td>甲<td>1<tr><td>乙<td>2<tr><td>丙<td>3", expect);
}

#[test]
fn absurd_spans_are_clipped_to_the_table() {
    check("<table><tr><td colspan=1000000000>甲<tr><td>3<td>4</table>", &["甲@0×1,2 / 3@0 | 4@1"]);
    check("<table><tr><td rowspan=1000000000>甲<td>3<tr><td>4</table>", &["甲@0×2,1 | 3@1 / 4@1"]);
    check("<table><tr><td rowspan=0>甲<td>3<tr><td>4<tr><td>5</table>", &["甲@0×3,1 | 3@1 / 4@1 / 5@1"]);
    check("<table><tr><td colspan=0>甲<td colspan=-3 rowspan=x>3</table>", &["甲@0 | 3@1"]);
    check(
        "<table><tbody><tr><td rowspan=9>甲<td>3<tbody><tr><td>乙<td>4</table>",
        &["甲@0 | 3@1 / 乙@0 | 4@1"],
    );
}

#[test]
fn a_table_around_tables_is_layout() {
    check(
        "<table><tr><td>首页<td>导航<tr><td colspan=2>前文<table><tr><td>规章<td>3</table>后文<tr><td>页脚</table>尾",
        &["首页", "导航", "前文", "规章@0 | 3@1", "后文", "页脚", "尾"],
    );
    check("<table><tr><td><p>一、总体情况</p><p>很好。</p></table>", &["一、总体情况", "很好。"]);
}

#[test]
fn a_spacer_table_inside_a_cell_does_not_make_layout() {
    check(
        "<table><tr><td>规章<table><tr><td>&nbsp;</table><td>3<tr><td>文件<td>4</table>",
        &["规章@0 | 3@1 / 文件@0 | 4@1"],
    );
    check("<table><tr><td>规章<td><table><tr><td>3</table></table>", &["规章@0 | 3@1"]);
}

#[test]
fn text_between_the_tags_of_a_table_stands_before_it() {
    check(
        "<table>单位：万元<caption>表一</caption><tr>注<td>收费<td>3</table>",
        &["单位：万元", "表一", "注", "收费@0 | 3@1"],
    );
}

#[test]
fn cells_of_word_keep_their_words_together() {
    check(
        "<table><tr height=25><td><p class=MsoNormal><span>申请人情</span><span lang=EN-US>况<o:p></o:p></span></p></td>\
         <td><p><span>1</span><span>2</span></p></td></tr><tr><td><p>商业</p><p>企业</p></td><td><p><o:p>&nbsp;</o:p></p></td></tr>\
         <![if !supportMisalignedColumns]><tr height=0><td width=3></td><td width=4></td><td></td></tr><![endif]></table>",
        &["申请人情况@0 | 12@1 / 商业⏎企业@0 | @1"],
    );
}

#[test]
fn hidden_rows_and_cells_take_no_place() {
    check(
        "<table><tr><td>甲<td style='display:none'>9<td>1<tr style='display:none'><td>藏<td>8<tr><td>乙<td>2</table>",
        &["甲@0 | 1@1 / 乙@0 | 2@1"],
    );
}

#[test]
fn stray_table_tags_only_end_lines() {
    check("甲<td>乙</td></tr></table><tr>丙</div></p></span>", &["甲", "乙", "丙"]);
    check("<table><form><tr><td>规章<td>3</tr></form></table>", &["规章@0 | 3@1"]);
}

// === places ===

#[test]
fn every_cell_says_where_it_stands() {
    let source = "<p>前言，<b>繁</b></p><table><tr><td>规&nbsp;章</td><td> 1<i>7</i>\r\n</td><td>&#53;</td><td>\n</td></tr></table>";
    let html = page(source);
    let cells = &grids(&html).next().unwrap().cells;
    let places: Vec<(&str, String)> =
        cells.iter().map(|cell| (cell.text.as_str(), slice(source, cell.span.unwrap()))).collect();
    assert_eq!(
        places,
        [
            ("规\u{a0}章", "规&nbsp;章".to_owned()),
            ("17", "1<i>7".to_owned()),
            ("5", "&#53;".to_owned()),
            ("", String::new()),
        ]
    );
    let blank = cells[3].span.unwrap().start as usize;
    assert!(source.chars().take(blank).collect::<String>().ends_with("<td>"));
}

#[test]
fn a_mirror_is_cleaned_and_keeps_its_places() {
    let source = "<p>國(guó)務(wù)院</p><table><tr><td>數<i>(shù)</i>據(jù)<td>19</td><td>報(bào)</table>";
    let html = page(source);
    assert_eq!(shown(&html), ["国务院", "数据@0 | 19@1 | 报@2"]);
    let cells = &grids(&html).next().unwrap().cells;
    assert_eq!(slice(source, cells[1].span.unwrap()), "19");
    assert_eq!(slice(source, cells[0].span.unwrap()), "數<i>(shù)</i>據");
    assert_eq!(html.notes, [Note::PinyinRemoved(5), Note::TraditionalConverted]);
}

// === hostile pages ===

#[test]
fn deep_pages_are_answered_at_once() {
    for tag in ["<div>", "<b>", "<table><tr><td>", "<ul>", "<o:p>", "<svg><g>", "<p hidden><span hidden>"] {
        check_rejected(&tag.repeat(100_000), &Limits::default(), RejectionCode::TooDeep);
    }
}

#[test]
fn forgotten_end_tags_are_not_depth() {
    for tag in ["<p>一", "<li>一", "<td>一", "<tr><td>一", "<br>", "<dd>一", "</div>", "<p><b>一"] {
        let source = format!("<table>{}", tag.repeat(2000));
        let limits = Limits { columns: 5000, ..Limits::default() };
        assert!(read(&source, &limits).is_ok(), "{tag}");
    }
}

#[test]
fn large_pages_are_turned_away() {
    let limits =
        Limits { cells: 7, paragraphs: 5, line_scalars: 9, columns: 4, rows: 3, ..Limits::default() };
    for source in [
        "<table><tr><td>1<td>2<td>3<tr><td>4<td>5<td>6<tr><td>7<td>8",
        "<p>1<p>2<p>3<p>4<p>5<p>6",
        "<p>1234567890",
        "<table><tr><td>1<td>2<td>3<td>4<td>5",
        "<table><tr><td>1<tr><td>2<tr><td>3<tr><td>4",
    ] {
        check_rejected(source, &limits, RejectionCode::TooLarge);
    }
}

#[test]
fn hostile_pages_take_linear_time() {
    let begun = Cpu::now();
    for source in [
        "<".repeat(300_000),
        "<a b=".repeat(100_000),
        "<!--".repeat(100_000),
        "&amp".repeat(100_000),
        format!("<table>{}", "<tr><td colspan=1000 rowspan=60000>7".repeat(15_000)),
        format!("{}{}", "<b><table><td>".repeat(50), "</b></div></i>".repeat(100_000)),
        format!("<p {}>", "a=1 ".repeat(100_000)),
        "<table></table>".repeat(50_000),
        format!("<script>{}", "</scrip".repeat(100_000)),
    ] {
        drop(read(&source, &Limits::default()));
    }
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[test]
fn a_robot_check_is_no_report() {
    for source in [
        "<html><head><meta id='x' content='y' r='m'><script>$_ts=window['$_ts'];if(!$_ts)$_ts={};</script></head><body></body></html>",
        "<script>var _$aB=['x'];document.cookie='a';location.reload()</script><p>请稍候…</p>",
    ] {
        check_rejected(source, &Limits::default(), RejectionCode::ChallengePage);
    }
    check("<script>document.cookie='a'</script><table><tr><td>规章<td>3</table>", &["规章@0 | 3@1"]);
}

// === any page ===

fn soup() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "<table>",
        "</table>",
        "<tr>",
        "</tr>",
        "<td>",
        "</td>",
        "<td rowspan=2>",
        "<td colspan=3>",
        "<th rowspan=0>",
        "<tbody>",
        "</tbody>",
        "<caption>",
        "<p>",
        "</p>",
        "<div>",
        "</div>",
        "<div hidden>",
        "<span>",
        "</span>",
        "<tr hidden>",
        "<td hidden>",
        "<br>",
        "<script>",
        "</script>",
        "<title>",
        "</title>",
        "<li>",
        "<ul>",
        "</ul>",
        "<pre>",
        "</pre>",
        "<!--",
        "-->",
        "<svg>",
        "</svg>",
        "&nbsp;",
        "&#55;",
        "&lt",
        "\r\n",
        " ",
        "<",
        "</",
        "規",
        "章(zhāng)",
        "國",
        "務",
        "報",
        "7",
        "31",
        "中<",
        "é",
        "\u{3000}",
        "\0",
        "<b",
        "=",
        "'",
        "\"",
        ">",
    ]);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_page_panics_and_places_hold_their_digits(source in soup()) {
        let source = format!("<table><tr><td>1<td>2{source}");
        let html = read(&source, &Limits::default()).unwrap();
        prop_assert!(grids(&html).next().is_some());
        let scalars = u32::try_from(source.chars().count()).unwrap();
        for grid in grids(&html) {
            let mut taken = std::collections::BTreeSet::new();
            for cell in &grid.cells {
                let span = cell.span.unwrap();
                prop_assert!(span.start <= span.end && span.end <= scalars);
                prop_assert!(cell.row + cell.row_span <= grid.rows && cell.column + cell.column_span <= grid.columns);
                prop_assert!(taken.insert((cell.row, cell.column)));
                let place = slice(&source, span);
                for digit in cell.text.chars().filter(char::is_ascii_digit) {
                    prop_assert!(place.contains(digit) || place.contains("&#55;"), "{:?} in {:?}", cell, place);
                }
            }
        }
    }
}
