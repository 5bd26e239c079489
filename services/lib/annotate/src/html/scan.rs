//! Where a page can hold a mark: the pieces of its text, and the gaps between its tags.

use std::ops::Range;

use html5gum::{Token, Tokenizer, emitters::default::DefaultEmitter};

/// Elements whose content is not shown as text, or cannot contain elements.
const CLOSED: [&[u8]; 17] = [
    b"script",
    b"style",
    b"textarea",
    b"title",
    b"iframe",
    b"noembed",
    b"noframes",
    b"noscript",
    b"xmp",
    b"plaintext",
    b"select",
    b"svg",
    b"math",
    b"template",
    b"object",
    b"video",
    b"canvas",
];

/// Elements that may precede the content of a page.
const BEFORE_CONTENT: [&[u8]; 11] = [
    b"html",
    b"head",
    b"meta",
    b"title",
    b"link",
    b"script",
    b"style",
    b"base",
    b"noscript",
    b"template",
    b"basefont",
];

/// A page by what its parts can hold.
#[derive(Debug, Default)]
pub(super) struct PageScan {
    /// The text, in order.
    texts: Vec<PageText>,
    /// What each gap after a token can hold, by its position, in order.
    gaps: Vec<(usize, Holds)>,
    /// Where the page may begin: after its doctype.
    pub(super) prologue: usize,
    /// Where its content begins.
    pub(super) content: usize,
}

#[derive(Debug)]
struct PageText {
    range: Range<usize>,
    holds: Holds,
}

/// What can stand in a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Holds {
    /// Elements of a line.
    elements: bool,
    /// Links among them.
    links: bool,
}

impl PageScan {
    pub(super) fn of(text: &str) -> Self {
        let mut scanner = Scanner::new(text);
        let mut emitter = DefaultEmitter::<usize>::new_with_span();
        emitter.naively_switch_states(true);
        for Ok(token) in Tokenizer::new_with_emitter(text, emitter) {
            scanner.token(&token);
        }
        scanner.finish()
    }

    /// Returns the pieces of text in a range that can be marked, without white space around them.
    pub(super) fn pieces_in(&self, text: &str, range: &Range<usize>) -> Vec<Range<usize>> {
        let first = self.texts.partition_point(|piece| piece.range.end <= range.start);
        let within = self.texts.iter().skip(first).take_while(|piece| piece.range.start < range.end);
        let markable = within.filter(|piece| piece.holds.elements);
        markable
            .filter_map(|piece| {
                let (start, end) = (piece.range.start.max(range.start), piece.range.end.min(range.end));
                let own = text.get(start..end)?;
                let start = start + (own.len() - own.trim_start().len());
                let end = start + own.trim().len();
                (start < end).then_some(start..end)
            })
            .collect()
    }

    /// Returns a position in a range between tags, or at its end, that can hold an element.
    pub(super) fn gap_in(&self, range: &Range<usize>) -> Option<usize> {
        let at = self.gaps.partition_point(|(end, _)| *end < range.start);
        let next = self.gaps.get(at)?;
        let is_inside = next.0 <= range.end;
        (is_inside && next.1.elements).then_some(next.0)
    }

    /// Returns true if a position can hold a link.
    pub(super) fn can_link(&self, at: usize) -> bool {
        let before = self.gaps.partition_point(|(end, _)| *end <= at);
        before.checked_sub(1).and_then(|index| self.gaps.get(index)).is_none_or(|(_, holds)| holds.links)
    }
}

/// Follows the tags of a page.
struct Scanner<'t> {
    text: &'t str,
    page: PageScan,
    /// For each open table, whether the place is between its cells.
    tables: Vec<bool>,
    /// The open element that holds no marks, and how often it is nested.
    closed: Option<(Vec<u8>, usize)>,
    in_link: bool,
    /// True once a tag or text was seen, after which a doctype means nothing.
    has_begun: bool,
    content: Option<usize>,
}

