//! Submits the reports of one neighbourhood in several orders, with a kill in the middle, and compares the final
//! findings. With `times`, also submits events with stated times, and compares the current contents.
//!
//! `cargo run -p gongkai-tests --bin orders -- [AGENCIES] [ORDERS] [times]`. Defaults: 200 agencies and 10 orders.
//! Ends with 1 if an order made a difference. Build the services before (`cargo build`).

use std::{process::ExitCode, time::Instant};

use gongkai_tests::{
    lives::Lives,
    neighbourhood::{Findings, Neighbourhood, shuffled},
};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "a program for people: what it prints is its result")]
async fn main() -> anyhow::Result<ExitCode> {
    let (timed, numbers): (Vec<_>, Vec<_>) = std::env::args().skip(1).partition(|text| text == "times");
    let mut numbers = numbers.iter().map(|text| text.parse::<usize>());
    let agencies = numbers.next().transpose()?.unwrap_or(200);
    let orders = numbers.next().transpose()?.unwrap_or(10);
    let (neighbourhood, lives) = (Neighbourhood::of(agencies), Lives::of(agencies));
    let turns = neighbourhood.turns();
    let mut expected: Option<Findings> = None;
    let mut differing = 0;
    for seed in 0..orders {
        let start = Instant::now();
        let order = u64::try_from(seed)?;
        let (found, wrong) = if timed.is_empty() {
            (neighbourhood.run(&shuffled(&turns, order), seed > 0).await, 0)
        } else {
            let found = lives.run(&lives.shuffled(order), seed).await;
            let wrong = lives.wrong(&found);
            (found, wrong)
        };
        let lines: usize = found.values().map(Vec::len).sum();
        let expected = expected.get_or_insert_with(|| found.clone());
        let different = expected.iter().filter(|(report, lines)| found.get(*report) != Some(lines)).count();
        differing += different + wrong;
        println!(
            "order {seed}: {} reports, {lines} lines, {different} reports differ, {wrong} are not what the times say, {:.0} s",
            found.len(),
            start.elapsed().as_secs_f64()
        );
    }
    println!("{orders} orders of {agencies} agencies: {differing} differences");
    Ok(if differing == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
