//! `deploy/gongkai.toml` says of every key what its default is: with it and without it the programs are the same.
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
