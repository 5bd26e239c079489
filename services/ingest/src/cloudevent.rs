//! CloudEvents 1.0 over HTTP: structured, batch and binary mode to [`CloudEvent`].
//!
//! This module decodes the envelope; [`crate::publication`] interprets the data. A request without an
//! `application/cloudevents…` content type is treated as binary mode, so if it has no `ce-` header the error names
//! the missing attribute.

use std::collections::BTreeMap;

use base64::Engine as _;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};
use time::OffsetDateTime;

use crate::{
    error::{Code, Problem, quote},
    times,
};

/// Maximum number of events in a batch.
pub const BATCH_LIMIT: usize = 100;
/// Maximum length of an attribute, in bytes.
const ATTRIBUTE_LIMIT: usize = 4096;

#[derive(Debug, Clone, PartialEq)]
pub struct CloudEvent {
    /// Id of the event, unique within its source.
    pub id: String,
    /// The site's URI.
    pub source: String,
    /// Type of the event, such as `gongkai.report.published.v1`.
    pub r#type: String,
    /// The article's URL.
    pub subject: Option<String>,
    pub time: Option<OffsetDateTime>,
    /// Extension attributes, by lower-case name.
    pub extensions: BTreeMap<String, String>,
    pub data: EventData,
}

#[derive(Debug, Clone, PartialEq)]
pub enum EventData {
    None,
    Json(Value),
    /// Data that is not JSON: the document itself, and its content type.
    Document(Bytes, String),
}

/// The events of a request. A single event and a batch have different responses.
#[derive(Debug, Clone, PartialEq)]
pub enum DecodedEvents {
    /// Structured or binary mode.
    One(CloudEvent),
    /// Each event, or why it cannot be decoded.
    Batch(Vec<Result<CloudEvent, Problem>>),
}

/// The context attributes of CloudEvents. All other attributes are extensions.
const CONTEXT: [&str; 8] =
    ["id", "source", "specversion", "type", "subject", "time", "datacontenttype", "dataschema"];

/// Decodes the events of a request.
///
/// # Errors
/// The event, or the batch as a whole, cannot be decoded.
pub fn decode(headers: &HeaderMap, body: &Bytes) -> Result<DecodedEvents, Problem> {
    let content_type = content_type(headers)?;
    match essence(&content_type).as_str() {
        "application/cloudevents+json" => Ok(DecodedEvents::One(structured(parse_json(body)?)?)),
        "application/cloudevents-batch+json" => batch(parse_json(body)?).map(DecodedEvents::Batch),
        other if other.starts_with("application/cloudevents") => Err(Problem::new(
            Code::UnsupportedMediaType,
            format!(
                "事件须是 application/cloudevents+json、application/cloudevents-batch+json 或二进制模式，不能是 {}",
                quote(other)
            ),
            format!(
                "events come as application/cloudevents+json, application/cloudevents-batch+json or in binary mode, not as {}",
                quote(other)
            ),
        )),
        _ => binary(headers, &content_type, body).map(DecodedEvents::One),
    }
}

/// Returns true if the event's attributes are headers of the request.
#[must_use]
pub fn is_binary(headers: &HeaderMap) -> bool {
    let content_type =
        headers.get(header::CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
    !essence(content_type.as_deref().unwrap_or_default()).starts_with("application/cloudevents")
}

/// Returns the content type of a request, or an empty string.
///
/// # Errors
/// `INVALID_FIELD`: the header is not UTF-8.
pub fn content_type(headers: &HeaderMap) -> Result<String, Problem> {
    let value = headers.get(header::CONTENT_TYPE).map_or(b"".as_slice(), HeaderValue::as_bytes);
    Ok(std::str::from_utf8(value).map_err(|_| Problem::not_utf8("content-type"))?.to_owned())
}

/// Returns the media type without its parameters, in lower case.
#[must_use]
pub fn essence(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Returns a parameter of a content type, such as `charset`.
#[must_use]
pub fn parameter(content_type: &str, name: &str) -> Option<String> {
    content_type.split(';').skip(1).find_map(|part| {
        let (key, value) = part.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"').to_owned())
    })
}

/// Decodes base64 with or without padding and line breaks.
///
/// # Errors
/// `BAD_BASE64`.
pub fn base64(field: &str, text: &str) -> Result<Bytes, Problem> {
    const LENIENT: base64::engine::GeneralPurpose = base64::engine::GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        base64::engine::GeneralPurposeConfig::new()
            .with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent),
    );
    let dense: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    match LENIENT.decode(dense) {
        Ok(bytes) => Ok(bytes.into()),
        Err(_) => Err(Problem::new(
            Code::BadBase64,
            format!("{field} 不是 base64"),
            format!("{field} is no base64"),
        )),
    }
}

