//! The read model: the projector writes it, queries read it. It can be deleted and rebuilt from the log.
//!
//! [`Store`] is the trait, [`sqlite`] the only back end. Types are plain: no runtime, no wire format. All calls
//! block; a caller with an async runtime runs them on its blocking pool.
//!
//! **Order does not matter.** Every received document is an arrival, identified by the stream sequence of its
//! `DocumentReceived`. If there are several stage events about one arrival, the one of highest rank counts. The
//! current revision of a report is derived from the set of its arrivals and withdrawals ([`gongkai_lifecycle`]),
//! never from the order in which they were projected. The identity of their log is stored with them ([`log`]). Only
//! the [change feed](change) records an order: the one in which this read model saw the changes.

#![warn(missing_docs)]

pub mod arrival;
pub mod change;
mod digest;
pub mod error;
pub mod log;
pub mod query;
pub mod report;
pub mod sqlite;
mod store;

pub use arrival::{
    ArrivalEvent, ArrivalOutcome, Content, Origin, RejectedArrival, StoredProse, StoredSection,
};
pub use change::{Change, ChangeKind, ResumeError, ResumeToken};
pub use error::Error;
pub use log::{LogIdentity, Mark, Position};
pub use query::{Cursor, Page, ReportScope};
pub use report::{RevisionHeader, StoredReport};
pub use store::{Applied, Store, Write};
