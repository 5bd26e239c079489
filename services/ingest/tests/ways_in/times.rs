//! The time of an event and of its arrival: kept from every interface, and shown on the receipt.

use axum::body::Body;
use gongkai_ingest::config::Config;
use gongkai_proto::v1::{GetSubmissionRequest, Receipt, SubmitRequest};
use http::Request;
use prost_types::Timestamp;
use serde_json::json;

use crate::{
    grpc::served,
    harness::{Answer, published, withdrawn},
};

/// 2024-01-14T09:00:00+08:00, a day before the harness's now.
const HAPPENED: Timestamp = Timestamp { seconds: 1_705_194_000, nanos: 0 };
/// The harness's now.
const ARRIVED: Timestamp = Timestamp { seconds: 1_705_313_520, nanos: 0 };
const TIME: &str = "2024-01-14T09:00:00+08:00";

fn says_both(answer: &Answer) {
    assert_eq!(answer.json["event_time"], "2024-01-14T01:00:00Z", "{answer:?}");
    assert_eq!(answer.json["received_at"], "2024-01-15T10:12:00Z", "{answer:?}");
}

#[tokio::test]
async fn both_times_are_kept_from_every_door_and_shown_on_the_receipt() {
    let (harness, mut client, _) = served(Config::default()).await;
    let mut event = published("1", "第一版");
    event["time"] = json!(TIME);
    let by_event = harness.event(&event).await;
    says_both(&by_event);
    says_both(&harness.get(by_event.text("submission_id")).await);
    let query = format!("/v1/reports?time={}", TIME.replace('+', "%2B"));
    let by_query = harness.call(Request::post(query).body(Body::from("第二版")).unwrap()).await;
    says_both(&by_query);
    let request =
        SubmitRequest { content: "第三版".into(), event_time: Some(HAPPENED), ..SubmitRequest::default() };
    let by_call: Receipt = client.submit(request).await.unwrap().into_inner();
    assert_eq!((by_call.event_time, by_call.received_at), (Some(HAPPENED), Some(ARRIVED)));
    let asked = GetSubmissionRequest { submission_id: by_call.submission_id.clone() };
    assert_eq!(client.get_submission(asked).await.unwrap().into_inner(), by_call);

    let received = harness.received();
    assert_eq!(received.len(), 3);
    for event in received {
        assert_eq!((event.event_time, event.received_at), (Some(HAPPENED), Some(ARRIVED)));
        assert_eq!(event.published_at, Some(HAPPENED), "no other is given");
    }
    let mut withdrawal = withdrawn("w1");
    withdrawal["time"] = json!(TIME);
    says_both(&harness.event(&withdrawal).await);
}

#[tokio::test]
async fn a_sender_that_gives_no_time_gets_none() {
    let (harness, ..) = served(Config::default()).await;
    let answer = harness.event(&published("1", "第一版")).await;
    assert_eq!(
        (&answer.json["event_time"], answer.text("received_at")),
        (&json!(null), "2024-01-15T10:12:00Z")
    );
    let unchanged = harness.event(&published("2", "第一版")).await;
    assert_eq!(
        (unchanged.text("state"), unchanged.text("received_at")),
        ("unchanged", "2024-01-15T10:12:00Z")
    );
}
