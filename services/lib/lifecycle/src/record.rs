//! Adds facts to a history. The result does not depend on their order, and repeating a fact changes nothing.

use gongkai_model::{Arrival, History, TakenDown};

/// Records an arrival. Returns false if nothing changed.
///
/// If the same arrival was parsed twice, the later event replaces the earlier one. After a loss, another log may have
/// an arrival under the same sequence; the later of the two replaces the earlier.
pub fn record_arrival(history: &mut History, arrival: &Arrival) -> bool {
    let sequence = arrival.rank.sequence();
    let at = history.arrivals.partition_point(|known| known.rank.sequence() < sequence);
    match history.arrivals.get_mut(at) {
        Some(known) if known.rank.sequence() == sequence => {
            let is_new = (known.rank, known.event) < (arrival.rank, arrival.event);
            if is_new {
                known.clone_from(arrival);
            }
            is_new
        }
        _ => {
            history.arrivals.insert(at, arrival.clone());
            true
        }
    }
}

/// Records a withdrawal. Returns false if one of the same URL with the same or a higher rank was known.
pub fn record_withdrawal(history: &mut History, withdrawal: &TakenDown) -> bool {
    let at = history.taken_down.partition_point(|known| known.url < withdrawal.url);
    match history.taken_down.get_mut(at) {
        Some(known) if known.url == withdrawal.url => {
            let is_new = known.rank < withdrawal.rank;
            known.rank = known.rank.max(withdrawal.rank);
            is_new
        }
        _ => {
            history.taken_down.insert(at, withdrawal.clone());
            true
        }
    }
}

/// Records that contents were erased permanently. Returns false if that was known.
pub fn record_erasure(history: &mut History, content_hashes: &[String]) -> bool {
    let known = history.erased.len();
    history.erased.extend(content_hashes.iter().cloned());
    history.erased.len() > known
}

/// Records that an arrival was read again as another report, by this event. Returns false if the same or a later event was known.
///
/// The arrival no longer counts here, unless a later event reads it as this report again.
pub fn record_departure(history: &mut History, arrival: u64, event: u64) -> bool {
    let known = history.departures.entry(arrival).or_default();
    let is_new = *known < event;
    *known = event.max(*known);
    is_new
}
