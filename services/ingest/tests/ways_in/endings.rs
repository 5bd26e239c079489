//! The events at the ends of submissions whose site has a `callback_url`: each final state has one event under one
//! id, however often it is published.

use axum::body::Body;
use gongkai_ingest::{
    Ingest,
    config::{Config, Site, Subscription},
    endings::Endings,
    progress::{Dead, Stages},
};
use gongkai_proto::{
    ReportEvent,
    subjects::Event,
    v1::{DeadLetter, FindingsSummary, Origin, Rejection, ReportRejected, ReportValidated, SubmissionEnded},
};
use gongkai_worker::{
    Context, Decision, Handler as _, Once, Output, Secret, Service as _,
    transport::memory::{Fault, Operation},
};
use http::{Request, StatusCode};
use prost::Message as _;
use serde_json::Value;

use crate::harness::{Answer, Harness, NOW, published, structured, withdrawn};

const TOKEN: &str = "a-token-of-yunxi";

fn config() -> Config {
    let site = Site {
        source: "https://www.example.gov.cn".into(),
        tokens: vec![Secret::new(TOKEN)],
        callback_url: Some("https://www.example.gov.cn/ended".into()),
        ..Site::default()
    };
    let public_url = "https://gongkai.example.gov.cn/".into();
    Config { sites: [("yunxi".into(), site)].into(), public_url, ..Config::default() }
}

fn context(subject: &str, sequence: u64) -> Context {
    Context {
        message_id: format!("m{sequence}"),
        subject: subject.into(),
        sequence,
        logged_at: NOW,
        repetition: None,
        attempt: 1,
        trace_id: "0af7651916cd43dd8448eb211c80319c".into(),
        once: Once::default(),
    }
}

fn origin(submission_id: &str) -> Option<Origin> {
    Some(Origin { submission_id: submission_id.into(), ..Origin::default() })
}

fn validated(submission_id: &str, error: u32) -> ReportEvent {
    ReportEvent::Validated(Box::new(ReportValidated {
        origin: origin(submission_id),
        summary: Some(FindingsSummary { error, ..FindingsSummary::default() }),
        ..ReportValidated::default()
    }))
}

impl Harness {
    /// Sends an event with the credentials of the site.
    async fn own_event(&self, event: &Value) -> Answer {
        self.call(with_token(structured(event))).await
    }
}

fn with_token(mut request: Request<Body>) -> Request<Body> {
    request.headers_mut().insert("authorization", format!("Bearer {TOKEN}").parse().unwrap());
    request
}

/// Returns the outputs of ingest for the event of a stage.
async fn handle(harness: &Harness, config: &Config, event: ReportEvent, sequence: u64) -> Vec<Output> {
    let stages = Stages::new(&harness.runtime).telling(Endings::new(config));
    let context = context("gongkai.v1.report.validated.360982", sequence);
    let handled: Result<_, Decision> = stages.handle(event.into(), &context).await;
    handled.unwrap()
}

/// Returns the id, the subject and the receipt of the only output.
fn read(outputs: &[Output]) -> (String, String, Value) {
    assert_eq!(outputs.len(), 1, "{outputs:?}");
    let ended = SubmissionEnded::decode(outputs[0].payload.clone()).unwrap();
    assert_eq!((ended.site.as_str(), outputs[0].ce_type), ("yunxi", "gongkai.submission.ended.v1"));
    let receipt: Value = serde_json::from_str(&ended.receipt).unwrap();
    assert_eq!(receipt["submission_id"], ended.submission_id.as_str());
    (outputs[0].message_id.clone().unwrap(), outputs[0].subject.clone(), receipt)
}

/// Returns the message id and the receipt of the ends that acceptance itself published.
fn told(harness: &Harness) -> Vec<(String, Value)> {
    let messages = harness.memory.messages(&Event::SubmissionEnded.filter()).into_iter();
    let read = |message: gongkai_worker::Message| {
        let id = message.headers.get(gongkai_worker::MESSAGE_ID).unwrap().to_owned();
        let ended = SubmissionEnded::decode(message.payload).unwrap();
        (id, serde_json::from_str(&ended.receipt).unwrap())
    };
    messages.map(read).collect()
}

