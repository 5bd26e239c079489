//! Tests of alerts, from report events to the alert stream, over the memory transport and its fault plan.

use gongkai_model::Severity;
use gongkai_notify::{
    Config,
    alerts::{Alerter, state::ReportAlerts},
};
use gongkai_proto::{
    ReportEvent,
    subjects::{BUCKET_ALERTS, Event},
    v1,
};
use gongkai_worker::{
    Context, Decision, Handler, Transport,
    transport::memory::{Fault, Memory, Operation},
};
use prost::Message as _;

use crate::running::{DIGEST, REPORT, Running, URL, finding, validated};

const ALERTS: &str = "gongkai.v1.alert.*";

async fn started() -> Running {
    let running = Running::start(Memory::new(), Config::default()).await;
    running.fill_stream(5).await;
    running
}

#[tokio::test(start_paused = true)]
async fn findings_are_raised_once_and_resolved_by_a_correction() {
    let running = started().await;
    running.publish("v1", Event::ReportValidated, &validated(1, &["a", "b"])).await;
    running.settled().await;
    running.publish("v1-again", Event::ReportValidated, &validated(1, &["a", "b"])).await;
    running.settled().await;
    running.publish("v2", Event::ReportValidated, &validated(2, &["b"])).await;
    running.settled().await;
    assert_eq!(running.said(), ["+a", "+b", "-a"]);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_older_revision_that_comes_late_changes_nothing() {
    let running = started().await;
    running.publish("v2", Event::ReportValidated, &validated(2, &["b"])).await;
    running.settled().await;
    running.publish("v1", Event::ReportValidated, &validated(1, &["a"])).await;
    running.settled().await;
    assert_eq!(running.said(), ["+b"]);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn drafts_and_light_findings_are_not_told() {
    let running = started().await;
    let mut draft = validated(1, &["a"]);
    draft.origin.as_mut().unwrap().kind = v1::DocumentKind::Draft.into();
    running.publish("draft", Event::ReportValidated, &draft).await;
    let mut light = validated(2, &[]);
    light.findings = vec![v1::Finding { severity: v1::Severity::Review.into(), ..finding("a") }];
    running.publish("light", Event::ReportValidated, &light).await;
    running.settled().await;
    assert_eq!(running.said(), [""; 0]);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_waiver_ends_its_alert_until_it_ends_itself() {
    let running = started().await;
    running.publish("v1", Event::ReportValidated, &validated(1, &["a", "b"])).await;
    running.settled().await;
    let mut waiver = v1::Waiver {
        name: format!("{REPORT}/waivers/0123456789abcdef"),
        finding: format!("{REPORT}/findings/a"),
        operands_digest: DIGEST.into(),
        ..Default::default()
    };
    waiver.set_state(v1::WaiverState::Active);
    running.publish("w1", Event::ReportWaived, &v1::WaiverChanged { waiver: Some(waiver.clone()) }).await;
    running.settled().await;
    running.publish("v2", Event::ReportValidated, &validated(2, &["a", "b"])).await;
    running.settled().await;
    waiver.set_state(v1::WaiverState::Expired);
    running.publish("w2", Event::ReportWaived, &v1::WaiverChanged { waiver: Some(waiver) }).await;
    running.settled().await;
    assert_eq!(running.said(), ["+a", "+b", "-a", "+a"]);
    assert!(running.dead().is_empty());
    running.publish("w3", Event::ReportWaived, &v1::WaiverChanged::default()).await;
    running.settled().await;
    assert_eq!(running.dead().len(), 1);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_withdrawal_finds_its_reports_by_url() {
    let running = started().await;
    running.publish("v1", Event::ReportValidated, &validated(1, &["a"])).await;
    running.settled().await;
    let withdrawn = v1::ReportWithdrawn { url: URL.into(), ..Default::default() };
    running.publish("w", Event::ReportWithdrawn, &withdrawn).await;
    running.settled().await;
    running.publish("v1-again", Event::ReportValidated, &validated(1, &["a"])).await;
    running.settled().await;
    assert_eq!(running.said(), ["+a", "-a"]);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_withdrawal_before_the_validation_counts() {
    let running = started().await;
    let withdrawn = v1::ReportWithdrawn { url: URL.into(), ..Default::default() };
    running.publish("w", Event::ReportWithdrawn, &withdrawn).await;
    running.settled().await;
    running.publish("v1", Event::ReportValidated, &validated(1, &["a"])).await;
    running.settled().await;
    assert_eq!(running.said(), [""; 0]);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_withdrawal_may_name_agency_and_year() {
    let running = started().await;
    running.publish("v1", Event::ReportValidated, &validated(1, &["a"])).await;
    running.settled().await;
    let agency = Some(v1::AgencyHint { code: "p-1".into(), name: String::new() });
    let withdrawn = v1::ReportWithdrawn { agency, year: 2023, ..Default::default() };
    running.publish("w", Event::ReportWithdrawn, &withdrawn).await;
    running.settled().await;
    assert_eq!(running.said(), ["+a", "-a"]);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn killed_between_saving_and_publishing_it_publishes_after_the_restart() {
    let running = started().await;
    let memory = running.memory.clone();
    memory.plan(Fault::fail(Operation::Publish).on(ALERTS).always());
    running.publish("v1", Event::ReportValidated, &validated(1, &["a", "b"])).await;
    memory.until(|m| m.calls(Operation::Publish) > 8).await;
    assert_eq!(open(&memory).await, ["a", "b"], "saved");
    let memory = running.kill().await;
    memory.heal();
    let running = Running::start(memory, Config::default()).await;
    running.settled().await;
    assert_eq!(running.said(), ["+a", "+b"]);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn killed_between_two_outputs_it_publishes_the_rest() {
    let running = started().await;
    let memory = running.memory.clone();
    // The first output is published but its answer is lost. Every later publish fails.
    memory.plan(Fault::lose_answer(Operation::Publish).on(ALERTS));
    memory.plan(Fault::fail(Operation::Publish).on(ALERTS).always());
    running.publish("v1", Event::ReportValidated, &validated(1, &["a", "b"])).await;
    memory.until(|m| m.calls(Operation::Publish) > 8).await;
    assert_eq!(running.said().len(), 1);
    let memory = running.kill().await;
    memory.heal();
    let running = Running::start(memory, Config::default()).await;
    running.settled().await;
    assert_eq!(running.said(), ["+a", "+b"], "the first is not there twice");
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn killed_before_the_acknowledgement_it_says_nothing_twice() {
    let running = started().await;
    let memory = running.memory.clone();
    memory.plan(Fault::fail(Operation::Ack).on("gongkai.v1.report.>").times(2));
    running.publish("v1", Event::ReportValidated, &validated(1, &["a"])).await;
    running.settled().await;
    assert_eq!(running.said(), ["+a"]);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_of_the_store_is_no_lost_alert() {
    for fault in
        [Fault::lose_answer(Operation::Write), Fault::fail(Operation::Write), Fault::fail(Operation::Read)]
    {
        let running = started().await;
        running.memory.plan(fault.on(format!("reports/{REPORT}")));
        running.publish("v1", Event::ReportValidated, &validated(1, &["a"])).await;
        running.settled().await;
        assert_eq!(running.said(), ["+a"]);
        running.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_that_overtakes_an_unpublished_one_takes_its_outputs_along() {
    let memory = started().await.stop().await;
    let alerter = Alerter::new(memory.entries(BUCKET_ALERTS), Severity::Warning);
    // The first process dies after saving the state, before it publishes the outputs.
    let lost = handle(&alerter, 10, validated(1, &["a"])).await;
    assert_eq!(lost.len(), 1);
    let outputs = handle(&alerter, 11, validated(2, &["b"])).await;
    assert_eq!((outputs.len(), &outputs[0]), (3, &lost[0]), "raised a, raised b, resolved a");
    assert_eq!(handle(&alerter, 11, validated(2, &["b"])).await, outputs, "a redelivery gives the same");
    assert_eq!(handle(&alerter, 10, validated(1, &["a"])).await, [], "and the overtaken one nothing more");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_an_event_is_buried() {
    let running = started().await;
    running.publish("v1", Event::ReportValidated, &v1::ReportValidated::default()).await;
    let mut nameless = validated(1, &["a"]);
    nameless.report.as_mut().unwrap().name = "nonsense".into();
    running.publish("v2", Event::ReportValidated, &nameless).await;
    running.settled().await;
    let codes: Vec<_> = running.dead().into_iter().map(|letter| letter.code).collect();
    assert_eq!(codes, ["MALFORMED", "MALFORMED"]);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_the_alerter_did_not_ask_for_is_buried() {
    let memory = started().await.stop().await;
    let alerter = Alerter::new(memory.entries(BUCKET_ALERTS), Severity::Warning);
    let result = alerter.handle(ReportEvent::AlertRaised(Box::default()), &context(10)).await;
    assert!(matches!(result, Err(Decision::Bury { code: "UNEXPECTED_EVENT", .. })), "{result:?}");
}

fn context(sequence: u64) -> Context {
    Context {
        message_id: format!("event-{sequence}"),
        subject: String::new(),
        sequence,
        logged_at: time::OffsetDateTime::UNIX_EPOCH,
        repetition: None,
        attempt: 1,
        trace_id: String::new(),
        once: gongkai_worker::Once::default(),
    }
}

async fn handle(alerter: &Alerter, sequence: u64, event: v1::ReportValidated) -> Vec<gongkai_worker::Output> {
    alerter.handle(ReportEvent::Validated(Box::new(event)), &context(sequence)).await.unwrap()
}

async fn open(memory: &Memory) -> Vec<String> {
    let entry = memory.entries(BUCKET_ALERTS).get(&format!("reports/{REPORT}")).await.unwrap().unwrap();
    let state = ReportAlerts::decode(entry.value).unwrap();
    let mut all: Vec<_> =
        state.open().iter().flat_map(|a| &a.findings).map(|f| f.fingerprint.clone()).collect();
    all.sort();
    all
}
