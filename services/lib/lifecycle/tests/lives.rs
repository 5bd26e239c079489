//! Histories of reports: examples, and random ones compared with the definition.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use gongkai_lifecycle::{
    Arrival, History, Rank, TakenDown, UrlIndex, Withdrawal, arrivals, concerned, current, record_arrival,
    record_departure, record_erasure, record_report, record_url_withdrawal, record_withdrawal, revisions,
};
use gongkai_model::{Region, ReportKey, effective_at};
use proptest::{collection::vec, prelude::*, sample::select};
use time::{Duration, OffsetDateTime, macros::datetime};

const START: OffsetDateTime = datetime!(2024-01-15 10:12:00 UTC);

/// Returns the rank of a message that takes effect on arrival, a minute after the message before it.
fn rank(sequence: u64) -> Rank {
    Rank::new(START + Duration::minutes(i64::try_from(sequence).unwrap()), sequence)
}

fn arrival(sequence: u64, hash: &str, url: &str) -> Arrival {
    Arrival {
        rank: rank(sequence),
        event: sequence + 1,
        content_hash: hash.into(),
        url: url.into(),
        received_at: rank(sequence).effective_at(),
        published_at: None,
        region: Region::UNKNOWN,
    }
}

fn taken_down(sequence: u64, url: &str) -> TakenDown {
    TakenDown { rank: rank(sequence), url: url.into() }
}

fn history(arrivals: &[Arrival], withdrawals: &[TakenDown]) -> History {
    let mut history = History::default();
    for arrival in arrivals {
        record_arrival(&mut history, arrival);
    }
    for withdrawal in withdrawals {
        record_withdrawal(&mut history, withdrawal);
    }
    history
}

/// Returns the hash of the current content, after a minus sign if it is withdrawn.
fn stands(arrivals: &[Arrival], withdrawals: &[TakenDown]) -> String {
    let history = history(arrivals, withdrawals);
    let current = current(&history).unwrap();
    format!("{}{}", if current.is_withdrawn { "-" } else { "" }, current.content_hash())
}

#[test]
fn the_highest_arrival_ranks_a_content_so_that_a_b_a_serves_a() {
    let (a, b) = (arrival(3, "a", "u"), arrival(5, "b", "u"));
    assert_eq!(stands(&[a.clone(), b.clone()], &[]), "b");
    assert_eq!(stands(&[arrival(8, "a", "u"), a, b], &[]), "a");
}

#[test]
fn effective_time_goes_before_the_order_of_arrival() {
    let late = Arrival { rank: Rank::new(START, 9), ..arrival(9, "old", "u") };
    assert_eq!(stands(&[arrival(3, "new", "u"), late], &[]), "new");
}

#[test]
fn a_withdrawal_takes_down_what_ranks_below_it_under_its_address_or_report() {
    let a = [arrival(3, "a", "u1")];
    assert_eq!(stands(&a, &[taken_down(4, "u1")]), "-a");
    assert_eq!(stands(&a, &[taken_down(4, "")]), "-a");
    assert_eq!(stands(&a, &[taken_down(4, "u2")]), "a", "another address");
    assert_eq!(stands(&a, &[taken_down(2, "u1")]), "a", "before it");
}

#[test]
fn a_content_stands_as_long_as_one_of_its_arrivals_does() {
    let copies = [arrival(3, "a", "u1"), arrival(4, "a", "u2")];
    assert_eq!(stands(&copies, &[taken_down(6, "u1")]), "a");
    assert_eq!(stands(&copies, &[taken_down(6, "u1"), taken_down(7, "u2")]), "-a");
    assert_eq!(stands(&copies, &[taken_down(6, "")]), "-a");
}

#[test]
fn what_is_published_again_stands_again_however_it_was_withdrawn() {
    for url in ["u1", ""] {
        let gone = [taken_down(6, url)];
        assert_eq!(stands(&[arrival(3, "a", "u1"), arrival(8, "a", "u1")], &gone), "a");
        assert_eq!(stands(&[arrival(3, "a", "u1"), arrival(8, "a", "u2")], &gone), "a");
        assert_eq!(stands(&[arrival(3, "a", "u1"), arrival(8, "b", "u1")], &gone), "b");
    }
}