#[tokio::test]
async fn a_validation_is_told_with_the_receipt_that_is_served_and_under_one_id() {
    let (config, harness) = (config(), Harness::new(&config()).await);
    let first = harness.own_event(&published("1", "第一版")).await;
    let id = first.text("submission_id");
    assert!(told(&harness).is_empty());
    let outputs = handle(&harness, &config, validated(id, 2), 9).await;
    let (message_id, subject, receipt) = read(&outputs);
    assert_eq!(message_id, format!("{id}.ended.validated"));
    assert_eq!(subject, "gongkai.v1.submission.ended.360982");
    assert_eq!((&receipt["state"], &receipt["findings"]["error"]), (&"validated".into(), &2.into()));
    let status = Request::get(format!("/v1/submissions/{id}")).body(Body::empty()).unwrap();
    let served = harness.call(with_token(status)).await;
    assert_eq!(receipt, served.json, "as GET /v1/submissions/{{id}} answers it");
    assert!(receipt["status_url"].as_str().unwrap().starts_with("https://gongkai.example.gov.cn/v1/"));
    // A neighbour's change made validate evaluate the report again.
    let again = handle(&harness, &config, validated(id, 3), 12).await;
    assert_eq!(read(&again).0, message_id);
}

#[tokio::test]
async fn a_rejection_is_told_and_a_dead_letter_and_what_its_replay_leads_to() {
    let (config, harness) = (config(), Harness::new(&config()).await);
    let first = harness.own_event(&published("1", "第一版")).await;
    let id = first.text("submission_id");
    let letter = DeadLetter {
        subject: "gongkai.v1.report.received.360982".into(),
        message_id: id.into(),
        sequence: 1,
        ..DeadLetter::default()
    };
    let dead = Dead::new(harness.receipts.clone()).telling(Endings::new(&config));
    let outputs = dead.handle(letter, &context("gongkai.v1.dead.parse", 5)).await.unwrap();
    let (message_id, subject, receipt) = read(&outputs);
    assert_eq!((message_id, receipt["state"].clone()), (format!("{id}.ended.dead"), "dead".into()));
    assert_eq!(subject, "gongkai.v1.submission.ended.360982");
    let rejected = ReportRejected {
        origin: origin(id),
        rejection: Some(Rejection { code: "NOT_A_REPORT".into(), ..Rejection::default() }),
        ..ReportRejected::default()
    };
    let outputs = handle(&harness, &config, ReportEvent::Rejected(Box::new(rejected)), 9).await;
    let (message_id, _, receipt) = read(&outputs);
    assert_eq!(message_id, format!("{id}.ended.rejected"));
    assert_eq!(receipt["rejection"]["code"], "NOT_A_REPORT");
}

#[tokio::test]
async fn an_end_that_is_learned_before_the_beginning_is_told_when_both_are_known() {
    let (config, harness) = (config(), Harness::new(&config()).await);
    let id = harness.own_event(&published("1", "第一版")).await.text("submission_id").to_owned();
    let received = harness.received().remove(0);
    // Another ingest, whose receipts are being restored.
    let rebuilding = Harness::new(&config).await;
    assert!(handle(&rebuilding, &config, validated(&id, 0), 9).await.is_empty(), "whose it is is not known");
    let outputs = handle(&rebuilding, &config, ReportEvent::Received(Box::new(received)), 1).await;
    assert_eq!(read(&outputs).0, format!("{id}.ended.validated"));
}

#[tokio::test]
async fn what_is_unchanged_or_withdrawn_is_told_by_acceptance_once() {
    let (config, harness) = (config(), Harness::new(&config()).await);
    let first = harness.own_event(&published("1", "第一版")).await;
    handle(&harness, &config, validated(first.text("submission_id"), 4), 9).await;
    // The call stops between the publication and the receipt, and is repeated.
    let id = Harness::new(&config).await;
    let id = {
        id.own_event(&published("1", "第一版")).await;
        id.own_event(&published("2", "第一版")).await.text("submission_id").to_owned()
    };
    harness.memory.plan(Fault::fail(Operation::Write).on(id.clone()));
    assert_eq!(harness.own_event(&published("2", "第一版")).await.status, StatusCode::SERVICE_UNAVAILABLE);
    let unchanged = harness.own_event(&published("2", "第一版")).await;
    assert_eq!((unchanged.text("state"), unchanged.text("submission_id")), ("unchanged", id.as_str()));
    harness.own_event(&published("2", "第一版")).await;
    let withdrawal = harness.own_event(&withdrawn("w1")).await;
    assert_eq!(withdrawal.text("state"), "withdrawn");
    let told = told(&harness);
    let ids: Vec<_> = told.iter().map(|(id, _)| id.clone()).collect();
    let withdrawal_id = withdrawal.text("submission_id");
    assert_eq!(ids, [format!("{id}.ended.unchanged"), format!("{withdrawal_id}.ended.withdrawn")]);
    assert_eq!(told[0].1["findings"]["error"], 4, "with the outcome of the first");
    assert_eq!(told[1].1["withdrawal"]["hit"], "report");
    // The log contains the withdrawal too.
    let message = harness.memory.messages("gongkai.v1.report.withdrawn.*").remove(0);
    let event = ReportEvent::decode(&message.subject, message.payload).unwrap();
    assert_eq!(read(&handle(&harness, &config, event, 3).await).0, ids[1]);
}

