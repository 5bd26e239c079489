//! Guarantees of acceptance: durable before 202, takes effect once, survives a crash between any two steps.

use std::{sync::Arc, time::Duration};

use gongkai_agencies::read_csv;
use http::StatusCode;
use prost::Message as _;
use serde_json::{Value, json};

use crate::harness::{Harness, NOW, post, published, withdrawn};
use gongkai_ingest::{config::Config, dry_run::DryRun, fetch::Fetcher, progress};
use gongkai_proto::{
    ReportEvent,
    subjects::BUCKET_ORIGINALS,
    v1::{
        DeadLetter, FindingsSummary, Origin, ParsedReport, Rejection, ReportParsed, ReportRejected,
        ReportValidated, ReportWithdrawn, SubmissionState,
    },
};
use gongkai_worker::{
    Context, Decision, Handler as _,
    transport::memory::{Fault, Operation},
};

const REPORT: &str = "agencies/360982004/reports/2023";

async fn harness() -> Harness {
    Harness::new(&Config::default()).await
}

fn context(sequence: u64) -> Context {
    Context {
        message_id: String::new(),
        subject: "gongkai.v1.report.validated.360982".into(),
        sequence,
        logged_at: NOW,
        repetition: None,
        attempt: 1,
        trace_id: "0123456789abcdef0123456789abcdef".into(),
        once: gongkai_worker::Once::default(),
    }
}

async fn validate(harness: &Harness, submission_id: &str, errors: u32) {
    let event = ReportValidated {
        origin: Some(Origin { submission_id: submission_id.into(), ..Origin::default() }),
        report: Some(ParsedReport { name: "agencies/p-1/reports/2023".into(), ..ParsedReport::default() }),
        summary: Some(FindingsSummary { error: errors, ..FindingsSummary::default() }),
        ..ReportValidated::default()
    };
    let stages = progress::Stages::new(&harness.runtime);
    let event = ReportEvent::Validated(Box::new(event));
    assert!(stages.handle(event.into(), &context(99)).await.unwrap().is_empty());
}

async fn bury(harness: &Harness, submission_id: &str) {
    let letter = DeadLetter {
        service: "parse".into(),
        message_id: submission_id.into(),
        sequence: 1,
        ..DeadLetter::default()
    };
    let dead = progress::Dead::new(harness.receipts.clone());
    dead.handle(letter, &context(5)).await.unwrap();
}

#[tokio::test]
async fn accepted_means_stored_and_published_with_the_receipts_trace() {
    let harness = harness().await;
    let answer = harness.event(&published("1", "第一版")).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
    assert_eq!(answer.text("state"), "received");
    assert_eq!(answer.headers["location"], answer.text("status_url"));
    let received = harness.received();
    let content = received[0].content.clone().unwrap();
    let stored = harness.runtime.objects(BUCKET_ORIGINALS).get(&content.key).await.unwrap().unwrap();
    assert_eq!(stored, "第一版".as_bytes());
    assert_eq!((content.sha256.as_str(), content.size_bytes), (answer.text("revision"), 9));
    assert_eq!((received[0].region.as_str(), received[0].year), ("360982", 2023));
    let message = &harness.memory.messages("gongkai.v1.report.received.360982")[0];
    assert_eq!(&message.headers["Nats-Msg-Id"], answer.text("submission_id"));
    assert_ne!(answer.text("trace_id"), "0".repeat(32));
    assert!(message.headers["traceparent"].contains(answer.text("trace_id")));
    assert_eq!(harness.get(answer.text("submission_id")).await.json, answer.json);
}

#[tokio::test]
async fn the_same_id_gives_the_same_receipt_as_now_known() {
    let harness = harness().await;
    let first = harness.event(&published("1", "第一版")).await;
    assert_eq!(harness.event(&published("1", "第一版")).await.json, first.json);
    validate(&harness, first.text("submission_id"), 3).await;
    let later = harness.event(&published("1", "第一版")).await;
    assert_eq!((later.status, later.text("state")), (StatusCode::ACCEPTED, "validated"));
    assert_eq!(
        (later.text("trace_id"), &later.json["findings"]["error"]),
        (first.text("trace_id"), &3.into())
    );
    assert_eq!(harness.received().len(), 1);
}

