//! The paragraphs of the main part, with the runs and characters that comments can be about.

use std::ops::Range;

use quick_xml::{
    Reader,
    events::{BytesRef, BytesStart, Event},
};

/// Elements whose text is not shown.
const UNSEEN: [&str; 8] =
    ["del", "moveFrom", "delText", "delInstrText", "instrText", "Fallback", "rt", "txbxContent"];

/// The namespace of documents that keep strictly to the standard begins like this.
const STRICT: &str = "http://purl.oclc.org/ooxml/";

/// The paragraphs of a document.
#[derive(Debug)]
pub(super) struct Outline {
    /// Prefix of the names of the elements, such as `w:`.
    pub(super) prefix: String,
    /// Namespace of the elements.
    pub(super) namespace: String,
    pub(super) is_strict: bool,
    /// The paragraphs that are in no other, in order.
    pub(super) paragraphs: Vec<ParagraphPlace>,
}

/// A paragraph: ranges are bytes of the part.
#[derive(Debug)]
pub(super) struct ParagraphPlace {
    pub(super) range: Range<usize>,
    /// What follows its properties; empty if the element is a single tag.
    pub(super) content: Range<usize>,
    /// True if it is a single tag: `<w:p/>`.
    pub(super) is_single_tag: bool,
    pub(super) chars: Vec<CharPlace>,
    pub(super) runs: Vec<RunPlace>,
}

/// A run of characters.
#[derive(Debug, Default)]
pub(super) struct RunPlace {
    pub(super) range: Range<usize>,
    /// Its properties; empty if it has none.
    pub(super) properties: Range<usize>,
}

/// A character of a text element.
#[derive(Debug)]
pub(super) struct CharPlace {
    pub(super) c: char,
    pub(super) range: Range<usize>,
    /// Index of its run in the paragraph.
    pub(super) run: usize,
    /// Range of the tag that opens its text element.
    pub(super) tag: Range<usize>,
}

impl Outline {
    /// Reads a main part. Returns `None` if it is no document.
    pub(super) fn of(text: &str) -> Option<Self> {
        let mut reader = Reader::from_str(text);
        let mut walk: Option<Walk> = None;
        let mut start = 0;
        loop {
            let event = reader.read_event().ok()?;
            let end = usize::try_from(reader.buffer_position()).ok()?;
            let place = start..end;
            start = end;
            match (&event, &mut walk) {
                (Event::Eof, walk) => return walk.take().map(Walk::finish),
                (Event::Start(tag), None) => walk = Some(Walk::new(tag)?),
                (Event::Start(tag), Some(walk)) => walk.start(tag.name().as_ref(), place, false),
                (Event::Empty(tag), Some(walk)) => walk.start(tag.name().as_ref(), place, true),
                (Event::End(tag), Some(walk)) => walk.end(tag.name().as_ref(), &place),
                (Event::Text(_) | Event::CData(_), Some(walk)) => walk.text(text, place, &event),
                (Event::GeneralRef(entity), Some(walk)) => walk.entity(entity, place),
                _ => {}
            }
        }
    }

    /// Returns the indices of the paragraphs that a range overlaps.
    pub(super) fn paragraphs_in(&self, range: &Range<usize>) -> Range<usize> {
        let first = self.paragraphs.partition_point(|paragraph| paragraph.range.end <= range.start);
        let last = self.paragraphs.partition_point(|paragraph| paragraph.range.start < range.end);
        first..last.max(first)
    }
}

/// Follows the elements of a part.
struct Walk {
    outline: Outline,
    /// Number of open paragraphs.
    depth: usize,
    /// Number of open elements inside one whose text is not shown.
    unseen: usize,
    /// Elements that are open in the paragraph.
    inner: usize,
    run: Option<RunPlace>,
    /// The depth at which the run began.
    run_depth: usize,
    /// The tag of the open text element.
    tag: Option<Range<usize>>,
}

impl Walk {
    fn new(root: &BytesStart<'_>) -> Option<Self> {
        let name = root.name();
        let name: &str = name.as_ref();
        let prefix = name.strip_suffix("document")?.to_owned();
        let declaration = match prefix.strip_suffix(':') {
            Some(prefix) => format!("xmlns:{prefix}"),
            None => "xmlns".to_owned(),
        };
        let mut attributes = root.attributes();
        let mut attributes = attributes.with_checks(false).flatten();
        let namespace = attributes.find(|found| found.key.as_ref() == declaration)?.value.into_owned();
        let is_strict = namespace.starts_with(STRICT);
        let outline = Outline { prefix, namespace, is_strict, paragraphs: Vec::new() };
        Some(Self { outline, depth: 0, unseen: 0, inner: 0, run: None, run_depth: 0, tag: None })
    }

