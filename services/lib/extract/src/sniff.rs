//! Determines the media type of a document: by its bytes first, by the sender's declaration second.
//!
//! `screen` rejects bytes that no reader can use, before anything is decoded and in time that does not grow with the
//! document, and recognises binary formats. `media_type` picks the reader of a decoded text.

use gongkai_model::{MediaType, Rejection, RejectionCode};

use crate::{
    binary::{self, ContentFormat},
    hints::Hints,
    limits::Limits,
    reject,
};

/// Number of bytes of a document that are examined.
const LOOKED_AT: usize = 64 << 10;

/// Position by which most documents have a letter, in bytes from the beginning.
const NEAR: usize = 64;

/// Number of bytes whose control characters are counted at a time.
const PIECE: usize = u8::MAX as usize;

/// Bytes with more than one control character in this many are not text.
const CONTROL_SHARE: usize = 100;

/// Maximum number of blank lines for each other line of a text.
const BLANK_LINES: usize = 4;

/// Rejects bytes that are not a document within the limits. Returns the media type of a binary document.
pub(crate) fn screen(bytes: &[u8], limits: &Limits) -> Result<Option<MediaType>, Rejection> {
    if bytes.len() > limits.input_bytes {
        return Err(too_large(bytes.len(), limits.input_bytes));
    }
    if is_blank(bytes) {
        return Err(empty());
    }
    match binary::format(bytes) {
        Some(ContentFormat::Document(media_type)) => return Ok(Some(media_type)),
        Some(ContentFormat::Locked) => return Err(reject::encrypted("Office")),
        Some(ContentFormat::Other(name)) => return Err(unsupported(name)),
        None => {}
    }
    if is_binary(&bytes[..bytes.len().min(LOOKED_AT)]) {
        return Err(unsupported("二进制数据 / binary data"));
    }
    Ok(None)
}

/// Determines which reader a decoded text needs.
pub(crate) fn media_type(text: &str, hints: &Hints<'_>) -> MediaType {
    let declared = declaration(hints);
    let markup = Markup::of(head(text));
    if is_json(text) {
        return MediaType::Text;
    }
    if markup.is_page {
        return MediaType::Html;
    }
    if has_markdown_table(text) {
        return MediaType::Markdown;
    }
    match declared {
        _ if markup.is_piece(declared == Some(MediaType::Html)) => MediaType::Html,
        Some(MediaType::Markdown) => MediaType::Markdown,
        _ => MediaType::Text,
    }
}

/// Returns true for JSON, whose strings may contain a page.
fn is_json(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with(['{', '['])
        && text.trim_start_matches(['{', '[', ' ', '\n', '\r', '\t']).starts_with('"')
}

/// Returns true for text whose only markup is its tables, as OCR programs write it. Line ends count in such a text.
pub(crate) fn is_text_with_tables(text: &str) -> bool {
    let markup = Markup::of(head(text));
    !markup.is_page && markup.parting == 0
}

/// Rejects a text with more lines than the limits of cells and paragraphs, before anything is allocated for each. Blank
/// lines have a higher limit.
pub(crate) fn count_lines(text: &str, limits: &Limits) -> Result<(), Rejection> {
    let limit = limits.cells.saturating_add(limits.paragraphs);
    if text.len() < limit.min(limits.line_scalars) {
        return Ok(());
    }
    let (mut filled, mut blank) = (0, 0);
    for line in text.split('\n') {
        if line.len() > limits.line_scalars && line.chars().count() > limits.line_scalars {
            return Err(reject::too_large(("一行字数", "characters in a line"), limits.line_scalars));
        }
        let count = if line.trim().is_empty() { &mut blank } else { &mut filled };
        *count += 1;
        if filled > limit || blank / BLANK_LINES > limit {
            return Err(too_many_lines(limit));
        }
    }
    Ok(())
}

fn too_many_lines(limit: usize) -> Rejection {
    Rejection::new(
        RejectionCode::TooLarge,
        format!("文本行数过多：上限 {limit} 行"),
        format!("the text has too many lines, the limit is {limit}"),
    )
}

