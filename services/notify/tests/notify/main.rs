//! Tests of notify: the state alone, then over the memory transport, then over HTTP.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

mod alerts;
mod delivery;
mod receiver;
mod running;
mod state;
