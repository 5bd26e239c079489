//! Decodes the body of a call to an adapter, and looks up places in it.
//!
//! A place is a JSON pointer (RFC 6901) in JSON, the name of a field in a form, and a path of elements in XML: `/a/b`,
//! with `@c` at its end for an attribute. Places of an attachment start at the attachment; the empty place is the
//! attachment itself. A place that fits several values is an error, never a choice.

use std::borrow::Cow;

use encoding_rs::{Encoding, REPLACEMENT};
use percent_encoding::percent_decode;
use serde_json::Value;

use super::{
    json,
    settings::BodyForm,
    value_limit::{VALUE_LIMIT, too_many},
    xml::{self, Element},
};
use crate::{
    cloudevent,
    error::{Code, Problem},
};

/// A decoded body.
#[derive(Debug)]
pub(super) enum Body {
    Json(Value),
    Form(Vec<(String, String)>),
    Xml(Element),
}

/// A body, or an attachment in it.
#[derive(Debug, Clone, Copy)]
pub(super) enum FieldSource<'a> {
    Json(&'a Value),
    Form(&'a [(String, String)]),
    /// One value of a form's field.
    Value(&'a str),
    /// A document with this root.
    Document(&'a Element),
    /// An element in it.
    Element(&'a Element),
}

/// Why there is no text at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoText {
    /// A list or an object.
    Compound,
    /// A fraction, or a number over 64 bits. As text it would not be the number that was sent.
    Inexact,
    /// The place fits several values.
    Several,
    /// An element with elements in it.
    Markup,
}

/// Reads the name of a charset.
pub(super) fn charset(name: &str) -> Option<&'static Encoding> {
    Encoding::for_label(name.as_bytes()).filter(|charset| *charset != REPLACEMENT)
}

// === impl Body ===

impl Body {
    /// Decodes a body. The charset is that of the content type, else that of the XML declaration, else `charset`.
    ///
    /// # Errors
    /// `MALFORMED_JSON`, `MALFORMED_BODY`, `TOO_LARGE`; `INVALID_FIELD` for an unknown charset; `UNSUPPORTED_MEDIA_TYPE`.
    pub(super) fn decode(
        form: BodyForm,
        charset: &'static Encoding,
        content_type: &str,
        bytes: &[u8],
    ) -> Result<Self, Problem> {
        if cloudevent::essence(content_type).starts_with("multipart/") {
            return Err(Problem::new(
                Code::UnsupportedMediaType,
                "适配器不接受 multipart 正文；文件请以 base64 放在字段中",
                "adapters take no multipart bodies; send files as fields in base64",
            ));
        }
        let charset = named(cloudevent::parameter(content_type, "charset"))?.unwrap_or(charset);
        match form {
            BodyForm::Json => json::parse(&document(charset, bytes)?).map(Self::Json),
            BodyForm::Form => pairs(charset, bytes).map(Self::Form),
            BodyForm::Xml => {
                let has_named = cloudevent::parameter(content_type, "charset").is_some();
                let declared = if has_named { None } else { named(declared_charset(bytes))? };
                xml::parse(&document(declared.unwrap_or(charset), bytes)?).map(Self::Xml)
            }
        }
    }

    /// Returns the whole body as a place to look in.
    pub(super) fn source(&self) -> FieldSource<'_> {
        match self {
            Self::Json(json) => FieldSource::Json(json),
            Self::Form(pairs) => FieldSource::Form(pairs),
            Self::Xml(root) => FieldSource::Document(root),
        }
    }
}

// === impl FieldSource ===

impl<'a> FieldSource<'a> {
    /// Returns the text at a place; `None` if there is none.
    pub(super) fn text(self, place: &str) -> Result<Option<Cow<'a, str>>, NoText> {
        match self {
            Self::Json(json) => json.pointer(place).map_or(Ok(None), json_text),
            Self::Form(pairs) => {
                let values = pairs.iter().filter(|(name, _)| name == place);
                only(values.map(|(_, value)| Cow::Borrowed(value.as_str())))
            }
            Self::Value(text) => Ok(place.is_empty().then_some(Cow::Borrowed(text))),
            Self::Document(_) | Self::Element(_) => {
                let (path, attribute) = match place.rsplit_once('@') {
                    Some((path, name)) => (path, Some(name)),
                    None => (place, None),
                };
                let Some(element) = only(self.elements(path).into_iter())? else { return Ok(None) };
                match attribute {
                    Some(name) => {
                        let values = element.attributes.iter().filter(|(own, _)| own == name);
                        only(values.map(|(_, value)| Cow::Borrowed(value.as_str())))
                    }
                    None if element.children.is_empty() => Ok(Some(Cow::Borrowed(&element.text))),
                    None => Err(NoText::Markup),
                }
            }
        }
    }

    /// Returns the items at a place: those of a list, the values of a repeated field, or all elements of a path.
    pub(super) fn items(self, place: &str) -> Vec<FieldSource<'a>> {
        match self {
            Self::Json(json) => match json.pointer(place) {
                Some(Value::Array(items)) => items.iter().map(FieldSource::Json).collect(),
                None | Some(Value::Null) => Vec::new(),
                Some(one) => vec![FieldSource::Json(one)],
            },
            Self::Form(pairs) => {
                let values = pairs.iter().filter(|(name, _)| name == place);
                values.map(|(_, value)| FieldSource::Value(value)).collect()
            }
            Self::Value(_) => Vec::new(),
            Self::Document(_) | Self::Element(_) => {
                self.elements(place).into_iter().map(FieldSource::Element).collect()
            }
        }
    }

    fn elements(self, path: &str) -> Vec<&'a Element> {
        let mut names = path.split('/').filter(|name| !name.is_empty());
        let mut found = match self {
            // The path in a document starts with the root.
            Self::Document(root) if names.next() == Some(root.name.as_str()) => vec![root],
            Self::Element(element) => vec![element],
            _ => Vec::new(),
        };
        for name in names {
            found =
                found.into_iter().flat_map(|element| &element.children).filter(|c| c.name == name).collect();
        }
        found
    }
}

