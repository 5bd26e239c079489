//! Two sites get an event at the end of each of their own submissions, from real programs over a real broker,
//! although services are killed meanwhile. A library of Standard Webhooks verifies the signatures.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what is missing fails the test")]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Bytes, http::HeaderMap, http::StatusCode, routing::post};
use gongkai_proto::{
    subjects::{DEAD_PREFIX, STREAM_ALERTS},
    v1::DeadLetter,
};
use gongkai_tests::{
    deployment::{Deployment, Plan, Signal},
    http,
    neighbourhood::{Turn, document, import_by_command},
    samples,
};
use gongkai_worker::Clock;
use prost::Message as _;
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tokio::net::TcpListener;

/// A site, and the receiver of its events.
#[derive(Clone)]
struct Site {
    name: &'static str,
    secret: &'static str,
    /// The address of the receiver.
    callback_url: String,
    is_away: Arc<AtomicBool>,
    /// Number of requests that were not signed with the site's secret.
    refused: Arc<AtomicUsize>,
    /// `webhook-id` and body of each accepted request.
    taken: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Site {
    async fn start(name: &'static str, secret: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let callback_url = format!("http://{}/ended", listener.local_addr().unwrap());
        let this = Self {
            name,
            secret,
            callback_url,
            is_away: Arc::default(),
            refused: Arc::default(),
            taken: Arc::default(),
        };
        let receiver = this.clone();
        let take = move |headers: HeaderMap, body: Bytes| async move { receiver.take(&headers, &body) };
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/ended", post(take))).await });
        this
    }

    fn config(&self) -> String {
        let Self { name, secret, callback_url, .. } = self;
        format!(
            "[ingest.sites.{name}]\nsource = \"{}\"\nsecrets = [\"{secret}\"]\ncallback_url = \"{callback_url}\"\n\
             callback_allow_private = true\n",
            self.source()
        )
    }

    fn source(&self) -> String {
        format!("https://www.{}.example/cms", self.name)
    }

    fn event(&self, id: &str, kind: &str, text: &str) -> Value {
        let mut data =
            json!({"year": 2023, "url": format!("https://www.{}.example/{}", self.name, &id[..1])});
        if !text.is_empty() {
            data["content"] = json!({"media_type": "text/html", "text": text});
        }
        let kind = format!("gongkai.report.{kind}.v1");
        json!({"specversion": "1.0", "type": kind, "id": id, "source": self.source(), "data": data})
    }

    fn take(&self, headers: &HeaderMap, body: &[u8]) -> StatusCode {
        if self.is_away.load(Ordering::Relaxed) {
            return StatusCode::SERVICE_UNAVAILABLE;
        }
        if Webhook::new(self.secret).unwrap().verify(body, headers).is_err() {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return StatusCode::UNAUTHORIZED;
        }
        let id = headers["webhook-id"].to_str().unwrap().to_owned();
        self.taken.lock().unwrap().push((id, serde_json::from_slice(body).unwrap()));
        StatusCode::NO_CONTENT
    }

    /// Returns the receipts by submission and state. Each must have come under one id.
    fn ends(&self) -> BTreeMap<(String, String), Value> {
        let mut ids = BTreeMap::<_, BTreeSet<String>>::new();
        let mut ends = BTreeMap::new();
        for (id, body) in self.taken.lock().unwrap().iter() {
            assert_eq!((&body["type"], &body["id"]), (&json!("gongkai.submission.ended.v1"), &json!(id)));
            let text = |member: &str| body["data"][member].as_str().unwrap().to_owned();
            let end = (text("submission_id"), text("state"));
            ids.entry(end.clone()).or_default().insert(id.clone());
            ends.insert(end, body["data"].clone());
        }
        assert!(ids.values().all(|ids| ids.len() == 1), "{ids:?}");
        ends
    }

    async fn until(&self, count: usize) -> BTreeMap<(String, String), Value> {
        let reached = async {
            while self.ends().len() < count {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        // What a killed process had in work is delivered again after 30 s.
        assert!(tokio::time::timeout(Duration::from_secs(60), reached).await.is_ok(), "{:?}", self.ends());
        self.ends()
    }

    /// Sends a signed event until it is accepted. Returns the submission's id.
    async fn send(&self, ingest: &str, event: &Value) -> String {
        let body = event.to_string();
        let url = format!("{ingest}/v1/events");
        for _ in 0..100 {
            let at = Clock::system().now().unix_timestamp();
            let signature = Webhook::new(self.secret).unwrap().sign("msg_1", at, body.as_bytes()).unwrap();
            let request = http::client().post(&url).body(body.clone()).header("webhook-id", "msg_1");
            let request = request.header("webhook-timestamp", at).header("webhook-signature", signature);
            let answer = http::answer(request.header("content-type", "application/cloudevents+json")).await;
            match answer {
                Ok(answer) if answer.status == 202 => {
                    return answer.json["submission_id"].as_str().unwrap().to_owned();
                }
                Ok(answer) => assert!([429, 503].contains(&answer.status), "{answer:?}"),
                Err(_) => {}
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{event} was not accepted");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sites_are_told_of_every_end_of_their_own_through_kills_and_while_one_is_away() {
    let yunxi = Site::start("yunxi", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").await;
    let meixi = Site::start("meixi", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD").await;
    let config = format!("[notify]\nretry_delays_s = {:?}\n", [1; 60]) + &yunxi.config() + &meixi.config();
    let mut deployment = Deployment::start(&Plan { config, ..Plan::default() }).await;
    let ingest = deployment.ingest();
    let all = samples::all();
    let pages = all.iter().filter(|sample| sample.media_type() == "text/html");
    let mut pages = pages.filter_map(|sample| String::from_utf8(sample.bytes()).ok());
    let (report, other) = (pages.next().unwrap(), pages.next().unwrap());
    let validated = yunxi.send(&ingest, &yunxi.event("1", "published", &report)).await;
    let meixi_validated = meixi.send(&ingest, &meixi.event("1", "published", &other)).await;
    yunxi.until(1).await;
    meixi.until(1).await;

    // One receiver is away while submissions end, and both services are killed.
    yunxi.is_away.store(true, Ordering::Relaxed);
    let unchanged = yunxi.send(&ingest, &yunxi.event("1b", "published", &report)).await;
    let meixi_unchanged = meixi.send(&ingest, &meixi.event("1b", "published", &other)).await;
    let rejected = yunxi.send(&ingest, &yunxi.event("3", "published", "<p>通知</p>")).await;
    let meixi_rejected = meixi.send(&ingest, &meixi.event("3", "published", "<p>通告</p>")).await;
    meixi.until(3).await;
    deployment.kill_and_restart("ingest");
    let withdrawn = yunxi.send(&ingest, &yunxi.event("1w", "withdrawn", "")).await;
    let meixi_withdrawn = meixi.send(&ingest, &meixi.event("1w", "withdrawn", "")).await;
    deployment.kill_and_restart("notify");
    deployment.ready().await;
    yunxi.is_away.store(false, Ordering::Relaxed);
    yunxi.until(4).await;
    let meixi_ends = meixi.until(4).await;

    // A message becomes a dead letter, and its replay has another outcome.
    let parse = (0..deployment.processes()).find(|process| deployment.name(*process) == "parse").unwrap();
    deployment.suspend(parse);
    let dead = yunxi.send(&ingest, &yunxi.event("5", "published", "<p>公告</p>")).await;
    let letter = DeadLetter { message_id: dead.clone(), ..DeadLetter::default() };
    let client = async_nats::connect(deployment.nats_url()).await.unwrap();
    let stream = async_nats::jetstream::new(client);
    let published = stream.publish(format!("{DEAD_PREFIX}.parse"), letter.encode_to_vec().into()).await;
    published.unwrap().await.unwrap();
    yunxi.until(5).await;
    deployment.signal(parse, Signal::Continue);
    let ends = yunxi.until(6).await;

    let keys = |ends: &BTreeMap<(String, String), Value>| ends.keys().cloned().collect::<BTreeSet<_>>();
    let expected = |ends: &[(&String, &str)]| -> BTreeSet<(String, String)> {
        ends.iter().map(|(id, state)| ((*id).clone(), (*state).to_owned())).collect()
    };
    let of_yunxi = [
        (&validated, "validated"),
        (&unchanged, "unchanged"),
        (&rejected, "rejected"),
        (&withdrawn, "withdrawn"),
        (&dead, "dead"),
        (&dead, "rejected"),
    ];
    let of_meixi = [
        (&meixi_validated, "validated"),
        (&meixi_unchanged, "unchanged"),
        (&meixi_rejected, "rejected"),
        (&meixi_withdrawn, "withdrawn"),
    ];
    assert_eq!(keys(&ends), expected(&of_yunxi));
    assert_eq!(keys(&meixi.ends()), expected(&of_meixi));
    let is_hit = |ends: &BTreeMap<(String, String), Value>, id: &String| {
        ends[&(id.clone(), "withdrawn".to_owned())]["withdrawal"]["hit"] == "report"
    };
    assert!(is_hit(&ends, &withdrawn) && is_hit(&meixi_ends, &meixi_withdrawn));
    assert!(ends[&(validated, "validated".to_owned())]["report"].is_string());
    let refused = [&yunxi, &meixi].map(|site| site.refused.load(Ordering::Relaxed));
    assert_eq!(refused, [0, 0], "each with its own secret");
    assert!(deployment.messages(STREAM_ALERTS).await.unwrap() >= 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_is_told_that_a_rejected_document_was_read_after_all() {
    let site = Site::start("yunxi", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").await;
    let deployment = Deployment::start(&Plan { config: site.config(), ..Plan::default() }).await;
    let mut event = site.event("1", "published", "");
    let text = String::from_utf8(document(&Turn::of("本机关", 2023))).unwrap();
    event["data"]["content"] = json!({"media_type": "text/markdown", "text": text});
    event["data"]["agency"] = json!({"code": "YX-1"});
    let submission = site.send(&deployment.ingest(), &event).await;
    let ends = site.until(1).await;
    let rejected = &ends[&(submission.clone(), "rejected".to_owned())];
    assert_eq!(rejected["rejection"]["code"], "NO_IDENTITY", "{rejected}");
    let said = import_by_command(&deployment, "code,name\nYX-1,云溪县档案局\n");
    assert!(said.contains(&submission), "{said}");
    let ends = site.until(2).await;
    let validated = &ends[&(submission, "validated".to_owned())];
    assert_eq!(validated["report"], "agencies/YX-1/reports/2023", "{validated}");
}
