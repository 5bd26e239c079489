//! Measures the cost of a document from bytes to report: milliseconds of CPU time, megabytes per second, and the peak
//! memory of reading it, above the process's earlier memory.
//!
//!     cargo bench -p gongkai-reading --bench reading -- FILE…
//!
//! Prints one line of JSON for each file. Times are warm: a first reading, which is not counted, loads the forms, the
//! dictionary of glyphs and the character maps. Memory is measured cold, in a process of its own that reads the file
//! once.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench stops at the first surprise and prints"
)]

use std::{
    fs,
    hint::black_box,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use gongkai_reading::{Hints, Limits};
use rustix::time::{ClockId, clock_gettime};

/// The allocator of every program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Minimum time for which a file is read repeatedly.
const MEASURED: Duration = Duration::from_millis(400);

/// Minimum number of readings.
const ROUNDS: u32 = 15;

fn main() {
    // `cargo test --benches` only checks that the bench starts.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let files = arguments.iter().filter(|argument| !argument.starts_with("--"));
    if arguments.iter().any(|argument| argument == "--once") {
        files.for_each(|file| println!("{}", peak_of_one(file)));
        return;
    }
    for file in files {
        let bytes = fs::read(file).unwrap();
        let (median, least, media_type) = cpu(&bytes, file);
        let peak = peak(file);
        println!(
            "{}",
            serde_json::json!({"file": file, "media_type": media_type, "bytes": bytes.len(), "ms": median, "least_ms": least, "peak_kb": peak})
        );
    }
}

/// Returns the median and the minimum CPU time of a reading, in milliseconds, and the result. On a busy machine,
/// compare builds by the minimum.
fn cpu(bytes: &[u8], file: &str) -> (f64, f64, String) {
    let filename = Path::new(file).file_name().and_then(|name| name.to_str());
    let hints = Hints { filename, ..Hints::default() };
    let limits = Limits::default();
    let read = || black_box(gongkai_reading::read(black_box(bytes), &hints, &limits));
    let media_type =
        read().map_or_else(|e| e.code.to_string(), |reading| reading.media_type.as_str().to_owned());
    let begun = Instant::now();
    let mut times = Vec::new();
    while begun.elapsed() < MEASURED || times.len() < ROUNDS as usize {
        let before = thread_time();
        drop(read());
        times.push(thread_time().saturating_sub(before));
    }
    times.sort_unstable();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    (milliseconds(times[times.len() / 2]), milliseconds(times[0]), media_type)
}

fn thread_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.try_into().unwrap(), now.tv_nsec.try_into().unwrap())
}

/// Measures the file in another process of this program. Returns kB.
fn peak(file: &str) -> u64 {
    let output =
        Command::new(std::env::current_exe().unwrap()).args(["--bench", "--once", file]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

/// Returns the peak memory of the first reading of a file, above the memory before it, in kB.
fn peak_of_one(file: &str) -> u64 {
    let idle = status("VmRSS:");
    let bytes = fs::read(file).unwrap();
    let filename = Path::new(file).file_name().and_then(|name| name.to_str());
    drop(black_box(gongkai_reading::read(
        &bytes,
        &Hints { filename, ..Hints::default() },
        &Limits::default(),
    )));
    status("VmHWM:").saturating_sub(idle)
}

/// Returns a value of `/proc/self/status`, in kB.
fn status(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
