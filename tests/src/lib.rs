//! The harness of the end-to-end tests: samples with their answers, their scorecard, deployments of real processes
//! over a real nats-server, an OTLP receiver. The tests themselves are in `tests/tests/`, one file per question.

pub mod chaos;
pub mod collector;
pub mod county;
pub mod deployment;
pub mod facts;
pub mod http;
pub mod lives;
pub mod metrics;
pub mod neighbourhood;
mod process;
mod programs;
pub mod samples;
pub mod scorecard;
