//! Takes reports in: HTTP and gRPC to the object store and JetStream.

pub mod cloudevent;
pub mod config;
pub mod fetch;
pub mod gate;
pub mod intake;
pub mod ledger;
pub mod problem;
pub mod progress;
pub mod publication;
pub mod receipt;
pub mod signature;
pub mod state;
pub mod submission;