#[tokio::test]
async fn the_same_content_under_another_id_is_unchanged_and_shows_the_first_outcome() {
    let harness = harness().await;
    let first = harness.event(&published("1", "第一版")).await;
    let second = harness.event(&published("2", "第一版")).await;
    assert_eq!(
        (second.text("state"), second.text("duplicate_of")),
        ("unchanged", first.text("submission_id"))
    );
    assert_ne!(second.text("submission_id"), first.text("submission_id"));
    validate(&harness, first.text("submission_id"), 2).await;
    let now = harness.get(second.text("submission_id")).await;
    assert_eq!((now.text("state"), now.text("report")), ("unchanged", "agencies/p-1/reports/2023"));
    assert_eq!(now.json["findings"]["error"], 2);
    assert_eq!(harness.received().len(), 1);
    // Another content and another year are new.
    harness.event(&published("3", "第二版")).await;
    let mut other_year = published("4", "第一版");
    other_year["data"]["year"] = 2022.into();
    harness.event(&other_year).await;
    assert_eq!(harness.received().len(), 3);
}

#[tokio::test]
async fn a_withdrawal_makes_the_same_content_new_again() {
    let harness = harness().await;
    harness.event(&published("1", "第一版")).await;
    let withdrawal = harness.event(&withdrawn("w1")).await;
    assert_eq!((withdrawal.status, withdrawal.text("state")), (StatusCode::ACCEPTED, "withdrawn"));
    assert_eq!(harness.event(&withdrawn("w1")).await.json, withdrawal.json);
    assert_eq!(harness.memory.messages("gongkai.v1.report.withdrawn.*").len(), 1);
    let again = harness.event(&published("2", "第一版")).await;
    assert_eq!((again.text("state"), harness.received().len()), ("received", 2));
    assert_eq!(
        harness.event(&published("3", "第一版")).await.text("duplicate_of"),
        again.text("submission_id")
    );
}

/// Publishes the events of a stage that read the submission as the report of 鹿江街道 on 2023.
async fn read(harness: &Harness, submission_id: &str, sequence: u64) {
    let received = harness.received().into_iter().find(|r| r.submission_id == submission_id).unwrap();
    let event = ReportParsed {
        origin: Some(Origin {
            submission_id: received.submission_id,
            content_hash: received.content.unwrap().sha256,
            received_sequence: sequence,
            received_at: received.received_at,
            url: received.url,
            ..Origin::default()
        }),
        report: Some(ParsedReport { name: REPORT.into(), ..ParsedReport::default() }),
        ..ReportParsed::default()
    };
    let stages = progress::Stages::new(&harness.runtime);
    stages.handle(ReportEvent::Parsed(Box::new(event)).into(), &context(sequence + 1)).await.unwrap();
}

#[tokio::test]
async fn content_that_comes_back_after_another_is_processed_again() {
    let harness = harness().await;
    for (n, text) in [(1, "第一版"), (3, "第二版"), (5, "第一版")] {
        let answer = harness.event(&published(&n.to_string(), text)).await;
        assert_eq!(answer.text("state"), "received", "{n}");
        read(&harness, answer.text("submission_id"), n).await;
    }
    assert_eq!(harness.event(&published("7", "第一版")).await.text("state"), "unchanged");
}

/// Three submissions are accepted before parse has read any of them.
#[tokio::test]
async fn content_that_comes_back_before_any_was_read_is_accepted() {
    let harness = harness().await;
    for (id, text) in [("1", "第一版"), ("2", "第二版"), ("3", "第一版")] {
        assert_eq!(harness.event(&published(id, text)).await.text("state"), "received", "{id}");
    }
    assert_eq!(harness.event(&published("4", "第一版")).await.text("state"), "unchanged");
}

/// The first content is read; the second is accepted and waits.
#[tokio::test]
async fn content_that_comes_back_while_another_waits_is_accepted() {
    let harness = harness().await;
    let first = harness.event(&published("1", "第一版")).await;
    read(&harness, first.text("submission_id"), 1).await;
    assert_eq!(harness.event(&published("2", "第二版")).await.text("state"), "received");
    assert_eq!(harness.event(&published("3", "第一版")).await.text("state"), "received");
}

