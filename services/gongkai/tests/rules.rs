//! `gongkai rules` for a person who writes packs.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/samples").join(name)
}

fn rules(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gongkai")).arg("rules").args(arguments).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Returns a folder with one pack.
fn pack(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("new.toml"), text).unwrap();
    folder
}

const HEAD: &str = "[pack]\nname = \"new\"\nversion = \"1\"\n";

#[test]
fn every_rule_is_listed_and_one_is_shown_whole() {
    let listed = text(&rules(&["list", "--format", "csv"]));
    let ids: Vec<_> = listed.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert!(ids.contains(&"T3-ROW") && ids.contains(&"L-FMT"), "{ids:?}");
    let shown = text(&rules(&["show", "t3-row"]));
    assert!(shown.contains("国办公开办函〔2021〕30号") && shown.contains("自然人 + 商业企业"), "{shown}");
}

#[test]
fn an_unknown_rule_is_said_to_be_unknown() {
    let output = rules(&["show", "T9-NONE"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("T9-NONE"));
}

#[test]
fn a_shadow_run_tells_what_would_change() {
    let clean = fs::read_to_string(sample("01_word_paste_clean.txt")).unwrap();
    let (before, row) = clean.split_once("一、本年新收政府信息公开申请数量").unwrap();
    let (label, numbers) = row.split_at(row.find(|c: char| c.is_ascii_digit()).unwrap());
    let broken = format!("{before}一、本年新收政府信息公开申请数量{label}9{numbers}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("broken.txt");
    fs::write(&path, broken).unwrap();
    let before = Command::new(env!("CARGO_BIN_EXE_gongkai"))
        .args(["check", "--format", "csv", path.to_str().unwrap()])
        .output()
        .unwrap();
    let rule = csv::Reader::from_reader(before.stdout.as_slice())
        .records()
        .map(Result::unwrap)
        .find_map(|row| (!row[6].is_empty()).then(|| row[6].to_owned()))
        .unwrap();
    let off = pack(&format!("{HEAD}[[override]]\nid = \"{rule}\"\nenabled = false\n"));
    let output =
        rules(&["test", "--pack", off.path().to_str().unwrap(), "--format", "csv", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let rows: Vec<_> =
        csv::Reader::from_reader(output.stdout.as_slice()).into_records().map(Result::unwrap).collect();
    assert!(!rows.is_empty() && rows.iter().all(|row| &row[0] == "removed" && row[2] == rule), "{rows:?}");
    let same = pack(HEAD);
    let output = rules(&["test", "--pack", same.path().to_str().unwrap(), path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn nothing_is_tried_if_an_example_of_the_pack_does_not_hold() {
    let example = |expect: &str| {
        pack(&format!(
            "{HEAD}[[example]]\nrule = \"P-SUM\"\n{expect} = [\"公开信息53条，其中政策类30条，动态类24条。\"]\n"
        ))
    };
    let run = |pack: &tempfile::TempDir| {
        let sample = sample("01_word_paste_clean.txt");
        let output = rules(&["test", "--pack", pack.path().to_str().unwrap(), sample.to_str().unwrap()]);
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = run(&example("silent"));
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("new.toml, line 6") && said.contains("30+24=54"), "{said}");
    let (code, said) = run(&example("fires"));
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("all 1 examples"), "{said}");
}

#[test]
fn a_broken_pack_is_refused_with_its_line() {
    let broken = pack(&format!("{HEAD}[[override]]\nid = \"NO-SUCH\"\nenabled = false\n"));
    let output = rules(&["test", "--pack", broken.path().to_str().unwrap(), "x.txt"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("new.toml") && said.contains('5'), "{said}");
}

#[test]
fn a_folder_is_tried_with_all_below_it() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("county")).unwrap();
    fs::copy(sample("01_word_paste_clean.txt"), folder.path().join("county/a.txt")).unwrap();
    fs::copy(sample("05_markdown_balance.md"), folder.path().join("b.md")).unwrap();
    let pack = pack(HEAD);
    let output = rules(&["test", "--pack", pack.path().to_str().unwrap(), folder.path().to_str().unwrap()]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("2 reports tried"), "{said}");
}

#[test]
fn every_cell_is_listed_with_its_forms() {
    let listed = text(&rules(&["cells", "--format", "csv"]));
    let line = |cell: &str| listed.lines().find(|line| line.starts_with(&format!("{cell},")));
    let received = line("requests.received[total]").unwrap();
    assert!(
        received.contains(",2021 ") && received.contains("2019") && received.contains("「总计」列"),
        "{received}"
    );
    assert!(line("requests.outcome.other[total]").unwrap().contains("2021/single_row_other"));
    assert!(!line("proactive.procurement.items").unwrap().contains("2021"));
}
