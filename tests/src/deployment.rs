//! A deployment as an operator would run it: a real nats-server and the services as processes of their own, on free
//! loopback ports, with their data in a temporary folder. All of it ends with the value.

use std::{
    fs::File,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use gongkai_worker::testing::NatsServer;
use tempfile::TempDir;

/// One service process.
struct Process {
    service: &'static str,
    admin: SocketAddr,
    log: PathBuf,
    child: Child,
}

/// A running deployment.
pub struct Deployment {
    folder: TempDir,
    broker: NatsServer,
    processes: Vec<Process>,
    http: SocketAddr,
    submissions: SocketAddr,
    reports: SocketAddr,
    started: usize,
}

/// What differs from the default: replicas and further settings.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// Replicas of parse and of validate; 0 counts as 1.
    pub replicas: usize,
    /// More TOML for the config file all services read.
    pub config: String,
    /// `telemetry.otlp_endpoint`, if traces are wanted.
    pub otlp_endpoint: Option<String>,
}

impl Deployment {
    /// Starts everything and waits until every process says it is ready.
    ///
    /// # Panics
    /// If a program is missing (run `make test`) or does not become ready; the message has its log.
    pub async fn start(plan: &Plan) -> Self {
        let broker = NatsServer::start().await;
        let mut deployment = Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
            broker,
            processes: Vec::new(),
            http: free_port(),
            submissions: free_port(),
            reports: free_port(),
            started: 0,
        };
        deployment.write_config(plan);
        for service in ["ingest", "notify", "query"] {
            deployment.spawn(service);
        }
        for _ in 0..plan.replicas.max(1) {
            deployment.spawn("parse");
            deployment.spawn("validate");
        }
        deployment.ready().await;
        deployment
    }

    /// Base URL of ingest's HTTP side.
    #[must_use]
    pub fn ingest(&self) -> String {
        format!("http://{}", self.http)
    }

    /// `host:port` of ingest's gRPC side.
    #[must_use]
    pub fn submissions(&self) -> String {
        self.submissions.to_string()
    }

    /// `host:port` of query.
    #[must_use]
    pub fn query(&self) -> String {
        self.reports.to_string()
    }

    /// What each service says at `/metrics`, by its name.
    ///
    /// # Panics
    /// A service does not answer.
    pub async fn metrics(&self) -> Vec<(&'static str, String)> {
        let mut all = Vec::new();
        for process in &self.processes {
            let url = format!("http://{}/metrics", process.admin);
            let answer = crate::http::client().get(url).send().await.expect("the admin port answers");
            all.push((process.service, answer.text().await.expect("metrics are text")));
        }
        all
    }

    /// The broker.
    pub fn broker(&mut self) -> &mut NatsServer {
        &mut self.broker
    }

    /// Ends every process of a service without warning (`kill -9`) and starts as many anew.
    ///
    /// # Panics
    /// If a process cannot be killed.
    pub fn kill_and_restart(&mut self, service: &'static str) {
        let (dead, alive): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.processes).into_iter().partition(|p| p.service == service);
        self.processes = alive;
        for mut process in dead {
            process.child.kill().expect("our own child can be killed");
            process.child.wait().expect("a killed child ends");
            self.spawn(service);
        }
    }

    /// Waits until every process says it is ready.
    ///
    /// # Panics
    /// If one does not within 60 s; the message has its log.
    pub async fn ready(&mut self) {
        for process in &mut self.processes {
            process.ready().await;
        }
    }

    /// Panics if a process ended on its own.
    ///
    /// # Panics
    /// See above.
    pub fn assert_nothing_restarted(&mut self) {
        for process in &mut self.processes {
            let ended = process.child.try_wait().expect("our own child can be asked");
            assert!(ended.is_none(), "{} ended: {ended:?}\n{}", process.service, process.tail());
        }
    }

    /// Resident memory of each process of a service in KiB.
    ///
    /// # Panics
    /// If `/proc` is not as on Linux.
    #[must_use]
    pub fn resident_kib(&self, service: &str) -> Vec<u64> {
        let of = |p: &Process| {
            let status =
                std::fs::read_to_string(format!("/proc/{}/status", p.child.id())).expect("a live child");
            let line = status.lines().find(|l| l.starts_with("VmRSS:")).expect("VmRSS is always there");
            line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).expect("VmRSS is a number of kB")
        };
        self.processes.iter().filter(|p| p.service == service).map(of).collect()
    }

    /// Stops a service by SIGTERM and waits for it; returns true if every process exited with success.
    ///
    /// # Panics
    /// If a process does not end within 30 s.
    pub async fn stop(&mut self, service: &'static str) -> bool {
        let (ended, alive): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.processes).into_iter().partition(|p| p.service == service);
        self.processes = alive;
        let mut clean = true;
        for mut process in ended {
            let pid = process.child.id().to_string();
            let sent = Command::new("kill").args(["-TERM", &pid]).status().expect("kill is on every machine");
            assert!(sent.success());
            clean &= process.exit().await;
        }
        clean
    }

    fn write_config(&self, plan: &Plan) {
        let (nats, http, submissions, reports) =
            (self.broker.url(), self.http, self.submissions, self.reports);
        let database = self.folder.path().join("query.db");
        let otlp = plan.otlp_endpoint.clone().unwrap_or_default();
        let config = format!(
            "[nats]\nurl = \"{nats}\"\n\
             [telemetry]\notlp_endpoint = \"{otlp}\"\n\
             [ingest]\nhttp_address = \"{http}\"\ngrpc_address = \"{submissions}\"\n\
             [query]\nbind = \"{reports}\"\ndatabase = \"{}\"\n{}\n",
            database.display(),
            plan.config
        );
        std::fs::write(self.config(), config).expect("a file in our temporary folder");
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("gongkai.toml")
    }

    fn spawn(&mut self, service: &'static str) {
        self.started += 1;
        let admin = free_port();
        let log = self.folder.path().join(format!("{service}-{}.log", self.started));
        let child = Command::new(program(service))
            .arg("--config")
            .arg(self.config())
            .env("GONGKAI_ADMIN__PORT", admin.port().to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log).expect("a file in our temporary folder"))
            .spawn()
            .expect("the program was just found");
        self.processes.push(Process { service, admin, log, child });
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        for process in &mut self.processes {
            if std::thread::panicking() {
                eprint_log(process.service, &process.tail());
            }
            drop(process.child.kill());
            drop(process.child.wait());
        }
    }
}

