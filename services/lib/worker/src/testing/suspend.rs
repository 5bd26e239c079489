//! Suspending a process, as a hung machine would.

use std::{
    fs,
    process::Command,
    thread,
    time::{Duration, Instant},
};

/// How long a process may take to stop. Only a machine without any time for it needs this long.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// Suspends a process and returns when each of its threads has stopped.
///
/// `SIGSTOP` takes effect when a thread of the process is scheduled next. Until then its other threads run on, and on a
/// busy machine they answer several requests in that time. `kill -CONT` resumes the process.
///
/// # Panics
/// If there is no such process, or it runs on for 10 s.
pub fn suspend(pid: u32) {
    let status = Command::new("kill").args(["-STOP", &pid.to_string()]).status();
    assert!(status.is_ok_and(|status| status.success()), "kill -STOP {pid} failed");
    let started = Instant::now();
    while !is_suspended(pid) {
        assert!(started.elapsed() < STOP_TIMEOUT, "{pid} runs on after SIGSTOP");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Returns true if every thread of the process is stopped.
fn is_suspended(pid: u32) -> bool {
    let tasks =
        fs::read_dir(format!("/proc/{pid}/task")).unwrap_or_else(|error| panic!("process {pid}: {error}"));
    // A thread that ends between the two reads has no file any more, and does not run.
    tasks
        .flatten()
        .filter_map(|task| fs::read_to_string(task.path().join("stat")).ok())
        .all(|stat| state(&stat) == Some('T'))
}

/// Returns the state in a line of `/proc/…/stat`. It follows the name of the program, which is in brackets and may hold
/// any character.
fn state(stat: &str) -> Option<char> {
    let (_, fields) = stat.rsplit_once(')')?;
    fields.trim_start().chars().next()
}
