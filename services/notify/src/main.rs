//! `gongkai-notify`: alerts and their delivery, as a program of its own.

use std::process::ExitCode;

use gongkai_notify::Notify;

fn main() -> ExitCode {
    gongkai_worker::main::<Notify>(gongkai_proto::about!("gongkai-notify", Vec::new()))
}
