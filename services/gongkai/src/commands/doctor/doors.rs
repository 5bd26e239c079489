//! Checks whether the configuration of ingest accepts calls without credentials from more callers than intended.

use gongkai_ingest::Config;

use super::examination::Examination;

/// Checks the configuration of ingest.
pub(super) fn check(config: &Config) -> Examination {
    let subject = "calls without credentials".to_owned();
    let has_sites = config.sites.values().any(gongkai_ingest::config::Site::has_credentials);
    if !config.takes_unsigned() {
        return Examination::ok(subject, "一律拒绝", "are refused");
    }
    if config.is_behind_proxy() {
        let address = &config.public_url;
        return Examination::wrong(
            subject,
            "UNSIGNED_BEHIND_PROXY",
            &format!(
                "本机调用免凭证，而 {address} 由本机代理转来：代理若不注明转发，互联网上的任何人都算本机。请配置站点密钥或令牌，并设 ingest.unsigned_on_loopback = false"
            ),
            &format!(
                "are accepted from this machine, and a proxy on it forwards requests for {address}: if it adds no header, every caller counts as this machine. Configure a site's secret or a token, and set ingest.unsigned_on_loopback = false"
            ),
        );
    }
    if has_sites {
        return Examination::note(
            subject,
            "UNSIGNED_ON_LOOPBACK",
            "本机调用免凭证（有凭证的站点除外）。本机有代理的，请设 ingest.unsigned_on_loopback = false",
            "are accepted from this machine, except for sites that have credentials. Behind a proxy on it, set ingest.unsigned_on_loopback = false",
        );
    }
    Examination::ok(
        subject,
        "仅限本机；未配置任何凭证",
        "are accepted from this machine only, as no credentials are configured",
    )
}

#[cfg(test)]
mod tests {
    use gongkai_ingest::config::Site;
    use gongkai_worker::Secret;

    use super::*;

    #[test]
    fn calls_without_credentials_behind_a_proxy_are_reported() {
        let site =
            Site { source: "https://a.gov.cn".into(), secrets: vec![Secret::new("s")], ..Site::default() };
        let with_site = || Config { sites: [("a".into(), site.clone())].into(), ..Config::default() };
        let proxied = |config: Config| Config { public_url: "https://in.example.gov.cn".into(), ..config };
        for (config, code) in [
            (Config::default(), ""),
            (proxied(Config::default()), "UNSIGNED_BEHIND_PROXY"),
            (with_site(), "UNSIGNED_ON_LOOPBACK"),
            (proxied(with_site()), "UNSIGNED_BEHIND_PROXY"),
            (Config { unsigned_on_loopback: false, ..proxied(with_site()) }, ""),
            (Config { tokens: vec![Secret::new("t")], ..proxied(with_site()) }, ""),
        ] {
            assert_eq!(check(&config).code, code, "{config:?}");
        }
    }
}