#[test]
fn what_is_erased_never_stands_again() {
    let mut history = history(&[arrival(3, "a", "u"), arrival(5, "b", "u")], &[]);
    let hashes = ["b".to_owned()];
    assert!(record_erasure(&mut history, &hashes) && !record_erasure(&mut history, &hashes));
    assert_eq!(current(&history).unwrap().content_hash(), "a");
    record_arrival(&mut history, &arrival(8, "b", "u"));
    assert_eq!(revisions(&history).len(), 1, "it arrived again");
    record_erasure(&mut history, &["a".to_owned()]);
    assert_eq!(current(&history), None);
    record_arrival(&mut history, &arrival(9, "c", "u"));
    assert_eq!(current(&history).unwrap().content_hash(), "c", "another content is another matter");
}

#[test]
fn an_arrival_read_again_as_another_report_leaves_and_may_come_back() {
    let stays = arrival(9, "b", "u");
    let facts = |history: &mut History, order: &[u8]| {
        for fact in order {
            match fact {
                0 => record_arrival(history, &arrival(3, "a", "u")),
                1 => record_departure(history, 3, 40),
                2 => record_departure(history, 3, 30),
                3 => record_arrival(history, &stays),
                _ => record_arrival(history, &Arrival { event: 50, ..arrival(3, "a", "u") }),
            };
        }
    };
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 3, 2]] {
        let mut history = History::default();
        facts(&mut history, &order);
        assert_eq!(arrivals(&history).collect::<Vec<_>>(), [&stays], "{order:?}");
        assert!(!record_departure(&mut history, 3, 35));
        facts(&mut history, &[4]);
        assert_eq!(revisions(&history).len(), 2, "read as this report once more");
    }
}

#[test]
fn of_two_readings_the_later_event_counts() {
    let again = Arrival { event: 40, region: "360982".parse().unwrap(), ..arrival(3, "a", "u") };
    let both = history(&[again.clone(), arrival(3, "a", "u"), arrival(9, "a", "u")], &[]);
    let revision = &revisions(&both)[0];
    assert_eq!((revision.first(), revision.content()), (&again, &again));
    assert_eq!(revision.newest().rank, rank(9));
}

#[test]
fn a_withdrawal_concerns_its_report_and_what_else_stood_at_its_address() {
    let [a, b]: [ReportKey; 2] =
        ["agencies/a/reports/2022", "agencies/b/reports/2022"].map(|name| name.parse().unwrap());
    let mut index = UrlIndex::default();
    assert!(record_report(&mut index, &a) && record_report(&mut index, &b) && !record_report(&mut index, &a));
    let withdrawal = |url: &str, report: Option<&ReportKey>| Withdrawal {
        rank: rank(7),
        url: url.into(),
        report: report.cloned(),
        withdrawn_at: START,
    };
    let what = |url, report| concerned(&withdrawal(url, report), &index);
    assert_eq!(what("u", None), [(a.clone(), taken_down(7, "u")), (b.clone(), taken_down(7, "u"))]);
    assert_eq!(what("u", Some(&a)), [(a.clone(), taken_down(7, "")), (b.clone(), taken_down(7, "u"))]);
    assert_eq!(what("", Some(&b)), [(b, taken_down(7, ""))]);
    assert!(record_url_withdrawal(&mut index, rank(7)) && !record_url_withdrawal(&mut index, rank(6)));
    assert_eq!(index.withdrawn, Some(rank(7)));
}

#[derive(Debug, Clone)]
enum LifeEvent {
    Arrival(Arrival),
    TakenDown(TakenDown),
    Erased(String),
}

/// Generates up to ten facts about a few contents and URLs. Sequences are distinct; effective times are independent
/// of them.
fn facts() -> impl Strategy<Value = Vec<LifeEvent>> {
    let fact = (0..7_u8, select(vec!["a", "b", "c"]), select(vec!["u1", "u2", ""]), 0..20_u64);
    vec(fact, 1..10).prop_map(|draws| {
        let fact = |(sequence, (kind, hash, url, minute)): (u64, (u8, &str, &str, u64))| {
            let rank = Rank::new(rank(minute).effective_at(), sequence);
            match kind {
                0..3 => LifeEvent::Arrival(Arrival { rank, ..arrival(sequence, hash, url) }),
                3..6 => LifeEvent::TakenDown(TakenDown { rank, url: url.into() }),
                _ => LifeEvent::Erased(hash.into()),
            }
        };
        (1..).zip(draws).map(fact).collect()
    })
}

