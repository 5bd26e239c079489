//! Sites with a `callback_url`: the receipts that they get when submissions end, once and signed, while other
//! receivers are away, and over a real broker too.

use std::collections::BTreeMap;

use gongkai_notify::{CallbackSite, Config};
use gongkai_proto::{
    subjects::{self, Event},
    v1,
};
use gongkai_worker::{testing::NatsServer, transport::memory::Memory};
use serde_json::json;

use crate::{
    delivery,
    outage::Replica,
    receiver::{Receiver, Request, SECRET},
    running::Running,
};

/// Returns a config whose sites have these addresses, and whose only subscription is the log.
fn sites(urls: &[(&str, &str)]) -> Config {
    let site = |url: &str| -> CallbackSite {
        toml::from_str(&format!("source = \"s\"\ncallback_url = \"{url}\"\nsecrets = [\"{SECRET}\"]"))
            .unwrap()
    };
    let sites: BTreeMap<_, _> = urls.iter().map(|(name, url)| ((*name).to_owned(), site(url))).collect();
    Config { sites, ..Config::default() }
}

/// Returns the message that ingest publishes when a submission of a site ends.
fn ended(site: &str, submission: &str, state: &str) -> (String, v1::SubmissionEnded) {
    let receipt = json!({"submission_id": submission, "state": state, "report": null});
    let ended = v1::SubmissionEnded {
        submission_id: submission.into(),
        site: site.into(),
        receipt: receipt.to_string(),
        rejection_code: if state == "rejected" { "NEEDS_OCR".into() } else { String::new() },
        sender_site: site.into(),
    };
    (format!("{submission}.ended.{state}"), ended)
}

async fn publish(running: &Running, site: &str, submission: &str, state: &str) {
    let (id, message) = ended(site, submission, state);
    running.publish(&id, Event::SubmissionEnded, &message).await;
}

fn submissions(requests: &[Request]) -> Vec<String> {
    requests.iter().map(|request| request.body["subject"].as_str().unwrap().to_owned()).collect()
}

fn id(request: &Request) -> &str {
    request.headers["webhook-id"].to_str().unwrap()
}

#[tokio::test]
async fn a_site_is_told_once_of_each_end_in_a_signed_event() {
    let (receiver, url) = Receiver::start([]).await;
    let (other, other_url) = Receiver::start([]).await;
    let running = Running::start(Memory::new(), sites(&[("yunxi", &url), ("other", &other_url)])).await;
    publish(&running, "yunxi", "s-1", "dead").await;
    running.delivered("callback_yunxi").await;
    publish(&running, "yunxi", "s-1", "validated").await;
    publish(&running, "other", "s-2", "rejected").await;
    publish(&running, "nobody", "s-3", "validated").await;
    for site in ["callback_yunxi", "callback_other", "log"] {
        running.delivered(site).await;
    }
    let seen = receiver.seen();
    let states: Vec<_> = seen.iter().map(|request| request.body["data"]["state"].clone()).collect();
    assert_eq!(states, ["dead", "validated"]);
    assert!(seen.iter().all(|request| request.signed));
    let request = &seen[1];
    assert_eq!(request.headers["content-type"], "application/cloudevents+json");
    let body = &request.body;
    assert_eq!(
        (&body["specversion"], &body["type"], &body["source"], &body["datacontenttype"]),
        (
            &json!("1.0"),
            &json!("gongkai.submission.ended.v1"),
            &json!("gongkai-ingest"),
            &json!("application/json")
        )
    );
    assert_eq!((&body["id"], &body["subject"]), (&json!(id(request)), &json!("s-1")));
    assert_eq!(body["data"], json!({"submission_id": "s-1", "state": "validated", "report": null}));
    assert_eq!(submissions(&other.seen()), ["s-2"]);
    assert!(running.dead().is_empty());
    running.stop().await;
}

