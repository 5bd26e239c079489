//! `gongkai up` as a newcomer runs it: a report in, an answer out, Ctrl-C, nothing left.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what is missing fails the test")]

use std::{
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use gongkai_tests::{
    deployment::{binary, free_port},
    samples,
};

struct Up {
    child: Child,
    http: String,
    reports: String,
    nats: std::net::SocketAddr,
    /// Removed with the value.
    data: tempfile::TempDir,
}

impl Up {
    async fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let (http, submissions, reports, nats) = (free_port(), free_port(), free_port(), free_port());
        let child = Command::new(binary("gongkai"))
            .args(["up", "--data", data.path().to_str().unwrap()])
            .args(["--nats-server", nats_server().trim()])
            .env("GONGKAI_INGEST__HTTP_ADDRESS", http.to_string())
            .env("GONGKAI_INGEST__GRPC_ADDRESS", submissions.to_string())
            .env("GONGKAI_QUERY__BIND", reports.to_string())
            .env("GONGKAI_NATS__URL", format!("nats://{nats}"))
            .env("GONGKAI_ADMIN__PORT", "0")
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(data.path().join("up.log")).unwrap())
            .spawn()
            .unwrap();
        let mut up = Self { child, http: http.to_string(), reports: reports.to_string(), nats, data };
        up.answers().await;
        up
    }

    /// Waits until query answers: it is the last to be ready.
    async fn answers(&mut self) {
        for _ in 0..600 {
            assert!(self.child.try_wait().unwrap().is_none(), "`gongkai up` ended by itself");
            if self.gongkai("list", &[]).status.success() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("`gongkai up` does not answer within 60 s");
    }

    fn gongkai(&self, command: &str, arguments: &[&str]) -> Output {
        let side = match command {
            "submit" => ["--ingest".to_owned(), format!("http://{}", self.http)],
            _ => ["--query".to_owned(), format!("http://{}", self.reports)],
        };
        Command::new(binary("gongkai")).arg(command).args(side).args(arguments).output().unwrap()
    }

    /// What a new pack would change over the stored reports, as CSV.
    fn shadow_run(&self, rules: &str) -> String {
        let pack = tempfile::tempdir().unwrap();
        let text = format!("[pack]\nname = \"new\"\nversion = \"1\"\n{rules}");
        std::fs::write(pack.path().join("new.toml"), text).unwrap();
        let folder = pack.path().to_str().unwrap();
        let output = Command::new(binary("gongkai"))
            .args(["rules", "test", "--format", "csv", "--pack", folder])
            .args(["--nats-url", &format!("nats://{}", self.nats)])
            .output()
            .unwrap();
        assert_ne!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
        text_of(&output.stdout)
    }

    /// The exit code after Ctrl-C, and the log.
    async fn interrupt(&mut self) -> (Option<i32>, String) {
        Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
        for _ in 0..300 {
            if let Some(status) = self.child.try_wait().unwrap() {
                let log = std::fs::read_to_string(self.data.path().join("up.log")).unwrap();
                return (status.code(), log);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("`gongkai up` did not stop within 30 s");
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The same program that the tests' own brokers run.
fn nats_server() -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/nats-server.sh");
    String::from_utf8(Command::new(script).output().unwrap().stdout).unwrap()
}

fn text(output: &Output) -> String {
    text_of(&output.stdout)
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_hands_a_report_in_sees_its_findings_and_stops_it_all() {
    let mut up = Up::start().await;
    let sample = samples::all().into_iter().find(|s| s.rules.contains(&"T4-SUM".to_owned())).unwrap();
    let file = samples::directory().join(&sample.file);
    let submitted = up.gongkai("submit", &["--wait", "--format", "json", file.to_str().unwrap()]);
    let receipt: serde_json::Value = serde_json::from_str(text(&submitted).trim()).unwrap();
    assert_eq!(receipt["state"], "validated", "{receipt}");
    let mut findings = String::new();
    for _ in 0..100 {
        findings = text(&up.gongkai("findings", &["--format", "json"]));
        if findings.contains("T4-SUM") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(findings.contains("T4-SUM"), "{findings}");
    let changes = up.shadow_run("[[override]]\nid = \"T4-SUM\"\nenabled = false\n");
    assert!(changes.lines().any(|row| row.starts_with("removed,") && row.contains("T4-SUM")), "{changes}");
    assert!(up.shadow_run("").lines().count() <= 1, "the same rules change nothing");
    let (code, log) = up.interrupt().await;
    assert_eq!(code, Some(0), "Ctrl-C is a clean end\n{log}");
    let broker = std::net::TcpStream::connect(up.nats);
    assert!(broker.is_err(), "the nats-server child outlived `gongkai up`");
}
