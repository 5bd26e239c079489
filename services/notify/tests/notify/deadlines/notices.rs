//! Which subscriptions receive notices about deadlines, and what they receive.

use gongkai_notify::Config;
use gongkai_proto::{subjects::Event, v1};
use gongkai_worker::transport::memory::Memory;

use crate::{
    delivery::{config, raise},
    receiver::Receiver,
    running::Running,
};

fn notice(event: Event, channel: &str) -> v1::DeadlineNotice {
    let kind = match event {
        Event::ReportMissing => v1::DeadlineNoticeKind::Missing,
        Event::ReportLate => v1::DeadlineNoticeKind::Late,
        _ => v1::DeadlineNoticeKind::Reminder,
    };
    v1::DeadlineNotice {
        report: "agencies/A/reports/2025".into(),
        agency_name: "云溪县水务局".into(),
        year: 2025,
        region: "360982".into(),
        kind: kind.into(),
        deadline: "2026-01-31".into(),
        days: 2,
        published_on: if event == Event::ReportLate { "2026-02-02".into() } else { String::new() },
        channel: channel.into(),
        ..Default::default()
    }
}

/// Returns a config with a webhook of this name and these lines.
fn subscribed(name: &str, url: &str, more: &str) -> Config {
    let mut config = config(url, more);
    config.subscriptions[0].name = name.to_owned();
    config
}

#[tokio::test]
async fn subscriptions_get_the_kinds_they_name_and_those_of_their_agencies() {
    let (mut all, mut receivers) = (Config::default(), Vec::new());
    for (name, more) in [
        ("wanting", "events = [\"missing\", \"late\"]\nregions = [\"3609\"]"),
        ("elsewhere", "events = [\"reminder\", \"missing\", \"late\"]\nregions = [\"11\"]"),
        ("silent", ""),
        ("named", "agencies = [\"B\"]"),
    ] {
        let (receiver, url) = Receiver::start([]).await;
        all.subscriptions.extend(subscribed(name, &url, more).subscriptions);
        receivers.push((name, receiver));
    }
    let running = Running::start(Memory::new(), all).await;
    for (id, event, channel) in [
        ("m1", Event::DeadlineReminded, ""),
        ("m2", Event::ReportMissing, "named"),
        ("m3", Event::ReportLate, ""),
    ] {
        running.publish(id, event, &notice(event, channel)).await;
        for (name, _) in &receivers {
            running.delivered(name).await;
        }
    }
    raise(&running, "m4", "a1").await;
    for (name, _) in &receivers {
        running.delivered(name).await;
    }
    let got = |at: usize| {
        let seen = receivers[at].1.seen();
        seen.iter().map(|request| request.body["type"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(got(0), ["gongkai.deadline.missing.v1", "gongkai.deadline.late.v1"], "and no findings");
    assert_eq!(got(1), [""; 0]);
    assert_eq!(got(2), ["gongkai.alert.raised.v1"]);
    assert_eq!(got(3), ["gongkai.deadline.missing.v1"], "the registry names it for the agency");
    let late = &receivers[0].1.seen()[1];
    assert!(late.signed);
    assert_eq!(
        late.body["data"]["message"],
        "云溪县水务局2025年度报告已于2026-02-02公布，晚于期限2026-01-31共2天"
    );
    assert_eq!(late.body["data"]["report"], "agencies/A/reports/2025");
    running.stop().await;
}
