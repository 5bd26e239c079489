//! `gongkai-validate`: the validate service as a program of its own.

use std::process::ExitCode;

use gongkai_rules::RuleSet;
use gongkai_validate::Validate;

#[global_allocator]
static ALLOCATOR: gongkai_worker::Allocator = gongkai_worker::Allocator;

fn main() -> ExitCode {
    gongkai_worker::main::<Validate>(gongkai_proto::about!(
        "gongkai-validate",
        RuleSet::embedded().versions().labels()
    ))
}
