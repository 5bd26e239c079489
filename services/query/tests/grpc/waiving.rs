//! Waivers over gRPC: granted, listed, revoked, expired, lapsed; and the explanation of a finding.

use std::time::Duration;

use gongkai_model::Waiver;
use gongkai_proto::convert::timestamp::timestamp;
use gongkai_proto::subjects::Event;
use gongkai_proto::v1::alert_service_client::AlertServiceClient;
use gongkai_proto::v1::{self, CreateWaiverRequest, RevokeWaiverRequest, WaiverState};
use tonic::{Code, Status, transport::Channel};
use tonic_types::StatusExt as _;

use crate::harness::{Bench, SOON, START};

const REPORT: &str = "agencies/361001/reports/2023";
const FINDING: &str = "agencies/361001/reports/2023/findings/f5-0";

fn request(finding: &str, seconds: i64) -> CreateWaiverRequest {
    CreateWaiverRequest {
        finding: finding.into(),
        reason: "上级已同意保留".into(),
        person: "张三".into(),
        expires_at: Some(timestamp(START + time::Duration::seconds(seconds))),
    }
}

fn revoke(name: &str) -> RevokeWaiverRequest {
    RevokeWaiverRequest { name: name.into(), reason: "数据有误".into(), person: "李四".into() }
}

fn reason(status: &Status) -> (Code, String) {
    let info = status.get_details_error_info().expect("every error has an ErrorInfo");
    (status.code(), info.reason)
}

async fn alerts(bench: &Bench) -> AlertServiceClient<Channel> {
    AlertServiceClient::new(bench.channel().await)
}

/// Returns the fingerprints of the report's findings that are waived, or not.
async fn findings(bench: &Bench, is_waived: bool) -> Vec<v1::Finding> {
    let request = v1::ListFindingsRequest {
        parent: REPORT.into(),
        filter: format!("waived = {is_waived}"),
        ..Default::default()
    };
    bench.client().await.list_findings(request).await.unwrap().into_inner().findings
}

async fn waivers(bench: &Bench) -> Vec<v1::Waiver> {
    let request = v1::ListWaiversRequest { parent: "agencies/-".into(), ..Default::default() };
    alerts(bench).await.list_waivers(request).await.unwrap().into_inner().waivers
}

#[tokio::test]
async fn a_waiver_is_granted_shown_and_revoked() {
    let mut bench = Bench::start().await;
    bench.validate(REPORT, "aa", 5).await;
    bench.projected().await;
    let mut client = alerts(&bench).await;
    let granted = client.create_waiver(request(FINDING, 3600)).await.unwrap().into_inner();
    assert_eq!((granted.state(), granted.rule.as_str()), (WaiverState::Active, "T3-ROW"));
    assert_eq!((granted.finding.as_str(), granted.region.as_str()), (FINDING, "360982"));
    // A request that is repeated before the read model has the waiver, or by another caller, creates no second one.
    let twice = client.create_waiver(request(FINDING, 7200)).await.unwrap_err();
    assert_eq!(reason(&twice), (Code::AlreadyExists, "ALREADY_WAIVED".into()));
    bench.projected().await;
    assert_eq!(bench.broker.messages(&Event::ReportWaived.filter()).len(), 1);
    let waived = findings(&bench, true).await;
    assert_eq!(waived.iter().map(|f| f.fingerprint.as_str()).collect::<Vec<_>>(), ["f5-0"]);
    assert_eq!(waived[0].waiver.as_ref(), Some(&granted));
    assert_eq!(findings(&bench, false).await.len(), 2);

    let again = client.create_waiver(request(FINDING, 3600)).await.unwrap_err();
    assert_eq!(reason(&again), (Code::AlreadyExists, "ALREADY_WAIVED".into()));
    let ended = client.revoke_waiver(revoke(&granted.name)).await.unwrap().into_inner();
    assert_eq!((ended.state(), ended.ended_by.as_str()), (WaiverState::Revoked, "李四"));
    bench.projected().await;
    assert!(findings(&bench, true).await.is_empty());
    let late = client.revoke_waiver(revoke(&granted.name)).await.unwrap_err();
    assert_eq!(reason(&late), (Code::FailedPrecondition, "WAIVER_ENDED".into()));
    assert_eq!(waivers(&bench).await, [ended]);
    client.create_waiver(request(FINDING, 3600)).await.expect("an ended waiver makes room for another");
}

#[tokio::test]
async fn a_waiver_outlives_new_runs_and_rebuilds_and_lapses_with_its_operands() {
    let mut bench = Bench::start().await;
    let received = bench.validate(REPORT, "aa", 5).await;
    bench.projected().await;
    alerts(&bench).await.create_waiver(request(FINDING, 3600)).await.unwrap();
    let mut rerun = bench.validated(received, REPORT, "aa", 5).await;
    bench.publish(Event::ReportValidated, &rerun).await;
    bench.projected().await;
    assert_eq!(findings(&bench, true).await.len(), 1);
    bench.restart(true).await;
    bench.projected().await;
    assert_eq!(findings(&bench, true).await.len(), 1);
    assert_eq!(waivers(&bench).await[0].state(), WaiverState::Active);
    rerun.findings[0].operands_digest = "other values".into();
    bench.publish(Event::ReportValidated, &rerun).await;
    bench.projected().await;
    assert!(findings(&bench, true).await.is_empty());
    assert_eq!(waivers(&bench).await[0].state(), WaiverState::Lapsed);
}

