//! An index of the stream of dead letters.
//!
//! The stream is the only record: it has the dead letters, and what operators did with them. The index keeps what lists and
//! filters need and no payloads, and it drops what the stream no longer keeps.

use std::collections::BTreeMap;
use std::sync::Arc;

use gongkai_proto::{convert::timestamp, subjects::STREAM_DEAD, v1};
use gongkai_store::query::Condition;
use gongkai_worker::dead_letter::UNDECODABLE;
use gongkai_worker::repetition::ReplayOf;
use gongkai_worker::transport::{Error, Logged};
use gongkai_worker::{MESSAGE_ID, Message, Runtime};
use prost::Message as _;
use time::OffsetDateTime;

use crate::filter::comparing;
use crate::stream_index::{Digest, StreamIndex};

/// A field of a dead letter that filters name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LetterField {
    State,
    Service,
    Code,
    Cause,
    Subject,
    MessageId,
    TraceId,
    Replays,
    /// In Unix nanoseconds.
    BuriedAt,
}

/// The stream of dead letters. Cheap to clone.
#[derive(Clone)]
pub struct Letters {
    index: StreamIndex<LetterDigest>,
}

/// What lists show of a dead letter.
#[derive(Debug, Clone, PartialEq)]
pub struct Letter {
    pub service: String,
    pub code: String,
    pub cause: String,
    pub subject: String,
    pub message_id: String,
    pub trace_id: String,
    pub attempts: u32,
    pub first_seen_at: Option<prost_types::Timestamp>,
    pub buried_at: OffsetDateTime,
    pub service_version: String,
    pub payload_bytes: u64,
    /// The dead letter whose replay this is.
    pub replay_of: Option<ReplayOf>,
}

/// A dead letter with what became of it.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Sequence in the stream of dead letters.
    pub sequence: u64,
    pub letter: Arc<Letter>,
    pub settled: Option<Arc<v1::DeadLetterSettled>>,
    /// The dead letter that the replay of this one led to.
    pub failed_again_as: Option<u64>,
}

/// A whole dead letter.
#[derive(Debug, Clone, PartialEq)]
pub struct BuriedLetter {
    pub letter: v1::DeadLetter,
    /// The subscription that the message was not delivered to, if it was buried by a delivery.
    pub recipient: Option<String>,
}

#[derive(Default)]
struct LetterDigest {
    letters: BTreeMap<u64, Arc<Letter>>,
    settled: BTreeMap<u64, Arc<v1::DeadLetterSettled>>,
    /// Dead letters by the one whose replay they are.
    successors: BTreeMap<u64, u64>,
}

// === impl Letters ===

impl Letters {
    #[must_use]
    pub fn new(runtime: Runtime) -> Self {
        Self { index: StreamIndex::new(runtime, STREAM_DEAD) }
    }

    /// Returns all dead letters that the stream keeps, oldest first.
    ///
    /// # Errors
    /// The broker did not answer.
    pub async fn all(&self) -> Result<Vec<Standing>, Error> {
        self.index.read(LetterDigest::standings).await
    }

    /// Returns the number of dead letters that nobody has settled.
    ///
    /// # Errors
    /// The broker did not answer.
    pub async fn open(&self) -> Result<usize, Error> {
        Ok(self.all().await?.iter().filter(|found| found.settled.is_none()).count())
    }

    /// Reads a whole dead letter. Returns `None` if the stream does not keep it, or if it cannot be decoded.
    ///
    /// # Errors
    /// The broker did not answer.
    pub async fn load(&self, sequence: u64) -> Result<Option<BuriedLetter>, Error> {
        let Some(Logged { message, .. }) = self.index.message(sequence).await? else {
            return Ok(None);
        };
        let Ok(letter) = v1::DeadLetter::decode(message.payload) else { return Ok(None) };
        // The id of a dead letter of a delivery ends in the recipient.
        let id = format!("{}.{}.dead.", letter.message_id, letter.service);
        let own = message.headers.get(MESSAGE_ID);
        let recipient = own.and_then(|own| own.strip_prefix(&id)).map(str::to_owned);
        Ok(Some(BuriedLetter { letter, recipient }))
    }
}

// === impl LetterDigest ===

impl Digest for LetterDigest {
    fn forget_before(&mut self, first: u64) {
        self.letters = self.letters.split_off(&first);
        self.settled = self.settled.split_off(&first);
        self.successors = self.successors.split_off(&first);
    }

