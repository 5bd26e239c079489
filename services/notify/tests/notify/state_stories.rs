//! The state of one report over random events, in any order and through any crash.

use std::collections::{BTreeMap, BTreeSet};

use gongkai_notify::alerts::state::{ReportAlerts, ReportUpdate, Transition, UpdateKind};
use gongkai_proto::v1;
use proptest::{collection::vec, prelude::*, sample::select};

use crate::{
    running::URL,
    state::{OTHER_URL, check, open, read, waiver, withdrawal},
};

/// An event before its sequence is known.
#[derive(Debug, Clone)]
enum Draft {
    Check { received: u64, url: &'static str, findings: Vec<&'static str> },
    Withdrawal { url: &'static str },
    Waiver(&'static str),
}

fn draft() -> impl Strategy<Value = Draft> {
    let url = || select(vec![URL, OTHER_URL]);
    let findings = vec(select(vec!["a", "a@x", "a'@y", "b@x", "b'@y", "c@x", "c", "d", "gone"]), 0..4);
    prop_oneof![
        4 => (1..6_u64, url(), findings).prop_map(|(received, url, findings)| Draft::Check { received, url, findings }),
        1 => select(vec![URL, OTHER_URL, ""]).prop_map(|url| Draft::Withdrawal { url }),
        3 => select(vec!["a", "a2", "a'", "b", "-a", "-a'", "-c"]).prop_map(Draft::Waiver),
    ]
}

/// Generates events with sequences, and their deliveries: which event, and after how many outputs the process dies,
/// if it does.
fn story() -> impl Strategy<Value = (Vec<ReportUpdate>, Vec<(usize, Option<usize>)>)> {
    vec(draft(), 1..7).prop_flat_map(|drafts| {
        // One revision has one URL, and one content has one finding under one cause.
        let events: Vec<ReportUpdate> =
            (3..).step_by(1).zip(&drafts).map(|(sequence, draft)| update_of(sequence, draft)).collect();
        let count = events.len();
        let once_each = Just((0..count).collect::<Vec<_>>()).prop_shuffle();
        let crashes = vec((0..count, proptest::option::of(0..4_usize)), 0..6);
        (Just(events), crashes, once_each).prop_map(|(events, mut deliveries, once_each)| {
            deliveries.extend(once_each.into_iter().map(|at| (at, None)));
            (events, deliveries)
        })
    })
}

fn update_of(sequence: u64, draft: &Draft) -> ReportUpdate {
    match draft {
        Draft::Withdrawal { url } => withdrawal(sequence, url),
        Draft::Waiver(text) => waiver(sequence, text),
        Draft::Check { received, url, findings } => {
            let distinct: BTreeMap<&str, &str> =
                findings.iter().map(|text| (text.split(['@', '\'']).next().unwrap(), *text)).collect();
            check(sequence, *received, url, &distinct.into_values().collect::<Vec<_>>())
        }
    }
}

/// Returns the alerts that must be open in the end, from the events alone.
fn expected(events: &[ReportUpdate]) -> BTreeSet<String> {
    let newest = events.iter().filter_map(|event| match &event.change {
        UpdateKind::Validated { arrival, alerts, .. } => Some((event.sequence, arrival, alerts)),
        UpdateKind::Withdrawn(_)
        | UpdateKind::Waived(_)
        | UpdateKind::Erased(_)
        | UpdateKind::Left { .. } => None,
    });
    let Some((_, arrival, alerts)) = newest.max_by_key(|(sequence, arrival, _)| (arrival.rank, *sequence))
    else {
        return BTreeSet::new();
    };
    // If an arrival was parsed twice, the later event contains its URL.
    let readings = events.iter().filter_map(|event| match &event.change {
        UpdateKind::Validated { arrival: other, .. } if other.rank == arrival.rank => Some(other),
        _ => None,
    });
    let url = readings.max_by_key(|reading| reading.event).map_or("", |reading| reading.url.as_str());
    let gone = events.iter().any(|event| match &event.change {
        UpdateKind::Withdrawn(down) => down.rank > arrival.rank && (down.url.is_empty() || down.url == url),
        UpdateKind::Validated { .. }
        | UpdateKind::Waived(_)
        | UpdateKind::Erased(_)
        | UpdateKind::Left { .. } => false,
    });
    let waivers = || {
        events.iter().filter_map(|event| match &event.change {
            UpdateKind::Waived(waived) => Some(waived),
            _ => None,
        })
    };
    let is_ended = |name: &str| waivers().any(|waived| waived.name == name && waived.is_ended);
    let is_waived = |f: &v1::Finding| {
        waivers().any(|waived| {
            waived.fingerprint == f.fingerprint
                && waived.operands_digest == f.operands_digest
                && !is_ended(&waived.name)
        })
    };
    let found = alerts.iter().flat_map(|alert| &alert.findings);
    let standing = found.filter(|f| !is_waived(f) && (!gone || f.rule == "V-GONE"));
    standing.map(|f| f.fingerprint.clone()).collect()
}

proptest! {
    #[test]
    fn neither_order_nor_crashes_decide_what_is_open_or_lose_an_alert((events, deliveries) in story()) {
        let mut state = ReportAlerts::default();
        let mut ids = BTreeSet::new();
        // The last state of each alert, as a reader of the alert stream sees it.
        let mut believed = BTreeMap::new();
        for (at, dies_after) in &deliveries {
            if state.apply(&events[*at]) == Transition::Stale {
                continue;
            }
            for output in state.outputs().iter().take(dies_after.unwrap_or(usize::MAX)) {
                if ids.insert(output.message_id.clone()) {
                    let alert = read(output);
                    believed.insert(alert.alert_id.clone(), alert.state());
                }
            }
        }
        prop_assert_eq!(open(&state), expected(&events));
        let standing: BTreeSet<_> = believed.into_iter().filter(|(_, s)| *s == v1::AlertState::Raised).map(|(id, _)| id).collect();
        let held: BTreeSet<_> = state.open().iter().map(|alert| alert.alert_id.clone()).collect();
        prop_assert_eq!(standing, held);
    }
}
