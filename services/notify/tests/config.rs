//! The `[notify]` section: accepted settings, the messages for refused ones, and that secrets are never shown.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use gongkai_notify::{Config, Notify};
use gongkai_worker::Service;

const SECRET: &str = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz";

fn read(text: &str) -> anyhow::Result<Config> {
    let config: Config = toml::from_str(text)?;
    Notify::validate(&config)?;
    Ok(config)
}

#[track_caller]
fn refused(text: &str, words: &str) {
    let error = format!("{:#}", read(text).unwrap_err());
    assert!(error.contains(words), "{error}");
    assert!(!error.contains("MDEyMzQ1"), "{error}");
}

fn webhook(lines: &str) -> String {
    format!("[[subscriptions]]\nname = \"office\"\nchannel = \"webhook\"\n{lines}")
}

#[test]
fn the_default_tells_the_log() {
    let config = read("").unwrap();
    let subscriptions = config.effective_subscriptions();
    assert_eq!((subscriptions.len(), subscriptions[0].name.as_str()), (1, "log"));
}

#[test]
fn a_full_webhook_is_taken_and_its_secret_never_shown() {
    let config = read(&webhook(&format!(
        "url = \"https://oa.example.gov.cn/hooks/gongkai\"\nsecret = \"{SECRET}\"\nmin_severity = \"ERROR\"\n\
         regions = [\"36\"]\nagencies = [\"p-0123456789abcdef\"]\nrules = [\"T3-ROW\"]"
    )))
    .unwrap();
    assert!(!format!("{config:?}").contains("MDEyMzQ1"));
    assert!(!toml::to_string(&config).unwrap().contains("MDEyMzQ1"));
}

#[test]
fn the_secret_may_stand_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    let text = webhook(&format!("url = \"https://example.gov.cn/\"\nsecret_file = \"{}\"", file.display()));
    refused(&text, "secret_file");
    std::fs::write(&file, format!("{SECRET}\n")).unwrap();
    assert!(read(&text).is_ok());
    refused(&format!("{text}\nsecret = \"{SECRET}\""), "secret and secret_file are both set");
}

/// Reads the section beside those of ingest's sites, as a program does.
fn beside(sites: &str) -> anyhow::Result<Config> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("gongkai.toml");
    std::fs::write(&file, sites)?;
    Notify::configure(&gongkai_worker::Config::load(Some(&file), &["ingest", "notify"])?)
}

#[test]
fn a_callback_is_read_from_the_section_of_ingest() {
    let site = |name: &str, lines: &str| format!("[ingest.sites.{name}]\nsource = \"s\"\n{lines}");
    let url = "callback_url = \"https://cms.example.gov.cn/ended\"\n";
    let secret = format!("secrets = [\"{SECRET}\"]\n");
    let config = beside(&format!("{}{}", site("a", &format!("{url}{secret}")), site("b", ""))).unwrap();
    assert_eq!(config.sites.keys().collect::<Vec<_>>(), ["a", "b"]);
    assert!(!format!("{config:?}").contains("MDEyMzQ1"));
    let refused = |text: String, words: &str| {
        let error = format!("{:#}", beside(&text).unwrap_err());
        assert!(error.contains("ingest.sites.") && error.contains(words), "{error}");
    };
    refused(site("a", url), "secrets");
    refused(site("A_b", &format!("{url}{secret}")), "1 to 32 of a-z");
    refused(site("a", &format!("callback_url = 1\n{secret}")), "callback_url");
    let private = format!("callback_url = \"https://10.0.0.1/\"\n{secret}");
    refused(site("a", &private), "callback_allow_private");
    assert!(beside(&site("a", &format!("{private}callback_allow_private = true\n"))).is_ok());
}

#[test]
fn mistakes_are_named_with_their_key() {
    let url = "url = \"https://example.gov.cn/\"";
    let secret = format!("secret = \"{SECRET}\"");
    refused("colour = 1", "colour");
    refused("min_severity = \"LOUD\"", "LOUD");
    refused("retry_delays_s = []", "notify.retry_delays_s");
    refused("retry_delays_s = [5, 0]", "notify.retry_delays_s");
    refused("[deadlines]\nremind_days = [3, 181]", "notify.deadlines.remind_days");
    refused("[[subscriptions]]\nname = \"a\"\nchannel = \"log\"\nevents = [\"gone\"]", "gone");
    refused("[[subscriptions]]\nname = \"a\"\nchannel = \"log\"\nevents = [\"resolved\"]", "without finding");
    refused("[[subscriptions]]\nname = \"a\"\nchannel = \"log\"\nevents = [\"rejected\"]", "rejections");
    refused("[deadlines]\nhour = 24", "notify.deadlines.hour");
    refused("[deadlines]\ntown_deadline = \"02-30\"", "notify.deadlines.town_deadline");
    refused("retry_delays_s = [604801]", "notify.retry_delays_s");
    refused("[[subscriptions]]\nname = \"a.b\"\nchannel = \"log\"", "notify.subscriptions[0].name");
    refused("[[subscriptions]]\nname = \"\"\nchannel = \"log\"", "notify.subscriptions[0].name");
    refused(
        "[[subscriptions]]\nname = \"a\"\nchannel = \"log\"\n[[subscriptions]]\nname = \"a\"\nchannel = \"log\"",
        "notify.subscriptions[1].name",
    );
    refused("[[subscriptions]]\nname = \"a\"\nchannel = \"log\"\nurl = \"https://x/\"", "takes no url");
    refused("[[subscriptions]]\nname = \"a\"\nchannel = \"log\"\nregions = [\"赣\"]", "regions");
    refused("[[subscriptions]]\nname = \"a\"\nchannel = \"pigeon\"", "pigeon");
    refused(&webhook(&secret), "url is missing");
    refused(&webhook(url), "secret is missing");
    refused(&webhook(&format!("{url}\nsecret = \"whsec_c2hvcnQ=\"")), "24 to 64 bytes");
    refused(&webhook(&format!("url = \"http://example.gov.cn/\"\n{secret}")), "must be https");
    refused(&webhook(&format!("url = \"https://169.254.169.254/\"\n{secret}")), "allow_private");
    assert!(read(&webhook(&format!("url = \"https://10.0.0.1/\"\nallow_private = true\n{secret}"))).is_ok());
}

