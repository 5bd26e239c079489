//! A server that judges requests to robots by the public documents of the three platforms: path, signature, size, rate
//! and the form of the message. Refusals have status 200 and a code, as theirs.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Query, State},
    http::Uri,
    routing::post,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use gongkai_worker::Clock;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

pub(super) const SECRET: &str = "SEC0123456789abcdef0123456789abcdef";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Wecom,
    Dingtalk,
    Feishu,
}

/// A server for one robot.
#[derive(Clone)]
pub(super) struct RobotServer {
    kind: Kind,
    clock: Clock,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    /// When requests came in, also those refused for their rate.
    arrivals: Vec<OffsetDateTime>,
    taken: Vec<Value>,
    refused: Vec<Value>,
    uris: Vec<String>,
}

impl RobotServer {
    /// Starts a server that goes by `clock`. Returns it and the URL of its robot.
    pub(super) async fn start(kind: Kind, clock: Clock) -> (Self, String) {
        let this = Self { kind, clock, seen: Arc::default() };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let path = match kind {
            Kind::Wecom => "/cgi-bin/webhook/send?key=693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa",
            Kind::Dingtalk => "/robot/send?access_token=566cc69da782ec",
            Kind::Feishu => "/open-apis/bot/v2/hook/xxxx-xxxx",
        };
        let route = path.split('?').next().unwrap();
        let router = Router::new().route(route, post(take)).with_state(this.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (this, format!("http://{at}{path}"))
    }

    pub(super) fn taken(&self) -> Vec<Value> {
        self.seen.lock().unwrap().taken.clone()
    }

    pub(super) fn refused(&self) -> Vec<Value> {
        self.seen.lock().unwrap().refused.clone()
    }

    pub(super) fn uris(&self) -> Vec<String> {
        self.seen.lock().unwrap().uris.clone()
    }

    fn is_too_fast(&self, now: OffsetDateTime) -> bool {
        let seen = self.seen.lock().unwrap();
        let since = |span: Duration| seen.arrivals.iter().filter(|at| **at > now - span).count();
        match self.kind {
            Kind::Wecom | Kind::Dingtalk => since(Duration::MINUTE) >= 20,
            Kind::Feishu => since(Duration::MINUTE) >= 100 || since(Duration::SECOND) >= 5,
        }
    }

    /// Returns the code and text of the answer.
    fn judge(&self, query: &HashMap<String, String>, body: &Bytes) -> (i64, String) {
        let now = self.clock.now();
        let Ok(json) = serde_json::from_slice::<Value>(body) else { return (9499, "Bad Request".into()) };
        let verdict = match self.kind {
            Kind::Wecom => wecom(query, &json),
            Kind::Dingtalk => dingtalk(query, &json, body, now),
            Kind::Feishu => feishu(&json, body, now),
        };
        if let Err((code, text)) = verdict {
            return (code, text.to_owned());
        }
        let is_too_fast = self.is_too_fast(now);
        self.seen.lock().unwrap().arrivals.push(now);
        match self.kind {
            _ if !is_too_fast => (0, "ok".into()),
            Kind::Wecom => (45009, "api freq out of limit".into()),
            Kind::Dingtalk => (130_101, "send too fast, exceed 20 times per minute".into()),
            Kind::Feishu => (11232, "frequency limited psm[lark.oapi.app_platform_runtime]".into()),
        }
    }
}

async fn take(
    State(this): State<RobotServer>,
    uri: Uri,
    Query(query): Query<HashMap<String, String>>,
    body: Bytes,
) -> Json<Value> {
    let (code, text) = this.judge(&query, &body);
    let mut seen = this.seen.lock().unwrap();
    seen.uris.push(uri.to_string());
    let json = serde_json::from_slice(&body).unwrap_or_default();
    if code == 0 {
        seen.taken.push(json);
    } else {
        seen.refused.push(json);
    }
    Json(match this.kind {
        Kind::Wecom | Kind::Dingtalk => json!({ "errcode": code, "errmsg": text }),
        Kind::Feishu if code == 0 => {
            json!({ "StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success" })
        }
        Kind::Feishu => json!({ "code": code, "msg": text, "data": {} }),
    })
}

type Verdict = Result<(), (i64, &'static str)>;

fn check(holds: bool, code: i64, text: &'static str) -> Verdict {
    if holds { Ok(()) } else { Err((code, text)) }
}

fn wecom(query: &HashMap<String, String>, json: &Value) -> Verdict {
    check(query.len() == 1 && query.contains_key("key"), 93000, "invalid webhook url")?;
    check(json["msgtype"] == "markdown", 40008, "invalid message type")?;
    let content = json["markdown"]["content"].as_str().unwrap_or_default();
    check(!content.is_empty(), 44004, "content size out of limit")?;
    check(content.len() <= 4096, 40058, "markdown.content exceed max length 4096")
}

fn dingtalk(query: &HashMap<String, String>, json: &Value, body: &Bytes, now: OffsetDateTime) -> Verdict {
    let field = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    check(query.len() == 3 && !field("access_token").is_empty(), 300_001, "token is not exist")?;
    let millis: i128 = field("timestamp").parse().unwrap_or_default();
    let age = now.unix_timestamp_nanos() / 1_000_000 - millis;
    check(age.abs() <= 3_600_000, 310_000, "invalid timestamp")?;
    let mac = hmac_sha256::HMAC::mac(format!("{millis}\n{SECRET}"), SECRET);
    check(field("sign") == BASE64_STANDARD.encode(mac), 310_000, "sign not match")?;
    check(body.len() <= 20_000, 460_101, "message too long, exceed 20000 bytes")?;
    let markdown = &json["markdown"];
    let is_whole = json["msgtype"] == "markdown" && markdown["title"].is_string();
    check(is_whole && markdown["text"].is_string(), 40035, "missing parameter")
}

fn feishu(json: &Value, body: &Bytes, now: OffsetDateTime) -> Verdict {
    let failed = "sign match fail or timestamp is not within one hour from current time";
    let timestamp = json["timestamp"].as_str().unwrap_or_default();
    let seconds: i64 = timestamp.parse().unwrap_or_default();
    check((now.unix_timestamp() - seconds).abs() <= 3600, 19021, failed)?;
    let mac = hmac_sha256::HMAC::mac("", format!("{timestamp}\n{SECRET}"));
    check(json["sign"] == BASE64_STANDARD.encode(mac), 19021, failed)?;
    check(body.len() <= 20 * 1024, 9499, "Bad Request")?;
    let card = &json["card"];
    let is_card = json["msg_type"] == "interactive" && card["header"]["title"]["tag"] == "plain_text";
    check(is_card && card["elements"].is_array(), 9499, "Bad Request")
}
