//! The payload of a message as JSON, with personal data masked.

use std::sync::LazyLock;

use gongkai_model::personal::masked;
use gongkai_proto::{FILE_DESCRIPTOR_SET, event::message_name};
use prost::bytes::Bytes;
use prost_reflect::{DescriptorPool, DynamicMessage, Kind, ReflectMessage as _, Value};
use serde_json::{Map, Value as Json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(FILE_DESCRIPTOR_SET).expect("a test compares the descriptors with their sources")
});

const TIMESTAMP: &str = "google.protobuf.Timestamp";

/// Returns the payload of a message on a subject, or `None` if the subject is unknown or the payload is another message.
#[must_use]
pub fn shown(subject: &str, payload: Bytes) -> Option<Json> {
    let descriptor = POOL.get_message_by_name(message_name(subject)?)?;
    let message = DynamicMessage::decode(descriptor, payload).ok()?;
    Some(object(&message))
}

fn object(message: &DynamicMessage) -> Json {
    let field = |(field, value): (prost_reflect::FieldDescriptor, &Value)| {
        (field.name().to_owned(), json(value, &field.kind()))
    };
    Json::Object(message.fields().map(field).collect::<Map<_, _>>())
}

fn json(value: &Value, kind: &Kind) -> Json {
    match value {
        Value::Bool(value) => Json::from(*value),
        Value::I32(value) => Json::from(*value),
        Value::I64(value) => Json::from(*value),
        Value::U32(value) => Json::from(*value),
        Value::U64(value) => Json::from(*value),
        Value::F32(value) => Json::from(*value),
        Value::F64(value) => Json::from(*value),
        Value::String(text) => Json::from(masked(text)),
        // The bytes may contain personal data, which cannot be recognised in them.
        Value::Bytes(bytes) => Json::from(format!("{} bytes", bytes.len())),
        Value::EnumNumber(number) => enum_name(*number, kind),
        Value::Message(message) => time(message).unwrap_or_else(|| object(message)),
        Value::List(values) => values.iter().map(|value| json(value, kind)).collect(),
        // Our messages have no maps.
        Value::Map(_) => Json::Null,
    }
}

fn enum_name(number: i32, kind: &Kind) -> Json {
    let value = kind.as_enum().and_then(|kind| kind.get_value(number));
    value.map_or_else(|| Json::from(number), |value| Json::from(value.name()))
}

/// Returns a point in time in its usual form.
fn time(message: &DynamicMessage) -> Option<Json> {
    if message.descriptor().full_name() != TIMESTAMP {
        return None;
    }
    let number = |name| {
        message.get_field_by_name(name).and_then(|value| value.as_i64().or(value.as_i32().map(Into::into)))
    };
    let at = OffsetDateTime::from_unix_timestamp(number("seconds")?).ok()?;
    let at = at + time::Duration::nanoseconds(number("nanos")?);
    at.format(&Rfc3339).ok().map(Json::from)
}

#[cfg(test)]
mod tests {
    use gongkai_proto::v1;
    use prost::Message as _;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_payload_is_shown_by_its_subject_and_without_personal_data() {
        let received = v1::DocumentReceived {
            submission_id: "s-1".into(),
            kind: v1::DocumentKind::Published.into(),
            title: "年度报告（联系人13812341234）".into(),
            year: 2023,
            received_at: Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 500_000_000 }),
            attachments: vec![v1::ContentRef { size_bytes: 7, ..Default::default() }],
            ..Default::default()
        };
        let payload: Bytes = received.encode_to_vec().into();
        let expected = json!({
            "submission_id": "s-1",
            "kind": "DOCUMENT_KIND_PUBLISHED",
            "title": "年度报告（联系人138****1234）",
            "year": 2023,
            "received_at": "2023-11-14T22:13:20.5Z",
            "attachments": [{ "size_bytes": 7 }],
        });
        assert_eq!(shown("gongkai.v1.report.received.360982", payload.clone()), Some(expected));
        assert_eq!(shown("gongkai.v1.other", payload), None);
        assert_eq!(shown("gongkai.v1.report.received.360982", Bytes::from_static(&[0xff])), None);
    }

    #[test]
    fn bytes_are_counted_and_not_shown() {
        let letter = v1::DeadLetter { payload: "13812341234".into(), ..Default::default() };
        let shown = shown("gongkai.v1.dead.parse", letter.encode_to_vec().into());
        assert_eq!(shown, Some(json!({ "payload": "11 bytes" })));
    }
}
