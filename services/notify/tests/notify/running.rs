//! Test harness: events, and a running notify over the memory transport.

use std::{sync::Arc, time::Duration};

use gongkai_notify::{Config, Notify, delivery::Backlog};
use gongkai_proto::{
    subjects::{self, Event},
    v1,
};
use gongkai_worker::{Output, Runtime, Service, Transport, transport::memory::Memory};
use prost::Message as _;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) const REPORT: &str = "agencies/p-1/reports/2023";
pub(crate) const URL: &str = "https://example.gov.cn/2023.html";

/// The operands digest of findings.
pub(crate) const DIGEST: &str = "0011223344556677";

/// Returns a finding of severity `ERROR` with a cause of its own.
pub(crate) fn finding(fingerprint: &str) -> v1::Finding {
    v1::Finding {
        rule: "T3-ROW".into(),
        severity: v1::Severity::Error.into(),
        message: format!("合计不符 {fingerprint}"),
        message_en: format!("total differs {fingerprint}"),
        fingerprint: fingerprint.into(),
        operands_digest: DIGEST.into(),
        ..Default::default()
    }
}

/// Returns when a message of the log was received: long before the test, one second after the message before it.
pub(crate) fn received_at(sequence: u64) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: i64::try_from(sequence).unwrap(), nanos: 0 }
}

/// Returns a validation of the revision received at `received`.
pub(crate) fn validated(received: u64, fingerprints: &[&str]) -> v1::ReportValidated {
    v1::ReportValidated {
        origin: Some(v1::Origin {
            kind: v1::DocumentKind::Published.into(),
            content_hash: format!("hash-{received}"),
            received_sequence: received,
            received_at: Some(received_at(received)),
            url: URL.into(),
            region: "360982".into(),
            ..Default::default()
        }),
        report: Some(v1::ParsedReport {
            name: REPORT.into(),
            agency_name: "樟树市鹿江街道办事处".into(),
            year: 2023,
            ..Default::default()
        }),
        findings: fingerprints.iter().map(|f| finding(f)).collect(),
        ..Default::default()
    }
}

/// A running notify and its broker.
pub(crate) struct Running {
    pub(crate) memory: Memory,
    pub(crate) runtime: Runtime,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Running {
    pub(crate) async fn start(memory: Memory, config: Config) -> Self {
        memory.declare(&gongkai_proto::topology!()).await.unwrap();
        let runtime = Runtime::builder(Notify::NAME, Arc::new(memory.clone()))
            .dead_prefix(subjects::DEAD_PREFIX)
            .shutdown(CancellationToken::new())
            .build();
        Notify::validate(&config).unwrap();
        let task = tokio::spawn(Notify::run(config, runtime.clone()));
        Self { memory, runtime, task }
    }

    pub(crate) async fn publish(&self, id: &str, event: Event, message: &impl prost::Message) -> u64 {
        let output = Output::new(event.subject("360982".parse().unwrap()), event.ce_type(), message);
        self.runtime.publish(id, output).await.unwrap().sequence
    }

    /// Advances the sequences of report events, so that a test can use lower ones for earlier revisions.
    pub(crate) async fn fill_stream(&self, to: u64) {
        for n in 1..=to {
            self.publish(&format!("filler-{n}"), Event::ReportParsed, &v1::ReportParsed::default()).await;
        }
    }

    /// Waits until every report event is settled.
    pub(crate) async fn settled(&self) {
        self.memory.until(|m| idle(m, subjects::STREAM_REPORTS, subjects::CONSUMER_NOTIFY)).await;
    }

    /// Waits until every alert is settled for a subscription.
    pub(crate) async fn delivered(&self, subscription: &str) {
        self.settled().await;
        let durable = subjects::consumer_delivery(subscription);
        self.memory.until(|m| idle(m, subjects::STREAM_ALERTS, &durable)).await;
    }

    /// Waits until no delivery waits for the receiver of a subscription.
    pub(crate) async fn caught_up(&self, subscription: &str) {
        self.delivered(subscription).await;
        self.until_waiting(subscription, 0).await;
    }

    /// Waits until this many alerts wait for the receiver of a subscription.
    pub(crate) async fn until_waiting(&self, subscription: &str, count: usize) {
        let entries = self.memory.entries(subjects::BUCKET_DELIVERIES);
        let waiting = async {
            loop {
                let entry = entries.get(subscription).await.unwrap();
                let backlog = entry.map(|entry| Backlog::decode(entry.value).unwrap()).unwrap_or_default();
                if backlog.len() == count {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(25), waiting).await.unwrap();
    }

    /// Returns the published alerts: `+` or `-`, and the fingerprints.
    pub(crate) fn said(&self) -> Vec<String> {
        let alerts = self.memory.messages("gongkai.v1.alert.*").into_iter().map(|message| {
            let alert = v1::AlertRaised::decode(message.payload).unwrap().alert.unwrap();
            let sign = if alert.state() == v1::AlertState::Raised { '+' } else { '-' };
            let fingerprints: Vec<_> = alert.findings.into_iter().map(|f| f.fingerprint).collect();
            format!("{sign}{}", fingerprints.join(","))
        });
        alerts.collect()
    }

    /// Returns the codes of the dead letters.
    pub(crate) fn dead(&self) -> Vec<v1::DeadLetter> {
        let letters = self.memory.messages("gongkai.v1.dead.*").into_iter();
        letters.map(|message| v1::DeadLetter::decode(message.payload).unwrap()).collect()
    }

    pub(crate) async fn stop(self) -> Memory {
        self.runtime.shutdown().cancel();
        tokio::time::timeout(Duration::from_secs(60), self.task).await.unwrap().unwrap().unwrap();
        self.memory
    }

    /// Stops notify as a kill would, without draining.
    pub(crate) async fn kill(self) -> Memory {
        self.task.abort();
        self.task.await.unwrap_err();
        self.memory
    }
}

fn idle(memory: &Memory, stream: &str, durable: &str) -> bool {
    memory.consumer_state(stream, durable).is_some_and(|state| state.queued == 0 && state.in_flight == 0)
}