fn parse_json(body: &[u8]) -> Result<Value, Problem> {
    let text = std::str::from_utf8(body).map_err(|error| {
        let at = error.valid_up_to();
        Problem::new(
            Code::MalformedJson,
            format!("JSON 须是 UTF-8 编码，第 {at} 字节起不是；请转换编码后再发送"),
            format!("JSON must be UTF-8, which it is not from byte {at} on"),
        )
    })?;
    serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Problem::new(
            Code::MalformedJson,
            format!("第 {line} 行第 {column} 列处不是合法的 JSON"),
            format!("no JSON at line {line} column {column}"),
        )
    })
}

fn batch(json: Value) -> Result<Vec<Result<CloudEvent, Problem>>, Problem> {
    let Value::Array(events) = json else {
        return Err(Problem::new(
            Code::InvalidField,
            "批量须是事件的 JSON 数组",
            "a batch is a JSON array of events",
        ));
    };
    if events.len() > BATCH_LIMIT {
        return Err(Problem::new(
            Code::TooLarge,
            format!("一批 {} 个事件，最多 {BATCH_LIMIT} 个；请分批发送", events.len()),
            format!("{} events in one batch, at most {BATCH_LIMIT}", events.len()),
        ));
    }
    Ok(events.into_iter().map(structured).collect())
}

fn structured(json: Value) -> Result<CloudEvent, Problem> {
    let Value::Object(mut members) = json else {
        return Err(Problem::new(Code::InvalidField, "事件须是 JSON 对象", "an event is a JSON object"));
    };
    let data = members.remove("data");
    let data_base64 = members.remove("data_base64");
    let attributes = text_attributes(members)?;
    let content_type = attributes.get("datacontenttype").cloned().unwrap_or_default();
    let data = match (data, data_base64) {
        (Some(_), Some(_)) => {
            return Err(Problem::new(
                Code::AmbiguousContent,
                "data 与 data_base64 只能有一个",
                "data and data_base64 exclude each other",
            ));
        }
        (None | Some(Value::Null), None) => EventData::None,
        (None, Some(Value::String(text))) => data_of_bytes(&content_type, base64("data_base64", &text)?)?,
        (None, Some(_)) => {
            return Err(Problem::new(
                Code::BadBase64,
                "data_base64 须是字符串",
                "data_base64 must be a string",
            ));
        }
        (Some(Value::String(text)), None) if !is_json(&content_type) => {
            // A JSON string is UTF-8, whatever encoding the document had before.
            let content_type = format!("{}; charset=utf-8", essence(&content_type));
            EventData::Document(text.into(), content_type)
        }
        (Some(json), None) => EventData::Json(json),
    };
    event(attributes, data)
}

/// Converts attributes to strings. JSON allows numbers and booleans for extensions.
fn text_attributes(members: Map<String, Value>) -> Result<BTreeMap<String, String>, Problem> {
    let mut attributes = BTreeMap::new();
    for (name, value) in members {
        let text = match value {
            Value::Null => continue,
            Value::String(text) => text,
            Value::Number(number) if !CONTEXT.contains(&name.as_str()) => number.to_string(),
            Value::Bool(flag) if !CONTEXT.contains(&name.as_str()) => flag.to_string(),
            _ => {
                return Err(Problem::new(
                    Code::InvalidField,
                    format!("属性 {} 须是字符串", quote(&name)),
                    format!("attribute {} must be a string", quote(&name)),
                ));
            }
        };
        attributes.insert(name, text);
    }
    Ok(attributes)
}

fn binary(headers: &HeaderMap, content_type: &str, body: &Bytes) -> Result<CloudEvent, Problem> {
    let mut attributes = BTreeMap::new();
    for (name, value) in headers {
        if let Some(attribute) = name.as_str().strip_prefix("ce-") {
            attributes.insert(attribute.to_owned(), header_text(name.as_str(), value.as_bytes())?);
        }
    }
    let data = if body.is_empty() && (content_type.is_empty() || is_json(content_type)) {
        EventData::None
    } else {
        data_of_bytes(content_type, body.clone())?
    };
    event(attributes, data)
}

/// Decodes a header's value by the rules of the HTTP binding: quotes are removed, then percent-encoding is decoded.
fn header_text(name: &str, value: &[u8]) -> Result<String, Problem> {
    let text = std::str::from_utf8(value).map_err(|_| Problem::not_utf8(name))?;
    let bare = match text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(quoted) => unescape(quoted),
        None => text.to_owned(),
    };
    Ok(percent_decode_str(&bare).decode_utf8().map_err(|_| Problem::not_utf8(name))?.into_owned())
}

