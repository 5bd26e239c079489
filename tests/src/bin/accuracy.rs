//! `make accuracy`: the scorecard of the samples and, where there is one, of a corpus folder.
//!
//!     accuracy [CORPUS]
//!
//! Exit code 1 if any cell is silently wrong.

#![expect(clippy::print_stdout, reason = "the scorecard is what this program prints")]

use std::{path::Path, process::ExitCode};

use anyhow::Context as _;
use gongkai_tests::scorecard::{self, Card};

fn main() -> anyhow::Result<ExitCode> {
    let mut questions = [scorecard::samples(), scorecard::editors()].concat();
    match std::env::args().nth(1) {
        Some(folder) => {
            let corpus =
                scorecard::corpus(Path::new(&folder)).with_context(|| format!("couldn't read {folder}"))?;
            println!("{} samples and the {} reports of {folder}", questions.len(), corpus.len());
            questions.extend(corpus);
        }
        None => println!("{} samples only (GONGKAI_CORPUS=folder adds reports)", questions.len()),
    }
    let card = Card::of(&questions);
    println!("\n{card}");
    for (what, cells) in [
        ("unreadable", &card.total.open),
        ("identity", &card.total.misnamed),
        ("SILENTLY WRONG", &card.total.wrong),
    ] {
        cells.iter().for_each(|cell| println!("{what}: {cell}"));
    }
    Ok(if card.total.wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
