//! Measures the cost of reading in a child: wall and CPU time of each file, in this process and in a child.
//!
//!     cargo run --release -p gongkai-isolation --features testing --example cost -- FILE…
//!
//! Prints one line of JSON for each file, in milliseconds. CPU time is that of the parent and the child together.

#![expect(clippy::print_stdout, reason = "an example prints")]

use std::{
    env, fs,
    hint::black_box,
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use gongkai_isolation::{RawDocument, Readers, ReadersSettings};
use gongkai_reading::{Hints, Limits, ReportHints};
use rustix::time::{ClockId, clock_gettime};

/// Number of readings of each file.
const ROUNDS: u32 = 60;

/// The kernel counts CPU time of other processes in ticks of this many milliseconds.
const TICK_MS: f64 = 10.0;

fn main() -> ExitCode {
    if let Some(code) = gongkai_isolation::run_child() {
        return code;
    }
    let settings = ReadersSettings { children: 1, ..ReadersSettings::default() };
    let readers = Readers::new(&settings).expect("a thread can be started");
    for file in env::args().skip(1) {
        let bytes = fs::read(&file).expect("the file can be read");
        let filename = Path::new(&file).file_name().and_then(|name| name.to_str());
        let hints = Hints { filename, ..Hints::default() };
        let document =
            RawDocument { bytes: &bytes, hints, known: ReportHints::default(), limits: Limits::default() };
        let here = measure(|| drop(black_box(gongkai_reading::read(&bytes, &hints, &document.limits))));
        let child = measure(|| drop(black_box(readers.read(&document, &()).expect("a child can read"))));
        println!(
            "{{\"file\": {file:?}, \"here_wall_ms\": {:.3}, \"here_cpu_ms\": {:.3}, \"child_wall_ms\": {:.3}, \"child_cpu_ms\": {:.3}}}",
            here.0, here.1, child.0, child.1
        );
    }
    ExitCode::SUCCESS
}

/// Returns the minimum wall time and the average CPU time, in milliseconds. Other programs on the machine can only
/// increase the wall time.
fn measure(work: impl Fn()) -> (f64, f64) {
    work();
    let before = cpu_ms();
    let time = || {
        let begun = Instant::now();
        work();
        begun.elapsed()
    };
    let least = (0..ROUNDS).map(|_| time()).min().unwrap_or(Duration::MAX);
    (least.as_secs_f64() * 1e3, (cpu_ms() - before) / f64::from(ROUNDS))
}

/// Returns the CPU time of this process and its children so far.
fn cpu_ms() -> f64 {
    let own = clock_gettime(ClockId::ProcessCPUTime);
    let own: Duration = own.try_into().expect("CPU time is not negative");
    let parent = std::process::id().to_string();
    let stats = fs::read_dir("/proc").expect("this is Linux").flatten();
    let stats = stats.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
    let ticks = stats.filter_map(|stat| {
        let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
        (fields[1] == parent).then(|| fields[11].parse::<f64>().ok().zip(fields[12].parse::<f64>().ok()))?
    });
    own.as_secs_f64() * 1e3 + ticks.map(|(user, system)| (user + system) * TICK_MS).sum::<f64>()
}