#[tokio::test]
async fn a_subscription_to_the_rejections_of_a_site_gets_these_beside_its_alerts() {
    let (office, url) = Receiver::start([]).await;
    let running = Running::start(Memory::new(), delivery::config(&url, "rejections = [\"yunxi\"]")).await;
    publish(&running, "yunxi", "s-1", "rejected").await;
    publish(&running, "yunxi", "s-2", "validated").await;
    publish(&running, "other", "s-3", "rejected").await;
    delivery::raise(&running, "m1", "a1").await;
    running.delivered("office").await;
    let seen = office.seen();
    let kinds: Vec<_> = seen.iter().map(|request| request.body["type"].as_str().unwrap()).collect();
    assert!(seen.iter().all(|request| request.signed), "{kinds:?}");
    assert_eq!(kinds.iter().filter(|kind| **kind == "gongkai.submission.ended.v1").count(), 1, "{kinds:?}");
    assert_eq!(kinds.len(), 2, "{kinds:?}");
    let rejected = seen.iter().find(|request| request.body["subject"] == "s-1").unwrap();
    assert_eq!(rejected.body["data"]["state"], "rejected");
    running.stop().await;
}

#[tokio::test]
async fn an_end_without_a_receipt_is_buried() {
    let (receiver, url) = Receiver::start([]).await;
    let running = Running::start(Memory::new(), sites(&[("yunxi", &url)])).await;
    let message = v1::SubmissionEnded { receipt: "{".into(), ..ended("yunxi", "s-1", "dead").1 };
    running.publish("m1", Event::SubmissionEnded, &message).await;
    running.delivered("callback_yunxi").await;
    assert_eq!((running.dead()[0].code.as_str(), receiver.seen().len()), ("MALFORMED", 0));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_away_delays_nobody_and_gets_its_ends_in_order_also_from_another_process() {
    let server = NatsServer::start().await;
    let (away, away_url) = Receiver::start([]).await;
    away.goes_away(503);
    let (site, site_url) = Receiver::start([]).await;
    let (office, office_url) = Receiver::start([]).await;
    let mut config = sites(&[("away", &away_url), ("near", &site_url)]);
    config.subscriptions = delivery::config(&office_url, "").subscriptions;
    config.retry_delays_s = vec![1; 20];
    let first = Replica::start(&server, &config).await;
    for n in 0..20 {
        for name in ["away", "near"] {
            let (id, message) = ended(name, &format!("s-{name}-{n}"), "validated");
            first.publish_event(&id, Event::SubmissionEnded, &message).await;
        }
        first.publish(&format!("m{n}"), &format!("a{n}"), v1::AlertState::Raised).await;
    }
    site.until("the ends", |site| site.taken().len() == 20).await;
    office.until("the alerts", |office| office.taken().len() == 20).await;
    first.until_waiting(&subjects::callback("away"), 20).await;
    first.kill().await;
    let second = Replica::start(&server, &config).await;
    let before = away.seen().len();
    away.until("a try by the other process", |away| away.seen().len() > before).await;
    away.comes_back();
    away.until("what waited", |away| away.taken().len() == 20).await;
    second.until_waiting(&subjects::callback("away"), 0).await;
    let taken = away.taken();
    assert!(taken.iter().all(|request| request.signed && request.body["id"] == id(request)));
    let told = submissions(&taken);
    assert_eq!(told.iter().collect::<std::collections::BTreeSet<_>>().len(), 20, "each once: {told:?}");
    // All attempts for one end have the same id, before and after the kill.
    let of_first = |request: &&Request| request.body["subject"] == told[0].as_str();
    let ids: std::collections::BTreeSet<_> =
        away.seen().iter().filter(of_first).map(|request| id(request).to_owned()).collect();
    assert_eq!(ids.len(), 1);
    let numbers: Vec<u32> = told.iter().map(|id| id.rsplit('-').next().unwrap().parse().unwrap()).collect();
    assert!(numbers.is_sorted(), "{numbers:?}");
    second.stop().await;
}
