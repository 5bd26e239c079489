//! Queries over many reports: pages, orders, conditions.

use gongkai_model::Severity;
use gongkai_store::query::{
    Condition, Cursor, FactField, FactQuery, FindingField, FindingOrder, FindingQuery, Key, Op, ReportField,
    ReportOrder, ReportQuery, Value, severity_rank,
};
use gongkai_store::{ArrivalOutcome, Error, ReportScope, Store};

use super::Opened;
use super::sample::{key, validated, withdrawal};

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

/// Stores reports of agencies 361001 to 361005 and years 2022 and 2023. The `n` of the content is the last digit of
/// the agency times 3, plus 0 or 1 for the year.
fn fill(store: &dyn Store) {
    for i in 1..=5_u64 {
        for year in [2022, 2023] {
            let n = i64::try_from(i).unwrap() * 10 + i64::from(year % 10);
            let sequence = i * 10 + u64::from(year == 2023);
            let key = key(&format!("36100{i}"), year);
            store.put_arrival(&validated(sequence, 200 + sequence, &format!("h{n}"), &key, n)).unwrap();
        }
    }
}

pub(crate) fn pages_are_stable_while_reports_come_in(open: &dyn Fn() -> Opened) {
    let orders = [ReportOrder::Name, ReportOrder::Year, ReportOrder::AgencyName, ReportOrder::ReceivedAt];
    for order in orders {
        for descending in [false, true] {
            let Opened { store, keep: _keep } = open();
            fill(&*store);
            let before: Vec<_> = all(&*store, order, descending);
            let mut query = ReportQuery { order, descending, limit: 3, ..ReportQuery::default() };
            let (mut seen, mut extra) = (Vec::new(), 0);
            loop {
                let page = store.reports(&query).unwrap();
                seen.extend(page.items.into_iter().map(|r| r.key));
                // One report is at either end of every order, and one between any two pages.
                for (agency, year, sequence) in [("360000", 2008, 1 + extra), ("369999", 2030, 90 + extra)] {
                    let key = key(&format!("{agency}{extra}"), year);
                    store.put_arrival(&validated(sequence, 300 + sequence, "new", &key, 1)).unwrap();
                }
                extra += 1;
                query.after = page.next;
                if query.after.is_none() {
                    break;
                }
            }
            seen.retain(|key| before.contains(key));
            assert_eq!(seen, before, "{order:?} {descending}");
        }
    }
}

fn all(store: &dyn Store, order: ReportOrder, descending: bool) -> Vec<gongkai_model::ReportKey> {
    let query = ReportQuery { order, descending, limit: 99, ..ReportQuery::default() };
    store.reports(&query).unwrap().items.into_iter().map(|r| r.key).collect()
}

