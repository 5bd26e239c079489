//! Logs that were created again, are older copies, or are missing.

use crate::bench::{Bench, name, reason};

fn names(reports: std::ops::Range<u32>) -> Vec<String> {
    reports.map(name).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_made_anew_has_other_events_under_the_same_sequences() {
    let mut bench = Bench::start().await;
    bench.publish(0..20).await;
    let query = bench.query().await;
    query.answers(20).await;
    bench.delete_log().await;
    bench.declare().await;
    bench.publish(100..120).await;
    // The answers are the old ones, none, or the new ones; never a mixture, and never the old ones after the new
    // ones.
    let mut is_over = false;
    query
        .until(|answer| match answer {
            Ok(answer) if *answer == names(0..20) => {
                assert!(!is_over, "the old log is answered from again");
                false
            }
            Ok(answer) => {
                is_over = true;
                assert!(names(100..120).starts_with(answer), "{answer:?}");
                answer.len() == 20
            }
            Err(refusal) => {
                is_over = true;
                reason(refusal);
                false
            }
        })
        .await;
    query.stop().await;
    // The same happens while the service is stopped.
    bench.delete_log().await;
    bench.declare().await;
    bench.publish(200..230).await;
    let query = bench.query().await;
    query.ready().await;
    assert_eq!(query.names().await.unwrap(), names(200..230));
    query.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_copy_of_the_log_takes_events_back() {
    let mut bench = Bench::start().await;
    bench.publish(0..10).await;
    let query = bench.query().await;
    let answers = query.answers(10).await;
    let older = bench.copy_store().await;
    bench.publish(10..20).await;
    query.answers(20).await;
    bench.replace_store(&older).await;
    assert_eq!(query.answers(10).await, answers);
    query.stop().await;
}

/// The copy grows past the lost events, so that its length does not reveal it.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_copy_of_the_log_that_grew_has_another_history() {
    let mut bench = Bench::start().await;
    bench.publish(0..10).await;
    let query = bench.query().await;
    query.answers(10).await;
    let older = bench.copy_store().await;
    bench.publish(10..20).await;
    query.answers(20).await;
    query.stop().await;
    bench.replace_store(&older).await;
    bench.publish(100..130).await;
    let query = bench.query().await;
    query.ready().await;
    assert_eq!(query.names().await.unwrap(), [names(0..10), names(100..130)].concat());
    query.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_gone_is_waited_for() {
    let mut bench = Bench::start().await;
    bench.publish(0..5).await;
    let query = bench.query().await;
    let answers = query.answers(5).await;
    bench.delete_log().await;
    query.until(|names| names.is_err() && query.runtime.waiting().concat().contains("the log")).await;
    bench.declare().await;
    bench.publish(0..5).await;
    let again = query.answers(5).await;
    assert_eq!(again.len(), answers.len());
    query.stop().await;
}