impl Process {
    async fn ready(&mut self) {
        let url = format!("http://{}/readyz", self.admin);
        for _ in 0..600 {
            if let Some(status) = self.child.try_wait().expect("our own child can be asked") {
                panic!("{} ended with {status} before it was ready\n{}", self.service, self.tail());
            }
            if crate::http::get(&url).await.is_ok_and(|answer| answer.status == 200) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{} did not become ready within 60 s\n{}", self.service, self.tail());
    }

    async fn exit(&mut self) -> bool {
        for _ in 0..300 {
            if let Some(status) = self.child.try_wait().expect("our own child can be asked") {
                return status.success();
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{} did not stop within 30 s\n{}", self.service, self.tail());
    }

    fn tail(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }
}

/// The program of a service beside this test's own.
///
/// # Panics
/// If it was not built: `make test` builds the programs first.
#[must_use]
pub fn program(service: &str) -> PathBuf {
    binary(&format!("gongkai-{service}"))
}

/// A program of this workspace, beside this test's own.
///
/// # Panics
/// If it was not built: `make test` builds the programs first.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("this program is a file");
    // Programs are in target/<profile>, tests one folder below.
    let folders = own.ancestors().skip(1).take(2);
    let paths: Vec<PathBuf> = folders.map(|folder| folder.join(name)).collect();
    let path =
        paths.iter().find(|path| path.exists()).or(paths.last()).expect("a program lies in a folder").clone();
    assert!(
        path.exists(),
        "{} is not built: run `cargo build --workspace --bins` or `make test`",
        path.display()
    );
    path
}

/// A loopback port that was free a moment ago.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn free_port() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free loopback port");
    listener.local_addr().expect("a bound listener has an address")
}

#[expect(clippy::print_stderr, reason = "a failing test shows the logs of its processes")]
fn eprint_log(service: &str, tail: &str) {
    eprintln!("--- last lines of {service}\n{tail}");
}
