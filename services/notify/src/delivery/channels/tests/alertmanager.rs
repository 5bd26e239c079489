//! Alertmanager, over a real one.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use gongkai_proto::v1;
use gongkai_worker::{Clock, testing::free_port};
use reqwest::Client;
use serde_json::Value;
use tempfile::TempDir;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::process::{Child, Command};

use super::{
    super::{super::channel::Channel as _, Alertmanager},
    Letters, composer, target,
};

const PROGRAM: &str = "prometheus-alertmanager";

/// A running Alertmanager, which ends alerts without an end after a second.
struct Real {
    url: String,
    client: Client,
    _folder: TempDir,
    /// Killed when it is dropped.
    _process: Child,
}

/// Returns where Alertmanager is: on the PATH, or where `tests/scripts/prometheus-tools.sh` puts it.
fn program() -> Option<PathBuf> {
    let unpacked =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools/prometheus/usr/bin").join(PROGRAM);
    let installed = Path::new("/usr/bin").join(PROGRAM);
    [installed, unpacked].into_iter().find(|program| program.exists())
}

impl Real {
    async fn start(program: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("alertmanager.yml");
        let text = "global: {resolve_timeout: 1s}\nroute: {receiver: none}\nreceivers: [{name: none}]\n";
        std::fs::write(&config, text).unwrap();
        let address = free_port();
        let process = Command::new(program)
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.path={}", folder.path().display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--cluster.listen-address=")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let url = format!("http://{address}/");
        let target = target(&url);
        let client = Client::builder().tls_certs_only([]).no_proxy().build().unwrap();
        let this = Self { url: target.url().to_string(), client, _folder: folder, _process: process };
        this.until("it is ready", async || {
            let answer = this.client.get(format!("{}-/ready", this.url)).send().await;
            answer.is_ok_and(|answer| answer.status().is_success())
        })
        .await;
        this
    }

    async fn until(&self, what: &str, reached: impl AsyncFn() -> bool) {
        let waiting = async {
            while !reached().await {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        assert!(tokio::time::timeout(Duration::from_secs(25), waiting).await.is_ok(), "{what}");
    }

    /// Returns the active alerts.
    async fn active(&self) -> Vec<Value> {
        let answer = self.client.get(format!("{}api/v2/alerts?active=true", self.url)).send().await.unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }
}

fn at(alert: &mut v1::Alert, at: OffsetDateTime, state: v1::AlertState, severity: v1::Severity) {
    alert.changed_at = Some(prost_types::Timestamp { seconds: at.unix_timestamp(), nanos: 0 });
    alert.set_state(state);
    alert.set_severity(severity);
}

#[tokio::test]
async fn a_real_alertmanager_shows_an_alert_until_it_is_resolved() {
    let Some(program) = program() else {
        eprintln!("SKIPPED: {PROGRAM} is not installed: run tests/scripts/prometheus-tools.sh");
        return;
    };
    let real = Real::start(&program).await;
    let clock = Clock::system();
    let alertmanager = Alertmanager::new(target(&real.url), None, composer(), clock.clone()).unwrap();
    let (raised, now) = (v1::AlertState::Raised, clock.now());
    let letters = Letters::about(2)
        .changed(|alert| at(alert, now - Duration::from_secs(60), raised, v1::Severity::Error));
    alertmanager.send(&letters.envelope()).await.unwrap();
    // Many times the `resolve_timeout`: an alert with an end of its own stays.
    let unending = Letters::about(1).changed(|alert| {
        alert.alert_id = "other".into();
        at(alert, now, raised, v1::Severity::Warning);
    });
    alertmanager.send(&unending.envelope()).await.unwrap();
    let active = real.active().await;
    assert_eq!(active.len(), 3, "{active:?}");
    let alert = active.iter().find(|alert| alert["labels"]["alert_id"] == "a0").unwrap();
    assert_eq!((&alert["labels"]["severity"], &alert["labels"]["agency"]), (&"error".into(), &"p-0".into()));
    assert_eq!(alert["generatorURL"], "https://example.gov.cn/0.html");
    assert!(
        alert["annotations"]["summary"].as_str().unwrap().starts_with("樟树市第0街道办事处2023年度报告：")
    );
    let ends_at = OffsetDateTime::parse(alert["endsAt"].as_str().unwrap(), &Rfc3339).unwrap();
    assert!(ends_at > now + Duration::from_hours(24 * 365));

    // Its severity has changed without a message when it is resolved.
    let resolved =
        Letters::about(1).changed(|alert| at(alert, now, v1::AlertState::Resolved, v1::Severity::Warning));
    alertmanager.send(&resolved.envelope()).await.unwrap();
    real.until("one is resolved", async || real.active().await.len() == 2).await;
    let again = Letters::about(1).changed(|alert| at(alert, clock.now(), raised, v1::Severity::Review));
    alertmanager.send(&again.envelope()).await.unwrap();
    let active = real.active().await;
    let severities: Vec<_> = active
        .iter()
        .filter(|alert| alert["labels"]["alert_id"] == "a0")
        .map(|alert| alert["labels"]["severity"].clone())
        .collect();
    assert_eq!(severities, ["review"], "{active:?}");
}
