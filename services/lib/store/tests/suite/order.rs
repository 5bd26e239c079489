//! The state does not depend on the order or repetition of events, and every reader of the feed reaches that state.

use std::collections::BTreeMap;

use gongkai_model::{Erasure, ReportKey, Waiver, Withdrawal};
use gongkai_store::query::{
    FactQuery, FindingQuery, FoundFact, FoundFinding, FoundWaiver, Judgement, ReportQuery, WaiverQuery,
};
use gongkai_store::{Applied, ArrivalEvent, ChangeKind, RevisionHeader, Store, StoredReport};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::Opened;
use super::sample::{ended, erasure, key, rejected, validated, waiver, withdrawal};

#[derive(Debug, Clone)]
enum LogEvent {
    Arrival(ArrivalEvent),
    Withdrawal(Withdrawal),
    Waiver(Waiver),
    Erasure(Erasure),
}

fn keys() -> [ReportKey; 3] {
    [key("361001", 2022), key("361001", 2023), key("361002", 2023)]
}

/// Returns the hash of an arrival, which determines its address. Several arrivals share one.
fn hash(received: u64) -> &'static str {
    ["aa", "bb", "cc"][usize::try_from(received / 10 % 3).unwrap()]
}

/// Generates up to 12 events about few arrivals, reports and addresses, so that they interfere. Sequences are
/// distinct.
fn events() -> impl Strategy<Value = Vec<LogEvent>> {
    let event = (0..5_u64, 0..4_usize, 0..10_u8);
    prop::collection::vec(event, 1..12).prop_map(|draws| {
        let make = |(i, (slot, which, kind)): (u64, &(u64, usize, u8))| {
            let (received, event) = (slot * 10 + 10, 100 + i);
            let n = i64::try_from(i % 4).unwrap() + 1;
            match (kind, keys().get(*which)) {
                (0, key) => LogEvent::Withdrawal(withdrawal(received + 1 + i % 9, "", key)),
                (1, key) => {
                    let url = format!("https://{}.example/", hash(received));
                    LogEvent::Withdrawal(withdrawal(received + 1 + i % 9, &url, key))
                }
                (2, Some(key)) => LogEvent::Waiver(waiver(&format!("{slot}-{n}"), key, n, 3)),
                (3, Some(key)) => {
                    let by = (i % 2 == 0).then_some("李四");
                    LogEvent::Waiver(ended(&waiver(&format!("{slot}-{n}"), key, n, 3), 5 + i, by))
                }
                (4, Some(key)) => LogEvent::Erasure(erasure(received + i, key, &[hash(received)])),
                (_, Some(key)) => LogEvent::Arrival(validated(received, event, hash(received), key, n)),
                (_, None) => LogEvent::Arrival(rejected(received, event, hash(received))),
            }
        };
        let mut made: Vec<LogEvent> = (0..).zip(&draws).map(make).collect();
        // Sequences are unique in a stream.
        let mut seen = Vec::new();
        made.retain(|event| match event {
            LogEvent::Withdrawal(w) if seen.contains(&w.rank.sequence()) => false,
            LogEvent::Withdrawal(w) => {
                seen.push(w.rank.sequence());
                true
            }
            LogEvent::Arrival(_) | LogEvent::Waiver(_) | LogEvent::Erasure(_) => true,
        });
        made
    })
}

fn apply(store: &dyn Store, event: &LogEvent) -> Applied {
    match event {
        LogEvent::Arrival(arrival) => store.put_arrival(arrival).unwrap(),
        LogEvent::Withdrawal(withdrawal) => store.put_withdrawal(withdrawal).unwrap(),
        LogEvent::Waiver(waiver) => store.put_waiver(waiver).unwrap(),
        LogEvent::Erasure(erasure) => store.put_erasure(erasure).unwrap(),
    }
}

type State = (
    Vec<Option<StoredReport>>,
    Vec<Vec<RevisionHeader>>,
    Vec<RevisionHeader>,
    Vec<FoundFinding>,
    Vec<FoundFact>,
    Vec<FoundWaiver>,
    Vec<Vec<Judgement>>,
);

fn state(store: &dyn Store) -> State {
    (
        keys().iter().map(|key| store.report(key, None).unwrap()).collect(),
        keys().iter().map(|key| store.revisions(key, None, 99).unwrap().items).collect(),
        store.reports(&ReportQuery { limit: 99, ..ReportQuery::default() }).unwrap().items,
        store.findings(&FindingQuery { limit: 999, ..FindingQuery::default() }).unwrap().items,
        store.facts(&FactQuery { limit: 999, ..FactQuery::default() }).unwrap().items,
        store.waivers(&WaiverQuery { limit: 99, ..WaiverQuery::default() }).unwrap().items,
        judgements(store),
    )
}

/// Returns the history of each finding's severities.
fn judgements(store: &dyn Store) -> Vec<Vec<Judgement>> {
    let found = store.findings(&FindingQuery { limit: 999, ..FindingQuery::default() }).unwrap().items;
    let told = |found: &FoundFinding| {
        store.explained(&found.key, &found.finding.fingerprint).unwrap().map(|explained| explained.judgements)
    };
    found.iter().filter_map(told).collect()
}

