//! The interface through a real nats-server, from a client of a few lines that speaks its protocol: any CMS can do
//! this.

use std::{sync::Arc, time::Duration};

use gongkai_ingest::{
    config::{Config, Site},
    nats::CmsRequests,
    reception::Reception,
};
use gongkai_worker::{
    Secret, Transport,
    testing::NatsServer,
    transport::jetstream::{JetStream, JetStreamSettings},
};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    task::JoinHandle,
    time::timeout,
};

use crate::harness::{Harness, published, structured};

const PATIENCE: Duration = Duration::from_secs(20);

/// A connection to the broker.
struct Client(BufReader<TcpStream>);

/// A reply: the lines of its headers, and its body.
#[derive(Debug)]
struct Reply {
    headers: String,
    json: Value,
}

impl Client {
    async fn connect(server: &NatsServer) -> Self {
        let address = server.url().trim_start_matches("nats://").to_owned();
        let mut stream = TcpStream::connect(address).await.unwrap();
        let hello = "CONNECT {\"verbose\":false,\"headers\":true,\"no_responders\":true}\r\nSUB inbox 1\r\n";
        stream.write_all(hello.as_bytes()).await.unwrap();
        Self(BufReader::new(stream))
    }

    async fn request(&mut self, site: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        self.send(site, lines.as_bytes(), body).await;
        timeout(PATIENCE, self.reply()).await.unwrap()
    }

    async fn send(&mut self, site: &str, lines: &[u8], body: &str) {
        let head = [b"NATS/1.0\r\n", lines, b"\r\n"].concat();
        let (of_head, all) = (head.len(), head.len() + body.len());
        let first = format!("HPUB gongkai.v1.cms.{site} inbox {of_head} {all}\r\n");
        let message = [first.as_bytes(), &head, body.as_bytes(), b"\r\n"].concat();
        self.0.get_mut().write_all(&message).await.unwrap();
    }

    async fn reply(&mut self) -> Reply {
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).await.unwrap();
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                ["PING"] => self.0.get_mut().write_all(b"PONG\r\n").await.unwrap(),
                ["HMSG", _, _, of_head, all] => {
                    let (of_head, all): (usize, usize) = (of_head.parse().unwrap(), all.parse().unwrap());
                    let mut bytes = vec![0; all + 2];
                    self.0.read_exact(&mut bytes).await.unwrap();
                    let headers = String::from_utf8(bytes[..of_head].to_vec()).unwrap();
                    let json = serde_json::from_slice(&bytes[of_head..all]).unwrap_or(Value::Null);
                    return Reply { headers, json };
                }
                _ => {}
            }
        }
    }

    /// Waits until requests are answered.
    async fn until_answered(&mut self) {
        let answered = async {
            while self.request("nobody", &[], "{}").await.headers.starts_with("NATS/1.0 503") {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, answered).await.unwrap();
    }
}

impl Reply {
    fn has(&self, name: &str, value: &str) -> bool {
        self.headers.contains(&format!("{name}: {value}\r\n"))
    }
}

/// Starts ingest over a real broker, with its interface for CMSs.
async fn door(config: &Config) -> (NatsServer, Harness, Client, JoinHandle<anyhow::Result<()>>) {
    let (server, _broker, harness, client, serving) = door_over(config).await;
    (server, harness, client, serving)
}