/// Calls without a key: the same content is the same call only while it is current.
#[tokio::test]
async fn a_document_without_a_key_comes_back_after_another_and_after_its_withdrawal() {
    let harness = harness().await;
    let url = "https://www.example.gov.cn/a";
    let path = format!("/v1/reports?agency_code=360982004&year=2023&url={url}");
    let mut ids = Vec::new();
    for (n, text) in [(1, "第一版"), (3, "第二版"), (5, "第一版")] {
        let answer = harness.call(post(&path, text)).await;
        assert_eq!(answer.text("state"), "received", "{n}");
        read(&harness, answer.text("submission_id"), n).await;
        ids.push(answer.text("submission_id").to_owned());
    }
    harness.call(post(&path, "第一版")).await;
    assert_eq!(harness.received().len(), 3, "it is current");
    assert_eq!(harness.event(&withdrawn("w1")).await.text("state"), "withdrawn");
    let again = harness.call(post(&path, "第一版")).await;
    assert_eq!((again.text("state"), harness.received().len()), ("received", 4));
    assert!(!ids.contains(&again.text("submission_id").to_owned()));
}

/// Documents without a URL and an agency share no place.
#[tokio::test]
async fn documents_without_url_and_agency_do_not_replace_each_other() {
    let harness = harness().await;
    let first = harness.call(post("/v1/reports", "第一版")).await;
    harness.call(post("/v1/reports", "第二版")).await;
    assert_eq!(harness.call(post("/v1/reports", "第一版")).await.json, first.json);
    assert_eq!(harness.received().len(), 2);
}

/// The withdrawal names the report, under another address, while its document is being read.
#[tokio::test]
async fn content_whose_report_is_withdrawn_while_it_is_read_is_accepted_again() {
    let harness = harness().await;
    harness.event(&published("1", "第一版")).await;
    let mut withdrawal = withdrawn("w1");
    withdrawal["data"] = json!({"agency": {"name": "樟树市鹿江街道办事处"}, "year": 2023,
        "site": {"code": "3609820001"}, "url": "https://www.example.gov.cn/b"});
    assert_eq!(harness.event(&withdrawal).await.text("state"), "withdrawn");
    assert_eq!(harness.event(&published("2", "第一版")).await.text("state"), "received");
}

#[tokio::test]
async fn content_that_took_too_much_may_be_sent_again() {
    for (code, retryable, state) in [
        ("TOO_SLOW", true, "received"),
        ("TOO_SLOW", false, "received"),
        ("PARSER_PANIC", false, "received"),
        ("TOO_LARGE", true, "received"),
        ("TOO_LARGE", false, "unchanged"),
        ("ENCRYPTED", false, "unchanged"),
    ] {
        let harness = harness().await;
        let first = harness.event(&published("1", "第一版")).await;
        let event = ReportRejected {
            origin: Some(Origin { submission_id: first.text("submission_id").into(), ..Origin::default() }),
            rejection: Some(Rejection { code: code.into(), retryable, ..Rejection::default() }),
            ..ReportRejected::default()
        };
        let stages = progress::Stages::new(&harness.runtime);
        stages.handle(ReportEvent::Rejected(Box::new(event)).into(), &context(2)).await.unwrap();
        assert_eq!(harness.event(&published("2", "第一版")).await.text("state"), state, "{code}");
    }
}

#[tokio::test]
async fn a_withdrawal_of_the_report_makes_its_content_new_again() {
    let harness = harness().await;
    let list = "code,name,parent,region\n360982004,樟树市鹿江街道办事处,,360982\n";
    harness.agencies.send_replace(Arc::new(read_csv(list.as_bytes()).unwrap()));
    let first = harness.event(&published("1", "第一版")).await;
    read(&harness, first.text("submission_id"), 1).await;
    // The withdrawal names a listed agency and the year, and a URL without any report.
    let mut withdrawal = withdrawn("w1");
    withdrawal["data"] = json!({"agency": {"name": "樟树市鹿江街道办事处"}, "year": 2023,
        "site": {"code": "3609820001"}, "url": "https://www.example.gov.cn/b"});
    assert_eq!(harness.event(&withdrawal).await.text("state"), "withdrawn");
    let message = harness.memory.messages("gongkai.v1.report.withdrawn.*").remove(0);
    assert_eq!(ReportWithdrawn::decode(message.payload).unwrap().report, REPORT);
    assert_eq!(harness.event(&published("2", "第一版")).await.text("state"), "received");
}

#[tokio::test]
async fn dead_content_may_be_sent_again() {
    let harness = harness().await;
    let first = harness.event(&published("1", "第一版")).await;
    bury(&harness, first.text("submission_id")).await;
    assert_eq!(harness.get(first.text("submission_id")).await.text("state"), "dead");
    assert_eq!(harness.event(&published("2", "第一版")).await.text("state"), "received");
    assert_eq!(harness.received().len(), 2);
    validate(&harness, first.text("submission_id"), 0).await;
    assert_eq!(harness.get(first.text("submission_id")).await.text("state"), "validated", "replayed");
}

