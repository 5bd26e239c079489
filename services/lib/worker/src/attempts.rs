//! Decides which deliveries of a message count as attempts, and which crashes are charged to it.
//!
//! The broker counts every delivery, however it ended. A delivery that ended because the process died does not count
//! as an attempt of the messages that were in work: at most one of them is the cause. The runtime therefore keeps its
//! own counts, in one entry for each message that was delivered more than once:
//!
//! - A failure is noted before the message is handed back.
//! - A message with two deliveries in a row without a recorded end is a suspect. It is handled [alone](crate::alone),
//!   which is called its trial; the trial is noted before it begins.
//! - If the next delivery finds that note, the process died while only this message was in work. The crash is charged
//!   to the message, and it remains a suspect until it is settled.
//!
//! The first delivery of a message reads and writes no entry.

use std::sync::Arc;

use time::OffsetDateTime;

use crate::handler::Context;
use crate::record_store::RecordStore;
use crate::transport::{Entries, Error};

/// Number of charged crashes after which a message is buried.
///
/// A process that is killed from outside charges the message that is alone at that moment. The delays between the
/// trials of a message make it unlikely that one message is charged so often.
pub(crate) const MAX_CRASHES: u32 = 5;

/// Number of deliveries in a row without a known end that make a message a suspect. A single one is often harmless: the
/// broker was restarted, a replica was stopped.
const SUSPICIOUS: u32 = 2;
/// Maximum number of lost races for one entry. Replicas rarely write the same entry.
const MAX_RACES: u32 = 16;

/// Maximum length of a noted cause, in characters.
const MAX_CAUSE: usize = 300;

/// Record of the earlier deliveries of a message.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Attempts {
    /// Id of the message. A stream that was created again has other messages under the same sequences.
    #[prost(string, tag = "1")]
    pub(crate) message_id: String,
    /// Number of failed attempts.
    #[prost(uint32, tag = "2")]
    pub(crate) failures: u32,
    /// Deliveries during which the process died while it handled the message alone.
    #[prost(uint32, repeated, tag = "3")]
    crashes: Vec<u32>,
    /// The last delivery whose end is known.
    #[prost(uint32, tag = "4")]
    ended: u32,
    /// The delivery in which the message is handled alone, or 0.
    #[prost(uint32, tag = "5")]
    alone: u32,
    /// Subject of the message, once an attempt failed.
    #[prost(string, tag = "6")]
    pub(crate) subject: String,
    /// When the message is delivered next after a failed attempt, in milliseconds since 1970.
    #[prost(int64, tag = "7")]
    pub(crate) retry_at_ms: i64,
    /// Why the last attempt failed.
    #[prost(string, tag = "8")]
    pub(crate) cause: String,
}

/// A failed attempt.
pub(crate) struct Failure<'a> {
    pub(crate) cause: &'a str,
    /// When the message is to be delivered again.
    pub(crate) retry_at: OffsetDateTime,
}

/// How a message that was delivered before is to be handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Treatment {
    /// Handle the message like any other.
    Clear,
    /// Handle the message alone.
    Suspect,
    /// Do not handle it: the process died this often while only this message was in work.
    Crashed(u32),
}

/// The entries of one consumer.
pub(crate) struct AttemptLog {
    records: RecordStore,
    /// Names of the stream and the consumer.
    prefix: String,
}

// === impl Attempts ===

impl Attempts {
    /// Charges the crash that ended the message's trial, if there was one.
    fn charge(&mut self, delivery: u32) -> bool {
        let is_due = self.alone != 0 && self.alone < delivery;
        if is_due {
            self.crashes.push(self.alone);
            // The message is handed back, so the end of the delivery is known.
            (self.alone, self.ended) = (0, delivery);
        }
        is_due
    }

    fn open(&mut self, delivery: u32) {
        self.alone = delivery;
    }

    /// Ends a trial that the process survived. Removes the crash that another process may have charged while this one
    /// was suspended.
    fn close(&mut self, delivery: u32) {
        self.crashes.retain(|crash| *crash != delivery);
        if self.alone == delivery {
            self.alone = 0;
        }
        self.ended = self.ended.max(delivery);
    }

    fn fail(&mut self, delivery: u32) {
        self.close(delivery);
        self.failures = self.failures.saturating_add(1);
    }

    fn treatment(&self, delivery: u32, was_charged: bool) -> Treatment {
        let crashes = u32::try_from(self.crashes.len()).unwrap_or(u32::MAX);
        if was_charged || crashes >= MAX_CRASHES {
            Treatment::Crashed(crashes)
        } else if crashes > 0 || delivery.saturating_sub(self.ended + 1) >= SUSPICIOUS {
            Treatment::Suspect
        } else {
            Treatment::Clear
        }
    }
}

