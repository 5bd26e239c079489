//! Waivers: what they cover, how they end, and the history of a finding.

use gongkai_model::{ReportKey, Waiver};
use gongkai_store::query::{
    Condition, FindingField, FindingQuery, FoundFinding, MovedWaiver, Op, Value, WaiverQuery,
};
use gongkai_store::{Applied, ReportScope, Store};

use super::Opened;
use super::sample::{day, ended, key, validated, waiver};

fn scope(key: &ReportKey) -> ReportScope {
    ReportScope { agency: Some(key.agency.clone()), year: Some(key.year) }
}

fn findings(store: &dyn Store, key: &ReportKey, waived: Option<bool>) -> Vec<FoundFinding> {
    let condition = |flag| Condition { field: FindingField::Waived, op: Op::Eq, value: Value::Flag(flag) };
    let conditions = waived.map(condition).into_iter().collect();
    let query = FindingQuery { scope: scope(key), conditions, limit: 9, ..FindingQuery::default() };
    store.findings(&query).unwrap().items
}

fn waived(store: &dyn Store, key: &ReportKey) -> Vec<String> {
    findings(store, key, None).into_iter().filter_map(|found| found.waiver).map(|waiver| waiver.id).collect()
}

fn ids(waivers: &[Waiver]) -> Vec<&str> {
    waivers.iter().map(|waiver| waiver.id.as_str()).collect()
}

pub(crate) fn a_waiver_lets_its_finding_stand_until_it_ends(open: &dyn Fn() -> Opened) {
    let Opened { store, keep: _keep } = open();
    let a = key("361001", 2023);
    store.put_arrival(&validated(3, 5, "aa", &a, 5)).unwrap();
    let granted = waiver("w1", &a, 5, 6);
    assert_eq!(store.put_waiver(&granted).unwrap(), Applied::Changed);
    assert_eq!(store.put_waiver(&granted).unwrap(), Applied::Unseen);
    let found = findings(&*store, &a, Some(true));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].waiver, Some(granted.clone()));
    assert_eq!(findings(&*store, &a, Some(false)).len(), 2);
    assert_eq!(store.put_waiver(&ended(&granted, 9, None)).unwrap(), Applied::Changed);
    assert!(waived(&*store, &a).is_empty());
    assert_eq!(findings(&*store, &a, Some(false)).len(), 3);
}

pub(crate) fn a_waiver_lapses_when_operands_change_and_survives_a_new_run(open: &dyn Fn() -> Opened) {
    let Opened { store, keep: _keep } = open();
    let a = key("361001", 2023);
    store.put_waiver(&waiver("w1", &a, 5, 2)).unwrap();
    store.put_arrival(&validated(3, 5, "aa", &a, 5)).unwrap();
    // The same finding appears again: in this arrival by a later validation, and in another revision.
    store.put_arrival(&validated(3, 8, "aa", &a, 5)).unwrap();
    store.put_arrival(&validated(10, 11, "bb", &a, 5)).unwrap();
    assert_eq!(waived(&*store, &a), ["w1"]);
    let lapsed = |store: &dyn Store| {
        let query = WaiverQuery { scope: scope(&a), limit: 9, ..WaiverQuery::default() };
        store.waivers(&query).unwrap().items[0].is_lapsed
    };
    assert!(!lapsed(&*store));
    let mut other = validated(12, 13, "cc", &a, 5);
    if let gongkai_store::ArrivalOutcome::Validated(content) = &mut other.outcome {
        content.findings[0].operands_digest = "other values".into();
    }
    store.put_arrival(&other).unwrap();
    assert!(waived(&*store, &a).is_empty() && lapsed(&*store));
}

pub(crate) fn a_waiver_moves_with_its_report(open: &dyn Fn() -> Opened) {
    let Opened { store, keep: _keep } = open();
    let (a, b) = (key("361001", 2023), key("361002", 2023));
    store.put_arrival(&validated(3, 5, "aa", &a, 5)).unwrap();
    let granted = waiver("0011223344556677", &a, 5, 6);
    store.put_waiver(&granted).unwrap();
    let moving = |at: u64| store.waivers_to_move(day(at), 9).unwrap();
    assert_eq!(moving(7), [], "the report is where it was");
    let mut moved = validated(3, 9, "aa", &b, 5);
    moved.moved_from = vec![a.clone()];
    if let gongkai_store::ArrivalOutcome::Validated(content) = &mut moved.outcome {
        content
            .findings
            .iter_mut()
            .for_each(|finding| finding.fingerprint = format!("{}b", finding.fingerprint));
    }
    store.put_arrival(&moved).unwrap();
    assert_eq!(moving(99), [], "it has expired");
    let [found] = <[_; 1]>::try_from(moving(10)).unwrap();
    let to = found.to;
    assert_eq!(
        (found.from, &to, found.is_granted),
        (granted.clone(), &granted.moved(&b, &format!("{}b", granted.fingerprint)), false)
    );
    store.put_waiver(&to).unwrap();
    assert_eq!(waived(&*store, &b), [Waiver::moved_id(&granted.id, &b)]);
    let half = MovedWaiver { from: granted.clone(), to: to.clone(), is_granted: true };
    assert_eq!(moving(10), [half], "the old one has not ended");
    store.put_waiver(&ended(&granted, 11, Some("张三"))).unwrap();
    assert_eq!(moving(12), [], "it has moved");
    assert_eq!(waived(&*store, &b), [to.id]);
}

