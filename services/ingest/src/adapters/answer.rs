//! The answers of an adapter in the format of its sender: JSON or text, with names in braces for values.

use axum::{
    Json,
    response::{IntoResponse as _, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use super::settings::AdapterSettings;
use crate::{error::Problem, language::Language, receipt::ReceiptJson};

/// Names in the answer to an accepted call: members of the receipt.
const OF_RECEIPTS: [&str; 10] = [
    "submission_id",
    "state",
    "report",
    "revision",
    "trace_id",
    "status_url",
    "supersedes",
    "duplicate_of",
    "event_time",
    "received_at",
];
/// Names in the answer to a refused call: members of the problem.
const OF_PROBLEMS: [&str; 5] = ["code", "detail", "status", "retryable", "trace_id"];

/// The answers of one adapter.
#[derive(Debug)]
pub struct Answers {
    accepted: Option<AnswerTemplate>,
    accepted_status: StatusCode,
    refused: Option<AnswerTemplate>,
    refused_status: Option<StatusCode>,
}

/// The body of an answer.
#[derive(Debug)]
enum AnswerTemplate {
    Json(Value),
    Text { text: String, content_type: HeaderValue, is_markup: bool },
}

// === impl Answers ===

impl Answers {
    /// Reads the templates.
    ///
    /// # Errors
    /// A status is invalid, a template has an unknown name, or the content type is invalid. The error names the key.
    pub fn new(adapter: &str, settings: &AdapterSettings) -> anyhow::Result<Self> {
        let key = format!("ingest.adapters.{adapter}");
        let status = |member: &str, number: u16| {
            let status = StatusCode::from_u16(number).ok().filter(|_| (200..600).contains(&number));
            status.ok_or_else(|| anyhow::anyhow!("{key}.{member}: {number} is no status from 200 to 599"))
        };
        let template = |member: &str, template: &Option<Value>, names: &[&str]| {
            let Some(template) = template else { return Ok(None) };
            if let Some(unknown) = unknown_name(template, names) {
                anyhow::bail!("{key}.{member}: {{{unknown}}} is none of {}", names.join(", "));
            }
            AnswerTemplate::new(template, &settings.answer_type)
                .map(Some)
                .map_err(|error| error.context(format!("{key}.answer_type: \"{}\"", settings.answer_type)))
        };
        let refused_status = settings.refused_status.map(|number| status("refused_status", number));
        Ok(Self {
            accepted: template("accepted", &settings.accepted, &OF_RECEIPTS)?,
            accepted_status: status("accepted_status", settings.accepted_status)?,
            refused: template("refused", &settings.refused, &OF_PROBLEMS)?,
            refused_status: refused_status.transpose()?,
        })
    }

    /// Returns the answer to an accepted call.
    #[must_use]
    pub fn accepted(&self, receipt: &ReceiptJson) -> Response {
        let location = HeaderValue::from_str(receipt.status_url()).ok();
        let mut response = match &self.accepted {
            None => Json(receipt).into_response(),
            Some(template) => template.response(&json!(receipt)),
        };
        *response.status_mut() = self.accepted_status;
        if let Some(location) = location {
            response.headers_mut().insert(header::LOCATION, location);
        }
        response
    }

    /// Returns the answer to a refused call. A retryable problem keeps its status, so that the sender retries.
    #[must_use]
    pub fn refused(&self, problem: Problem, language: Language) -> Response {
        let status = self.refused_status.filter(|_| !problem.code.retryable());
        let members = json!({
            "code": problem.code.as_str(),
            "detail": match language {
                Language::Chinese => &problem.detail,
                Language::English => &problem.detail_en,
            },
            "status": status.unwrap_or(problem.code.status()).as_u16(),
            "retryable": problem.code.retryable(),
            "trace_id": gongkai_worker::trace::current_trace_id(),
        });
        let mut response = problem.into_response();
        if let Some(template) = &self.refused {
            let own = template.response(&members);
            // Retry-After and other headers of the problem stay.
            response.headers_mut().extend(own.headers().clone());
            response.headers_mut().remove(header::CONTENT_LENGTH);
            response.extensions_mut().clear();
            *response.body_mut() = own.into_body();
        }
        if let Some(status) = status {
            *response.status_mut() = status;
        }
        response
    }
}

// === impl AnswerTemplate ===

impl AnswerTemplate {
    fn new(template: &Value, content_type: &str) -> anyhow::Result<Self> {
        let Value::String(text) = template else { return Ok(Self::Json(template.clone())) };
        let essence = crate::cloudevent::essence(content_type);
        anyhow::ensure!(!essence.contains("json"), "write an answer in JSON as a table, not as a text");
        anyhow::ensure!(essence.contains('/'), "a content type is needed, such as application/xml");
        Ok(Self::Text {
            text: text.clone(),
            content_type: HeaderValue::from_str(content_type)?,
            is_markup: essence.ends_with("xml") || essence.ends_with("html"),
        })
    }

    /// Returns a response with the values of `members`.
    fn response(&self, members: &Value) -> Response {
        match self {
            Self::Json(template) => Json(filled(template, members)).into_response(),
            Self::Text { text, content_type, is_markup } => {
                let value = |name: &str| {
                    let value = text_of(&members[name]);
                    if *is_markup { quick_xml::escape::escape(value).into_owned() } else { value }
                };
                ([(header::CONTENT_TYPE, content_type.clone())], filled_text(text, value)).into_response()
            }
        }
    }
}

/// Returns the template with values for its names. A text that is a single name becomes the value itself.
fn filled(template: &Value, members: &Value) -> Value {
    match template {
        Value::String(text) => {
            let mut all = pieces(text);
            match (all.next(), all.next()) {
                (Some(TemplatePiece::Name(name)), None) => members[name].clone(),
                _ => Value::String(filled_text(text, |name| text_of(&members[name]))),
            }
        }
        Value::Array(items) => items.iter().map(|item| filled(item, members)).collect(),
        Value::Object(object) => {
            let object = object.iter().map(|(name, value)| (name.clone(), filled(value, members)));
            Value::Object(object.collect())
        }
        other => other.clone(),
    }
}

fn filled_text(text: &str, value: impl Fn(&str) -> String) -> String {
    let piece = |piece| match piece {
        TemplatePiece::Text(text) => text.to_owned(),
        TemplatePiece::Name(name) => value(name),
    };
    pieces(text).map(piece).collect()
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn unknown_name<'a>(template: &'a Value, known: &[&str]) -> Option<&'a str> {
    match template {
        Value::String(text) => pieces(text).find_map(|piece| match piece {
            TemplatePiece::Name(name) if !known.contains(&name) => Some(name),
            _ => None,
        }),
        Value::Array(items) => items.iter().find_map(|item| unknown_name(item, known)),
        Value::Object(members) => members.values().find_map(|value| unknown_name(value, known)),
        _ => None,
    }
}

enum TemplatePiece<'a> {
    Text(&'a str),
    Name(&'a str),
}

/// Splits a text at its names in braces. A brace that no name follows is text.
fn pieces(text: &str) -> impl Iterator<Item = TemplatePiece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let name = rest.strip_prefix('{').and_then(|inside| inside.split_once('}'));
        if let Some((name, after)) = name.filter(|(name, _)| is_name(name)) {
            rest = after;
            return Some(TemplatePiece::Name(name));
        }
        // The brace at the beginning, if there is one, is text.
        let end = rest.char_indices().skip(1).find(|(_, c)| *c == '{').map_or(rest.len(), |(at, _)| at);
        let (text, after) = rest.split_at(end);
        rest = after;
        Some(TemplatePiece::Text(text))
    })
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;
    use crate::error::Code;
    use gongkai_proto::v1::Receipt;

    fn settings() -> AdapterSettings {
        AdapterSettings {
            accepted: Some(
                json!({"code": 0, "data": {"id": "{submission_id}", "say": ["{} {state}!"], "none": "{report}"}}),
            ),
            accepted_status: 200,
            refused: Some(
                json!({"code": 1, "msg": "{code}: {detail}", "again": "{retryable}", "http": "{status}"}),
            ),
            refused_status: Some(200),
            ..AdapterSettings::default()
        }
    }

    fn receipt() -> ReceiptJson {
        Receipt { submission_id: "s-1".into(), status_url: "/s".into(), ..Receipt::default() }.into()
    }

    async fn text(response: Response) -> (u16, http::HeaderMap, String) {
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 10_000).await.unwrap();
        (parts.status.as_u16(), parts.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn read(response: Response) -> (u16, http::HeaderMap, Value) {
        let (status, headers, text) = text(response).await;
        (status, headers, serde_json::from_str(&text).unwrap())
    }

    #[tokio::test]
    async fn answers_have_the_shape_of_the_template() {
        let answers = Answers::new("oa", &settings()).unwrap();
        let (status, headers, json) = read(answers.accepted(&receipt())).await;
        assert_eq!((status, &headers["location"]), (200, &HeaderValue::from_static("/s")));
        assert_eq!(json, json!({"code": 0, "data": {"id": "s-1", "say": ["{} received!"], "none": null}}));
        let refusal =
            |code, language| answers.refused(Problem::new(code, "{state} “甲”", "{state} \"x\""), language);
        let (status, headers, json) = read(refusal(Code::NotYours, Language::English)).await;
        let expected = json!({"code": 1, "msg": "NOT_YOURS: {state} \"x\"", "again": false, "http": 200});
        assert_eq!((status, json), (200, expected));
        assert_eq!(headers["content-type"], "application/json");
        let (status, headers, json) = read(refusal(Code::BrokerUnavailable, Language::Chinese)).await;
        assert_eq!((status, &headers["retry-after"]), (503, &HeaderValue::from_static("5")));
        let expected =
            json!({"code": 1, "msg": "BROKER_UNAVAILABLE: {state} “甲”", "again": true, "http": 503});
        assert_eq!(json, expected);
    }

    #[tokio::test]
    async fn a_text_is_answered_as_its_type_and_escaped_in_xml() {
        let settings = |answer_type: &str| AdapterSettings {
            accepted: Some("success".into()),
            refused: Some("<r c='{code}'>{detail}</r>".into()),
            answer_type: answer_type.into(),
            ..AdapterSettings::default()
        };
        for (answer_type, said) in [
            ("text/xml; charset=utf-8", "&lt;b&gt; &amp; &apos;"),
            ("text/html", "&lt;b&gt; &amp; &apos;"),
            ("text/plain", "<b> & '"),
        ] {
            let answers = Answers::new("oa", &settings(answer_type)).unwrap();
            let problem = Problem::new(Code::Empty, "<b> & '", "x");
            let (status, headers, body) = text(answers.refused(problem, Language::Chinese)).await;
            assert_eq!((status, headers["content-type"].to_str().unwrap()), (422, answer_type));
            assert_eq!(body, format!("<r c='EMPTY'>{said}</r>"));
            assert_eq!(text(answers.accepted(&receipt())).await.2, "success");
        }
    }

    #[tokio::test]
    async fn without_templates_they_are_ours() {
        let answers = Answers::new("oa", &AdapterSettings::default()).unwrap();
        let (status, _, json) = read(answers.accepted(&receipt())).await;
        assert_eq!((status, &json["state"]), (202, &json!("received")));
        let problem = Problem::new(Code::Empty, "x", "x");
        let (status, headers, json) = read(answers.refused(problem, Language::Chinese)).await;
        assert_eq!((status, &json["code"]), (422, &json!("EMPTY")));
        assert_eq!(headers["content-type"], "application/problem+json");
    }

    #[test]
    fn names_in_braces_are_known_names() {
        let known = json!(receipt());
        for name in OF_RECEIPTS.into_iter().filter(|name| *name != "duplicate_of") {
            assert!(known.get(name).is_some(), "{name}");
        }
    }

    #[test]
    fn what_cannot_be_an_answer_is_a_mistake() {
        let broken = [
            (
                "accepted",
                AdapterSettings { accepted: Some(json!(["{detail}"])), ..AdapterSettings::default() },
            ),
            (
                "refused",
                AdapterSettings { refused: Some("{submission_id}".into()), ..AdapterSettings::default() },
            ),
            ("refused_status", AdapterSettings { refused_status: Some(42), ..AdapterSettings::default() }),
            ("accepted_status", AdapterSettings { accepted_status: 100, ..AdapterSettings::default() }),
        ];
        for (key, settings) in broken {
            let error = Answers::new("oa", &settings).unwrap_err().to_string();
            assert!(error.starts_with(&format!("ingest.adapters.oa.{key}: ")), "{error}");
        }
        for answer_type in ["application/json", "", "x", "text/xml\n"] {
            let settings = AdapterSettings {
                accepted: Some("ok".into()),
                answer_type: answer_type.into(),
                ..AdapterSettings::default()
            };
            let error = Answers::new("oa", &settings).unwrap_err().to_string();
            assert!(error.starts_with("ingest.adapters.oa.answer_type: "), "{error}");
        }
    }
}
