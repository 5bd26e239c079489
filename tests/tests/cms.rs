//! The examples for CMSs in `deploy/cms`, against real programs: the hooks in four languages, and the script of an
//! editor's page in a real browser. Parts for which the machine has no interpreter or browser are reported and
//! skipped.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what is missing fails the test")]

use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    Router,
    http::{HeaderMap, StatusCode, header},
    response::{Html, IntoResponse as _},
    routing::{get, post},
};
use gongkai_tests::deployment::{Deployment, Plan};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::spawn_blocking};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const SOURCE: &str = "https://www.yunxi.example";
const ARTICLE: &str = "https://www.yunxi.example/art/1558865.html";
const SAMPLE: &str = "07_html_dispute_total_and_period.html";
/// Interpreters and their hooks.
const HOOKS: [(&str, &str); 4] =
    [("java", "Hook.java"), ("python3", "hook.py"), ("php", "hook.php"), ("sh", "hook.sh")];
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/cms")
}

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(SAMPLE)
}

/// Returns true if the machine has a program, and otherwise reports what is skipped, as `tests/scripts/test.sh` does.
#[expect(clippy::print_stderr, reason = "what is left out is said aloud")]
fn has(program: &str, what: &str) -> bool {
    let is_there = Command::new(program)
        .arg(if program == "sh" { "-c" } else { "-version" })
        .arg("exit 0")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok();
    if !is_there {
        eprintln!("SKIPPED: {what}, as this machine has no {program}");
    }
    is_there
}

/// Sends the sample through a hook, with an id of its own for each language.
async fn run(hook: (&'static str, &'static str), server: String, secret: &'static str) -> Output {
    let (interpreter, file) = hook;
    let run = move || {
        Command::new(interpreter)
            .arg(folder().join(file))
            .arg(sample())
            .arg(format!("{ARTICLE}?{interpreter}"))
            .env("GONGKAI_URL", server)
            .env("GONGKAI_SECRET", secret)
            .env("GONGKAI_AGENCY", "云溪县教育体育局")
            .env("GONGKAI_YEAR", "2023")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    };
    spawn_blocking(run).await.unwrap()
}

