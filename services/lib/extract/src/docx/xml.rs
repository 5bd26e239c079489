//! A walk over the XML of a part, without a tree: names have no prefix, entities are resolved, and the depth is
//! limited.

use std::borrow::Cow;

use gongkai_model::{Rejection, Span};
use quick_xml::{
    Reader,
    events::{BytesRef, BytesStart, Event},
};

use crate::{limits::Limits, reject};

/// A node of the XML.
#[derive(Debug)]
pub(super) enum Node<'a> {
    /// An element begins. True if its end follows at once, for which there is no [`Node::End`].
    Start(&'a BytesStart<'a>, bool),
    /// The innermost open element ends.
    End(&'a str),
    /// A piece of text.
    Text(Cow<'a, str>),
}

/// Walks over a part, calling `visit` for every node.
pub(super) fn walk(
    text: &str,
    limits: &Limits,
    mut visit: impl FnMut(&Node<'_>) -> Result<(), Rejection>,
) -> Result<(), Rejection> {
    walk_placed(text, limits, |node, _| visit(node))
}

/// Walks over a part, calling `visit` for every node with its range in the part, in bytes.
pub(super) fn walk_placed(
    text: &str,
    limits: &Limits,
    mut visit: impl FnMut(&Node<'_>, Span) -> Result<(), Rejection>,
) -> Result<(), Rejection> {
    let mut reader = Reader::from_str(text);
    let mut depth = 0_usize;
    let mut start = 0;
    loop {
        let event = reader.read_event().map_err(|_| reject::corrupt("DOCX"))?;
        let end = u32::try_from(reader.buffer_position()).unwrap_or(u32::MAX);
        let place = Span { start, end };
        start = end;
        match &event {
            Event::Start(tag) => {
                depth += 1;
                if depth > limits.nesting {
                    return Err(reject::too_deep(limits.nesting));
                }
                visit(&Node::Start(tag, false), place)?;
            }
            Event::Empty(tag) => visit(&Node::Start(tag, true), place)?,
            Event::End(tag) => {
                depth = depth.saturating_sub(1);
                visit(&Node::End(tag.local_name().as_ref()), place)?;
            }
            Event::Text(piece) => visit(&Node::Text(piece.xml10_content()), place)?,
            Event::CData(piece) => visit(&Node::Text(piece.xml10_content()), place)?,
            Event::GeneralRef(entity) => visit(&Node::Text(resolve(entity)?), place)?,
            Event::Eof if depth > 0 => return Err(reject::corrupt("DOCX")),
            Event::Eof => return Ok(()),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
}

/// Returns the attribute of that name, whatever its prefix.
pub(super) fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = tag.attributes().with_checks(false).flatten().find(|a| a.key.local_name().as_ref() == name);
    let value = found?.value;
    let plain = if value.contains('&') {
        quick_xml::escape::unescape(&value).ok()?.into_owned()
    } else {
        value.into_owned()
    };
    Some(plain)
}

/// Returns `val` as a number.
pub(super) fn number(tag: &BytesStart<'_>) -> Option<u32> {
    attribute(tag, "val")?.trim().parse().ok()
}

/// Returns the value of an on-off property, which is on by default.
pub(super) fn is_on(tag: &BytesStart<'_>) -> bool {
    !attribute(tag, "val").is_some_and(|value| matches!(value.as_str(), "0" | "false" | "off" | "none"))
}

fn resolve(entity: &BytesRef<'_>) -> Result<Cow<'static, str>, Rejection> {
    if let Ok(Some(c)) = entity.resolve_char_ref() {
        return Ok(c.to_string().into());
    }
    let text = match &**entity {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => return Err(reject::corrupt("DOCX")),
    };
    Ok(text.into())
}
