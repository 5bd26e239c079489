//! Test support: a temporary nats-server, a temporary S3 server, processes and ports, captured log lines, and the test cases that every transport must pass.
//!
//! This module is behind the feature `testing`. No program contains it.

pub mod log_capture;
pub mod nats_server;
pub mod ports;
pub mod s3_server;
pub mod suspend;
pub mod transport_suite;

pub use log_capture::LogCapture;
pub use nats_server::NatsServer;
pub use ports::free_port;
pub use s3_server::S3Server;
pub use suspend::suspend;