#[tokio::test]
async fn a_rejection_is_told_without_a_callback_if_a_subscription_has_it() {
    let site = Site { callback_url: None, ..config().sites["yunxi"].clone() };
    let with = |rejections: &[&str]| Config {
        sites: [("yunxi".into(), site.clone())].into(),
        subscriptions: vec![Subscription {
            rejections: rejections.iter().map(|name| (*name).to_owned()).collect(),
        }],
        ..config()
    };
    let (config, harness) = (with(&["yunxi"]), Harness::new(&with(&["yunxi"])).await);
    let id = harness.own_event(&published("1", "第一版")).await.text("submission_id").to_owned();
    let rejected = |code: &str| {
        ReportEvent::Rejected(Box::new(ReportRejected {
            origin: origin(&id),
            rejection: Some(Rejection { code: code.into(), ..Rejection::default() }),
            ..ReportRejected::default()
        }))
    };
    let outputs = handle(&harness, &config, rejected("NEEDS_OCR"), 9).await;
    let ended = SubmissionEnded::decode(outputs[0].payload.clone()).unwrap();
    assert_eq!((ended.site.as_str(), ended.sender_site.as_str()), ("", "yunxi"));
    assert_eq!(ended.rejection_code, "NEEDS_OCR");
    assert_eq!(handle(&harness, &with(&["*"]), rejected("NEEDS_OCR"), 9).await.len(), 1);
    assert!(handle(&harness, &with(&["other"]), rejected("NEEDS_OCR"), 9).await.is_empty());
    assert!(handle(&harness, &config, validated(&id, 0), 10).await.is_empty(), "it is no rejection any more");
}

#[test]
fn the_subscriptions_of_notify_are_read() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let text = "[[notify.subscriptions]]\nname = \"office\"\nchannel = \"log\"\nrejections = [\"*\"]\n\
                [[notify.subscriptions]]\nname = \"log\"\nchannel = \"log\"\n";
    std::fs::write(file.path(), text).unwrap();
    let all = gongkai_worker::Config::load(Some(file.path()), &["ingest", "notify"]).unwrap();
    let config = Ingest::configure(&all).unwrap();
    let rejections: Vec<_> = config.subscriptions.iter().map(|known| known.rejections.join(",")).collect();
    assert_eq!(rejections, ["*", ""]);
}

#[tokio::test]
async fn nobody_else_is_told() {
    let harness = Harness::new(&Config::default()).await;
    let first = harness.event(&published("1", "第一版")).await;
    // The callback was added to the config after the submission.
    let outputs = handle(&harness, &config(), validated(first.text("submission_id"), 0), 9).await;
    harness.event(&published("2", "第一版")).await;
    assert!(outputs.is_empty() && told(&harness).is_empty());
    // An operator's submission belongs to no site.
    let operator = "a-token-of-an-operator";
    let config = Config { tokens: vec![Secret::new(operator)], ..config() };
    let harness = Harness::new(&config).await;
    let mut event = published("3", "第二版");
    event["source"] = "https://www.other.gov.cn".into();
    event["data"]["site"] = Value::Null;
    let mut request = structured(&event);
    request.headers_mut().insert("authorization", format!("Bearer {operator}").parse().unwrap());
    let id = harness.call(request).await.text("submission_id").to_owned();
    let received = harness.received().remove(0);
    assert!(handle(&harness, &config, validated(&id, 0), 9).await.is_empty());
    assert!(handle(&harness, &config, ReportEvent::Received(Box::new(received)), 1).await.is_empty());
}
