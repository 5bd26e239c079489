use gongkai_extract::{Hints, Limits};
use gongkai_model::{Severity, Source, Span};
use proptest::prelude::*;

use crate::{Lang, Remark, RemarkSheet, annotate};

fn remark(sources: Vec<Source>) -> Remark {
    Remark {
        severity: Severity::Error,
        label: "必须整改".to_owned(),
        rule: "T3-ROW".to_owned(),
        place: "第三部分表格".to_owned(),
        problem: "合计<不符>".to_owned(),
        advice: String::new(),
        legal: String::new(),
        sources,
    }
}

/// Returns the span of the text between `[` and `]`, and the text without them.
fn marked(page: &str) -> (String, Span) {
    let at = |mark: char| page.chars().position(|c| c == mark).unwrap();
    let (start, end) = (u32::try_from(at('[')).unwrap(), u32::try_from(at(']') - 1).unwrap());
    (page.replace(['[', ']'], ""), Span { start, end })
}

fn copy_of(bytes: &[u8], remarks: Vec<Remark>) -> Vec<u8> {
    let sheet = RemarkSheet {
        lang: Lang::Chinese,
        subject: "某局 2023 年度".to_owned(),
        remarks,
        ..RemarkSheet::default()
    };
    let hints = Hints { filename: Some("a.html"), ..Hints::default() };
    annotate(bytes, &hints, &Limits::default(), &sheet).unwrap().bytes
}

/// Marks the text between `[` and `]`, and returns the copy without the list, the looks and the tooltips.
fn body_of(page: &str, words: &str) -> String {
    let (page, span) = marked(page);
    let source = Source { text: words.to_owned(), span: Some(span), ..Source::default() };
    let copy = String::from_utf8(copy_of(page.as_bytes(), vec![remark(vec![source])])).unwrap();
    let (before, rest) = copy.split_once("<style>").unwrap();
    let (_, after) = rest.split_once("</section>").unwrap();
    let mark = "<mark class=\"gongkai-mark gongkai-error\" title=\"[1] 必须整改 T3-ROW：合计&lt;不符&gt;\">";
    format!("{before}|{after}")
        .replace(&crate::list::prologue("utf-8"), "")
        .replace(mark, "<M>")
        .replace("</mark>", "</M>")
        .replace("<a href=\"#gongkai-1\" class=\"gongkai-ref\" id=\"gongkai-1-1\">[1]</a>", "<R>")
}

#[test]
fn a_mark_goes_around_text_and_never_around_tags() {
    let cases = [
        ("<p>共[77]条</p>", "", "|<p>共<M>77</M><R>条</p>"),
        ("<p>共<b>[7</b><i>7]</i>条</p>", "77", "|<p>共<b><M>7</M></b><i><M>7</M><R></i>条</p>"),
        ("<p>[共77条。甲]</p>", "77条", "|<p>共<M>77条</M><R>。甲</p>"),
        ("<p>[共1</p>\n<p>2条]</p>", "", "|<p><M>共1</M></p>\n<p><M>2条</M><R></p>"),
        (
            "<table><tr><td>[]</td><td>1</td></tr></table>",
            "",
            "|<table><tr><td><R></td><td>1</td></tr></table>",
        ),
        ("<table><tr><td>[<p></p>]</td></tr></table>", "", "|<table><tr><td><R><p></p></td></tr></table>"),
        ("<table><tr><td>1</td>[]</tr></table>", "", "|<table><tr><td>1</td></tr></table>"),
        ("<p>[a&amp;b]</p>", "", "|<p><M>a&amp;b</M><R></p>"),
        ("<p>一<script>if (a<b) \"[x]\"</script></p>", "", "|<p>一<script>if (a<b) \"x\"</script></p>"),
    ];
    for (page, words, expect) in cases {
        assert_eq!(body_of(page, words), expect, "{page}");
    }
}

#[test]
fn a_mark_inside_a_link_has_no_link_of_its_own() {
    let copy = body_of("<p><a href=x>[年报]</a></p>", "");
    assert!(
        copy.contains("<M>年报</M><span class=\"gongkai-ref\" id=\"gongkai-1-1\">[1]</span></a>"),
        "{copy}"
    );
}

#[test]
fn the_list_stands_where_the_content_begins() {
    let cases = [
        (
            "<!DOCTYPE html><html><head><title>年报</title></head><body class=a><p>[甲]</p></body></html>",
            "<body class=a>|<p>",
        ),
        ("<!doctype html><title>年报</title><p>[甲]</p>", "</title>|<p>"),
        ("<p>[甲]</p>", "|<p>"),
        ("<html><head><script>var a = '<p>';</script></head>\n正文[甲]", "</head>|\n正文"),
    ];
    for (page, expect) in cases {
        let copy = body_of(page, "");
        assert!(copy.contains(expect), "{copy}");
    }
}

#[test]
fn a_copy_forbids_scripts_before_anything_of_the_page() {
    let script = "<script>document.title='ran'</script>";
    for page in [format!("<!DOCTYPE html>{script}<p>甲</p>"), format!("{script}<!DOCTYPE html><p>甲</p>")] {
        let copy = String::from_utf8(copy_of(page.as_bytes(), vec![remark(Vec::new())])).unwrap();
        let policy = copy.find("script-src 'none'").unwrap();
        assert!(policy < copy.find("<script>").unwrap(), "{copy}");
    }
    let copy = String::from_utf8(copy_of(script.as_bytes(), vec![remark(Vec::new())])).unwrap();
    assert!(copy.contains("合计&lt;不符&gt;") && copy.contains("文中没有可标注的位置"), "{copy}");
}

