//! Compares the broker's parts with the remembered ones.

use std::fmt;

use super::record::{PartRecord, PartRecords};
use crate::transport::{StreamState, TopologyPart};

/// The state of each part in the broker; `None` if the part does not exist.
pub type Inventory = Vec<(TopologyPart, Option<StreamState>)>;

/// A part that is not in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostPart {
    /// The part.
    pub part: TopologyPart,
    /// The fault of the part.
    pub loss: Loss,
}

/// The fault of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loss {
    /// The part does not exist any more.
    Missing {
        /// The last sequence that the part had.
        last: u64,
    },
    /// The part was deleted and created again.
    Replaced {
        /// Creation time of the remembered part.
        was: String,
        /// Creation time of the present part.
        is: String,
    },
    /// The last sequence of the part went back: it is an older copy, or its last messages are lost.
    Older {
        /// The remembered last sequence.
        was: u64,
        /// The present last sequence.
        is: u64,
    },
}

/// Returns the parts that are not in place. A part without a record is in place, whether or not it exists yet.
///
/// The memory of a process is newer than the marker. If there is one, it takes precedence, unless an operator has
/// accepted the present parts since.
#[must_use]
pub fn judge(
    inventory: &Inventory,
    marker: Option<&PartRecords>,
    memory: Option<&PartRecords>,
) -> Vec<LostPart> {
    let memory = memory.filter(|memory| !is_accepted(marker, memory));
    let known = |part| memory.and_then(|memory| memory.get(part)).or_else(|| marker?.get(part));
    let judge_one = |(part, held): &(TopologyPart, Option<StreamState>)| {
        Some(LostPart { part: *part, loss: loss(known(*part)?, *held)? })
    };
    inventory.iter().filter_map(judge_one).collect()
}

/// Returns true if an operator accepted the present parts after `memory` was recorded.
#[must_use]
pub fn is_accepted(marker: Option<&PartRecords>, memory: &PartRecords) -> bool {
    marker.is_some_and(|marker| marker.accepted_ms > memory.accepted_ms)
}

fn loss(known: &PartRecord, held: Option<StreamState>) -> Option<Loss> {
    let Some(held) = held else { return Some(Loss::Missing { last: known.last_sequence }) };
    let seen = PartRecord::from(&held);
    if seen.created_at != known.created_at {
        return Some(Loss::Replaced { was: known.created_at.clone(), is: seen.created_at });
    }
    (seen.last_sequence < known.last_sequence)
        .then_some(Loss::Older { was: known.last_sequence, is: seen.last_sequence })
}

/// Describes in one sentence what is wrong and what to do.
#[must_use]
pub fn sentence(faults: &[LostPart]) -> String {
    /// Maximum number of faults that are named. Further ones are only counted.
    const NAMED: usize = 3;
    let named: Vec<_> = faults.iter().take(NAMED).map(ToString::to_string).collect();
    let more = faults.len().saturating_sub(NAMED);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    let named = named.join(", ");
    format!(
        "{named}{more}: put the broker's store back, or accept what is there with gongkai doctor --repair"
    )
}

impl fmt::Display for LostPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = self.part;
        match &self.loss {
            Loss::Missing { last } => write!(f, "{part} is missing (it ended at {last})"),
            Loss::Replaced { was, is } => write!(f, "{part} is another one (of {is}, not of {was})"),
            Loss::Older { was, is } => write!(f, "{part} ends at {is} and ended at {was} before"),
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::transport::Storage;

    const LOG: TopologyPart = TopologyPart::Stream("LOG");
    const BUCKET: TopologyPart = TopologyPart::Entries("bucket");

    fn held(hour: u8, last_sequence: u64) -> StreamState {
        let created = datetime!(2026-01-01 00:00 UTC).replace_hour(hour).unwrap();
        StreamState { created, first_sequence: 1, last_sequence, storage: Storage::default() }
    }

    fn known(parts: &[(TopologyPart, StreamState)]) -> PartRecords {
        let mut known = PartRecords::default();
        for (part, held) in parts {
            known.set(*part, held);
        }
        known
    }

    fn losses(
        inventory: &Inventory,
        marker: Option<&PartRecords>,
        memory: Option<&PartRecords>,
    ) -> Vec<(TopologyPart, Loss)> {
        judge(inventory, marker, memory).into_iter().map(|fault| (fault.part, fault.loss)).collect()
    }

    #[test]
    fn a_first_start_and_a_new_part_of_a_new_version_are_in_place() {
        assert!(judge(&vec![(LOG, None), (BUCKET, None)], None, None).is_empty());
        let marker = known(&[(LOG, held(1, 5))]);
        assert!(judge(&vec![(LOG, Some(held(1, 5))), (BUCKET, None)], Some(&marker), None).is_empty());
    }

    #[test]
    fn a_part_that_the_marker_knows_must_be_there() {
        let marker = known(&[(LOG, held(1, 5)), (BUCKET, held(1, 2))]);
        let inventory = vec![(LOG, None), (BUCKET, Some(held(2, 0)))];
        let found = losses(&inventory, Some(&marker), None);
        assert_eq!(found[0], (LOG, Loss::Missing { last: 5 }));
        assert!(matches!(found[1], (BUCKET, Loss::Replaced { .. })), "{found:?}");
    }

    #[test]
    fn memory_notices_the_loss_of_everything_and_an_older_copy_of_everything() {
        let memory = known(&[(LOG, held(1, 9))]);
        assert_eq!(losses(&vec![(LOG, None)], None, Some(&memory)), [(LOG, Loss::Missing { last: 9 })]);
        let older = known(&[(LOG, held(1, 5))]);
        let inventory = vec![(LOG, Some(held(1, 5)))];
        assert_eq!(losses(&inventory, Some(&older), Some(&memory)), [(LOG, Loss::Older { was: 9, is: 5 })]);
    }

    #[test]
    fn what_an_operator_accepted_holds_until_an_older_copy_comes() {
        let memory = known(&[(LOG, held(1, 9))]);
        let accepted = PartRecords { accepted_ms: 7, ..known(&[(LOG, held(3, 0))]) };
        let inventory = vec![(LOG, Some(held(3, 0)))];
        assert!(judge(&inventory, Some(&accepted), Some(&memory)).is_empty());
        // The process has adopted the accepted part; then the old store returns.
        let marker = known(&[(LOG, held(1, 5))]);
        assert_eq!(judge(&vec![(LOG, Some(held(1, 5)))], Some(&marker), Some(&accepted)).len(), 1);
    }

    #[test]
    fn a_sentence_names_a_few_and_counts_the_rest() {
        let fault = |part| LostPart { part, loss: Loss::Missing { last: 7 } };
        let text = sentence(&[fault(LOG), fault(BUCKET), fault(LOG), fault(LOG)]);
        assert!(text.starts_with("stream LOG is missing (it ended at 7), entry bucket bucket is"), "{text}");
        assert!(text.contains(" and 1 more: put the broker's store back"), "{text}");
    }
}
