//! Submits the reports of one neighbourhood in several orders, with a kill in the middle, and compares the final
//! findings. With `times`, also submits events with stated times, and compares the current contents. For each report
//! that differs, prints the lines that only the first order has (`-`) and those that only this order has (`+`).
//!
//! `cargo run -p gongkai-tests --bin orders -- [AGENCIES] [ORDERS] [FIRST] [times]`. Defaults: 200 agencies and 10
//! orders from order 0 on. Ends with 1 if an order made a difference. Build the services before (`cargo build`).

use std::{collections::BTreeSet, process::ExitCode, time::Instant};

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
    let first = numbers.next().transpose()?.unwrap_or_default();
    let (neighbourhood, lives) = (Neighbourhood::of(agencies), Lives::of(agencies));
    let turns = neighbourhood.turns();
    let mut expected: Option<Findings> = None;
    let mut differing = 0;
    for seed in first..first + orders {
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
        let differences = differences(expected, &found);
        let different = differences.len();
        differing += different + wrong;
        println!(
            "order {seed}: {} reports, {lines} lines, {different} reports differ, {wrong} are not what the times say, {:.0} s",
            found.len(),
            start.elapsed().as_secs_f64()
        );
        differences.iter().for_each(|difference| println!("{difference}"));
    }
    println!("{orders} orders of {agencies} agencies: {differing} differences");
    Ok(if differing == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Returns the reports that differ, each with the lines that only one side has.
fn differences(expected: &Findings, found: &Findings) -> Vec<String> {
    let reports: BTreeSet<_> = expected.keys().chain(found.keys()).collect();
    let differing = reports.into_iter().filter(|report| expected.get(*report) != found.get(*report));
    let lines = |side: &Findings, report: &String| side.get(report).cloned().unwrap_or_default();
    differing
        .map(|report| {
            let (expected, found) = (lines(expected, report), lines(found, report));
            let missing = without(&expected, &found).map(|line| format!("\n- {line}"));
            let added = without(&found, &expected).map(|line| format!("\n+ {line}"));
            format!("{report}{}", missing.chain(added).collect::<String>())
        })
        .collect()
}

/// Returns the lines that do not occur among `others`, or occur there less often.
fn without<'a>(lines: &'a [String], others: &[String]) -> impl Iterator<Item = &'a String> {
    let mut left = others.to_vec();
    lines.iter().filter(move |line| match left.iter().position(|other| other == *line) {
        Some(at) => {
            left.swap_remove(at);
            false
        }
        None => true,
    })
}
