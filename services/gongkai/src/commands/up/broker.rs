//! The NATS server as a child process.
//!
//! It has a process group of its own, so that Ctrl-C on a terminal reaches only this process and the services can drain
//! first. On Linux with `setpriv` the kernel ends it with this process. Elsewhere it outlives a crash, and the next start
//! fails because its port is taken.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, bail};
use tokio::{
    net::TcpStream,
    process::{Child, Command},
    time::{Instant, sleep, timeout},
};

use crate::output::complain;

const START_TIMEOUT: Duration = Duration::from_secs(60);
const START_POLL: Duration = Duration::from_millis(50);
/// Time to stop: JetStream writes its indexes meanwhile.
const STOP_TIMEOUT: Duration = Duration::from_secs(15);

/// A running server. Dropping kills it; [`Broker::stop`] lets it finish.
pub(super) struct Broker {
    child: Child,
    binary: PathBuf,
    log: PathBuf,
}

impl Broker {
    /// Starts it and waits until it listens. Must be called on the main thread: the kernel ends the child with the
    /// thread that started it.
    ///
    /// # Errors
    /// The server did not start; the message has the end of its log.
    pub(super) async fn start(
        binary: &Path,
        data: &Path,
        address: SocketAddr,
        sync: &str,
    ) -> anyhow::Result<Self> {
        let folder = data.join("nats");
        fs::create_dir_all(&folder).with_context(|| format!("couldn't create {}", folder.display()))?;
        let (config, log) = (folder.join("nats-server.conf"), folder.join("nats-server.log"));
        fs::write(&config, format!("jetstream {{ sync_interval: {sync} }}\nlog_size_limit: 10MB\n"))
            .with_context(|| format!("couldn't write {}", config.display()))?;
        let child = command(binary)
            .arg("--config")
            .arg(&config)
            .args(["--addr", &address.ip().to_string(), "--port", &address.port().to_string()])
            .args(["--name", "gongkai-up", "--jetstream"])
            .arg("--store_dir")
            .arg(&folder)
            .arg("--log")
            .arg(&log)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("couldn't start {}", binary.display()))?;
        let mut this = Self { child, binary: binary.to_owned(), log };
        this.await_listening(address).await?;
        Ok(this)
    }

    /// Waits until the server ends.
    ///
    /// # Cancel safety
    /// Safe.
    pub(super) async fn ended(&mut self) {
        // An error means that the child is gone.
        self.child.wait().await.ok();
    }

    /// Asks the server to stop and waits; kills it if that takes too long.
    pub(super) async fn stop(mut self) {
        if let Some(pid) = self.child.id() {
            // The server's command for sending a signal.
            let told = Command::new(&self.binary).arg("--signal").arg(format!("term={pid}")).output().await;
            let ended = timeout(STOP_TIMEOUT, self.child.wait()).await;
            if told.is_err() || ended.is_err() {
                complain(format_args!(
                    "the NATS server did not stop in time and is killed (see {})",
                    self.log.display()
                ));
            }
        }
        self.child.kill().await.ok();
    }

    async fn await_listening(&mut self, address: SocketAddr) -> anyhow::Result<()> {
        let end = Instant::now() + START_TIMEOUT;
        while TcpStream::connect(address).await.is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("the NATS server did not start ({status}): {}", self.last_words());
            }
            if Instant::now() > end {
                bail!("the NATS server does not listen on {address}: {}", self.last_words());
            }
            sleep(START_POLL).await;
        }
        Ok(())
    }

    fn last_words(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let line = log.lines().rev().find(|line| line.contains("[FTL]") || line.contains("[ERR]"));
        format!("{} (see {})", line.or(log.lines().last()).unwrap_or("it said nothing"), self.log.display())
    }
}

/// The command that runs the server, which ends with this process where the system supports it.
fn command(binary: &Path) -> Command {
    let has_setpriv = cfg!(target_os = "linux")
        && std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
            .any(|folder| folder.join("setpriv").is_file());
    if !has_setpriv {
        return Command::new(binary);
    }
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM", "--"]).arg(binary);
    command
}
