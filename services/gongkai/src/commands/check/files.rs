//! The documents to check: files, folders and standard input. An unreadable path is a source too, so that the output
//! reports it.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Read},
    iter,
    path::{Path, PathBuf},
    vec,
};

use super::attachments::{self, Attachments};

/// Where a document is read from.
#[derive(Debug)]
pub(in crate::commands) enum DocumentSource {
    /// Standard input.
    Stdin,
    File(PathBuf),
    /// A page of a folder and the files attached to it.
    Page(PathBuf, Vec<PathBuf>),
    /// An unreadable path: a folder that could not be listed, or something that is neither a file nor a folder.
    Unreadable(PathBuf, io::Error),
}

// === impl DocumentSource ===

impl DocumentSource {
    /// Returns the name in the output.
    pub(in crate::commands) fn name(&self) -> String {
        match self {
            Self::Stdin => "-".to_owned(),
            Self::File(path) | Self::Page(path, _) | Self::Unreadable(path, _) => path.display().to_string(),
        }
    }

    /// Returns the file's name without its folder, a hint at the format.
    pub(in crate::commands) fn filename(&self) -> Option<&str> {
        match self {
            Self::File(path) | Self::Page(path, _) => path.file_name()?.to_str(),
            _ => None,
        }
    }

    /// Returns the size in bytes of all files, if it is known.
    pub(in crate::commands) fn size(&self) -> Option<u64> {
        let length = |path: &PathBuf| fs::metadata(path).ok().map(|found| found.len());
        match self {
            Self::Stdin => None,
            Self::File(path) => length(path),
            Self::Page(page, attachments) => iter::once(page).chain(attachments).map(length).sum(),
            Self::Unreadable(..) => Some(0),
        }
    }

    /// Returns the paths of the files of the source: the document, then its attachments.
    pub(in crate::commands) fn paths(&self) -> Vec<PathBuf> {
        match self {
            Self::Stdin | Self::Unreadable(..) => Vec::new(),
            Self::File(path) => vec![path.clone()],
            Self::Page(page, attachments) => iter::once(page).chain(attachments).cloned().collect(),
        }
    }

    /// Returns the files of the source, each as a source: the document, then its attachments.
    pub(in crate::commands) fn files(self) -> Vec<Self> {
        match self {
            Self::Page(page, attachments) => iter::once(page).chain(attachments).map(Self::File).collect(),
            single => vec![single],
        }
    }

    /// Reads the document without its attachments: at most `limit + 1` bytes, so that the caller can detect that the limit is exceeded.
    ///
    /// # Errors
    /// The source cannot be read.
    pub(in crate::commands) fn read(&self, limit: usize) -> io::Result<Vec<u8>> {
        let bound = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        let mut bytes = Vec::new();
        match self {
            Self::Stdin => io::stdin().lock().take(bound).read_to_end(&mut bytes)?,
            Self::File(path) | Self::Page(path, _) => {
                File::open(path)?.take(bound).read_to_end(&mut bytes)?
            }
            Self::Unreadable(_, error) => return Err(io::Error::new(error.kind(), error.to_string())),
        };
        Ok(bytes)
    }
}

/// Returns the sources of the arguments, in their order; the files of a folder are sorted.
pub(in crate::commands) fn sources(paths: Vec<PathBuf>) -> impl Iterator<Item = DocumentSource> + Send {
    paths.into_iter().flat_map(|path| -> Box<dyn Iterator<Item = DocumentSource> + Send> {
        if path == Path::new("-") {
            Box::new(iter::once(DocumentSource::Stdin))
        } else if path.is_dir() {
            Box::new(Walk::new(path))
        } else {
            let is_pipe_for_us = |path: &Path| PIPES.iter().any(|folder| path.starts_with(folder));
            Box::new(iter::once(source(path, is_pipe_for_us)))
        }
    })
}

/// Folders in which a shell puts the pipes of `<(command)`.
const PIPES: [&str; 2] = ["/dev/fd", "/proc/self/fd"];

/// Returns the source of a path, which is unreadable unless it is a file or a pipe of the shell. Opening any other
/// pipe would wait for a writer.
fn source(path: PathBuf, is_pipe_for_us: impl Fn(&Path) -> bool) -> DocumentSource {
    match fs::metadata(&path) {
        Ok(found) if found.is_file() || is_pipe_for_us(&path) => DocumentSource::File(path),
        Ok(_) => DocumentSource::Unreadable(
            path,
            io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"),
        ),
        Err(error) => DocumentSource::Unreadable(path, error),
    }
}

/// Iterates over every file below a folder, except hidden ones; a page comes with its attachments, which do not come again.
/// A folder that is reached twice, such as by a link to its parent, is read once. Only the names of the folders on the current
/// path are in memory.
pub(in crate::commands) struct Walk {
    /// The remaining entries of each folder on the current path, the deepest last.
    open: Vec<OpenFolder>,
    seen: BTreeSet<PathBuf>,
    /// Attachments in folders below that were not listed yet.
    attached_below: BTreeSet<PathBuf>,
}

