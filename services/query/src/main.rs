//! `gongkai-query`: the read model behind gRPC, as a program of its own.

use std::process::ExitCode;

use gongkai_query::Query;

#[global_allocator]
static ALLOCATOR: gongkai_worker::Allocator = gongkai_worker::Allocator;

fn main() -> ExitCode {
    if let Some(code) = gongkai_isolation::run_child() {
        return code;
    }
    gongkai_worker::main::<Query>(gongkai_proto::about!("gongkai-query", Vec::new()))
}