#[test]
fn a_page_keeps_its_charset_and_its_own_bytes() {
    let page = "<html><head><meta charset=gb2312></head><body><p>政务公开工作年度报告，申请７７条㎡</p></body></html>";
    let at = u32::try_from(page.chars().position(|c| c == '７').unwrap()).unwrap();
    let source = || Source { span: Some(Span { start: at, end: at + 2 }), ..Source::default() };
    let gbk = encoding_rs::GB18030.encode(page).0.into_owned();
    let copy = copy_of(&gbk, vec![remark(vec![source()])]);
    let (text, damaged) = encoding_rs::GB18030.decode_without_bom_handling(&copy);
    assert!(
        !damaged && text.contains("<meta charset=\"gb18030\">") && text.contains("７７</mark>"),
        "{text}"
    );
    let first = gbk.windows(4).position(|window| window == b"<p>\xd5").unwrap();
    let own = &gbk[first..first + 20];
    assert!(copy.windows(own.len()).any(|window| window == own));

    let utf16: Vec<u8> =
        "\u{feff}".encode_utf16().chain(page.encode_utf16()).flat_map(u16::to_be_bytes).collect();
    let copy = copy_of(&utf16, vec![remark(vec![source()])]);
    assert!(copy.starts_with(&[0xfe, 0xff]));
    let (text, _) = encoding_rs::UTF_16BE.decode_with_bom_removal(&copy);
    assert!(text.contains("７７</mark>"), "{text}");
}

#[test]
fn remarks_about_one_place_share_its_mark() {
    let (page, span) = marked("<p>甲[乙丙]丁</p>");
    let source = Source { span: Some(span), ..Source::default() };
    let wide = Source { span: Some(Span { start: span.start - 1, end: span.end }), ..Source::default() };
    let light = Remark { severity: Severity::Info, ..remark(vec![wide]) };
    let copy = String::from_utf8(copy_of(page.as_bytes(), vec![remark(vec![source]), light])).unwrap();
    let body = copy.split_once("</section>").unwrap().1;
    let info = "class=\"gongkai-mark gongkai-info\" title=\"[2] 必须整改";
    let both = "class=\"gongkai-mark gongkai-error\" title=\"[1] 必须整改";
    assert!(body.starts_with(&format!("<p><mark {info}")) && body.contains(both), "{body}");
    assert_eq!((body.matches("</mark>").count(), body.matches("gongkai-ref").count()), (2, 2), "{body}");
}

/// Removes everything from `from` to `to` inclusive, as often as it occurs.
fn without(text: &str, from: &str, to: &str) -> String {
    let mut rest = text;
    let mut kept = String::new();
    while let Some((before, after)) = rest.split_once(from) {
        kept.push_str(before);
        rest = after.split_once(to).map_or("", |(_, after)| after);
    }
    kept + rest
}

/// Returns the names of the tags of a page that begin an element.
fn page_tags(page: &str) -> Vec<String> {
    let tokens = html5gum::Tokenizer::new(page).flatten();
    let name = |token| match token {
        html5gum::Token::StartTag(tag) => Some(String::from_utf8_lossy(&tag.name).into_owned()),
        _ => None,
    };
    tokens.filter_map(name).collect()
}

#[test]
fn line_ends_of_every_kind_are_counted() {
    let page = "<!DOCTYPE html>\r\n<body>\r\n<p>一&nbsp;二\r\n三[四]</p>\r<p>五</p>";
    assert!(body_of(page, "").ends_with("三<M>四</M><R></p>\r<p>五</p>"), "{}", body_of(page, ""));
}

proptest! {
    #[test]
    fn without_its_insertions_a_copy_is_the_page(
        page in "(<(/?(table|tr|td|a|p|b|script|title|body|select)|!doctype html|!--)[ a=\"']{0,3}>|[甲1&; \r\n<>-]){0,30}",
        spans in prop::collection::vec((0_u32..60, 0_u32..20), 0..4),
    ) {
        let page = format!("<p>{page}");
        let source = |(start, length)| Source { span: Some(Span { start, end: start + length }), ..Source::default() };
        let copy = String::from_utf8(copy_of(page.as_bytes(), vec![remark(spans.into_iter().map(source).collect())])).unwrap();
        let plain = without(&copy.replacen(&crate::list::prologue("utf-8"), "", 1), "<style>.gongkai", "</section>");
        let plain = without(&plain, "<mark class=\"gongkai-mark", ">").replace("</mark>", "");
        let plain = without(&plain, "<a href=\"#gongkai-1\"", "</a>");
        let plain = without(&plain, "<span class=\"gongkai-ref\"", "</span>");
        prop_assert_eq!(&plain, &page);
        // No mark is inside of a tag: the copy has the tags of the page, and its own.
        let tags = |page: &str| page_tags(page).into_iter().filter(|tag| !["mark", "meta", "style", "section"].contains(&tag.as_str())).collect::<Vec<_>>();
        let (_, body) = copy.split_once("</section>").unwrap();
        let (before, _) = copy.split_once("<style>.gongkai").unwrap();
        let own: Vec<String> = tags(&format!("{before}{}", without(&without(body, "<a href=\"#gongkai-1\"", "</a>"), "<span class=\"gongkai-ref\"", "</span>")));
        prop_assert_eq!(own, tags(&page));
    }
}
