//! `gongkai check` in scripts: exit codes, JSON lines, standard input, folders, closed pipes.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::{
    fs,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use calamine::Reader as _;

fn sample(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/samples").join(name)).unwrap()
}

/// Returns a report without any finding.
fn clean() -> Vec<u8> {
    sample("01_word_paste_clean.txt")
}

/// Returns the clean report with one number changed, so that a row no longer adds up.
fn broken() -> Vec<u8> {
    let text = String::from_utf8(clean()).unwrap();
    let (before, row) = text.split_once("一、本年新收政府信息公开申请数量").unwrap();
    let (label_end, numbers) = row.split_at(row.find(|c: char| c.is_ascii_digit()).unwrap());
    format!("{before}一、本年新收政府信息公开申请数量{label_end}9{numbers}").into_bytes()
}

fn gongkai() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gongkai"));
    command.stdin(Stdio::null());
    command
}

fn check(arguments: &[&str]) -> Output {
    gongkai().arg("check").args(arguments).output().unwrap()
}

fn lines(output: &Output) -> Vec<serde_json::Value> {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Returns a folder with one clean document, one with a finding and one that is not a report.
fn folder() -> (tempfile::TempDir, impl Fn(&str) -> String) {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("b")).unwrap();
    fs::write(folder.path().join("a.txt"), clean()).unwrap();
    fs::write(folder.path().join("b/broken.txt"), broken()).unwrap();
    fs::write(folder.path().join("c.txt"), "今天天气很好。").unwrap();
    let root: PathBuf = folder.path().to_owned();
    (folder, move |name: &str| root.join(name).display().to_string())
}

#[test]
fn the_exit_code_says_what_was_found() {
    let (_folder, path) = folder();
    let code = |arguments: &[&str]| check(arguments).status.code().unwrap();
    assert_eq!(code(&[&path("a.txt")]), 0);
    assert_eq!(code(&[&path("b/broken.txt")]), 1);
    assert_eq!(code(&[&path("b/broken.txt"), "--fail-on", "never"]), 0);
    assert_eq!(code(&[&path("c.txt")]), 2);
    assert_eq!(code(&[&path("c.txt"), "--fail-on", "never"]), 2);
    assert_eq!(code(&[&path("b/broken.txt"), &path("c.txt")]), 2, "2 beats 1");
}

