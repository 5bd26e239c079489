//! Notify's state is lost: no alert is lost with it, and none is delivered twice.

use std::time::Instant;

use gongkai_notify::delivery::Backlog;
use gongkai_proto::subjects;
use gongkai_tests::{
    chaos::receiver::{Receiver, SECRET},
    deployment::{Deployment, Plan},
    http, samples,
};
use prost::Message as _;

use crate::harness::{NOTICED, all_say, context, repaired};

/// A report with a wrong total, and the same corrected.
const WRONG: &str = "02_tab_rows_wrong_total.txt";
const CORRECTED: &str = "02_tab_rows_wrong_total_corrected.txt";
/// The wrong cell.
const CAUSE: &str = "requests.outcome.refused.third_party_rights[total]";

async fn start(receiver: &Receiver) -> Deployment {
    let config = format!(
        "[notify]\nretry_delays_s = [2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]\n\
         [[notify.subscriptions]]\nname = \"office\"\nchannel = \"webhook\"\nurl = \"{}\"\nsecret = \"{SECRET}\"\n",
        receiver.url()
    );
    Deployment::start(&Plan { config, ..Plan::default() }).await
}

/// Publishes a sample at one address, and follows it to its end.
async fn publish(deployment: &Deployment, file: &str) {
    let sample = samples::all().into_iter().find(|sample| sample.file == file).unwrap();
    let url = format!("{}/v1/reports?filename={file}&url=https://a.example/2023.html", deployment.ingest());
    let answer = http::post(&url, sample.media_type(), sample.bytes()).await.unwrap();
    assert_eq!(answer.status, 202, "{}", answer.json);
    let receipt = http::settled(&deployment.ingest(), answer.json["submission_id"].as_str().unwrap()).await;
    assert_eq!(receipt["state"], "validated", "{receipt}");
}

/// Waits until all alerts wait for the receiver.
async fn waiting(deployment: &mut Deployment) {
    let bucket = context(deployment).await.get_key_value(subjects::BUCKET_DELIVERIES).await.unwrap();
    let started = Instant::now();
    loop {
        let saved = bucket.get("office").await.unwrap();
        let backlog = saved.map(|saved| Backlog::decode(saved).unwrap()).unwrap_or_default();
        let alerts = deployment.messages(subjects::STREAM_ALERTS).await;
        if !backlog.is_empty() && alerts == Some(backlog.len() as u64) {
            return;
        }
        assert!(started.elapsed() < NOTICED, "{} of {alerts:?} wait", backlog.len());
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

/// Waits until the receiver has accepted the alert about the wrong total in this state. Returns its id.
async fn told(receiver: &Receiver, state: &str) -> String {
    let started = Instant::now();
    loop {
        let calls = receiver.calls();
        let is_it = |alert: &serde_json::Value| alert["state"] == state && alert["cause"] == CAUSE;
        if let Some(call) = calls.iter().find(|call| is_it(&call.alert)) {
            return call.alert["alert_id"].as_str().unwrap().to_owned();
        }
        assert!(started.elapsed() < NOTICED, "not {state}: {calls:#?}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

/// Corrects the report. Checks that the raised alert is resolved, and that no alert was delivered twice.
async fn resolved_once(receiver: &Receiver, deployment: &mut Deployment, raised: &str) {
    publish(deployment, CORRECTED).await;
    assert_eq!(told(receiver, "resolved").await, raised);
    assert_eq!(receiver.totals().1, 0, "{:#?}", receiver.calls());
    deployment.assert_nothing_restarted();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_delivered_although_the_record_of_it_is_lost() {
    let receiver = Receiver::start().await;
    receiver.set_down(true);
    let mut deployment = start(&receiver).await;
    publish(&deployment, WRONG).await;
    waiting(&mut deployment).await;
    context(&mut deployment).await.delete_key_value(subjects::BUCKET_DELIVERIES).await.unwrap();
    all_say(&deployment, "entry bucket gongkai-deliveries is missing").await;
    repaired(&deployment, "entry bucket gongkai-deliveries", "MISSING").await;
    receiver.set_down(false);
    let raised = told(&receiver, "raised").await;
    resolved_once(&receiver, &mut deployment, &raised).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_raised_again_when_the_stream_of_alerts_is_lost() {
    let receiver = Receiver::start().await;
    let mut deployment = start(&receiver).await;
    receiver.set_down(true);
    publish(&deployment, WRONG).await;
    waiting(&mut deployment).await;
    context(&mut deployment).await.delete_stream(subjects::STREAM_ALERTS).await.unwrap();
    all_say(&deployment, "stream GONGKAI_ALERTS is missing").await;
    repaired(&deployment, "stream GONGKAI_ALERTS", "MISSING").await;
    receiver.set_down(false);
    let raised = told(&receiver, "raised").await;
    // The sequences of the new stream start again, but must not count as older than the delivered ones.
    resolved_once(&receiver, &mut deployment, &raised).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_ends_although_the_record_of_its_beginning_is_lost() {
    let receiver = Receiver::start().await;
    let mut deployment = start(&receiver).await;
    publish(&deployment, WRONG).await;
    let raised = told(&receiver, "raised").await;
    context(&mut deployment).await.delete_key_value(subjects::BUCKET_ALERTS).await.unwrap();
    all_say(&deployment, "entry bucket gongkai-alerts is missing").await;
    repaired(&deployment, "entry bucket gongkai-alerts", "MISSING").await;
    resolved_once(&receiver, &mut deployment, &raised).await;
}
