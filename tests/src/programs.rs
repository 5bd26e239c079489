//! The programs of this workspace as files.

use std::path::PathBuf;

/// Returns the program of a service beside this test's own.
///
/// # Panics
/// If it was not built: `make test` builds the programs first.
#[must_use]
pub fn program(service: &str) -> PathBuf {
    binary(&format!("gongkai-{service}"))
}

/// Returns a program of this workspace, beside this test's own.
///
/// # Panics
/// If it was not built: `make test` builds the programs first.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("this program is a file");
    // Programs are in target/<profile>, tests one folder below.
    let folders = own.ancestors().skip(1).take(2);
    let paths: Vec<PathBuf> = folders.map(|folder| folder.join(name)).collect();
    let path =
        paths.iter().find(|path| path.exists()).or(paths.last()).expect("a program lies in a folder").clone();
    assert!(
        path.exists(),
        "{} is not built: run `cargo build --workspace --bins` or `make test`",
        path.display()
    );
    path
}