#[derive(Default)]
struct OpenFolder {
    remaining: vec::IntoIter<PathBuf>,
    attachments: Attachments,
}

impl Walk {
    pub(in crate::commands) fn new(folder: PathBuf) -> Self {
        let root = OpenFolder { remaining: vec![folder].into_iter(), ..OpenFolder::default() };
        Self { open: vec![root], seen: BTreeSet::new(), attached_below: BTreeSet::new() }
    }

    fn list(&mut self, folder: &Path) -> io::Result<OpenFolder> {
        if !self.seen.insert(fs::canonicalize(folder)?) {
            return Ok(OpenFolder::default());
        }
        let entries = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
        let mut paths = entries.collect::<io::Result<Vec<_>>>()?;
        let is_hidden =
            |path: &PathBuf| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        paths.retain(|path| !is_hidden(path) && !self.attached_below.remove(path));
        paths.sort();
        let attachments = attachments::of_folder(&paths);
        self.attached_below.extend(attachments.values().flatten().cloned());
        paths.retain(|path| !self.attached_below.remove(path));
        Ok(OpenFolder { remaining: paths.into_iter(), attachments })
    }
}

impl Iterator for Walk {
    type Item = DocumentSource;

    fn next(&mut self) -> Option<DocumentSource> {
        loop {
            let folder = self.open.last_mut()?;
            let Some(path) = folder.remaining.next() else {
                self.open.pop();
                continue;
            };
            if let Some(attachments) = folder.attachments.remove(&path) {
                return Some(DocumentSource::Page(path, attachments));
            }
            if !path.is_dir() {
                return Some(source(path, |_| false));
            }
            match self.list(&path) {
                Ok(folder) => self.open.push(folder),
                Err(error) => return Some(DocumentSource::Unreadable(path, error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_read_with_all_below_them_in_sorted_order() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("b/c")).unwrap();
        for name in ["z.txt", "b/c/2.txt", "b/1.txt", "a.txt", ".hidden"] {
            fs::write(root.path().join(name), "x").unwrap();
        }
        std::os::unix::fs::symlink(root.path(), root.path().join("b/loop")).unwrap();
        let names: Vec<_> = sources(vec![root.path().to_owned(), "-".into()])
            .map(|s| s.name().replace(&root.path().display().to_string(), ""))
            .collect();
        assert_eq!(names, ["/a.txt", "/b/1.txt", "/b/c/2.txt", "/z.txt", "-"]);
    }

    #[test]
    fn a_page_comes_with_its_attachments_which_do_not_come_again() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("a")).unwrap();
        let page = "<a href=a/1.pdf></a><a href=0.pdf></a>";
        for (name, text) in
            [("0.pdf", "1"), ("a/1.pdf", "22"), ("a/2.pdf", ""), ("b.html", page), ("b.doc", "333")]
        {
            fs::write(root.path().join(name), text).unwrap();
        }
        let name = |path: &Path| path.strip_prefix(root.path()).unwrap().display().to_string();
        let found: Vec<_> =
            Walk::new(root.path().to_owned()).map(|source| (source.size(), source.files())).collect();
        let names: Vec<Vec<_>> = found
            .iter()
            .map(|(_, files)| files.iter().map(|file| name(Path::new(&file.name()))).collect())
            .collect();
        assert_eq!(names, [vec!["a/2.pdf"], vec!["b.html", "b.doc", "a/1.pdf", "0.pdf"]]);
        assert_eq!(found[1].0, Some(page.len() as u64 + 6));
    }

    #[test]
    fn no_more_is_read_than_shows_that_it_is_too_much() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("long");
        fs::write(&path, [b'x'; 100]).unwrap();
        assert_eq!(DocumentSource::File(path).read(9).unwrap().len(), 10);
        assert!(DocumentSource::File(root.path().join("none")).read(9).is_err());
    }

    #[test]
    fn what_cannot_be_read_is_a_source_all_the_same() {
        let root = tempfile::tempdir().unwrap();
        let made = std::process::Command::new("mkfifo").arg(root.path().join("pipe")).status().unwrap();
        assert!(made.success());
        std::os::unix::fs::symlink("nowhere", root.path().join("link")).unwrap();
        let named = [root.path().to_owned(), root.path().join("pipe"), root.path().join("none")];
        let found: Vec<_> = sources(named.to_vec()).collect();
        assert_eq!(found.len(), 4, "{found:?}");
        assert!(
            found
                .iter()
                .all(|source| matches!(source, DocumentSource::Unreadable(..)) && source.read(9).is_err())
        );
    }
}
