//! Tests of delivery from the alert stream to receivers.
//!
//! The clock and the receivers are real. The tests read longer delays from the timers instead of waiting for them.

use std::time::Duration;

use gongkai_notify::Config;
use gongkai_proto::{
    subjects::{self, Event},
    v1,
};
use gongkai_worker::testing::free_port;
use gongkai_worker::transport::{
    ErrorKind,
    memory::{Fault, Memory, Operation, SettlementOutcome},
};

use crate::{
    receiver::{Answer, Receiver, SECRET},
    running::{REPORT, Running, finding},
};

pub(crate) fn alert(id: &str, state: v1::AlertState) -> v1::AlertRaised {
    v1::AlertRaised {
        alert: Some(v1::Alert {
            alert_id: id.into(),
            report: REPORT.into(),
            agency_name: "樟树市鹿江街道办事处".into(),
            year: 2023,
            region: "360982".into(),
            severity: v1::Severity::Error.into(),
            findings: vec![finding("f1")],
            state: state.into(),
            ..Default::default()
        }),
    }
}

pub(crate) fn config(url: &str, more: &str) -> Config {
    let text = format!(
        "[[subscriptions]]\nname = \"office\"\nchannel = \"webhook\"\nurl = \"{url}\"\nsecret = \"{SECRET}\"\n{more}"
    );
    toml::from_str(&text).unwrap()
}

/// Starts notify with one webhook, whose receiver gives these responses.
async fn started(answers: impl IntoIterator<Item = Answer>) -> (Running, Receiver) {
    let (receiver, url) = Receiver::start(answers).await;
    (Running::start(Memory::new(), config(&url, "")).await, receiver)
}

pub(crate) async fn raise(running: &Running, id: &str, alert_id: &str) {
    running.publish(id, Event::AlertRaised, &alert(alert_id, v1::AlertState::Raised)).await;
}

pub(crate) async fn resolve(running: &Running, id: &str, alert_id: &str) {
    running.publish(id, Event::AlertResolved, &alert(alert_id, v1::AlertState::Resolved)).await;
}

fn outcomes(running: &Running) -> Vec<SettlementOutcome> {
    let settlements =
        running.memory.settlements(subjects::STREAM_ALERTS, &subjects::consumer_delivery("office"));
    settlements.into_iter().map(|settlement| settlement.outcome).collect()
}

/// Waits for the timer of the subscription, and returns its delay.
async fn delay(running: &Running) -> Duration {
    running.memory.until(|memory| !memory.timers().is_empty()).await;
    let timers = running.memory.timers();
    assert_eq!((timers.len(), timers[0].message.subject.as_str()), (1, "gongkai.v1.timer.delivery.office"));
    timers[0].after
}

#[tokio::test]
async fn an_alert_is_told_once_while_its_record_waits_for_the_broker() {
    let (running, receiver) = started([]).await;
    for kind in [ErrorKind::Full, ErrorKind::Unavailable] {
        running.memory.plan(Fault::fail(Operation::Write).kind(kind).always());
        let before = running.memory.calls(Operation::Write);
        raise(&running, &format!("{kind:?}"), &format!("a-{kind:?}")).await;
        while running.memory.calls(Operation::Write) < before + 4 {
            tokio::task::yield_now().await;
        }
        running.memory.heal();
        running.delivered("office").await;
    }
    assert_eq!(receiver.seen().len(), 2);
    running.stop().await;
}

#[tokio::test]
async fn the_receiver_gets_a_signed_request_once() {
    let (running, receiver) = started([]).await;
    raise(&running, "m1", "a1").await;
    running.delivered("office").await;
    let seen = receiver.seen();
    assert_eq!(seen.len(), 1);
    let request = &seen[0];
    assert!(request.signed, "{request:?}");
    assert_eq!(
        (request.path.as_str(), &request.headers["content-type"]),
        ("/hook", &"application/json".parse().unwrap())
    );
    let id = request.headers["webhook-id"].to_str().unwrap();
    assert!(id.starts_with("msg_") && !id.contains('.'), "{id}");
    assert_eq!(request.body["type"], "gongkai.alert.raised.v1");
    assert_eq!(request.body["data"]["alert_id"], "a1");
    assert_eq!(request.body["data"]["findings"][0]["message"], "合计不符 f1");
    let traceparent = request.headers["traceparent"].to_str().unwrap();
    assert_eq!(traceparent.len(), 55, "{traceparent}");
    running.stop().await;
}

