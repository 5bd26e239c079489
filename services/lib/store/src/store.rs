//! The trait of a read model.

use gongkai_model::{AgencyKey, Erasure, ReportKey, Waiver, Withdrawal};
use time::OffsetDateTime;

use crate::{
    arrival::ArrivalEvent,
    change::{Change, ResumeError, ResumeToken},
    error::Error,
    log::{LogIdentity, Mark, Position},
    query::{
        Cursor, Explained, FactQuery, FindingQuery, FoundFact, FoundFinding, FoundWaiver, Page, ReportQuery,
        WaiverQuery,
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

/// One thing to store.
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
    /// The effect of this write and of another.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        if self == Self::Changed { self } else { other }
    }
}

/// A read model. All calls block.
///
/// Writes are idempotent and their order does not matter; each is one transaction that holds the projection and its
/// entry in the change feed. Reads see a consistent state.
///
/// # Errors
/// Every call fails with [`Error`]. The writer retries the same event, a reader reports the error to its client.
pub trait Store: Send + Sync + 'static {
    /// Applies writes and records the events that they came with, in one transaction.
    ///
    /// - An arrival is stored unless a later stage event about it is stored already.
    /// - A withdrawal may come before the arrivals that it takes down.
    /// - A waiver and its end may come in either order. Of two ends the earlier stays.
    /// - An erasure deletes the contents that it names, and nothing is stored of them from then on.
    ///
    /// # Errors
    /// Nothing was stored. `OtherLog`: an event is of another log. `OutOfRange`: one of the writes can never be stored.
    /// Otherwise retry.
    fn write(&self, writes: &[Write], marks: &[Mark]) -> Result<Applied, Error>;

    /// Stores an arrival that comes without an event.
    ///
    /// # Errors
    /// See [`Store::write`].
    fn put_arrival(&self, arrival: &ArrivalEvent) -> Result<Applied, Error> {
        self.write(&[Write::Arrival(Box::new(arrival.clone()))], &[])
    }

    /// Stores a withdrawal that comes without an event.
    ///
    /// # Errors
    /// See [`Store::write`].
    fn put_withdrawal(&self, withdrawal: &Withdrawal) -> Result<Applied, Error> {
        self.write(&[Write::Withdrawal(withdrawal.clone())], &[])
    }

    /// Stores a waiver that comes without an event.
    ///
    /// # Errors
    /// See [`Store::write`].
    fn put_waiver(&self, waiver: &Waiver) -> Result<Applied, Error> {
        self.write(&[Write::Waiver(waiver.clone())], &[])
    }

    /// Stores an erasure that comes without an event.
    ///
    /// # Errors
    /// See [`Store::write`].
    fn put_erasure(&self, erasure: &Erasure) -> Result<Applied, Error> {
        self.write(&[Write::Erasure(erasure.clone())], &[])
    }

    /// How much of the log it holds.
    fn position(&self) -> Position;

    /// The log that it is made from; `None` until [`Store::begin`].
    ///
    /// # Errors
    /// See [`Error`].
    fn log(&self) -> Result<Option<LogIdentity>, Error>;

    /// Records which log it is made from. Call it once, before the first event.
    ///
    /// # Errors
    /// Nothing was stored: retry.
    fn begin(&self, log: &LogIdentity) -> Result<(), Error>;

    /// True if it once held every event that the log then had.
    ///
    /// # Errors
    /// See [`Error`].
    fn is_whole(&self) -> Result<bool, Error>;

    /// Records that it holds every event that the log has.
    ///
    /// # Errors
    /// Nothing was stored: retry.
    fn set_whole(&self) -> Result<(), Error>;

    /// The report: its current revision, or the one that was current at `as_of`.
    ///
    /// # Errors
    /// See [`Error`].
    fn report(&self, key: &ReportKey, as_of: Option<OffsetDateTime>) -> Result<Option<StoredReport>, Error>;

    /// When contents of a report were erased last; `None` if none were.
    ///
    /// # Errors
    /// See [`Error`].
    fn erased_at(&self, key: &ReportKey) -> Result<Option<OffsetDateTime>, Error>;

    /// Current revisions of reports.
    ///
    /// # Errors
    /// See [`Error`].
    fn reports(&self, query: &ReportQuery) -> Result<Page<RevisionHeader>, Error>;

    /// All revisions of one report, oldest first; empty if there is no such report.
    ///
    /// # Errors
    /// See [`Error`].
    fn revisions(
        &self,
        key: &ReportKey,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<RevisionHeader>, Error>;

    /// Findings of current revisions.
    ///
    /// # Errors
    /// See [`Error`].
    fn findings(&self, query: &FindingQuery) -> Result<Page<FoundFinding>, Error>;

    /// A finding of the current revision with everything it rests on; `None` if there is none with the fingerprint.
    ///
    /// # Errors
    /// See [`Error`].
    fn explained(&self, key: &ReportKey, fingerprint: &str) -> Result<Option<Explained>, Error>;

    /// One waiver, ended or not.
    ///
    /// # Errors
    /// See [`Error`].
    fn waiver(&self, key: &ReportKey, id: &str) -> Result<Option<Waiver>, Error>;

    /// Waivers, ended ones too, newest first.
    ///
    /// # Errors
    /// See [`Error`].
    fn waivers(&self, query: &WaiverQuery) -> Result<Page<FoundWaiver>, Error>;

    /// Up to `limit` waivers that have expired at `now` and have no recorded end, the first to expire first.
    ///
    /// # Errors
    /// See [`Error`].
    fn waivers_to_expire(&self, now: OffsetDateTime, limit: usize) -> Result<Vec<Waiver>, Error>;

    /// Facts of current revisions.
    ///
    /// # Errors
    /// See [`Error`].
    fn facts(&self, query: &FactQuery) -> Result<Page<FoundFact>, Error>;

    /// Up to `limit` changes after an ordinal, of one agency or of all; empty if there are none yet.
    ///
    /// # Errors
    /// See [`Error`].
    fn changes(&self, agency: Option<&AgencyKey>, after: u64, limit: usize) -> Result<Vec<Change>, Error>;

    /// Ordinal of the newest change; 0 if there is none.
    ///
    /// # Errors
    /// See [`Error`].
    fn last_change(&self) -> Result<u64, Error>;

    /// Identifies this read model: 16 hex digits, different after every rebuild.
    fn epoch(&self) -> &str;

    /// The ordinal of a resume token.
    ///
    /// # Errors
    /// The inner error: the token is of another read model, or of a later state than this one (a restored copy). The outer
    /// one: see [`Error`].
    fn resume(&self, token: &ResumeToken) -> Result<Result<u64, ResumeError>, Error> {
        let known = token.epoch == self.epoch() && token.ordinal <= self.last_change()?;
        Ok(if known { Ok(token.ordinal) } else { Err(ResumeError::OtherEpoch) })
    }
}
