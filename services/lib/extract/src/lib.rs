//! Reads bytes as blocks: paragraphs and table grids. Each format has a module.
//!
//! [`read`] is a pure function: no file, no socket, no clock but that of its own CPU time, which limits a PDF
//! ([`Limits::drawing_time`]). `sniff` recognises the format, `charset` decodes text, the format's own module builds
//! blocks, and `mirror_cleanup` removes what a mirror site added. Blocks of text formats keep their position in the
//! decoded original. Blocks of DOCX, PDF and DOC have no such position; a PDF's keep their page. `original` has what the
//! writer of a marked copy needs: the decoded text, and the places of a DOCX's blocks in its main part; [`pdf_glyphs`]
//! has the glyphs of a PDF's pages.
//!
//! The designs are DESIGN.md (HTML), FORMATS.md (DOCX, PDF and DOC) and TEXT.md (plain text).

#![warn(missing_docs)]

mod binary;
mod charset;
mod colour;
mod cpu;
mod doc;
mod docx;
mod grid;
mod guard;
mod hints;
mod html;
mod invisible;
mod limits;
mod markdown;
mod mirror_cleanup;
mod original;
mod pdf;
mod raised;
mod reject;
mod sniff;
mod source_text;
mod steps;
mod tables_from_lines;
mod text;
mod titles_in_tables;

use charset::DecodedText;
use gongkai_model::{Block, Document, Field, MediaType, Note, Rejection};

pub use docx::Package as DocxPackage;
pub use hints::Hints;
pub use html::has_robot_check;
pub use limits::Limits;
pub use original::{Original, OriginalText, docx_blocks, original};
pub use pdf::{PdfGlyph, pdf_glyphs};
pub use source_text::SourceText;
pub use steps::Steps;

/// Reads a document.
///
/// # Errors
/// The document cannot be read; the code gives the reason. Reading the same bytes again gives the same result.
pub fn read(bytes: &[u8], hints: &Hints<'_>, limits: &Limits) -> Result<Document, Rejection> {
    read_in_steps(bytes, hints, limits, &())
}

/// Returns the addresses that a page links, as written, in order and without duplicates; none if the bytes are not text.
#[must_use]
pub fn links(page: &[u8], hints: &Hints<'_>) -> Vec<String> {
    charset::decode(page, hints).map(|decoded| html::links::read(&decoded.text)).unwrap_or_default()
}

/// Returns true if the bytes are a page that shows a picture.
#[must_use]
pub fn has_pictures(page: &[u8], hints: &Hints<'_>) -> bool {
    charset::decode(page, hints).is_ok_and(|decoded| html::pictures::is_shown(&decoded.text))
}

/// Returns the text in which the positions of a document count; `None` if the document is not text, or cannot be decoded.
#[must_use]
pub fn original_text(bytes: &[u8], hints: &Hints<'_>, limits: &Limits) -> Option<String> {
    if sniff::screen(bytes, limits).ok()?.is_some() {
        return None;
    }
    charset::decode(bytes, hints).ok().map(|decoded| decoded.text)
}

/// Reads a document and reports each step to `steps`.
///
/// # Errors
/// As for [`read`].
pub fn read_in_steps(
    bytes: &[u8],
    hints: &Hints<'_>,
    limits: &Limits,
    steps: &impl Steps,
) -> Result<Document, Rejection> {
    if let Some(media_type) = steps.step("sniff", || sniff::screen(bytes, limits))? {
        steps.known(media_type);
        return steps.step("extract", || read_binary(bytes, media_type, limits));
    }
    let decoded = steps.step("decode", || charset::decode(bytes, hints))?;
    if decoded.text.trim().is_empty() {
        return Err(sniff::empty());
    }
    let media_type = sniff::media_type(&decoded.text, hints);
    steps.known(media_type);
    steps.step("extract", || read_text(decoded, media_type, limits))
}

/// Returns the lines of a plain text with their kinds, for whoever mends the readers; empty for other formats.
///
/// # Errors
/// As for [`read`].
pub fn explain_lines(bytes: &[u8], hints: &Hints<'_>, limits: &Limits) -> Result<String, Rejection> {
    if sniff::screen(bytes, limits)?.is_some() {
        return Ok(String::new());
    }
    let decoded = charset::decode(bytes, hints)?;
    if sniff::media_type(&decoded.text, hints) != MediaType::Text {
        return Ok(String::new());
    }
    sniff::count_lines(&decoded.text, limits)?;
    Ok(text::explain(&mirror_cleanup::clean(decoded.text, &mut Vec::new())))
}