#[tokio::test]
async fn a_receiver_that_is_away_holds_no_place_and_is_tried_again_on_schedule() {
    let (running, receiver) = started([(503, vec![])]).await;
    raise(&running, "m1", "a1").await;
    let delay = delay(&running).await;
    assert!(delay >= Duration::from_secs(5) && delay < Duration::from_secs(6), "{delay:?}");
    running.delivered("office").await;
    assert_eq!(outcomes(&running), [SettlementOutcome::Acked]);
    running.caught_up("office").await;
    let ids: Vec<_> = receiver.seen().iter().map(|request| request.headers["webhook-id"].clone()).collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1], "a repeat can be told by its id");
    assert!(receiver.seen()[1].signed, "signed anew");
    running.stop().await;
}

#[tokio::test]
async fn the_receiver_says_when_to_come_again() {
    for status in [429, 503] {
        let (running, _receiver) = started([(status, vec![("retry-after", "3600".to_owned())])]).await;
        raise(&running, "m1", "a1").await;
        let delay = delay(&running).await;
        assert!(delay >= Duration::from_hours(1) && delay < Duration::from_hours(2), "{delay:?}");
        running.stop().await;
    }
}

#[tokio::test]
async fn nobody_listening_is_tried_again() {
    let gone = free_port();
    let running = Running::start(Memory::new(), config(&format!("http://{gone}/"), "")).await;
    raise(&running, "m1", "a1").await;
    delay(&running).await;
    running.stop().await;
}

#[tokio::test]
async fn a_copy_of_a_message_is_harmless_and_old_news_stay_behind() {
    let (running, receiver) = started([]).await;
    raise(&running, "m1", "a1").await;
    resolve(&running, "m2", "a1").await;
    running.delivered("office").await;
    let tell_again = Fault::lose_answer(Operation::Write).on("office/a2");
    running.memory.plan(tell_again);
    raise(&running, "m3", "a2").await;
    running.delivered("office").await;
    let states = receiver.seen().iter().map(|r| r.body["data"]["state"].clone()).collect::<Vec<_>>();
    assert_eq!(states, ["raised", "resolved", "raised"]);
    running.stop().await;
}

#[tokio::test]
async fn filters_hold_and_the_end_is_told_to_who_knows_the_beginning() {
    let (receiver, url) = Receiver::start([]).await;
    let running =
        Running::start(Memory::new(), config(&url, "rules = [\"T3-ROW\"]\nregions = [\"36\"]")).await;
    let with_rule = |rule: &str, region: &str, alert_id: &str, state| {
        let mut event = alert(alert_id, state);
        let inner = event.alert.as_mut().unwrap();
        inner.findings[0].rule = rule.into();
        inner.region = region.into();
        event
    };
    let raised = v1::AlertState::Raised;
    running.publish("m1", Event::AlertRaised, &with_rule("P-SUM", "360982", "a1", raised)).await;
    running.publish("m2", Event::AlertRaised, &with_rule("T3-ROW", "110000", "a2", raised)).await;
    running.publish("m3", Event::AlertRaised, &with_rule("T3-ROW", "360982", "a3", raised)).await;
    running.delivered("office").await;
    for (id, alert_id) in [("m4", "a1"), ("m5", "a3")] {
        let resolved = with_rule("P-SUM", "360982", alert_id, v1::AlertState::Resolved);
        running.publish(id, Event::AlertResolved, &resolved).await;
    }
    running.delivered("office").await;
    let told: Vec<_> = receiver
        .seen()
        .iter()
        .map(|r| (r.body["data"]["alert_id"].clone(), r.body["data"]["state"].clone()))
        .collect();
    assert_eq!(told, [("a3".into(), "raised".into()), ("a3".into(), "resolved".into())]);
    running.stop().await;
}

#[tokio::test]
async fn one_receiver_that_is_away_holds_up_no_other() {
    let away = free_port();
    let (receiver, url) = Receiver::start([]).await;
    let mut both = config(&url, "");
    let mut other = config(&format!("http://{away}/"), "").subscriptions.remove(0);
    other.name = "away".into();
    both.subscriptions.push(other);
    let running = Running::start(Memory::new(), both).await;
    for n in 0..10 {
        raise(&running, &format!("m{n}"), &format!("a{n}")).await;
    }
    running.delivered("office").await;
    assert_eq!(receiver.seen().len(), 10);
    running.stop().await;
}

#[tokio::test]
async fn without_subscriptions_the_log_is_told() {
    let running = Running::start(Memory::new(), Config::default()).await;
    raise(&running, "m1", "a1").await;
    running.delivered("log").await;
    assert!(running.dead().is_empty());
    running.stop().await;
}
