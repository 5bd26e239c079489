//! Merges updates of a receipt. The result is the same for every order of the updates.
//!
//! States are ranked: received < parsed < dead < validated, rejected, withdrawn < unchanged. The state of higher rank wins;
//! between equal ranks, the event of higher stream sequence. Dead ranks below the outcomes because a replayed dead letter
//! may still lead to one. `unchanged` ranks highest: if it is read all the same, it brings nothing new. Fields that only one side
//! knows (report, revision, trace, what a withdrawal hit) are kept.

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
    // Updates of the stages do not have it.
    let log_epoch = known.log_epoch.max(update.log_epoch);
    let (mut winner, loser) =
        if order(&update) > order(&known) { (update, known.clone()) } else { (known.clone(), update) };
    winner.log_epoch = log_epoch;
    fill(&mut winner.submission_id, loser.submission_id);
    fill(&mut winner.report, loser.report);
    fill(&mut winner.revision, loser.revision);
    fill(&mut winner.duplicate_of, loser.duplicate_of);
    fill(&mut winner.supersedes, loser.supersedes);
    let hit = |hit: &Option<Withdrawal>| hit.as_ref().map(|hit| hit.hit() == WithdrawalHit::Report);
    if hit(&loser.withdrawal) > hit(&winner.withdrawal) {
        winner.withdrawal = loser.withdrawal;
    }
    // The stages say all there is to say of these, also that there is nothing.
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
