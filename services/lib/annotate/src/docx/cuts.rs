//! Marks the range of each comment in the main part. A run is cut in two where a range begins or ends inside it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    ops::Range,
};

use super::{
    outline::{Outline, ParagraphPlace},
    targets::TargetRange,
};

/// The insertions into the main part.
pub(super) struct Cuts<'a> {
    outline: &'a Outline,
    text: &'a str,
    /// By position in bytes.
    cuts: BTreeMap<usize, Cut>,
    /// Tags of text elements that are cut, so that their white space counts.
    spaced: BTreeSet<(usize, usize)>,
    /// Paragraphs that are a single tag and get content.
    opened: BTreeSet<usize>,
}

/// What is inserted at one position.
#[derive(Debug, Default)]
struct Cut {
    /// Ends the run that is cut.
    close: String,
    /// Ends of comments, with their references.
    ends: String,
    /// Beginnings of comments.
    begins: String,
    /// Begins the second part of the run.
    open: String,
}

/// Which side of a character a cut is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Before,
    After,
}

impl<'a> Cuts<'a> {
    pub(super) fn new(outline: &'a Outline, text: &'a str) -> Self {
        Self { outline, text, cuts: BTreeMap::new(), spaced: BTreeSet::new(), opened: BTreeSet::new() }
    }

    /// Marks the range of a comment.
    pub(super) fn mark(&mut self, range: &TargetRange, comment: u32) {
        let outline = self.outline;
        let both = outline.paragraphs.get(range.first).zip(outline.paragraphs.get(range.last));
        let Some((first, last)) = both else { return };
        let w = &outline.prefix;
        let begin = format!("<{w}commentRangeStart {w}id=\"{comment}\"/>");
        let end = format!(
            "<{w}commentRangeEnd {w}id=\"{comment}\"/><{w}r><{w}commentReference {w}id=\"{comment}\"/></{w}r>"
        );
        let start = match range.from {
            Some(at) => self.beside_char(first, at, Side::Before),
            None => self.at_edge(range.first, first, Side::Before),
        };
        self.cuts.entry(start).or_default().begins.push_str(&begin);
        let stop = match range.to {
            Some(at) => self.beside_char(last, at, Side::After),
            None => self.at_edge(range.last, last, Side::After),
        };
        self.cuts.entry(stop).or_default().ends.push_str(&end);
    }

    /// Returns the position at the beginning or the end of a paragraph's content.
    fn at_edge(&mut self, index: usize, paragraph: &ParagraphPlace, side: Side) -> usize {
        if paragraph.is_single_tag {
            self.opened.insert(index);
            return paragraph.range.end;
        }
        if side == Side::Before { paragraph.content.start } else { paragraph.content.end }
    }

    /// Returns the position beside a character, and cuts its run there if the run goes on.
    fn beside_char(&mut self, paragraph: &ParagraphPlace, at: usize, side: Side) -> usize {
        let Some(place) = paragraph.chars.get(at) else { return paragraph.content.start };
        let Some(run) = paragraph.runs.get(place.run) else { return paragraph.content.start };
        let w = self.outline.prefix.as_str();
        let (position, is_edge) = match side {
            Side::Before => (
                place.range.start,
                place.range.start == place.tag.end && place.tag.start == run.properties.end,
            ),
            Side::After => {
                let end = format!("</{w}t></{w}r>");
                (place.range.end, self.text.get(place.range.end..run.range.end) == Some(end.as_str()))
            }
        };
        if is_edge {
            return if side == Side::Before { run.range.start } else { run.range.end };
        }
        let properties = self.text.get(run.properties.clone()).unwrap_or_default();
        let cut = self.cuts.entry(position).or_default();
        cut.close = format!("</{w}t></{w}r>");
        cut.open = format!("<{w}r>{properties}<{w}t xml:space=\"preserve\">");
        self.spaced.insert((place.tag.start, place.tag.end));
        position
    }

    /// Returns the main part with the marks, in UTF-8.
    pub(super) fn apply(mut self, text: &str) -> String {
        for tag in std::mem::take(&mut self.spaced) {
            let is_spaced = text.get(tag.0..tag.1).is_none_or(|tag| tag.contains("xml:space"));
            if !is_spaced {
                self.cuts.entry(tag.1 - 1).or_default().open.push_str(" xml:space=\"preserve\"");
            }
        }
        let mut replaced: Vec<(Range<usize>, String)> = self
            .cuts
            .iter()
            .map(|(at, cut)| (*at..*at, cut.to_string(self.outline, self.closes(*at))))
            .collect();
        // `<w:p/>` becomes `<w:p>…</w:p>`.
        let tags = self.opened.iter().filter_map(|index| self.outline.paragraphs.get(*index));
        replaced.extend(tags.map(|tag| (tag.range.end - 2..tag.range.end, ">".to_owned())));
        replaced.sort_by_key(|(range, _)| (range.end, range.start));
        let mut changed = String::with_capacity(text.len() * 2);
        let mut from = 0;
        for (range, new) in replaced {
            changed.push_str(text.get(from..range.start).unwrap_or_default());
            changed.push_str(&new);
            from = range.end;
        }
        changed.push_str(text.get(from..).unwrap_or_default());
        in_utf8(changed)
    }

    /// Returns true if a paragraph that was a single tag ends at a position.
    fn closes(&self, at: usize) -> bool {
        self.opened
            .iter()
            .filter_map(|index| self.outline.paragraphs.get(*index))
            .any(|tag| tag.range.end == at)
    }
}

impl Cut {
    fn to_string(&self, outline: &Outline, closes_paragraph: bool) -> String {
        let Self { close, ends, begins, open } = self;
        let mut text = String::new();
        // The comment of a paragraph without content begins and ends at the same position.
        let order = if closes_paragraph { [close, begins, ends, open] } else { [close, ends, begins, open] };
        order.into_iter().for_each(|part| text.push_str(part));
        if closes_paragraph {
            write!(text, "</{}p>", outline.prefix).expect("a string takes every text");
        }
        text
    }
}

/// Returns the part with a declaration of UTF-8, if it declares another charset.
pub(super) fn in_utf8(text: String) -> String {
    let Some((declaration, rest)) = text.split_once("?>").filter(|(start, _)| start.starts_with("<?xml"))
    else {
        return text;
    };
    if declaration.to_ascii_lowercase().contains("utf-8") || !declaration.contains("encoding") {
        return text;
    }
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>{rest}")
}
