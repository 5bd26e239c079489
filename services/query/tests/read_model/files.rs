//! Files that are older copies, damaged, or in use.

use std::fs;

use gongkai_query::config::Rebuild;

use crate::bench::{Bench, flip, put_back, reason};

/// Suffixes of all files of a read model.
const ALL: &[&str] = &["", "-wal", "-sums"];

/// Returns a bench with 10 reports and `more`, a copy of some of its files from before `more`, and its answers.
async fn with_older_copy(
    copied: &[&str],
    more: u32,
) -> (Bench, Vec<(std::path::PathBuf, Vec<u8>)>, Vec<String>) {
    let mut bench = Bench::start().await;
    bench.publish(0..10).await;
    let query = bench.query().await;
    query.answers(10).await;
    query.stop().await;
    let older = bench.files(copied);
    let query = bench.query().await;
    bench.publish(10..10 + more).await;
    let answers = query.answers(10 + more as usize).await;
    query.stop().await;
    (bench, older, answers)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_copy_is_not_answered_from() {
    // Few events stay in the write-ahead log; many make checkpoints, which write to the file itself.
    let cases: [(&[&str], u32); 6] =
        [(ALL, 5), (ALL, 200), (&[""], 200), (&["", "-sums"], 200), (&["-wal"], 5), (&["-wal"], 200)];
    for (copied, more) in cases {
        let (bench, older, answers) = with_older_copy(copied, more).await;
        put_back(&older);
        let query = bench.query().await;
        // The first answer must already be right.
        query.ready().await;
        assert_eq!(query.ask().await.unwrap(), answers, "{copied:?} {more}");
        // A single older file may be harmless: the write-ahead log still has the pages that a checkpoint copied.
        assert!(copied != ALL || bench.aside() > 0, "{more}");
        query.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_model_that_holds_is_kept() {
    let (bench, _, answers) = with_older_copy(ALL, 10).await;
    let epoch = gongkai_store::sqlite::epoch_of(&bench.config.database).unwrap();
    for _ in 0..2 {
        let query = bench.query().await;
        query.ready().await;
        assert_eq!(query.ask().await.unwrap(), answers);
        query.stop().await;
    }
    assert_eq!(gongkai_store::sqlite::epoch_of(&bench.config.database).unwrap(), epoch);
    assert_eq!(bench.aside(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_services_on_copies_of_one_file_both_become_whole() {
    let (mut bench, _, _) = with_older_copy(ALL, 10).await;
    let files = bench.files(ALL);
    let other = tempfile::tempdir().unwrap();
    for (path, bytes) in &files {
        fs::write(other.path().join(path.file_name().unwrap()), bytes).unwrap();
    }
    let first = bench.query().await;
    let database = std::mem::replace(&mut bench.config.database, other.path().join("query.db"));
    let second = bench.query().await;
    bench.config.database = database;
    // Both use one consumer, so each gets only some of these events.
    bench.publish(20..40).await;
    let (first_answers, second_answers) = tokio::join!(first.answers(40), second.answers(40));
    assert_eq!(first_answers, second_answers);
    first.stop().await;
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_is_noticed_at_the_start_and_while_running() {
    let mut bench = Bench::start().await;
    // These are enough for more than one checkpoint.
    bench.publish(0..200).await;
    let query = bench.query().await;
    let answers = query.answers(200).await;
    let epoch = gongkai_store::sqlite::epoch_of(&bench.config.database).unwrap();
    flip(&bench.config.database);
    query.until(Result::is_err).await;
    assert_eq!(query.answers(200).await, answers);
    assert_ne!(gongkai_store::sqlite::epoch_of(&bench.config.database).unwrap(), epoch);
    query.stop().await;
    flip(&bench.config.database);
    let query = bench.query().await;
    query.ready().await;
    assert_eq!(query.ask().await.unwrap(), answers);
    query.stop().await;
    // The file is not an SQLite file at all.
    fs::write(&bench.config.database, "一份普通的文本文件".repeat(999)).unwrap();
    let query = bench.query().await;
    query.ready().await;
    assert_eq!(query.ask().await.unwrap(), answers);
    query.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_may_forbid_to_replace_it() {
    let (mut bench, older, answers) = with_older_copy(ALL, 10).await;
    let newer = bench.files(ALL);
    put_back(&older);
    bench.config.rebuild = Rebuild::Refuse;
    let query = bench.query().await;
    query.until(|names| names.as_ref().is_err_and(|refusal| reason(refusal) == "READ_MODEL_REFUSED")).await;
    let said = query.runtime.waiting().concat();
    assert!(said.contains("older copy") && said.contains("query.rebuild"), "{said}");
    query.stop().await;
    assert_eq!(bench.aside(), 0);
    put_back(&newer);
    let query = bench.query().await;
    query.ready().await;
    assert_eq!(query.ask().await.unwrap(), answers);
    query.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_waits_for_the_file() {
    let mut bench = Bench::start().await;
    bench.publish(0..3).await;
    let first = bench.query().await;
    first.answers(3).await;
    let second = bench.query().await;
    second
        .until(|names| {
            let is_opening = names.as_ref().is_err_and(|refusal| reason(refusal) == "READ_MODEL_OPENING");
            is_opening && second.runtime.waiting().concat().contains("another process")
        })
        .await;
    first.stop().await;
    second.answers(3).await;
    second.stop().await;
}
