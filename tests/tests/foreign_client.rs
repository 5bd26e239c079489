//! Two hundred distinct submissions from a foreign client (Python: the CloudEvents SDK, grpcio through reflection),
//! with replicas, and with each service killed meanwhile.
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
