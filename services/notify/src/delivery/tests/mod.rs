//! Subscriptions with a pace, over the memory transport and in virtual time. The receiver is a channel in memory.

mod digests;
mod stage;
