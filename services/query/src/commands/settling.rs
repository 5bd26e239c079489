//! Settles dead letters: replays or drops them. What was done is published beside the dead letters.

use std::sync::Arc;

use futures::{Stream, StreamExt as _, stream};
use gongkai_proto::convert::timestamp::{self, timestamp};
use gongkai_proto::subjects;
use gongkai_proto::v1::{self, ReplayOutcome, ReplayedDeadLetter, Settlement};
use gongkai_worker::dead_letter::UNDECODABLE;
use gongkai_worker::repetition::{FirstCopy, ReplayOf, repeat};
use gongkai_worker::transport::{self, Headers};
use gongkai_worker::{Message, Output, Runtime};

use super::pace::Pace;
use super::text::{MAX_PERSON, MAX_REASON, optional_text, text};
use crate::dead_letters::answer;
use crate::dead_letters::index::{BuriedLetter, Letters, Standing};
use crate::dead_letters::trial::{Trials, Verdict};
use crate::error::QueryError;

/// CloudEvents type.
const CE_TYPE: &str = "gongkai.dead.settled.v1";
/// Number of trials at once.
const TRIALS: usize = 4;

/// Replays and drops dead letters. Cheap to clone.
#[derive(Clone)]
pub struct DeadLetterCommands {
    runtime: Runtime,
    letters: Letters,
    trials: Arc<Trials>,
}

/// Who settles dead letters, and why.
#[derive(Debug, Clone)]
struct Decided {
    person: String,
    reason: String,
}

// === impl DeadLetterCommands ===

impl DeadLetterCommands {
    #[must_use]
    pub fn new(runtime: Runtime, letters: Letters, trials: Trials) -> Self {
        Self { runtime, letters, trials: Arc::new(trials) }
    }

    /// Returns what would become of the messages, without publishing anything.
    pub fn tried(
        self,
        selected: Vec<Standing>,
    ) -> impl Stream<Item = Result<ReplayedDeadLetter, QueryError>> + Send {
        let trial = move |found: Standing| {
            let this = self.clone();
            async move { this.trial(&found).await }
        };
        stream::iter(selected).map(trial).buffered(TRIALS)
    }

    /// Publishes the messages again, in this order, and returns what was done with each.
    ///
    /// # Errors
    /// A person or a reason that is too long. The stream ends with the first error; what it returned before is done.
    pub fn replay(
        self,
        selected: Vec<Standing>,
        request: &v1::ReplayDeadLettersRequest,
    ) -> Result<impl Stream<Item = Result<ReplayedDeadLetter, QueryError>> + Send + use<>, QueryError> {
        let decided = Decided {
            person: optional_text("person", &request.person, MAX_PERSON)?,
            reason: optional_text("reason", &request.reason, MAX_REASON)?,
        };
        let pace = Pace::new(self.runtime.clone());
        let state = (self, selected.into_iter(), pace, decided);
        Ok(stream::try_unfold(state, async |(this, mut left, mut pace, decided)| {
            let Some(found) = left.next() else { return Ok(None) };
            let done = this.replay_one(&found, &mut pace, &decided).await?;
            Ok(Some((done, (this, left, pace, decided))))
        }))
    }

    /// Settles dead letters without handling their messages.
    ///
    /// # Errors
    /// There is no reason or no person, or the broker did not store all. Call again: what is done stays.
    pub async fn drop_all(
        &self,
        selected: Vec<Standing>,
        request: &v1::DropDeadLettersRequest,
    ) -> Result<v1::DropDeadLettersResponse, QueryError> {
        let decided = Decided {
            person: text("person", &request.person, MAX_PERSON)?,
            reason: text("reason", &request.reason, MAX_REASON)?,
        };
        let mut response = v1::DropDeadLettersResponse::default();
        for found in selected {
            let is_first = found.settled.is_none()
                && self
                    .settle(&found, Settlement::Dropped, &decided, "")
                    .await
                    .map_err(QueryError::Broker)?;
            if is_first {
                response.dropped.push(answer::name(found.sequence));
            } else {
                response.settled_before += 1;
            }
        }
        Ok(response)
    }

    async fn trial(&self, found: &Standing) -> Result<ReplayedDeadLetter, QueryError> {
        if found.settled.is_some() {
            return Ok(outcome(found, ReplayOutcome::Settled));
        }
        let Some(buried) = self.letters.load(found.sequence).await.map_err(QueryError::Broker)? else {
            return Ok(undecodable(found));
        };
        let verdict = self.trials.of(&buried).await.map_err(QueryError::Broker)?;
        Ok(match verdict {
            Verdict::Passes(explanation) => {
                ReplayedDeadLetter { explanation, ..outcome(found, ReplayOutcome::WouldPass) }
            }
            Verdict::Fails { code, why } => would_fail(found, code, &why),
            Verdict::Uncertain(explanation) => {
                ReplayedDeadLetter { explanation, ..outcome(found, ReplayOutcome::Uncertain) }
            }
        })
    }

