//! Which files of a folder are attachments of its pages.
//!
//! An attachment is an office document that has the name of the page beside it (`x.html`, `x.docx`), or a file that the page links,
//! in the page's folder or below. It belongs to one page: the one with its name, else the one that links the fewest files, so that
//! a list of reports does not take them from their pages. Pages are never attachments.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use gongkai_reading::{Hints, Limits};
use percent_encoding::percent_decode_str;

const PAGES: [&str; 4] = ["html", "htm", "shtml", "xhtml"];
const OFFICE: [&str; 10] = ["doc", "docx", "wps", "pdf", "ofd", "rtf", "odt", "xls", "xlsx", "et"];
/// A page that links more files is a list of them. Ingest accepts as many attachments by default.
const MOST: usize = 20;

/// The pages that have attachments, each with its attachments: first those with its name, then those that it links.
pub(super) type Attachments = BTreeMap<PathBuf, Vec<PathBuf>>;

/// Returns the attachments of the pages among the sorted entries of a folder. Pages are read only if a file or a folder is
/// among the entries that has no page's name.
pub(super) fn of_folder(entries: &[PathBuf]) -> Attachments {
    let (pages, others): (Vec<_>, Vec<_>) = entries.iter().partition(|path| is_page(path) && path.is_file());
    // The first page of a name is inserted last.
    let by_name: BTreeMap<Option<&OsStr>, &PathBuf> =
        pages.iter().rev().map(|page| (page.file_stem(), *page)).collect();
    let (mut found, mut unnamed) = (Attachments::new(), 0);
    for path in others {
        let page = by_name.get(&path.file_stem()).filter(|_| has_extension(path, &OFFICE) && path.is_file());
        match page {
            Some(page) => found.entry(page.to_path_buf()).or_default().push(path.clone()),
            None => unnamed += 1,
        }
    }
    if unnamed > 0 {
        add_linked(&mut found, &pages);
    }
    found
}

fn add_linked(found: &mut Attachments, pages: &[&PathBuf]) {
    let named: BTreeSet<PathBuf> = found.values().flatten().cloned().collect();
    let links: Vec<(&PathBuf, Vec<PathBuf>)> =
        pages.iter().map(|page| (*page, linked_by(page))).filter(|(_, files)| files.len() <= MOST).collect();
    let mut owners: BTreeMap<&PathBuf, (usize, &PathBuf)> = BTreeMap::new();
    for (page, files) in &links {
        for file in files {
            let claim = (files.len(), *page);
            owners.entry(file).and_modify(|owner| *owner = claim.min(*owner)).or_insert(claim);
        }
    }
    for (page, files) in &links {
        let own = files.iter().filter(|file| owners[file].1 == *page && !named.contains(*file));
        let own: Vec<PathBuf> = own.cloned().collect();
        if !own.is_empty() {
            found.entry(page.to_path_buf()).or_default().extend(own);
        }
    }
}

/// Returns the files that a page links; none if it cannot be read.
fn linked_by(page: &Path) -> Vec<PathBuf> {
    let bytes = beginning_of(page).unwrap_or_default();
    let hints = Hints { filename: page.file_name().and_then(OsStr::to_str), ..Hints::default() };
    let mut files: Vec<PathBuf> = Vec::new();
    for address in gongkai_reading::links(&bytes, &hints) {
        files.extend(file_at(page, &address).filter(|file| !files.contains(file)));
    }
    files
}

/// Reads a file up to the size that a document may have.
fn beginning_of(file: &Path) -> io::Result<Vec<u8>> {
    let limit = u64::try_from(Limits::default().input_bytes).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    File::open(file)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Returns the file at an address relative to a page, if it exists in the page's folder or below.
fn file_at(page: &Path, address: &str) -> Option<PathBuf> {
    let address = address.split(['?', '#']).next()?;
    let path = percent_decode_str(address).decode_utf8().ok()?;
    let mut file = page.parent()?.to_owned();
    for (at, part) in path.split('/').enumerate() {
        match part {
            "" if at == 0 => return None,
            ".." => return None,
            "" | "." => {}
            name => file.push(name),
        }
    }
    (!is_page(&file) && file.is_file()).then_some(file)
}

fn is_page(path: &Path) -> bool {
    has_extension(path, &PAGES)
}

fn has_extension(path: &Path, known: &[&str]) -> bool {
    let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    known.iter().any(|known| extension.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Returns the attachments of the files of a folder, by name.
    fn found(files: &[(&str, &str)]) -> Vec<(String, Vec<String>)> {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let mut entries: Vec<_> =
            fs::read_dir(root.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        let name = |path: &PathBuf| path.strip_prefix(root.path()).unwrap().display().to_string();
        let found = of_folder(&entries);
        found.iter().map(|(page, files)| (name(page), files.iter().map(name).collect())).collect()
    }

    fn expect(expect: &[(&str, &[&str])]) -> Vec<(String, Vec<String>)> {
        let names = |files: &[&str]| files.iter().map(ToString::to_string).collect();
        expect.iter().map(|(page, files)| ((*page).to_owned(), names(files))).collect()
    }

    #[test]
    fn an_office_document_belongs_to_the_page_of_its_name() {
        let files = ["a.docx", "a.HTML", "a.pdf", "a.png", "b.htm", "b.html", "b.wps", "c.pdf", "d.html"];
        let files = files.map(|name| (name, ""));
        assert_eq!(found(&files), expect(&[("a.HTML", &["a.docx", "a.pdf"]), ("b.htm", &["b.wps"])]));
    }

    #[test]
    fn a_linked_file_belongs_to_its_page() {
        let page = "<a href='./P1.docx?v=2#top'>附件</a><a href='files/%E8%A1%A8.xls'>表</a><a href='P1.docx'></a>\
                    <a href='other.html'></a><a href='../x.pdf'></a><a href='/P2.pdf'></a><a href='none.pdf'></a>\
                    <a href='https://example.gov.cn/P2.pdf'></a><a href='page.pdf'></a>";
        let gbk = "<meta charset=gbk><a href=说明.txt>说明</a>";
        let files = [
            ("page.html", page),
            ("page.pdf", ""),
            ("P1.docx", ""),
            ("P2.pdf", ""),
            ("files/表.xls", ""),
            ("other.html", gbk),
            ("说明.txt", ""),
        ];
        let expected =
            expect(&[("other.html", &["说明.txt"]), ("page.html", &["page.pdf", "P1.docx", "files/表.xls"])]);
        assert_eq!(found(&files), expected);
    }

    #[test]
    fn a_list_of_reports_takes_none_from_its_page() {
        let list = "<a href=1.docx></a><a href=2.docx></a><a href=3.docx></a>";
        let files = [
            ("index.html", list),
            ("a.html", "<a href=1.docx>"),
            ("1.docx", ""),
            ("2.docx", ""),
            ("3.docx", ""),
        ];
        let expected = expect(&[("a.html", &["1.docx"]), ("index.html", &["2.docx", "3.docx"])]);
        assert_eq!(found(&files), expected);
        let names: Vec<String> = (0..=MOST).map(|number| format!("{number}.docx")).collect();
        let list: String = names.iter().map(|name| format!("<a href={name}></a>")).collect();
        let mut files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
        files.push(("list.html", &list));
        assert_eq!(found(&files), expect(&[]));
    }
}