impl<'t> Scanner<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            text,
            page: PageScan::default(),
            tables: Vec::new(),
            closed: None,
            in_link: false,
            has_begun: false,
            content: None,
        }
    }

    fn token(&mut self, token: &Token<usize>) {
        match token {
            Token::StartTag(tag) => {
                self.has_begun = true;
                if self.closed.is_none() && !BEFORE_CONTENT.contains(&tag.name.as_slice()) {
                    let at = if tag.name.as_slice() == b"body" {
                        self.end_of_tag(tag.span.end)
                    } else {
                        tag.span.start
                    };
                    self.content.get_or_insert(at);
                }
                self.start(&tag.name, tag.self_closing);
                self.gap(self.end_of_tag(tag.span.end));
            }
            Token::EndTag(tag) => {
                self.has_begun = true;
                self.end(&tag.name);
                self.gap(self.end_of_tag(tag.span.end));
            }
            Token::String(text) => self.string(text.span.start..text.span.end),
            Token::Doctype(doctype) if !self.has_begun => {
                self.page.prologue = self.end_of_tag(doctype.span.end);
            }
            _ => {}
        }
    }

    fn string(&mut self, range: Range<usize>) {
        let is_shown = self.closed.is_none();
        let has_text = self.text.get(range.clone()).is_some_and(|text| !text.trim().is_empty());
        self.has_begun |= has_text;
        if is_shown && has_text {
            self.content.get_or_insert(range.start);
        }
        let end = range.end;
        if has_text {
            self.page.texts.push(PageText { range, holds: self.holds() });
        }
        self.gap(end);
    }

    fn start(&mut self, name: &[u8], self_closing: bool) {
        if let Some((open, depth)) = &mut self.closed {
            *depth += usize::from(open.as_slice() == name && !self_closing);
            return;
        }
        match name {
            name if CLOSED.contains(&name) => {
                self.closed = (!self_closing || !is_foreign(name)).then(|| (name.to_vec(), 1));
            }
            b"table" => self.tables.push(true),
            b"td" | b"th" | b"caption" => self.between_cells(false),
            b"tr" | b"tbody" | b"thead" | b"tfoot" | b"colgroup" => self.between_cells(true),
            b"a" => self.in_link = true,
            _ => {}
        }
    }

    fn end(&mut self, name: &[u8]) {
        if let Some((open, depth)) = &mut self.closed {
            if open.as_slice() == name {
                *depth -= 1;
                if *depth == 0 {
                    self.closed = None;
                }
            }
            return;
        }
        match name {
            b"table" => drop(self.tables.pop()),
            b"td" | b"th" | b"caption" | b"tr" | b"tbody" | b"thead" | b"tfoot" => self.between_cells(true),
            b"a" => self.in_link = false,
            _ => {}
        }
    }

    fn between_cells(&mut self, is_between: bool) {
        if let Some(table) = self.tables.last_mut() {
            *table = is_between;
        }
    }

    fn gap(&mut self, at: usize) {
        self.page.gaps.push((at, self.holds()));
    }

    fn holds(&self) -> Holds {
        let is_between = self.tables.last().copied().unwrap_or(false);
        Holds { elements: self.closed.is_none() && !is_between, links: !self.in_link }
    }

    /// Returns the position after the `>` of a tag that the tokenizer has just left.
    fn end_of_tag(&self, end: usize) -> usize {
        let bytes = self.text.as_bytes();
        if end > 0 && bytes.get(end - 1) == Some(&b'>') {
            end
        } else {
            end + usize::from(bytes.get(end) == Some(&b'>'))
        }
    }

    fn finish(mut self) -> PageScan {
        self.page.content = self.content.unwrap_or(self.text.len());
        self.page
    }
}

/// Returns true for elements of other languages, which can close themselves.
fn is_foreign(name: &[u8]) -> bool {
    matches!(name, b"svg" | b"math")
}
