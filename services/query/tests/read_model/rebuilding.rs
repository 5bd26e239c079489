//! Requests while the read model is rebuilt.

use std::fs;

use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_types::StatusExt as _;

use crate::bench::{Bench, reason};

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_the_reports_is_no_answer() {
    let mut bench = Bench::start().await;
    bench.publish(0..1500).await;
    let query = bench.query().await;
    let mut health = HealthClient::new(query.channel.clone());
    let mut seen = Vec::new();
    let mut sentences = Vec::new();
    query
        .until(|names| {
            sentences.extend(query.runtime.waiting());
            match names {
                Ok(names) => {
                    assert_eq!(names.len(), 1000, "a page of all");
                    true
                }
                Err(refusal) if reason(refusal) == "REBUILDING" => {
                    let said = refusal.get_details_error_info().unwrap().metadata;
                    let number = |name: &str| said[name].parse::<u64>().unwrap();
                    assert_eq!(number("total"), 1500);
                    seen.push(number("done"));
                    false
                }
                Err(_) => false,
            }
        })
        .await;
    assert!(seen.is_sorted() && seen.last() > seen.first(), "{seen:?}");
    assert!(sentences.iter().any(|said| said.contains("of 1500 events")), "{sentences:?}");
    let mut serving = None;
    while serving != Some(ServingStatus::Serving) {
        let status = health.check(HealthCheckRequest::default()).await.unwrap().into_inner().status();
        assert!(serving.is_none() || status == ServingStatus::NotServing || status == ServingStatus::Serving);
        serving = Some(status);
    }
    let answers = query.ask().await.unwrap();
    query.stop().await;
    // A deleted file is built again and gives the same answers.
    for entry in fs::read_dir(bench.config.database.parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::remove_file(path).unwrap();
        }
    }
    let query = bench.query().await;
    let mut health = HealthClient::new(query.channel.clone());
    let status = health.check(HealthCheckRequest::default()).await.unwrap().into_inner().status();
    assert_eq!(status, ServingStatus::NotServing);
    query.ready().await;
    assert_eq!(query.ask().await.unwrap(), answers);
    query.stop().await;
}

/// Events that arrive after a rebuild are the usual lag: the service answers with its present content.
#[tokio::test(flavor = "multi_thread")]
async fn lag_is_no_rebuilding() {
    let mut bench = Bench::start().await;
    bench.publish(0..5).await;
    let query = bench.query().await;
    query.answers(5).await;
    query.stop().await;
    bench.publish(5..300).await;
    let query = bench.query().await;
    query
        .until(|names| match names {
            Ok(names) => {
                assert!(names.len() >= 5);
                true
            }
            Err(refusal) => {
                assert_eq!(reason(refusal), "READ_MODEL_OPENING");
                false
            }
        })
        .await;
    query.answers(300).await;
    query.stop().await;
}
