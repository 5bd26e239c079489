//! Reads one report as it was written, with its revisions and withdrawals.

use gongkai_model::{Finding, Severity};
use gongkai_store::query::{FactQuery, FindingQuery, ReportQuery};
use gongkai_store::{Applied, ArrivalOutcome, ReportScope, Store};
use time::Duration;

use super::Opened;
use super::sample::{day, happened, key, origin, rejected, validated, withdrawal};

pub(crate) fn reads_back_what_was_written(open: &dyn Fn() -> Opened) {
    let Opened { store, keep: _keep } = open();
    let a = key("361001", 2023);
    let arrival = validated(3, 5, "aa", &a, 5);
    assert_eq!(store.put_arrival(&arrival).unwrap(), Applied::Changed);
    let ArrivalOutcome::Validated(content) = arrival.outcome else {
        unreachable!("validated makes no other")
    };
    let report = store.report(&a, None).unwrap().unwrap();
    assert_eq!(report.facts, content.facts);
    assert_eq!(report.review, content.review);
    assert_eq!(report.facts[0].state.value().unwrap().to_string(), "5.20");
    assert_eq!(report.prose, content.prose);
    let revision = report.revision;
    assert_eq!((revision.ordinal, revision.withdrawn, revision.key), (1, false, a.clone()));
    assert_eq!(revision.origin, origin(3, "aa", "https://aa.example/"));
    assert_eq!((revision.agency_name, revision.title), (content.agency_name, content.title));
    assert_eq!((revision.form, revision.variant), (content.form, content.variant));
    assert_eq!((revision.media_type, revision.trace_id), (content.media_type, content.trace_id.clone()));
    assert_eq!(revision.versions, content.versions);
    let scope = ReportScope { agency: Some(a.agency.clone()), year: Some(2023) };
    let found = store
        .findings(&FindingQuery { scope: scope.clone(), limit: 9, ..FindingQuery::default() })
        .unwrap()
        .items;
    assert!(found.iter().all(|f| f.key == a && f.trace_id == content.trace_id));
    assert_eq!(found.into_iter().map(|f| f.finding).collect::<Vec<_>>(), content.findings);
    let found = store.facts(&FactQuery { scope, limit: 9, ..FactQuery::default() }).unwrap().items;
    assert_eq!(found.into_iter().map(|f| f.fact).collect::<Vec<_>>(), content.facts);
}

pub(crate) fn findings_are_counted_by_severity(open: &dyn Fn() -> Opened) {
    let Opened { store, keep: _keep } = open();
    let a = key("361001", 2023);
    let mut arrival = validated(3, 5, "aa", &a, 5);
    if let ArrivalOutcome::Validated(content) = &mut arrival.outcome {
        let model = content.findings.remove(0);
        let severities =
            [(Severity::Error, 4), (Severity::Warning, 3), (Severity::Review, 2), (Severity::Info, 1)];
        let each = severities.into_iter().flat_map(|(severity, count)| vec![severity; count]).zip(0..);
        let finding = |(severity, i)| Finding { severity, fingerprint: format!("g{i}"), ..model.clone() };
        content.findings = each.map(finding).collect();
    }
    store.put_arrival(&arrival).unwrap();
    let summary = store.report(&a, None).unwrap().unwrap().revision.summary;
    assert_eq!((summary.error, summary.warning, summary.review, summary.info), (4, 3, 2, 1));
}

pub(crate) fn unknown_reports_are_none(open: &dyn Fn() -> Opened) {
    let Opened { store, keep: _keep } = open();
    let a = key("361001", 2023);
    assert_eq!(store.report(&a, None).unwrap(), None);
    assert!(store.revisions(&a, None, 9).unwrap().items.is_empty());
    store.put_withdrawal(&withdrawal(4, "", Some(&a))).unwrap();
    store.put_arrival(&rejected(3, 5, "aa")).unwrap();
    assert_eq!(store.report(&a, None).unwrap(), None);
    assert_eq!(store.last_change().unwrap(), 0);
}