fn json_text(value: &Value) -> Result<Option<Cow<'_, str>>, NoText> {
    Ok(Some(match value {
        Value::Null => return Ok(None),
        Value::String(text) => Cow::Borrowed(text.as_str()),
        Value::Bool(flag) => Cow::Borrowed(if *flag { "true" } else { "false" }),
        Value::Number(number) if number.is_i64() || number.is_u64() => Cow::Owned(number.to_string()),
        Value::Number(_) => return Err(NoText::Inexact),
        Value::Array(_) | Value::Object(_) => return Err(NoText::Compound),
    }))
}

fn only<T>(mut all: impl Iterator<Item = T>) -> Result<Option<T>, NoText> {
    let first = all.next();
    if all.next().is_some() { Err(NoText::Several) } else { Ok(first) }
}

/// Decodes `application/x-www-form-urlencoded`, whose names and values are in `charset` before they are percent-encoded.
fn pairs(charset: &'static Encoding, bytes: &[u8]) -> Result<Vec<(String, String)>, Problem> {
    let decoded = |part: &[u8]| {
        let spaced: Vec<u8> = part.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
        let bytes = Cow::from(percent_decode(&spaced));
        let text = charset.decode_without_bom_handling_and_without_replacement(&bytes);
        text.map(Cow::into_owned).ok_or_else(|| not_in(charset))
    };
    let mut pairs = Vec::new();
    for pair in bytes.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        if pairs.len() == VALUE_LIMIT {
            return Err(too_many());
        }
        let mut parts = pair.splitn(2, |byte| *byte == b'=');
        let (name, value) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        pairs.push((decoded(name)?, decoded(value)?));
    }
    Ok(pairs)
}

