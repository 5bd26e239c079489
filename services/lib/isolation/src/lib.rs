//! Reads documents in child processes, so that a reader's bug costs one document.
//!
//! A program that reads documents calls [`run_child`] first thing in its `main` and reads through [`Readers`].
//! `Readers` starts the same program again, as children that read documents and make marked copies of them, and do
//! nothing else: each has limits of memory and CPU time, and landlock and seccomp deny it the file system, the network
//! and other programs. Documents, reports and copies pass through pipes (`frame`, `message`, `remark_message`); `child` is one end, `process` the other. `wall` confines the child, `fault`
//! interprets its end, and `room` limits how many read at once. `received` turns an event into what the readers take.
//!
//! DESIGN.md has the reasons.

#![warn(missing_docs)]

mod child;
mod document;
mod fault;
mod frame;
mod message;
mod process;
mod readers;
mod received;
mod remark_message;
mod room;
#[cfg(feature = "testing")]
pub mod testing;
mod wall;

pub use child::run_child;
pub use document::RawDocument;
pub use fault::Unread;
pub use readers::{Readers, ReadersSettings};
pub use received::{ReceivedFile, received_files, received_statement};
pub use room::{CHILD_BYTES, ROOM_BYTES};
