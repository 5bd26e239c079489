//! The message runtime that every stage runs in.
//!
//! It receives a message, calls the stage's [`Handler`], publishes the outputs, and acknowledges the message.

#![warn(missing_docs)]

mod about;
mod admin;
pub mod alone;
mod attempts;
pub mod batcher;
mod broker_figures;
pub mod clock;
pub mod config;
mod consumer;
mod cpu;
pub mod dead_letter;
mod delivery;
pub mod filesystem;
pub mod handler;
mod heap;
pub mod holdings;
pub mod host;
pub mod inert;
mod instruments;
mod job_set;
mod liveness;
pub mod metrics;
mod outage;
pub mod output;
mod own_stores;
pub mod panics;
pub mod plan;
mod process;
mod publisher;
pub mod readiness;
pub mod record_store;
mod recurring;
pub mod repetition;
pub mod replica;
mod retry;
pub mod run;
pub mod runtime;
pub mod server;
pub mod service;
pub mod shutdown;
mod stores;
mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;
pub mod trace;
pub mod transport;
pub mod waiting;

pub use about::{About, NAMESPACE};
pub use alone::Alone;
pub use batcher::{Batcher, by_halves};
pub use clock::Clock;
pub use config::{Common, Config, Secret, SecretUrl, bind_guard};
pub use handler::{Context, Decision, Handler, Once, Raw};
pub use host::Process;
pub use metrics::{Counter, Figure, Histogram, UpDownCounter};
pub use output::Output;
pub use panics::Panicked;
pub use plan::Consume;
pub use readiness::Latch;
pub use record_store::{Record, RecordStore};
pub use recurring::Recurring;
pub use repetition::Repetition;
pub use replica::Replica;
pub use retry::spread_out;
pub use run::main;
pub use runtime::Runtime;
pub use server::CallerName;
pub use service::Service;
pub use shutdown::OnFailure;
pub use transport::{LINK_HEADER, MESSAGE_ID, Message, Published, Topology, Transport};
pub use waiting::WaitingMessage;

/// The allocator of every program. Each `main.rs` installs it with `#[global_allocator]`.
///
/// Messages are allocated by the thousand and freed on other threads. The system's allocator spends a third of a hop's
/// CPU time on that (`benches/hops.rs`).
pub use mimalloc::MiMalloc as Allocator;