/// Decodes a document. Its byte order mark overrides `charset`.
fn document(charset: &'static Encoding, bytes: &[u8]) -> Result<String, Problem> {
    let (text, charset, has_errors) = charset.decode(bytes);
    if has_errors { Err(not_in(charset)) } else { Ok(text.into_owned()) }
}

fn not_in(charset: &'static Encoding) -> Problem {
    let name = charset.name();
    Problem::new(
        Code::MalformedBody,
        format!("正文不是 {name} 编码；请在 Content-Type 中写明 charset"),
        format!("the body is not {name}; name its charset in Content-Type"),
    )
}

fn named(name: Option<String>) -> Result<Option<&'static Encoding>, Problem> {
    let Some(name) = name else { return Ok(None) };
    let known = charset(&name);
    let unknown = || Problem::invalid("charset", &name, "须是已知的字符集", "must be a known one");
    known.ok_or_else(unknown).map(Some)
}

/// Returns the encoding of an XML declaration.
fn declared_charset(bytes: &[u8]) -> Option<String> {
    let head: String = bytes.iter().take(200).map(|byte| char::from(*byte)).collect();
    let declaration = head.strip_prefix("<?xml")?.split("?>").next()?.to_owned();
    let value = declaration.split("encoding").nth(1)?.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value[1..].split(quote).next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use encoding_rs::{GB18030, UTF_8};

    use super::*;

    fn decode(form: BodyForm, content_type: &str, bytes: impl AsRef<[u8]>) -> Result<Body, Problem> {
        Body::decode(form, UTF_8, content_type, bytes.as_ref())
    }

    #[test]
    fn pointers_follow_rfc_6901() {
        let json = r#"{"a/b":{"m~n":[{"x":1},{"x":null}]},"":"empty","t":true,"big":1e300,"0.5":0.5}"#;
        let body = decode(BodyForm::Json, "", json).unwrap();
        let text = |place: &str| body.source().text(place).map(|text| text.map(Cow::into_owned));
        assert_eq!(text("/a~1b/m~0n/0/x").unwrap().as_deref(), Some("1"));
        assert_eq!(text("/").unwrap().as_deref(), Some("empty"));
        assert_eq!(text("/t").unwrap().as_deref(), Some("true"));
        for nothing in ["/a~1b/m~0n/1/x", "/none", "/t/x", "/a~1b/m~0n/00/x", "/a~1b/m~0n/-", "/a~1b/m~0n/9"]
        {
            assert_eq!(text(nothing).unwrap(), None, "{nothing}");
        }
        for compound in ["", "/a~1b", "/a~1b/m~0n"] {
            assert_eq!(text(compound), Err(NoText::Compound), "{compound}");
        }
        assert_eq!((text("/big"), text("/0.5")), (Err(NoText::Inexact), Err(NoText::Inexact)));
        assert_eq!(body.source().items("/a~1b/m~0n").len(), 2);
        // Two ids that are not the same must not become one.
        let ids = decode(BodyForm::Json, "", "[12345678901234567890123, 12345678901234567890124]").unwrap();
        assert_eq!(ids.source().text("/0"), Err(NoText::Inexact));
    }

    #[test]
    fn forms_have_fields() {
        let form = decode(BodyForm::Form, "", "t=%E7%94%B2+b&f=1&f=2&&e&x==%3D").unwrap();
        assert_eq!(form.source().text("t").unwrap().as_deref(), Some("甲 b"));
        assert_eq!(
            (form.source().text("e").unwrap().as_deref(), form.source().text("none")),
            (Some(""), Ok(None))
        );
        assert_eq!(form.source().text("x").unwrap().as_deref(), Some("=="));
        assert_eq!(form.source().text("f"), Err(NoText::Several));
        let items: Vec<_> = form.source().items("f").iter().map(|f| f.text("").unwrap().unwrap()).collect();
        assert_eq!(items, ["1", "2"]);
        let many = "a&".repeat(VALUE_LIMIT + 1);
        assert_eq!(decode(BodyForm::Form, "", many).unwrap_err().code, Code::TooLarge);
    }

    #[test]
    fn xml_has_paths() {
        let text =
            "<d i='7' xmlns:n='u'><f n='a'><b>x</b></f><f n='c'/><h>1<b>2</b></h><p:k>1</p:k><k>2</k></d>";
        let xml = decode(BodyForm::Xml, "", text).unwrap();
        let text = |place: &str| xml.source().text(place).map(|text| text.map(Cow::into_owned));
        assert_eq!(text("/d/@i").unwrap().as_deref(), Some("7"));
        assert_eq!((text("/other/@i"), text("/d/none"), text("/d/@n")), (Ok(None), Ok(None), Ok(None)));
        assert_eq!((text("/d/h"), text("/d/f/@n")), (Err(NoText::Markup), Err(NoText::Several)));
        assert_eq!(text("/d/k"), Err(NoText::Several), "in two namespaces");
        let files = xml.source().items("/d/f");
        assert_eq!(files[1].text("@n").unwrap().as_deref(), Some("c"));
        assert_eq!(files[0].text("b").unwrap().as_deref(), Some("x"));
        assert_eq!(files[1].text("").unwrap().as_deref(), Some(""));
    }

    #[test]
    fn a_charset_is_taken_from_the_type_or_the_declaration() {
        let text = |form, content_type: &str, bytes: &[u8], place: &str| {
            let body = decode(form, content_type, bytes)?;
            Ok::<_, Problem>(body.source().text(place).unwrap().unwrap().into_owned())
        };
        let (gb2312, gb18030) =
            (b"<?xml version=\"1.0\" encoding = 'GB2312'?><a>\xc4\xea\xb1\xa8</a>", b"\"\x95\x32\x90\x31\"");
        assert_eq!(text(BodyForm::Xml, "text/xml", gb2312, "/a").unwrap(), "年报");
        assert_eq!(
            text(BodyForm::Json, "application/json; charset=GB18030", gb18030, "").unwrap(),
            "\u{20087}"
        );
        let form = "application/x-www-form-urlencoded; charset=gbk";
        assert_eq!(text(BodyForm::Form, form, b"a=%C4%EA%B1%A8", "a").unwrap(), "年报");
        assert_eq!(text(BodyForm::Form, form, b"%C4%EA=\xb1\xa8", "年").unwrap(), "报");
        assert_eq!(text(BodyForm::Json, "", b"\xef\xbb\xbf\"a\"", "").unwrap(), "a");
        let by_default = Body::decode(BodyForm::Form, GB18030, "", b"a=%C4%EA").unwrap();
        assert_eq!(by_default.source().text("a").unwrap().as_deref(), Some("年"));
    }

    #[test]
    fn a_wrong_or_unknown_charset_is_refused() {
        let code =
            |form, content_type: &str, bytes: &[u8]| decode(form, content_type, bytes).unwrap_err().code;
        assert_eq!(code(BodyForm::Json, "", b"\"\xc4\xea\""), Code::MalformedBody);
        assert_eq!(code(BodyForm::Form, "", b"a=%C4%EA"), Code::MalformedBody);
        assert_eq!(code(BodyForm::Form, "x/y; charset=GBK", b"a=%ff%ff"), Code::MalformedBody);
        // A byte order mark inside of a value changes no charset.
        assert_eq!(code(BodyForm::Form, "", b"a=%fe%ff%00a"), Code::MalformedBody);
        for unknown in ["klingon", "", "\"", "hz-gb-2312", "utf-7"] {
            let content_type = format!("application/json; charset={unknown}");
            assert_eq!(code(BodyForm::Json, &content_type, b"{}"), Code::InvalidField, "{unknown}");
        }
        assert_eq!(
            code(BodyForm::Xml, "", b"<?xml version='1.0' encoding='klingon'?><a/>"),
            Code::InvalidField
        );
        assert_eq!(code(BodyForm::Form, "multipart/form-data; boundary=x", b""), Code::UnsupportedMediaType);
    }
}
