//! Facts join a history: the result is the same for every order, and a fact that comes again changes nothing.

use gongkai_model::{Arrival, History, TakenDown};

/// Records an arrival; false if nothing is new. Of two readings of one arrival the later event counts.
pub fn record_arrival(history: &mut History, arrival: &Arrival) -> bool {
    let sequence = arrival.rank.sequence();
    let at = history.arrivals.partition_point(|known| known.rank.sequence() < sequence);
    match history.arrivals.get_mut(at) {
        Some(known) if known.rank.sequence() == sequence => {
            let is_new = known.event < arrival.event;
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

/// Records a withdrawal; false if it, or one of the same address that ranks higher, is known.
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
