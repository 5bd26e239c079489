//! The stage over the in-memory transport: events with tables and prose lead to findings.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::sync::Arc;

use gongkai_proto::{ReportEvent, subjects, v1};
use gongkai_validate::Validator;
use gongkai_worker::{
    Context, Decision, Handler, Runtime, Transport,
    testing::NatsServer,
    transport::{
        Objects,
        jetstream::{JetStream, JetStreamSettings},
        memory::Memory,
    },
};
use prost::Message as _;
use time::OffsetDateTime;

async fn stage() -> (Validator, Arc<dyn Objects>) {
    stage_over(Arc::new(Memory::new())).await
}

async fn stage_over(transport: Arc<dyn Transport>) -> (Validator, Arc<dyn Objects>) {
    transport.declare(&gongkai_proto::topology!()).await.unwrap();
    let runtime = Runtime::builder("validate", transport).build();
    let (_, registry) = tokio::sync::watch::channel(Arc::default());
    let rules = gongkai_rules::RuleSet::embedded();
    (Validator::new(&runtime, rules, registry), runtime.objects(subjects::BUCKET_TEXTS))
}

/// Returns a report with a row whose applicants add up to 27 but whose printed total is 28, and with regulations of a
/// body that may make none.
fn parsed() -> v1::ReportParsed {
    let row = [2, 3, 4, 5, 6, 7, 28];
    let fact = |(index, value): (usize, &i32)| v1::Fact {
        concept: "requests.received".to_owned(),
        applicant: i32::try_from(index + 1).unwrap(),
        state: v1::CellState::Reported.into(),
        value: Some(value.to_string()),
        ..Default::default()
    };
    let regulations = v1::Fact {
        concept: "proactive.regulations.issued".to_owned(),
        state: v1::CellState::Reported.into(),
        value: Some("2".to_owned()),
        ..Default::default()
    };
    let report = v1::ParsedReport {
        name: "agencies/p-0123456789abcdef/reports/2023".to_owned(),
        agency_name: "沭阳县档案局".to_owned(),
        year: 2023,
        form: "2021".to_owned(),
        variant: "standard".to_owned(),
        facts: row.iter().enumerate().map(fact).chain([regulations]).collect(),
        text: Some(v1::ContentRef { key: "t".to_owned(), ..Default::default() }),
        ..Default::default()
    };
    let origin = v1::Origin {
        content_hash: "ab12".to_owned(),
        received_sequence: 41,
        received_at: Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 0 }),
        region: "360982".to_owned(),
        ..Default::default()
    };
    v1::ReportParsed { origin: Some(origin), report: Some(report), ..Default::default() }
}

fn context() -> Context {
    Context {
        message_id: "s-7.parse.0".to_owned(),
        subject: "gongkai.v1.report.parsed.360982".to_owned(),
        sequence: 42,
        logged_at: OffsetDateTime::UNIX_EPOCH,
        repetition: None,
        attempt: 1,
        trace_id: "0af7651916cd43dd8448eb211c80319c".to_owned(),
        once: gongkai_worker::Once::default(),
    }
}

async fn validated(checker: &Validator) -> v1::ReportValidated {
    let outputs = checker.handle(ReportEvent::Parsed(Box::new(parsed())), &context()).await.unwrap();
    assert_eq!(outputs[0].subject, "gongkai.v1.report.validated.360982");
    v1::ReportValidated::decode(outputs[0].payload.clone()).unwrap()
}

fn rules(event: &v1::ReportValidated) -> Vec<&str> {
    event.findings.iter().map(|finding| finding.rule.as_str()).collect()
}

#[tokio::test]
async fn a_broken_row_is_a_finding_with_numbers_versions_and_trace() {
    let (checker, texts) = stage().await;
    let text = v1::ParsedText { year: 2023, ..Default::default() };
    texts.put("t", text.encode_to_vec().into()).await.unwrap();
    let event = validated(&checker).await;
    let finding = event.findings.iter().find(|f| f.rule == "T3-ROW").unwrap();
    assert_eq!((finding.expected.as_deref(), finding.actual.as_deref()), (Some("27"), Some("28")));
    assert_eq!(finding.trace_id, context().trace_id);
    let versions = finding.versions.clone().unwrap();
    assert!(
        [versions.program, versions.parser, versions.forms, versions.rules].iter().all(|v| !v.is_empty())
    );
    assert!(event.summary.unwrap().error >= 1);
}

