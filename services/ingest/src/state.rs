//! Merges updates of a receipt. The result is the same for every order of the updates.
//!
//! States are ranked: received < parsed < dead < validated, rejected, withdrawn < unchanged. The state of higher rank
//! wins; between equal ranks, the event of higher stream sequence. Dead ranks below the outcomes because a replayed
//! dead letter may still lead to one. `unchanged` ranks highest: if parse reads the content all the same, the result
//! adds nothing. Fields that only one side has (report, revision, trace, times, the effect of a withdrawal) are kept.
//! Two simultaneous calls for one submission have two times of arrival: the one in the log counts ([`learn`]).

use gongkai_proto::v1::{Receipt, SubmissionState as State, Withdrawal, WithdrawalHit};

/// Returns true if no further change of state is expected.
#[must_use]
pub fn is_final(receipt: &Receipt) -> bool {
    rank(receipt) >= rank_of(State::Dead)
}

/// Merges an update into a known receipt.
#[must_use]
pub fn merge(known: Receipt, update: Receipt) -> Receipt {
    let order = |receipt: &Receipt| (rank(receipt), receipt.sequence);
    // Updates of the stages do not contain the epoch.
    let log_epoch = known.log_epoch.max(update.log_epoch);
    let times = (known.event_time.or(update.event_time), known.received_at.or(update.received_at));
    let (mut winner, loser) =
        if order(&update) > order(&known) { (update, known.clone()) } else { (known.clone(), update) };
    winner.log_epoch = log_epoch;
    fill(&mut winner.submission_id, loser.submission_id);
    fill(&mut winner.report, loser.report);
    fill(&mut winner.revision, loser.revision);
    fill(&mut winner.duplicate_of, loser.duplicate_of);
    fill(&mut winner.supersedes, loser.supersedes);
    (winner.event_time, winner.received_at) = times;
    fill(&mut winner.callback_site, loser.callback_site);
    fill(&mut winner.agency_name, loser.agency_name);
    fill(&mut winner.site, loser.site);
    let hit = |hit: &Option<Withdrawal>| hit.as_ref().map(|hit| hit.hit() == WithdrawalHit::Report);
    if hit(&loser.withdrawal) > hit(&winner.withdrawal) {
        winner.withdrawal = loser.withdrawal;
    }
    // Events of the stages contain these fields completely, even if they are empty.
    if !matches!(winner.state(), State::Parsed | State::Validated | State::Rejected) {
        winner.differences = loser.differences;
        winner.parts = loser.parts;
    }
    // Keep the trace of the first acceptance.
    if !known.trace_id.is_empty() {
        winner.trace_id = known.trace_id;
    } else if winner.trace_id.is_empty() {
        winner.trace_id = loser.trace_id;
    }
    winner
}

/// Merges an update from the log.
#[must_use]
pub fn learn(known: Receipt, told: Receipt) -> Receipt {
    let (event_time, received_at) = (told.event_time, told.received_at);
    let merged = merge(known, told);
    Receipt {
        event_time: event_time.or(merged.event_time),
        received_at: received_at.or(merged.received_at),
        ..merged
    }
}

fn fill(field: &mut String, other: String) {
    if field.is_empty() {
        *field = other;
    }
}

fn rank(receipt: &Receipt) -> u8 {
    rank_of(receipt.state())
}

fn rank_of(state: State) -> u8 {
    match state {
        State::Unspecified => 0,
        State::Received => 1,
        State::Parsed => 2,
        State::Dead => 3,
        State::Validated | State::Rejected | State::Withdrawn => 4,
        State::Unchanged => 5,
    }
}

#[cfg(test)]
mod tests {
    use gongkai_proto::v1::{Difference, FindingsSummary};
    use prost_types::Timestamp;

    use super::*;

    fn update(state: State, sequence: u64) -> Receipt {
        let mut update =
            Receipt { submission_id: "s-1".into(), trace_id: "t".into(), sequence, ..Receipt::default() };
        update.set_state(state);
        match state {
            State::Received => update.revision = "hash".into(),
            State::Parsed => {
                update.report = "agencies/a/reports/2023".into();
                update.differences = vec![Difference { field: "year".into(), ..Difference::default() }];
            }
            State::Validated => {
                update.findings =
                    Some(FindingsSummary { error: u32::try_from(sequence).unwrap(), ..Default::default() });
            }
            _ => {}
        }
        update
    }

    #[test]
    fn every_order_of_arrival_gives_the_same_receipt() {
        let all = [
            update(State::Received, 1),
            update(State::Parsed, 2),
            update(State::Dead, 900),
            update(State::Validated, 3),
            update(State::Validated, 7),
        ];
        let mut results = Vec::new();
        permute(&mut all.to_vec(), 0, &mut |order| {
            let twice = order.iter().chain(order).cloned();
            results.push(twice.fold(Receipt::default(), merge));
        });
        assert_eq!(results.len(), 120);
        assert!(results.iter().all(|result| *result == results[0]), "{results:#?}");
        assert_eq!(results[0].state(), State::Validated);
        assert_eq!(results[0].findings.unwrap().error, 7);
        assert_eq!(results[0].differences, [], "the later judgement knows of none");
        assert_eq!(
            (results[0].report.as_str(), results[0].revision.as_str()),
            ("agencies/a/reports/2023", "hash")
        );
    }

    #[test]
    fn of_two_calls_at_once_the_one_in_the_log_gives_the_times() {
        let at = |seconds| Some(Timestamp { seconds, nanos: 0 });
        let call = |seconds| Receipt { received_at: at(seconds), ..update(State::Received, 1) };
        let answered = merge(merge(Receipt::default(), call(7)), call(6));
        assert_eq!(answered.received_at, at(7), "the second caller is told what the first was told");
        let told = Receipt { event_time: at(3), ..call(6) };
        for known in [learn(answered.clone(), told.clone()), merge(told, answered)] {
            assert_eq!((known.event_time, known.received_at), (at(3), at(6)));
        }
    }

    fn permute(items: &mut Vec<Receipt>, at: usize, visit: &mut impl FnMut(&[Receipt])) {
        if at == items.len() {
            return visit(items);
        }
        for i in at..items.len() {
            items.swap(at, i);
            permute(items, at + 1, visit);
            items.swap(at, i);
        }
    }

    #[test]
    fn received_and_parsed_are_not_final() {
        let all = [State::Unspecified, State::Received, State::Parsed];
        assert!(all.iter().all(|state| !is_final(&update(*state, 1))));
        let done = [State::Dead, State::Validated, State::Rejected, State::Withdrawn, State::Unchanged];
        assert!(done.iter().all(|state| is_final(&update(*state, 1))));
    }
}
