//! The adapters of `deploy/adapters`: two made-up dialects, their proofs, and the answers of their shapes.

use std::path::{Path, PathBuf};

use axum::body::Body;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{Request, StatusCode};
use serde_json::{Value, json};
use sm3::Sm3;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use gongkai_ingest::{adapters, config::Config};
use gongkai_proto::v1::{DocumentKind, DocumentReceived};
use gongkai_worker::Secret;

use crate::harness::{Answer, Harness, structured};

const TOKEN: &str = "a-token-of-yunshu";
const KEY: &str = "a-key-of-jiaohuan";

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/adapters").join(name)
}

fn body(name: &str) -> String {
    std::fs::read_to_string(sample(name)).unwrap()
}

/// The configuration of a dialect, with secrets in place of their files.
fn config(dialect: &str) -> Config {
    let file = sample(&format!("{dialect}.toml"));
    let config = gongkai_worker::Config::load(Some(&file), &["ingest"]).unwrap();
    let mut config: Config = config.section("ingest").unwrap();
    config.validate().unwrap();
    adapters::validate(&config).unwrap();
    let adapter = config.adapters.get_mut(dialect).unwrap();
    if !std::mem::take(&mut adapter.token_files).is_empty() {
        adapter.tokens = vec![Secret::new(TOKEN)];
    }
    if !std::mem::take(&mut adapter.secret_files).is_empty() {
        adapter.secrets = vec![Secret::new(KEY)];
    }
    config
}

async fn yunshu(harness: &Harness, token: &str, body: &str) -> Answer {
    let request = Request::post("/v1/adapters/yunshu")
        .header("content-type", "application/json")
        .header("x-yunshu-token", token)
        .body(Body::from(body.to_owned()));
    harness.call(request.unwrap()).await
}

fn sum(bytes: &[u8]) -> String {
    let mut mac = Hmac::<Sm3>::new_from_slice(KEY.as_bytes()).unwrap();
    mac.update(bytes);
    BASE64_STANDARD.encode(mac.finalize().into_bytes())
}

/// Sends a body with the HMAC of another. Returns the status and the text of the answer.
async fn jiaohuan(harness: &Harness, signed: &[u8], body: &[u8]) -> (u16, String) {
    let request = Request::post("/v1/adapters/jiaohuan")
        .header("content-type", "application/xml")
        .header("x-exchange-sign", format!("SM3 {}", sum(signed)))
        .body(Body::from(body.to_vec()));
    let response = tower::ServiceExt::oneshot(harness.router.clone(), request.unwrap()).await.unwrap();
    let status = response.status().as_u16();
    assert_eq!(response.headers()["content-type"], "application/xml");
    let text = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, String::from_utf8(text.to_vec()).unwrap())
}

fn agency(event: &DocumentReceived) -> (String, String) {
    let agency = event.agency.clone().unwrap();
    (agency.code, agency.name)
}

/// Asks for a receipt with a header. Returns the status.
async fn asked(harness: &Harness, receipt: &str, (name, value): (&str, &str)) -> StatusCode {
    let request = Request::get(format!("/v1/submissions/{receipt}")).header(name, value);
    harness.call(request.body(Body::empty()).unwrap()).await.status
}

#[tokio::test]
async fn the_sender_of_an_adapter_may_ask_for_its_receipt() {
    let mut config = config("yunshu");
    let exchange = self::config("jiaohuan");
    config.adapters.extend(exchange.adapters);
    config.sites.extend(exchange.sites);
    config.tokens = vec![Secret::new("a-token-of-the-operator")];
    let harness = Harness::new(&config).await;
    let answer = yunshu(&harness, TOKEN, &body("yunshu.json")).await;
    let receipt = answer.json["data"]["receipt"].as_str().unwrap();
    let status = async |name: &str, value: &str| asked(&harness, receipt, (name, value)).await;
    assert_eq!(status("x-yunshu-token", TOKEN).await, StatusCode::OK);
    assert_eq!(status("x-exchange-sign", &format!("SM3 {}", sum(b""))).await, StatusCode::OK);
    assert_eq!(status("authorization", "Bearer a-token-of-the-operator").await, StatusCode::OK);
    for (name, value) in [
        ("x-yunshu-token", "another-token-of-length"),
        ("x-exchange-sign", &format!("SM3 {}", sum(receipt.as_bytes()))),
        ("x-other", TOKEN),
        ("authorization", "Bearer another-token-of-length"),
    ] {
        assert_eq!(status(name, value).await, StatusCode::UNAUTHORIZED, "{name}");
    }
}