#[test]
fn json_has_one_line_a_document_in_order() {
    let (_folder, path) = folder();
    let output = check(&[&path(""), "--format", "json"]);
    let lines = lines(&output);
    let files: Vec<_> = lines.iter().map(|line| line["file"].as_str().unwrap().to_owned()).collect();
    assert_eq!(files, ["a.txt", "b/broken.txt", "c.txt"].map(&path));
    assert_eq!(lines[0]["status"], "ok");
    assert_eq!(lines[0]["report"]["facts"].as_array().unwrap().len(), 200);
    let finding = &lines[1]["findings"][0];
    assert!(
        finding["severity"] == "ERROR" && finding["message"].is_string() && finding["message_en"].is_string()
    );
    assert_eq!(lines[2]["status"], "rejected");
    assert_eq!(lines[2]["rejection"]["code"], "NOT_A_REPORT");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn many_documents_stay_in_order() {
    let folder = tempfile::tempdir().unwrap();
    for n in 0..40 {
        let content = if n % 2 == 0 { clean() } else { b"x".to_vec() };
        fs::write(folder.path().join(format!("{n:02}.txt")), content).unwrap();
    }
    let lines = lines(&check(&[&folder.path().display().to_string(), "--format", "json"]));
    let names: Vec<_> = lines.iter().map(|line| line["file"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names.len(), 40);
    assert!(names.is_sorted());
}

#[test]
fn standard_input_is_a_document() {
    let mut child = gongkai()
        .args(["check", "-", "--format", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&clean()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(lines(&output)[0]["file"], "-");
}

#[test]
fn what_cannot_be_read_has_a_line_in_every_format() {
    let (folder, path) = folder();
    let made = Command::new("mkfifo").arg(folder.path().join("b/pipe")).status().unwrap();
    assert!(made.success());
    let named = [&path("none.txt"), &path("a.txt"), &path("a.txt/below"), &path("b/pipe")];
    let in_format = |format| {
        let output = check(&[named[0], named[1], named[2], named[3], "--format", format]);
        assert_eq!(output.status.code(), Some(2), "{format}");
        output
    };
    let lines = lines(&in_format("json"));
    let shown = |at: usize| {
        assert_eq!(lines[at]["file"], named[at].as_str());
        let rejection = &lines[at]["rejection"];
        assert_eq!(lines[at]["status"], "rejected");
        assert!(rejection["message"].as_str().unwrap().starts_with("无法读取"), "{rejection}");
        rejection["code"].as_str().unwrap().to_owned()
    };
    assert_eq!((lines.len(), &lines[1]["status"]), (4, &serde_json::json!("ok")));
    assert_eq!([0, 2, 3].map(shown), ["UNREADABLE"; 3]);
    for format in ["text", "csv"] {
        let text = String::from_utf8(in_format(format).stdout).unwrap();
        assert_eq!(text.matches("UNREADABLE").count(), 3, "{text}");
    }
    let workbook = in_format("xlsx").stdout;
    let mut workbook: calamine::Xlsx<_> =
        calamine::open_workbook_from_rs(std::io::Cursor::new(workbook)).unwrap();
    let overview = workbook.worksheet_range("汇总").unwrap();
    assert_eq!(overview.rows().filter(|row| row[3].to_string().contains("UNREADABLE")).count(), 3);
}

#[test]
fn text_is_for_people_and_plain_without_a_terminal() {
    let (_folder, path) = folder();
    let output = check(&[&path("")]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("未发现问题") && text.contains("必须整改  T3-ROW") && text.contains("NOT_A_REPORT"),
        "{text}"
    );
    assert!(text.contains("共 3 份文件：已核查 2 份，退回 1 份"), "{text}");
    assert!(!text.contains('\u{1b}'));
    let english = String::from_utf8(check(&[&path(""), "--lang", "en"]).stdout).unwrap();
    assert!(english.contains("3 files: 2 checked, 1 rejected") && !english.contains("必须整改"), "{english}");
}

/// Returns the clean report on the year after, with other numbers of requests carried in.
fn next_year() -> Vec<u8> {
    let text = String::from_utf8(clean()).unwrap().replace("2023年", "2024年");
    let (before, row) = text.split_once("二、上年结转政府信息公开申请数量").unwrap();
    let (label_end, numbers) = row.split_at(row.find(|c: char| c.is_ascii_digit()).unwrap());
    format!("{before}二、上年结转政府信息公开申请数量{label_end}7{numbers}").into_bytes()
}

fn rules_of(line: &serde_json::Value) -> Vec<&str> {
    line["findings"].as_array().unwrap().iter().map(|finding| finding["rule"].as_str().unwrap()).collect()
}

#[test]
fn the_years_of_a_folder_are_compared() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    for (name, content) in [("2023", clean()), ("2024", next_year())] {
        fs::create_dir(folder.path().join(name)).unwrap();
        fs::write(folder.path().join(name).join("a.txt"), content).unwrap();
    }
    let both = lines(&check(&[&path(""), "--format", "json"]));
    assert_eq!(both.len(), 2);
    assert!(!rules_of(&both[0]).contains(&"X-CARRY"), "{:?}", rules_of(&both[0]));
    assert!(rules_of(&both[1]).contains(&"X-CARRY"), "{:?}", rules_of(&both[1]));
    let last = lines(&check(&[&path("2024"), "--previous", &path("2023"), "--format", "json"]));
    assert_eq!(last.len(), 1, "earlier reports are not checked");
    assert_eq!(rules_of(&last[0]), rules_of(&both[1]));
    let alone = lines(&check(&[&path("2024/a.txt"), "--format", "json"]));
    assert!(!rules_of(&alone[0]).contains(&"X-CARRY"));
    assert_eq!(both[1]["report"], alone[0]["report"]);
}

#[test]
fn personal_data_in_findings_is_masked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.txt");
    let text = String::from_utf8(clean()).unwrap();
    fs::write(
        &path,
        text.replacen("六、其他需要报告的事项", "六、其他需要报告的事项\n手机：13987654321。", 1),
    )
    .unwrap();
    for format in ["text", "csv"] {
        let said = String::from_utf8(check(&[path.to_str().unwrap(), "--format", format]).stdout).unwrap();
        assert!(
            said.contains("H-PII") && said.contains("139****4321") && !said.contains("13987654321"),
            "{said}"
        );
    }
}

#[test]
fn copies_in_a_folder_are_compared_and_the_later_one_speaks() {
    let (_folder, path) = folder();
    let lines = lines(&check(&[&path(""), "--format", "json"]));
    assert_eq!(rules_of(&lines[0]), [""; 0]);
    assert!(rules_of(&lines[1]).contains(&"V-MULTI"), "{:?}", rules_of(&lines[1]));
}

#[test]
fn a_list_of_agencies_makes_parents_and_siblings_known() {
    let (_folder, path) = folder();
    let list = path("agencies.csv");
    fs::write(&list, "code,name,parent,region\nYX-1,云溪县发展和改革局,,360999\n").unwrap();
    let arguments = [&path("a.txt"), "--agencies", &list, "--site-code", "3609990001", "--format", "json"];
    let lines = lines(&check(&arguments));
    assert_eq!((lines.len(), &lines[0]["status"]), (1, &serde_json::json!("ok")));
    let broken = check(&[&path("a.txt"), "--agencies", &path("c.txt")]);
    assert!(!broken.status.success());
    assert!(String::from_utf8(broken.stderr).unwrap().contains("is no list of agencies"));
}

#[test]
fn csv_has_a_header_and_a_line_a_finding() {
    let (_folder, path) = folder();
    let output = check(&[&path(""), "--format", "csv"]);
    let mut reader = csv::Reader::from_reader(output.stdout.as_slice());
    assert_eq!(
        reader.headers().unwrap().iter().take(6).collect::<Vec<_>>().join(","),
        "file,status,agency,year,form,rejection"
    );
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert!(rows.len() >= 3);
    assert_eq!((&rows[0][1], &rows[0][6]), ("ok", ""));
    assert_eq!(&rows[rows.len() - 1][5], "NOT_A_REPORT");
}

#[test]
fn a_workbook_has_all_findings_and_a_list_for_each_agency() {
    let (folder, path) = folder();
    let workbook = folder.path().join("out.xlsx");
    let output = check(&[
        &path("a.txt"),
        &path("b"),
        &path("c.txt"),
        "--format",
        "xlsx",
        "--output",
        workbook.to_str().unwrap(),
        "--office=甲办",
        "--due=2024-02-28",
        "--contact=张三 1",
    ]);
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    let mut workbook: calamine::Xlsx<_> = calamine::open_workbook(workbook).unwrap();
    let names = workbook.sheet_names();
    assert_eq!(names[..4], ["封面", "汇总", "疑点", "经办人核对"]);
    assert_eq!(names.len(), 5);
    let sheet = |workbook: &mut calamine::Xlsx<_>, name: &str| -> Vec<Vec<String>> {
        let range = workbook.worksheet_range(name).unwrap();
        range.rows().map(|row| row.iter().map(ToString::to_string).collect()).collect()
    };
    let overview = sheet(&mut workbook, "汇总");
    assert_eq!(overview.len(), 4, "a head and three documents");
    assert!(overview[3][3].contains("NOT_A_REPORT"));
    let findings = sheet(&mut workbook, "疑点");
    let row = findings.iter().find(|row| row[5] == "T3-ROW").unwrap();
    let place = "第三部分表格「一、本年新收政府信息公开申请数量」行「自然人」列";
    assert_eq!((row[4].as_str(), row[6].as_str()), ("必须整改", place));
    assert!(findings[1..].iter().all(|row| !row[6].is_empty()));
    let officer = sheet(&mut workbook, "经办人核对");
    assert!(officer[1][4].contains("NOT_A_REPORT"), "{officer:?}");
    let cover = sheet(&mut workbook, "封面");
    assert!(cover.iter().any(|row| row[0] == "退回" && row[1] == "1 份"), "{cover:?}");
    assert!(row[10].contains("国办公开办函") && !row[11].is_empty());
    let list = sheet(&mut workbook, &names[4]);
    assert_eq!(list[0][0], format!("{}政府信息公开工作年度报告整改清单", names[4]));
    assert_eq!(list[1][0], format!("致：{}", names[4]));
    assert_eq!(list[2][0], "整改时限：2024年2月28日　　联系人：张三 1　　发文单位：甲办");
    assert_eq!((list[3][0].as_str(), list[3][10].as_str()), ("序号", "整改情况"));
    let row = list[4..].iter().find(|row| row[9] == "T3-ROW").unwrap();
    assert_eq!((row[2].as_str(), row[3].as_str(), row[10].as_str()), ("必须整改", place, ""));
}

#[test]
fn csv_for_spreadsheets_has_a_mark_and_chinese_heads_and_words() {
    let (_folder, path) = folder();
    let output = check(&[&path(""), "--format", "csv", "--spreadsheet"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.starts_with("\u{feff}文件,机关,年度,结果,级别,规则,位置,问题,填报内容,应为,依据,整改建议\n"),
        "{text}"
    );
    let mut reader = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    let row = rows.iter().find(|row| &row[5] == "T3-ROW").unwrap();
    assert_eq!((&row[4], row[6].starts_with("第三部分表格「")), ("必须整改", true));
    assert!(rows[rows.len() - 1][3].contains("NOT_A_REPORT"), "{rows:?}");
}

#[test]
fn the_notice_is_a_letter_with_the_results_and_the_deadline() {
    let (folder, path) = folder();
    let notice = folder.path().join("notice.docx");
    let options = ["--office=甲办", "--to=各部门", "--due=2024-02-28", "--contact=张三 1", "--notice"];
    let files = [path("b"), path("c.txt")];
    let files = [files[0].as_str(), &files[1]];
    check(&[&files[..], &options, &[notice.to_str().unwrap()]].concat());
    let mut archive = zip::ZipArchive::new(fs::File::open(notice).unwrap()).unwrap();
    let mut text = String::new();
    archive.by_name("word/document.xml").unwrap().read_to_string(&mut text).unwrap();
    for said in [
        "工作年度报告核查情况的通报",
        "各部门：",
        "2024年2月28日",
        "张三 1",
        "甲办",
        "自然人 + 商业企业",
        "名次",
    ] {
        assert!(text.contains(said), "{said} is missing: {text}");
    }
}

#[test]
fn csv_lists_are_written_a_file_an_agency() {
    let (folder, path) = folder();
    let lists = folder.path().join("lists");
    check(&[&path("b"), "--format", "csv", "--lists", lists.to_str().unwrap()]);
    let files: Vec<_> = fs::read_dir(&lists).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1);
    let text = fs::read_to_string(&files[0]).unwrap();
    let agency = files[0].file_stem().unwrap().to_str().unwrap();
    assert!(text.starts_with(&format!("\u{feff}{agency}政府信息公开工作年度报告整改清单")), "{text}");
    assert!(text.contains("T3-ROW"), "{text}");
}

#[test]
fn options_that_do_not_go_together_are_refused() {
    let (_folder, path) = folder();
    for arguments in [
        ["--format", "json", "--lists", "x"],
        ["--format", "csv", "--output", "x"],
        ["--format", "json", "--spreadsheet", "--lang=zh"],
        ["--due", "2024-02-30", "--lang", "zh"],
    ] {
        let output = gongkai().arg("check").arg(path("a.txt")).args(arguments).output().unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{arguments:?}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    for n in 0..30 {
        fs::write(folder.path().join(format!("{n}.txt")), clean()).unwrap();
    }
    let mut child = gongkai()
        .args(["check", "--format", "json"])
        .arg(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 64];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}

#[test]
fn help_shows_the_commands_that_exist_and_version_what_decides_an_answer() {
    let help = gongkai().arg("--help").output().unwrap();
    let text = String::from_utf8(help.stdout).unwrap();
    let commands =
        text.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names: Vec<_> = commands.filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(
        names,
        [
            "up",
            "check",
            "submit",
            "submissions",
            "get",
            "list",
            "findings",
            "explain",
            "waivers",
            "alerts",
            "erase",
            "watch",
            "agencies",
            "adapters",
            "status",
            "dead",
            "tap",
            "pause",
            "resume",
            "reprocess",
            "doctor",
            "backup",
            "restore",
            "rules",
            "completions",
            "man",
            "help"
        ]
    );
    let version = gongkai().arg("--version").output().unwrap();
    let text = String::from_utf8(version.stdout).unwrap();
    let labels: Vec<_> = text.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(labels, ["gongkai", "parser", "forms", "rules"]);
}

#[test]
fn nobody_at_the_other_end_is_said_in_one_line() {
    let output = gongkai().args(["list", "--query", "http://127.0.0.1:1"]).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), text.lines().count()), (Some(2), 1), "{text}");
    assert!(text.contains("gongkai up") && text.contains("--query"), "{text}");
}

#[test]
fn a_page_of_a_folder_is_read_with_its_attachments() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("a.html"), "<html><body><p>详见附件。</p><a href=annex.md>附表</a></body></html>")
        .unwrap();
    fs::write(path("a.docx"), sample("13_word_docx.docx")).unwrap();
    fs::write(path("annex.md"), "附表").unwrap();
    let output = check(&[&folder.path().display().to_string(), "--format", "json"]);
    let lines = lines(&output);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(
        (&lines[0]["file"], &lines[0]["status"]),
        (&path("a.html").display().to_string().into(), &"ok".into())
    );
    let parts: Vec<_> = lines[0]["parts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| (part["name"].as_str(), part["role"].as_str()))
        .collect();
    let role = |name, role| (name, Some(role));
    assert_eq!(
        parts,
        [role(None, "other"), role(Some("a.docx"), "carrier"), role(Some("annex.md"), "other")]
    );
    assert_eq!(lines[0]["report"]["facts"][0]["source"]["part"], "a.docx");
    // A file by itself has no attachments.
    assert_eq!(check(&[&path("a.html").display().to_string()]).status.code(), Some(2));
}