/// Reads a text document, whose positions are positions in its text.
fn read_text(decoded: DecodedText, media_type: MediaType, limits: &Limits) -> Result<Document, Rejection> {
    let mut notes = decoded.notes;
    let (blocks, meta_title, fields) =
        if media_type == MediaType::Html || sniff::has_both_tables(&decoded.text) {
            let page = html::read(&decoded.text, limits)?;
            notes.extend(page.notes);
            let has_bars = sniff::has_markdown_table(&decoded.text);
            let blocks = tables_from_lines::read(page.blocks, has_bars, limits)?;
            (titles_in_tables::cut(blocks), page.meta_title, page.fields)
        } else {
            sniff::count_lines(&decoded.text, limits)?;
            let source = mirror_cleanup::clean(decoded.text, &mut notes);
            let reader = if media_type == MediaType::Markdown { markdown::read } else { text::read };
            (reader(&source, limits)?, None, Vec::new())
        };
    Ok(Document { media_type, charset: decoded.charset, meta_title, fields, blocks, notes })
}

/// Reads a binary document. No charset is guessed, and its blocks have no positions in a text.
fn read_binary(bytes: &[u8], media_type: MediaType, limits: &Limits) -> Result<Document, Rejection> {
    let BinaryContent { mut blocks, fields, notes: left } = binary_content(bytes, media_type, limits)?;
    if media_type == MediaType::Docx {
        blocks.iter_mut().for_each(Block::forget_spans);
    }
    let mut notes = mirror_cleanup::clean_blocks(&mut blocks);
    notes.extend(left);
    Ok(Document { media_type, charset: "utf-8", meta_title: None, fields, blocks, notes })
}

/// The content of a binary document.
struct BinaryContent {
    /// The blocks. Those of a DOCX have spans: ranges of the main part, in bytes.
    blocks: Vec<Block>,
    fields: Vec<Field>,
    notes: Vec<Note>,
}

