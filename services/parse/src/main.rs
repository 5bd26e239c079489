//! The program `gongkai-parse`.

use std::process::ExitCode;

use gongkai_parse::Parse;

#[global_allocator]
static ALLOCATOR: gongkai_worker::Allocator = gongkai_worker::Allocator;

fn main() -> ExitCode {
    if let Some(code) = gongkai_isolation::run_child() {
        return code;
    }
    gongkai_worker::main::<Parse>(gongkai_proto::about!(
        "gongkai-parse",
        gongkai_reading::versions().labels()
    ))
}
