//! `gongkai submit` of a folder: it is resumed by its journal, waits for a busy ingest, and one document's failure
//! does not affect others.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Command, Output},
    sync::{Arc, Mutex},
    thread,
};

use serde_json::{Value, json};

/// An ingest that is busy at first, refuses documents with the text `refused`, and accepts all others.
struct Ingest {
    address: String,
    /// Body and query of the accepted documents.
    taken: Arc<Mutex<Vec<(String, String)>>>,
}

impl Ingest {
    fn start(busy: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let taken = Arc::new(Mutex::new(Vec::new()));
        let (all, mut busy) = (taken.clone(), busy);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (target, body) = request(&mut BufReader::new(stream.as_ref().unwrap()));
                let answer = if busy > 0 {
                    busy -= 1;
                    answer("503 Service Unavailable\r\nretry-after: 1", &json!({"code": "OVERLOADED"}))
                } else if body == "refused" {
                    answer("413 Content Too Large", &json!({"code": "TOO_LARGE", "title": "too large"}))
                } else {
                    all.lock().unwrap().push((body, target));
                    answer("202 Accepted", &receipt(all.lock().unwrap().len()))
                };
                stream.unwrap().write_all(answer.as_bytes()).unwrap();
            }
        });
        Self { address, taken }
    }

    fn bodies(&self) -> Vec<String> {
        let mut bodies: Vec<_> = self.taken.lock().unwrap().drain(..).map(|(body, _)| body).collect();
        bodies.sort();
        bodies
    }
}

fn request(reader: &mut BufReader<&TcpStream>) -> (String, String) {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        lines.push(line.to_lowercase());
    }
    let length = lines.iter().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let mut body = vec![0; length.trim().parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    (lines[0].clone(), String::from_utf8(body).unwrap())
}

fn answer(status: &str, body: &Value) -> String {
    let body = body.to_string();
    let head = "content-type: application/json\r\nconnection: close";
    format!("HTTP/1.1 {status}\r\n{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

fn receipt(number: usize) -> Value {
    json!({"submission_id": format!("s-{number}"), "state": "received", "report": null, "revision": null,
        "trace_id": "", "status_url": "", "findings": {"error": 0, "warning": 0, "review": 0, "info": 0},
        "rejection": null})
}

fn submit(ingest: &str, folder: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gongkai"));
    command.args(["submit", "--ingest", ingest]).arg(folder).args(more).output().unwrap()
}

fn lines(output: &Output) -> Vec<Value> {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn summary(output: &Output, member: &str) -> u64 {
    lines(output).last().unwrap()["summary"][member].as_u64().unwrap()
}

#[test]
fn a_folder_is_sent_once_and_a_changed_file_again() {
    let (root, ingest) = (tempfile::tempdir().unwrap(), Ingest::start(1));
    let folder = root.path().join("archive");
    fs::create_dir_all(folder.join("2019")).unwrap();
    for (name, text) in [("a.txt", "one"), ("2019/b.txt", "two"), ("c.txt", "refused")] {
        fs::write(folder.join(name), text).unwrap();
    }
    std::os::unix::fs::symlink("nowhere", folder.join("d.txt")).unwrap();
    let options = ["--format", "json", "--backfill", "--jobs", "2"];
    let output = submit(&ingest.address, &folder, &options);
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(ingest.taken.lock().unwrap().iter().all(|(_, target)| target.contains("backfill=true")));
    assert_eq!(ingest.bodies(), ["one", "two"]);
    let all = lines(&output);
    let files: Vec<_> = all.iter().filter_map(|line| line["file"].as_str()).collect();
    assert_eq!(
        files,
        ["2019/b.txt", "a.txt", "c.txt", "d.txt"].map(|name| folder.join(name).display().to_string())
    );
    assert_eq!(
        (&all[2]["error"]["code"], &all[3]["error"]["code"]),
        (&json!("TOO_LARGE"), &json!("UNREADABLE"))
    );
    assert_eq!((summary(&output, "taken"), summary(&output, "failed")), (2, 2));

    // The run was killed while it wrote its last line: the file of that line is sent again, and ingest recognises it.
    let journal = root.path().join("archive.submitted.jsonl");
    let text = fs::read_to_string(&journal).unwrap();
    assert_eq!(text.lines().count(), 2);
    fs::write(&journal, &text[..text.len() - 9]).unwrap();
    fs::write(folder.join("c.txt"), "mended").unwrap();
    fs::remove_file(folder.join("d.txt")).unwrap();
    let output = submit(&ingest.address, &folder, &options);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!((ingest.bodies().len(), summary(&output, "sent_before")), (2, 1));

    fs::write(folder.join("a.txt"), "one, mended").unwrap();
    submit(&ingest.address, &folder, &options);
    assert_eq!(ingest.bodies(), ["one, mended"]);
    // A call with other options is another submission.
    submit(&ingest.address, &folder, &["--agency", "云溪县档案局", "--format", "csv"]);
    assert_eq!(ingest.bodies().len(), 3);
}

#[test]
fn a_run_stops_where_nobody_answers() {
    let root = tempfile::tempdir().unwrap();
    for name in ["a.txt", "b.txt", "c.txt"] {
        fs::write(root.path().join(name), name).unwrap();
    }
    let journal = root.path().join("journal");
    let output = submit("http://127.0.0.1:1", root.path(), &["--journal", journal.to_str().unwrap()]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!((text.matches("gongkai up").count(), text.matches("stopped").count()), (1, 1), "{text}");
}

#[test]
fn a_page_is_sent_with_its_attachments_and_again_when_one_changes() {
    let (root, ingest) = (tempfile::tempdir().unwrap(), Ingest::start(0));
    let folder = root.path().join("archive");
    fs::create_dir_all(folder.join("files")).unwrap();
    let page = "<p>详见附件</p><a href=files/list.txt>清单</a>";
    for (name, text) in
        [("a.html", page), ("a.docx", "the report"), ("files/list.txt", "a list"), ("b.txt", "other")]
    {
        fs::write(folder.join(name), text).unwrap();
    }
    let output = submit(&ingest.address, &folder, &["--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(summary(&output, "taken"), 2);
    let [form, other] = <[String; 2]>::try_from(ingest.bodies()).unwrap();
    assert_eq!(other, "other");
    let boundary = form.split("\r\n").next().unwrap();
    let part = |field: &str, filename: &str, text: &str| {
        format!(
            "{boundary}\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{filename}\"\r\n\r\n{text}\r\n"
        )
    };
    let parts = [
        part("file", "a.html", page),
        part("attachment", "a.docx", "the report"),
        part("attachment", "list.txt", "a list"),
    ];
    assert_eq!(form, format!("{}{boundary}--\r\n", parts.concat()));

    let journal = fs::read_to_string(root.path().join("archive.submitted.jsonl")).unwrap();
    let files: Vec<Value> = journal.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(
        files.iter().all(|entry| ["a.html", "b.txt"].contains(&entry["file"].as_str().unwrap())),
        "{journal}"
    );
    let output = submit(&ingest.address, &folder, &["--format", "json"]);
    assert_eq!((ingest.bodies().len(), summary(&output, "sent_before")), (0, 2));
    fs::write(folder.join("files/list.txt"), "another list").unwrap();
    submit(&ingest.address, &folder, &[]);
    assert!(ingest.bodies().concat().contains("another list"));
    // Without its page, the file is a document.
    fs::remove_file(folder.join("a.html")).unwrap();
    submit(&ingest.address, &folder, &[]);
    assert_eq!(ingest.bodies(), ["another list", "the report"]);
}
