//! The contract of a read model.

use gongkai_model::{AgencyKey, ReportKey, Waiver, Withdrawal};
use time::OffsetDateTime;

use crate::{
    arrival::ArrivalEvent,
    change::{Change, ResumeError, ResumeToken},
    error::Error,
    query::{
        Cursor, Explained, FactQuery, FindingQuery, FoundFact, FoundFinding, FoundWaiver, Page, ReportQuery,
        WaiverQuery,
    },
    report::{Report, RevisionHeader},
};

/// What a write did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Applied {
    /// Nothing that a reader could see.
    Unseen,
    /// The change feed has at least one new entry.
    Changed,
}

/// A read model. All calls block.
///
/// Writes are idempotent and their order does not matter; each is one transaction that holds the projection and its
/// entry in the change feed. Reads see a consistent state.
///
/// # Errors
/// Every call fails with [`Error`]; the writer tries the same event again, a reader answers its client.
pub trait Store: Send + Sync + 'static {
    /// Stores what became of an arrival, unless a later stage event about it is stored already.
    ///
    /// # Errors
    /// Nothing was stored: the caller tries again.
    fn put_arrival(&self, arrival: &ArrivalEvent) -> Result<Applied, Error>;

    /// Stores a withdrawal, which may come before what it takes down.
    ///
    /// # Errors
    /// Nothing was stored: the caller tries again.
    fn put_withdrawal(&self, withdrawal: &Withdrawal) -> Result<Applied, Error>;

    /// Stores a waiver as it stands, or its end, which may come first. Of two ends the earlier stays.
    ///
    /// # Errors
    /// Nothing was stored: the caller tries again.
    fn put_waiver(&self, waiver: &Waiver) -> Result<Applied, Error>;

    /// The report: its newest revision, or the one that was the newest at `as_of`.
    ///
    /// # Errors
    /// See [`Error`].
    fn report(&self, key: &ReportKey, as_of: Option<OffsetDateTime>) -> Result<Option<Report>, Error>;

    /// Newest revisions of reports.
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

    /// Findings of newest revisions.
    ///
    /// # Errors
    /// See [`Error`].
    fn findings(&self, query: &FindingQuery) -> Result<Page<FoundFinding>, Error>;

    /// A finding of the newest revision with everything it stands on; `None` if it has none such.
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

    /// Up to `limit` waivers whose time ran out at `now` and that nothing ended yet, the oldest first.
    ///
    /// # Errors
    /// See [`Error`].
    fn waivers_to_expire(&self, now: OffsetDateTime, limit: usize) -> Result<Vec<Waiver>, Error>;

    /// Facts of newest revisions.
    ///
    /// # Errors
    /// See [`Error`].
    fn facts(&self, query: &FactQuery) -> Result<Page<FoundFact>, Error>;

    /// Up to `limit` changes behind an ordinal, of one agency or of all; empty if there are none yet.
    ///
    /// # Errors
    /// See [`Error`].
    fn changes(&self, agency: Option<&AgencyKey>, after: u64, limit: usize) -> Result<Vec<Change>, Error>;

    /// Ordinal of the newest change; 0 if there is none.
    ///
    /// # Errors
    /// See [`Error`].
    fn last_change(&self) -> Result<u64, Error>;

    /// The name of this read model's life: 16 hex digits, another after every rebuild.
    fn epoch(&self) -> &str;

    /// The ordinal that a token stands behind.
    ///
    /// # Errors
    /// Inside: the token is of another read model, or of a later state than this one (a restored copy). Outside: see
    /// [`Error`].
    fn resume(&self, token: &ResumeToken) -> Result<Result<u64, ResumeError>, Error> {
        let known = token.epoch == self.epoch() && token.ordinal <= self.last_change()?;
        Ok(if known { Ok(token.ordinal) } else { Err(ResumeError::OtherEpoch) })
    }
}
