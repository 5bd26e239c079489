//! Another program for the children of this process.
//!
//! The program of a test does not begin with [`run_child`](crate::run_child), so that it cannot be its own child. No program
//! contains this module.

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Names a program whose `main` begins with [`run_child`](crate::run_child). The first call counts.
pub fn children_run(program: impl AsRef<Path>) {
    PROGRAM.get_or_init(|| program.as_ref().to_owned());
}

pub(crate) fn program() -> Option<PathBuf> {
    PROGRAM.get().cloned()
}
