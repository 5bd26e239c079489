//! Test harness: the real routes over the memory transport.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, to_bytes},
};
use http::{Request, StatusCode};
use prost::Message as _;
use serde_json::{Value, json};
use time::{OffsetDateTime, macros::datetime};
use tokio::sync::watch;
use tower::ServiceExt as _;

use gongkai_agencies::Registry;
use gongkai_ingest::{
    adapters::Adapters, admission::Admission, auth::Authenticator, config::Config, dry_run::DryRun,
    fetch::Fetcher, http::router, intake::Intake, receipt_store::ReceiptStore,
};
use gongkai_proto::v1::DocumentReceived;
use gongkai_registry::Following;
use gongkai_worker::{Clock, Runtime, Transport, config::WorkerSettings, transport::memory::Memory};

pub(crate) const NOW: OffsetDateTime = datetime!(2024-01-15 10:12:00 UTC);

pub(crate) struct Harness {
    pub(crate) memory: Memory,
    pub(crate) runtime: Runtime,
    pub(crate) router: Router,
    pub(crate) dry_run: DryRun,
    pub(crate) intake: Intake,
    pub(crate) auth: Authenticator,
    pub(crate) admission: Admission,
    pub(crate) receipts: ReceiptStore,
    /// The registry that ingest follows. Empty at first.
    pub(crate) agencies: watch::Sender<Arc<Registry>>,
}

/// A response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: http::HeaderMap,
    pub(crate) json: Value,
}

impl Answer {
    pub(crate) fn text(&self, member: &str) -> &str {
        self.json[member].as_str().unwrap_or_else(|| panic!("no text {member} in {self:?}"))
    }
}

impl Harness {
    pub(crate) async fn new(config: &Config) -> Self {
        Self::over(config, |memory| Arc::new(memory)).await
    }

    /// Like [`Self::new`], over a transport that `transport` wraps around the one in memory.
    pub(crate) async fn over(config: &Config, transport: impl FnOnce(Memory) -> Arc<dyn Transport>) -> Self {
        let memory = Memory::new();
        memory.declare(&gongkai_proto::topology!()).await.unwrap();
        // Do not retry while the broker is unavailable.
        let settings = WorkerSettings { publish_budget_s: 0, ..WorkerSettings::default() };
        let runtime = Runtime::builder("ingest", transport(memory.clone()))
            .clock(Clock::fixed(NOW))
            .settings(settings)
            .build();
        let auth = Authenticator::new(config, runtime.clock()).unwrap();
        let (agencies, registry) = watch::channel(Arc::default());
        let fetcher = Fetcher::new(config).unwrap();
        let intake = Intake::new(config, runtime.clone(), fetcher.clone(), Following::of(registry.clone()));
        gongkai_isolation::testing::children_run(env!("CARGO_BIN_EXE_gongkai-ingest"));
        let dry_run = DryRun::new(config, runtime.clone(), fetcher, registry).unwrap();
        let adapters = Adapters::new(config, &runtime.clock()).unwrap();
        let admission = Admission::new(config, runtime.shutdown());
        let (drafts, admitting) = (dry_run.clone(), admission.clone());
        let router = router(config, &runtime, intake.clone(), &auth, drafts, adapters, admitting).unwrap();
        let receipts = ReceiptStore::new(&runtime);
        Self { memory, runtime, router, dry_run, intake, auth, admission, receipts, agencies }
    }

    pub(crate) async fn call(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 1 << 24).await.unwrap();
        let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Answer { status: parts.status, headers: parts.headers, json }
    }

    /// Sends a structured event.
    pub(crate) async fn event(&self, event: &Value) -> Answer {
        self.call(structured(event)).await
    }

    pub(crate) async fn get(&self, id: &str) -> Answer {
        self.call(Request::get(format!("/v1/submissions/{id}")).body(Body::empty()).unwrap()).await
    }

    /// Returns the published `DocumentReceived` events.
    pub(crate) fn received(&self) -> Vec<DocumentReceived> {
        let messages = self.memory.messages("gongkai.v1.report.received.*");
        messages.into_iter().map(|m| DocumentReceived::decode(m.payload).unwrap()).collect()
    }
}

pub(crate) fn structured(event: &Value) -> Request<Body> {
    Request::post("/v1/events")
        .header("content-type", "application/cloudevents+json")
        .body(Body::from(event.to_string()))
        .unwrap()
}

/// Returns an event with a published report.
pub(crate) fn published(id: &str, text: &str) -> Value {
    json!({"specversion": "1.0", "id": id, "source": "https://www.example.gov.cn",
        "type": "gongkai.report.published.v1",
        "data": {"agency": {"name": "樟树市鹿江街道办事处"}, "year": 2023, "url": "https://www.example.gov.cn/a",
            "site": {"code": "3609820001"}, "content": {"media_type": "text/html", "text": text}}})
}

pub(crate) fn withdrawn(id: &str) -> Value {
    json!({"specversion": "1.0", "id": id, "source": "https://www.example.gov.cn",
        "type": "gongkai.report.withdrawn.v1", "data": {"url": "https://www.example.gov.cn/a"}})
}

/// Returns a request whose body has no declared type.
pub(crate) fn post(path: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(path).header("content-type", "text/html").body(body.into()).unwrap()
}