#[tokio::test]
async fn a_dialect_in_json_is_accepted_as_any_event() {
    let harness = Harness::new(&config("yunshu")).await;
    let body = body("yunshu.json");
    let answer = yunshu(&harness, TOKEN, &body).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let receipt = answer.json["data"]["receipt"].as_str().unwrap().to_owned();
    assert_eq!((&answer.json["code"], &answer.json["msg"]), (&json!(0), &json!("已接收")));
    // The same again is the same submission; other content supersedes it.
    assert_eq!(yunshu(&harness, TOKEN, &body).await.json["data"]["receipt"], receipt.as_str());
    let mended =
        body.replace("PUBLISH", "MODIFY").replace("总体情况", "总的情况").replace("284720000", "284780000");
    let answer = yunshu(&harness, TOKEN, &mended).await;
    let events = harness.received();
    assert_eq!((events.len(), events[1].supersedes.as_str()), (2, receipt.as_str()), "{answer:?}");
    // A replay of the first body changes nothing, because it has a time.
    assert_eq!(yunshu(&harness, TOKEN, &body).await.json["data"]["receipt"], receipt.as_str());
    assert_eq!(harness.received().len(), 2);
    let event = &events[0];
    assert_eq!(agency(event), ("11360999MB1234567X".to_owned(), "云溪县自然资源局".to_owned()));
    assert_eq!((event.year, event.url.as_str()), (2023, "https://www.yunxi.example/zwgk/nb/90731.html"));
    assert_eq!(
        (event.event_source.as_str(), event.event_id.as_str()),
        ("https://www.yunxi.example/cms", "90731")
    );
    assert_eq!(event.event_time.unwrap().seconds, 1_705_284_720);
    assert_eq!(event.published_at.unwrap().seconds, 1_705_284_600);
    assert_eq!(event.content.as_ref().unwrap().media_type, "text/html");
    assert_eq!(event.attachments[0].filename, "附表.csv");
    let site = event.site.clone().unwrap();
    assert_eq!((site.code.as_str(), site.column.as_str()), ("3609990001", "政府信息公开年报"));
    assert_eq!(event.sender.as_ref().unwrap().site, "yunxi");
    assert_eq!(events[1].kind(), DocumentKind::Updated);
    let answer = yunshu(&harness, TOKEN, &mended.replace("MODIFY", "REVOKE")).await;
    assert_eq!((answer.status, &answer.json["code"]), (StatusCode::OK, &json!(0)), "{answer:?}");
    assert_eq!(harness.memory.messages("gongkai.v1.report.withdrawn.*").len(), 1);
}

