//! A deployment as an operator would run it: a real nats-server and the services as processes of their own, on free
//! loopback ports, with their data in a temporary folder. All of it ends when the value is dropped.

use std::{
    fs::File,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use anyhow::Context as _;
use futures::TryStreamExt as _;
use gongkai_proto::{ReportEvent, subjects, v1};
use gongkai_worker::testing::{NatsServer, suspend};
use tempfile::TempDir;

pub use crate::{
    process::Signal,
    programs::{binary, program},
};

use crate::process::{Addresses, Process};

/// A running deployment.
pub struct Deployment {
    folder: TempDir,
    /// The broker, or the brokers of a cluster.
    brokers: Vec<NatsServer>,
    processes: Vec<Process>,
    started: usize,
}

/// Replicas and settings of a deployment.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// Number of replicas of parse and of validate; 0 counts as 1.
    pub replicas: usize,
    /// Number of replicas of ingest, notify and query, each with addresses of its own; 0 counts as 1.
    pub fronts: usize,
    /// Additional TOML for the config file of all services.
    pub config: String,
    /// `telemetry.otlp_endpoint`, if traces are wanted.
    pub otlp_endpoint: Option<String>,
}

impl Deployment {
    /// Starts everything and waits until every process is ready.
    ///
    /// # Panics
    /// If a program is missing (run `make test`) or does not become ready; the message contains its log.
    pub async fn start(plan: &Plan) -> Self {
        Self::start_over(plan, "").await
    }

    /// Like [`Deployment::start`], over a broker with additional lines of configuration.
    ///
    /// # Panics
    /// Like [`Deployment::start`].
    pub async fn start_over(plan: &Plan, broker: &str) -> Self {
        Self::start_on(plan, vec![NatsServer::start_with(broker).await]).await
    }

    /// Like [`Deployment::start`], over a cluster of three brokers that keep three replicas of everything.
    ///
    /// # Panics
    /// Like [`Deployment::start`].
    pub async fn start_over_cluster(plan: &Plan) -> Self {
        Self::start_on(plan, NatsServer::start_cluster(3).await).await
    }

