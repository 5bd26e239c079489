//! Dead letters in answers. Personal data is masked in every text that may quote a document.

use gongkai_model::personal::masked;
use gongkai_proto::{convert::timestamp::timestamp, event::message_name, v1};
use sha2::{Digest as _, Sha256};

use super::index::{Letter, Standing};
use super::payload;

/// Returns a dead letter without its headers and payload.
#[must_use]
pub fn listed(found: &Standing) -> v1::BuriedMessage {
    let letter: &Letter = &found.letter;
    let settled = found.settled.as_deref().cloned().unwrap_or_default();
    v1::BuriedMessage {
        name: name(found.sequence),
        state: found.state().into(),
        service: letter.service.clone(),
        code: letter.code.clone(),
        cause: masked(&letter.cause).into_owned(),
        subject: letter.subject.clone(),
        message_id: letter.message_id.clone(),
        trace_id: letter.trace_id.clone(),
        attempts: letter.attempts,
        first_seen_at: letter.first_seen_at,
        buried_at: Some(timestamp(letter.buried_at)),
        service_version: letter.service_version.clone(),
        replay_of: letter.replay_of.map(|replay| name(replay.sequence)).unwrap_or_default(),
        replays: found.replays(),
        failed_again_as: found.failed_again_as.map(name).unwrap_or_default(),
        settled_by: settled.person,
        settled_reason: masked(&settled.reason).into_owned(),
        settled_at: settled.settled_at,
        payload_bytes: letter.payload_bytes,
        ..v1::BuriedMessage::default()
    }
}

/// Returns a dead letter with its headers and payload.
#[must_use]
pub fn whole(found: &Standing, letter: &v1::DeadLetter) -> v1::BuriedMessage {
    let header = |header: &v1::Header| v1::Header {
        name: header.name.clone(),
        value: masked(&header.value).into_owned(),
    };
    let shown = payload::shown(&letter.subject, letter.payload.clone());
    v1::BuriedMessage {
        payload_type: message_name(&letter.subject).unwrap_or_default().to_owned(),
        payload_json: shown.map(|shown| shown.to_string()).unwrap_or_default(),
        payload_sha256: hex::encode(Sha256::digest(&letter.payload)),
        headers: letter.headers.iter().map(header).collect(),
        ..listed(found)
    }
}

/// Returns the resource name of a dead letter.
#[must_use]
pub fn name(sequence: u64) -> String {
    format!("deadLetters/{sequence}")
}
