//! Checks `openapi.json` and `asyncapi.json` against the running service: routes, methods, codes, schemas, subjects,
//! headers.

use axum::body::Body;
use gongkai_ingest::{config::Config, error::Code, http::paths, receipt::state_name};
use gongkai_proto::{
    FILE_DESCRIPTOR_SET,
    subjects::{self, Event},
    v1::SubmissionState,
};
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use strum::VariantArray as _;

use crate::harness::{Answer, Harness, post, published, structured, withdrawn};

const SAMPLE: &str = include_str!("../../../../tests/samples/01_word_paste_clean.txt");
const UNKNOWN: &str = "s-00000000000000000000000000000000";

async fn described(harness: &Harness, path: &str) -> Value {
    let answer = harness.call(Request::get(path).body(Body::empty()).unwrap()).await;
    assert_eq!(
        (answer.status, &answer.headers["content-type"]),
        (StatusCode::OK, &"application/json".parse().unwrap())
    );
    answer.json
}

/// Checks an answer against the description of its call and status.
fn check(api: &Value, path: &str, method: &str, answer: &Answer) {
    let status = answer.status.as_str();
    let mut response = &api["paths"][path][method]["responses"][status];
    if response["$ref"].is_string() {
        response = &api["components"]["responses"]["Problem"];
    }
    let content_type = answer.headers["content-type"].to_str().unwrap();
    let schema = &response["content"][content_type]["schema"];
    assert!(!schema.is_null(), "{method} {path} {status} {content_type} is not described");
    let mut whole = schema.clone();
    whole["components"] = api["components"].clone();
    let validator = jsonschema::draft202012::new(&whole).unwrap();
    let wrong: Vec<String> = validator
        .iter_errors(&answer.json)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(wrong.is_empty(), "{method} {path} {status}: {wrong:#?}\n{:#}", answer.json);
}

#[tokio::test]
async fn every_route_and_method_is_described() {
    let harness = Harness::new(&Config::default()).await;
    let api = described(&harness, "/v1/openapi.json").await;
    let mut told: Vec<&String> = api["paths"].as_object().unwrap().keys().collect();
    let mut served: Vec<&str> = paths().into_iter().map(|(path, _)| path).collect();
    told.sort();
    served.sort_unstable();
    assert_eq!(told, served);
    for path in served {
        let url = path.replace("{id}", UNKNOWN).replace("{name}", "oa").replace("{token}", "x");
        let request = Request::builder().method(Method::OPTIONS).uri(&url).body(Body::empty()).unwrap();
        let answer = harness.call(request).await;
        let allowed = answer.headers["allow"].to_str().unwrap().to_ascii_lowercase();
        let taken: Vec<&str> =
            allowed.split(',').filter(|method| !["head", "options"].contains(method)).collect();
        let told: Vec<&String> = api["paths"][path].as_object().unwrap().keys().collect();
        assert_eq!(told, taken, "{path}");
    }
}

#[tokio::test]
async fn every_code_and_state_is_described() {
    let harness = Harness::new(&Config::default()).await;
    let api = described(&harness, "/v1/openapi.json").await;
    let told = |schema: &str| api["components"]["schemas"][schema]["enum"].clone();
    let codes: Vec<&str> = Code::VARIANTS.iter().map(|code| code.as_str()).collect();
    assert_eq!(told("Code"), json!(codes));
    let states = (1..).map_while(|n| SubmissionState::try_from(n).ok());
    assert_eq!(told("State"), json!(states.map(state_name).collect::<Vec<_>>()));
    let paths = api["paths"].as_object().unwrap();
    let told: Vec<&String> = paths
        .values()
        .flat_map(|path| path.as_object().unwrap().values())
        .flat_map(|call| call["responses"].as_object().unwrap().keys())
        .collect();
    for code in Code::VARIANTS {
        let status = code.status().as_u16().to_string();
        assert!(told.contains(&&status), "{code:?} answers {status}, which no call is described with");
    }
}