pub(crate) fn orders_go_both_ways(open: &dyn Fn() -> Opened) {
    let Opened { store, keep: _keep } = open();
    fill(&*store);
    let mut years: Vec<_> = all(&*store, ReportOrder::Year, true).into_iter().map(|k| k.year).collect();
    years.dedup();
    assert_eq!(years, [2023, 2022]);
    let newest = all(&*store, ReportOrder::ReceivedAt, true).remove(0);
    assert_eq!(newest, key("361005", 2023));
    let query = FindingQuery {
        order: FindingOrder::Severity,
        descending: true,
        limit: 99,
        ..FindingQuery::default()
    };
    let found = store.findings(&query).unwrap().items;
    assert!(found.windows(2).all(|w| w[0].finding.severity >= w[1].finding.severity));
    let mut paged = Vec::new();
    let mut query = FindingQuery { limit: 4, ..query };
    loop {
        let page = store.findings(&query).unwrap();
        paged.extend(page.items);
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    assert_eq!(paged, found);
}

pub(crate) fn conditions_on_reports(open: &dyn Fn() -> Opened) {
    let Opened { store, keep: _keep } = open();
    fill(&*store);
    store.put_withdrawal(&withdrawal(199, "", Some(&key("361004", 2022)))).unwrap();
    let error = ReportField::Findings(Severity::Error);
    let info = ReportField::Findings(Severity::Info);
    let cases = [
        (ReportField::Year, Op::Eq, Value::Integer(2023), 5),
        (ReportField::Year, Op::Lt, Value::Integer(2023), 5),
        (ReportField::Form, Op::Eq, text("2021"), 10),
        (ReportField::Form, Op::Ne, text("2021"), 0),
        (ReportField::Variant, Op::Eq, text("standard"), 10),
        (ReportField::AgencyName, Op::Has, text("街道"), 10),
        (ReportField::AgencyName, Op::Has, text("3街道"), 2),
        (ReportField::AgencyName, Op::Eq, text("361003街道办事处"), 2),
        (ReportField::Title, Op::Has, text("2022年"), 5),
        (ReportField::Region, Op::Has, text("3609"), 10),
        (ReportField::Region, Op::Has, text("609"), 0),
        (ReportField::MediaType, Op::Ne, text("text/plain"), 10),
        (error, Op::Gt, Value::Integer(0), 10),
        (error, Op::Ge, Value::Integer(2), 0),
        // n % 3 == 2 has all three findings: n is 12, 13, 22, 23, 32, 33, 42, 43, 52, 53.
        (info, Op::Eq, Value::Integer(1), 3),
        (ReportField::Withdrawn, Op::Eq, Value::Flag(true), 1),
        (ReportField::AgencyName, Op::Eq, text("' OR 1=1 --"), 0),
    ];
    for (field, op, value, expected) in cases {
        let conditions = vec![Condition { field, op, value }];
        let query = ReportQuery { conditions: conditions.clone(), limit: 99, ..ReportQuery::default() };
        assert_eq!(store.reports(&query).unwrap().items.len(), expected, "{conditions:?}");
    }
    let scope = ReportScope { agency: Some(key("361002", 2022).agency), year: None };
    let query = ReportQuery { scope, limit: 99, ..ReportQuery::default() };
    assert_eq!(store.reports(&query).unwrap().items.len(), 2);
}

pub(crate) fn conditions_on_findings(open: &dyn Fn() -> Opened) {
    let Opened { store, keep: _keep } = open();
    fill(&*store);
    let rank = |s| Value::Integer(severity_rank(s));
    let cases = [
        (FindingField::Severity, Op::Ge, rank(Severity::Warning), 10 + 7),
        (FindingField::Severity, Op::Eq, rank(Severity::Info), 3),
        (FindingField::Rule, Op::Eq, text("T3-ROW"), 10),
        (FindingField::Rule, Op::Has, text("T3"), 10),
        (FindingField::Concept, Op::Has, text("requests."), 17),
        // A finding about prose has no concept: it differs from every concept.
        (FindingField::Concept, Op::Ne, text("requests.received"), 3),
        (FindingField::Fingerprint, Op::Eq, text("f12-0"), 1),
        (FindingField::Year, Op::Eq, Value::Integer(2022), 9),
        (FindingField::Region, Op::Has, text("36"), 20),
    ];
    for (field, op, value, expected) in cases {
        let conditions = vec![Condition { field, op, value }];
        let query = FindingQuery { conditions: conditions.clone(), limit: 99, ..FindingQuery::default() };
        assert_eq!(store.findings(&query).unwrap().items.len(), expected, "{conditions:?}");
    }
}

pub(crate) fn conditions_on_facts(open: &dyn Fn() -> Opened) {
    let Opened { store, keep: _keep } = open();
    fill(&*store);
    let number = Value::Number;
    let cases = [
        (FactField::Concept, Op::Eq, text("requests.received"), 30),
        (FactField::Concept, Op::Has, text("requests."), 50),
        (FactField::Applicant, Op::Eq, text("total"), 30),
        // The fee has no applicant: it differs from every applicant.
        (FactField::Applicant, Op::Ne, text("total"), 30),
        (FactField::State, Op::Eq, text("blank"), 10),
        (FactField::Value, Op::Gt, number(50.0), 4),
        (FactField::Value, Op::Eq, number(52.2), 1),
        (FactField::Value, Op::Lt, number(1.0), 0),
        // A blank is not a number, so it is not a number other than 52 either.
        (FactField::Value, Op::Ne, number(52.0), 19),
        (FactField::Year, Op::Eq, Value::Integer(2022), 30),
        (FactField::Region, Op::Eq, text("360982"), 60),
    ];
    for (field, op, value, expected) in cases {
        let conditions = vec![Condition { field, op, value }];
        let query = FactQuery { conditions: conditions.clone(), limit: 99, ..FactQuery::default() };
        assert_eq!(store.facts(&query).unwrap().items.len(), expected, "{conditions:?}");
    }
}

pub(crate) fn a_cursor_of_another_shape_is_refused(open: &dyn Fn() -> Opened) {
    let Opened { store, keep: _keep } = open();
    let k = key("361001", 2023);
    let mut arrival = validated(3, 5, "aa", &k, 1);
    arrival.outcome = ArrivalOutcome::Rejected;
    store.put_arrival(&arrival).unwrap();
    let bad = Cursor(vec![Key::Text("x".into())]);
    let query = ReportQuery { after: Some(bad.clone()), limit: 9, ..ReportQuery::default() };
    assert!(matches!(store.reports(&query), Err(Error::OutOfRange(_))));
    assert!(matches!(store.revisions(&k, Some(&bad), 9), Err(Error::OutOfRange(_))));
}
