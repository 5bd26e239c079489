//! Passes the tokenizer's events with their positions to the [`BlockBuilder`].
//!
//! The tokenizer reports its position in bytes. Text that is the same in the source is passed on as one slice. Text
//! that differs, such as `&nbsp;`, gets the position of its source.

use gongkai_model::{Rejection, Span};
use html5gum::{Emitter, Error, State, naive_next_state};

use super::{builder::BlockBuilder, element::Attributes};

/// Maximum length of a name or value that is kept, in bytes.
const LONGEST_ATTRIBUTE: usize = 4096;

/// Passes events to a builder. Emitting a token stops the tokenizer if the builder has failed.
pub(super) struct Events<'b, 'l, 's> {
    source: &'s str,
    builder: &'b mut BlockBuilder<'l>,
    stopped: Option<Rejection>,
    /// The position of the tokenizer, in bytes.
    position: usize,
    /// The end of the last event, in bytes.
    last_end: usize,
    /// The range of text that was read but not yet passed on, in bytes.
    text: (usize, usize),
    scalars: Scalars<'s>,
    tag: OpenTag,
}

/// The tag that is being read.
#[derive(Default)]
struct OpenTag {
    is_start: bool,
    self_closing: bool,
    name: Vec<u8>,
    last_start: Vec<u8>,
    attributes: Attributes,
    attribute: Vec<u8>,
    value: Vec<u8>,
}

/// Converts byte positions to scalar positions. Ascending positions are the fastest.
struct Scalars<'s> {
    source: &'s [u8],
    byte: usize,
    scalar: u32,
}

impl<'b, 'l, 's> Events<'b, 'l, 's> {
    pub(super) fn new(source: &'s str, builder: &'b mut BlockBuilder<'l>) -> Self {
        Self {
            source,
            builder,
            stopped: None,
            position: 0,
            last_end: 0,
            text: (0, 0),
            scalars: Scalars { source: source.as_bytes(), byte: 0, scalar: 0 },
            tag: OpenTag::default(),
        }
    }

    fn keep(&mut self, result: Result<(), Rejection>) {
        if let Err(rejection) = result {
            self.stopped.get_or_insert(rejection);
        }
    }

    /// Passes on the text read so far.
    fn flush(&mut self) {
        let (start, end) = std::mem::take(&mut self.text);
        if let Some(text) = self.source.get(start..end).filter(|text| !text.is_empty()) {
            let first = self.scalars.at(start);
            let places = (first..).map(|at| Span { start: at, end: at + 1 });
            let result = self.builder.text(text, places);
            self.keep(result);
        }
    }

    /// Passes on text that differs from the source.
    fn replaced(&mut self, text: &[u8]) {
        self.flush();
        let place = Span { start: self.scalars.at(self.last_end), end: self.scalars.at(self.position) };
        let text = String::from_utf8_lossy(text);
        let result = self.builder.text(&text, std::iter::repeat(place));
        self.keep(result);
    }

    fn end_of_event(&mut self) {
        self.flush();
        self.last_end = self.position;
    }

    fn finish_attribute(&mut self) {
        let names_style = matches!(self.tag.attribute.as_slice(), b"class" | b"id");
        let is_used = !names_style || self.builder.reads_classes();
        if self.tag.is_start && is_used && !self.tag.attribute.is_empty() {
            self.tag.attributes.set(&self.tag.attribute, &self.tag.value);
        }
        self.tag.attribute.clear();
        self.tag.value.clear();
    }

    fn init_tag(&mut self, is_start: bool) {
        self.tag.is_start = is_start;
        self.tag.self_closing = false;
        self.tag.name.clear();
        self.tag.attribute.clear();
        self.tag.value.clear();
    }
}

