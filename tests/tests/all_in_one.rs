//! `gongkai up` as a newcomer runs it: submit a report, get an answer, Ctrl-C, and no process is left.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what is missing fails the test")]

use std::{
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use gongkai_tests::{deployment::binary, samples};
use gongkai_worker::testing::free_port;

/// What `gongkai up` writes when it restarts its broker after a full disk.
#[cfg(target_os = "linux")]
const RESTART: &str = "there is room now, restarting it";

struct Up {
    child: Child,
    http: String,
    reports: String,
    nats: std::net::SocketAddr,
    /// The data folder, which is removed when the value is dropped.
    data: tempfile::TempDir,
}

impl Up {
    async fn start() -> Self {
        Self::start_over(nats_server().trim().as_ref()).await
    }

    async fn start_over(nats_server: &std::path::Path) -> Self {
        let data = tempfile::tempdir().unwrap();
        let (http, submissions, reports, nats) = (free_port(), free_port(), free_port(), free_port());
        let child = Command::new(binary("gongkai"))
            .args(["up", "--data", data.path().to_str().unwrap()])
            .arg("--nats-server")
            .arg(nats_server)
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

    /// Waits until query answers, because it is the last to be ready.
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

    /// Submits a text as a file. Returns the receipt.
    fn submit(&self, name: &str, content: &str) -> serde_json::Value {
        let file = self.data.path().join(name);
        std::fs::write(&file, content).unwrap();
        let submitted = self.gongkai("submit", &["--wait", "--format", "json", file.to_str().unwrap()]);
        serde_json::from_str(text(&submitted).trim()).unwrap()
    }

    fn waive(&self, finding: &str) {
        let waived = Command::new(binary("gongkai"))
            .args(["waivers", "create", finding, "--reason", "上级已同意保留", "--person", "张三"])
            .args(["--until", "2035-12-31", "--query", &format!("http://{}", self.reports)])
            .output()
            .unwrap();
        assert!(waived.status.success(), "{}", String::from_utf8_lossy(&waived.stderr));
    }

    /// Returns the findings of one rule, once there are `count` of them.
    async fn findings(&self, filter: &str, count: usize) -> Vec<serde_json::Value> {
        let mut found = Vec::new();
        for _ in 0..200 {
            let listed = text(&self.gongkai("findings", &["--format", "json", "--filter", filter]));
            found = listed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            if found.len() == count {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{filter}: {found:?}");
    }

    /// Waits until the log contains these words this many times.
    async fn logged(&self, words: &str, times: usize) {
        for _ in 0..200 {
            if self.has_logged(words, times) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the log does not say {words} {times} times:\n{}", self.log());
    }

    fn has_logged(&self, words: &str, times: usize) -> bool {
        self.log().matches(words).count() >= times
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.data.path().join("up.log")).unwrap()
    }

    /// Runs `gongkai rules test` over the stored reports. Returns its CSV.
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

    /// Returns the exit code after Ctrl-C, and the log.
    async fn interrupt(&mut self) -> (Option<i32>, String) {
        Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
        self.ended().await
    }

    /// Waits until the process ends. Returns its exit code and the log.
    async fn ended(&mut self) -> (Option<i32>, String) {
        for _ in 0..600 {
            if let Some(status) = self.child.try_wait().unwrap() {
                let log = self.log();
                return (status.code(), log);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("`gongkai up` did not stop within 60 s");
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Returns the program that the tests' own brokers run.
fn nats_server() -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/local/nats-server.sh");
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

#[tokio::test(flavor = "multi_thread")]
async fn a_person_lets_a_finding_stand_until_its_numbers_change() {
    let up = Up::start().await;
    let sample = std::fs::read_to_string(samples::directory().join("02_tab_rows_wrong_total.txt")).unwrap();
    let receipt = up.submit("first.txt", &sample);
    assert_eq!(receipt["state"], "validated", "{receipt}");
    let found = up.findings("rule = T3-ROW", 1).await.remove(0);
    let (report, fingerprint) = (found["report"].as_str().unwrap(), found["fingerprint"].as_str().unwrap());
    let name = format!("{report}/findings/{fingerprint}");
    // One wrong cell breaks its row and its column: there is one alert, with two findings to waive.
    let column = up.findings("rule = T3-SUM", 1).await.remove(0);
    assert_eq!(column["cause"], found["cause"]);
    up.logged("六类申请人之和", 1).await;
    up.waive(&name);
    up.waive(&format!("{report}/findings/{}", column["fingerprint"].as_str().unwrap()));
    up.logged("waived: 云溪县自然资源局, 2023: table 3", 1).await;
    let valid = up.findings("rule = T3-ROW AND waived = true", 1).await.remove(0);
    assert_eq!(valid["waiver"]["person"], "张三");

    // The bytes differ but the numbers are the same, so the waiver is still valid.
    up.submit("second.txt", &format!("{sample}\n"));
    let again = up.findings("rule = T3-ROW AND waived = true", 1).await.remove(0);
    assert_eq!(again["fingerprint"], found["fingerprint"]);
    let explained = text(&up.gongkai("explain", &[&name, "--format", "json"]));
    let explained: serde_json::Value = serde_json::from_str(&explained).unwrap();
    assert_eq!(explained["operands"].as_array().unwrap().len(), 7, "{explained}");
    assert_eq!(explained["operands"][6]["source"]["text"], "43", "{explained}");
    assert_eq!(explained["waivers"][0]["state"], "active", "{explained}");

    // Another wrong number under the same fingerprint is not waived.
    let line = sample.lines().find(|line| line.contains("保护第三方合法权益")).unwrap();
    let (row, _) = line.trim_end().rsplit_once("43").unwrap();
    up.submit("third.txt", &sample.replace(line, &format!("{row}45")));
    let lapsed = up.findings("rule = T3-ROW AND waived = false", 1).await.remove(0);
    assert_eq!(
        (&lapsed["fingerprint"], &lapsed["actual"]),
        (&found["fingerprint"], &serde_json::json!("45"))
    );
    let listed = Command::new(binary("gongkai"))
        .args(["waivers", "list", "--format", "json", "--query", &format!("http://{}", up.reports)])
        .output()
        .unwrap();
    assert!(text(&listed).contains("\"state\":\"lapsed\""), "{}", text(&listed));
    up.logged("=34，「总计」列填的是 45", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_looks_on_while_a_document_passes_and_sees_no_personal_data() {
    let up = Up::start().await;
    let printed = up.data.path().join("tap.jsonl");
    let mut tap = Command::new(binary("gongkai"))
        .args(["tap", "--format", "json", "--count", "3", "--nats-url", &format!("nats://{}", up.nats)])
        .stdout(std::fs::File::create(&printed).unwrap())
        .spawn()
        .unwrap();
    let sample = std::fs::read_to_string(samples::directory().join("02_tab_rows_wrong_total.txt")).unwrap();
    // The first document may pass before the tap listens: documents are sent until it has seen three messages.
    for number in 0.. {
        if tap.try_wait().unwrap().is_some() {
            break;
        }
        assert!(number < 60, "the tap sees nothing");
        let body = sample.replace("云溪县自然资源局", &format!("云溪县第{number}街道办事处"));
        up.submit(&format!("13812341234-{number}.txt"), &body);
    }
    assert!(tap.wait().unwrap().success());
    let seen = std::fs::read_to_string(&printed).unwrap();
    let seen: Vec<serde_json::Value> = seen.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(seen.len(), 3);
    for shown in &seen {
        assert_eq!(shown["trace_id"].as_str().unwrap().len(), 32, "{shown}");
        assert!(shown["message"].is_object() && !shown.to_string().contains("13812341234"), "{shown}");
    }
}

/// Returns the process id of the NATS server of `up`.
#[cfg(target_os = "linux")]
fn broker_pid(up: &Up) -> String {
    let parent = up.child.id().to_string();
    let found = Command::new("pgrep").args(["--parent", &parent, "--full", "nats-server"]).output().unwrap();
    text(&found).trim().to_owned()
}

/// Makes writes of the NATS server of `up` fail that would let a file grow beyond `bytes`. `None` lifts the limit.
#[cfg(target_os = "linux")]
fn limit_files(up: &Up, bytes: Option<u64>) {
    let limit = bytes.map_or("unlimited".to_owned(), |bytes| bytes.to_string());
    let status =
        Command::new("prlimit").args(["--pid", &broker_pid(up), &format!("--fsize={limit}:")]).status();
    assert!(status.unwrap().success());
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_killed_is_restarted_and_everything_goes_on() {
    let mut up = Up::start().await;
    let sample = std::fs::read_to_string(samples::directory().join("02_tab_rows_wrong_total.txt")).unwrap();
    assert_eq!(up.submit("before.txt", &sample)["state"], "validated");
    let killed = broker_pid(&up);
    assert!(Command::new("kill").args(["-KILL", &killed]).status().unwrap().success());
    up.logged("restarting it, 1 of 5 times in 10 minutes", 1).await;
    let receipt = up.submit("after.txt", &sample.replace("云溪县自然资源局", "云溪县水利局"));
    assert_eq!(receipt["state"], "validated", "{receipt}");
    up.findings("rule = T3-ROW", 2).await;
    assert_ne!(broker_pid(&up), killed);
    let (code, log) = up.interrupt().await;
    assert_eq!(code, Some(0), "{log}");
}

/// A server that starts once, and not again once it has ended.
#[cfg(target_os = "linux")]
fn fragile_server(folder: &std::path::Path) -> std::path::PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let (program, mark) = (folder.join("nats-server"), folder.join("started"));
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in *--jetstream*) [ ! -e {mark} ] || exit 3; touch {mark};; esac\nexec {} \"$@\"\n",
        nats_server().trim(),
        mark = mark.display()
    );
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    program
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_ends_again_and_again_is_given_up_and_that_is_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let mut up = Up::start_over(&fragile_server(folder.path())).await;
    assert!(Command::new("kill").args(["-KILL", &broker_pid(&up)]).status().unwrap().success());
    let (code, log) = up.ended().await;
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("restarting it, 5 of 5 times") && log.contains("more than 5 times"), "{log}");
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn after_a_full_disk_it_restarts_its_own_broker_and_everything_accepted_comes_to_its_end() {
    let up = Up::start().await;
    let sample =
        std::fs::read_to_string(samples::directory().join("02_tab_rows_wrong_total_corrected.txt")).unwrap();
    let post = |number: u32| {
        let request =
            gongkai_tests::http::client().post(format!("http://{}/v1/reports?filename=a.txt", up.http));
        let body = sample.replace("云溪县自然资源局", &format!("云溪县第{number}街道办事处"));
        let request = request.header("content-type", "text/plain").body(body);
        async move { gongkai_tests::http::answer(request).await.unwrap() }
    };
    limit_files(&up, Some(60_000));
    let mut accepted = Vec::new();
    let mut number = 0;
    // A restart lifts the limit. It may come while a document waits for the broker, which then is not refused.
    while !up.has_logged(RESTART, 1)
        && let answer = post(number).await
        && answer.status == 202
    {
        accepted.push(answer.json["submission_id"].as_str().unwrap().to_owned());
        number += 1;
    }
    limit_files(&up, None);
    // A sender keeps trying, and is accepted once the server was restarted.
    let started = std::time::Instant::now();
    while post(number).await.status != 202 {
        assert!(started.elapsed() < Duration::from_secs(60), "nothing is taken");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    up.logged(RESTART, 1).await;
    for submission in &accepted {
        let receipt = gongkai_tests::http::settled(&format!("http://{}", up.http), submission).await;
        assert_eq!(receipt["state"], "validated", "{receipt}");
    }
}
