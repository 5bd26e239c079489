//! Test cases for objects and entries.

#![expect(missing_docs, reason = "a case's name says what it proves")]

use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt as _, stream::BoxStream};
use tokio::time::timeout;

use super::steps::{ENTRIES, OBJECTS, PATIENCE, declare};
use crate::transport::{Change, Entry, Error, ErrorKind, Transport};

pub async fn an_object_is_read_as_written(transport: &impl Transport) {
    declare(transport).await;
    let objects = transport.objects(OBJECTS);
    let key = "sha256/0af7651916cd43dd8448eb211c80319c.樟树";
    assert_eq!(objects.get(key).await.expect("reached"), None);
    assert!(!objects.exists(key).await.expect("reached"));
    let content = Bytes::from("一、总体情况");
    objects.put(key, content.clone()).await.expect("stored");
    objects.put("empty", Bytes::new()).await.expect("stored");
    assert_eq!(objects.get(key).await.expect("reached"), Some(content));
    assert_eq!(objects.get("empty").await.expect("reached"), Some(Bytes::new()));
    assert!(objects.exists(key).await.expect("reached"));
}

pub async fn an_object_is_replaced(transport: &impl Transport) {
    declare(transport).await;
    let objects = transport.objects(OBJECTS);
    for content in ["first", "second", "second", "third"] {
        objects.put("key", content.into()).await.expect("stored");
        assert_eq!(objects.get("key").await.expect("reached"), Some(content.into()));
    }
}

pub async fn a_deleted_object_is_gone(transport: &impl Transport) {
    declare(transport).await;
    let objects = transport.objects(OBJECTS);
    objects.put("key", "content".into()).await.expect("stored");
    for _ in 0..2 {
        objects.delete("key").await.expect("deleting what is not there is no error");
        assert_eq!(objects.get("key").await.expect("reached"), None);
        assert!(!objects.exists("key").await.expect("reached"));
    }
    objects.put("key", "content".into()).await.expect("stored");
    assert_eq!(objects.get("key").await.expect("reached"), Some("content".into()));
}

pub async fn an_object_of_many_chunks_is_whole(transport: &impl Transport) {
    declare(transport).await;
    let objects = transport.objects(OBJECTS);
    let large: Bytes =
        (0..5 * 1024 * 1024_u32).map(|index| index.to_le_bytes()[index as usize % 4]).collect();
    objects.put("large", large.clone()).await.expect("stored");
    assert!(objects.get("large").await.expect("reached") == Some(large), "content differs");
}

pub async fn an_undeclared_bucket_is_not_found(transport: &impl Transport) {
    let objects = transport.objects("nowhere");
    assert_eq!(objects.get("key").await.expect_err("there is no bucket").kind, ErrorKind::NotFound);
    assert_eq!(objects.delete("key").await.expect_err("there is no bucket").kind, ErrorKind::NotFound);
}

pub async fn an_entry_bucket_that_is_undeclared_is_not_found(transport: &impl Transport) {
    let entry = transport.entries("nowhere").get("key").await.expect_err("there is no bucket");
    assert_eq!(entry.kind, ErrorKind::NotFound);
}

pub async fn an_entry_is_created_once(transport: &impl Transport) {
    declare(transport).await;
    let entries = transport.entries(ENTRIES);
    assert_eq!(entries.get("a.b/c-1").await.expect("reached"), None);
    let revision = entries.create("a.b/c-1", "first".into()).await.expect("absent");
    let error = entries.create("a.b/c-1", "second".into()).await.expect_err("present");
    assert_eq!(error.kind, ErrorKind::Conflict);
    let entry = entries.get("a.b/c-1").await.expect("reached");
    assert_eq!(entry, Some(Entry { value: "first".into(), revision }));
}

