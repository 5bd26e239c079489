//! `gongkai`: the command line, and all services in one process.

mod cli;
mod client;
mod commands;
mod csv_writer;
mod filter;
mod printer;
mod progress;
mod table;
mod times;
mod view;

use std::process::ExitCode;

use clap::Parser;

use self::{
    cli::Cli,
    printer::{Printer, complain, is_closed_pipe},
};

/// Exit code of a command that failed.
const FAILED: u8 = 2;

#[global_allocator]
static ALLOCATOR: gongkai_worker::Allocator = gongkai_worker::Allocator;

fn main() -> ExitCode {
    if let Some(code) = gongkai_isolation::run_child() {
        return code;
    }
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(format_args!("couldn't start: {error}"));
            return ExitCode::from(FAILED);
        }
    };
    let mut out = Printer::stdout();
    // Run on this thread: the kernel may end a child with the thread that started it.
    let result = runtime.block_on(cli.run(&mut out));
    let result = result.and_then(|code| Ok(out.flush().map(|()| code)?));
    // Threads that still block are not waited for.
    runtime.shutdown_background();
    match result {
        Ok(code) => code,
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            complain(format_args!("{error:#}"));
            ExitCode::from(FAILED)
        }
    }
}
