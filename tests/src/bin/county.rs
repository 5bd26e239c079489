//! Compares the findings of `gongkai check DIR` with those of a running deployment over the same files, and prints each that only one
//! side has: `-` check, `+` the deployment.
//!
//! `cargo run -p gongkai-tests --bin county -- [BODIES]` (default 60). Ends with 1 if there is a difference. Build the services
//! before (`cargo build`). `county -- files DIR [BODIES]` only writes the files and the list of agencies.

use std::{path::Path, process::ExitCode, time::Instant};

use gongkai_tests::county::{Counties, differences};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "a program for people: what it prints is its result")]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (folder, bodies) = match arguments.as_slice() {
        [files, folder, rest @ ..] if files == "files" => (Some(folder), rest.first()),
        rest => (None, rest.first()),
    };
    let counties = Counties::of(bodies.map(|text| text.parse()).transpose()?.unwrap_or(60));
    if let Some(folder) = folder {
        counties.write(Path::new(folder))?;
        return Ok(ExitCode::SUCCESS);
    }
    let begun = Instant::now();
    let served = counties.served().await;
    let served_in = begun.elapsed();
    let begun = Instant::now();
    let checked = counties.checked();
    let differences = differences(&checked, &served);
    differences.iter().for_each(|difference| println!("{difference}"));
    let findings: usize = checked.values().map(Vec::len).sum();
    println!(
        "{} reports, {findings} findings, {} differences; the deployment took {:.0} s, the check {:.0} s",
        checked.len(),
        differences.len(),
        served_in.as_secs_f64(),
        begun.elapsed().as_secs_f64()
    );
    Ok(if differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
