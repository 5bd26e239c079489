//! The stage over the in-memory transport: each document gives one event.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::sync::Arc;

use gongkai_isolation::Readers;
use gongkai_isolation::testing::{self, REPORT};
use gongkai_parse::{Config, Reader};
use gongkai_proto::{ReportEvent, subjects, v1};
use gongkai_worker::{
    Context, Decision, Handler, Runtime, Transport,
    transport::{Objects, memory::Memory},
};
use prost::Message as _;
use time::OffsetDateTime;

struct Stage {
    originals: Arc<dyn Objects>,
    texts: Arc<dyn Objects>,
    reader: Reader,
}

async fn stage() -> Stage {
    let memory = Memory::new();
    memory.declare(&gongkai_proto::topology!()).await.unwrap();
    let runtime = Runtime::builder("parse", Arc::new(memory)).build();
    testing::children_run(env!("CARGO_BIN_EXE_gongkai-parse"));
    let (config, registry) = (Config::default(), tokio::sync::watch::channel(Arc::default()).1);
    let readers = Readers::new(&config.isolation()).unwrap();
    Stage {
        originals: runtime.objects(subjects::BUCKET_ORIGINALS),
        texts: runtime.objects(subjects::BUCKET_TEXTS),
        reader: Reader::new(&config, &runtime, readers, registry),
    }
}

fn received(key: &str) -> v1::DocumentReceived {
    v1::DocumentReceived {
        submission_id: "s-7".to_owned(),
        region: "360982".to_owned(),
        content: Some(v1::ContentRef {
            key: key.to_owned(),
            sha256: "ab12".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn event(received: v1::DocumentReceived) -> ReportEvent {
    ReportEvent::Received(Box::new(received))
}

fn context() -> Context {
    Context {
        message_id: "s-7.ingest.0".to_owned(),
        subject: "gongkai.v1.report.received.360982".to_owned(),
        sequence: 41,
        logged_at: OffsetDateTime::UNIX_EPOCH,
        attempt: 1,
        trace_id: "0af7651916cd43dd8448eb211c80319c".to_owned(),
        once: gongkai_worker::Once::default(),
    }
}

#[tokio::test]
async fn a_report_becomes_facts_in_the_event_and_prose_in_the_store() {
    let stage = stage().await;
    stage.originals.put("k", REPORT.into()).await.unwrap();
    let outputs = stage.reader.handle(event(received("k")), &context()).await.unwrap();
    assert_eq!(outputs.len(), 1);
    assert_eq!(outputs[0].subject, "gongkai.v1.report.parsed.360982");
    let event = v1::ReportParsed::decode(outputs[0].payload.clone()).unwrap();
    let (origin, report) = (event.origin.unwrap(), event.report.unwrap());
    assert_eq!((origin.received_sequence, origin.content_hash.as_str()), (41, "ab12"));
    assert_eq!((report.agency_name.as_str(), report.year), ("云溪县档案局", 2023));
    let value = |concept: &str| report.facts.iter().find(|f| f.concept == concept).unwrap().value.clone();
    assert_eq!(value("proactive.normative_documents.in_force").as_deref(), Some("17"));
    let prose = "解读形式单一".as_bytes();
    assert!(!outputs[0].payload.windows(prose.len()).any(|window| window == prose), "prose is in the log");
    let text = stage.texts.get(&report.text.unwrap().key).await.unwrap().unwrap();
    let text = v1::ParsedText::decode(text).unwrap();
    assert_eq!(text.sections.len(), 6);
    assert_eq!(text.sections[4].paragraphs[0].text, "解读形式单一，将增加图解。");
}

#[tokio::test]
async fn the_senders_agency_code_names_the_report() {
    let stage = stage().await;
    stage.originals.put("k", REPORT.into()).await.unwrap();
    let mut received = received("k");
    received.agency = Some(v1::AgencyHint { code: "11360982MB1234567X".to_owned(), name: String::new() });
    let outputs = stage.reader.handle(event(received), &context()).await.unwrap();
    let event = v1::ReportParsed::decode(outputs[0].payload.clone()).unwrap();
    assert_eq!(event.report.unwrap().name, "agencies/11360982MB1234567X/reports/2023");
}

#[tokio::test]
async fn what_is_no_report_is_rejected_with_a_code() {
    for (bytes, code) in [
        (&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], "UNSUPPORTED_FORMAT"),
        ("关于放假的通知".as_bytes(), "NOT_A_REPORT"),
        (b"   \n", "EMPTY"),
    ] {
        let stage = stage().await;
        stage.originals.put("k", bytes.to_vec().into()).await.unwrap();
        let outputs = stage.reader.handle(event(received("k")), &context()).await.unwrap();
        assert_eq!(outputs[0].subject, "gongkai.v1.report.rejected.360982");
        let event = v1::ReportRejected::decode(outputs[0].payload.clone()).unwrap();
        assert_eq!(event.rejection.unwrap().code, code);
        assert_eq!(event.trace_id, context().trace_id);
    }
}

#[tokio::test]
async fn a_missing_original_is_waited_for_and_then_buried() {
    let reader = stage().await.reader;
    let result = reader.handle(event(received("gone")), &context()).await;
    assert!(matches!(result, Err(Decision::Retry { .. })));
    let late = Context { attempt: 3, ..context() };
    let result = reader.handle(event(received("gone")), &late).await;
    assert!(matches!(result, Err(Decision::Bury { code: "ORIGINAL_MISSING", .. })));
}

#[tokio::test]
async fn what_the_stage_did_not_ask_for_is_buried() {
    let result = stage().await.reader.handle(ReportEvent::Parsed(Box::default()), &context()).await;
    assert!(matches!(result, Err(Decision::Bury { code: "UNEXPECTED_EVENT", .. })), "{result:?}");
}

#[tokio::test]
async fn hostile_documents_cost_one_rejection_each() {
    let deep = "<div>".repeat(100_000).into_bytes();
    let stuffed = REPORT.replacen("17", &"9".repeat(900_000), 1).into_bytes();
    assert_ne!(stuffed.len(), REPORT.len());
    for (name, bytes, codes) in [
        ("nested", deep, ["TOO_DEEP", ""]),
        ("invalid UTF-8", b"\xff\xfe\xfd\x81 2023".to_vec(), ["BAD_ENCODING", "NOT_A_REPORT"]),
        ("a cell of 900,000 digits", stuffed, ["TOO_LARGE", ""]),
    ] {
        let stage = stage().await;
        stage.originals.put("k", bytes.into()).await.unwrap();
        let outputs = stage.reader.handle(event(received("k")), &context()).await.unwrap();
        let event = v1::ReportRejected::decode(outputs[0].payload.clone()).unwrap();
        let code = event.rejection.unwrap_or_default().code;
        assert!(codes.contains(&code.as_str()), "{name}: {code}, {} bytes", outputs[0].payload.len());
    }
}

#[tokio::test]
async fn one_page_sent_for_two_years_is_two_texts() {
    let stage = stage().await;
    let nameless = REPORT.replace("2023", "");
    stage.originals.put("k", nameless.into_bytes().into()).await.unwrap();
    let mut keys = Vec::new();
    for year in [2022, 2023] {
        let received = v1::DocumentReceived { year, ..received("k") };
        let outputs = stage.reader.handle(event(received), &context()).await.unwrap();
        let report = v1::ReportParsed::decode(outputs[0].payload.clone()).unwrap().report.unwrap();
        assert_eq!(report.year, year);
        keys.push(report.text.unwrap().key);
    }
    assert_ne!(keys[0], keys[1]);
}
