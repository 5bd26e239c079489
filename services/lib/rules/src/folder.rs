//! Loads the rules of a program at start: the compiled-in packs and the local packs of folders.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    evaluate::RuleSet,
    text::{PackError, PackText},
};

/// Error: the local packs cannot be used. The operator has to correct the folder and start again.
#[derive(Debug, thiserror::Error)]
pub enum PacksError {
    /// The folder or a file in it cannot be read.
    #[error("couldn't read {path}: {error}")]
    Unreadable {
        /// Path of the folder or file.
        path: PathBuf,
        /// Error of the operating system.
        error: io::Error,
    },
    /// The folder contains no pack. Most likely it is the wrong one.
    #[error("{0} holds no rule pack (*.toml)")]
    Empty(PathBuf),
    /// A pack has a mistake.
    #[error(transparent)]
    Wrong(#[from] PackError),
}

/// Returns the compiled-in rules with the packs of a folder on top: its `*.toml` in the order of their names.
///
/// # Errors
/// The folder cannot be read or contains no pack, or a pack has a mistake. The error names the file and the line.
pub fn rule_set(folder: Option<&Path>) -> Result<RuleSet, PacksError> {
    match folder {
        Some(folder) => rule_set_of(&[folder]),
        None => Ok(RuleSet::embedded()),
    }
}

/// Returns the compiled-in rules with the packs of several folders on top, one after the other.
///
/// # Errors
/// As for [`rule_set`].
pub fn rule_set_of(folders: &[&Path]) -> Result<RuleSet, PacksError> {
    let texts: Vec<Vec<(String, String)>> =
        folders.iter().map(|folder| texts(folder)).collect::<Result<_, _>>()?;
    let texts = texts.concat();
    let packs: Vec<PackText<'_>> = texts.iter().map(|(file, text)| PackText { file, text }).collect();
    Ok(RuleSet::with_local(&packs)?)
}

/// Returns the name and text of each pack.
fn texts(folder: &Path) -> Result<Vec<(String, String)>, PacksError> {
    let unreadable = |path: &Path, error| PacksError::Unreadable { path: path.to_owned(), error };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, error))? {
        let path = entry.map_err(|error| unreadable(folder, error))?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(PacksError::Empty(folder.to_owned()));
    }
    let read = |path: PathBuf| match fs::read_to_string(&path) {
        Ok(text) => Ok((path.display().to_string(), text)),
        Err(error) => Err(unreadable(&path, error)),
    };
    files.into_iter().map(read).collect()
}