/// Returns the state that a reader of the feed reaches by keeping the last entry of each report.
fn followed(store: &dyn Store) -> BTreeMap<ReportKey, bool> {
    let changes = store.changes(None, 0, 999).unwrap();
    changes.into_iter().map(|change| (change.key, change.kind == ChangeKind::Validated)).collect()
}

fn standing(store: &dyn Store) -> BTreeMap<ReportKey, bool> {
    let reports = state(store).2;
    reports.into_iter().map(|revision| (revision.key, !revision.withdrawn)).collect()
}

pub(crate) fn any_order_and_duplication_give_the_same_state(open: &dyn Fn() -> Opened) {
    let plan = events().prop_flat_map(|events| {
        let twice: Vec<LogEvent> = events.iter().chain(&events).cloned().collect();
        (Just(events), Just(twice).prop_shuffle())
    });
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(32) });
    let result = runner.run(&plan, |(events, shuffled)| {
        let (straight, mixed) = (open(), open());
        for event in &events {
            apply(&*straight.store, event);
        }
        for event in &shuffled {
            apply(&*mixed.store, event);
        }
        prop_assert_eq!(state(&*straight.store), state(&*mixed.store));
        for opened in [&straight, &mixed] {
            let mut followed = followed(&*opened.store);
            followed.retain(|key, stands| *stands || opened.store.report(key, None).unwrap().is_some());
            prop_assert_eq!(followed, standing(&*opened.store));
            let last = opened.store.last_change().unwrap();
            for event in &events {
                prop_assert_eq!(apply(&*opened.store, event), Applied::Unseen);
            }
            prop_assert_eq!(opened.store.last_change().unwrap(), last);
        }
        Ok(())
    });
    result.unwrap();
}

pub(crate) fn a_moved_report_says_where_it_went_in_any_order(open: &dyn Fn() -> Opened) {
    let [before, after, _] = keys();
    let first = validated(10, 20, "aa", &before, 1);
    let moved = ArrivalEvent { moved_from: vec![before.clone()], ..validated(10, 30, "aa", &after, 1) };
    for events in [[&first, &moved, &first], [&moved, &first, &moved]] {
        let Opened { store, keep: _keep } = open();
        for event in events {
            store.put_arrival(event).unwrap();
        }
        assert_eq!(store.report(&before, None).unwrap(), None);
        assert_eq!(store.moved_to(&before).unwrap().as_ref(), Some(&after));
        assert!(store.report(&after, None).unwrap().is_some());
        assert_eq!(store.history(&after).unwrap().arrivals.len(), 1);
        assert_eq!(
            (store.history(&before).unwrap().arrivals, store.moved_to(&after).unwrap()),
            (vec![], None)
        );
    }
}

pub(crate) fn the_feed_says_where_a_report_went(open: &dyn Fn() -> Opened) {
    let Opened { store, keep: _keep } = open();
    let [before, _, after] = keys();
    store.put_arrival(&validated(10, 20, "aa", &before, 1)).unwrap();
    store.put_arrival(&validated(11, 21, "bb", &before, 1)).unwrap();
    for (received, event, hash) in [(10, 30, "aa"), (11, 31, "bb")] {
        let moved =
            ArrivalEvent { moved_from: vec![before.clone()], ..validated(received, event, hash, &after, 1) };
        store.put_arrival(&moved).unwrap();
    }
    let changes = store.changes(Some(&before.agency), 0, 9).unwrap();
    let last: Vec<_> = changes.into_iter().map(|change| (change.kind, change.moved_to)).collect();
    // While a document is left, the report stands.
    assert_eq!(last.last(), Some(&(ChangeKind::Moved, Some(after))));
    assert!(
        last[..last.len() - 1].iter().all(|(kind, to)| *kind == ChangeKind::Validated && to.is_none()),
        "{last:?}"
    );
}

pub(crate) fn rejected_documents_are_found_until_they_are_filed(open: &dyn Fn() -> Opened) {
    let Opened { store, keep: _keep } = open();
    let [key, ..] = keys();
    store.put_arrival(&rejected(10, 20, "aa")).unwrap();
    store.put_arrival(&validated(11, 21, "bb", &key, 1)).unwrap();
    store.put_arrival(&rejected(12, 22, "cc")).unwrap();
    let found = |after, limit| -> Vec<(u64, u64)> {
        let found = store.rejected(after, limit).unwrap();
        found.into_iter().map(|arrival| (arrival.received_sequence, arrival.event_sequence)).collect()
    };
    assert_eq!(
        (found(0, 9), found(0, 1), found(10, 9)),
        (vec![(10, 20), (12, 22)], vec![(10, 20)], vec![(12, 22)])
    );
    store.put_arrival(&validated(12, 30, "cc", &key, 1)).unwrap();
    assert_eq!(found(0, 9), [(10, 20)]);
}
