//! The change feed.

use gongkai_store::{Applied, Change, ChangeKind, ResumeError, ResumeToken, Store};

use super::Opened;
use super::sample::{key, rejected, validated, withdrawal};

fn kinds(store: &dyn Store) -> Vec<(ChangeKind, String)> {
    let entry = |change: Change| (change.kind, change.key.to_string());
    store.changes(None, 0, 99).unwrap().into_iter().map(entry).collect()
}

pub(crate) fn every_visible_change_is_one_entry(open: &dyn Fn() -> Opened) {
    let Opened { store, keep: _keep } = open();
    let a = key("361001", 2023);
    let steps = [
        (store.put_arrival(&validated(8, 10, "bb", &a, 2)), Applied::Changed, "first seen"),
        (store.put_arrival(&validated(4, 11, "aa", &a, 1)), Applied::Unseen, "an older revision"),
        (store.put_arrival(&validated(8, 12, "bb", &a, 3)), Applied::Changed, "other findings"),
        (store.put_withdrawal(&withdrawal(13, "", Some(&a))), Applied::Changed, "withdrawn"),
        (store.put_withdrawal(&withdrawal(14, "", Some(&a))), Applied::Unseen, "withdrawn again"),
        (store.put_arrival(&validated(15, 16, "cc", &a, 4)), Applied::Changed, "a new revision"),
        (store.put_arrival(&rejected(15, 17, "cc")), Applied::Changed, "no report after all"),
    ];
    for (result, expected, what) in steps {
        assert_eq!(result.unwrap(), expected, "{what}");
    }
    let kinds: Vec<_> = kinds(&*store).into_iter().map(|(kind, _)| kind).collect();
    let (validated, withdrawn) = (ChangeKind::Validated, ChangeKind::Withdrawn);
    assert_eq!(kinds, [validated, validated, withdrawn, validated, withdrawn]);
}

pub(crate) fn the_same_event_again_adds_no_entry(open: &dyn Fn() -> Opened) {
    let Opened { store, keep: _keep } = open();
    let a = key("361001", 2023);
    let arrival = validated(8, 10, "bb", &a, 2);
    store.put_arrival(&arrival).unwrap();
    assert_eq!(store.put_arrival(&arrival).unwrap(), Applied::Unseen);
    // A later event has the same content, under another trace.
    let again = validated(8, 20, "bb", &a, 2);
    assert_eq!(store.put_arrival(&again).unwrap(), Applied::Unseen);
    assert_eq!(store.last_change().unwrap(), 1);
}

pub(crate) fn a_feed_of_one_agency(open: &dyn Fn() -> Opened) {
    let Opened { store, keep: _keep } = open();
    let (a, b) = (key("361001", 2023), key("361002", 2023));
    store.put_arrival(&validated(3, 10, "aa", &a, 1)).unwrap();
    store.put_arrival(&validated(4, 11, "bb", &b, 2)).unwrap();
    store.put_arrival(&validated(5, 12, "cc", &a, 3)).unwrap();
    let all = store.changes(None, 0, 2).unwrap();
    assert_eq!(all.iter().map(|c| c.ordinal).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(store.changes(None, 2, 9).unwrap().len(), 1);
    let of_a = store.changes(Some(&a.agency), 1, 9).unwrap();
    assert_eq!(of_a.len(), 1);
    let report = of_a[0].report.clone().unwrap();
    assert_eq!((of_a[0].ordinal, report.ordinal, report.summary.error), (3, 2, 1));
}

pub(crate) fn tokens_of_other_lives_are_refused(open: &dyn Fn() -> Opened) {
    let Opened { store, keep: _keep } = open();
    store.put_arrival(&validated(3, 10, "aa", &key("361001", 2023), 1)).unwrap();
    let token = |epoch: &str, ordinal| ResumeToken { epoch: epoch.to_owned(), ordinal };
    assert_eq!(store.resume(&token(store.epoch(), 1)).unwrap(), Ok(1));
    assert_eq!(store.resume(&token(store.epoch(), 2)).unwrap(), Err(ResumeError::OtherEpoch));
    let other = open();
    assert_ne!(store.epoch(), other.store.epoch());
    assert_eq!(store.resume(&token(other.store.epoch(), 0)).unwrap(), Err(ResumeError::OtherEpoch));
}