#[tokio::test]
async fn stage_events_may_come_before_the_receipt() {
    let harness = harness().await;
    let id = Harness::new(&Config::default()).await.event(&published("1", "第一版")).await;
    let id = id.text("submission_id");
    harness.memory.plan(Fault::fail(Operation::Write).on(id));
    assert_eq!(harness.event(&published("1", "第一版")).await.status, StatusCode::SERVICE_UNAVAILABLE);
    validate(&harness, id, 1).await;
    let answer = harness.event(&published("1", "第一版")).await;
    assert_eq!((answer.text("state"), answer.status), ("validated", StatusCode::ACCEPTED));
    assert_eq!(harness.received().len(), 1);
}

/// Interrupts acceptance at every step, before and after its effect, and repeats the call with the same id. Time is
/// paused, so a caller hangs up only on a call that waits.
#[tokio::test(start_paused = true)]
async fn a_stop_between_any_two_steps_loses_nothing_and_doubles_nothing() {
    let reference = harness().await;
    let event = published("1", "第一版");
    let expected = reference.event(&event).await;
    let id = expected.text("submission_id").to_owned();
    for operation in [Operation::Read, Operation::Get, Operation::Put, Operation::Publish, Operation::Write] {
        let faults = [
            Fault::fail(operation),
            Fault::lose_answer(operation),
            Fault::delay(operation, Duration::from_secs(3600)),
        ];
        for (n, fault) in faults.into_iter().enumerate() {
            for target in [None, Some(id.clone())] {
                let harness = harness().await;
                harness.memory.plan(match target.clone() {
                    Some(target) => fault.clone().on(target),
                    None => fault.clone(),
                });
                // A caller that hangs up drops the future of the acceptance.
                let first = tokio::time::timeout(Duration::from_millis(20), harness.event(&event)).await;
                let case = format!("{operation:?} fault {n} on {target:?}");
                if let Ok(answer) = &first {
                    check_promise(&harness, answer.status, &answer.json, &case).await;
                }
                harness.memory.heal();
                let second = harness.event(&event).await;
                assert_eq!(second.status, StatusCode::ACCEPTED, "{case}: {second:?}");
                assert_eq!(second.text("submission_id"), id, "{case}");
                check_promise(&harness, second.status, &second.json, &case).await;
                assert_eq!(harness.received().len(), 1, "{case}");
                assert_eq!(
                    harness.event(&published("2", "第一版")).await.status,
                    StatusCode::ACCEPTED,
                    "{case}"
                );
            }
        }
    }
}

/// Checks that 202 means stored and published, and that anything else is a retryable 503.
async fn check_promise(harness: &Harness, status: StatusCode, json: &Value, case: &str) {
    if status == StatusCode::ACCEPTED {
        let hash = json["revision"].as_str().unwrap();
        assert!(harness.runtime.objects(BUCKET_ORIGINALS).get(hash).await.unwrap().is_some(), "{case}");
        assert_eq!(harness.received().len(), 1, "{case}");
    } else {
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{case}: {json}");
        assert_eq!(
            (&json["code"], &json["retryable"]),
            (&"BROKER_UNAVAILABLE".into(), &true.into()),
            "{case}"
        );
    }
}

#[tokio::test]
async fn a_withdrawal_survives_a_stop_after_its_publication() {
    let harness = harness().await;
    harness.event(&published("1", "第一版")).await;
    let elsewhere = Harness::new(&Config::default()).await.event(&withdrawn("w1")).await;
    harness.memory.plan(Fault::fail(Operation::Write).on(elsewhere.text("submission_id")));
    assert_eq!(harness.event(&withdrawn("w1")).await.status, StatusCode::SERVICE_UNAVAILABLE);
    // Ingest consumes its own event.
    let message = harness.memory.messages("gongkai.v1.report.withdrawn.*").remove(0);
    let event = ReportEvent::decode(&message.subject, message.payload).unwrap();
    progress::Stages::new(&harness.runtime).handle(event.into(), &context(2)).await.unwrap();
    assert_eq!(harness.event(&published("2", "第一版")).await.text("state"), "received");
    assert_eq!(harness.event(&withdrawn("w1")).await.text("state"), "withdrawn");
}

