//! `gongkai check --explain-reading`: how each document is read, for whoever mends the readers.

use std::{io::Write as _, path::PathBuf, process::ExitCode};

use gongkai_check::{Hints, Limits};
use gongkai_model::masked;

use super::files::{self, DocumentSource};
use crate::printer::{Printer, complain};

/// Prints how each document is read. The reading happens in this process, not in a child.
pub(super) fn run(paths: Vec<PathBuf>, out: &mut Printer) -> anyhow::Result<ExitCode> {
    let mut exit = ExitCode::SUCCESS;
    for file in files::sources(paths).flat_map(DocumentSource::files) {
        match explained(&file) {
            Ok(told) => write!(out, "{}\n{}", file.name(), masked(&told))?,
            Err(error) => {
                complain(format_args!("{}: {error:#}", file.name()));
                exit = ExitCode::from(2);
            }
        }
    }
    out.flush()?;
    Ok(exit)
}

fn explained(file: &DocumentSource) -> anyhow::Result<String> {
    let limits = Limits::default();
    let bytes = file.read(limits.input_bytes)?;
    let hints = Hints { filename: file.filename(), ..Hints::default() };
    let told = gongkai_reading::explain(&bytes, &hints, &limits);
    told.map_err(|rejection| anyhow::anyhow!("{}: {}", rejection.code, rejection.message_en))
}