fn on(channel: &str, lines: &str) -> String {
    format!("[[subscriptions]]\nname = \"office\"\nchannel = \"{channel}\"\n{lines}")
}

#[test]
fn robots_and_alertmanager_need_a_url_and_may_have_a_secret() {
    let url = "url = \"https://example.gov.cn/robot?key=MDEyMzQ1\"\n";
    for channel in ["dingtalk", "feishu", "alertmanager"] {
        assert!(read(&on(channel, url)).is_ok(), "{channel}");
        let config = read(&on(channel, &format!("{url}secret = \"SECMDEyMzQ1\""))).unwrap();
        let shown = format!("{config:?}{}", toml::to_string(&config).unwrap());
        assert!(!shown.contains("MDEyMzQ1"), "{shown}");
        refused(&on(channel, ""), &format!("url is missing: {channel} needs one"));
    }
    assert!(read(&on("wecom", &format!("{url}language = \"en\""))).is_ok());
    refused(&on("wecom", &format!("{url}secret = \"x\"")), "wecom takes no secret");
    refused(&on("wecom", &format!("{url}to = [\"a@example.gov.cn\"]")), "wecom takes no to");
    refused(&on("feishu", "url = \"https://10.0.0.1/\""), "allow_private");
    refused(&on("wecom", &format!("{url}language = \"fr\"")), "fr");
}

#[test]
fn mail_needs_a_server_and_is_encrypted_beyond_this_machine() {
    let mail =
        |smtp: &str| format!("[smtp]\n{smtp}\n{}", on("email", "to = [\"公开办 <gkb@example.gov.cn>\"]"));
    let from = "from = \"公开系统 <gk@example.gov.cn>\"";
    assert!(read(&mail(&format!("host = \"mail.example.gov.cn\"\n{from}"))).is_ok());
    assert!(read(&mail(&format!("host = \"127.0.0.1\"\nsecurity = \"none\"\n{from}"))).is_ok());
    let plain = format!("host = \"mail.example.gov.cn\"\nsecurity = \"none\"\n{from}");
    refused(&mail(&plain), "notify.smtp.allow_plain");
    assert!(read(&mail(&format!("{plain}\nallow_plain = true"))).is_ok());
    refused(&mail(from), "notify.smtp.host");
    refused(&mail("host = \"localhost\"\nfrom = \"x\""), "notify.smtp.from");
    refused(&mail(&format!("host = \"localhost\"\n{from}\nuser = \"u\"")), "notify.smtp.password_file");
    let smtp = format!("[smtp]\nhost = \"localhost\"\n{from}\n");
    refused(&format!("{smtp}{}", on("email", "")), "to is empty");
    refused(&format!("{smtp}{}", on("email", "to = [\"nobody\"]")), "to holds");
}

#[test]
fn the_address_of_a_reports_page_needs_the_place_of_the_agency() {
    assert!(read("report_url_template = \"https://gk.example.gov.cn/{agency}?y={year}\"").is_ok());
    for bad in ["https://gk.example.gov.cn/", "javascript:{agency}", "{agency}"] {
        refused(&format!("report_url_template = \"{bad}\""), "notify.report_url_template");
    }
}

#[test]
fn the_pace_is_that_of_the_channel_and_its_keys_are_checked() {
    let wecom = |lines: &str| on("wecom", &format!("url = \"https://example.gov.cn/\"\n{lines}"));
    let pace = "digest_s = 0\nmax_per_minute = 5\nquiet_hours = \"22:00-07:00\"\nquiet_weekends = true";
    assert!(read(&wecom(&format!("{pace}\nquiet_passes = \"ERROR\""))).is_ok());
    refused(&wecom("digest_s = 86401"), "digest_s is 86401");
    refused(&wecom("max_per_minute = 0"), "max_per_minute is 0");
    refused(&wecom("quiet_hours = \"22-7\""), "quiet_hours");
    refused(&wecom("quiet_passes = \"LOUD\""), "quiet_passes");
    refused(&on("log", "digest_s = 60"), "log takes no digest_s");
    assert!(read(&on("log", "max_per_minute = 60\nquiet_weekends = true")).is_ok());
}
