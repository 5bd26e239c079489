//! Distinguishes a part that is full from one that stores nothing for another reason.
//!
//! A limit is reached if the broker reports so, or if it refuses a message for lack of space. Only the refusal
//! reveals the limit of a server, because only the server's operator may query that.

use std::fmt;

use super::judge::Inventory;
use crate::transport::{Storage, TopologyPart};

/// A limit counts as reached when less than this share of it is left: 1 in 100.
const SHARE: u64 = 100;

/// A limit that is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortage {
    /// The part whose own limit is reached. `None` if the limit of the account is reached.
    pub part: Option<TopologyPart>,
    /// Bytes in use.
    pub bytes: u64,
    /// Maximum number of bytes.
    pub limit: u64,
}

// === impl Shortage ===

/// Returns the limits that are reached.
#[must_use]
pub fn shortages(inventory: &Inventory, storage: Storage) -> Vec<Shortage> {
    let of_part = |(part, held): &_| {
        let held: &crate::transport::StreamState = Option::as_ref(held)?;
        shortage(Some(*part), held.storage)
    };
    inventory.iter().filter_map(of_part).chain(shortage(None, storage)).collect()
}

fn shortage(part: Option<TopologyPart>, Storage { bytes, limit }: Storage) -> Option<Shortage> {
    let limit = limit?;
    (bytes >= limit - limit / SHARE).then_some(Shortage { part, bytes, limit })
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { part, bytes, limit } = self;
        match part {
            Some(part) => write!(f, "{part} is full ({bytes} of {limit} bytes)"),
            None => write!(f, "the broker's account is full ({bytes} of {limit} bytes)"),
        }
    }
}

/// Describes what is full and what to do. `refused` are parts that refuse messages.
pub(super) fn sentence(shortages: &[Shortage], refused: &[TopologyPart]) -> Option<String> {
    let mut full: Vec<_> = shortages.iter().map(ToString::to_string).collect();
    let is_named = |part: &&TopologyPart| !shortages.iter().any(|s| s.part.is_none_or(|full| full == **part));
    full.extend(
        refused.iter().filter(is_named).map(|part| format!("{part} refuses messages as there is no room")),
    );
    (!full.is_empty()).then(|| format!("STORAGE_FULL: {}: {WHAT_TO_DO}", full.join(", ")))
}

/// The advice about a limit that is reached.
pub const WHAT_TO_DO: &str = "raise nats.stream_max_bytes and restart one service if a stream's own limit is reached, \
                              else the storage limit of nats-server (jetstream.max_file_store) or of its account; what \
                              waits goes on by itself";

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;
    use crate::transport::StreamState;

    const LOG: TopologyPart = TopologyPart::Stream("LOG");

    fn inventory(bytes: u64, limit: Option<u64>) -> Inventory {
        let state = StreamState {
            created: OffsetDateTime::UNIX_EPOCH,
            first_sequence: 1,
            last_sequence: 1,
            storage: Storage { bytes, limit },
        };
        vec![(LOG, Some(state)), (TopologyPart::Entries("gone"), None)]
    }

    #[test]
    fn a_limit_is_reached_when_next_to_nothing_is_left() {
        let full = |bytes, limit| shortages(&inventory(bytes, limit), Storage::default()).len();
        assert_eq!((full(980, Some(1000)), full(990, Some(1000)), full(5000, None)), (0, 1, 0));
        let account = Storage { bytes: 7, limit: Some(7) };
        assert_eq!(
            shortages(&inventory(1, Some(1000)), account),
            [Shortage { part: None, bytes: 7, limit: 7 }]
        );
    }

    #[test]
    fn it_is_said_once_and_with_what_to_do() {
        let of_stream = shortages(&inventory(1000, Some(1000)), Storage::default());
        let said = sentence(&of_stream, &[LOG, TopologyPart::Objects("files")]).unwrap();
        assert!(said.starts_with(
            "STORAGE_FULL: stream LOG is full (1000 of 1000 bytes), object bucket files refuses"
        ));
        assert!(said.contains("nats.stream_max_bytes"), "{said}");
        assert_eq!(sentence(&[], &[]), None);
    }
}