impl Emitter for Events<'_, '_, '_> {
    type Token = Rejection;

    fn pop_token(&mut self) -> Option<Rejection> {
        self.stopped.take()
    }

    fn move_position(&mut self, offset: isize) {
        self.position = self.position.saturating_add_signed(offset);
    }

    fn emit_string(&mut self, text: &[u8]) {
        let start = self.position.saturating_sub(text.len());
        let verbatim =
            start >= self.last_end && self.source.as_bytes().get(start..self.position) == Some(text);
        if !verbatim {
            self.replaced(text);
        } else if self.text.1 == start && self.text.0 < self.text.1 {
            self.text.1 = self.position;
        } else {
            self.flush();
            self.text = (start, self.position);
        }
        self.last_end = self.position;
    }

    fn emit_current_tag(&mut self) -> Option<State> {
        let begun = self.last_end;
        self.end_of_event();
        self.finish_attribute();
        if !self.tag.is_start {
            let result = self.builder.end_tag(&self.tag.name);
            self.keep(result);
            return None;
        }
        let mut attributes = std::mem::take(&mut self.tag.attributes);
        let (start, end) = (self.scalars.at(begun), self.scalars.at(self.position));
        let place = Span { start, end };
        let result = self.builder.start_tag(&self.tag.name, &mut attributes, self.tag.self_closing, place);
        self.keep(result);
        self.tag.last_start.clone_from(&self.tag.name);
        match self.tag.name.as_slice() {
            b"plaintext" => None,
            b"noframes" => Some(State::RawText),
            name => naive_next_state(name),
        }
    }

    fn emit_eof(&mut self) {
        self.end_of_event();
    }

    fn emit_current_comment(&mut self) {
        self.end_of_event();
    }

    fn emit_current_doctype(&mut self) {
        self.end_of_event();
    }

    fn set_last_start_tag(&mut self, name: Option<&[u8]>) {
        self.tag.last_start = name.unwrap_or_default().to_vec();
    }

    fn init_start_tag(&mut self) {
        self.init_tag(true);
        self.tag.attributes = Attributes::default();
    }

    fn init_end_tag(&mut self) {
        self.init_tag(false);
    }

    fn init_attribute(&mut self) {
        self.finish_attribute();
    }

    fn push_tag_name(&mut self, name: &[u8]) {
        append(&mut self.tag.name, name);
    }

    fn push_attribute_name(&mut self, name: &[u8]) {
        append(&mut self.tag.attribute, name);
    }

    fn push_attribute_value(&mut self, value: &[u8]) {
        append(&mut self.tag.value, value);
    }

    fn set_self_closing(&mut self) {
        self.tag.self_closing = true;
    }

    fn current_is_appropriate_end_tag_token(&mut self) -> bool {
        !self.tag.is_start && !self.tag.name.is_empty() && self.tag.name == self.tag.last_start
    }

    fn should_emit_errors(&mut self) -> bool {
        false
    }

    // Parse errors, comments and doctypes are ignored.
    fn emit_error(&mut self, _: Error) {}
    fn init_comment(&mut self) {}
    fn push_comment(&mut self, _: &[u8]) {}
    fn init_doctype(&mut self) {}
    fn push_doctype_name(&mut self, _: &[u8]) {}
    fn set_force_quirks(&mut self) {}
    fn set_doctype_public_identifier(&mut self, _: &[u8]) {}
    fn set_doctype_system_identifier(&mut self, _: &[u8]) {}
    fn push_doctype_public_identifier(&mut self, _: &[u8]) {}
    fn push_doctype_system_identifier(&mut self, _: &[u8]) {}
}

fn append(buffer: &mut Vec<u8>, bytes: &[u8]) {
    let room = LONGEST_ATTRIBUTE.saturating_sub(buffer.len());
    buffer.extend_from_slice(&bytes[..bytes.len().min(room)]);
}

// === impl Scalars ===

impl Scalars<'_> {
    fn at(&mut self, byte: usize) -> u32 {
        let byte = byte.min(self.source.len());
        if byte < self.byte {
            (self.byte, self.scalar) = (0, 0);
        }
        let begun = self.source[self.byte..byte].iter().filter(|byte| **byte & 0xc0 != 0x80).count();
        self.byte = byte;
        self.scalar = self.scalar.saturating_add(u32::try_from(begun).unwrap_or(u32::MAX));
        self.scalar
    }
}
