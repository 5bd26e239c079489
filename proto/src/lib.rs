//! The wire: protobuf messages and services of `gongkai.v1`, their subjects, the events of those subjects, and the
//! conversions between wire types and `gongkai-model`.
//!
//! [`v1`] is generated from `proto/gongkai/v1/*.proto` and checked in; `tests/codegen.rs` compares it with the
//! sources.

#![warn(missing_docs)]

pub mod convert;
pub mod event;
pub mod subjects;

pub use event::ReportEvent;

/// Messages and services of package `gongkai.v1`.
#[expect(
    missing_docs,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::missing_errors_doc,
    clippy::too_many_lines,
    reason = "generated code"
)]
#[rustfmt::skip]
#[path = "gen/gongkai.v1.rs"]
pub mod v1;

/// The compiled `.proto` files, for gRPC reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("gen/descriptors.bin");
