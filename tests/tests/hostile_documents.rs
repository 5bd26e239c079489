//! Documents that crash the process that reads them, among valid ones: only they are rejected, in parse, in the dry run
//! and on the command line.

use std::process::Command;

use gongkai_tests::{
    deployment::{Deployment, Plan, binary},
    http,
};
use serde_json::Value;

use self::pdf_file::pdf_file;

#[path = "../../services/lib/extract/tests/support/pdf_file.rs"]
mod pdf_file;

/// Limits under which two megabytes are too much.
const LIMITS: &str = "[parse]\ndocument_memory_bytes = 100663296\n";

/// Numbers of pages that exceed this limit and the default one.
const PAGES: [usize; 2] = [500_000, 3_000_000];

const NAMES: [&str; 12] =
    ["档案", "水务", "教育", "财政", "民政", "司法", "审计", "统计", "林业", "商务", "体育", "信访"];

/// Returns a distinct report for each name. One chapter with tables is enough.
fn sound(name: &str) -> Vec<u8> {
    format!(
        "云溪县{name}局2023年政府信息公开工作年度报告\n一、总体情况\n全年主动公开信息三百余条。\n\
         二、主动公开政府信息情况\n信息内容\t本年制发件数\t本年废止件数\t现行有效件数\n规章\t2\t3\t14\n\
         行政规范性文件\t5\t6\t17\n三、收到和处理政府信息公开申请情况\n四、政府信息公开行政复议、行政诉讼情况\n\
         五、存在的主要问题及改进情况\n解读形式单一，将增加图解。\n六、其他需要报告的事项\n无。\n"
    )
    .into_bytes()
}

/// Returns a tree of many pages, each of which occupies a few bytes in the file. The limits of the readers apply too
/// late.
fn crowded(pages: usize) -> Vec<u8> {
    let kids = "<<>>".repeat(pages);
    let objects =
        ["<< /Type /Catalog /Pages 2 0 R >>".to_owned(), format!("<< /Type /Pages /Kids [{kids}] >>")];
    pdf_file(&objects, "")
}

/// Returns a font that has a width for every possible code.
fn wide(number: usize) -> Vec<u8> {
    let font = format!("/Type /Font /Subtype /CIDFontType2 /BaseFont /X /W [{number} 4294967295 500]");
    let font = format!(
        "<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H /DescendantFonts [<< {font} >>] >>"
    );
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        format!("<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /Font << /F {font} >> >> >>"),
        "<< /Length 22 >>\nstream\nBT /F 9 Tf <0001> Tj ET\nendstream".to_owned(),
    ];
    pdf_file(&objects, "")
}

/// Returns whether the rejection is retryable, by the name of the document.
fn is_retryable(name: &str) -> bool {
    name.starts_with("crowded")
}

/// Returns all documents with their names, hostile ones among sound ones. `pages` do not fit into memory.
fn documents(pages: usize) -> Vec<(String, Vec<u8>)> {
    let mut documents = Vec::new();
    for (number, name) in NAMES.iter().enumerate() {
        documents.push((format!("sound{number}.txt"), sound(name)));
        match number % 6 {
            0 => documents.push((format!("crowded{number}.pdf"), crowded(pages + number))),
            3 => documents.push((format!("wide{number}.pdf"), wide(number))),
            _ => {}
        }
    }
    documents
}

fn check_rejection(name: &str, rejection: &Value) {
    assert_eq!(rejection["code"], "TOO_LARGE", "{name}: {rejection}");
    assert_eq!(rejection["retryable"].as_bool().unwrap_or(false), is_retryable(name), "{name}: {rejection}");
}

/// Checks the result of a dry run or of the command line.
fn check_line(name: &str, line: &Value) {
    if name.starts_with("sound") {
        assert_eq!(line["status"], "ok", "{name}: {line}");
    } else {
        check_rejection(name, &line["rejection"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_hostile_document_is_one_rejection_and_the_others_are_validated() {
    let plan = Plan { replicas: 2, config: LIMITS.to_owned(), ..Plan::default() };
    let mut deployment = Deployment::start(&plan).await;
    let ingest = deployment.ingest();
    let mut accepted = Vec::new();
    for (name, bytes) in documents(PAGES[0]) {
        let url = format!("{ingest}/v1/reports?filename={name}");
        let answer = http::post(&url, "application/octet-stream", bytes).await.unwrap();
        assert_eq!(answer.status, 202, "{name}: {}", answer.json);
        accepted.push((name, answer.json["submission_id"].as_str().unwrap().to_owned()));
    }
    for (name, id) in accepted {
        let receipt = http::settled(&ingest, &id).await;
        if name.starts_with("sound") {
            assert_eq!(receipt["state"], "validated", "{name}: {receipt}");
        } else {
            assert_eq!(receipt["state"], "rejected", "{name}: {receipt}");
            check_rejection(&name, &receipt["rejection"]);
        }
    }
    for (name, bytes) in documents(PAGES[1]).into_iter().take(2) {
        let url = format!("{ingest}/v1/check?filename={name}");
        let line = http::post(&url, "application/octet-stream", bytes).await.unwrap().json;
        check_line(&name, &line);
    }
    deployment.assert_nothing_restarted();
}

#[test]
fn a_folder_with_hostile_documents_is_checked_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let documents = documents(PAGES[1]);
    for (name, bytes) in &documents {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    let output = Command::new(binary("gongkai"))
        .args(["check", "--format", "json"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), documents.len());
    for line in lines {
        let name = line["file"].as_str().unwrap().rsplit('/').next().unwrap();
        check_line(name, &line);
    }
}
