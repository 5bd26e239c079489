//! Two hundred distinct submissions from a foreign client (Python: the CloudEvents SDK, grpcio through reflection),
//! with replicas, and with each service killed meanwhile; and every interface, by clients that are not ours
//! (standardwebhooks, nats-py, curl).
#![expect(clippy::unwrap_used, reason = "helpers of tests: what is missing fails the test")]

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use gongkai_tests::deployment::{Deployment, Plan};

const COUNT: &str = "200";

fn client(deployment: &Deployment) -> Child {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/python/client.py");
    Command::new(python())
        .arg(script)
        .args(["run", "--count", COUNT, "--ingest", &deployment.ingest(), "--query", &deployment.query()])
        .stdin(Stdio::null())
        .spawn()
        .expect("the interpreter was just found")
}

/// Returns the interpreter that `tests/scripts/test.sh` set up with the pinned packages.
fn python() -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tools/python-client/bin/python");
    assert!(
        path.exists(),
        "{} is missing: run tests/scripts/python-client.sh or `make test`",
        path.display()
    );
    path
}

async fn success(mut child: Child) -> bool {
    for _ in 0..3000 {
        if let Some(status) = child.try_wait().unwrap() {
            return status.success();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    child.kill().unwrap();
    panic!("the client did not end within 300 s");
}

/// A site of the configuration, with which the client sends.
const SITE: [&str; 3] =
    ["wangjiang", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "a-token-of-the-site-wangjiang"];

#[tokio::test(flavor = "multi_thread")]
async fn a_site_with_credentials_is_served_at_every_interface() {
    let [site, secret, token] = SITE;
    let config = format!(
        "[ingest.sites.{site}]\nsource = \"https://www.wangjiang.example/cms\"\nsecrets = [\"{secret}\"]\ntokens = [\"{token}\"]\n"
    );
    let deployment = Deployment::start(&Plan { config, ..Plan::default() }).await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/python/client.py");
    let client = Command::new(python())
        .arg(script)
        .args(["doors", "--ingest", &deployment.ingest(), "--submissions", &deployment.submissions()])
        .args(["--nats", &deployment.nats_url(), "--site", site, "--secret", secret, "--token", token])
        .stdin(Stdio::null())
        .spawn()
        .expect("the interpreter was just found");
    assert!(success(client).await, "the client's own report is above");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_submissions_end_validated_or_rejected_once_with_replicas() {
    let mut deployment = Deployment::start(&Plan { replicas: 2, ..Plan::default() }).await;
    assert!(success(client(&deployment)).await, "the client's own report is above");
    deployment.assert_nothing_restarted();
    for service in ["parse", "validate", "notify", "query", "ingest"] {
        assert!(deployment.stop(service).await, "{service} did not stop cleanly on SIGTERM");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_each_service_in_turn_loses_and_doubles_nothing() {
    let mut deployment = Deployment::start(&Plan { replicas: 2, ..Plan::default() }).await;
    let client = client(&deployment);
    for service in ["parse", "validate", "ingest", "notify", "query", "parse", "ingest"] {
        tokio::time::sleep(Duration::from_millis(400)).await;
        deployment.kill_and_restart(service);
    }
    deployment.ready().await;
    assert!(success(client).await, "the client's own report is above");
}
