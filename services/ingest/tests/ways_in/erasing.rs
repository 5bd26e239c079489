//! Erasure: the tombstone, the objects that are deleted, and the submissions that are refused from then on.

use std::sync::Arc;

use http::StatusCode;
use prost::Message as _;
use serde_json::{Value, json};

use gongkai_ingest::{config::Config, erasure::Eraser, error::Code, progress::Stages};
use gongkai_proto::{
    ReportEvent,
    convert::timestamp::timestamp,
    subjects::{BUCKET_ORIGINALS, BUCKET_TEXTS, Event, OBJECT_BUCKETS, STREAM_REPORTS},
    v1::{
        ContentRef, DocumentReceived, EraseReportRequest, Origin, ParsedReport, ReportErased, ReportParsed,
    },
};
use gongkai_worker::{
    Context, Handler as _, MESSAGE_ID, Message, Once, Transport,
    testing::S3Server,
    transport::{Headers, divided::Divided},
};

use crate::harness::{Answer, Harness, NOW, published};

const REPORT: &str = "agencies/361001/reports/2023";

struct Case {
    server: S3Server,
    harness: Harness,
    stages: Stages,
    eraser: Eraser,
}

async fn case() -> Case {
    let server = S3Server::start().await;
    let store = server.settings().s3().unwrap().unwrap();
    let divide = |memory| {
        Arc::new(Divided::new(Arc::new(memory), store, OBJECT_BUCKETS.to_vec())) as Arc<dyn Transport>
    };
    let harness = Harness::over(&Config::default(), divide).await;
    let (stages, eraser) = (Stages::new(&harness.runtime), Eraser::new(&harness.runtime));
    Case { server, harness, stages, eraser }
}

fn with_attachment(id: &str, text: &str, attachment: &str) -> Value {
    let mut event = published(id, text);
    event["data"]["attachments"] = json!([{"name": "a.pdf", "base64": attachment}]);
    event
}

fn request(name: &str, reason: &str, person: &str) -> EraseReportRequest {
    EraseReportRequest { name: name.into(), reason: reason.into(), person: person.into() }
}

fn context(sequence: u64) -> Context {
    Context {
        message_id: format!("m{sequence}"),
        subject: String::new(),
        sequence,
        logged_at: NOW,
        repetition: None,
        attempt: 1,
        trace_id: String::new(),
        once: Once::default(),
    }
}

impl Case {
    async fn log(&self, event: Event, id: &str, message: &impl prost::Message) -> u64 {
        let mut headers = Headers::new();
        headers.insert(MESSAGE_ID, id).unwrap();
        let subject = event.subject("360982".parse().unwrap());
        let message = Message { subject, headers, payload: message.encode_to_vec().into() };
        self.harness.memory.publish(message).await.unwrap().sequence
    }

    async fn sequence_of(&self, received: &DocumentReceived) -> u64 {
        for sequence in 1..20 {
            let logged = self.harness.memory.message(STREAM_REPORTS, sequence).await.unwrap().unwrap();
            if DocumentReceived::decode(logged.message.payload).is_ok_and(|logged| logged == *received) {
                return sequence;
            }
        }
        panic!("not in the log: {received:?}");
    }

    /// Handles a received document like parse: stores a text and publishes the event. Then ingest handles that event.
    async fn read(&self, received: &DocumentReceived, report: &str, text: &str) -> Vec<ReportErased> {
        self.harness.runtime.objects(BUCKET_TEXTS).put(text, "一、总体情况".into()).await.unwrap();
        let hash = received.content_hash();
        let arrived: ReportEvent = ReportEvent::Received(Box::new(received.clone()));
        self.stages.handle(arrived.into(), &context(1)).await.unwrap();
        let event = ReportParsed {
            origin: Some(Origin {
                submission_id: received.submission_id.clone(),
                content_hash: hash,
                received_sequence: self.sequence_of(received).await,
                received_at: Some(timestamp(NOW)),
                region: "360982".into(),
                ..Origin::default()
            }),
            report: Some(ParsedReport {
                name: report.into(),
                text: Some(ContentRef { key: text.into(), ..ContentRef::default() }),
                ..ParsedReport::default()
            }),
            ..ReportParsed::default()
        };
        let sequence = self.log(Event::ReportParsed, &format!("{report}{text}"), &event).await;
        let outputs =
            self.stages.handle(ReportEvent::Parsed(event.into()).into(), &context(sequence)).await.unwrap();
        outputs.into_iter().map(|output| ReportErased::decode(output.payload).unwrap()).collect()
    }

