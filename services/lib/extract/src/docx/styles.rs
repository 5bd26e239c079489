//! Reads the styles of a document: which of them number paragraphs, and which hide text or
//! strike it out.

use std::collections::{HashMap, HashSet};

use gongkai_model::Rejection;

use super::xml::{self, Node};
use crate::{
    colour::Colour,
    limits::Limits,
    raised::{lowered_digit, raised_digit},
};

/// Maximum number of styles in a chain of base styles.
const LONGEST_CHAIN: usize = 32;

/// The styles of a document, by id.
#[derive(Debug, Default)]
pub(super) struct Styles(HashMap<String, Style>);

#[derive(Debug, Default)]
struct Style {
    based_on: Option<String>,
    list: Option<u32>,
    level: Option<u32>,
    hidden: Option<bool>,
    struck: Option<bool>,
    /// How a digit is written, if text in the style is raised or lowered.
    marked: Option<fn(char) -> char>,
    ink: Option<Colour>,
    is_contents: bool,
}

impl Styles {
    /// Reads the styles that a text uses, and those that they are based on. Most parts have ten times as many.
    pub(super) fn used(part: &str, text: &str, limits: &Limits) -> Result<Self, Rejection> {
        let Some(mut wanted) = used_ids(text) else { return Self::read(part, limits) };
        let Some(elements) = elements(part) else { return Self::read(part, limits) };
        let mut styles = Self::default();
        while let Some(id) = wanted.pop() {
            if styles.0.contains_key(&id) {
                continue;
            }
            if let Some(element) = elements.get(id.as_str()) {
                styles.0.extend(Self::read(element, limits)?.0);
            }
            wanted.extend(styles.0.get(&id).and_then(|style| style.based_on.clone()));
        }
        Ok(styles)
    }

    /// Reads all styles of a part.
    fn read(part: &str, limits: &Limits) -> Result<Self, Rejection> {
        let mut styles = Self::default();
        let mut open: Option<(String, Style)> = None;
        xml::walk(part, limits, |node| {
            match node {
                Node::Start(tag, empty) => match tag.local_name().as_ref() {
                    "style" if !empty => {
                        open = xml::attribute(tag, "styleId").map(|id| (id, Style::default()));
                    }
                    name => {
                        if let Some((_, style)) = &mut open {
                            style.note(name, tag);
                        }
                    }
                },
                Node::End("style") => styles.0.extend(open.take()),
                Node::End(_) | Node::Text(_) => {}
            }
            Ok(())
        })?;
        Ok(styles)
    }

    /// Returns the list and, if given, the level of paragraphs in this style.
    pub(super) fn numbering(&self, id: &str) -> Option<(u32, Option<u32>)> {
        let list = self.chain(id).find_map(|style| style.list)?;
        Some((list, self.chain(id).find_map(|style| style.level)))
    }

    /// Returns whether text in this style is hidden, if the style defines it.
    pub(super) fn hides(&self, id: &str) -> Option<bool> {
        self.chain(id).find_map(|style| style.hidden)
    }

    /// Returns whether text in this style is struck out, if the style defines it.
    pub(super) fn strikes(&self, id: &str) -> Option<bool> {
        self.chain(id).find_map(|style| style.struck)
    }

    /// Returns how a digit in this style is written, if the style raises or lowers text.
    pub(super) fn marks(&self, id: &str) -> Option<fn(char) -> char> {
        self.chain(id).find_map(|style| style.marked)
    }

    /// Returns the colour of text in this style, if the style defines it.
    pub(super) fn ink(&self, id: &str) -> Option<Colour> {
        self.chain(id).find_map(|style| style.ink)
    }

    /// Returns true for a line of a table of contents.
    pub(super) fn is_contents(&self, id: &str) -> bool {
        self.0.get(id).is_some_and(|style| style.is_contents)
    }

    fn chain<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a Style> {
        let next = |style: &&'a Style| self.0.get(style.based_on.as_deref()?);
        std::iter::successors(self.0.get(id), next).take(LONGEST_CHAIN)
    }
}

impl Style {
    fn note(&mut self, name: &str, tag: &quick_xml::events::BytesStart<'_>) {
        match name {
            "basedOn" => self.based_on = xml::attribute(tag, "val"),
            "numId" => self.list = xml::number(tag),
            "ilvl" => self.level = xml::number(tag),
            "strike" | "dstrike" => self.struck = Some(self.struck == Some(true) || xml::is_on(tag)),
            "vanish" => self.hidden = Some(xml::is_on(tag)),
            "vertAlign" => {
                self.marked = match xml::attribute(tag, "val").as_deref() {
                    Some("superscript") => Some(raised_digit),
                    Some("subscript") => Some(lowered_digit),
                    _ => None,
                };
            }
            "color" => self.ink = xml::attribute(tag, "val").and_then(|c| Colour::of_hex(c.as_bytes())),
            "name" => {
                let name = xml::attribute(tag, "val").unwrap_or_default().to_ascii_lowercase();
                self.is_contents = name.strip_prefix("toc ").is_some_and(|level| level.parse::<u8>().is_ok());
            }
            _ => {}
        }
    }
}

/// Returns the ids that a text names, if it has the usual form: `<w:pStyle w:val="a3"/>`.
fn used_ids(text: &str) -> Option<Vec<String>> {
    const USE: &str = "Style w:val=\"";
    let usual = text.matches(USE).count() == text.matches("Style ").count();
    let ids = || text.split(USE).skip(1).filter_map(|rest| rest.split('"').next());
    usual.then(|| ids().map(str::to_owned).collect::<HashSet<String>>().into_iter().collect())
}

/// Returns the elements of a part's styles by id, if they have the usual form.
fn elements(part: &str) -> Option<HashMap<&str, &str>> {
    const END: &str = "</w:style>";
    let mut elements = HashMap::new();
    let mut rest = part;
    while let Some(at) = rest.find("<w:style ") {
        let element = rest.get(at..)?;
        let tag = element.get(..element.find('>')?)?;
        let (_, id) = tag.split_once("w:styleId=\"")?;
        let end = element.find(END)? + END.len();
        if tag.ends_with('/') {
            return None;
        }
        elements.insert(id.split('"').next()?, element.get(..end)?);
        rest = element.get(end..)?;
    }
    Some(elements)
}
