//! Measures how fast a read model is built from the log, over a real server: reports of 200 facts and 6 KB of prose.
//!
//! Prints events per second from the start of the service until it answers, and the CPU time of this process per
//! event. Needs a nats-server, as the tests do.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench stops at the first surprise and prints"
)]

#[expect(dead_code, reason = "the tests use more of it")]
#[path = "../tests/read_model/bench.rs"]
mod bench;

use std::time::{Duration, Instant};

use bench::Bench;

const REPORTS: u32 = 5000;
const ROUNDS: usize = 3;

fn main() {
    // `cargo test --benches` only checks that the bench starts.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    tokio.block_on(measure());
}

async fn measure() {
    let mut bench = Bench::start().await;
    (bench.facts, bench.prose) = (200, 6000);
    bench.publish(0..REPORTS).await;
    for round in 0..ROUNDS {
        let folder = tempfile::tempdir().unwrap();
        bench.config.database = folder.path().join("query.db");
        let (started, cpu) = (Instant::now(), cpu_s());
        let query = bench.query().await;
        while query.names().await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let (took, cpu) = (started.elapsed().as_secs_f64(), cpu_s() - cpu);
        let events = f64::from(REPORTS);
        println!(
            "round {round}: {events} events in {took:.1} s, {:.0} events/s, {:.2} ms of CPU each",
            events / took,
            cpu * 1000.0 / events
        );
        query.stop().await;
    }
}

/// Returns the CPU time of this process so far, in seconds: fields 14 and 15 of `/proc/self/stat`, in hundredths.
fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let ticks: u32 = fields.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u32>().unwrap()).sum();
    f64::from(ticks) / 100.0
}
