//! `gongkai-parse`: reads received documents, as a program of its own.

use std::process::ExitCode;

use gongkai_parse::Parse;

fn main() -> ExitCode {
    gongkai_worker::main::<Parse>(gongkai_proto::about!(
        "gongkai-parse",
        gongkai_reading::versions().labels()
    ))
}
