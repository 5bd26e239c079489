//! Takes reports in: HTTP and gRPC to the object store and JetStream.
//!
//! Read in this order: [`intake`] is the acceptance and its order of steps; [`http`] and [`grpc`] are the two ways in,
//! over [`cloudevent`], [`publication`] and [`submission`]; [`gate`] and [`signature`] decide who may; [`ledger`],
//! [`state`] and [`progress`] keep the receipts.

pub mod cloudevent;
pub mod config;
pub mod dry_run;
pub mod fetch;
pub mod gate;
pub mod grpc;
pub mod http;
pub mod intake;
pub mod ledger;
pub mod offload;
pub mod problem;
pub mod progress;
pub mod publication;
pub mod receipt;
pub mod server;
pub mod signature;
pub mod state;
pub mod submission;
