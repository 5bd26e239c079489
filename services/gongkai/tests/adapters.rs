//! `gongkai adapters test` on the samples of `deploy/adapters`.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/adapters").join(name)
}

fn run(file: &Path, config: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gongkai"));
    command.args(["adapters", "test"]).arg(file).arg("--config").arg(config).args(more);
    command.output().unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

#[test]
fn each_sample_becomes_an_event() {
    for (dialect, file, id, kind) in
        [("yunshu", "yunshu.json", "90731", "published"), ("jiaohuan", "jiaohuan.xml", "SQ-1024", "updated")]
    {
        let output = run(&sample(file), &sample(&format!("{dialect}.toml")), &["--adapter", dialect]);
        assert!(output.status.success(), "{output:?}");
        let event = json(&output);
        assert_eq!((&event["id"], &event["type"]), (&id.into(), &format!("gongkai.report.{kind}.v1").into()));
        assert_eq!(event["time"].as_str().unwrap().get(..10), Some("2024-01-15"));
        assert_eq!(event["data"]["year"], 2023);
    }
}

#[test]
fn a_refusal_names_code_and_place_and_a_config_mistake_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let (body, config) = (folder.path().join("body.json"), folder.path().join("gongkai.toml"));
    let good = fs::read_to_string(sample("yunshu.json")).unwrap();
    fs::write(&body, good.replace("\"2023\"", "\"soon\"")).unwrap();
    let said = |output: Output| (output.status.code(), String::from_utf8(output.stderr).unwrap());
    // Without a name it is the only adapter.
    let (code, text) = said(run(&body, &sample("yunshu.toml"), &[]));
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("INVALID_FIELD") && text.contains("year (/payload/reportYear)"), "{text}");
    let settings = fs::read_to_string(sample("yunshu.toml")).unwrap();
    fs::write(&config, settings.replace("\"/action\"", "\"action\"")).unwrap();
    let (code, text) = said(run(&body, &config, &[]));
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("ingest.adapters.yunshu.fields.kind"), "{text}");
    let (code, text) = said(run(&body, &sample("yunshu.toml"), &["--adapter", "other"]));
    assert!(code == Some(2) && text.contains("yunshu"), "{text}");
    let (code, text) = said(run(&folder.path().join("none"), &sample("yunshu.toml"), &[]));
    assert!(code == Some(2) && text.contains("none"), "{text}");
}
