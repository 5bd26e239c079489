//! The read model: what queries read and the projector writes. It can be thrown away and rebuilt from the log.
//!
//! [`Store`] is the contract, [`sqlite`] the back end that ships. Types are plain: no runtime, no wire format. All
//! calls block; a caller with an async runtime runs them on its blocking pool.
//!
//! **Order does not matter.** Every original that came in is an arrival, known by the stream sequence of its
//! `DocumentReceived`; of several stage events about one arrival the one that ranks highest counts. What stands of a report
//! is derived from the set of its arrivals and withdrawals ([`gongkai_lifecycle`]), never from the order in which they
//! were projected. Only the [change feed](change) records an order: the one in which this read model saw the changes.

#![warn(missing_docs)]

pub mod arrival;
pub mod change;
mod digest;
pub mod error;
pub mod query;
pub mod report;
pub mod sqlite;
mod store;

pub use arrival::{ArrivalEvent, Content, Origin, Outcome, Prose, Section};
pub use change::{Change, ChangeKind, ResumeError, ResumeToken};
pub use error::Error;
pub use query::{Cursor, Page, Scope};
pub use report::{Report, RevisionHeader};
pub use store::{Applied, Store};
