//! A message to people, before it has a format: a title, lines and links.
//!
//! [`compose`] writes it from the letters of an envelope, [`format`] turns it into text, HTML or Markdown. A format
//! decides how things look and what has to be escaped, and never what is said.

mod compose;
mod format;
mod language;

use std::borrow::Cow;

use gongkai_model::{Severity, masked};
use reqwest::Url;

pub use self::language::Language;
pub(crate) use self::{
    compose::Composer,
    format::{html, markdown, plain as plain_text, traces},
    language::ReportUrl,
};

/// Longest text of a line or a title, in characters.
const LONGEST_TEXT: usize = 300;

/// A message to people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    /// The highest severity of what is open; absent if nothing is.
    pub(super) severity: Option<Severity>,
    /// What happened, in one line.
    pub(super) title: String,
    /// The weightiest first.
    pub(super) lines: Vec<Line>,
    /// Number of items of the lines that were left out.
    left_out: usize,
    /// A remark below the lines.
    pub(super) remark: Option<String>,
    pub(super) links: Vec<Link>,
    /// The ids of the traces, for operators.
    pub(super) traces: Vec<String>,
    pub(super) language: Language,
}

/// A line of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// What kind of line it is, in a word or two.
    pub(super) label: String,
    pub(super) text: String,
    /// Number of items that the line stands for.
    pub(super) items: usize,
}

/// A link to a page on the web.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) label: &'static str,
    /// An `http` or `https` URL, with everything but visible ASCII percent-encoded.
    pub(super) url: String,
}

// === impl Message ===

impl Message {
    /// Leaves out the last lines beyond a number, and counts what they stand for.
    #[must_use]
    fn up_to(mut self, lines: usize) -> Self {
        let rest = self.lines.split_off(lines.min(self.lines.len()));
        self.left_out += rest.iter().map(|line| line.items).sum::<usize>();
        self
    }

    /// Returns the message with as many lines as fit into `longest` bytes. Links go last.
    pub(super) fn within(&self, longest: usize, bytes: impl Fn(&Self) -> usize) -> Self {
        let mut fitting = self.clone();
        while bytes(&fitting) > longest && !(fitting.lines.is_empty() && fitting.links.is_empty()) {
            match fitting.lines.len() {
                0 => fitting.links.clear(),
                lines => fitting = fitting.up_to(lines - 1),
            }
        }
        fitting
    }

    /// Returns the line that counts what was left out, if anything was.
    pub(super) fn remainder(&self) -> Option<String> {
        (self.left_out > 0).then(|| self.language.remainder(self.left_out))
    }
}

// === impl Line ===

impl Line {
    fn new(label: &str, text: &str, items: usize) -> Self {
        Self { label: plain(label), text: plain(text), items }
    }
}

// === impl Link ===

impl Link {
    /// Creates a link, unless the text is no URL of the web: it may come from a sender.
    fn new(label: &'static str, text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let is_web = matches!(url.scheme(), "http" | "https") && url.has_host();
        let is_open = url.username().is_empty() && url.password().is_none();
        // Markdown ends a link at a bracket.
        let url = String::from(url).replace('(', "%28").replace(')', "%29");
        (is_web && is_open).then_some(Self { label, url })
    }
}

/// Returns a text as one line without control characters, of a bounded length and with its personal data masked.
fn plain(text: &str) -> String {
    let is_odd = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let words = text.split(|c: char| c.is_whitespace() || is_odd(c)).filter(|word| !word.is_empty());
    let line = words.collect::<Vec<_>>().join(" ");
    let line = masked(&line);
    match line.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => Cow::into_owned(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(lines: usize) -> Message {
        Message {
            severity: None,
            title: "标题".into(),
            lines: (0..lines).map(|n| Line::new("请核实", &format!("第{n}行"), 2)).collect(),
            left_out: 0,
            remark: None,
            links: Vec::new(),
            traces: Vec::new(),
            language: Language::Zh,
        }
    }

    #[test]
    fn what_does_not_fit_is_left_out_by_lines_and_counted() {
        let bytes = |message: &Message| format::plain(message).len();
        assert_eq!(message(100).within(usize::MAX, bytes), message(100));
        for longest in [60, 61, 62, 500, 501] {
            let text = format::plain(&message(100).within(longest, bytes));
            assert!(text.len() <= longest, "{longest}: {text}");
            let lines = text.lines().filter(|line| line.starts_with("请核实")).count();
            assert!(text.contains(&format!("另有{}项未列出", 2 * (100 - lines))), "{text}");
        }
    }

    #[test]
    fn a_text_is_one_masked_line() {
        assert_eq!(plain("a\r\nb\u{0}\u{202e}c\t d"), "a b c d");
        assert_eq!(plain("电话13812341234"), "电话138****1234");
        assert_eq!(plain(&"字".repeat(400)).chars().count(), LONGEST_TEXT + 1);
    }

    #[test]
    fn only_pages_of_the_web_are_linked() {
        let url = |text: &str| Link::new("原文", text).map(|link| link.url);
        for bad in
            ["javascript:alert(1)", "data:text/html,x", "x", "", "https://u:p@example.cn/", "file:///etc"]
        {
            assert_eq!(url(bad), None, "{bad}");
        }
        assert_eq!(url("https://例.cn/a)b\"<").unwrap(), "https://xn--fsq.cn/a%29b%22%3C");
    }
}
