//! Watches the deadlines of listed agencies: reminds before, says when a report is missing, and when it comes late.
//!
//! What is said next about an agency and a year follows from [`timetable`], a pure function of the deadline, of the report's
//! publications, of what was said before and of the time. It is evaluated on two occasions:
//!
//! - [`sweep`]: a durable timer of the broker fires when the next reminder or the next missing report of any agency is
//!   due. There is one timer for the whole list, however long, because agencies share few deadlines. Only the agencies
//!   with a step since the last sweep are looked at.
//! - An event changes a report after its deadline: it came, or was withdrawn.
//!
//! **Once.** A message is published under an id that derives from agency, year and step, then the step is saved by
//! compare-and-set. A crash in between publishes it again under the same id, which the stream's duplicate window drops;
//! after that, the record of deliveries does. This holds whoever evaluates, so correctness needs no elected replica.
//! One is elected nevertheless, so that a sweep is not done twice: the consumer of the timer has one message in flight
//! over all replicas.
//!
//! **What counts.** Days are days of China, and the last day counts entirely. A report is published on the day that its
//! publisher states, or else when it was received. The report is there while its current revision is not withdrawn.
//! A weekend moves no deadline.
//!
//! **What is not said.** Steps before the first sweep: a list that is imported in autumn says nothing about January.
//! Nothing is said about agencies that are not listed, or without a deadline.

mod china;
pub mod config;
mod evaluator;
mod notice;
pub mod publications;
pub mod said;
pub mod step;
pub mod sweep;
pub mod timetable;

pub use self::{
    config::DeadlineConfig,
    evaluator::Evaluator,
    sweep::{Alarm, Sweeper},
};