#[tokio::test]
async fn time_ends_a_waiver_by_an_event() {
    let mut bench = Bench::start().await;
    bench.validate(REPORT, "aa", 5).await;
    bench.projected().await;
    let granted = alerts(&bench).await.create_waiver(request(FINDING, 1)).await.unwrap().into_inner();
    bench.projected().await;
    bench.hand.advance(Duration::from_secs(2));
    // A service searches for expired waivers as soon as it starts.
    bench.restart(false).await;
    let events = Event::ReportWaived.filter();
    let ended = bench.broker.until(|broker| broker.messages(&events).len() == 2);
    tokio::time::timeout(SOON, ended).await.expect("the end is an event");
    bench.projected().await;
    let [ended] = <[_; 1]>::try_from(waivers(&bench).await).unwrap();
    assert_eq!((ended.state(), ended.ended_at), (WaiverState::Expired, granted.expires_at));
    assert!(findings(&bench, true).await.is_empty());
}

#[tokio::test]
async fn a_move_that_was_killed_between_its_two_events_is_completed() {
    const MOVED: &str = "agencies/361002/reports/2023";
    let mut bench = Bench::start().await;
    let received = bench.validate(REPORT, "aa", 5).await;
    bench.projected().await;
    let granted = alerts(&bench).await.create_waiver(request(FINDING, 3600)).await.unwrap().into_inner();
    bench.projected().await;
    // A service published this before it was killed.
    let to = Waiver::try_from(granted.clone()).unwrap().moved(&MOVED.parse().unwrap(), "f5-0");
    bench.publish(Event::ReportWaived, &v1::WaiverChanged { waiver: Some((&to).into()) }).await;
    bench.projected().await;
    let mut moved = bench.validated(received, MOVED, "aa", 5).await;
    moved.moved_from = vec![REPORT.into()];
    bench.publish(Event::ReportValidated, &moved).await;
    bench.projected().await;
    // A service searches for waivers to move as soon as it starts.
    bench.restart(false).await;
    let events = Event::ReportWaived.filter();
    let ended = bench.broker.until(|broker| broker.messages(&events).len() >= 3);
    tokio::time::timeout(SOON, ended).await.expect("the end is an event");
    bench.projected().await;
    let states = waivers(&bench).await.into_iter().map(|waiver| (waiver.finding.clone(), waiver.state()));
    let expected =
        [(FINDING.to_owned(), WaiverState::Revoked), (format!("{MOVED}/findings/f5-0"), WaiverState::Active)];
    let mut states: Vec<_> = states.collect();
    states.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(states, expected);
    assert_eq!(bench.broker.messages(&events).len(), 3, "it was granted once");
}

#[tokio::test]
async fn what_cannot_be_waived_is_refused_with_a_reason() {
    let mut bench = Bench::start().await;
    bench.validate(REPORT, "aa", 5).await;
    bench.projected().await;
    let mut client = alerts(&bench).await;
    let good = request(FINDING, 3600);
    let long = "字".repeat(2001);
    let cases = [
        (CreateWaiverRequest { finding: REPORT.into(), ..good.clone() }, "INVALID_NAME"),
        (
            CreateWaiverRequest { finding: format!("{REPORT}/findings/f9-9"), ..good.clone() },
            "FINDING_NOT_FOUND",
        ),
        (CreateWaiverRequest { reason: "  ".into(), ..good.clone() }, "INVALID_TEXT"),
        (CreateWaiverRequest { reason: long, ..good.clone() }, "INVALID_TEXT"),
        (CreateWaiverRequest { person: "张\n三".into(), ..good.clone() }, "INVALID_TEXT"),
        (CreateWaiverRequest { expires_at: None, ..good.clone() }, "INVALID_EXPIRY"),
        (request(FINDING, -5), "INVALID_EXPIRY"),
        (request(FINDING, 3700 * 24 * 3600), "INVALID_EXPIRY"),
    ];
    for (request, expected) in cases {
        let refused = client.create_waiver(request).await.unwrap_err();
        assert_eq!(reason(&refused).1, expected);
    }
    let absent = format!("{REPORT}/waivers/0123456789abcdef");
    let refused = client.revoke_waiver(revoke(&absent)).await.unwrap_err();
    assert_eq!(reason(&refused), (Code::NotFound, "WAIVER_NOT_FOUND".into()));
    assert!(bench.broker.messages(&Event::ReportWaived.filter()).is_empty());
}

#[tokio::test]
async fn a_finding_is_explained() {
    let mut bench = Bench::start().await;
    bench.validate(REPORT, "aa", 5).await;
    bench.projected().await;
    alerts(&bench).await.create_waiver(request(FINDING, 3600)).await.unwrap();
    bench.projected().await;
    let mut client = bench.client().await;
    let ask = |name: &str| v1::ExplainFindingRequest { name: name.into() };
    let told = client.explain_finding(ask(FINDING)).await.unwrap().into_inner();
    let finding = told.finding.unwrap();
    assert_eq!((finding.rule.as_str(), finding.formula.as_str()), ("T3-ROW", "sum of applicants = total"));
    assert_eq!((finding.expected.as_deref(), finding.actual.as_deref()), (Some("7"), Some("8")));
    let operands: Vec<_> = told.operands.iter().map(|f| (f.concept.as_str(), f.value.as_deref())).collect();
    assert_eq!(operands, [("requests.received", Some("5"))]);
    let history: Vec<_> = told.history.iter().map(|j| (j.severity(), j.rules.as_str())).collect();
    assert_eq!(history, [(v1::Severity::Error, "4")]);
    assert_eq!((told.waivers.len(), told.content_hash.as_str()), (1, "aa"));
    let absent = client.explain_finding(ask(&format!("{REPORT}/findings/f9-9"))).await.unwrap_err();
    assert_eq!(reason(&absent), (Code::NotFound, "FINDING_NOT_FOUND".into()));
}
