//! Decides how to proceed with a call, by the earlier ones under its id.

use gongkai_proto::{
    subjects::{CONSUMER_INGEST_STATE, STREAM_REPORTS},
    v1::Receipt,
};
use gongkai_worker::transport;
use time::{Duration, OffsetDateTime};

use super::{
    CallDecision, Intake,
    incoming::HashedDocument,
    repetition::{Repetition, rests_on_resources},
};
use crate::{
    calls::{Attempt, CallJudgement, CallStatement},
    error::{Code, Problem},
    metrics::Repeat,
    places::micros,
    submission::SubmissionIdentity,
};

/// How long the broker certainly remembers the message of an unfinished attempt. It is shorter than the duplicate
/// window, because a call may take a while.
const KNOWN_TO_BROKER: Duration = Duration::minutes(5);

// === impl Intake ===

impl Intake {
    /// Returns true if a call has no id of its own and its content is not current. Such a call is not a repetition.
    pub(super) async fn brings_content_back(&self, incoming: &HashedDocument) -> Result<bool, Problem> {
        if incoming.submission.identity != SubmissionIdentity::Content {
            self.metrics.repeated(Repeat::Known);
            return Ok(false);
        }
        let seen = self.receipts.seen(&incoming.content_key).await?.record;
        Ok(self.repetition(incoming, &seen).await? == Repetition::New)
    }

    /// Returns the attempt that records the time of a repetition in the log, or `None` if the time is not later than
    /// that of the submission, or is in the log already. The content or the withdrawal ranks by this time.
    pub(super) async fn renewal(
        &self,
        call: &CallStatement,
        known: &Receipt,
    ) -> Result<Option<Attempt>, Problem> {
        if call.event_time_us.is_none() {
            return Ok(None);
        }
        let now = micros(self.now());
        let Some(renewal) = self.receipts.renew(call, &known.submission_id, now).await? else {
            return Ok(None);
        };
        if self.receipts.known(&renewal.submission_id).await?.is_some() {
            return Ok(None);
        }
        Ok(match self.begin_again(call, renewal).await? {
            CallDecision::Begin(renewal) => Some(renewal),
            CallDecision::Known(_) => None,
        })
    }

    /// Decides how to proceed with a call, by the earlier ones. `over` is a submission that it does not repeat. A
    /// submission that was rejected for lack of time or memory is tried again.
    pub(super) async fn turn(
        &self,
        call: &CallStatement,
        over: Option<&str>,
    ) -> Result<CallDecision, Problem> {
        let mut over = over.map(str::to_owned);
        loop {
            let now = micros(self.now());
            let (attempt, is_new) = match self.receipts.judge(call, over.as_deref(), now).await? {
                CallJudgement::New(attempt) => (attempt, true),
                CallJudgement::Repeats(attempt) => (attempt, false),
                CallJudgement::Refused(attempt) => {
                    self.metrics.repeated(Repeat::Refused);
                    return Err(Problem::new(
                        Code::IdReused,
                        format!("此键已属于 {}，其内容不同；请换一个键", attempt.submission_id),
                        format!(
                            "the key belongs to {}, whose content is another; take a new key",
                            attempt.submission_id
                        ),
                    ));
                }
            };
            match self.receipts.known(&attempt.submission_id).await? {
                Some(known) if rests_on_resources(&known) => over = Some(attempt.submission_id),
                Some(known) => return Ok(CallDecision::Known(Box::new(known))),
                None if is_new => return Ok(CallDecision::Begin(attempt)),
                None => return self.begin_again(call, attempt).await,
            }
        }
    }

    /// Continues an unfinished attempt. While the broker remembers its message, a second one is dropped as a
    /// duplicate. After that, ingest's own consumer must have handled the log up to the attempt.
    async fn begin_again(&self, call: &CallStatement, attempt: Attempt) -> Result<CallDecision, Problem> {
        let now = self.now();
        let known_until = attempt.begun_us + micros(OffsetDateTime::UNIX_EPOCH + KNOWN_TO_BROKER);
        if micros(now) <= known_until {
            return Ok(CallDecision::Begin(attempt));
        }
        if !self.has_seen(known_until).await? {
            return Err(Problem::new(
                Code::BrokerUnavailable,
                "正在核对此前是否已受理，请稍后原样重试",
                "whether this was accepted before is being looked up; send the same call again later",
            ));
        }
        if let Some(known) = self.receipts.known(&attempt.submission_id).await? {
            return Ok(CallDecision::Known(Box::new(known)));
        }
        self.receipts.begin_again(&call.first_id, &attempt.submission_id, micros(now)).await?;
        Ok(CallDecision::Begin(attempt))
    }

    /// Returns true if ingest's own consumer has settled every message that the log stored up to this time.
    async fn has_seen(&self, until_us: i64) -> Result<bool, transport::Error> {
        let lag = self.runtime.consumer_lag(STREAM_REPORTS, CONSUMER_INGEST_STATE).await?;
        let Some(lag) = lag else { return Ok(false) };
        if lag.outstanding == 0 {
            return Ok(true);
        }
        let last = self.runtime.message(STREAM_REPORTS, lag.floor).await?;
        Ok(last.is_some_and(|last| micros(last.logged_at) > until_us))
    }
}
