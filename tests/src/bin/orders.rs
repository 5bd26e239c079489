//! Submits the reports of one neighbourhood in several orders, with a kill in the middle, and compares the final
//! findings.
//!
//! `cargo run -p gongkai-tests --bin orders -- [AGENCIES] [ORDERS]`; Defaults: 200 agencies and 10 orders. Ends with 1
//! if an order made a difference. Build the services before (`cargo build`).

use std::{process::ExitCode, time::Instant};

use gongkai_tests::neighbourhood::{Findings, Neighbourhood, shuffled};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "a program for people: what it prints is its result")]
async fn main() -> anyhow::Result<ExitCode> {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<usize>());
    let agencies = arguments.next().transpose()?.unwrap_or(200);
    let orders = arguments.next().transpose()?.unwrap_or(10);
    let neighbourhood = Neighbourhood::of(agencies);
    let turns = neighbourhood.turns();
    let mut expected: Option<Findings> = None;
    let mut differing = 0;
    for seed in 0..orders {
        let (start, order) = (Instant::now(), shuffled(&turns, u64::try_from(seed)?));
        let found = neighbourhood.run(&order, seed > 0).await;
        let findings: usize = found.values().map(Vec::len).sum();
        let expected = expected.get_or_insert_with(|| found.clone());
        let different = expected.iter().filter(|(report, lines)| found.get(*report) != Some(lines)).count();
        differing += different;
        println!(
            "order {seed}: {} reports, {findings} findings, {different} reports differ, {:.0} s",
            found.len(),
            start.elapsed().as_secs_f64()
        );
    }
    println!("{orders} orders of {agencies} agencies and two years: {differing} differences");
    Ok(if differing == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