fn receipt(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_hook_sends_a_signed_event_and_prints_the_receipt() {
    let site = format!("[ingest.sites.yunxi]\nsource = \"{SOURCE}\"\nsecrets = [\"{SECRET}\"]\n");
    let deployment = Deployment::start(&Plan { config: site, ..Plan::default() }).await;
    for hook in HOOKS {
        if !has(hook.0, hook.1) {
            continue;
        }
        let first = run(hook, deployment.ingest(), SECRET).await;
        assert!(first.status.success(), "{hook:?}: {first:?}");
        let state = receipt(&first)["state"].clone();
        assert!(["received", "unchanged"].iter().any(|expected| state == *expected), "{hook:?}: {state}");
        // The same content again is the same submission.
        let again = run(hook, deployment.ingest(), SECRET).await;
        assert_eq!(receipt(&again)["submission_id"], receipt(&first)["submission_id"], "{hook:?}");
        // A final refusal is not repeated.
        let started = Instant::now();
        let forged = run(hook, deployment.ingest(), "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD").await;
        let said = String::from_utf8_lossy(&forged.stderr).into_owned();
        assert_eq!(forged.status.code(), Some(1), "{hook:?}: {said}");
        assert!(said.contains("BAD_SIGNATURE") && said.contains("attempt 1: 401"), "{hook:?}: {said}");
        assert!(
            !said.contains("attempt 2") && started.elapsed() < Duration::from_secs(20),
            "{hook:?}: {said}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_hook_waits_as_long_as_it_is_told_and_signs_anew() {
    let hooks = HOOKS.into_iter().filter(|hook| has(hook.0, hook.1));
    let trying = hooks.map(|hook| async move {
        let (server, calls) = busy_server().await;
        let output = run(hook, server, SECRET).await;
        assert!(output.status.success(), "{hook:?}: {output:?}");
        assert_eq!(receipt(&output)["state"], "received", "{hook:?}");
        let calls = calls.lock().unwrap().clone();
        assert_eq!(calls.len(), 3, "{hook:?}");
        assert!(calls[1].at - calls[0].at >= Duration::from_secs(2), "{hook:?} does not obey Retry-After");
        assert_eq!(calls[0].id, calls[2].id, "{hook:?}");
        assert_ne!(calls[0].signature, calls[2].signature, "{hook:?}: the time is signed");
    });
    futures::future::join_all(trying).await;
}

#[derive(Clone)]
struct Call {
    at: Instant,
    id: String,
    signature: String,
}

/// Starts a server that is busy (429, for two seconds), then broken (503), and then accepts every call.
async fn busy_server() -> (String, Arc<Mutex<Vec<Call>>>) {
    let calls = Arc::new(Mutex::new(Vec::new()));
    let seen = calls.clone();
    let answer = move |headers: HeaderMap| {
        let text = |name: &str| headers[name].to_str().unwrap().to_owned();
        let call = Call { at: Instant::now(), id: text("webhook-id"), signature: text("webhook-signature") };
        let mut seen = seen.lock().unwrap();
        seen.push(call);
        let count = seen.len();
        async move {
            match count {
                1 => (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "2")], "{}").into_response(),
                2 => StatusCode::SERVICE_UNAVAILABLE.into_response(),
                _ => (StatusCode::ACCEPTED, json!({"state": "received"}).to_string()).into_response(),
            }
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/v1/events", post(answer))).await });
    (server, calls)
}

/// Returns an editor's page that checks as soon as it is loaded, and shows its interpretation of the answer in
/// `#result`.
fn page(ingest: &str) -> String {
    let content = std::fs::read_to_string(sample()).unwrap();
    let (_, content) = content.split_once("<body>").unwrap();
    let (content, _) = content.split_once("</body>").unwrap();
    let script = std::fs::read_to_string(folder().join("gongkai-check.js")).unwrap();
    format!(
        r#"<!DOCTYPE html><html><head><meta charset="utf-8"></head><body>
<div id="editor">{content}</div><ul id="list"></ul><pre id="result"></pre>
<script>{script}</script>
<script>
const [editor, list, result] = ['editor', 'list', 'result'].map(id => document.getElementById(id))
const before = editor.innerHTML
gongkai.check({{url: '{ingest}/v1/check?filename=a.html', element: editor, list}}).then(line => {{
  const marks = [...editor.querySelectorAll('[data-gk]')].map(node => ({{
    tag: node.localName, text: node.textContent, level: node.dataset.gk, say: node.dataset.gkSay}}))
  const said = finding => [...editor.querySelectorAll('[data-gk]')]
    .filter(node => node.dataset.gkSay.split('\n').includes(finding.message)).map(node => node.textContent.trim())
  const bare = text => text.replace(/\s/g, '')
  const misplaced = line.findings.filter(finding => {{
    const places = finding.source ? [finding.source] : (finding.operands || []).map(fact => fact.source).filter(Boolean)
    const texts = said(finding)
    if (finding.source) return !bare(texts.join('')).includes(bare(finding.source.text))
    return places.length > 0 && !places.some(place => texts.includes(place.text.trim()))
  }}).map(finding => [finding.rule, said(finding)])
  const items = [...list.children].map(item => item.textContent)
  gongkai.clear(editor)
  return {{marks, items, misplaced, findings: line.findings.length, restored: editor.innerHTML === before}}
}}).catch(error => ({{error: String(error)}})).then(said => {{ result.textContent = JSON.stringify(said) }})
</script></body></html>"#
    )
}

/// Returns the result that the page shows in a browser.
fn said_by(browser: &str, url: &str) -> Value {
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--dump-dom"])
        .args(["--virtual-time-budget=60000", &format!("--user-data-dir={}", profile.path().display()), url])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let dom = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = dom.split_once(r#"<pre id="result">"#).and_then(|(_, rest)| rest.split_once("</pre>"));
    let said = said.unwrap_or_else(|| panic!("{dom}\n{}", String::from_utf8_lossy(&output.stderr))).0;
    let said =
        said.replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", "\u{a0}").replace("&amp;", "&");
    serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said:?}\n{dom}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_editors_page_on_another_origin_marks_cells_and_phrases() {
    let Some(browser) = BROWSERS.into_iter().find(|browser| has(browser, "gongkai-check.js in a browser"))
    else {
        return;
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let config = format!("[ingest]\ncors_origins = [\"{origin}\"]\n");
    let deployment = Deployment::start(&Plan { config, ..Plan::default() }).await;
    let page = page(&deployment.ingest());
    let pages = Router::new().route("/", get(move || async { Html(page) }));
    tokio::spawn(async move { axum::serve(listener, pages).await });
    let said = spawn_blocking(move || said_by(browser, &origin)).await.unwrap();
    assert_eq!(said["error"], Value::Null, "{said}");
    assert_eq!(said["restored"], true, "marks must come off without a trace");
    assert_eq!(said["misplaced"], json!([]), "{said}");
    let marks = said["marks"].as_array().unwrap();
    let has = |tag: &str, level: &str, word: &str| {
        marks.iter().any(|mark| {
            mark["tag"] == tag && mark["level"] == level && mark["say"].as_str().unwrap().contains(word)
        })
    };
    assert!(has("td", "ERROR", "总计"), "{said}");
    assert!(marks.iter().any(|mark| mark["tag"] == "mark"), "{said}");
    let items = said["items"].as_array().unwrap();
    assert_eq!(items.len() as u64, said["findings"].as_u64().unwrap());
    assert!(items[0].as_str().unwrap().starts_with("必须整改："), "{items:?}");
}

#[test]
fn the_script_is_small() {
    let bytes = std::fs::metadata(folder().join("gongkai-check.js")).unwrap().len();
    assert!(bytes <= 3 * 1024, "gongkai-check.js has {bytes} bytes; CMS vendors were promised 3 KB");
}
