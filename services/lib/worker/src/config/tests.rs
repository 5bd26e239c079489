//! Tests of accepted and refused settings.

use std::io::Write as _;

use serde::Deserialize;

use super::*;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SampleConfig {
    size: u32,
    token: Option<Secret>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Lax {
    size: u32,
}

fn load(toml: &str) -> anyhow::Result<Config> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(toml.as_bytes()).unwrap();
    Config::load(Some(file.path()), &["own", "sibling"])
}

fn refused(toml: &str, expect: &str) {
    let error = load(toml)
        .and_then(|config| config.common().and_then(|_| config.section::<SampleConfig>("own")))
        .map(|own| format!("{own:?}"))
        .unwrap_err();
    assert!(format!("{error:#}").contains(expect), "{error:#}");
}

#[test]
fn defaults_run_out_of_the_box() {
    let config = load("").unwrap();
    assert_eq!(config.common().unwrap(), Common::default());
    assert_eq!(config.section::<SampleConfig>("own").unwrap().size, 0);
}

#[test]
fn a_file_sets_what_it_names_and_siblings_are_accepted_unread() {
    let config =
        load("[worker]\nconcurrency = 7\n[own]\nsize = 3\ntoken = 'x'\n[sibling]\nanything = 1").unwrap();
    let common = config.common().unwrap();
    assert_eq!((common.worker.concurrency, common.worker.ack_wait_s), (7, 30));
    let own: SampleConfig = config.section("own").unwrap();
    assert_eq!((own.size, own.token.unwrap().expose()), (3, "x"));
    assert_eq!(config.with("own.size", 9).section::<SampleConfig>("own").unwrap().size, 9);
}

#[test]
fn an_excerpt_of_a_sibling_passes_over_what_it_does_not_know() {
    let config = load("[sibling.inner]\nsize = 3\nother = 1").unwrap();
    assert_eq!(config.excerpt::<Lax>("sibling.inner").unwrap().size, 3);
    assert_eq!(config.excerpt::<Lax>("sibling.absent").unwrap().size, 0);
    let error = load("[sibling.inner]\nsize = 'x'").unwrap().excerpt::<Lax>("sibling.inner").unwrap_err();
    assert!(error.to_string().contains("sibling.inner.size"), "{error}");
}

#[test]
fn mistakes_name_their_key() {
    refused("[own]\nsise = 3", "sise");
    refused("[wroker]\nconcurrency = 1", "wroker");
    refused("stray = 1", "stray");
    refused("[worker]\nconcurency = 1", "concurency");
    refused("[worker]\nconcurrency = 'many'", "worker.concurrency");
    refused("[worker]\nmax_ack_pending = 63", "worker.max_ack_pending");
    refused("[worker]\nack_wait_s = 1", "worker.ack_wait_s");
    refused("[telemetry]\nsample_ratio = 2.0", "telemetry.sample_ratio");
    refused("[telemetry]\nlog_filter = 'a=b=c'", "telemetry.log_filter");
    refused("[admin]\naddress = '0.0.0.0'", "admin.token");
    refused("[nats]\nuser = 'me'", "nats.password");
    refused("[nats]\ntoken = 'x'\nurl = 'nats://u:p@h'", "nats.url");
    refused("[nats]\ntoken_file = '/nowhere/token'", "nats.token_file");
    refused("[objects]\nendpoint = 'https://s3.example'", "objects.store");
    refused("[objects]\nstore = 's3'", "objects.endpoint");
    refused("[objects]\nstore = 's3'\nendpoint = 'https://s3.example'", "objects.bucket");
    let s3 = "[objects]\nstore = 's3'\nendpoint = 'https://s3.example'\nbucket = 'gongkai'\naccess_key = 'a'";
    refused(s3, "objects.secret_key");
    refused(&format!("{s3}\nsecret_key_file = '/nowhere/key'"), "objects.secret_key_file");
    refused(
        &format!("{s3}\nsecret_key = 's'\nroot_certificates_file = '/nowhere/ca'"),
        "objects.root_certificates_file",
    );
    refused(&format!("{s3}\nsecret_key = 's'\nrequest_timeout_ms = 0"), "timeouts of objects");
    refused("[worker\n", "config");
}

#[test]
fn a_section_that_accepts_anything_is_refused() {
    let error = load("").unwrap().section::<Lax>("own").map(|lax| format!("{lax:?}")).unwrap_err();
    assert!(error.to_string().contains("unknown keys"), "{error}");
}

#[test]
fn secrets_stay_out_of_dumps() {
    let config = load("[nats]\ntoken = 's3cret'").unwrap();
    let common = config.common().unwrap();
    assert!(!toml::to_string(&common).unwrap().contains("s3cret"));
    assert!(!format!("{common:?}").contains("s3cret"));
}