/// Returns the sender's declaration, by media type, else by the file's name.
fn declaration(hints: &Hints<'_>) -> Option<MediaType> {
    let media_type =
        hints.media_type.map(|text| text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    match media_type.as_deref() {
        Some("text/html" | "application/xhtml+xml") => return Some(MediaType::Html),
        Some("text/markdown" | "text/x-markdown") => return Some(MediaType::Markdown),
        _ => {}
    }
    let extension = hints.filename?.rsplit_once('.')?.1.to_ascii_lowercase();
    match extension.as_str() {
        "html" | "htm" | "shtml" | "xhtml" => Some(MediaType::Html),
        "md" | "markdown" => Some(MediaType::Markdown),
        "txt" => Some(MediaType::Text),
        _ => None,
    }
}

// === HTML and Markdown ===

fn head(text: &str) -> &str {
    let end = (0..=text.len().min(LOOKED_AT)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    &text[..end]
}

/// The tags at the beginning of a text.
#[derive(Debug, Default)]
struct Markup {
    /// True if there is a tag that only whole pages have.
    is_page: bool,
    /// Number of start tags that occur in parts of pages.
    opened: usize,
    /// Number of start tags that separate paragraphs.
    parting: usize,
    /// Number of end tags of any kind.
    closed: usize,
}

impl Markup {
    fn of(head: &str) -> Self {
        let mut markup = Self::default();
        for (at, _) in head.match_indices('<') {
            let rest = &head.as_bytes()[at + 1..];
            let length = rest
                .iter()
                .take(10)
                .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'!')
                .count();
            let name = rest[..length].to_ascii_lowercase();
            match name.as_slice() {
                b"" => markup.closed += usize::from(rest.first() == Some(&b'/')),
                _ if !rest
                    .get(length)
                    .is_some_and(|byte| byte.is_ascii_whitespace() || b"/>".contains(byte)) => {}
                b"!doctype" | b"html" | b"body" | b"head" => {
                    markup.is_page = true;
                    return markup;
                }
                b"table" | b"tr" | b"td" | b"div" | b"p" | b"span" | b"section" | b"h1" | b"h2" | b"br"
                | b"ul" | b"center" => markup.opened += 1,
                _ => {}
            }
        }
        markup
    }

    /// Returns true for a part of a page. Text that only mentions a tag or two does not close them.
    fn is_piece(&self, declared: bool) -> bool {
        let enough = match (declared, self.closed) {
            (true, _) => 1,
            (false, 0) => 5,
            (false, _) => 2,
        };
        self.opened >= enough
    }
}

/// Returns true for a text with tables of Markdown and tables of HTML.
pub(crate) fn has_both_tables(text: &str) -> bool {
    let has_html = || {
        let tags: [&str; 3] = ["<table", "<tr", "<td"];
        tags.iter().all(|tag| text.contains(tag)) && text.contains("</table>")
    };
    has_markdown_table(text) && has_html()
}

/// Returns true if a line is the rule under a Markdown table's header: `|---|:--:|`.
pub(crate) fn has_markdown_table(text: &str) -> bool {
    let rule = |line: &str| {
        line.contains("--")
            && line.contains('|')
            && line.chars().all(|c| matches!(c, '|' | '-' | ':' | ' ' | '\t'))
    };
    text.contains("--") && text.lines().map(str::trim).any(rule)
}

// === rejections ===

fn is_blank(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let is_blank = |c: char| c.is_whitespace() || c == '\u{feff}';
    // Nearly every document has a letter near its beginning.
    let start = text[..text.len().min(NEAR)].utf8_chunks().next();
    if start.is_some_and(|start| !start.valid().chars().all(is_blank)) {
        return false;
    }
    if text.iter().all(u8::is_ascii_whitespace) {
        return true;
    }
    // White space beyond ASCII: an all-blank document is short, and a long one ends the search at its first letter.
    std::str::from_utf8(&text[..text.len().min(LOOKED_AT)])
        .is_ok_and(|start| text.len() <= LOOKED_AT && start.chars().all(is_blank))
}

/// Returns true if there are many control characters. UTF-16 text has zero bytes, but also a byte order mark.
fn is_binary(bytes: &[u8]) -> bool {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return false;
    }
    // Branchless, and in pieces whose count fits into a byte, so that the compiler vectorises it.
    let control = |byte: &u8| u8::from((*byte < 32) & !(9..14).contains(byte) & (*byte != 27));
    let in_piece = |piece: &[u8]| usize::from(piece.iter().map(control).sum::<u8>());
    bytes.chunks(PIECE).map(in_piece).sum::<usize>() * CONTROL_SHARE > bytes.len()
}

pub(crate) fn empty() -> Rejection {
    Rejection::new(RejectionCode::Empty, "文件为空或只含空白", "the document is empty or white space only")
}

