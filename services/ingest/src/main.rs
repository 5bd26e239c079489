//! `gongkai-ingest`: the way in, as a program of its own.

use std::process::ExitCode;

use gongkai_ingest::Ingest;
use gongkai_rules::RuleSet;

fn main() -> ExitCode {
    // Its dry run reads and checks.
    gongkai_worker::main::<Ingest>(gongkai_proto::about!(
        "gongkai-ingest",
        RuleSet::embedded().versions().labels()
    ))
}