async fn door_over(
    config: &Config,
) -> (NatsServer, Arc<JetStream>, Harness, Client, JoinHandle<anyhow::Result<()>>) {
    let server = NatsServer::start().await;
    let settings = JetStreamSettings { servers: vec![server.url()], ..JetStreamSettings::default() };
    let broker = Arc::new(JetStream::connect(&settings).await.unwrap());
    broker.declare(&gongkai_proto::topology!()).await.unwrap();
    let harness = Harness::over(config, |_| broker.clone()).await;
    let reception = Reception::new(harness.intake.clone(), harness.auth.clone(), harness.dry_run.clone());
    let requests =
        CmsRequests::new(harness.runtime.clone(), reception, harness.auth.clone(), harness.admission.clone());
    let serving = tokio::spawn(requests.serve());
    let mut client = Client::connect(&server).await;
    client.until_answered().await;
    (server, broker, harness, client, serving)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_answered_as_the_hook_answers() {
    let (_server, harness, mut client, serving) = door(&Config::default()).await;
    let event = published("1", "第一版");
    let reply = client.request("example", &[], &event.to_string()).await;
    assert!(reply.has("status", "202") && reply.has("content-type", "application/json"), "{reply:?}");
    assert_eq!(reply.json["state"], "received");
    let hook = harness.call(structured(&event)).await;
    assert_eq!(
        (hook.status, &hook.json["submission_id"]),
        (StatusCode::ACCEPTED, &reply.json["submission_id"])
    );

    let mended = client.request("example", &[], &published("1", "第二版").to_string()).await;
    assert_eq!(mended.json["supersedes"], reply.json["submission_id"]);

    let headers = [
        ("content-type", "text/html"),
        ("ce-specversion", "1.0"),
        ("ce-id", "2"),
        ("ce-source", "https://www.example.gov.cn"),
        ("ce-type", "gongkai.report.published.v1"),
        ("ce-subject", "https://www.example.gov.cn/年报"),
    ];
    let binary = client.request("example", &headers, "<p>第三版</p>").await;
    assert!(binary.has("status", "202"), "{binary:?}");

    let broken = client.request("example", &[("Accept-Language", "en")], "{}").await;
    assert!(
        broken.has("status", "400") && broken.has("content-type", "application/problem+json"),
        "{broken:?}"
    );
    assert_eq!(broken.json["code"], "MISSING_ATTRIBUTE");
    assert!(broken.json["detail"].as_str().unwrap().is_ascii(), "{broken:?}");
    let batch = [("content-type", "application/cloudevents-batch+json")];
    assert_eq!(client.request("example", &batch, "[]").await.json["code"], "UNSUPPORTED_MEDIA_TYPE");

    harness.runtime.shutdown().cancel();
    timeout(PATIENCE, serving).await.unwrap().unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_slot_a_request_is_sent_away_at_once() {
    let (_server, harness, mut client, _serving) =
        door(&Config { max_requests: 1, ..Config::default() }).await;
    let _work = harness.admission.enter().unwrap();
    let reply = client.request("example", &[], &published("1", "年报").to_string()).await;
    assert!(reply.has("status", "503") && reply.has("retry-after", "5"), "{reply:?}");
    assert_eq!(reply.json["code"], "OVERLOADED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_speaks_for_itself_only() {
    let site = |source: &str| Site {
        source: source.into(),
        secrets: vec![Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")],
        ..Site::default()
    };
    let sites = [
        ("example".to_owned(), site("https://www.example.gov.cn")),
        ("other".to_owned(), site("https://other.gov.cn")),
    ];
    let (_server, _harness, mut client, _serving) =
        door(&Config { sites: sites.into(), ..Config::default() }).await;
    let event = published("1", "年报").to_string();
    let code = |reply: Reply| reply.json["code"].clone();
    assert_eq!(code(client.request("other", &[], &event).await), json!("BAD_SIGNATURE"));
    assert_eq!(code(client.request("unknown", &[], &event).await), json!("UNAUTHENTICATED"));
    assert_eq!(client.request("example", &[], &event).await.json["state"], json!("received"));
}

/// The client library closes a connection over such a header. The services do not use that connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_header_that_is_no_text_disturbs_nobody_else() {
    let (_server, broker, _harness, mut client, _serving) = door_over(&Config::default()).await;
    client.send("example", b"ce-subject: caf\xe9\r\n", "{}").await;
    let event = published("1", "年报").to_string();
    let answered = async {
        loop {
            let asked = timeout(Duration::from_secs(1), client.request("example", &[], &event)).await;
            if asked.is_ok_and(|reply| reply.json["state"] == "received") {
                return;
            }
        }
    };
    timeout(PATIENCE, answered).await.unwrap();
    assert_eq!(broker.losses(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_over_its_rate_is_told_when_to_send_again() {
    let site = |events_per_minute: u32| Site {
        source: format!("https://{events_per_minute}.example"),
        events_per_minute: events_per_minute.try_into().ok(),
        ..Site::default()
    };
    let sites = [("slow".to_owned(), site(1)), ("fast".to_owned(), site(9))];
    let config = Config { sites: sites.into(), ..Config::default() };
    let (_server, _harness, mut client, _serving) = door(&config).await;
    let event = |id: &str, source: &str| {
        let mut event = published(id, "年报");
        event["source"] = source.into();
        event["data"] = json!({"content": {"text": "年报"}});
        event.to_string()
    };
    assert!(client.request("slow", &[], &event("1", "https://1.example")).await.has("status", "202"));
    let limited = client.request("slow", &[], &event("2", "https://1.example")).await;
    assert!(limited.has("status", "429") && limited.headers.contains("retry-after: "), "{limited:?}");
    assert_eq!(limited.json["code"], "RATE_LIMITED");
    assert!(client.request("fast", &[], &event("2", "https://9.example")).await.has("status", "202"));
}