    /// Like [`Deployment::start`], over brokers that run already.
    ///
    /// # Panics
    /// Like [`Deployment::start`].
    pub async fn start_on(plan: &Plan, brokers: Vec<NatsServer>) -> Self {
        let mut deployment = Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
            brokers,
            processes: Vec::new(),
            started: 0,
        };
        deployment.write_config(plan);
        for service in ["ingest", "notify", "query"] {
            (0..plan.fronts.max(1)).for_each(|_| deployment.spawn(service, Addresses::free()));
        }
        for service in ["parse", "validate"] {
            (0..plan.replicas.max(1)).for_each(|_| deployment.spawn(service, Addresses::free()));
        }
        deployment.ready().await;
        deployment
    }

    /// Returns the base URL of ingest's HTTP server, or of the first replica.
    #[must_use]
    pub fn ingest(&self) -> String {
        self.fronts("ingest").remove(0)
    }

    /// Returns `host:port` of ingest's gRPC server.
    #[must_use]
    pub fn submissions(&self) -> String {
        self.of("ingest").next().expect("ingest is always started").addresses.submissions.to_string()
    }

    /// Returns `host:port` of query, or of its first replica.
    #[must_use]
    pub fn query(&self) -> String {
        self.of("query").next().expect("query is always started").addresses.front.to_string()
    }

    /// Returns the base URLs of all replicas of `ingest` or `query`.
    #[must_use]
    pub fn fronts(&self, service: &str) -> Vec<String> {
        self.of(service).map(|process| format!("http://{}", process.addresses.front)).collect()
    }

    fn of(&self, service: &str) -> impl Iterator<Item = &Process> {
        self.processes.iter().filter(move |process| process.service == service)
    }

    /// Returns the lines that all processes have logged so far, of each process in order.
    #[must_use]
    pub fn log_lines(&self) -> Vec<serde_json::Value> {
        let text = |process: &Process| std::fs::read_to_string(&process.log).unwrap_or_default();
        // The last line may be incomplete.
        let lines = |text: String| {
            text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect::<Vec<_>>()
        };
        self.processes.iter().map(text).flat_map(lines).collect()
    }

    /// Returns the answer of each service to `/metrics`, by its name.
    ///
    /// # Panics
    /// A service does not answer.
    pub async fn metrics(&self) -> Vec<(&'static str, String)> {
        let mut all = Vec::new();
        for process in &self.processes {
            let url = format!("http://{}/metrics", process.addresses.admin);
            let answer = crate::http::client().get(url).send().await.expect("the admin port answers");
            all.push((process.service, answer.text().await.expect("metrics are text")));
        }
        all
    }

    /// Returns the answer of each process to `/readyz`: its service, the status and the text.
    pub async fn readiness(&self) -> Vec<(&'static str, u16, String)> {
        let mut all = Vec::new();
        for process in &self.processes {
            let url = format!("http://{}/readyz", process.addresses.admin);
            let answer = crate::http::client().get(url).send().await;
            let (status, text) = match answer {
                Ok(answer) => (answer.status().as_u16(), answer.text().await.unwrap_or_default()),
                Err(error) => (0, error.to_string()),
            };
            all.push((process.service, status, text.trim().to_owned()));
        }
        all
    }

    /// Runs `gongkai doctor` over the deployment.
    ///
    /// # Panics
    /// If the program cannot be started.
    #[must_use]
    pub fn doctor(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(binary("gongkai"));
        command.arg("doctor").arg("--config").arg(self.config()).args(arguments);
        for process in &self.processes {
            command.arg("--admin").arg(format!("http://{}", process.addresses.admin));
        }
        command.output().expect("the program was just found")
    }

    /// Runs `gongkai` with arguments.
    ///
    /// # Panics
    /// If the program cannot be started.
    #[must_use]
    pub fn gongkai(&self, arguments: &[&str]) -> Output {
        Command::new(binary("gongkai")).args(arguments).output().expect("the program was just found")
    }

    /// Returns the broker, or the first of a cluster.
    pub fn broker(&mut self) -> &mut NatsServer {
        &mut self.brokers[0]
    }

    /// Returns the brokers by their numbers.
    pub fn brokers(&mut self) -> &mut [NatsServer] {
        &mut self.brokers
    }

    /// Returns the URLs of all brokers, separated by commas.
    #[must_use]
    pub fn nats_url(&self) -> String {
        self.brokers.iter().map(NatsServer::url).collect::<Vec<_>>().join(",")
    }

    async fn client(&self) -> Option<async_nats::Client> {
        async_nats::connect(self.brokers.iter().map(NatsServer::url).collect::<Vec<_>>()).await.ok()
    }

    /// Returns the number of the broker that leads a stream, or `None` while there is none.
    pub async fn leader(&self, stream: &str) -> Option<usize> {
        let client = self.client().await?;
        let stream = async_nats::jetstream::new(client).get_stream(stream).await.ok()?;
        stream.cached_info().cluster.as_ref()?.leader.as_ref()?.parse().ok()
    }

    /// Returns the number of brokers that follow the leader of a stream and have all its messages.
    pub async fn followers(&self, stream: &str) -> usize {
        let count = async {
            let client = self.client().await?;
            let stream = async_nats::jetstream::new(client).get_stream(stream).await.ok()?;
            let cluster = stream.cached_info().cluster.clone()?;
            Some(cluster.replicas.iter().filter(|replica| replica.current).count())
        };
        count.await.unwrap_or_default()
    }

    /// Returns the number of messages in a stream, or `None` if the broker does not answer.
    pub async fn messages(&self, stream: &str) -> Option<u64> {
        let client = self.client().await?;
        let stream = async_nats::jetstream::new(client).get_stream(stream).await.ok()?;
        Some(stream.get_info().await.ok()?.state.messages)
    }

    /// Returns the last sequence of the log if every consumer has settled the whole log, or `None` if not, or if the
    /// broker does not answer.
    ///
    /// Messages of a killed process are redelivered only after `ack_wait_s`, so a short pause is not the end. A
    /// consumer settles a message after its outputs are in the log, so the state is final once two answers in a row are
    /// equal.
    pub async fn settled(&self) -> Option<u64> {
        let client = self.client().await?;
        let stream = async_nats::jetstream::new(client).get_stream(subjects::STREAM_REPORTS).await.ok()?;
        let mut consumers = stream.consumers();
        while let Some(consumer) = consumers.try_next().await.ok()? {
            // Ingest creates such a consumer to read the log again when it starts, and does not delete it.
            let is_done_with = consumer.name.contains("-again-");
            if !is_done_with && (consumer.num_ack_pending > 0 || consumer.num_pending > 0) {
                return None;
            }
        }
        Some(stream.cached_info().state.last_sequence)
    }

    /// Returns the messages of the log whose payload names one of `words`, one line each, and the position of each
    /// consumer. They help to find the cause of a wrong answer.
    pub async fn log_of(&self, words: &[String]) -> Vec<String> {
        match self.read_log(words).await {
            Ok(lines) => lines,
            Err(error) => vec![format!("the log cannot be read: {error}")],
        }
    }

    async fn read_log(&self, words: &[String]) -> anyhow::Result<Vec<String>> {
        let client = self.client().await.context("no broker answers")?;
        let stream = async_nats::jetstream::new(client).get_stream(subjects::STREAM_REPORTS).await?;
        let state = stream.get_info().await?.state;
        let mut lines = vec![format!("log: {state:?}")];
        let mut consumers = stream.consumers();
        while let Some(consumer) = consumers.try_next().await? {
            lines.push(format!(
                "consumer {}: delivered {}, acknowledged up to {}, {} not acknowledged, {} to come",
                consumer.name,
                consumer.delivered.stream_sequence,
                consumer.ack_floor.stream_sequence,
                consumer.num_ack_pending,
                consumer.num_pending
            ));
        }
        for sequence in state.first_sequence..=state.last_sequence {
            let Ok(message) = stream.get_raw_message(sequence).await else { continue };
            let text = String::from_utf8_lossy(&message.payload);
            if words.iter().any(|word| text.contains(word)) {
                let id = message.headers.get("Nats-Msg-Id").map_or("", |id| id.as_str());
                let what = ReportEvent::decode(&message.subject, message.payload.clone())
                    .map_or_else(|e| e.to_string(), |e| told(&e));
                lines.push(format!("{sequence} {} {} {id} {what}", message.time, message.subject));
            }
        }
        Ok(lines)
    }

    /// Ends every process of a service without warning (`kill -9`) and starts the same number again.
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
            self.spawn(service, process.addresses);
        }
    }

    /// Ends query, deletes its read models, starts it again and waits until it is ready.
    ///
    /// # Panics
    /// As for [`Deployment::kill_and_restart`].
    pub async fn kill_with_new_read_model(&mut self) {
        let (dead, alive): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.processes).into_iter().partition(|p| p.service == "query");
        self.processes = alive;
        for mut process in dead {
            process.child.kill().expect("our own child can be killed");
            process.child.wait().expect("a killed child ends");
            for file in std::fs::read_dir(self.folder.path()).expect("our temporary folder").flatten() {
                if file
                    .file_name()
                    .to_string_lossy()
                    .starts_with(&format!("query-{}.db", process.addresses.front.port()))
                {
                    std::fs::remove_file(file.path()).expect("a file in our temporary folder");
                }
            }
            self.spawn("query", process.addresses);
        }
        self.ready().await;
    }

    /// Returns the number of processes. [`Deployment::name`], [`Deployment::signal`] and [`Deployment::replace`]
    /// count them from 0.
    #[must_use]
    pub fn processes(&self) -> usize {
        self.processes.len()
    }

    /// Returns the service of a process.
    #[must_use]
    pub fn name(&self, process: usize) -> &'static str {
        self.processes[process].service
    }

    /// Sends a process a signal. A process that has ended by itself gets none.
    pub fn signal(&self, process: usize, signal: Signal) {
        let pid = self.processes[process].child.id().to_string();
        // Fails only if the process has already ended.
        drop(Command::new("kill").args([signal.option(), &pid]).stderr(Stdio::null()).status());
    }

    /// Suspends a process: its connections stay open and nothing is answered until it is sent [`Signal::Continue`].
    ///
    /// # Panics
    /// If the process has ended, or runs on for 10 s.
    pub fn suspend(&self, process: usize) {
        suspend(self.processes[process].child.id());
    }

    /// Waits for the end of a process and starts another in its place. Returns true if it ended with success.
    ///
    /// # Panics
    /// If it does not end within 40 s.
    pub async fn replace(&mut self, process: usize) -> bool {
        let mut ended = self.processes.remove(process);
        let is_clean = ended.exit().await;
        self.spawn(ended.service, ended.addresses);
        let last = self.processes.pop().expect("one was just started");
        self.processes.insert(process, last);
        is_clean
    }

    /// Waits until every process is ready.
    ///
    /// # Panics
    /// If one is not ready within 60 s; the message contains its log.
    pub async fn ready(&mut self) {
        for process in &mut self.processes {
            process.ready().await;
        }
    }

    /// Checks that no process ended on its own.
    ///
    /// # Panics
    /// If one did.
    pub fn assert_nothing_restarted(&mut self) {
        for process in &mut self.processes {
            let ended = process.child.try_wait().expect("our own child can be asked");
            assert!(ended.is_none(), "{} ended: {ended:?}\n{}", process.service, process.tail());
        }
    }

    /// Returns the resident memory of each process of a service in KiB.
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

    /// Stops a service by SIGTERM and waits for it. Returns true if every process exited with success.
    ///
    /// # Panics
    /// If a process does not end within 40 s.
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
        let (nats, replicas) = (self.nats_url(), self.brokers.len());
        let otlp = plan.otlp_endpoint.clone().unwrap_or_default();
        let config = format!(
            "[nats]\nurl = \"{nats}\"\nreplicas = {replicas}\n\
             [telemetry]\notlp_endpoint = \"{otlp}\"\n\
             {}\n",
            plan.config
        );
        std::fs::write(self.config(), config).expect("a file in our temporary folder");
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("gongkai.toml")
    }

    fn spawn(&mut self, service: &'static str, addresses: Addresses) {
        self.started += 1;
        let Addresses { admin, front, submissions } = addresses;
        let database = self.folder.path().join(format!("query-{}.db", front.port()));
        let log = self.folder.path().join(format!("{service}-{}.log", self.started));
        let child = Command::new(program(service))
            .arg("--config")
            .arg(self.config())
            .env("GONGKAI_ADMIN__PORT", admin.port().to_string())
            .env("GONGKAI_INGEST__HTTP_ADDRESS", front.to_string())
            .env("GONGKAI_INGEST__GRPC_ADDRESS", submissions.to_string())
            .env("GONGKAI_QUERY__BIND", front.to_string())
            .env("GONGKAI_QUERY__DATABASE", database)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log).expect("a file in our temporary folder"))
            .spawn()
            .expect("the program was just found");
        self.processes.push(Process { service, addresses, log, child });
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        for process in &mut self.processes {
            if std::thread::panicking() {
                process.print_tail();
            }
            drop(process.child.kill());
            drop(process.child.wait());
        }
    }
}

/// Describes an event's sequence and content.
fn told(event: &ReportEvent) -> String {
    let origin = |origin: &Option<v1::Origin>| {
        let origin = origin.clone().unwrap_or_default();
        format!(
            "{} {} arrived {} {:?}",
            origin.content_hash, origin.url, origin.received_sequence, origin.effective_at
        )
    };
    match event {
        ReportEvent::Received(e) => {
            e.content.as_ref().map(|c| c.sha256.clone()).unwrap_or_default() + " " + &e.url
        }
        ReportEvent::Parsed(e) => {
            format!("{} {}", e.report.as_ref().map_or("", |r| &r.name), origin(&e.origin))
        }
        ReportEvent::Validated(e) => {
            format!(
                "{} {} validation {}",
                e.report.as_ref().map_or("", |r| &r.name),
                origin(&e.origin),
                e.validation
            )
        }
        ReportEvent::Withdrawn(e) => format!("{} {}", e.url, e.report),
        _ => String::new(),
    }
}
