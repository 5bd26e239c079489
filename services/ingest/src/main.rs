//! The program `gongkai-ingest`.

use std::process::ExitCode;

use gongkai_ingest::Ingest;
use gongkai_rules::RuleSet;

#[global_allocator]
static ALLOCATOR: gongkai_worker::Allocator = gongkai_worker::Allocator;

fn main() -> ExitCode {
    if let Some(code) = gongkai_isolation::run_child() {
        return code;
    }
    // Ingest contains readers and rules, for its dry run.
    gongkai_worker::main::<Ingest>(gongkai_proto::about!(
        "gongkai-ingest",
        RuleSet::embedded().versions().labels()
    ))
}