pub(crate) fn erased_prose_is_absent_and_the_rest_stays(open: &dyn Fn() -> Opened) {
    let Opened { store, keep: _keep } = open();
    let a = key("361001", 2023);
    let mut arrival = validated(3, 5, "aa", &a, 7);
    if let ArrivalOutcome::Validated(content) = &mut arrival.outcome {
        content.prose = None;
    }
    store.put_arrival(&arrival).unwrap();
    let report = store.report(&a, None).unwrap().unwrap();
    assert_eq!((report.prose, report.facts.len()), (None, 6));
}

pub(crate) fn revisions_are_ranked_by_highest_arrival(open: &dyn Fn() -> Opened) {
    let Opened { store, keep: _keep } = open();
    let a = key("361001", 2023);
    for (received, event, hash, n) in [(12, 20, "cc", 3), (4, 21, "aa", 1), (8, 22, "bb", 2)] {
        store.put_arrival(&validated(received, event, hash, &a, n)).unwrap();
    }
    let first = store.revisions(&a, None, 2).unwrap();
    let rest = store.revisions(&a, first.next.as_ref(), 2).unwrap();
    assert_eq!(rest.next, None);
    let all: Vec<_> = first.items.into_iter().chain(rest.items).collect();
    let seen: Vec<_> =
        all.iter().map(|r| (r.ordinal, r.origin.content_hash.as_str(), r.origin.received_sequence)).collect();
    assert_eq!(seen, [(1, "aa", 4), (2, "bb", 8), (3, "cc", 12)]);
    assert_eq!(store.report(&a, None).unwrap().unwrap().revision.ordinal, 3);
    // The first content arrives again and is current again.
    store.put_arrival(&validated(15, 23, "aa", &a, 1)).unwrap();
    let all = store.revisions(&a, None, 9).unwrap().items;
    assert_eq!(
        all.iter().map(|r| (r.ordinal, r.origin.content_hash.as_str())).collect::<Vec<_>>(),
        [(1, "bb"), (2, "cc"), (3, "aa")]
    );
    let report = store.report(&a, None).unwrap().unwrap();
    assert_eq!((report.revision.ordinal, report.revision.origin.received_sequence), (3, 4));
    assert_eq!(report.revision.event_time, Some(happened(15)), "of the arrival that ranks highest");
    assert_eq!(store.report(&a, Some(day(12))).unwrap().unwrap().revision.event_time, Some(happened(12)));
    assert_eq!(
        store.reports(&ReportQuery { limit: 9, ..ReportQuery::default() }).unwrap().items,
        [report.revision]
    );
}

pub(crate) fn as_of_gives_what_stood_then(open: &dyn Fn() -> Opened) {
    let Opened { store, keep: _keep } = open();
    let a = key("361001", 2023);
    store.put_arrival(&validated(8, 9, "bb", &a, 2)).unwrap();
    store.put_arrival(&validated(4, 10, "aa", &a, 1)).unwrap();
    store.put_withdrawal(&withdrawal(11, "", Some(&a))).unwrap();
    let at = |time| {
        let report = store.report(&a, Some(time)).unwrap()?;
        Some((report.revision.origin.content_hash, report.revision.withdrawn, report.prose?.preamble))
    };
    assert_eq!(at(day(4) - Duration::microseconds(1)), None);
    assert_eq!(at(day(4)), Some(("aa".into(), false, "第1稿".into())));
    assert_eq!(at(day(8) - Duration::microseconds(1)), Some(("aa".into(), false, "第1稿".into())));
    assert_eq!(at(day(8)), Some(("bb".into(), false, "第2稿".into())));
    assert_eq!(at(day(11)), Some(("bb".into(), true, "第2稿".into())));
}

pub(crate) fn the_same_content_again_is_one_revision(open: &dyn Fn() -> Opened) {
    let Opened { store, keep: _keep } = open();
    let a = key("361001", 2023);
    store.put_arrival(&validated(9, 10, "aa", &a, 1)).unwrap();
    store.put_arrival(&validated(4, 11, "aa", &a, 1)).unwrap();
    let revisions = store.revisions(&a, None, 9).unwrap().items;
    assert_eq!(revisions.len(), 1);
    assert_eq!(revisions[0].origin, origin(4, "aa", "https://aa.example/"));
}