    /// Returns the tombstones in the log.
    fn tombstones(&self) -> Vec<ReportErased> {
        let messages = self.harness.memory.messages("gongkai.v1.report.erased.*");
        messages.into_iter().map(|message| ReportErased::decode(message.payload).unwrap()).collect()
    }

    /// Passes the last tombstone to the consumer.
    async fn delete(&self) -> Vec<ReportErased> {
        let tombstone = self.tombstones().pop().unwrap();
        let mut last = 1;
        while self.harness.memory.message(STREAM_REPORTS, last + 1).await.unwrap().is_some() {
            last += 1;
        }
        self.carry_out(tombstone, last).await
    }

    /// Passes a tombstone to the consumer. Returns those that follow.
    async fn carry_out(&self, tombstone: ReportErased, sequence: u64) -> Vec<ReportErased> {
        let event = ReportEvent::Erased(tombstone.into());
        let outputs = self.stages.handle(event.into(), &context(sequence)).await.unwrap();
        outputs.into_iter().map(|output| ReportErased::decode(output.payload).unwrap()).collect()
    }

    fn objects(&self) -> [usize; 2] {
        [BUCKET_ORIGINALS, BUCKET_TEXTS].map(|bucket| self.server.keys(bucket).len())
    }
}

fn code(answer: &Answer) -> (StatusCode, &str) {
    (answer.status, answer.text("code"))
}

#[tokio::test]
async fn an_erased_report_leaves_nothing_in_the_store_and_is_refused_from_then_on() {
    let case = case().await;
    let accepted = case.harness.event(&with_attachment("1", "第一版", "JVBERg==")).await;
    let received = case.harness.received().remove(0);
    for text in ["t.p4", "t.p5"] {
        assert_eq!(case.read(&received, REPORT, text).await, []);
    }
    assert_eq!(case.objects(), [2, 2]);

    let erasure = case.eraser.erase(request(REPORT, " 当事人申请 ", "张三")).await.unwrap();
    assert_eq!(erasure.content_hashes, [accepted.text("revision")]);
    assert_eq!(
        (erasure.reports.as_slice(), erasure.reason.as_str()),
        ([REPORT.to_owned()].as_slice(), "当事人申请")
    );
    assert!(erasure.file_hashes.contains(&received.attachments[0].sha256));
    let tombstone = case.tombstones().remove(0);
    assert_eq!(tombstone.region, "360982");
    assert_eq!(case.objects(), [2, 2], "the tombstone comes first");
    for _ in 0..2 {
        case.delete().await;
        assert_eq!(case.objects(), [0, 0]);
    }

    let gone = (StatusCode::GONE, "ERASED");
    assert_eq!(code(&case.harness.event(&published("2", "第一版")).await), gone);
    assert_eq!(code(&case.harness.event(&with_attachment("3", "第二版", "JVBERg==")).await), gone);
    assert_eq!(case.objects(), [0, 0]);
    assert_eq!(case.harness.event(&published("4", "更正版")).await.text("state"), "received");
    let again = case.eraser.erase(request(REPORT, "再次", "李四")).await.unwrap();
    assert_eq!((again, case.tombstones().len()), (erasure, 1), "the same call again gives the same answer");
}

