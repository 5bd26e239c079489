//! The trait of a read model.

use gongkai_model::{AgencyKey, Erasure, History, ReportKey, Waiver, Withdrawal};
use time::OffsetDateTime;

use crate::{
    arrival::{ArrivalEvent, RejectedArrival},
    change::{Change, ResumeError, ResumeToken},
    error::Error,
    log::{LogIdentity, Mark, Position},
    query::{
        Cursor, Explained, FactQuery, FindingQuery, FoundFact, FoundFinding, FoundWaiver, MovedWaiver, Page,
        ReportQuery, WaiverQuery,
    },
    report::{RevisionHeader, StoredReport},
};

/// The effect of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Applied {
    /// Nothing visible changed.
    Unseen,
    /// The change feed has at least one new entry.
    Changed,
}

/// A value to store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// The outcome of an arrival.
    Arrival(Box<ArrivalEvent>),
    /// A withdrawal.
    Withdrawal(Withdrawal),
    /// A waiver, or its end.
    Waiver(Waiver),
    /// An erasure of contents.
    Erasure(Erasure),
}

impl Applied {
    /// Returns the combined effect of this write and another.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        if self == Self::Changed { self } else { other }
    }
}

/// A read model. All calls block.
///
/// Writes are idempotent and their order does not matter; each is one transaction that contains the projection and
/// its entry in the change feed. Reads see a consistent state.
///
/// # Errors
/// Every call fails with [`Error`]. The writer retries the same event, a reader reports the error to its client.
pub trait Store: Send + Sync + 'static {
    /// Applies writes and records the events that they came from, in one transaction.
    ///
    /// - An arrival is stored unless a later stage event about it is already stored.
    /// - A withdrawal may come before the arrivals that it takes down.
    /// - A waiver and its end may come in either order. Of two ends the earlier stays.
    /// - An erasure deletes the contents that it names, and nothing of them is stored from then on.
    ///
    /// # Errors
    /// Nothing was stored. `OtherLog`: an event belongs to another log. `OutOfRange`: one of the writes can never be
    /// stored. Otherwise retry.
    fn write(&self, writes: &[Write], marks: &[Mark]) -> Result<Applied, Error>;

    /// Stores an arrival without recording an event.
    ///
    /// # Errors
    /// See [`Store::write`].
    fn put_arrival(&self, arrival: &ArrivalEvent) -> Result<Applied, Error> {
        self.write(&[Write::Arrival(Box::new(arrival.clone()))], &[])
    }

    /// Stores a withdrawal without recording an event.
    ///
    /// # Errors
    /// See [`Store::write`].
    fn put_withdrawal(&self, withdrawal: &Withdrawal) -> Result<Applied, Error> {
        self.write(&[Write::Withdrawal(withdrawal.clone())], &[])
    }

    /// Stores a waiver without recording an event.
    ///
    /// # Errors
    /// See [`Store::write`].
    fn put_waiver(&self, waiver: &Waiver) -> Result<Applied, Error> {
        self.write(&[Write::Waiver(waiver.clone())], &[])
    }

    /// Stores an erasure without recording an event.
    ///
    /// # Errors
    /// See [`Store::write`].
    fn put_erasure(&self, erasure: &Erasure) -> Result<Applied, Error> {
        self.write(&[Write::Erasure(erasure.clone())], &[])
    }

    /// Returns how much of the log the read model contains.
    fn position(&self) -> Position;

    /// Returns the log from which the read model is built, or `None` before [`Store::begin`].
    ///
    /// # Errors
    /// See [`Error`].
    fn log(&self) -> Result<Option<LogIdentity>, Error>;

    /// Records the log from which the read model is built. Call it once, before the first event.
    ///
    /// # Errors
    /// Nothing was stored: retry.
    fn begin(&self, log: &LogIdentity) -> Result<(), Error>;

    /// Returns true if the read model once contained every event that the log then had.
    ///
    /// # Errors
    /// See [`Error`].
    fn is_whole(&self) -> Result<bool, Error>;

    /// Records that the read model contains every event of the log.
    ///
    /// # Errors
    /// Nothing was stored: retry.
    fn set_whole(&self) -> Result<(), Error>;

    /// Returns a report: its current revision, or the one that was current at `as_of`.
    ///
    /// # Errors
    /// See [`Error`].
    fn report(&self, key: &ReportKey, as_of: Option<OffsetDateTime>) -> Result<Option<StoredReport>, Error>;

    /// Returns when contents of a report were last erased, or `None` if none were.
    ///
    /// # Errors
    /// See [`Error`].
    fn erased_at(&self, key: &ReportKey) -> Result<Option<OffsetDateTime>, Error>;

    /// Returns where the documents of a report were filed last that were read again as another; `None` if none were.
    ///
    /// # Errors
    /// See [`Error`].
    fn moved_to(&self, key: &ReportKey) -> Result<Option<ReportKey>, Error>;

    /// Returns the arrivals after one whose documents were rejected, in the order of arrival.
    ///
    /// # Errors
    /// See [`Error`].
    fn rejected(&self, after: u64, limit: usize) -> Result<Vec<RejectedArrival>, Error>;

    /// Returns the arrivals and withdrawals of a report.
    ///
    /// # Errors
    /// See [`Error`].
    fn history(&self, key: &ReportKey) -> Result<History, Error>;

    /// Returns the current revisions of reports.
    ///
    /// # Errors
    /// See [`Error`].
    fn reports(&self, query: &ReportQuery) -> Result<Page<RevisionHeader>, Error>;

    /// Returns all revisions of one report, oldest first; empty if there is no such report.
    ///
    /// # Errors
    /// See [`Error`].
    fn revisions(
        &self,
        key: &ReportKey,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<RevisionHeader>, Error>;

    /// Returns the findings of current revisions.
    ///
    /// # Errors
    /// See [`Error`].
    fn findings(&self, query: &FindingQuery) -> Result<Page<FoundFinding>, Error>;

    /// Returns a finding of the current revision with everything that it depends on, or `None` if there is none with
    /// the fingerprint.
    ///
    /// # Errors
    /// See [`Error`].
    fn explained(&self, key: &ReportKey, fingerprint: &str) -> Result<Option<Explained>, Error>;

    /// Returns one waiver, ended or not.
    ///
    /// # Errors
    /// See [`Error`].
    fn waiver(&self, key: &ReportKey, id: &str) -> Result<Option<Waiver>, Error>;

    /// Returns the waivers, including ended ones, newest first.
    ///
    /// # Errors
    /// See [`Error`].
    fn waivers(&self, query: &WaiverQuery) -> Result<Page<FoundWaiver>, Error>;

    /// Returns up to `limit` waivers that have expired at `now` and have no recorded end, the first to expire first.
    ///
    /// # Errors
    /// See [`Error`].
    fn waivers_to_expire(&self, now: OffsetDateTime, limit: usize) -> Result<Vec<Waiver>, Error>;

    /// Returns valid waivers of reports of which nothing is left because they were filed under another agency, each with the waiver
    /// of the same finding there: the same decision, or the one that is stored already. A waiver without such a finding is left out.
    ///
    /// # Errors
    /// See [`Error`].
    fn waivers_to_move(&self, now: OffsetDateTime, limit: usize) -> Result<Vec<MovedWaiver>, Error>;

    /// Returns the facts of current revisions.
    ///
    /// # Errors
    /// See [`Error`].
    fn facts(&self, query: &FactQuery) -> Result<Page<FoundFact>, Error>;

    /// Returns up to `limit` changes after an ordinal, of one agency or of all; empty if there are none yet.
    ///
    /// # Errors
    /// See [`Error`].
    fn changes(&self, agency: Option<&AgencyKey>, after: u64, limit: usize) -> Result<Vec<Change>, Error>;

    /// Returns the ordinal of the newest change; 0 if there is none.
    ///
    /// # Errors
    /// See [`Error`].
    fn last_change(&self) -> Result<u64, Error>;

    /// Returns the identity of this read model: 16 hex digits, different after every rebuild.
    fn epoch(&self) -> &str;

    /// Returns the ordinal of a resume token.
    ///
    /// # Errors
    /// The inner error: the token belongs to another read model, or to a later state than this one (a restored copy).
    /// The outer one: see [`Error`].
    fn resume(&self, token: &ResumeToken) -> Result<Result<u64, ResumeError>, Error> {
        let known = token.epoch == self.epoch() && token.ordinal <= self.last_change()?;
        Ok(if known { Ok(token.ordinal) } else { Err(ResumeError::OtherEpoch) })
    }
}
