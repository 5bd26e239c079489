//! A temporary nats-server: on loopback, on a free port, with JetStream in a temporary folder.
//!
//! Dropping it kills the process and removes the folder. If no server binary is found, [`NatsServer::start`] panics
//! with instructions, so that a test that needs a broker never passes without one.
//!
//! The binary is the one that `GONGKAI_NATS_SERVER` names, else the one on the `PATH` if it is 2.15.1 or later, else
//! `.tools/bin/nats-server` of this workspace, where `deploy/local/nats-server.sh` installs it.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use super::{ports::free_port, suspend::suspend};

const OLDEST: (u64, u64, u64) = (2, 15, 1);
/// Generous, because several tests may start servers at once on a busy machine.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// A running or killed server of one test.
pub struct NatsServer {
    binary: PathBuf,
    folder: TempDir,
    child: Option<Child>,
    address: SocketAddr,
}

// === impl NatsServer ===

impl NatsServer {
    /// Starts a server with default settings and waits until it listens.
    ///
    /// # Panics
    /// If no usable nats-server is found, or it does not start.
    pub async fn start() -> Self {
        Self::start_with("").await
    }

    /// Starts a server with additional lines of configuration.
    ///
    /// # Panics
    /// Like [`NatsServer::start`].
    pub async fn start_with(config: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("gongkai-nats-").tempdir();
        let folder = folder.expect("a test machine has a writable temporary folder");
        fs::write(folder.path().join("server.conf"), config).expect("the folder was just created");
        let mut server = Self { binary: find_binary(), folder, child: None, address: free_port() };
        server.spawn().await;
        server
    }

    /// Starts a cluster of `servers` servers, named by their numbers from 0.
    ///
    /// # Panics
    /// Like [`NatsServer::start`].
    pub async fn start_cluster(servers: usize) -> Vec<Self> {
        let routes: Vec<_> = (0..servers).map(|_| free_port()).collect();
        let all = routes.iter().map(|route| format!("nats://{route}")).collect::<Vec<_>>().join(", ");
        let mut cluster = Vec::new();
        for (number, route) in routes.into_iter().enumerate() {
            let config = format!(
                "server_name: \"{number}\"\ncluster {{ name: test, listen: \"{route}\", routes: [{all}] }}\n"
            );
            cluster.push(Self::start_with(&config).await);
        }
        cluster
    }

    /// Returns the URL for clients. It stays the same after a restart.
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://{}", self.address)
    }

    /// Returns the folder of the store.
    #[must_use]
    pub fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// Makes writes fail that would let a file of the server grow beyond `bytes`, as on a full disk. `None` lifts the
    /// limit. Needs `prlimit`, which Linux has.
    ///
    /// # Panics
    /// If the server is not running, or there is no `prlimit`.
    pub fn limit_files(&mut self, bytes: Option<u64>) {
        let pid = self.pid().to_string();
        let soft = bytes.map_or("unlimited".to_owned(), |bytes| bytes.to_string());
        let status = Command::new("prlimit").args(["--pid", &pid, &format!("--fsize={soft}:")]).status();
        assert!(status.is_ok_and(|status| status.success()), "prlimit of {pid} failed");
    }

    /// Kills the server, as a crash would. Its store is kept.
    pub fn kill(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        // Either fails only if the process has already exited.
        child.kill().ok();
        child.wait().ok();
    }

    /// Suspends the server: connections stay open but nothing is answered, as on a hung machine.
    ///
    /// # Panics
    /// If the server is not running.
    pub fn pause(&self) {
        suspend(self.pid());
    }

    /// Resumes a suspended server.
    ///
    /// # Panics
    /// If the server is not running.
    pub fn resume(&self) {
        let pid = self.pid().to_string();
        let status = Command::new("kill").args(["-CONT", &pid]).status();
        assert!(status.is_ok_and(|status| status.success()), "kill -CONT {pid} failed");
    }

    fn pid(&self) -> u32 {
        self.child.as_ref().expect("the caller has a running server").id()
    }

    /// Kills the server if it is running, and starts it again on the same port and store.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn restart(&mut self) {
        self.kill();
        self.spawn().await;
    }

    async fn spawn(&mut self) {
        let folder = self.folder.path();
        let log = fs::File::options().create(true).append(true).open(folder.join("server.log"));
        let port = self.address.port().to_string();
        let child = Command::new(&self.binary)
            .args(["--addr", "127.0.0.1", "--port", &port, "--jetstream"])
            .arg("--store_dir")
            .arg(folder.join("store"))
            .arg("--ports_file_dir")
            .arg(folder)
            .arg("--config")
            .arg(folder.join("server.conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.expect("the folder is ours and writable"))
            .spawn()
            .unwrap_or_else(|error| panic!("{} did not start: {error}", self.binary.display()));
        let pid = child.id();
        self.child = Some(child);
        self.listening(pid).await;
    }

    /// Waits for the file in which the server reports its ports: it listens then.
    async fn listening(&mut self, pid: u32) {
        let started = Instant::now();
        loop {
            if has_ports_file(self.folder.path(), pid) {
                return;
            }
            let has_ended = self.child.as_mut().is_none_or(|child| !matches!(child.try_wait(), Ok(None)));
            if has_ended || started.elapsed() > START_TIMEOUT {
                let log = fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default();
                panic!("nats-server did not come up; its log:\n{log}");
            }
            sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Returns true if the server has written `<program>_<pid>.ports`.
fn has_ports_file(folder: &Path, pid: u32) -> bool {
    let suffix = format!("_{pid}.ports");
    let mut entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.any(|entry| entry.file_name().to_string_lossy().ends_with(&suffix))
}

fn find_binary() -> PathBuf {
    if let Some(named) = std::env::var_os("GONGKAI_NATS_SERVER").map(PathBuf::from) {
        assert!(
            is_usable(&named),
            "GONGKAI_NATS_SERVER={} is no nats-server 2.15.1 or later",
            named.display()
        );
        return named;
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join("nats-server"));
    let installed = workspace().join(".tools/bin/nats-server");
    on_path.chain([installed]).find(|candidate| is_usable(candidate)).unwrap_or_else(|| {
        panic!(
            "no nats-server 2.15.1 or later found: run deploy/local/nats-server.sh, or set GONGKAI_NATS_SERVER to one"
        )
    })
}

fn is_usable(binary: &Path) -> bool {
    let output = Command::new(binary).arg("--version").output();
    output.is_ok_and(|output| version(&String::from_utf8_lossy(&output.stdout)) >= Some(OLDEST))
}

/// Parses the version from `nats-server: v2.15.1`.
fn version(text: &str) -> Option<(u64, u64, u64)> {
    let mut numbers = text.trim().rsplit_once('v')?.1.split(['.', '-']).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?))
}

fn workspace() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(3).expect("this crate is three folders below the workspace")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        assert!(version("nats-server: v2.15.1\n") >= Some(OLDEST));
        assert!(version("nats-server: v2.16.0-beta.1") > Some(OLDEST));
        assert!(version("nats-server: v2.15.0") < Some(OLDEST));
        assert!(version("something else") < Some(OLDEST));
    }

    #[tokio::test]
    async fn a_dropped_server_leaves_no_folder() {
        let server = NatsServer::start().await;
        let folder = server.folder.path().to_owned();
        assert!(server.url().starts_with("nats://127.0.0.1:"));
        drop(server);
        assert!(!folder.exists());
    }
}
