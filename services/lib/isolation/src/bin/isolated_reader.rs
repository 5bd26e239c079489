//! A program that only runs as a child, for the tests of this crate.

use std::process::ExitCode;

fn main() -> ExitCode {
    gongkai_isolation::run_child().unwrap_or(ExitCode::FAILURE)
}