    async fn replay_one(
        &self,
        found: &Standing,
        pace: &mut Pace,
        decided: &Decided,
    ) -> Result<ReplayedDeadLetter, QueryError> {
        if found.settled.is_some() {
            return Ok(outcome(found, ReplayOutcome::Settled));
        }
        let Some(buried) = self.letters.load(found.sequence).await.map_err(QueryError::Broker)? else {
            return Ok(undecodable(found));
        };
        if subjects::stream_of(&buried.letter.subject).is_none() {
            return Ok(would_fail(found, UNDECODABLE, &format!("no stream has {}", buried.letter.subject)));
        }
        pace.turn(&buried.letter.subject).await;
        let publish = async {
            // The id is the same for every replay of this dead letter, so two calls at once publish one message.
            let id = format!("{}.replay.{}", buried.letter.message_id, found.sequence);
            let message = self.repetition(found, buried, &id).await?;
            self.runtime.republish(&message).await?;
            self.settle(found, Settlement::Replayed, decided, &id).await?;
            Ok(id)
        };
        let message_id = publish.await.map_err(QueryError::Broker)?;
        tracing::info!(dead_letter = found.sequence, message_id, "dead letter replayed");
        Ok(ReplayedDeadLetter { message_id, ..outcome(found, ReplayOutcome::Replayed) })
    }

    /// Returns the message to publish.
    async fn repetition(
        &self,
        found: &Standing,
        buried: BuriedLetter,
        id: &str,
    ) -> Result<Message, transport::Error> {
        let mut headers = Headers::new();
        for header in &buried.letter.headers {
            headers.insert(&header.name, &header.value)?;
        }
        let first = self.first_copy(&buried.letter, &headers).await?;
        let v1::DeadLetter { subject, payload, .. } = buried.letter;
        let replay = ReplayOf { sequence: found.sequence, replays: found.replays() + 1 };
        repeat(&Message { subject, headers, payload }, first.as_ref(), Some(replay), id)
    }

    /// Returns the first copy of a buried message, or `None` if its stream no longer has it. The repetition then counts as a new
    /// message: a sequence of a lost stream means another message now.
    async fn first_copy(
        &self,
        letter: &v1::DeadLetter,
        headers: &Headers,
    ) -> Result<Option<FirstCopy>, transport::Error> {
        let Some(stream) = subjects::stream_of(&letter.subject) else { return Ok(None) };
        let Some(logged) = self.runtime.message(stream, letter.sequence).await? else { return Ok(None) };
        let seen = timestamp::optional(letter.first_seen_at, "first_seen_at").ok().flatten();
        let is_same = logged.message.subject == letter.subject && seen == Some(logged.logged_at);
        let id = FirstCopy::of(headers).map_or_else(|| letter.message_id.clone(), |first| first.id);
        Ok(is_same.then_some(FirstCopy { id, sequence: letter.sequence, logged_at: logged.logged_at }))
    }

    /// Publishes what was done. Returns false if the dead letter was settled just before.
    async fn settle(
        &self,
        found: &Standing,
        settlement: Settlement,
        decided: &Decided,
        message_id: &str,
    ) -> Result<bool, transport::Error> {
        let Decided { person, reason } = decided;
        let settled = v1::DeadLetterSettled {
            sequence: found.sequence,
            settlement: settlement.into(),
            person: person.clone(),
            reason: reason.clone(),
            settled_at: Some(timestamp(self.runtime.clock().now())),
            message_id: message_id.to_owned(),
        };
        let output = Output::new(subjects::settled_subject(&found.letter.service), CE_TYPE, &settled);
        let id = format!("dead.{}.settled", found.sequence);
        Ok(!self.runtime.publish(&id, output).await?.duplicate)
    }
}

fn outcome(found: &Standing, outcome: ReplayOutcome) -> ReplayedDeadLetter {
    ReplayedDeadLetter {
        name: answer::name(found.sequence),
        outcome: outcome.into(),
        service: found.letter.service.clone(),
        code: found.letter.code.clone(),
        ..ReplayedDeadLetter::default()
    }
}

fn would_fail(found: &Standing, code: &str, why: &str) -> ReplayedDeadLetter {
    ReplayedDeadLetter {
        would_fail_code: code.to_owned(),
        explanation: gongkai_model::personal::masked(why).into_owned(),
        ..outcome(found, ReplayOutcome::WouldFail)
    }
}

fn undecodable(found: &Standing) -> ReplayedDeadLetter {
    would_fail(found, UNDECODABLE, "the dead letter itself cannot be decoded")
}
