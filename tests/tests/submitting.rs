//! `gongkai submit` of a folder of pages with attachments to a running deployment: it is killed in the middle and run again, and
//! every document is accepted once.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what is missing fails the test")]

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use gongkai_proto::subjects::STREAM_REPORTS;
use gongkai_tests::{
    deployment::{Deployment, Plan, binary},
    http, samples,
};
use serde_json::Value;

/// Number of pages. Each has an attachment.
const PAGES: usize = 60;
/// Number of accepted documents after which the command is killed.
const KILLED_AFTER: usize = 10;

fn submit(ingest: &str, folder: &Path) -> Child {
    let mut command = Command::new(binary("gongkai"));
    command.args(["submit", "--ingest", ingest, "--jobs", "2", "--format", "json"]).arg(folder);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Writes the pages. The attachment of the first is a report.
fn write_pages(folder: &Path) {
    fs::create_dir(folder).unwrap();
    let report = samples::all().into_iter().find(|sample| sample.file == "13_word_docx.docx").unwrap();
    fs::write(folder.join("00.html"), "<p>详见附件。</p><a href='年报.docx'>附件</a>").unwrap();
    fs::write(folder.join("年报.docx"), report.bytes()).unwrap();
    for number in 1..PAGES {
        fs::write(folder.join(format!("{number:02}.html")), format!("<p>第{number}期，详见附件。</p>"))
            .unwrap();
        fs::write(folder.join(format!("{number:02}.pdf")), "%PDF-1.7\nx").unwrap();
    }
}

async fn kill_after_some(mut child: Child, journal: &Path) {
    for _ in 0..3000 {
        let accepted = fs::read_to_string(journal).map_or(0, |text| text.lines().count());
        if accepted >= KILLED_AFTER {
            child.kill().unwrap();
            child.wait().unwrap();
            assert!(accepted < PAGES, "it was over before it was killed");
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("nothing is accepted: {:?}", child.wait_with_output());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_command_goes_on_and_sends_each_page_with_its_attachment_once() {
    let deployment = Deployment::start(&Plan::default()).await;
    let root = tempfile::tempdir().unwrap();
    let (folder, journal) = (root.path().join("archive"), root.path().join("archive.submitted.jsonl"));
    write_pages(&folder);
    kill_after_some(submit(&deployment.ingest(), &folder), &journal).await;
    let output = submit(&deployment.ingest(), &folder).wait_with_output().unwrap();
    // 1: a document that was accepted just before the kill is sent again, and its receipt says that it is rejected.
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&output.stderr));
    let last: Value =
        serde_json::from_slice(output.stdout.split(|byte| *byte == b'\n').rev().nth(1).unwrap()).unwrap();
    let count = |member: &str| last["summary"][member].as_u64().unwrap();
    assert!(count("sent_before") >= KILLED_AFTER as u64, "{last}");
    assert_eq!((count("documents"), count("failed")), (PAGES as u64, 0), "{last}");

    let text = fs::read_to_string(&journal).unwrap();
    let entries: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut submissions: Vec<&str> =
        entries.iter().map(|entry| entry["submission_id"].as_str().unwrap()).collect();
    submissions.sort_unstable();
    submissions.dedup();
    assert_eq!((entries.len(), submissions.len()), (PAGES, PAGES), "{text}");
    for submission in &submissions {
        let receipt = http::settled(&deployment.ingest(), submission).await;
        assert_eq!(receipt["parts"].as_array().unwrap().len(), 2, "{receipt}");
    }
    // Of each document its arrival and its end, and of the report that it was parsed.
    assert_eq!(deployment.messages(STREAM_REPORTS).await, Some(2 * PAGES as u64 + 1));
    let first = entries.iter().find(|entry| entry["file"] == "00.html").unwrap();
    let receipt = http::settled(&deployment.ingest(), first["submission_id"].as_str().unwrap()).await;
    assert_eq!(
        (receipt["state"].as_str(), receipt["parts"][1]["role"].as_str()),
        (Some("validated"), Some("carrier"))
    );
}