pub(crate) fn an_end_is_for_good_and_may_come_first(open: &dyn Fn() -> Opened) {
    let Opened { store, keep: _keep } = open();
    let a = key("361001", 2023);
    store.put_arrival(&validated(3, 5, "aa", &a, 5)).unwrap();
    let granted = waiver("w1", &a, 5, 6);
    let (expired, revoked) = (ended(&granted, 36, None), ended(&granted, 9, Some("李四")));
    for waiver in [&expired, &granted, &revoked, &expired, &granted] {
        store.put_waiver(waiver).unwrap();
    }
    assert!(waived(&*store, &a).is_empty());
    let query = WaiverQuery { scope: scope(&a), limit: 9, ..WaiverQuery::default() };
    let all: Vec<_> = store.waivers(&query).unwrap().items.into_iter().map(|found| found.waiver).collect();
    assert_eq!(all, [revoked]);
}

pub(crate) fn waivers_are_listed_newest_first_and_found_when_due(open: &dyn Fn() -> Opened) {
    let Opened { store, keep: _keep } = open();
    let (a, b) = (key("361001", 2023), key("361002", 2023));
    let [first, second, third] = [waiver("w1", &a, 5, 1), waiver("w2", &b, 4, 2), waiver("w3", &a, 5, 3)];
    for waiver in [&second, &third, &first] {
        store.put_waiver(waiver).unwrap();
    }
    store.put_waiver(&ended(&second, 9, Some("李四"))).unwrap();
    let page = |after, limit| {
        let page = store.waivers(&WaiverQuery { after, limit, ..WaiverQuery::default() }).unwrap();
        (page.items.into_iter().map(|found| found.waiver).collect::<Vec<_>>(), page.next)
    };
    let (newest, next) = page(None, 2);
    assert_eq!(ids(&newest), ["w3", "w2"]);
    let (rest, end) = page(next, 2);
    assert_eq!((ids(&rest), end), (vec!["w1"], None));
    assert!(store.waivers_to_expire(day(30), 9).unwrap().is_empty());
    assert_eq!(ids(&store.waivers_to_expire(day(31), 9).unwrap()), ["w1"]);
    assert_eq!(ids(&store.waivers_to_expire(day(99), 9).unwrap()), ["w1", "w3"]);
    assert_eq!(ids(&store.waivers_to_expire(day(99), 1).unwrap()), ["w1"]);
}

pub(crate) fn a_finding_is_explained_with_operands_weights_and_waivers(open: &dyn Fn() -> Opened) {
    let Opened { store, keep: _keep } = open();
    let a = key("361001", 2023);
    let mut later = validated(3, 8, "aa", &a, 5);
    if let gongkai_store::ArrivalOutcome::Validated(content) = &mut later.outcome {
        content.findings[0].severity = gongkai_model::Severity::Review;
        content.findings[0].versions.rules = "u6".into();
    }
    store.put_arrival(&later).unwrap();
    // An earlier validation that arrives late is part of the history too.
    store.put_arrival(&validated(3, 5, "aa", &a, 5)).unwrap();
    store.put_waiver(&waiver("w1", &a, 5, 6)).unwrap();
    let explained = store.explained(&a, "f5-0").unwrap().unwrap();
    assert_eq!(explained.found.finding.rule, "T3-ROW");
    assert_eq!(explained.found.waiver.map(|waiver| waiver.id).as_deref(), Some("w1"));
    let operands: Vec<_> = explained.operands.iter().map(|fact| fact.id.to_string()).collect();
    assert_eq!(operands, ["requests.received[total]"]);
    assert!(explained.operands[0].source.is_some());
    let weights: Vec<_> =
        explained.judgements.iter().map(|j| (j.severity.as_str(), j.rules.as_str(), j.first_at)).collect();
    assert_eq!(weights, [("ERROR", "u5", day(5)), ("REVIEW", "u6", day(8))]);
    assert_eq!(explained.waivers.len(), 1);
    assert_eq!(explained.revision.origin.content_hash, "aa");
    assert_eq!(store.explained(&a, "f5-9").unwrap(), None);
    assert_eq!(store.explained(&key("361002", 2023), "f5-0").unwrap(), None);
}
