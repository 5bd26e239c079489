//! A service as a process of its own.

use std::{net::SocketAddr, path::PathBuf, process::Child, time::Duration};

use gongkai_worker::testing::free_port;

/// One service process.
pub(crate) struct Process {
    pub(crate) service: &'static str,
    pub(crate) addresses: Addresses,
    pub(crate) log: PathBuf,
    pub(crate) child: Child,
}

/// The addresses of a process. A process that replaces it has the same ones.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Addresses {
    pub(crate) admin: SocketAddr,
    /// HTTP address of ingest, gRPC address of query.
    pub(crate) front: SocketAddr,
    /// gRPC address of ingest.
    pub(crate) submissions: SocketAddr,
}

/// A signal to a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Ends the process at once, as a crash would.
    Kill,
    /// Lets a suspended process continue.
    Continue,
    /// Asks the process to finish its work and to end.
    Terminate,
}

impl Signal {
    pub(crate) const fn option(self) -> &'static str {
        match self {
            Self::Kill => "-KILL",
            Self::Continue => "-CONT",
            Self::Terminate => "-TERM",
        }
    }
}

impl Addresses {
    pub(crate) fn free() -> Self {
        Self { admin: free_port(), front: free_port(), submissions: free_port() }
    }
}

impl Process {
    pub(crate) async fn ready(&mut self) {
        let url = format!("http://{}/readyz", self.addresses.admin);
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

    pub(crate) async fn exit(&mut self) -> bool {
        for _ in 0..400 {
            if let Some(status) = self.child.try_wait().expect("our own child can be asked") {
                return status.success();
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{} did not stop within 40 s\n{}", self.service, self.tail());
    }

    pub(crate) fn tail(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    #[expect(clippy::print_stderr, reason = "a failing test shows the logs of its processes")]
    pub(crate) fn print_tail(&self) {
        eprintln!("--- last lines of {}\n{}", self.service, self.tail());
    }
}
