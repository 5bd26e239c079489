//! Alerts over gRPC: listed, shown with their history, and acknowledged.

use gongkai_proto::convert::timestamp::timestamp;
use gongkai_proto::subjects::{Event, acknowledged_filter};
use gongkai_proto::v1::alert_service_client::AlertServiceClient;
use gongkai_proto::v1::{self, AlertStepKind};
use tonic::{Code, transport::Channel};
use tonic_types::StatusExt as _;

use crate::harness::{Bench, START};

const ALERT: &str = "0f3c5a0e8a5f4c1d9be2a7c6d5e4f301";

async fn client(bench: &Bench) -> AlertServiceClient<Channel> {
    AlertServiceClient::new(bench.channel().await)
}

fn alert(id: &str, second: i64, severity: v1::Severity) -> v1::Alert {
    v1::Alert {
        alert_id: id.into(),
        report: "agencies/361001/reports/2023".into(),
        agency_name: "鹿江街道办事处".into(),
        year: 2023,
        region: "360982".into(),
        severity: severity.into(),
        findings: vec![v1::Finding { rule: "T3-ROW".into(), ..Default::default() }],
        changed_at: Some(timestamp(START + time::Duration::seconds(second))),
        ..Default::default()
    }
}

async fn raise(bench: &mut Bench, id: &str, second: i64, severity: v1::Severity) {
    let alert = v1::Alert { state: v1::AlertState::Raised.into(), ..alert(id, second, severity) };
    bench.publish(Event::AlertRaised, &v1::AlertRaised { alert: Some(alert) }).await;
}

async fn resolve(bench: &mut Bench, id: &str, second: i64) {
    let alert = v1::Alert {
        state: v1::AlertState::Resolved.into(),
        resolution: v1::AlertResolution::Gone.into(),
        ..alert(id, second, v1::Severity::Error)
    };
    bench.publish(Event::AlertResolved, &v1::AlertResolved { alert: Some(alert) }).await;
}

fn acknowledgement(person: &str) -> v1::AcknowledgeAlertRequest {
    let comment = format!("{person}已联系办公室核对");
    v1::AcknowledgeAlertRequest { name: format!("alerts/{ALERT}"), person: person.into(), comment }
}

async fn list(bench: &Bench, filter: &str, show_resolved: bool) -> Vec<String> {
    let (mut ids, mut page_token) = (Vec::new(), String::new());
    loop {
        let request =
            v1::ListAlertsRequest { page_size: 2, page_token, filter: filter.into(), show_resolved };
        let page = client(bench).await.list_alerts(request).await.unwrap().into_inner();
        ids.extend(page.alerts.into_iter().map(|record| record.alert.unwrap().alert_id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return ids;
        }
    }
}

#[tokio::test]
async fn the_history_says_who_when_and_why() {
    let mut bench = Bench::start().await;
    raise(&mut bench, ALERT, 1, v1::Severity::Error).await;
    let mut client = client(&bench).await;
    let first = client.acknowledge_alert(acknowledgement("张三")).await.unwrap().into_inner();
    assert_eq!((first.person.as_str(), first.way()), ("张三", v1::AcknowledgementWay::Grpc));
    assert_eq!(first.acknowledged_at, Some(timestamp(START)));
    bench.hand.advance(std::time::Duration::from_secs(60));
    let again = client.acknowledge_alert(acknowledgement("张三")).await.unwrap().into_inner();
    assert_eq!(again, first, "the same person again is answered with the earlier acknowledgement");
    client.acknowledge_alert(acknowledgement("李四")).await.unwrap();
    resolve(&mut bench, ALERT, 2).await;
    let late = client.acknowledge_alert(acknowledgement("王五")).await.unwrap_err();
    assert_eq!(
        (late.code(), late.get_details_error_info().unwrap().reason.as_str()),
        (Code::FailedPrecondition, "ALERT_RESOLVED")
    );
    raise(&mut bench, ALERT, 3, v1::Severity::Error).await;

    let request = v1::GetAlertRequest { name: ALERT.into() };
    let shown = client.get_alert(request.clone()).await.unwrap().into_inner();
    assert!(shown.acknowledgements.is_empty(), "a reopened alert is not acknowledged");
    let person =
        |step: &v1::AlertStep| step.acknowledgement.as_ref().map_or("", |one| &one.person).to_owned();
    let steps: Vec<_> = shown.history.iter().map(|step| (step.kind(), person(step))).collect();
    assert_eq!(
        steps,
        [
            (AlertStepKind::Raised, String::new()),
            (AlertStepKind::Acknowledged, "张三".into()),
            (AlertStepKind::Acknowledged, "李四".into()),
            (AlertStepKind::Resolved, String::new()),
            (AlertStepKind::Reopened, String::new()),
        ]
    );
    assert_eq!(shown.history[0].rules, ["T3-ROW"]);
    assert_eq!(shown.history[3].resolution(), v1::AlertResolution::Gone);
    assert_eq!(shown.history[1].acknowledgement, Some(first));
    let third = client.acknowledge_alert(acknowledgement("张三")).await.unwrap().into_inner();
    let shown = client.get_alert(request).await.unwrap().into_inner();
    assert_eq!(shown.acknowledgements, [third], "the person takes care of the reopened alert too");
    assert_eq!(bench.broker.messages(&acknowledged_filter(ALERT)).len(), 3);
}

#[tokio::test]
async fn alerts_are_listed_by_filter_and_page() {
    let mut bench = Bench::start().await;
    for (n, id) in ["aa", "bb", "cc", ALERT].into_iter().enumerate() {
        let severity = if id == "bb" { v1::Severity::Warning } else { v1::Severity::Error };
        raise(&mut bench, id, i64::try_from(n).unwrap(), severity).await;
    }
    resolve(&mut bench, "aa", 9).await;
    client(&bench).await.acknowledge_alert(acknowledgement("张三")).await.unwrap();
    assert_eq!(list(&bench, "", false).await, [ALERT, "cc", "bb"]);
    assert_eq!(list(&bench, "", true).await, [ALERT, "cc", "bb", "aa"]);
    assert_eq!(list(&bench, "acknowledged = true", false).await, [ALERT]);
    assert_eq!(list(&bench, "acknowledged = false AND severity >= ERROR", false).await, ["cc"]);
    assert_eq!(list(&bench, "state = RESOLVED", true).await, ["aa"]);
    let all = "region = 360982 AND agency = 361001 AND agency_name : 鹿江 AND year = 2023";
    assert_eq!(list(&bench, all, false).await.len(), 3);
    assert_eq!(list(&bench, "region = 110000", true).await, [""; 0]);
    let unknown = v1::GetAlertRequest { name: "alerts/ff".into() };
    assert_eq!(client(&bench).await.get_alert(unknown).await.unwrap_err().code(), Code::NotFound);
}