fn too_large(bytes: usize, limit: usize) -> Rejection {
    Rejection::new(
        RejectionCode::TooLarge,
        format!("文件过大：{bytes} 字节，上限 {limit} 字节"),
        format!("the document has {bytes} bytes, the limit is {limit}"),
    )
}

fn unsupported(format: &str) -> Rejection {
    Rejection::new(
        RejectionCode::UnsupportedFormat,
        format!("暂不支持的文件格式：{format}；请提交 HTML、DOCX、PDF、DOC 或纯文本"),
        format!("the format is not supported: {format}; submit HTML, DOCX, PDF, DOC or plain text"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(bytes: &[u8]) -> (RejectionCode, String) {
        let rejection = screen(bytes, &Limits::default()).unwrap_err();
        (rejection.code, rejection.message_en)
    }

    fn check(text: &str, filename: Option<&str>, media_type: Option<&str>, expect: MediaType) {
        let hints = Hints { media_type, filename, charset: None };
        assert_eq!(super::media_type(text, &hints), expect, "{text:?} {hints:?}");
    }

    #[test]
    fn nothing_to_read_is_empty() {
        for bytes in [&b""[..], b" \r\n\t", b"\xef\xbb\xbf", "\u{3000}\u{a0}\n".as_bytes()] {
            assert_eq!(refused(bytes).0, RejectionCode::Empty, "{bytes:?}");
        }
    }

    #[test]
    fn more_than_the_limit_is_too_large() {
        let limits = Limits { input_bytes: 7, ..Limits::default() };
        assert_eq!(screen(b"12345678", &limits).unwrap_err().code, RejectionCode::TooLarge);
        assert!(screen(b"1234567", &limits).is_ok());
    }

    #[test]
    fn more_lines_than_cells_and_paragraphs_are_too_large() {
        let limits = Limits { cells: 3, paragraphs: 2, ..Limits::default() };
        assert!(count_lines("1\n\n2\n3\n \n4\n5", &limits).is_ok());
        assert_eq!(count_lines("1\n2\n3\n4\n5\n6", &limits).unwrap_err().code, RejectionCode::TooLarge);
    }

    #[test]
    fn zeros_and_noise_are_no_text() {
        let noise: Vec<u8> = (0..9000_u32).map(|i| (i * 7919 % 251) as u8).collect();
        for bytes in [&[0; 4096][..], b"\0", &noise] {
            assert_eq!(
                refused(bytes),
                (RejectionCode::UnsupportedFormat, unsupported("二进制数据 / binary data").message_en)
            );
        }
    }

    #[test]
    fn a_picture_is_refused_by_its_own_name() {
        let (code, message) = refused(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
        assert_eq!(code, RejectionCode::UnsupportedFormat);
        assert!(message.contains("PNG"), "{message}");
    }

    #[test]
    fn a_page_is_html_whatever_it_is_called() {
        check("<!DOCTYPE html><p>x", Some("a.txt"), Some("text/plain"), MediaType::Html);
        check("  <HTML>", None, None, MediaType::Html);
        check("<table><tr><td>7</td></tr></table>", None, Some("text/plain; charset=utf-8"), MediaType::Html);
        check("<div>一</div><div>二</div>", None, None, MediaType::Html);
        check("<p>一", Some("a.HTM"), None, MediaType::Html);
    }

    #[test]
    fn markdown_is_known_by_its_tables_or_its_name() {
        check("| a | b |\n|---|:--:|\n| 3<br>x | 4<br>y |", None, Some("text/plain"), MediaType::Markdown);
        check("# 一、总体情况", Some("报告.MD"), None, MediaType::Markdown);
        check("# 一\n<table><tr><td>7</td></tr></table>", Some("报告.md"), None, MediaType::Html);
        check("| a |\n|---|\n<table><tr><td>7</td></tr></table>", Some("报告.md"), None, MediaType::Markdown);
        check("# 一、总体情况", None, Some("text/markdown; charset=utf-8"), MediaType::Markdown);
    }

    #[test]
    fn anything_else_is_text() {
        check("一、总体情况\n| 规章 | 3 |", None, None, MediaType::Text);
        check("实施《<长江三角洲规划>方案》, a<b", None, None, MediaType::Text);
        check("标签 <table> 的用法", None, None, MediaType::Text);
        check("没有标签", Some("a.html"), Some("text/html"), MediaType::Text);
    }
}