// === impl AttemptLog ===

impl AttemptLog {
    /// Creates the log of one consumer over a declared bucket.
    pub(crate) fn new(entries: Arc<dyn Entries>, stream: &str, durable: &str) -> Self {
        Self { records: RecordStore::new(entries, MAX_RACES), prefix: format!("{stream}/{durable}") }
    }

    /// Returns the number of failed attempts so far and how to handle this delivery, which is the second or a later
    /// one. Charges the crash that ended the previous delivery, if there was one.
    ///
    /// # Errors
    /// As for [`RecordStore::change`], here and in the methods below.
    pub(crate) async fn treatment(
        &self,
        context: &Context,
        delivery: u32,
    ) -> Result<(u32, Treatment), Error> {
        let charge = |attempts: &mut Attempts| {
            let was_charged = attempts.charge(delivery);
            (was_charged, (attempts.failures, attempts.treatment(delivery, was_charged)))
        };
        self.change(context, charge).await
    }

    /// Notes that a trial is about to begin.
    pub(crate) async fn open(&self, context: &Context, delivery: u32) -> Result<(), Error> {
        self.change(context, |attempts| (true, attempts.open(delivery))).await
    }

    /// Notes the end of a trial.
    pub(crate) async fn close(&self, context: &Context, delivery: u32) -> Result<(), Error> {
        self.change(context, |attempts| (true, attempts.close(delivery))).await
    }

    /// Notes a failed attempt.
    pub(crate) async fn fail(
        &self,
        context: &Context,
        delivery: u32,
        failure: &Failure<'_>,
    ) -> Result<(), Error> {
        let note = |attempts: &mut Attempts| {
            attempts.fail(delivery);
            attempts.subject.clone_from(&context.subject);
            attempts.retry_at_ms = (failure.retry_at - OffsetDateTime::UNIX_EPOCH)
                .whole_milliseconds()
                .try_into()
                .unwrap_or_default();
            attempts.cause = failure.cause.chars().take(MAX_CAUSE).collect();
            (true, ())
        };
        self.change(context, note).await
    }

    /// Deletes the entry of a settled message, if there is one.
    pub(crate) async fn forget(&self, context: &Context) -> Result<(), Error> {
        self.records.forget(&self.key(context)).await
    }

    async fn change<T>(
        &self,
        context: &Context,
        mut change: impl FnMut(&mut Attempts) -> (bool, T) + Send,
    ) -> Result<T, Error> {
        let of_this_message = |attempts: &mut Attempts| {
            if attempts.message_id != context.message_id {
                *attempts = Attempts { message_id: context.message_id.clone(), ..Attempts::default() };
            }
            change(attempts)
        };
        Ok(self.records.change(&self.key(context), of_this_message).await?.1)
    }

    fn key(&self, context: &Context) -> String {
        format!("{}/{}", self.prefix, context.place().0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_delivery_without_a_known_end_is_harmless_and_two_are_suspicious() {
        let mut attempts = Attempts::default();
        let treatment = |attempts: &Attempts, delivery| attempts.treatment(delivery, false);
        assert_eq!(treatment(&attempts, 2), Treatment::Clear);
        assert_eq!(treatment(&attempts, 3), Treatment::Suspect);
        attempts.fail(3);
        assert_eq!((treatment(&attempts, 4), attempts.failures), (Treatment::Clear, 1));
        assert_eq!(treatment(&attempts, 5), Treatment::Clear);
        assert_eq!(treatment(&attempts, 6), Treatment::Suspect);
    }

    #[test]
    fn only_a_trial_that_did_not_end_is_charged() {
        let mut attempts = Attempts::default();
        attempts.open(3);
        attempts.close(3);
        assert!(!attempts.charge(4));
        assert_eq!(attempts.treatment(4, false), Treatment::Clear);
        for (crashes, delivery) in (1..=MAX_CRASHES).zip(6..) {
            attempts.open(delivery);
            assert!(attempts.charge(delivery + 1));
            assert_eq!(attempts.treatment(delivery + 1, true), Treatment::Crashed(crashes));
            assert!(!attempts.charge(delivery + 1), "charged once");
        }
        assert_eq!(attempts.treatment(99, false), Treatment::Crashed(MAX_CRASHES));
    }

    #[test]
    fn a_process_that_was_only_suspended_takes_the_charge_back() {
        let mut attempts = Attempts::default();
        attempts.open(3);
        assert!(attempts.charge(4));
        attempts.open(5);
        attempts.close(3);
        assert_eq!((attempts.crashes.as_slice(), attempts.alone), (&[][..], 5));
    }
}