pub(crate) fn a_later_reading_replaces_an_earlier_one(open: &dyn Fn() -> Opened) {
    let Opened { store, keep: _keep } = open();
    let a = key("361001", 2023);
    store.put_arrival(&validated(4, 30, "aa", &a, 8)).unwrap();
    assert_eq!(store.put_arrival(&validated(4, 10, "aa", &a, 1)).unwrap(), Applied::Unseen);
    let report = store.report(&a, None).unwrap().unwrap();
    assert_eq!((report.revision.ordinal, report.revision.versions.parser.as_str()), (1, "r8"));
    assert_eq!(report.facts[1].state.value().unwrap().to_string(), "8");
}

pub(crate) fn a_later_rejection_ends_a_report(open: &dyn Fn() -> Opened) {
    let Opened { store, keep: _keep } = open();
    let a = key("361001", 2023);
    store.put_arrival(&validated(4, 10, "aa", &a, 1)).unwrap();
    assert_eq!(store.put_arrival(&rejected(4, 30, "aa")).unwrap(), Applied::Changed);
    assert_eq!(store.report(&a, None).unwrap(), None);
    assert_eq!(store.put_arrival(&validated(4, 20, "aa", &a, 1)).unwrap(), Applied::Unseen);
    assert_eq!(store.report(&a, None).unwrap(), None);
}

pub(crate) fn a_later_reading_may_move_a_report(open: &dyn Fn() -> Opened) {
    let Opened { store, keep: _keep } = open();
    let (old, new) = (key("p-0123456789abcdef", 2023), key("361001", 2023));
    store.put_arrival(&validated(4, 10, "aa", &old, 1)).unwrap();
    store.put_arrival(&validated(4, 30, "aa", &new, 2)).unwrap();
    assert_eq!(store.report(&old, None).unwrap(), None);
    assert_eq!(store.report(&new, None).unwrap().unwrap().revision.ordinal, 1);
}

pub(crate) fn withdrawals_by_address_and_by_key(open: &dyn Fn() -> Opened) {
    let a = key("361001", 2023);
    let cases = [
        (withdrawal(6, "https://aa.example/", None), true),
        (withdrawal(6, "", Some(&a)), true),
        (withdrawal(6, "https://other.example/", Some(&a)), true),
        (withdrawal(6, "https://other.example/", None), false),
        (withdrawal(6, "", Some(&key("361001", 2022))), false),
        (withdrawal(3, "https://aa.example/", Some(&a)), false),
    ];
    for (withdrawal, expected) in cases {
        for withdrawal_first in [true, false] {
            let Opened { store, keep: _keep } = open();
            if withdrawal_first {
                store.put_withdrawal(&withdrawal).unwrap();
            }
            store.put_arrival(&validated(4, 10, "aa", &a, 1)).unwrap();
            store.put_withdrawal(&withdrawal).unwrap();
            let withdrawn = |store: &dyn Store| store.report(&a, None).unwrap().unwrap().revision.withdrawn;
            assert_eq!(withdrawn(&*store), expected, "{withdrawal:?}");
            let again = validated(9, 12, "aa", &a, 1);
            store.put_arrival(&again).unwrap();
            assert!(!withdrawn(&*store), "published again: {withdrawal:?}");
        }
    }
}

pub(crate) fn withdrawn_reports_are_left_out_of_wide_questions(open: &dyn Fn() -> Opened) {
    let Opened { store, keep: _keep } = open();
    let (a, b) = (key("361001", 2023), key("361002", 2023));
    store.put_arrival(&validated(3, 5, "aa", &a, 1)).unwrap();
    store.put_arrival(&validated(4, 6, "bb", &b, 1)).unwrap();
    store.put_withdrawal(&withdrawal(9, "", Some(&a))).unwrap();
    let all = ReportScope::default();
    let one = ReportScope { agency: Some(a.agency.clone()), year: Some(2023) };
    for (scope, expected) in [(all, &b), (one, &a)] {
        let facts =
            store.facts(&FactQuery { scope: scope.clone(), limit: 99, ..FactQuery::default() }).unwrap();
        let findings = store.findings(&FindingQuery { scope, limit: 99, ..FindingQuery::default() }).unwrap();
        assert_eq!((facts.items.len(), findings.items.len()), (6, 2));
        assert!(facts.items.iter().all(|f| f.key == *expected));
        assert!(findings.items.iter().all(|f| f.key == *expected));
    }
}
