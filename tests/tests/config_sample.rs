//! `deploy/gongkai.toml` lists every key with its default: with it and without it, the programs have the same
//! configuration.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what is missing fails the test")]

use std::{path::PathBuf, process::Command};

use gongkai_proto::subjects::SERVICES;
use gongkai_tests::deployment::program;

fn in_force(service: &str, arguments: &[&str]) -> String {
    let output = Command::new(program(service)).args(arguments).arg("--dump-config").output().unwrap();
    assert!(output.status.success(), "{service}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn sample() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../deploy/gongkai.toml")
}

#[test]
fn the_sample_config_states_the_defaults() {
    for service in SERVICES {
        let with = in_force(service, &["--config", sample().to_str().unwrap()]);
        assert_eq!(with, in_force(service, &[]), "{service}");
    }
}

#[test]
fn the_sample_config_names_every_key_in_force() {
    let sample = std::fs::read_to_string(sample()).unwrap();
    for service in SERVICES {
        for key in
            in_force(service, &[]).lines().filter_map(|line| line.split_once(" = ")).map(|(key, _)| key)
        {
            assert!(sample.lines().any(|line| line.starts_with(&format!("{key} ="))), "{service}: {key}");
        }
    }
}

/// Returns the sample with its commented keys in force.
fn uncommented() -> toml::Table {
    let is_key = |line: &str| {
        let key = line.split(" = ").next().unwrap_or_default();
        line.starts_with('[')
            || (line.contains(" = ")
                && key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'))
    };
    let sample = std::fs::read_to_string(sample()).unwrap();
    let lines = sample.lines().map(|line| match line.strip_prefix("# ") {
        Some(commented) if is_key(commented) => commented,
        _ => line,
    });
    // The line with the default, an empty list, is removed, because the sample also shows an entry.
    lines.filter(|line| !line.starts_with("subscriptions = ")).collect::<Vec<_>>().join("\n").parse().unwrap()
}

/// Returns the keys of a section that the sample does not name. A secret counts as named if the key of its file is.
fn unnamed(section: &toml::Value, keys: impl serde::Serialize) -> Vec<String> {
    let keys = serde_json::to_value(keys).unwrap();
    let names = |key: &str| section.get(key).is_some();
    let missing = |key: &&String| {
        let file = format!("{}_file", key.trim_end_matches('s'));
        !(names(key) || names(&file) || names(&format!("{file}s")))
    };
    keys.as_object().unwrap().keys().filter(missing).cloned().collect()
}

#[test]
fn the_sample_config_names_every_key_also_those_without_a_default() {
    let sample = uncommented();
    let common = serde_json::to_value(gongkai_worker::Common::default()).unwrap();
    let subscription = gongkai_notify::Subscription::to_log("log");
    let fields: std::collections::BTreeMap<_, _> =
        gongkai_ingest::adapters::settings::EventField::all().iter().map(|field| (*field, "")).collect();
    let sections = [
        ("nats", unnamed(&sample["nats"], &common["nats"])),
        ("objects", unnamed(&sample["objects"], &common["objects"])),
        ("telemetry", unnamed(&sample["telemetry"], &common["telemetry"])),
        ("admin", unnamed(&sample["admin"], &common["admin"])),
        ("worker", unnamed(&sample["worker"], &common["worker"])),
        ("ingest", unnamed(&sample["ingest"], gongkai_ingest::Config::default())),
        (
            "ingest.sites",
            unnamed(&sample["ingest"]["sites"]["yunxi"], gongkai_ingest::config::Site::default()),
        ),
        (
            "ingest.adapters",
            unnamed(
                &sample["ingest"]["adapters"]["oa"],
                gongkai_ingest::adapters::settings::AdapterSettings::default(),
            ),
        ),
        ("ingest.adapters.fields", unnamed(&sample["ingest"]["adapters"]["oa"]["fields"], fields)),
        (
            "ingest.acknowledgements",
            unnamed(
                &sample["ingest"]["acknowledgements"],
                gongkai_ingest::Config::default().acknowledgements,
            ),
        ),
        ("parse", unnamed(&sample["parse"], gongkai_parse::Config::default())),
        ("validate", unnamed(&sample["validate"], gongkai_validate::Config::default())),
        ("notify", unnamed(&sample["notify"], gongkai_notify::Config::default())),
        ("notify.smtp", unnamed(&sample["notify"]["smtp"], gongkai_notify::Smtp::default())),
        ("notify.subscriptions", unnamed(&sample["notify"]["subscriptions"][0], subscription)),
        ("query", unnamed(&sample["query"], gongkai_query::Config::default())),
    ];
    for (section, unnamed) in sections {
        assert_eq!(unnamed, Vec::<String>::new(), "deploy/gongkai.toml does not name these of [{section}]");
    }
}

#[test]
fn the_programs_know_every_key_that_the_sample_config_shows() {
    fn known<T: serde::de::DeserializeOwned>(section: &str, value: &toml::Value) {
        if let Err(error) = value.clone().try_into::<T>() {
            panic!("[{section}] of deploy/gongkai.toml, its comments taken off: {error}");
        }
    }
    let mut sample = uncommented();
    known::<gongkai_ingest::Config>("ingest", &sample.remove("ingest").unwrap());
    known::<gongkai_parse::Config>("parse", &sample.remove("parse").unwrap());
    known::<gongkai_validate::Config>("validate", &sample.remove("validate").unwrap());
    known::<gongkai_notify::Config>("notify", &sample.remove("notify").unwrap());
    known::<gongkai_query::Config>("query", &sample.remove("query").unwrap());
    known::<gongkai_worker::Common>("common sections", &toml::Value::Table(sample));
}

#[test]
fn an_unknown_key_and_an_open_address_without_auth_are_refused_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    for (service, config, word) in [
        ("parse", "[parse]\nconcurency = 3\n", "concurency"),
        ("ingest", "[ingest]\nhttp_address = \"0.0.0.0:8080\"\n", "tokens"),
        ("query", "[query]\nbind = \"0.0.0.0:50051\"\n", "token"),
        ("validate", "[admin]\naddress = \"0.0.0.0\"\n", "token"),
    ] {
        let file = folder.path().join("gongkai.toml");
        std::fs::write(&file, config).unwrap();
        let output = Command::new(program(service)).arg("--config").arg(&file).output().unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(64), "{service}: {complaint}");
        assert!(complaint.contains(word), "{service}: {complaint}");
    }
}
