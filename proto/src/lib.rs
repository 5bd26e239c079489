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

use prost::Message as _;
use prost_types::FileDescriptorSet;

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

/// Returns the full name of every gRPC method of package `gongkai.v1`, such as `gongkai.v1.ReportService/GetReport`.
///
/// # Panics
/// Never: the descriptors are those of this crate.
#[must_use]
pub fn grpc_methods() -> Vec<String> {
    let files = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).expect("protox wrote these descriptors");
    let services = files.file.into_iter().flat_map(|file| {
        let package = file.package().to_owned();
        file.service.into_iter().map(move |service| (package.clone(), service))
    });
    services
        .flat_map(|(package, service)| {
            let methods =
                service.method.iter().map(|method| format!("{package}.{}/{}", service.name(), method.name()));
            methods.collect::<Vec<_>>()
        })
        .collect()
}
