//! The program `gongkai-ingest`.

use std::process::ExitCode;

use gongkai_ingest::Ingest;
use gongkai_rules::RuleSet;

#[global_allocator]
static ALLOCATOR: gongkai_worker::Allocator = gongkai_worker::Allocator;

fn main() -> ExitCode {
    // Ingest contains readers and rules, for its dry run.
    gongkai_worker::main::<Ingest>(gongkai_proto::about!(
        "gongkai-ingest",
        RuleSet::embedded().versions().labels()
    ))
}
