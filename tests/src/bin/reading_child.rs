//! The child that reads documents for tests whose own program cannot be one.

use std::process::ExitCode;

fn main() -> ExitCode {
    gongkai_isolation::run_child().unwrap_or(ExitCode::FAILURE)
}