pub async fn an_update_needs_the_present_revision(transport: &impl Transport) {
    declare(transport).await;
    let entries = transport.entries(ENTRIES);
    let first = entries.create("key", "first".into()).await.expect("absent");
    entries.create("other", "other".into()).await.expect("absent");
    let second = entries.update("key", "second".into(), first).await.expect("the revision is right");
    assert!(second > first);
    let error = entries.update("key", "late".into(), first).await.expect_err("somebody else wrote");
    assert_eq!(error.kind, ErrorKind::Conflict);
    let entry = entries.get("key").await.expect("reached");
    assert_eq!(entry, Some(Entry { value: "second".into(), revision: second }));
}

pub async fn a_deleted_entry_can_be_created_again(transport: &impl Transport) {
    declare(transport).await;
    let entries = transport.entries(ENTRIES);
    let first = entries.create("key", "first".into()).await.expect("absent");
    entries.delete("key").await.expect("reached");
    assert_eq!(entries.get("key").await.expect("reached"), None);
    let again = entries.create("key", "again".into()).await.expect("absent");
    assert!(again > first);
    assert_eq!(entries.update("key", "late".into(), first).await.expect_err("old").kind, ErrorKind::Conflict);
}

pub async fn a_watch_sees_present_and_later_values(transport: &impl Transport) {
    declare(transport).await;
    let entries = transport.entries(ENTRIES);
    let first = entries.create("key", "first".into()).await.expect("absent");
    let second = entries.update("key", "second".into(), first).await.expect("right revision");
    let mut watch = entries.watch("key").await.expect("reached");
    assert_eq!(seen(&mut watch).await, Entry { value: "second".into(), revision: second });
    entries.create("other", "other".into()).await.expect("absent");
    let third = entries.update("key", "third".into(), second).await.expect("right revision");
    // A bucket keeps the last value only: one that is replaced at once need not be seen.
    assert_eq!(seen(&mut watch).await, Entry { value: "third".into(), revision: third });
    entries.delete("key").await.expect("reached");
    let fourth = entries.create("key", "fourth".into()).await.expect("absent");
    assert_eq!(seen(&mut watch).await, Entry { value: "fourth".into(), revision: fourth });
}

pub async fn a_watch_of_an_absent_entry_sees_its_creation(transport: &impl Transport) {
    declare(transport).await;
    let entries = transport.entries(ENTRIES);
    let mut watch = entries.watch("key").await.expect("reached");
    assert!(timeout(Duration::from_millis(50), watch.next()).await.is_err(), "nothing was written");
    let revision = entries.create("key", "first".into()).await.expect("absent");
    assert_eq!(seen(&mut watch).await, Entry { value: "first".into(), revision });
}

pub async fn a_watch_of_all_entries_says_when_it_is_at_the_present(transport: &impl Transport) {
    declare(transport).await;
    let entries = transport.entries(ENTRIES);
    let mut empty = entries.watch_all().await.expect("reached");
    assert_eq!(change(&mut empty).await, Change::Present);
    entries.create("one", "1".into()).await.expect("absent");
    entries.create("two", "2".into()).await.expect("absent");
    let value = |key: &str, value: Option<&'static str>| Change::Entry {
        key: key.to_owned(),
        value: value.map(Into::into),
    };
    let mut all = entries.watch_all().await.expect("reached");
    for watch in [&mut empty, &mut all] {
        assert_eq!(change(watch).await, value("one", Some("1")));
        assert_eq!(change(watch).await, value("two", Some("2")));
    }
    assert_eq!(change(&mut all).await, Change::Present);
    entries.delete("one").await.expect("reached");
    assert_eq!(change(&mut all).await, value("one", None));
    entries.create("three", "3".into()).await.expect("absent");
    assert_eq!(change(&mut all).await, value("three", Some("3")));
}

/// Returns the next step of a watch of all entries. Panics if none comes.
async fn change(watch: &mut BoxStream<'static, Result<Change, Error>>) -> Change {
    let next = timeout(PATIENCE, watch.next()).await.expect("a change comes");
    next.expect("a watch goes on").expect("a watch is well")
}

/// Returns the next value of a watch. Panics if none comes.
async fn seen(watch: &mut BoxStream<'static, Result<Entry, Error>>) -> Entry {
    let next = timeout(PATIENCE, watch.next()).await.expect("a value comes");
    next.expect("a watch goes on").expect("a watch is well")
}