/// Reads the content of a binary document.
fn binary_content(bytes: &[u8], media_type: MediaType, limits: &Limits) -> Result<BinaryContent, Rejection> {
    let of_blocks = |blocks| BinaryContent { blocks, fields: Vec::new(), notes: Vec::new() };
    let mut content = guard::guarded(|| match media_type {
        MediaType::Docx => docx::read(bytes, limits).map(|docx| BinaryContent {
            blocks: docx.blocks,
            fields: docx.links,
            notes: docx.notes,
        }),
        MediaType::Pdf => pdf::read(bytes, limits).map(of_blocks),
        _ => doc::read(bytes, limits).map(of_blocks),
    })?;
    if media_type != MediaType::Pdf {
        content.blocks = titles_in_tables::cut(tables_from_lines::read(content.blocks, false, limits)?);
    }
    if content.blocks.is_empty() {
        return Err(sniff::empty());
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use gongkai_model::{Block, Note, RejectionCode, Span};
    use proptest::prelude::*;

    use super::*;
    use crate::cpu::Cpu;

    const PAGE: &str = "<html><head><title>某局2023年年报</title></head><body><p>一、总体情况</p>\
        <table><tr><td>规章</td><td>3</td><td>5</td><td>17</td></tr></table></body></html>";

    fn read_named(bytes: &[u8], filename: &str) -> Result<Document, Rejection> {
        read(bytes, &Hints { filename: Some(filename), ..Hints::default() }, &Limits::default())
    }

    fn check_rejected(bytes: &[u8], filename: &str, expect: RejectionCode) {
        let begun = Cpu::now();
        let rejection = read_named(bytes, filename).unwrap_err();
        assert_eq!(rejection.code, expect, "{filename}");
        assert!(!rejection.message.is_ascii() && !rejection.message_en.is_empty(), "{rejection:?}");
        assert!(begun.elapsed() < Duration::from_secs(1), "{filename}: {:?}", begun.elapsed());
    }

    #[test]
    fn a_page_in_any_charset_gives_the_same_blocks() {
        let expect = read_named(PAGE.as_bytes(), "a.html").unwrap();
        assert_eq!((expect.media_type, expect.charset), (MediaType::Html, "utf-8"));
        assert_eq!(expect.meta_title.as_deref(), Some("某局2023年年报"));
        let gbk = encoding_rs::GBK.encode(PAGE).0.into_owned();
        let read = read_named(&gbk, "a.txt").unwrap();
        assert_eq!((read.charset, &read.blocks), ("gb18030", &expect.blocks));
        let utf16: Vec<u8> =
            [0xfeff].into_iter().chain(PAGE.encode_utf16()).flat_map(u16::to_be_bytes).collect();
        let read = read_named(&utf16, "a").unwrap();
        assert_eq!((read.charset, &read.blocks), ("utf-16be", &expect.blocks));
    }

    #[test]
    fn what_cannot_be_read_is_rejected_with_its_code() {
        check_rejected(b"", "a.html", RejectionCode::Empty);
        check_rejected(b"\xff\xfe \0", "a.html", RejectionCode::Empty);
        check_rejected(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a.html", RejectionCode::UnsupportedFormat);
        check_rejected(&[0; 1 << 20], "a.html", RejectionCode::UnsupportedFormat);
        check_rejected(&vec![0; 100 << 20], "a.html", RejectionCode::TooLarge);
        check_rejected("报告\u{20ac}".as_bytes().get(..8).unwrap(), "a.txt", RejectionCode::BadEncoding);
        check_rejected("<div>".repeat(100_000).as_bytes(), "a.html", RejectionCode::TooDeep);
    }

    #[test]
    fn a_document_that_is_no_text_is_known_by_its_bytes() {
        let read = read_named(include_bytes!("../tests/fixtures/small.doc"), "a.html").unwrap();
        assert_eq!((read.media_type, read.media_type.as_str()), (MediaType::Doc, "application/msword"));
        assert_eq!((read.blocks.len(), read.notes.len()), (4, 0));
        check_rejected(b"%PDF-1.7\n", "a.docx", RejectionCode::Corrupt);
        check_rejected(b"PK\x03\x04 word/document.xml", "a.pdf", RejectionCode::Corrupt);
    }

    #[test]
    fn a_mirror_is_noticed_in_text_and_in_pages() {
        let mirrored = "國(guó)務(wù)院報(bào)告";
        let expect = [Note::PinyinRemoved(3), Note::TraditionalConverted];
        for document in [mirrored.to_owned(), format!("<div><p>{mirrored}</p></div>")] {
            let read = read_named(document.as_bytes(), "a").unwrap();
            assert_eq!(read.notes, expect, "{document}");
            let Some(Block::Paragraph(paragraph)) = read.blocks.first() else { panic!("{:?}", read.blocks) };
            assert_eq!(paragraph.text, "国务院报告");
        }
    }

    fn hints() -> impl Strategy<Value = Hints<'static>> {
        let names = prop::sample::select(vec![None, Some("a.html"), Some("a.md"), Some("a.txt")]);
        let charsets = prop::sample::select(vec![None, Some("gbk"), Some("utf-8"), Some("big5"), Some("?")]);
        (names, charsets).prop_map(|(filename, charset)| Hints { media_type: None, charset, filename })
    }

    fn places(block: &Block) -> Vec<(&str, Span)> {
        match block {
            Block::Paragraph(paragraph) => {
                paragraph.span.map(|span| (paragraph.text.as_str(), span)).into_iter().collect()
            }
            Block::Table(grid) => {
                grid.cells.iter().filter_map(|cell| Some((cell.text.as_str(), cell.span?))).collect()
            }
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), hints in hints()) {
            drop(read(&bytes, &hints, &Limits::default()));
        }

        #[test]
        fn no_text_panics_and_places_hold_their_digits(text in "[ \t\n|#*\\-:/<>&;a-c0-9（）().一二三项總(guó)规章其他]{0,200}", hints in hints()) {
            let first = read(text.as_bytes(), &hints, &Limits::default());
            prop_assert_eq!(&first, &read(text.as_bytes(), &hints, &Limits::default()));
            let original: Vec<char> = text.chars().collect();
            for (text, span) in first.iter().flat_map(|document| &document.blocks).flat_map(places) {
                let place = original.get(span.start as usize..span.end as usize);
                let mut rest = place.unwrap_or_else(|| panic!("{span:?} is outside of {original:?}")).iter();
                for digit in text.chars().filter(char::is_ascii_digit) {
                    prop_assert!(rest.any(|c| *c == digit), "{text:?} does not stand at {span:?} of {original:?}");
                }
            }
        }

        #[test]
        fn no_damaged_page_panics(at in 0..PAGE.len(), byte in any::<u8>()) {
            let mut bytes = PAGE.as_bytes().to_vec();
            bytes[at] = byte;
            drop(read_named(&bytes, "a.html"));
            bytes.truncate(at);
            drop(read_named(&bytes, "a.html"));
        }
    }
}
