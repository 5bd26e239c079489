//! The meaning of HTML elements for text and tables.

use crate::colour::Ground;

use super::{
    look::{Look, Shift},
    style::{self, colour, ground},
};

/// The effect of an element on the text around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Part of the line: `<span>`, `<b>`, `<o:p>` and all unknown elements.
    Inline,
    /// No effect: void elements and column descriptions.
    Nothing,
    /// A field of a form: `<input>`. Its value is the text of the cell around it.
    Field,
    /// A list of options: `<select>`.
    Select,
    /// One option of a list.
    Choice,
    /// Page metadata.
    Meta,
    /// Ends the line and is not nested.
    Break,
    /// Ends the line and closes an open paragraph: `<div>`, `<h1>`, lists.
    Block,
    /// A paragraph: the next block closes it.
    Paragraph,
    /// A list item: the next item closes it.
    Item,
    /// A list. An item inside it does not close an item outside.
    List,
    /// Text whose line ends count.
    Preformatted,
    /// A table.
    Table,
    /// A row group.
    Group,
    /// A row.
    Row,
    /// A data or header cell.
    Cell,
    /// A caption.
    Caption,
    /// Content that is not text, read as markup: `<svg>`, `<template>`.
    Dropped,
    /// Content that is not text, read as raw text: `<script>`.
    Raw,
    /// A style sheet.
    Style,
    /// A field of a form with several lines: `<textarea>`.
    LongField,
    /// The title of the page, read as raw text.
    Title,
}

impl Class {
    /// Returns the class of an element by its lower-case name.
    pub(super) fn of(name: &[u8]) -> Self {
        match name {
            b"td" | b"th" => Self::Cell,
            b"tr" => Self::Row,
            b"table" => Self::Table,
            b"thead" | b"tbody" | b"tfoot" => Self::Group,
            b"caption" => Self::Caption,
            b"p" => Self::Paragraph,
            b"br" | b"hr" | b"html" | b"head" | b"body" | b"form" => Self::Break,
            b"div" | b"h1" | b"h2" | b"h3" | b"h4" | b"h5" | b"h6" | b"center" | b"section" | b"article"
            | b"header" | b"footer" | b"main" | b"nav" | b"aside" | b"address" | b"blockquote"
            | b"fieldset" | b"figure" | b"figcaption" | b"hgroup" | b"details" | b"summary" | b"dialog"
            | b"legend" => Self::Block,
            b"ul" | b"ol" | b"dl" | b"menu" | b"dir" => Self::List,
            b"li" | b"dt" | b"dd" => Self::Item,
            b"pre" | b"listing" => Self::Preformatted,
            b"input" => Self::Field,
            b"img" | b"link" | b"col" | b"colgroup" | b"wbr" | b"area" | b"base" | b"embed" | b"param"
            | b"source" | b"track" | b"frame" | b"basefont" | b"bgsound" | b"keygen" => Self::Nothing,
            b"meta" => Self::Meta,
            b"select" => Self::Select,
            b"option" => Self::Choice,
            b"svg" | b"math" | b"object" | b"template" | b"datalist" | b"audio" | b"video" | b"canvas"
            | b"rt" | b"rp" => Self::Dropped,
            b"style" => Self::Style,
            b"textarea" => Self::LongField,
            b"script" | b"noscript" | b"iframe" | b"noembed" | b"noframes" | b"xmp" => Self::Raw,
            b"title" => Self::Title,
            _ => Self::Inline,
        }
    }

    /// Returns true if nobody sees the text of an element of this class that looks like this.
    pub(super) fn is_hidden_by(self, look: Look) -> bool {
        let has_size = match self {
            Self::Cell | Self::Row | Self::Group | Self::Table => false,
            Self::Inline => look.boxed,
            _ => true,
        };
        look.removed || look.unseen || (look.collapsed && has_size)
    }
}

/// The first eight bytes of an element's name, enough to distinguish the known elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ElementName(u64);

impl ElementName {
    pub(super) fn of(name: &[u8]) -> Self {
        Self(name.iter().take(8).fold(0, |packed, byte| packed << 8 | u64::from(*byte)))
    }
}

