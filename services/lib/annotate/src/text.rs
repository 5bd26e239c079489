//! Plain text and Markdown as a page: escaped, its lines kept.

use gongkai_extract::OriginalText;
use gongkai_model::MediaType;

use crate::{
    list,
    marked_copy::MarkedCopy,
    places, search,
    sheet::RemarkSheet,
    weave::{Insertions, Landing},
};

/// Returns a page with the list only, in UTF-8.
pub(crate) fn list_page(sheet: &RemarkSheet) -> Vec<u8> {
    page(sheet, &vec![0; sheet.remarks.len()], "")
}

/// Returns the copy, in UTF-8.
pub(crate) fn annotate(original: &OriginalText, sheet: &RemarkSheet) -> MarkedCopy {
    let text = original.text.as_str();
    let marks: Vec<_> = places::of_text(text, sheet)
        .into_iter()
        .map(|mark| {
            let range = narrowed(text, mark.range.clone(), &mark.words);
            let pieces = if range.is_empty() { Vec::new() } else { vec![range.clone()] };
            (mark, Landing { pieces, reference: range.end, can_link: true })
        })
        .collect();
    let mut insertions = Insertions::default();
    let counts = insertions.marks(&marks, sheet);
    let woven = insertions.weave(text, list::escape);
    // The first line end of a `pre` is not part of its text.
    let text = format!("<pre class=\"gongkai-text\">\n{woven}</pre>");
    MarkedCopy { bytes: page(sheet, &counts, &text), media_type: MediaType::Html }
}

fn page(sheet: &RemarkSheet, counts: &[usize], text: &str) -> Vec<u8> {
    let (prologue, section) = (list::prologue("utf-8"), list::section(sheet, counts));
    let (lang, title) = (sheet.lang.tag(), list::escaped(&sheet.subject));
    let page = format!(
        "<!DOCTYPE html>\n<html lang=\"{lang}\"><head>{prologue}<title>{title}</title></head>\n\
         <body>{section}{text}</body></html>\n"
    );
    page.into_bytes()
}

/// Returns the part of a range that contains these words, or the whole range if it does not.
fn narrowed(text: &str, range: std::ops::Range<usize>, words: &str) -> std::ops::Range<usize> {
    let chars: Vec<(usize, char)> = text.get(range.clone()).unwrap_or_default().char_indices().collect();
    let plain: Vec<char> = chars.iter().map(|(_, c)| *c).collect();
    let found =
        search::find(&plain, words, 0).and_then(|(first, last)| Some((chars.get(first)?, chars.get(last)?)));
    found.map_or(range.clone(), |(first, last)| {
        range.start + first.0..range.start + last.0 + last.1.len_utf8()
    })
}

#[cfg(test)]
mod tests {
    use gongkai_extract::{Hints, Limits};
    use gongkai_model::{Severity, Source, Span};

    use crate::{Lang, Remark, RemarkSheet, annotate};

    #[test]
    fn a_text_becomes_a_page_that_shows_it_as_it_is() {
        let text = "某局2023年年报\n规章 | <b>1</b> | 2\n共77条，联系电话13812341234。\n";
        let at = |words: &str| u32::try_from(text[..text.find(words).unwrap()].chars().count()).unwrap();
        let span = Span { start: at("共77"), end: at("。\n") };
        let source = Source { text: "138****1234".to_owned(), span: Some(span), ..Source::default() };
        let remark = Remark {
            severity: Severity::Review,
            label: "REVIEW".to_owned(),
            rule: "H-PII".to_owned(),
            place: String::new(),
            problem: "a phone number".to_owned(),
            advice: "remove it".to_owned(),
            legal: String::new(),
            sources: vec![source],
        };
        let sheet = RemarkSheet {
            lang: Lang::English,
            subject: "a & b".to_owned(),
            remarks: vec![remark],
            ..RemarkSheet::default()
        };
        let copy = annotate(text.as_bytes(), &Hints::default(), &Limits::default(), &sheet).unwrap();
        let page = String::from_utf8(copy.bytes).unwrap();
        assert!(page.contains("规章 | &lt;b&gt;1&lt;/b&gt; | 2\n共77条，联系电话<mark"), "{page}");
        assert!(page.contains(">13812341234</mark><a href=\"#gongkai-1\""), "{page}");
        assert!(page.contains("a &amp; b (1 findings)") && page.contains("<br>Advice: remove it"), "{page}");
    }
}
