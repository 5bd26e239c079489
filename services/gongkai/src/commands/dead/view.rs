//! Dead letters as JSON, whose shape is public, and as table cells.

use gongkai_proto::v1;
use serde::Serialize;
use serde_json::Value;

use crate::{
    table::{Column, TableRow},
    view::rfc3339,
};

#[derive(Debug, Serialize)]
pub(super) struct DeadLetterView {
    pub(super) id: String,
    pub(super) state: &'static str,
    pub(super) service: String,
    pub(super) code: String,
    pub(super) cause: String,
    pub(super) subject: String,
    pub(super) attempts: u32,
    pub(super) trace_id: String,
    pub(super) message_id: String,
    pub(super) first_seen_at: Option<String>,
    pub(super) buried_at: Option<String>,
    pub(super) service_version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) replay_of: String,
    pub(super) replays: u32,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) failed_again_as: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) settled_by: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) settled_reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) settled_at: Option<String>,
    pub(super) payload_bytes: u64,
    /// The name of the payload's type, in `dead show`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) payload_type: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) payload_sha256: String,
    /// The decoded payload, in `dead show`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) payload: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) headers: Vec<HeaderView>,
}

#[derive(Debug, Serialize)]
pub(super) struct HeaderView {
    pub(super) name: String,
    pub(super) value: String,
}

#[derive(Debug, Serialize)]
pub(super) struct GroupView {
    count: u64,
    service: String,
    code: String,
    cause: String,
    first_buried_at: Option<String>,
    last_buried_at: Option<String>,
    newest: String,
}

// === impl DeadLetterView ===

impl TryFrom<v1::BuriedMessage> for DeadLetterView {
    type Error = anyhow::Error;

    fn try_from(letter: v1::BuriedMessage) -> anyhow::Result<Self> {
        let header = |header: v1::Header| HeaderView { name: header.name, value: header.value };
        let payload = letter.payload_json.as_str();
        Ok(Self {
            state: state(letter.state()),
            first_seen_at: rfc3339(letter.first_seen_at)?,
            buried_at: rfc3339(letter.buried_at)?,
            settled_at: rfc3339(letter.settled_at)?,
            payload: (!payload.is_empty()).then(|| serde_json::from_str(payload)).transpose()?,
            id: id(&letter.name),
            service: letter.service,
            code: letter.code,
            cause: letter.cause,
            subject: letter.subject,
            attempts: letter.attempts,
            trace_id: letter.trace_id,
            message_id: letter.message_id,
            service_version: letter.service_version,
            replay_of: id(&letter.replay_of),
            replays: letter.replays,
            failed_again_as: id(&letter.failed_again_as),
            settled_by: letter.settled_by,
            settled_reason: letter.settled_reason,
            payload_bytes: letter.payload_bytes,
            payload_type: letter.payload_type,
            payload_sha256: letter.payload_sha256,
            headers: letter.headers.into_iter().map(header).collect(),
        })
    }
}

impl TableRow for DeadLetterView {
    const LEFT_OUT: &'static [&'static str] = &["subject", "trace_id", "message_id", "attempts", "state"];
    const COLUMNS: &'static [Column<Self>] = &[
        ("id", |letter| letter.id.clone()),
        ("state", |letter| letter.state.to_owned()),
        ("service", |letter| letter.service.clone()),
        ("code", |letter| letter.code.clone()),
        ("cause", |letter| letter.cause.clone()),
        ("attempts", |letter| letter.attempts.to_string()),
        ("replays", |letter| letter.replays.to_string()),
        ("buried_at", |letter| letter.buried_at.clone().unwrap_or_default()),
        ("subject", |letter| letter.subject.clone()),
        ("message_id", |letter| letter.message_id.clone()),
        ("trace_id", |letter| letter.trace_id.clone()),
    ];
}

// === impl GroupView ===

impl TryFrom<v1::DeadLetterGroup> for GroupView {
    type Error = anyhow::Error;

    fn try_from(group: v1::DeadLetterGroup) -> anyhow::Result<Self> {
        Ok(Self {
            first_buried_at: rfc3339(group.first_buried_at)?,
            last_buried_at: rfc3339(group.last_buried_at)?,
            newest: id(&group.newest),
            count: group.count,
            service: group.service,
            code: group.code,
            cause: group.cause,
        })
    }
}

impl TableRow for GroupView {
    const LEFT_OUT: &'static [&'static str] = &["first_buried_at"];
    const COLUMNS: &'static [Column<Self>] = &[
        ("count", |group| group.count.to_string()),
        ("service", |group| group.service.clone()),
        ("code", |group| group.code.clone()),
        ("cause", |group| group.cause.clone()),
        ("first_buried_at", |group| group.first_buried_at.clone().unwrap_or_default()),
        ("last_buried_at", |group| group.last_buried_at.clone().unwrap_or_default()),
        ("newest", |group| group.newest.clone()),
    ];
}

/// Returns the number of a dead letter from its resource name.
pub(super) fn id(name: &str) -> String {
    name.strip_prefix("deadLetters/").unwrap_or(name).to_owned()
}

fn state(state: v1::DeadLetterState) -> &'static str {
    match state {
        v1::DeadLetterState::Open => "open",
        v1::DeadLetterState::Replayed => "replayed",
        v1::DeadLetterState::Dropped => "dropped",
        v1::DeadLetterState::Unspecified => "unspecified",
    }
}
