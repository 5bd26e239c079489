//! The program `gongkai-notify`.

use std::process::ExitCode;

use gongkai_notify::Notify;

#[global_allocator]
static ALLOCATOR: gongkai_worker::Allocator = gongkai_worker::Allocator;

fn main() -> ExitCode {
    gongkai_worker::main::<Notify>(gongkai_proto::about!("gongkai-notify", Vec::new()))
}