fn unescape(quoted: &str) -> String {
    let mut text = String::with_capacity(quoted.len());
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        text.push(if c == '\\' { chars.next().unwrap_or(c) } else { c });
    }
    text
}

fn is_json(content_type: &str) -> bool {
    let essence = essence(content_type);
    essence.is_empty() || essence == "application/json" || essence.ends_with("+json")
}

fn data_of_bytes(content_type: &str, bytes: Bytes) -> Result<EventData, Problem> {
    if is_json(content_type) {
        return Ok(EventData::Json(parse_json(&bytes)?));
    }
    Ok(EventData::Document(bytes, content_type.to_owned()))
}

fn event(mut attributes: BTreeMap<String, String>, data: EventData) -> Result<CloudEvent, Problem> {
    if let Some((name, _)) = attributes.iter().find(|(_, value)| value.len() > ATTRIBUTE_LIMIT) {
        return Err(Problem::new(
            Code::InvalidField,
            format!("属性 {} 超过 {ATTRIBUTE_LIMIT} 字节", quote(name)),
            format!("attribute {} is over {ATTRIBUTE_LIMIT} bytes", quote(name)),
        ));
    }
    let specversion = required(&mut attributes, "specversion")?;
    if specversion != "1.0" {
        return Err(Problem::new(
            Code::UnsupportedSpecversion,
            format!("specversion 须是 1.0，收到的是“{}”", quote(&specversion)),
            format!("specversion must be 1.0, got \"{}\"", quote(&specversion)),
        ));
    }
    let time = attributes.remove("time").map(|text| times::time("time", &text)).transpose()?;
    let event = CloudEvent {
        id: required(&mut attributes, "id")?,
        source: required(&mut attributes, "source")?,
        r#type: required(&mut attributes, "type")?,
        subject: attributes.remove("subject").filter(|subject| !subject.is_empty()),
        time,
        extensions: BTreeMap::new(),
        data,
    };
    attributes.retain(|name, _| !CONTEXT.contains(&name.as_str()));
    Ok(CloudEvent { extensions: attributes, ..event })
}