/// The attributes that the builder uses.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Attributes {
    /// `colspan`, if it is a number.
    pub(super) column_span: Option<u32>,
    /// `rowspan`, if it is a number. 0 extends to the end of the row group.
    pub(super) row_span: Option<u32>,
    /// How the text inside is shown, by the element's own attributes.
    pub(super) look: Look,
    /// True if the element has no height. Word writes such a row to keep its column widths.
    pub(super) flat: bool,
    /// `<meta name=…>`
    pub(super) name: Option<String>,
    /// `<meta content=…>`
    pub(super) content: Option<String>,
    /// `<a href=…>`, if it names a host.
    pub(super) address: Option<String>,
    /// `class`
    pub(super) class: Option<String>,
    /// `<input value=…>`
    pub(super) value: Option<String>,
    /// The id, if the page has style sheets of its own.
    pub(super) id: Option<String>,
    /// True for an `<input>` that is no line of text: a button, a box to tick, a hidden value.
    pub(super) is_control: bool,
    /// True for an `<option selected>`.
    pub(super) is_selected: bool,
}

impl Attributes {
    /// Sets an attribute. If a name occurs twice, the first one counts.
    pub(super) fn set(&mut self, name: &[u8], value: &[u8]) {
        match name {
            b"colspan" => self.column_span = self.column_span.or_else(|| number(value)),
            b"rowspan" => self.row_span = self.row_span.or_else(|| number(value)),
            b"hidden" => self.look.removed = true,
            b"selected" => self.is_selected = true,
            b"style" => self.look |= style::look(value),
            b"bgcolor" => self.look.ground = ground(value),
            b"background" => self.look.ground = Ground::Unknown,
            b"color" => self.look.ink = colour(value),
            // Text for screen readers only, or an icon; and the mark of a note.
            b"aria-hidden" if value.eq_ignore_ascii_case(b"true") => {
                self.look.shift = self.look.shift.max(Shift::Apart);
            }
            b"href" if value.len() > 1 && value.starts_with(b"#") => {
                self.look.shift = self.look.shift.max(Shift::Apart);
            }
            b"id" => self.id = self.id.take().or_else(|| text(value)),
            b"class" => self.class = self.class.take().or_else(|| text(value)),
            b"value" => self.value = self.value.take().or_else(|| text(value)),
            b"type" => {
                let kind = value.trim_ascii().to_ascii_lowercase();
                self.is_control = !matches!(kind.as_slice(), b"" | b"text" | b"number" | b"tel");
            }
            b"height" => self.flat = number(value) == Some(0),
            b"name" => self.name = self.name.take().or_else(|| text(value)),
            b"content" => self.content = self.content.take().or_else(|| text(value)),
            b"href" if names_host(value) => self.address = self.address.take().or_else(|| text(value)),
            _ => {}
        }
    }
}

/// Returns true for an address with a host. One without a host leads to the page's own site.
fn names_host(address: &[u8]) -> bool {
    let address = address.trim_ascii_start();
    let scheme = address.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"http"));
    scheme || address.starts_with(b"//")
}

/// Returns the number at the beginning of a value, as browsers read a span. A number out of range becomes the largest
/// value.
fn number(value: &[u8]) -> Option<u32> {
    let value = value.trim_ascii_start();
    let value = value.strip_prefix(b"+").unwrap_or(value);
    let digits = value.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(None, |number: Option<u32>, digit| {
        Some(number.unwrap_or(0).saturating_mul(10).saturating_add(u32::from(digit - b'0')))
    })
}

fn text(value: &[u8]) -> Option<String> {
    std::str::from_utf8(value).ok().map(|text| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_browsers_read_them() {
        for (value, expect) in [
            ("3", Some(3)),
            (" +7x", Some(7)),
            ("2.9", Some(2)),
            ("0", Some(0)),
            ("1000000000000", Some(u32::MAX)),
            ("", None),
            ("-2", None),
            ("x", None),
        ] {
            assert_eq!(number(value.as_bytes()), expect, "{value}");
        }
    }

    #[test]
    fn only_a_box_has_a_size() {
        let collapsed = style::look(b"width:0;overflow:hidden");
        assert!(Class::Block.is_hidden_by(collapsed) && !Class::Cell.is_hidden_by(collapsed));
        assert!(!Class::Inline.is_hidden_by(collapsed));
        let boxed = style::look(b"width:0;overflow:hidden;display:inline-block");
        assert!(Class::Inline.is_hidden_by(boxed));
    }

    #[test]
    fn the_first_attribute_of_a_name_counts() {
        let mut attributes = Attributes::default();
        attributes.set(b"colspan", b"3");
        attributes.set(b"colspan", b"5");
        attributes.set(b"style", b"color:red; DISPLAY : none");
        assert_eq!((attributes.column_span, attributes.look.removed), (Some(3), true));
    }
}
