//! `make chaos`: injects faults into a running deployment, and checks its final state.
//!
//!     chaos [SECONDS] [SEED] [OFFICES]
//!
//! Defaults: 300 s, a random seed and 12 offices. Ends with 1 if an invariant is violated. Build the services before
//! (`cargo build --workspace --bins`).

#![expect(clippy::print_stdout, reason = "a program for people: what it prints is its result")]

use std::{process::ExitCode, time::Duration};

use gongkai_tests::chaos::{self, Order};

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u64>());
    let seconds = arguments.next().transpose()?.unwrap_or(300);
    let seed = arguments.next().transpose()?.unwrap_or_else(|| fastrand::u64(0..1_000_000));
    let offices = usize::try_from(arguments.next().transpose()?.unwrap_or(12))?;
    println!("chaos {seconds} {seed} {offices}: the arguments that repeat it");
    let outcome = chaos::run(Order { seed, duration: Duration::from_secs(seconds), offices }).await;
    println!("submissions: {:?}", outcome.states);
    println!("faults: {:?}", outcome.faults);
    println!("alerts delivered: {}, of them repeated: {}", outcome.delivered.0, outcome.delivered.1);
    println!("at rest {:.0} s after the last fault", outcome.recovery.as_secs_f64());
    outcome.violations.iter().for_each(|violation| println!("VIOLATED {violation}"));
    Ok(if outcome.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