fn required(attributes: &mut BTreeMap<String, String>, name: &str) -> Result<String, Problem> {
    let value = attributes.remove(name).filter(|value| !value.trim().is_empty());
    value.ok_or_else(|| {
        Problem::new(
            Code::MissingAttribute,
            format!("缺少属性 {name}，或为空"),
            format!("attribute {name} is missing or empty"),
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(k, v)| {
                (k.parse::<http::HeaderName>().unwrap(), http::HeaderValue::from_bytes(v.as_bytes()).unwrap())
            })
            .collect()
    }

    const STRUCTURED: (&str, &str) = ("content-type", "application/cloudevents+json; charset=utf-8");
    const BINARY: [(&str, &str); 4] = [
        ("ce-specversion", "1.0"),
        ("ce-id", "7"),
        ("ce-source", "https://www.example.gov.cn"),
        ("ce-type", "t"),
    ];

    fn one(headers: &HeaderMap, body: impl Into<Bytes>) -> Result<CloudEvent, Problem> {
        match decode(headers, &body.into())? {
            DecodedEvents::One(event) => Ok(event),
            DecodedEvents::Batch(_) => panic!("one event was sent"),
        }
    }

    #[test]
    fn the_three_modes_give_the_same_event() {
        let json = json!({"specversion": "1.0", "id": "7", "source": "https://www.example.gov.cn", "type": "t",
            "subject": "https://www.example.gov.cn/a", "sitecode": "3609820001", "data": {"year": 2023}});
        let structured = one(&headers(&[STRUCTURED]), json.to_string()).unwrap();
        let batch = headers(&[("content-type", "application/cloudevents-batch+json")]);
        let batched = decode(&batch, &json!([json]).to_string().into()).unwrap();
        assert_eq!(batched, DecodedEvents::Batch(vec![Ok(structured.clone())]));
        let mut pairs = BINARY.to_vec();
        pairs.extend([
            ("ce-subject", "https://www.example.gov.cn/a"),
            ("ce-sitecode", "3609820001"),
            ("content-type", "application/json"),
        ]);
        assert_eq!(one(&headers(&pairs), r#"{"year":2023}"#).unwrap(), structured);
    }

    #[test]
    fn binary_headers_are_unquoted_and_percent_decoded() {
        let mut pairs = BINARY.to_vec();
        pairs.extend([
            ("ce-agencyname", "%E9%B9%BF%E6%B1%9F"),
            ("ce-sitecode", r#""36\"1""#),
            ("content-type", "text/html; charset=gbk"),
        ]);
        let event = one(&headers(&pairs), "<html>").unwrap();
        assert_eq!(event.extensions["agencyname"], "鹿江");
        assert_eq!(event.extensions["sitecode"], "36\"1");
        assert_eq!(event.data, EventData::Document("<html>".into(), "text/html; charset=gbk".into()));
    }

    #[test]
    fn structured_events_may_carry_the_document_itself() {
        let mut json = json!({"specversion": "1.0", "id": "7", "source": "s", "type": "t",
            "datacontenttype": "text/html", "data": "<p>年报</p>"});
        let event = one(&headers(&[STRUCTURED]), json.to_string()).unwrap();
        assert_eq!(event.data, EventData::Document("<p>年报</p>".into(), "text/html; charset=utf-8".into()));
        json.as_object_mut().unwrap().remove("data");
        json["data_base64"] = "/v8=".into();
        let event = one(&headers(&[STRUCTURED]), json.to_string()).unwrap();
        assert_eq!(event.data, EventData::Document(Bytes::from_static(b"\xfe\xff"), "text/html".into()));
    }

    #[test]
    fn broken_envelopes_are_told_apart() {
        let good = json!({"specversion": "1.0", "id": "7", "source": "s", "type": "t"});
        let with = |name: &str, value: Value| {
            let mut event = good.clone();
            event[name] = value;
            event.to_string()
        };
        let cases = [
            ("{".to_owned(), Code::MalformedJson),
            ("[]".to_owned(), Code::InvalidField),
            (with("id", "".into()), Code::MissingAttribute),
            (with("source", Value::Null), Code::MissingAttribute),
            (with("type", Value::Null), Code::MissingAttribute),
            (with("specversion", Value::Null), Code::MissingAttribute),
            (with("specversion", "0.3".into()), Code::UnsupportedSpecversion),
            (with("id", 7.into()), Code::InvalidField),
            (with("time", "yesterday".into()), Code::InvalidField),
            (with("source", "s".repeat(5000).into()), Code::InvalidField),
            (with("data_base64", "?".into()), Code::BadBase64),
            (with("data_base64", 7.into()), Code::BadBase64),
        ];
        for (body, code) in cases {
            assert_eq!(one(&headers(&[STRUCTURED]), body.clone()).unwrap_err().code, code, "{body}");
        }
        let none = HeaderMap::new();
        assert_eq!(one(&none, "x").unwrap_err().code, Code::MalformedJson);
        assert_eq!(one(&none, "").unwrap_err().code, Code::MissingAttribute);
        let avro = headers(&[("content-type", "application/cloudevents+avro")]);
        assert_eq!(one(&avro, "x").unwrap_err().code, Code::UnsupportedMediaType);
        let mut pairs = BINARY.to_vec();
        pairs.push(("ce-subject", "%ff"));
        assert_eq!(one(&headers(&pairs), "").unwrap_err().code, Code::InvalidField);
    }

    #[test]
    fn a_header_is_utf8_encoded_or_not() {
        let subject = |value: &[u8]| {
            let mut headers = headers(&BINARY);
            headers.insert("ce-subject", HeaderValue::from_bytes(value).unwrap());
            one(&headers, "").map(|event| event.subject.unwrap())
        };
        assert_eq!(subject("年报".as_bytes()).unwrap(), "年报");
        assert_eq!(subject(b"%E5%B9%B4%E6%8A%A5").unwrap(), "年报");
        assert_eq!(subject(b"100%").unwrap(), "100%");
        let latin = subject(b"caf\xe9").unwrap_err();
        assert_eq!(latin.code, Code::InvalidField);
        assert!(latin.detail.contains("ce-subject") && latin.detail_en.contains("ce-subject"), "{latin:?}");
        let mut typed = headers(&BINARY);
        typed.insert("content-type", HeaderValue::from_bytes(b"text/html; x=\xc4\xea").unwrap());
        assert!(one(&typed, "x").unwrap_err().detail.contains("content-type"));
    }

    #[test]
    fn a_batch_names_its_broken_event_and_is_bounded() {
        let batch = headers(&[("content-type", "application/cloudevents-batch+json")]);
        let good = json!({"specversion": "1.0", "id": "7", "source": "s", "type": "t"});
        let DecodedEvents::Batch(events) = decode(&batch, &json!([good, {}]).to_string().into()).unwrap()
        else {
            panic!("a batch was sent")
        };
        assert_eq!(events[1].as_ref().unwrap_err().code, Code::MissingAttribute);
        assert!(events[0].is_ok());
        let many = vec![good; BATCH_LIMIT + 1];
        assert_eq!(decode(&batch, &json!(many).to_string().into()).unwrap_err().code, Code::TooLarge);
    }

    #[test]
    fn base64_may_be_wrapped_and_unpadded() {
        assert_eq!(base64("x", "YWJ\r\nj ZA").unwrap(), "abcd");
    }
}
