//! The stage over the in-memory transport: each document leads to one event.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::sync::Arc;

use gongkai_agencies::Registry;
use gongkai_isolation::Readers;
use gongkai_isolation::testing::{self, REPORT};
use gongkai_parse::{Config, Reader};
use gongkai_proto::{ReportEvent, subjects, v1};
use gongkai_worker::{
    Context, Decision, Handler, Runtime, Transport,
    transport::{Entries, Objects, memory::Memory},
};
use prost::Message as _;
use time::OffsetDateTime;

struct ReadingStage {
    contents: Arc<dyn Entries>,
    originals: Arc<dyn Objects>,
    texts: Arc<dyn Objects>,
    reader: Reader,
}

async fn stage() -> ReadingStage {
    stage_with(Registry::default()).await
}

async fn stage_with(registry: Registry) -> ReadingStage {
    let memory = Memory::new();
    memory.declare(&gongkai_proto::topology!()).await.unwrap();
    let runtime = Runtime::builder("parse", Arc::new(memory)).build();
    testing::children_run(env!("CARGO_BIN_EXE_gongkai-parse"));
    let (config, registry) = (Config::default(), tokio::sync::watch::channel(Arc::new(registry)).1);
    let readers = Readers::new(&config.isolation()).unwrap();
    ReadingStage {
        contents: runtime.entries(subjects::BUCKET_CONTENTS),
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
        repetition: None,
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
async fn an_original_that_was_erased_is_rejected_and_not_dead() {
    let stage = stage().await;
    let missing = stage.reader.handle(event(received("k")), &Context { attempt: 3, ..context() }).await;
    assert!(matches!(missing, Err(Decision::Bury { code: "ORIGINAL_MISSING", .. })), "{missing:?}");
    let known = v1::KnownContent { erased: Some(v1::ReportErased::default()), ..Default::default() };
    stage.contents.create("ab12", known.encode_to_vec().into()).await.unwrap();
    let outputs = stage.reader.handle(event(received("k")), &context()).await.unwrap();
    assert_eq!(outputs[0].subject, "gongkai.v1.report.rejected.360982");
    let rejected = v1::ReportRejected::decode(outputs[0].payload.clone()).unwrap();
    assert_eq!(rejected.rejection.unwrap().code, "ERASED");
}

/// Returns the event that parse publishes for a text whose metadata `said` sets.
async fn parsed(
    stage: &ReadingStage,
    text: &str,
    said: impl FnOnce(&mut v1::DocumentReceived),
) -> v1::ReportParsed {
    stage.originals.put("k", text.to_owned().into()).await.unwrap();
    let mut received = received("k");
    said(&mut received);
    let outputs = stage.reader.handle(event(received), &context()).await.unwrap();
    assert_eq!(outputs[0].subject.split('.').nth(3), Some("parsed"), "{}", outputs[0].subject);
    v1::ReportParsed::decode(outputs[0].payload.clone()).unwrap()
}

fn said(code: &str, name: &str) -> Option<v1::AgencyHint> {
    Some(v1::AgencyHint { code: code.to_owned(), name: name.to_owned() })
}

fn file(key: &str, filename: &str) -> v1::ContentRef {
    v1::ContentRef {
        key: key.to_owned(),
        sha256: format!("hash of {key}"),
        filename: filename.to_owned(),
        ..Default::default()
    }
}

#[tokio::test]
async fn the_report_is_read_from_the_attachment_that_has_it() {
    let stage = stage().await;
    stage.originals.put("page", "<h1>云溪县档案局</h1><p>详见附件。</p>".into()).await.unwrap();
    stage.originals.put("picture", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec().into()).await.unwrap();
    stage.originals.put("report", REPORT.into()).await.unwrap();
    let received = v1::DocumentReceived {
        content: Some(file("page", "")),
        attachments: vec![file("picture", "封面.png"), file("report", "年报.txt")],
        ..received("")
    };
    let outputs = stage.reader.handle(event(received.clone()), &context()).await.unwrap();
    let parsed = v1::ReportParsed::decode(outputs[0].payload.clone()).unwrap();
    let (origin, report) = (parsed.origin.unwrap(), parsed.report.unwrap());
    let hashes = ["hash of picture", "hash of report"];
    assert_eq!(origin.content_hash, gongkai_model::content_hash(Some("hash of page"), hashes));
    let in_attachment = |fact: &v1::Fact| fact.source.as_ref().is_none_or(|source| source.part == "年报.txt");
    assert!(report.facts.iter().all(in_attachment));
    let parts: Vec<(&str, i32)> = report.parts.iter().map(|part| (part.name.as_str(), part.role)).collect();
    let (carrier, other) = (v1::PartRole::Carrier as i32, v1::PartRole::Other as i32);
    assert_eq!(parts, [("", other), ("封面.png", other), ("年报.txt", carrier)]);
    assert_eq!(report.parts[1].rejection.as_ref().unwrap().code, "UNSUPPORTED_FORMAT");

    stage.originals.put("report", b"%PDF-1.7\nbroken".to_vec().into()).await.unwrap();
    let outputs = stage.reader.handle(event(received), &context()).await.unwrap();
    let rejected = v1::ReportRejected::decode(outputs[0].payload.clone()).unwrap();
    let rejection = rejected.rejection.unwrap();
    assert!(rejection.message.starts_with("附件《年报.txt》："), "{rejection:?}");
    assert_eq!((rejection.code.as_str(), rejected.parts.len()), ("CORRUPT", 3));
}

#[tokio::test]
async fn an_event_without_any_file_is_buried() {
    let nothing = v1::DocumentReceived { content: None, ..received("") };
    let result = stage().await.reader.handle(event(nothing), &context()).await;
    assert!(matches!(result, Err(Decision::Bury { code: "NO_CONTENT", .. })), "{result:?}");
}

#[tokio::test]
async fn sender_and_document_are_both_kept_and_compared() {
    let stage = stage().await;
    let of = async |text: &str, code: &str, name: &str, year: i32, title: &str| {
        let parsed = parsed(&stage, text, |received| {
            received.agency = said(code, name);
            (received.year, received.title) = (year, title.to_owned());
        })
        .await;
        let origin = parsed.origin.unwrap();
        assert_eq!((origin.declared_agency, origin.declared_year), (said(code, name), year));
        let report = parsed.report.unwrap();
        let told = parsed.differences.iter().map(|d| format!("{} {} {}", d.field, d.declared, d.read));
        (report.agency_name, report.year, told.collect::<Vec<_>>(), report.name)
    };
    let (name, year, told, key) = of(REPORT, "", "云溪县档案局", 2023, "").await;
    assert_eq!((name.as_str(), year, told.len()), ("云溪县档案局", 2023, 0));
    let (name, year, told, other) = of(REPORT, "YX-1", "云溪县林业局", 2022, "").await;
    assert_eq!((name.as_str(), year), ("云溪县档案局", 2023), "the document names the report");
    assert_eq!(told, ["agency 云溪县林业局 云溪县档案局", "year 2022 2023"]);
    assert_eq!(other, key);
    let title = "云溪县水务局2022年政府信息公开工作年度报告";
    assert_eq!(of(REPORT, "", "", 0, title).await.2, ["agency 云溪县水务局 云溪县档案局", "year 2022 2023"]);
    let own = REPORT.replace("云溪县档案局", "本机关");
    assert_eq!(of(&own, "", "云溪县档案局", 0, "").await, ("云溪县档案局".to_owned(), 2023, vec![], key));
    let nobody = REPORT.replace("云溪县档案局2023年政府信息公开工作年度报告", "");
    let (name, year, told, _) = of(&nobody, "", "我局", 0, title).await;
    assert_eq!((name.as_str(), year, told.len()), ("云溪县水务局", 2022, 0));
}

#[tokio::test]
async fn a_code_names_the_listed_agency_of_a_report_that_names_none() {
    let list = "code,name,region\nYX-1,云溪县林业局,360982\nYX-2,云溪县档案局,360982\n";
    let stage = stage_with(gongkai_agencies::read_csv(list.as_bytes()).unwrap()).await;
    let own = REPORT.replace("云溪县档案局", "本单位");
    let report = parsed(&stage, &own, |received| received.agency = said("YX-1", "")).await.report.unwrap();
    assert_eq!(
        (report.agency_name.as_str(), report.name.as_str()),
        ("云溪县林业局", "agencies/YX-1/reports/2023")
    );
    let other = parsed(&stage, REPORT, |received| received.agency = said("YX-1", "")).await;
    assert_eq!(
        other.report.unwrap().name,
        "agencies/YX-2/reports/2023",
        "the document goes before the sender"
    );
    let told = &other.differences[0];
    assert_eq!(
        (told.field.as_str(), told.declared.as_str(), told.read.as_str()),
        ("agency", "云溪县林业局", "云溪县档案局")
    );
}

#[tokio::test]
async fn one_body_has_one_key_with_any_code() {
    let stage = stage().await;
    let mut keys = std::collections::BTreeSet::new();
    for (region, code) in [("000000", ""), ("360982", ""), ("360982", "11360982MB1234567X")] {
        let parsed = parsed(&stage, REPORT, |received| {
            received.region = region.to_owned();
            received.agency = said(code, "");
        });
        keys.insert(parsed.await.report.unwrap().name);
    }
    assert_eq!(keys.len(), 1, "{keys:?}");
    assert!(keys.iter().all(|key| key.starts_with("agencies/p-")), "{keys:?}");
}

#[tokio::test]
async fn a_document_that_is_another_sites_report_is_rejected() {
    let stage = stage().await;
    stage.originals.put("k", REPORT.into()).await.unwrap();
    let sent = async |sequence: u64, sender: v1::Sender| {
        let received = v1::DocumentReceived { sender: Some(sender), ..received("k") };
        let context = Context { sequence, ..context() };
        let outputs = stage.reader.handle(event(received), &context).await.unwrap();
        outputs[0].subject.split('.').nth(3).unwrap().to_owned()
    };
    let site = |site: &str| v1::Sender { site: site.to_owned(), ..Default::default() };
    let bound = |agency: &str, region: &str| v1::Sender {
        agencies: vec![agency.to_owned()],
        regions: vec![region.to_owned()],
        ..site("a")
    };
    let nobody = || v1::Sender { anonymous: true, ..Default::default() };
    assert_eq!(sent(40, nobody()).await, "parsed", "it is nobody's yet");
    assert_eq!(sent(41, bound("云溪县民政局", "3609")).await, "rejected");
    assert_eq!(sent(41, bound("云溪县档案局", "3610")).await, "rejected");
    assert_eq!(sent(41, bound("云溪县档案局", "3609")).await, "parsed");
    for _ in 0..2 {
        assert_eq!(sent(42, site("b")).await, "rejected");
        assert_eq!(sent(43, nobody()).await, "rejected");
        assert_eq!(sent(44, site("a")).await, "parsed");
    }
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