#[tokio::test]
async fn what_ingest_did_not_ask_for_is_buried() {
    let stages = progress::Stages::new(&harness().await.runtime);
    let result = stages.handle(ReportEvent::Waived(Box::default()).into(), &context(2)).await;
    assert!(matches!(result, Err(Decision::Bury { code: "UNEXPECTED_EVENT", .. })), "{result:?}");
}

#[tokio::test]
async fn a_full_disk_is_told_apart_from_an_absent_broker() {
    let harness = harness().await;
    harness.memory.plan(Fault::fail(Operation::Put).kind(gongkai_worker::transport::ErrorKind::Full));
    let answer = harness.event(&published("1", "第一版")).await;
    assert_eq!((answer.status, answer.text("code")), (StatusCode::SERVICE_UNAVAILABLE, "STORAGE_FULL"));
    assert_eq!(answer.headers["retry-after"], "5");
    assert!(harness.received().is_empty());
}

#[tokio::test]
async fn a_watch_ends_with_the_final_state() {
    use futures::StreamExt as _;
    let harness = harness().await;
    let first = harness.event(&published("1", "第一版")).await;
    let second = harness.event(&published("2", "第一版")).await;
    let watch = harness.intake.watch(first.text("submission_id")).await.unwrap();
    let duplicate = harness.intake.watch(second.text("submission_id")).await.unwrap();
    validate(&harness, first.text("submission_id"), 4).await;
    let states: Vec<_> = watch.map(|receipt| receipt.unwrap().state()).collect().await;
    assert_eq!(states, [SubmissionState::Received, SubmissionState::Validated]);
    let errors: Vec<_> = duplicate.map(|r| r.unwrap().findings.unwrap_or_default().error).collect().await;
    assert_eq!(errors, [0, 4], "an unchanged one is followed until the first is final");
    assert!(harness.intake.watch("s-00000000000000000000000000000000").await.is_err());
}

#[tokio::test]
async fn a_dry_run_applies_local_packs() {
    let packs = tempfile::tempdir().unwrap();
    let pack = "[pack]\nname = \"yunxi\"\nversion = \"3\"\n[[rules]]\nid = \"YX-ONE\"\nseverity = \"REVIEW\"\n\
        when = \"report.year == 2023 && agency.name.endsWith('局')\"\nmessage = { \"zh-CN\" = \"本地规则\" }\n";
    std::fs::write(packs.path().join("yunxi.toml"), pack).unwrap();
    let harness = Harness::new(&Config { rules: Some(packs.path().to_owned()), ..Config::default() }).await;
    let sample = include_str!("../../../../tests/samples/01_word_paste_clean.txt");
    let line = harness.call(post("/v1/check?filename=a.txt", sample)).await.json;
    let rules: Vec<_> =
        line["findings"].as_array().unwrap().iter().map(|f| f["rule"].as_str().unwrap()).collect();
    assert!(rules.contains(&"YX-ONE"), "{line}");
    assert!(line["versions"]["rules"].as_str().unwrap().contains("yunxi 3"), "{line}");
    let wrong = pack.replace("report.year", "report.yaer");
    std::fs::write(packs.path().join("yunxi.toml"), wrong).unwrap();
    let config = Config { rules: Some(packs.path().to_owned()), ..Config::default() };
    let (fetcher, registry) = (Fetcher::new(&config).unwrap(), harness.agencies.subscribe());
    let refused = DryRun::new(&config, harness.runtime.clone(), fetcher, registry).err().unwrap();
    let refused = format!("{refused:#}");
    assert!(refused.contains("ingest.rules") && refused.contains("yunxi.toml, line 7"), "{refused}");
}

#[tokio::test]
async fn a_backfill_travels_on_a_subject_of_its_own() {
    let harness = harness().await;
    let backfilled = || harness.memory.messages("gongkai.v1.report.backfilled.360982").len();
    let path = "/v1/reports?site_code=3609820001&year=2019";
    let answer = harness.call(post(&format!("{path}&backfill=true"), "an old page")).await;
    assert_eq!((answer.status, backfilled(), harness.received().len()), (StatusCode::ACCEPTED, 1, 0));
    // The same content is the same submission, by whichever call it arrives.
    let again = harness.call(post(path, "an old page")).await;
    assert_eq!(again.text("submission_id"), answer.text("submission_id"));
    assert_eq!((backfilled(), harness.received().len()), (1, 0));
    let wrong = harness.call(post(&format!("{path}&backfill=yes"), "another page")).await;
    assert_eq!((wrong.status, wrong.text("code")), (StatusCode::BAD_REQUEST, "INVALID_FIELD"));
}