#[tokio::test]
async fn a_text_that_comes_late_goes_too_and_another_report_of_it_has_its_own_tombstone() {
    let case = case().await;
    case.harness.event(&published("1", "第一版")).await;
    let received = case.harness.received().remove(0);
    case.read(&received, REPORT, "t").await;
    case.eraser.erase(request(REPORT, "申请", "张三")).await.unwrap();
    case.delete().await;

    assert_eq!(case.read(&received, REPORT, "t").await, [], "read again by a stage that was at work on it");
    assert_eq!(case.objects(), [0, 0]);
    let other = "agencies/361002/reports/2023";
    let follows = case.read(&received, other, "t").await;
    assert_eq!(case.objects(), [0, 0]);
    assert_eq!((follows[0].report.as_str(), follows[0].person.as_str()), (other, "张三"));
    assert_eq!(follows[0].reports, [other]);
    assert_eq!(follows[0].content_hashes, case.tombstones()[0].content_hashes);
}

#[tokio::test]
async fn an_attachment_that_another_report_shares_stays() {
    let case = case().await;
    for (id, text, report) in [("1", "甲局年报", REPORT), ("2", "乙局年报", "agencies/361002/reports/2023")]
    {
        case.harness.event(&with_attachment(id, text, "JVBERg==")).await;
        let received = case.harness.received().pop().unwrap();
        case.read(&received, report, &format!("t{id}")).await;
    }
    assert_eq!(case.objects(), [3, 2]);
    case.eraser.erase(request(REPORT, "申请", "张三")).await.unwrap();
    case.delete().await;
    assert_eq!(case.objects(), [2, 1]);
    let again = case.harness.event(&with_attachment("3", "丙局年报", "JVBERg==")).await;
    assert_eq!(again.text("state"), "received", "the attachment is not erased");
}

#[tokio::test]
async fn what_was_read_as_two_reports_is_erased_in_both() {
    let case = case().await;
    case.harness.event(&published("1", "第一版")).await;
    let received = case.harness.received().remove(0);
    let other = "agencies/361001/reports/2022";
    case.read(&received, REPORT, "t.y2023").await;
    case.read(&received, other, "t.y2022").await;
    let erasure = case.eraser.erase(request(REPORT, "申请", "张三")).await.unwrap();
    assert_eq!(erasure.reports, [other, REPORT]);
    case.delete().await;
    assert_eq!(case.objects(), [0, 0]);
}

#[tokio::test]
async fn what_came_before_an_erasure_is_erased_too_when_it_is_read() {
    let case = case().await;
    for (id, text) in [("1", "第一版"), ("2", "第二版"), ("3", "第三版")] {
        case.harness.event(&published(id, text)).await;
    }
    let received = case.harness.received();
    case.read(&received[0], REPORT, "t1").await;
    case.eraser.erase(request(REPORT, "申请", "张三")).await.unwrap();
    // The second is read before the tombstone is handled, the third after it.
    case.read(&received[1], REPORT, "t2").await;
    let [second] = case.delete().await.try_into().unwrap();
    assert_eq!(second.content_hashes, [received[1].content_hash()]);
    assert_eq!((second.reason.as_str(), second.person.as_str()), ("申请", "张三"));
    assert!(case.carry_out(second, 8).await.is_empty());
    let [third] = case.read(&received[2], REPORT, "t3").await.try_into().unwrap();
    assert!(case.carry_out(third, 9).await.is_empty());
    assert_eq!(case.objects(), [0, 0]);
    // What comes after the erasure is another matter.
    case.harness.event(&published("4", "更正")).await;
    let corrected = case.harness.received().remove(3);
    assert!(case.read(&corrected, REPORT, "t4").await.is_empty());
    assert_eq!(case.objects(), [1, 1]);
}

#[tokio::test]
async fn an_erasure_names_a_report_that_was_read_a_reason_and_a_person() {
    let case = case().await;
    let refused =
        async |name, reason, person| case.eraser.erase(request(name, reason, person)).await.unwrap_err().code;
    assert_eq!(refused(REPORT, "申请", "张三").await, Code::ReportNotFound);
    assert_eq!(refused("agencies/361001", "申请", "张三").await, Code::InvalidField);
    assert_eq!(refused(REPORT, " ", "张三").await, Code::InvalidField);
    assert_eq!(refused(REPORT, "申请", "").await, Code::InvalidField);
    assert_eq!(refused(REPORT, "一行\n两行", "张三").await, Code::InvalidField);
    assert!(case.tombstones().is_empty());
}
