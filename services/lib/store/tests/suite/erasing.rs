//! Erased contents.

use gongkai_store::query::{FactQuery, FindingQuery, ReportQuery, WaiverQuery};
use gongkai_store::{Applied, ChangeKind};

use super::Opened;
use super::sample::{day, erasure, key, validated, waiver};

pub(crate) fn what_is_erased_is_gone_and_stays_so(open: &dyn Fn() -> Opened) {
    let opened = open();
    let (store, report) = (&opened.store, key("361001", 2023));
    let other = key("361002", 2023);
    store.put_arrival(&validated(10, 11, "aa", &report, 2)).unwrap();
    store.put_arrival(&validated(12, 13, "aa", &other, 2)).unwrap();
    store.put_waiver(&waiver("w1", &report, 2, 14)).unwrap();
    assert_eq!(store.put_erasure(&erasure(20, &report, &["aa"])).unwrap(), Applied::Changed);
    assert_eq!(store.report(&report, None).unwrap(), None);
    assert_eq!(store.report(&report, Some(day(15))).unwrap(), None, "nor as of a day before");
    assert!(store.revisions(&report, None, 99).unwrap().items.is_empty());
    assert_eq!(store.erased_at(&report).unwrap(), Some(day(20)));
    assert_eq!(store.erased_at(&other).unwrap(), None);
    let reports = store.reports(&ReportQuery { limit: 99, ..ReportQuery::default() }).unwrap().items;
    assert_eq!(reports.iter().map(|r| &r.key).collect::<Vec<_>>(), [&other]);
    let findings = store.findings(&FindingQuery { limit: 99, ..FindingQuery::default() }).unwrap().items;
    assert!(findings.iter().all(|found| found.key == other));
    let facts = store.facts(&FactQuery { limit: 99, ..FactQuery::default() }).unwrap().items;
    assert!(facts.iter().all(|found| found.key == other));
    assert!(store.waivers(&WaiverQuery { limit: 99, ..WaiverQuery::default() }).unwrap().items.is_empty());
    assert_eq!(store.changes(None, 0, 99).unwrap().last().unwrap().kind, ChangeKind::Erased);
    // A late or repeated arrival changes nothing; another content is stored.
    assert_eq!(store.put_arrival(&validated(10, 30, "aa", &report, 3)).unwrap(), Applied::Unseen);
    assert_eq!(store.put_arrival(&validated(31, 32, "aa", &report, 3)).unwrap(), Applied::Unseen);
    assert_eq!(store.put_waiver(&waiver("w1", &report, 2, 14)).unwrap(), Applied::Unseen);
    assert_eq!(store.put_arrival(&validated(33, 34, "bb", &report, 1)).unwrap(), Applied::Changed);
    let stands = store.report(&report, None).unwrap().unwrap().revision;
    assert_eq!((stands.origin.content_hash.as_str(), stands.ordinal), ("bb", 1));
}