#[tokio::test]
async fn a_body_that_no_registry_lists_is_known_by_its_name() {
    let (checker, _texts) = stage().await;
    let event = validated(&checker).await;
    assert!(rules(&event).contains(&"T2-RULE"), "{:?}", rules(&event));
}

#[tokio::test]
async fn erased_prose_silences_what_rests_on_it_and_nothing_else() {
    let (checker, _texts) = stage().await;
    let event = validated(&checker).await;
    assert!(rules(&event).contains(&"T3-ROW"));
    assert!(!rules(&event).contains(&"S-SECT"), "{:?}", rules(&event));
}

#[tokio::test]
async fn what_the_stage_did_not_ask_for_is_buried() {
    let (checker, _texts) = stage().await;
    for event in [ReportEvent::Rejected(Box::default()), ReportEvent::Waived(Box::default())] {
        let result = checker.handle(event, &context()).await;
        assert!(matches!(result, Err(Decision::Bury { code: "UNEXPECTED_EVENT", .. })), "{result:?}");
    }
}

/// Returns the codes of the events that a new content of the report leads to, published at a URL.
async fn answers(checker: &Validator, number: u64, url: &str) -> Vec<String> {
    let mut event = parsed();
    let origin = event.origin.as_mut().unwrap();
    origin.content_hash = format!("{number:064x}");
    origin.received_sequence = 2 * number;
    origin.url = url.to_owned();
    let context =
        Context { sequence: 2 * number + 1, message_id: format!("s-{number}.parse.0"), ..context() };
    let outputs = checker.handle(ReportEvent::Parsed(Box::new(event)), &context).await.unwrap();
    let answer = |output: &gongkai_worker::Output| match output.subject.split('.').nth(3) {
        Some("rejected") => {
            v1::ReportRejected::decode(output.payload.clone()).unwrap().rejection.unwrap().code
        }
        kind => kind.unwrap_or_default().to_owned(),
    };
    outputs.iter().map(answer).collect()
}

#[tokio::test]
async fn a_report_may_have_hundreds_of_contents() {
    let (checker, texts) = stage().await;
    let text = v1::ParsedText { year: 2023, sections: vec![prose()], ..Default::default() };
    texts.put("t", text.encode_to_vec().into()).await.unwrap();
    for number in 1..=400 {
        assert_eq!(answers(&checker, number, "").await, ["validated"], "{number}");
    }
}

/// Returns a chapter that is long enough to be compared.
fn prose() -> v1::TextSection {
    let text: String = (0..1500_u32).filter_map(|n| char::from_u32(0x4e00 + n * 7)).collect();
    let paragraph = v1::TextParagraph { text, ..Default::default() };
    v1::TextSection {
        number: 1,
        title: "一、总体情况".to_owned(),
        paragraphs: vec![paragraph],
        ..Default::default()
    }
}

#[tokio::test]
async fn a_content_for_which_there_is_no_room_is_rejected_and_changes_nothing() {
    // The bound is the broker's.
    let server = NatsServer::start().await;
    let settings = JetStreamSettings { servers: vec![server.url()], ..Default::default() };
    let transport = JetStream::connect(&settings).await.unwrap();
    let (checker, _texts) = stage_over(Arc::new(transport)).await;
    let long = |number: u64| format!("https://www.yunxi.example/{number}/{}", "a".repeat(200_000));
    for number in 1..=5 {
        assert_eq!(answers(&checker, number, &long(number)).await, ["validated"], "{number}");
    }
    for number in [6, 7] {
        let mut seen = answers(&checker, number, &long(number)).await;
        seen.dedup();
        assert_eq!(seen, ["TOO_MANY_REVISIONS"], "{number}");
    }
    assert_eq!(answers(&checker, 8, "https://www.yunxi.example/8").await, ["validated"]);
}
