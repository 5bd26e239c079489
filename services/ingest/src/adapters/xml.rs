//! Parses XML as a tree: names have no prefix, nesting, elements and attributes are bounded, a document type is refused,
//! and so are all entities except the five of XML.

use quick_xml::{
    Reader,
    escape::unescape,
    events::{BytesRef, BytesStart, Event},
};

use super::value_limit::{VALUE_LIMIT, too_many};
use crate::error::{Code, Problem};

/// Maximum nesting of elements.
const DEPTH_LIMIT: usize = 64;
/// Maximum attributes of an element.
const ATTRIBUTE_LIMIT: usize = 64;

/// An element with what is in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
    /// Its own text, without that of its children.
    pub(super) text: String,
    pub(super) children: Vec<Element>,
}

/// Parses a document and returns its root.
///
/// # Errors
/// `MALFORMED_BODY`; `TOO_LARGE` if it has more than [`VALUE_LIMIT`] elements.
pub(super) fn parse(text: &str) -> Result<Element, Problem> {
    let mut reader = Reader::from_str(text);
    // The first is no element. It holds the root.
    let (mut open, mut elements) = (vec![Element::default()], 0_usize);
    loop {
        let event = reader.read_event().map_err(|_| broken(reader.error_position()))?;
        match &event {
            Event::Start(tag) => {
                count(&mut elements, open.len())?;
                open.push(element(tag)?);
            }
            Event::Empty(tag) => {
                count(&mut elements, open.len())?;
                innermost(&mut open)?.children.push(element(tag)?);
            }
            Event::End(_) => {
                let closed = open.pop().unwrap_or_default();
                innermost(&mut open)?.children.push(closed);
            }
            Event::Text(piece) => innermost(&mut open)?.text.push_str(&piece.xml10_content()),
            Event::CData(piece) => innermost(&mut open)?.text.push_str(&piece.xml10_content()),
            Event::GeneralRef(entity) => innermost(&mut open)?.text.push(resolved(entity)?),
            Event::DocType(_) => return Err(malformed("不得有 DOCTYPE", "a document type is not allowed")),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => return root(open),
        }
    }
}

fn count(elements: &mut usize, depth: usize) -> Result<(), Problem> {
    *elements += 1;
    if depth > DEPTH_LIMIT {
        return Err(malformed(
            &format!("元素嵌套超过 {DEPTH_LIMIT} 层"),
            &format!("elements are nested deeper than {DEPTH_LIMIT}"),
        ));
    }
    if *elements > VALUE_LIMIT { Err(too_many()) } else { Ok(()) }
}

fn root(mut open: Vec<Element>) -> Result<Element, Problem> {
    let mut around = open.pop().unwrap_or_default();
    match (open.is_empty(), around.children.len()) {
        (true, 1) if around.text.trim().is_empty() => Ok(around.children.remove(0)),
        _ => Err(malformed("须是一个完整的根元素", "it is not one complete element")),
    }
}

fn innermost(open: &mut [Element]) -> Result<&mut Element, Problem> {
    open.last_mut().ok_or_else(|| malformed("有结束标签而没有开始标签", "an element ends that did not begin"))
}

fn element(tag: &BytesStart<'_>) -> Result<Element, Problem> {
    let mut attributes = Vec::new();
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|_| malformed("属性书写有误", "an attribute is malformed"))?;
        if attributes.len() == ATTRIBUTE_LIMIT {
            return Err(malformed(
                &format!("一个元素的属性超过 {ATTRIBUTE_LIMIT} 个"),
                &format!("an element has more than {ATTRIBUTE_LIMIT} attributes"),
            ));
        }
        let key = attribute.key;
        let name =
            if key.as_namespace_binding().is_some() { key.as_ref() } else { key.local_name().into_inner() };
        let value = unescape(&attribute.value).map_err(|_| unknown_entity())?.into_owned();
        attributes.push((name.to_owned(), value));
    }
    let name = tag.local_name().as_ref().to_owned();
    Ok(Element { name, attributes, ..Element::default() })
}

fn resolved(entity: &BytesRef<'_>) -> Result<char, Problem> {
    if let Ok(Some(c)) = entity.resolve_char_ref() {
        return Ok(c);
    }
    match &**entity {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => Err(unknown_entity()),
    }
}

fn unknown_entity() -> Problem {
    malformed(
        "只接受 XML 自带的实体；网页正文请放在 CDATA 中",
        "entities other than those of XML are not allowed; put a page in CDATA",
    )
}

fn broken(at: u64) -> Problem {
    malformed(&format!("第 {at} 字节处格式错误"), &format!("it is broken at byte {at}"))
}

fn malformed(chinese: &str, english: &str) -> Problem {
    Problem::new(Code::MalformedBody, format!("XML：{chinese}"), format!("XML: {english}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_has_texts_attributes_and_children() {
        let root = parse(
            "<?xml version='1.0'?><!-- x --><n:a xmlns:n='u' b='1&amp;2'>甲&lt;<![CDATA[<p>&amp;</p>]]><c/><c>&#20057;</c></n:a>",
        )
        .unwrap();
        assert_eq!((root.name.as_str(), root.text.as_str()), ("a", "甲<<p>&amp;</p>"));
        let attributes =
            [("xmlns:n", "u"), ("b", "1&2")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(root.attributes, attributes);
        assert_eq!(root.children.iter().map(|c| c.text.as_str()).collect::<Vec<_>>(), ["", "乙"]);
    }

    #[test]
    fn what_is_no_plain_document_is_refused() {
        let deep = "<a>".repeat(DEPTH_LIMIT + 1);
        let deeper = "<a>".repeat(1_000_000);
        let laughs = "<!DOCTYPE a [<!ENTITY b 'ha'><!ENTITY c '&b;&b;&b;'>]><a>&c;</a>";
        let wide: String = (0..=ATTRIBUTE_LIMIT).map(|n| format!(" a{n}=''")).collect();
        for text in [
            "",
            "text",
            "<a>",
            "</a>",
            "<a></b>",
            "<a/><b/>",
            "<a/>text",
            "<a b=c/>",
            "<a b='1' b='2'/>",
            "<a>&e;</a>",
            "<a>&nbsp;</a>",
            "<a>&#0;</a>",
            "<a>&#xd800;</a>",
            "<a b='&e;'/>",
            "<a><![CDATA[x</a>",
            "<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><a>&e;</a>",
            "<!DOCTYPE a SYSTEM 'http://127.0.0.1/x.dtd'><a/>",
            laughs,
            &deep,
            &deeper,
            &format!("<a{wide}/>"),
        ] {
            let head: String = text.chars().take(80).collect();
            assert_eq!(parse(text).map(|_| ()).unwrap_err().code, Code::MalformedBody, "{head}");
        }
        let fits = DEPTH_LIMIT;
        assert!(parse(&format!("{}{}", "<a>".repeat(fits), "</a>".repeat(fits))).is_ok());
    }

    #[test]
    fn the_number_of_elements_is_bounded() {
        let document = |elements: usize| format!("<a>{}</a>", "<b/>".repeat(elements - 1));
        assert!(parse(&document(VALUE_LIMIT)).is_ok());
        assert_eq!(parse(&document(VALUE_LIMIT + 1)).unwrap_err().code, Code::TooLarge);
    }
}