    /// Returns the name of an element of the document's own namespace.
    fn own<'n>(&self, name: &'n str) -> Option<&'n str> {
        name.strip_prefix(self.outline.prefix.as_str()).filter(|name| !name.contains(':'))
    }

    fn start(&mut self, full_name: &str, place: Range<usize>, is_empty: bool) {
        let local = full_name.rsplit(':').next().unwrap_or_default();
        if self.unseen > 0 || UNSEEN.contains(&local) && self.depth > 0 {
            self.unseen += usize::from(!is_empty);
            return;
        }
        self.inner += usize::from(!is_empty);
        match self.own(full_name) {
            Some("p") if self.depth == 0 => self.open(place, is_empty),
            Some("p") => self.depth += usize::from(!is_empty),
            Some("pPr") if is_empty && self.depth == 1 && self.inner == 0 => {
                self.end_of_properties(place.end);
            }
            Some("rPr") if is_empty && self.inner == self.run_depth => self.end_of_run_properties(place.end),
            Some("r") if self.depth == 1 && !is_empty && self.run.is_none() => {
                let after = place.end..place.end;
                self.run = Some(RunPlace { range: place, properties: after });
                self.run_depth = self.inner;
            }
            Some("t") if self.run.is_some() && !is_empty && self.inner == self.run_depth + 1 => {
                self.tag = Some(place);
            }
            _ => {}
        }
    }

    fn open(&mut self, place: Range<usize>, is_single_tag: bool) {
        let content = place.end..place.end;
        self.outline.paragraphs.push(ParagraphPlace {
            range: place,
            content,
            is_single_tag,
            chars: Vec::new(),
            runs: Vec::new(),
        });
        self.depth = usize::from(!is_single_tag);
        self.inner = 0;
    }

    fn end(&mut self, full_name: &str, place: &Range<usize>) {
        if self.unseen > 0 {
            self.unseen -= 1;
            return;
        }
        match self.own(full_name) {
            Some("pPr") if self.depth == 1 && self.inner == 1 => self.end_of_properties(place.end),
            Some("rPr") if self.inner == self.run_depth + 1 => self.end_of_run_properties(place.end),
            Some("t") => self.tag = None,
            Some("r") if self.inner == self.run_depth => {
                if let (Some(mut run), Some(paragraph)) =
                    (self.run.take(), self.outline.paragraphs.last_mut())
                {
                    run.range.end = place.end;
                    paragraph.runs.push(run);
                }
            }
            Some("p") => {
                self.depth = self.depth.saturating_sub(1);
                if let (0, Some(paragraph)) = (self.depth, self.outline.paragraphs.last_mut()) {
                    paragraph.content.end = place.start;
                    paragraph.range.end = place.end;
                }
            }
            _ => {}
        }
        self.inner = self.inner.saturating_sub(1);
    }

    fn end_of_properties(&mut self, at: usize) {
        if let Some(paragraph) = self.outline.paragraphs.last_mut() {
            paragraph.content.start = at;
        }
    }

    fn end_of_run_properties(&mut self, at: usize) {
        if let Some(run) = &mut self.run {
            run.properties.end = at;
        }
    }

    fn text(&mut self, part: &str, place: Range<usize>, event: &Event<'_>) {
        // A CDATA section cannot be cut without its marks, so its text is one place.
        let is_whole = matches!(event, Event::CData(_));
        let text = part.get(place.clone()).unwrap_or_default();
        let text = text.strip_prefix("<![CDATA[").and_then(|text| text.strip_suffix("]]>")).unwrap_or(text);
        for (at, c) in text.char_indices() {
            let own = place.start + at..place.start + at + c.len_utf8();
            self.push(c, if is_whole { place.clone() } else { own });
        }
    }

    fn entity(&mut self, entity: &BytesRef<'_>, place: Range<usize>) {
        let c = match &**entity {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => entity.resolve_char_ref().ok().flatten().unwrap_or(char::REPLACEMENT_CHARACTER),
        };
        self.push(c, place);
    }

    fn push(&mut self, c: char, range: Range<usize>) {
        if self.unseen > 0 {
            return;
        }
        if let (Some(tag), Some(paragraph)) = (&self.tag, self.outline.paragraphs.last_mut()) {
            let run = paragraph.runs.len();
            paragraph.chars.push(CharPlace { c, range, run, tag: tag.clone() });
        }
    }

    fn finish(mut self) -> Outline {
        // A paragraph without an end has no place for a comment.
        self.outline.paragraphs.retain(|paragraph| paragraph.content.start <= paragraph.content.end);
        self.outline
    }
}