#[tokio::test]
async fn every_answer_is_of_its_schema() {
    let adapter = json!({"site": "oa", "token_header": "x-token", "tokens": ["a-token-of-the-oa"],
        "fields": {"text": "/text"}});
    let config = json!({"sites": {"oa": {"source": "https://oa.example"}}, "adapters": {"oa": adapter}});
    let harness = Harness::new(&serde_json::from_value(config).unwrap()).await;
    let adapted = |token: &str, body: &'static str| {
        let request = Request::post("/v1/adapters/oa").header("x-token", token);
        request.body(Body::from(body)).unwrap()
    };
    let api = described(&harness, "/v1/openapi.json").await;
    let batch = |events: Value| {
        Request::post("/v1/events")
            .header("content-type", "application/cloudevents-batch+json")
            .body(Body::from(events.to_string()))
            .unwrap()
    };
    let mut foreign = published("9", "x");
    foreign["type"] = "cn.gov.cms.viewed".into();
    let mut draft = published("8", SAMPLE);
    draft["type"] = "gongkai.report.draft.v1".into();
    draft["data"] = json!({"content": {"text": SAMPLE, "filename": "a.txt"}});
    let attached = {
        let mut event = published("7", "附件");
        event["data"]["attachments"] = json!([{"name": "a.txt", "base64": "eA=="}]);
        event
    };
    let calls = [
        ("/v1/events", 202, structured(&published("1", "年报"))),
        ("/v1/events", 202, structured(&published("1", "另一稿"))),
        ("/v1/events", 202, structured(&withdrawn("2"))),
        ("/v1/events", 202, structured(&attached)),
        ("/v1/events", 202, batch(json!([published("3", "第三稿"), foreign, draft]))),
        ("/v1/events", 200, structured(&draft)),
        ("/v1/events", 200, batch(json!([draft]))),
        ("/v1/events", 400, batch(json!([{}, published("4", "x")]))),
        ("/v1/events", 422, structured(&foreign)),
        ("/v1/reports", 202, post("/v1/reports?year=2023", "年报")),
        ("/v1/reports", 202, post("/v1/reports?year=2023", "年报")),
        ("/v1/reports", 400, post("/v1/reports?year=x", "年报")),
        ("/v1/reports", 422, post("/v1/reports", "")),
        ("/v1/check", 200, post("/v1/check?filename=a.txt", SAMPLE)),
        ("/v1/check", 200, post("/v1/check", "<p>部门预算</p>")),
        ("/v1/check", 400, post("/v1/check?x=1", "x")),
        ("/v1/adapters/{name}", 202, adapted("a-token-of-the-oa", r#"{"text": "年报"}"#)),
        ("/v1/adapters/{name}", 400, adapted("a-token-of-the-oa", "{}")),
        ("/v1/adapters/{name}", 401, adapted("another-token", "{}")),
        ("/v1/adapters/{name}", 404, post("/v1/adapters/none", "x")),
    ];
    for (path, status, request) in calls {
        let answer = harness.call(request).await;
        assert_eq!(answer.status.as_u16(), status, "{path}: {answer:?}");
        check(&api, path, "post", &answer);
        if answer.json["submission_id"].is_string() {
            let receipt = harness.get(answer.text("submission_id")).await;
            check(&api, "/v1/submissions/{id}", "get", &receipt);
        }
    }
    check(&api, "/v1/submissions/{id}", "get", &harness.get(UNKNOWN).await);
}

#[tokio::test]
async fn every_subject_and_header_is_described() {
    let harness = Harness::new(&Config::default()).await;
    let api = described(&harness, "/v1/asyncapi.json").await;
    let channels = api["channels"].as_object().unwrap();
    let told: Vec<&str> = channels.values().filter_map(|channel| channel["address"].as_str()).collect();
    let mut subjects: Vec<String> =
        Event::ALL.iter().map(|event| format!("{}.{{region}}", event.prefix())).collect();
    subjects.push(format!("{}.{{region}}", subjects::BACKFILL_PREFIX));
    subjects.push(format!("{}.{{service}}", subjects::DEAD_PREFIX));
    subjects.push(format!("{}.{{site}}", subjects::CMS_PREFIX));
    for subject in &subjects {
        assert!(told.contains(&subject.as_str()), "{subject} is not in api/asyncapi.json");
    }
    for subject in told {
        assert!(subjects.iter().any(|known| known == subject), "{subject} is none of ours");
    }
    let services = &api["channels"]["dead"]["parameters"]["service"]["enum"];
    assert_eq!(*services, json!(subjects::SERVICES));
    for event in Event::ALL {
        let messages = api["components"]["messages"].as_object().unwrap();
        let message = messages.values().find(|message| message["name"] == event.ce_type());
        let message = message.unwrap_or_else(|| panic!("{} is not in api/asyncapi.json", event.ce_type()));
        let name = message["payload"]["schema"].as_str().unwrap().strip_prefix("gongkai.v1.").unwrap();
        let is_defined = FILE_DESCRIPTOR_SET.windows(name.len()).any(|window| window == name.as_bytes());
        assert!(is_defined, "{name} is no message of proto");
    }
    harness.event(&published("1", "年报")).await;
    let known = &api["components"]["schemas"]["EventHeaders"];
    let sent = harness.memory.messages("gongkai.v1.report.received.*").remove(0);
    for (name, _) in sent.headers.sorted() {
        assert!(known["properties"][name].is_object(), "header {name} is not in api/asyncapi.json");
    }
    for name in known["required"].as_array().unwrap() {
        assert!(sent.headers.contains(name.as_str().unwrap()), "header {name} is not sent");
    }
}

#[tokio::test]
async fn the_page_asks_no_other_host() {
    let harness = Harness::new(&Config::default()).await;
    let request = Request::get("/v1/docs").body(Body::empty()).unwrap();
    let response = tower::ServiceExt::oneshot(harness.router.clone(), request).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
    assert!(response.headers()["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
    let page = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    let page = String::from_utf8(page.to_vec()).unwrap();
    assert!(!page.contains("://") && page.contains("openapi.json") && page.contains("asyncapi.json"));
}