    fn add(&mut self, sequence: u64, logged: Logged) {
        let Logged { message, logged_at } = logged;
        let settled = v1::DeadLetterSettled::try_from((message.subject.as_str(), message.payload.clone()));
        if let Ok(settled) = settled {
            // Settlements are read in their order, so the first one stays.
            self.settled.entry(settled.sequence).or_insert_with(|| Arc::new(settled));
            return;
        }
        let letter = Letter::of(message, logged_at);
        if let Some(replay) = letter.replay_of {
            self.successors.insert(replay.sequence, sequence);
        }
        self.letters.insert(sequence, Arc::new(letter));
    }
}

impl LetterDigest {
    fn standings(&self) -> Vec<Standing> {
        let standing = |(sequence, letter): (&u64, &Arc<Letter>)| Standing {
            sequence: *sequence,
            letter: letter.clone(),
            settled: self.settled.get(sequence).cloned(),
            failed_again_as: self.successors.get(sequence).copied(),
        };
        self.letters.iter().map(standing).collect()
    }
}

// === impl Letter ===

impl Letter {
    fn of(message: Message, logged_at: OffsetDateTime) -> Self {
        let service = message.subject.rsplit('.').next().unwrap_or_default().to_owned();
        let letter = v1::DeadLetter::decode(message.payload).unwrap_or_else(|error| v1::DeadLetter {
            code: UNDECODABLE.to_owned(),
            cause: format!("the dead letter itself cannot be decoded: {error}"),
            ..v1::DeadLetter::default()
        });
        Self {
            replay_of: ReplayOf::of_pairs(header_pairs(&letter)),
            buried_at: timestamp::optional(letter.buried_at, "buried_at").ok().flatten().unwrap_or(logged_at),
            payload_bytes: letter.payload.len() as u64,
            service,
            code: letter.code,
            cause: letter.cause,
            subject: letter.subject,
            message_id: letter.message_id,
            trace_id: letter.trace_id,
            attempts: letter.attempts,
            first_seen_at: letter.first_seen_at,
            service_version: letter.service_version,
        }
    }
}

fn header_pairs(letter: &v1::DeadLetter) -> impl Iterator<Item = (&str, &str)> {
    letter.headers.iter().map(|header| (header.name.as_str(), header.value.as_str()))
}

// === impl Standing ===

impl Standing {
    /// Returns the state.
    #[must_use]
    pub fn state(&self) -> v1::DeadLetterState {
        match self.settled.as_ref().map(|settled| settled.settlement()) {
            None => v1::DeadLetterState::Open,
            Some(v1::Settlement::Dropped) => v1::DeadLetterState::Dropped,
            Some(v1::Settlement::Replayed | v1::Settlement::Unspecified) => v1::DeadLetterState::Replayed,
        }
    }

    /// Returns the number of replays that led to this dead letter.
    #[must_use]
    pub fn replays(&self) -> u32 {
        self.letter.replay_of.map_or(0, |replay| replay.replays)
    }

    /// Returns true if a condition of a filter holds.
    #[must_use]
    pub fn meets(&self, condition: &Condition<LetterField>) -> bool {
        let Letter { service, code, cause, subject, message_id, trace_id, buried_at, .. } = &*self.letter;
        let state = state_name(self.state());
        let text = |text: &str| comparing::text(text, condition);
        match condition.field {
            LetterField::State => text(state),
            LetterField::Service => text(service),
            LetterField::Code => text(code),
            LetterField::Cause => text(cause),
            LetterField::Subject => text(subject),
            LetterField::MessageId => text(message_id),
            LetterField::TraceId => text(trace_id),
            LetterField::Replays => comparing::number(self.replays().into(), condition),
            LetterField::BuriedAt => i64::try_from(buried_at.unix_timestamp_nanos())
                .is_ok_and(|at| comparing::number(at, condition)),
        }
    }
}

/// Returns the name of a state in filters.
#[must_use]
pub fn state_name(state: v1::DeadLetterState) -> &'static str {
    match state {
        v1::DeadLetterState::Unspecified => "",
        v1::DeadLetterState::Open => "OPEN",
        v1::DeadLetterState::Replayed => "REPLAYED",
        v1::DeadLetterState::Dropped => "DROPPED",
    }
}
