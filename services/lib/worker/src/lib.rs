//! The message runtime every stage runs in: take a message, call a function, publish, acknowledge.

#![warn(missing_docs)]

mod about;
mod admin;
pub mod clock;
pub mod config;
mod consumer;
mod cpu;
pub mod dead_letter;
mod delivery;
pub mod handler;
pub mod host;
mod instruments;
mod lane;
pub mod lifecycle;
mod liveness;
pub mod metrics;
mod outage;
pub mod output;
pub mod panics;
pub mod plan;
mod process;
mod publisher;
pub mod readiness;
pub mod record_store;
mod retry;
pub mod run;
pub mod runtime;
pub mod service;
mod stores;
mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;
pub mod trace;
pub mod transport;

pub use about::About;
pub use clock::Clock;
pub use config::{Common, Config, Secret, bind_guard};
pub use handler::{Context, Decision, Handler, Raw};
pub use host::Process;
pub use lifecycle::OnFailure;
pub use metrics::{Counter, Histogram};
pub use output::Output;
pub use panics::Panicked;
pub use plan::Consume;
pub use readiness::Latch;
pub use record_store::{Record, RecordStore};
pub use run::main;
pub use runtime::Runtime;
pub use service::Service;
pub use transport::{LINK_HEADER, Message, Published, Topology, Transport};

/// Every program's allocator: messages come and go by the thousand, of all sizes and freed by other threads than took
/// them, which the system's allocator pays for with a third of a hop's CPU time (`benches/hops.rs`).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What all programs' names begin with.
pub const NAMESPACE: &str = "gongkai";

/// `service.name` in traces and `ce-source` in messages.
pub(crate) fn service_name(service: &str) -> String {
    format!("{NAMESPACE}-{service}")
}
