//! `--annotate DIR`: a marked copy of each document with findings.
//!
//! A copy of a file is made once the file is checked, from its bytes, which are read again. The originals are never
//! written, and neither is a copy that somebody may have edited: a new one gets a number.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, OpenOptions},
    io::{self, ErrorKind, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use gongkai_annotate::{Lang, MarkedCopy};
use gongkai_check::{CheckLine, PartRole, Places, remark_sheet};
use gongkai_isolation::RawDocument;
use gongkai_model::MediaType;
use gongkai_reading::{Hints, ReportHints};

use super::{checker::Checker, files::DocumentSource};
use crate::printer::complain;

/// Maximum number of copies of one file.
const MOST_COPIES: u32 = 1000;

/// Writes marked copies.
pub(super) struct Annotator {
    folder: PathBuf,
    /// The folders to check, whose paths the copies keep.
    roots: Vec<PathBuf>,
    places: Places,
    lang: Lang,
    checker: Arc<Checker>,
}

impl Annotator {
    /// Creates an annotator of these files and folders.
    ///
    /// # Errors
    /// One of them is standard input, which cannot be read twice, or contains the folder of the copies.
    pub(super) fn new(
        folder: PathBuf,
        paths: &[PathBuf],
        lang: Lang,
        checker: &Arc<Checker>,
    ) -> anyhow::Result<Self> {
        anyhow::ensure!(
            !paths.iter().any(|path| path == Path::new("-")),
            "--annotate needs files: save standard input to a file, and check that"
        );
        fs::create_dir_all(&folder).with_context(|| format!("couldn't make {}", folder.display()))?;
        let roots: Vec<PathBuf> = paths.iter().filter(|path| path.is_dir()).cloned().collect();
        let own = fs::canonicalize(&folder)?;
        let around = roots.iter().find(|root| fs::canonicalize(root).is_ok_and(|root| own.starts_with(root)));
        if let Some(root) = around {
            anyhow::bail!(
                "--annotate {} is inside {}, where the copies would be checked too: name another folder",
                folder.display(),
                root.display()
            );
        }
        let places = Places::new(&checker.rules);
        Ok(Self { folder, roots, places, lang, checker: checker.clone() })
    }

    /// Writes the copy of a document with findings. `files` are its files, the page first. Says why there is none if
    /// the document cannot be marked.
    ///
    /// # Errors
    /// The copy cannot be written.
    pub(super) fn copy(&self, files: &[PathBuf], line: &CheckLine) -> anyhow::Result<()> {
        let sheet = remark_sheet(line, &self.places, self.lang);
        let Some(file) = files.get(carrier(line)).filter(|_| !sheet.remarks.is_empty()) else {
            return Ok(());
        };
        let source = DocumentSource::File(file.clone());
        let read = source.read(self.checker.limits.input_bytes);
        let bytes = read.with_context(|| format!("couldn't read {} again", file.display()))?;
        let hints = Hints { filename: source.filename(), ..Hints::default() };
        let limits = self.checker.limits;
        let document = RawDocument { bytes: &bytes, hints, known: ReportHints::default(), limits };
        match self.checker.readers.annotate(&document, &sheet)? {
            Ok(copy) => self.write(file, &copy),
            Err(refusal) => {
                let message = self.lang.choose(&refusal.message, &refusal.message_en);
                complain(format_args!("{}: {}: {message}", file.display(), refusal.code));
                Ok(())
            }
        }
    }

    fn write(&self, file: &Path, copy: &MarkedCopy) -> anyhow::Result<()> {
        let root = self
            .roots
            .iter()
            .filter_map(|root| file.strip_prefix(root).ok())
            .min_by_key(|path| path.as_os_str().len());
        let folder = match root.and_then(Path::parent) {
            Some(below) => self.folder.join(below),
            None => self.folder.clone(),
        };
        fs::create_dir_all(&folder).with_context(|| format!("couldn't make {}", folder.display()))?;
        for number in 1..=MOST_COPIES {
            let path = folder.join(name(file, copy.media_type, number));
            match create(&path, &copy.bytes) {
                Ok(()) if number > 1 => {
                    let first = name(file, copy.media_type, 1);
                    complain(format_args!(
                        "{} exists and differs: wrote {}",
                        first.display(),
                        path.display()
                    ));
                    return Ok(());
                }
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => {
                    return Err(error).with_context(|| format!("couldn't write {}", path.display()));
                }
            }
        }
        anyhow::bail!("{} has {MOST_COPIES} copies already: clear {}", file.display(), folder.display())
    }
}

/// Returns the index of the file that carries the report.
fn carrier(line: &CheckLine) -> usize {
    line.parts.iter().position(|part| part.role == PartRole::Carrier).unwrap_or(0)
}

/// Returns the name of a copy: 年报.批注.html for 年报.html, and 年报.txt.批注.html if the copy is of another format.
fn name(file: &Path, media_type: MediaType, number: u32) -> PathBuf {
    let (known, default): (&[&str], &str) = match media_type {
        MediaType::Docx => (&["docx"], "docx"),
        MediaType::Pdf => (&["pdf"], "pdf"),
        _ => (&["html", "htm", "shtml", "xhtml"], "html"),
    };
    let is_known = |extension: &&str| known.iter().any(|known| extension.eq_ignore_ascii_case(known));
    let own = file.extension().and_then(OsStr::to_str).filter(is_known);
    let stem = if own.is_some() { file.file_stem() } else { file.file_name() };
    let mut name = OsString::from(stem.unwrap_or_default());
    match number {
        1 => name.push(".批注."),
        number => name.push(format!(".批注（{number}）.")),
    }
    name.push(own.unwrap_or(default));
    name.into()
}

/// Writes a new file. A file with the same content is left as it is.
///
/// # Errors
/// `AlreadyExists`: there is a file with other content. Others are those of the file system.
fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let written = OpenOptions::new().write(true).create_new(true).open(path);
    let result =
        written.and_then(|mut file| file.write_all(bytes).inspect_err(|_| drop(fs::remove_file(path))));
    match result {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let is_same = fs::metadata(path)?.len() == u64::try_from(bytes.len()).unwrap_or(u64::MAX)
                && fs::read(path)? == bytes;
            if is_same { Ok(()) } else { Err(error) }
        }
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_named_after_its_original() {
        let named =
            |file: &str, media_type, number| name(Path::new(file), media_type, number).display().to_string();
        assert_eq!(named("a/年报.html", MediaType::Html, 1), "年报.批注.html");
        assert_eq!(named("年报.HTM", MediaType::Html, 2), "年报.批注（2）.HTM");
        assert_eq!(named("年报.txt", MediaType::Html, 1), "年报.txt.批注.html");
        assert_eq!(named("年报.docx", MediaType::Docx, 1), "年报.批注.docx");
        assert_eq!(named("年报.doc", MediaType::Docx, 1), "年报.doc.批注.docx");
        assert_eq!(named("年报", MediaType::Pdf, 1), "年报.批注.pdf");
    }

    #[test]
    fn a_file_with_other_content_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        create(&path, b"one").unwrap();
        create(&path, b"one").unwrap();
        assert_eq!(create(&path, b"two").unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"one");
    }
}
