//! The NATS server as a child process.
//!
//! It has a process group of its own, so that Ctrl-C on a terminal reaches only this process and the services can
//! drain first. On Linux with `setpriv` the kernel ends it with this process. Elsewhere it survives a crash of this
//! process, and the next start fails because its port is in use.

use std::{
    collections::VecDeque,
    fs,
    future::Future,
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

use crate::printer::complain;

const START_TIMEOUT: Duration = Duration::from_secs(60);
const START_POLL: Duration = Duration::from_millis(50);
/// Time to stop: JetStream writes its indexes meanwhile.
const STOP_TIMEOUT: Duration = Duration::from_secs(15);
/// Free space that the disk must have before a server that stopped storing is restarted.
const ROOM: usize = 8 << 20;

/// Time between two attempts to restart a server that stores nothing.
const MEND_INTERVAL: Duration = Duration::from_secs(10);
/// A server that ended this often within [`RESTART_WINDOW`] is given up.
const MAX_RESTARTS: usize = 5;
const RESTART_WINDOW: Duration = Duration::from_secs(10 * 60);
/// Pause before the second restart within the window. It doubles with each further one.
const RESTART_PAUSE: Duration = Duration::from_secs(1);

/// A running server. Dropping kills it; [`Broker::stop`] lets it finish.
pub(super) struct Broker {
    child: Child,
    launch: Launch,
}

/// The restarts of the last [`RESTART_WINDOW`].
#[derive(Default)]
struct Restarts(VecDeque<Instant>);

/// The arguments to start and restart the server.
struct Launch {
    binary: PathBuf,
    folder: PathBuf,
    address: SocketAddr,
    config: PathBuf,
    log: PathBuf,
}

impl Broker {
    /// Starts the server and waits until it listens. Must be called on the main thread: the kernel ends the child
    /// with the thread that started it.
    ///
    /// # Errors
    /// The server did not start; the error contains the end of its log.
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
        let launch = Launch { binary: binary.to_owned(), folder, address, config, log };
        let mut this = Self { child: launch.spawn()?, launch };
        this.await_listening().await?;
        Ok(this)
    }

    /// Restarts the server whenever it ends, and when it is stuck because its disk was full. Returns if it ended more
    /// often than [`MAX_RESTARTS`] within [`RESTART_WINDOW`], which a message says.
    ///
    /// # Cancel safety
    /// Cancel safe: a restart that is cancelled leaves a server for [`Broker::stop`].
    pub(super) async fn keep<F: Future<Output = ()>>(&mut self, stuck: impl Fn() -> F) {
        let mut restarts = Restarts::default();
        let mut mend_pause = Duration::ZERO;
        loop {
            let restarted = tokio::select! {
                _ = self.child.wait() => {
                    let Some(pause) = restarts.next(Instant::now()) else { break };
                    complain(format_args!(
                        "the NATS server ended by itself; restarting it, {} of {MAX_RESTARTS} times in {} minutes: {}",
                        restarts.0.len(),
                        RESTART_WINDOW.as_secs() / 60,
                        self.last_words()
                    ));
                    sleep(pause).await;
                    self.restart().await
                }
                () = async { sleep(mend_pause).await; stuck().await } => {
                    mend_pause = MEND_INTERVAL;
                    self.restart_if_room().await
                }
            };
            if let Err(error) = restarted {
                // If the server has ended, the next round finds that.
                complain(format_args!("{error:#}"));
            }
        }
        complain(format_args!(
            "the NATS server ended by itself more than {MAX_RESTARTS} times in {} minutes; stopping: {}",
            RESTART_WINDOW.as_secs() / 60,
            self.last_words()
        ));
    }

    async fn restart(&mut self) -> anyhow::Result<()> {
        self.child = self.launch.spawn()?;
        self.await_listening().await
    }

    /// Restarts the server if its disk has room again. A server whose disk was full stores nothing until it is
    /// restarted.
    async fn restart_if_room(&mut self) -> anyhow::Result<()> {
        if !self.launch.has_room() {
            complain(format_args!("the disk of {} is full: make room", self.launch.folder.display()));
            return Ok(());
        }
        complain("the NATS server stores nothing since its disk was full; there is room now, restarting it");
        self.end().await;
        self.restart().await
    }

    /// Asks the server to stop and waits; kills it if that takes too long.
    pub(super) async fn stop(mut self) {
        self.end().await;
    }

    async fn end(&mut self) {
        if let Some(pid) = self.child.id() {
            // The server's command for sending a signal.
            let told =
                Command::new(&self.launch.binary).arg("--signal").arg(format!("term={pid}")).output().await;
            let ended = timeout(STOP_TIMEOUT, self.child.wait()).await;
            if told.is_err() || ended.is_err() {
                complain(format_args!(
                    "the NATS server did not stop in time and is killed (see {})",
                    self.launch.log.display()
                ));
            }
        }
        self.child.kill().await.ok();
    }

    async fn await_listening(&mut self) -> anyhow::Result<()> {
        let address = self.launch.address;
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
        let path = &self.launch.log;
        let log = fs::read_to_string(path).unwrap_or_default();
        let line = log.lines().rev().find(|line| line.contains("[FTL]") || line.contains("[ERR]"));
        format!("{} (see {})", line.or(log.lines().last()).unwrap_or("it said nothing"), path.display())
    }
}

// === impl Restarts ===

impl Restarts {
    /// Counts a restart and returns the pause before it, or `None` if there were too many.
    fn next(&mut self, now: Instant) -> Option<Duration> {
        self.0.retain(|earlier| now.duration_since(*earlier) < RESTART_WINDOW);
        let earlier = u32::try_from(self.0.len()).ok().filter(|_| self.0.len() < MAX_RESTARTS)?;
        self.0.push_back(now);
        Some(if earlier == 0 { Duration::ZERO } else { RESTART_PAUSE * 2_u32.pow(earlier - 1) })
    }
}

// === impl Launch ===

impl Launch {
    fn spawn(&self) -> anyhow::Result<Child> {
        command(&self.binary)
            .arg("--config")
            .arg(&self.config)
            .args(["--addr", &self.address.ip().to_string(), "--port", &self.address.port().to_string()])
            .args(["--name", "gongkai-up", "--jetstream"])
            .arg("--store_dir")
            .arg(&self.folder)
            .arg("--log")
            .arg(&self.log)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("couldn't start {}", self.binary.display()))
    }

    /// Returns true if the disk has room for a file of [`ROOM`] bytes.
    fn has_room(&self) -> bool {
        let probe = self.folder.join("room");
        let is_written = fs::write(&probe, vec![0; ROOM]).is_ok();
        // Remove the file of a failed attempt, because it uses space.
        fs::remove_file(&probe).ok();
        is_written
    }
}

/// Returns the command that runs the server, which ends with this process where the system supports it.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restarts_slow_down_and_end_unless_they_are_far_apart() {
        let (mut restarts, start) = (Restarts::default(), Instant::now());
        let pauses: Vec<_> = (0..5).map(|_| restarts.next(start).unwrap().as_secs()).collect();
        assert_eq!(pauses, [0, 1, 2, 4, 8]);
        assert_eq!(restarts.next(start + Duration::from_secs(599)), None);
        assert_eq!(restarts.next(start + RESTART_WINDOW), Some(Duration::ZERO));
    }
}