#[tokio::test]
async fn a_dialect_in_xml_is_accepted_in_any_charset() {
    let harness = Harness::new(&config("jiaohuan")).await;
    let utf8 = body("jiaohuan.xml");
    let (status, answer) = jiaohuan(&harness, utf8.as_bytes(), utf8.as_bytes()).await;
    assert_eq!(status, 202, "{answer}");
    assert!(answer.starts_with("<reply><result>0</result><serial>s-"), "{answer}");
    let event = harness.received().remove(0);
    assert_eq!(event.kind(), DocumentKind::Updated);
    assert_eq!(agency(&event), ("11361000MB7654321X".to_owned(), "石桥县教育局".to_owned()));
    assert_eq!((event.event_id.as_str(), event.year), ("SQ-1024", 2023));
    assert_eq!(event.url, "https://www.shiqiao.example/art/1024.html?a=1&b=2");
    assert_eq!((event.attachments[0].filename.as_str(), event.attachments[0].size_bytes), ("附表.csv", 4));
    // In GB18030, by the declaration or by the config, it is the same submission.
    for text in
        [utf8.replace("UTF-8", "GB18030"), utf8.replace("<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "")]
    {
        let (bytes, ..) = encoding_rs::GB18030.encode(&text);
        assert_eq!(jiaohuan(&harness, &bytes, &bytes).await, (202, answer.clone()));
    }
}

#[tokio::test]
async fn a_caller_without_proof_is_refused_in_the_shape_of_the_dialect() {
    let harness = Harness::new(&config("yunshu")).await;
    let good = body("yunshu.json");
    for (token, body, code, place) in [
        ("another-token-of-length", good.clone(), "UNAUTHENTICATED", "x-yunshu-token"),
        (TOKEN, "{".to_owned(), "MALFORMED_JSON", ""),
        (TOKEN, "[".repeat(100_000), "MALFORMED_JSON", ""),
        (
            TOKEN,
            good.replacen("\"action\"", "\"action\": \"REVOKE\", \"action\"", 1),
            "MALFORMED_JSON",
            "action",
        ),
        (TOKEN, good.replace("90731,", "null,"), "MISSING_ATTRIBUTE", "/payload/article/docId"),
        (TOKEN, good.replace("90731,", "[90731],"), "INVALID_FIELD", "/payload/article/docId"),
        (TOKEN, good.replace("90731,", "90731.5,"), "INVALID_FIELD", "/payload/article/docId"),
        (TOKEN, good.replace("PUBLISH", "BURN"), "INVALID_FIELD", "/action"),
        (TOKEN, good.replace("\"2023\"", "\"二〇二三\""), "INVALID_FIELD", "/payload/reportYear"),
        (TOKEN, good.replace("1705284720000", "\"noon\""), "INVALID_FIELD", "/sendTime"),
        (TOKEN, good.replace("MSwyCg==", "*"), "BAD_BASE64", "/payload/files/0/data"),
        (TOKEN, format!("[{}0]", "0,".repeat(200_000)), "TOO_LARGE", ""),
    ] {
        let answer = yunshu(&harness, token, &body).await;
        assert_eq!((answer.status, &answer.json["code"]), (StatusCode::OK, &json!(1)), "{code}");
        let said = answer.text("msg");
        assert!(said.starts_with(&format!("{code}：")) && said.contains(place), "{answer:?}");
    }
    let unknown = Request::post("/v1/adapters/none").body(Body::from("x")).unwrap();
    assert_eq!(harness.call(unknown).await.text("code"), "NOT_FOUND");
    assert!(harness.memory.messages(">").is_empty());
}

#[tokio::test]
async fn hostile_xml_and_wrong_signatures_are_refused() {
    let harness = Harness::new(&config("jiaohuan")).await;
    let good = body("jiaohuan.xml");
    let with_type = |text: &str| good.replace("<x:exchange", &format!("{text}<x:exchange"));
    let laughs = with_type("<!DOCTYPE a [<!ENTITY l 'ha'><!ENTITY m '&l;&l;&l;'>]>")
        .replace("石桥县教育局</", "&m;</");
    let file = with_type("<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>");
    let deep = format!("{}{}", "<exchange>".repeat(100_000), "</exchange>".repeat(100_000));
    let stale = good.replace("18:11:30", "18:00:00");
    for (body, status, code) in [
        (laughs.as_str(), 400, "MALFORMED_BODY"),
        (&file, 400, "MALFORMED_BODY"),
        (&deep, 400, "MALFORMED_BODY"),
        (&good.replace("UTF-8", "klingon"), 400, "INVALID_FIELD"),
        (&good.replace("UTF-8", "Shift-GBK"), 400, "INVALID_FIELD"),
        ("<x:exchange/>", 400, "MISSING_ATTRIBUTE"),
        ("", 400, "MALFORMED_BODY"),
        (&good.replace("<![CDATA[", "").replace("]]>", ""), 400, "INVALID_FIELD"),
        (&good.replace("<x:year>", "<x:year>2022</x:year><x:year>"), 400, "INVALID_FIELD"),
        (&stale, 401, "STALE_SIGNATURE"),
        (&good.replace("<x:sendTime>2024-01-15 18:11:30</x:sendTime>", ""), 400, "MISSING_ATTRIBUTE"),
    ] {
        let (answered, text) = jiaohuan(&harness, body.as_bytes(), body.as_bytes()).await;
        assert_eq!(answered, status, "{text}");
        assert!(text.contains(&format!("<result>9</result><reason>{code}</reason>")), "{text}");
        assert!(text.contains("<again>false</again>"), "{text}");
    }
    // The HMAC of another body, and of the same with a changed byte.
    for signed in ["another body", &good.replace("SQ-1024", "SQ-1025"), ""] {
        let (status, text) = jiaohuan(&harness, signed.as_bytes(), good.as_bytes()).await;
        assert!(status == 401 && text.contains("BAD_SIGNATURE"), "{text}");
    }
    assert!(harness.memory.messages(">").is_empty());
}

#[tokio::test]
async fn an_adapter_acts_for_its_site_only() {
    let mut config = config("yunshu");
    let site = config.sites.get_mut("yunxi").unwrap();
    site.url_prefixes = Some(vec!["https://www.yunxi.example/zwgk/".to_owned()]);
    site.events_per_minute = 3.try_into().ok();
    let harness = Harness::new(&config).await;
    let good = body("yunshu.json");
    let elsewhere = good.replace("www.yunxi.example", "www.b.example");
    assert!(yunshu(&harness, TOKEN, &elsewhere).await.text("msg").starts_with("NOT_YOURS"));
    assert_eq!(yunshu(&harness, TOKEN, &good).await.json["code"], 0);
    // The adapter is the credential of the site. No other caller may claim the site, or change its reports.
    let of = |source: &str| {
        json!({"specversion": "1.0", "id": "x", "source": source, "type": "gongkai.report.withdrawn.v1",
            "data": {"url": "https://www.yunxi.example/zwgk/nb/90731.html"}})
    };
    let named = harness.call(structured(&of("https://www.yunxi.example/cms"))).await;
    assert_eq!((named.status.as_u16(), named.text("code")), (401, "UNAUTHENTICATED"));
    let unnamed = harness.call(structured(&of("https://no.example"))).await;
    assert_eq!((unnamed.status.as_u16(), unnamed.text("code")), (403, "NOT_YOURS"));
    // The rate of the site holds here too. The status tells the CMS to call again.
    assert_eq!(yunshu(&harness, TOKEN, &good).await.status, StatusCode::OK);
    let limited = yunshu(&harness, TOKEN, &good).await;
    assert_eq!((limited.status.as_u16(), &limited.json["code"]), (429, &json!(1)));
    assert!(limited.headers.contains_key("retry-after"));
}

/// An adapter of a form whose sender proves itself by its address.
fn form(addresses: &[&str]) -> Config {
    let settings = json!({"site": "a", "body": "form", "charset": "gbk", "allowed_addresses": addresses,
        "fields": {"id": "id", "title": "标题", "url": "url", "text": "正文", "attachments": "file", "attachment_base64": ""}});
    let site = json!({"source": "https://www.a.example"});
    let config: Config =
        serde_json::from_value(json!({"sites": {"a": site}, "adapters": {"old": settings}})).unwrap();
    adapters::validate(&config).unwrap();
    config
}

#[tokio::test]
async fn a_form_in_an_old_charset_comes_from_an_allowed_address() {
    const BODY: &str = "id=7&%B1%EA%CC%E2=%C4%EA%B1%A8&url=https://www.a.example/7&%D5%FD%CE%C4=%C4%EA%B1%A8+1&file=MQ&file=Mg";
    let post = async |config: Config, headers: &str, body: &str| {
        let served = crate::idle::served(config).await;
        let length = body.len();
        let request = format!(
            "POST /v1/adapters/old HTTP/1.1\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        );
        let mut stream = TcpStream::connect(served.http).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        (answer, served.harness.received())
    };
    let direct = "host: localhost\r\ncontent-type: application/x-www-form-urlencoded\r\n";
    let (answer, events) = post(form(&["127.0.0.0/8"]), direct, BODY).await;
    assert!(answer.starts_with("HTTP/1.1 202 "), "{answer}");
    assert_eq!((events[0].title.as_str(), events[0].attachments.len()), ("年报", 2));
    for (config, headers, body, status, code) in [
        (form(&["10.0.0.0/8", "::1"]), direct, BODY, "401", "UNAUTHENTICATED"),
        (
            form(&["127.0.0.1"]),
            "host: localhost\r\nx-forwarded-for: 127.0.0.1\r\n",
            BODY,
            "401",
            "UNAUTHENTICATED",
        ),
        (form(&["127.0.0.1"]), "host: ingest.example\r\n", BODY, "401", "UNAUTHENTICATED"),
        (form(&["127.0.0.1"]), direct, "id=7&%D5%FD%CE%C4=%FF%FF", "400", "MALFORMED_BODY"),
        (form(&["127.0.0.1"]), direct, "id=7&id=8&%D5%FD%CE%C4=x", "400", "INVALID_FIELD"),
        (
            form(&["127.0.0.1"]),
            "host: localhost\r\ncontent-type: x/y; charset=utf-7\r\n",
            BODY,
            "400",
            "INVALID_FIELD",
        ),
        (
            form(&["127.0.0.1"]),
            "host: localhost\r\ncontent-type: x/y; charset=utf-8\r\n",
            BODY,
            "400",
            "MALFORMED_BODY",
        ),
        (
            form(&["127.0.0.1"]),
            "host: localhost\r\ncontent-type: multipart/form-data; boundary=b\r\n",
            "--b--",
            "415",
            "UNSUPPORTED_MEDIA_TYPE",
        ),
    ] {
        let (answer, events) = post(config, headers, body).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")) && answer.contains(code),
            "{code}: {answer}"
        );
        assert!(events.is_empty());
    }
}

#[test]
fn a_wrong_setting_is_refused_with_its_key() {
    let refused = |change: fn(&mut Value)| {
        let mut config = serde_json::to_value(form(&["127.0.0.1"])).unwrap();
        change(&mut config["adapters"]["old"]);
        match serde_json::from_value::<Config>(config) {
            Ok(config) => format!("{:#}", adapters::validate(&config).unwrap_err()),
            Err(error) => error.to_string(),
        }
    };
    for (key, said) in [
        ("adapters.old.site", refused(|old| old["site"] = "none".into())),
        ("bodyy", refused(|old| old["bodyy"] = "xml".into())),
        ("agencyname", refused(|old| old["fields"]["agencyname"] = "x".into())),
        ("gone", refused(|old| old["kinds"] = json!({"1": "gone"}))),
        ("adapters.old.fields.url", refused(|old| old["fields"]["url"] = "".into())),
        ("adapters.old.allowed_addresses", refused(|old| old["allowed_addresses"] = json!(["10.1"]))),
        ("adapters.old needs", refused(|old| old["allowed_addresses"] = json!([]))),
        ("adapters.old: token_header", refused(|old| old["token_header"] = "x-token".into())),
        ("adapters.old.accepted", refused(|old| old["accepted"] = "{detail}".into())),
    ] {
        assert!(said.contains(key), "{key}: {said}");
    }
}
