//! `gongkai check --annotate`: copies beside the originals, as people and other programs open them. The parts for which
//! the machine has no browser or office suite are reported and skipped.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::{
    fs,
    io::{Cursor, Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
const OFFICES: [&str; 2] = ["soffice", "libreoffice"];
const W: &str = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";
const RELATIONS: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
const TYPES: &str = "http://schemas.openxmlformats.org/package/2006/content-types";
const OFFICE: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml";
/// A page with a finding about three cells, and with a script.
const PAGE: &str = "07_html_dispute_total_and_period.html";

fn sample(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/samples").join(name)).unwrap()
}

/// Returns the sample of Word as a package that Word would open.
fn docx() -> Vec<u8> {
    let mut main = String::new();
    let mut archive = ZipArchive::new(Cursor::new(sample("13_word_docx.docx"))).unwrap();
    archive.by_name("word/document.xml").unwrap().read_to_string(&mut main).unwrap();
    let main = main.replace("xmlns:w=\"w\"", &format!("xmlns:w=\"{W}\""));
    let types = format!(
        "<Types xmlns=\"{TYPES}\"><Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
         <Override PartName=\"/word/document.xml\" ContentType=\"{OFFICE}.document.main+xml\"/></Types>"
    );
    let relations = format!(
        "<Relationships xmlns=\"{RELATIONS}\"><Relationship Id=\"rId1\" Target=\"word/document.xml\" \
         Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\"/></Relationships>"
    );
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in
        [("[Content_Types].xml", &types), ("_rels/.rels", &relations), ("word/document.xml", &main)]
    {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn check(arguments: &[&Path]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gongkai"));
    command.args(["check", "--lang", "zh", "--fail-on", "never"]).args(arguments);
    command.stdin(Stdio::null()).output().unwrap()
}

/// Returns a list of agencies by which the samples' bodies are of a county, so that they may make no 规章.
fn agencies(root: &Path) -> PathBuf {
    let list = root.join("agencies.csv");
    fs::write(&list, "代码,名称,层级\nYX-1,云溪县水利局,县\nYX-2,云溪县民政局,县\n").unwrap();
    list
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Returns the files below a folder, sorted, with `/` between names.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            let name = entry.file_name().unwrap().to_str().unwrap();
            found.extend(files(&entry).into_iter().map(|file| format!("{name}/{file}")));
        } else {
            found.push(entry.file_name().unwrap().to_str().unwrap().to_owned());
        }
    }
    found.sort();
    found
}

/// Returns the first of these programs that the machine has, and otherwise reports what is skipped.
#[expect(clippy::print_stderr, reason = "what is left out is said aloud")]
fn program(names: &[&'static str], what: &str) -> Option<&'static str> {
    let is_there = |name: &&&str| {
        let mut command = Command::new(name);
        command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok()
    };
    let found = names.iter().find(is_there).copied();
    if found.is_none() {
        eprintln!("SKIPPED: {what}, as this machine has no {}", names[0]);
    }
    found
}

#[test]
fn copies_stand_in_a_folder_of_their_own_and_replace_nothing() {
    let root = tempfile::tempdir().unwrap();
    let (reports, copies) = (root.path().join("reports"), root.path().join("copies"));
    fs::create_dir_all(reports.join("b")).unwrap();
    let page = sample(PAGE);
    fs::write(reports.join("年报.html"), &page).unwrap();
    fs::write(reports.join("b/表.txt"), sample("02_tab_rows_wrong_total.txt")).unwrap();
    fs::write(reports.join("c.txt"), "今天天气很好。").unwrap();

    let output = check(&[&reports, Path::new("--annotate"), &copies]);
    assert_eq!((output.status.code(), said(&output).as_str()), (Some(2), ""), "c.txt is no report");
    assert_eq!(files(&copies), ["b/表.txt.批注.html", "年报.批注.html"]);
    assert_eq!(fs::read(reports.join("年报.html")).unwrap(), page);
    assert_eq!(files(&reports), ["b/表.txt", "c.txt", "年报.html"]);
    let copy = fs::read_to_string(copies.join("年报.批注.html")).unwrap();
    assert!(
        copy.contains("必须整改</b> T4-SUM") && copy.contains(">54</mark><a href=\"#gongkai-2\""),
        "{copy}"
    );

    // The same copy again is no other; one that somebody has edited stays.
    fs::write(copies.join("年报.批注.html"), "edited").unwrap();
    let output = check(&[&reports, Path::new("--annotate"), &copies]);
    assert!(said(&output).contains("年报.批注.html exists and differs: wrote"), "{}", said(&output));
    assert_eq!(files(&copies), ["b/表.txt.批注.html", "年报.批注.html", "年报.批注（2）.html"]);
    assert_eq!(fs::read_to_string(copies.join("年报.批注.html")).unwrap(), "edited");
    assert_eq!(fs::read_to_string(copies.join("年报.批注（2）.html")).unwrap(), copy);
}

#[test]
fn what_cannot_be_annotated_is_said_with_its_reason() {
    let root = tempfile::tempdir().unwrap();
    let (doc, copies) = (root.path().join("a.doc"), root.path().join("copies"));
    fs::write(&doc, sample("15_word_doc_form_2019.doc")).unwrap();
    let output = check(&[&doc, Path::new("--annotate"), &copies]);
    assert!(said(&output).contains("UNSUPPORTED_FORMAT: 未生成批注版：DOC"), "{}", said(&output));
    assert_eq!((output.status.code(), files(&copies).len()), (Some(0), 0));

    let inside = check(&[root.path(), Path::new("--annotate"), &copies]);
    assert!(said(&inside).contains("name another folder"), "{}", said(&inside));
    let pipe = check(&[Path::new("-"), Path::new("--annotate"), &copies]);
    assert!(said(&pipe).contains("--annotate needs files"), "{}", said(&pipe));
}

#[test]
fn the_attachment_that_carries_the_report_is_annotated() {
    let root = tempfile::tempdir().unwrap();
    let (reports, copies) = (root.path().join("reports"), root.path().join("copies"));
    fs::create_dir(&reports).unwrap();
    fs::write(reports.join("a.html"), "<h1>云溪县水利局2022年政府信息公开工作年度报告</h1><p>详见附件。</p>")
        .unwrap();
    fs::write(reports.join("a.docx"), docx()).unwrap();
    let output = check(&[&reports, Path::new("--annotate"), &copies]);
    assert_eq!((said(&output).as_str(), files(&copies)), ("", vec!["a.批注.docx".to_owned()]));
}

#[test]
fn a_pdf_keeps_its_bytes_and_gets_highlights_after_them() {
    let root = tempfile::tempdir().unwrap();
    let report = root.path().join("a.pdf");
    let original = sample("14_ruled_pages.pdf");
    fs::write(&report, &original).unwrap();
    let list = agencies(root.path());
    let output = check(&[&report, Path::new("--annotate"), root.path(), Path::new("--agencies"), &list]);
    assert_eq!((output.status.code(), said(&output).as_str()), (Some(0), ""));
    let copy = fs::read(root.path().join("a.批注.pdf")).unwrap();
    let update = copy.strip_prefix(original.as_slice()).unwrap();
    assert_eq!(String::from_utf8_lossy(update).matches("/Subtype /Highlight").count(), 3);
}

#[test]
fn an_office_suite_shows_the_comments_at_their_cells() {
    let Some(office) = program(&OFFICES, "the comments of an annotated DOCX") else { return };
    let root = tempfile::tempdir().unwrap();
    let report = root.path().join("a.docx");
    fs::write(&report, docx()).unwrap();
    let list = agencies(root.path());
    check(&[&report, Path::new("--annotate"), root.path(), Path::new("--agencies"), &list]);
    let mut command = Command::new(office);
    command.arg(format!("-env:UserInstallation=file://{}", root.path().join("profile").display()));
    command.args(["--headless", "--convert-to", "fodt", "a.批注.docx"]).current_dir(root.path());
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = fs::read_to_string(root.path().join("a.批注.fodt")).unwrap();
    let comments: Vec<&str> = text.split("<office:annotation ").skip(1).collect();
    let of_rule: Vec<&&str> = comments.iter().filter(|comment| comment.contains("T2-RULE")).collect();
    assert_eq!(of_rule.len(), 3, "{comments:?}");
    // The first three numbers of the table on regulations.
    for (comment, number) in of_rule.iter().zip(["6", "5", "79"]) {
        let (_, rest) = comment.split_once("</office:annotation>").unwrap();
        let (marked, _) = rest.split_once("<office:annotation-end").unwrap();
        let shown: String =
            marked.split('<').map(|piece| piece.split_once('>').map_or(piece, |tag| tag.1)).collect();
        assert_eq!(shown.trim(), number, "{marked}");
    }
}

#[test]
fn a_browser_shows_the_marks_and_runs_no_script_of_the_page() {
    let Some(browser) = program(&BROWSERS, "an annotated page") else { return };
    let root = tempfile::tempdir().unwrap();
    let report = root.path().join("a.html");
    let page = String::from_utf8(sample(PAGE)).unwrap();
    let scripts = "<body onload=\"document.title='ran'\"><script>document.write('<i id=ran></i>')</script>";
    let page = if page.contains("<body>") {
        page.replacen("<body>", scripts, 1)
    } else {
        format!("{scripts}{page}")
    };
    fs::write(&report, page).unwrap();
    check(&[&report, Path::new("--annotate"), root.path()]);
    let copy: PathBuf = root.path().join("a.批注.html");
    let output = Command::new(browser)
        .args(["--headless", "--disable-gpu", "--no-sandbox", "--dump-dom"])
        .arg(format!("--user-data-dir={}", root.path().join("profile").display()))
        .arg(format!("file://{}", copy.display()))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.contains("<section class=\"gongkai-list\""), "{shown}");
    // The parser keeps the mark in its cell.
    let (before, _) = shown.split_once(">54</mark>").unwrap();
    let (_, cell) = before.rsplit_once("<td").unwrap();
    assert!(!cell.contains("</td>"), "{cell}");
    assert!(!shown.contains("<i id=\"ran\">") && !shown.contains("<title>ran</title>"), "{shown}");
}
