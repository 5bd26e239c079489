//! Tests of notify: the state alone, then over the memory transport, then over HTTP, then over a real broker.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

mod alerts;
mod away;
mod callbacks;
mod deadlines;
mod delivery;
mod faults;
mod outage;
mod receiver;
mod running;
mod state;
mod state_stories;
mod storm;