fn record(history: &mut History, fact: &LifeEvent) -> bool {
    match fact {
        LifeEvent::Arrival(arrival) => record_arrival(history, arrival),
        LifeEvent::TakenDown(withdrawal) => record_withdrawal(history, withdrawal),
        LifeEvent::Erased(hash) => record_erasure(history, std::slice::from_ref(hash)),
    }
}

/// Generates facts about a few contents and URLs, each with a sender's time a minute after the one before.
fn stated() -> impl Strategy<Value = Vec<(bool, &'static str, &'static str)>> {
    vec((any::<bool>(), select(vec!["a", "b", "c"]), select(vec!["u1", "u2", ""])), 1..10)
}

/// Returns the current content after arrivals in this order, all of them later than their stated times.
fn stands_after(stated: &[(bool, &str, &str)], order: &[usize]) -> Option<(String, bool)> {
    let mut history = History::default();
    for (sequence, at) in (1_u64..).zip(order) {
        let (arrives, hash, url) = stated[*at];
        let said = rank(u64::try_from(*at).unwrap()).effective_at();
        let rank = Rank::new(effective_at(Some(said), rank(100 + sequence).effective_at()), sequence);
        match arrives {
            true => record_arrival(&mut history, &Arrival { rank, ..arrival(sequence, hash, url) }),
            false => record_withdrawal(&mut history, &TakenDown { rank, url: url.into() }),
        };
    }
    current(&history).map(|current| (current.content_hash().to_owned(), current.is_withdrawn))
}

proptest! {
    #[test]
    fn events_with_times_stand_alike_in_whatever_order_they_arrive(
        (stated, order) in stated().prop_flat_map(|stated| {
            let order: Vec<usize> = (0..stated.len()).collect();
            (Just(stated), Just(order).prop_shuffle())
        })
    ) {
        let in_order: Vec<usize> = (0..stated.len()).collect();
        prop_assert_eq!(stands_after(&stated, &order), stands_after(&stated, &in_order));
    }

    #[test]
    fn neither_order_nor_repetition_matters(
        (facts, shuffled) in facts().prop_flat_map(|facts| {
            let twice: Vec<LifeEvent> = facts.iter().chain(&facts).cloned().collect();
            (Just(facts), Just(twice).prop_shuffle())
        })
    ) {
        let (mut straight, mut mixed) = (History::default(), History::default());
        for fact in &facts {
            record(&mut straight, fact);
        }
        for fact in &shuffled {
            record(&mut mixed, fact);
        }
        prop_assert_eq!(&straight, &mixed);
        prop_assert!(facts.iter().all(|fact| !record(&mut mixed, fact)), "a fact that is known is no news");
    }

    /// The definition: the content of the highest arrival that was never erased, withdrawn if each of its arrivals has
    /// a withdrawal of higher rank that applies to it.
    #[test]
    fn what_stands_is_what_the_definition_says(facts in facts()) {
        let mut recorded = History::default();
        for fact in &facts {
            record(&mut recorded, fact);
        }
        let is_erased = |a: &Arrival| {
            facts.iter().any(|f| matches!(f, LifeEvent::Erased(hash) if *hash == a.content_hash))
        };
        let arrivals: Vec<&Arrival> = facts.iter().filter_map(|f| match f {
            LifeEvent::Arrival(a) if !is_erased(a) => Some(a),
            _ => None,
        }).collect();
        let down = |a: &Arrival| facts.iter().any(|f| match f {
            LifeEvent::TakenDown(w) => w.rank > a.rank && (w.url.is_empty() || w.url == a.url),
            LifeEvent::Arrival(_) | LifeEvent::Erased(_) => false,
        });
        let highest = arrivals.iter().max_by_key(|a| a.rank).map(|a| a.content_hash.clone());
        let is_withdrawn = arrivals.iter().filter(|a| Some(&a.content_hash) == highest.as_ref()).all(|a| down(a));
        let current = current(&recorded).map(|c| (c.content_hash().to_owned(), c.is_withdrawn));
        prop_assert_eq!(current, highest.map(|hash| (hash, is_withdrawn)));
    }
}
