//! Decides whether a request came from this machine, or was forwarded by a proxy on it.
//!
//! Behind a proxy on this machine every caller has a loopback address. Most proxies add a header, or forward the host
//! that their caller asked for. A page in a browser that reaches loopback by a DNS name also has such a host. A proxy
//! that does neither cannot be detected; `ingest.unsigned_on_loopback = false` is for this case.

use std::net::IpAddr;

use http::{HeaderMap, Uri, header, uri::Authority};

/// Headers that only a proxy sets, besides those that begin with [`FORWARDED`].
const OF_PROXIES: [&str; 8] = [
    "forwarded",
    "via",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-original-forwarded-for",
    "true-client-ip",
    "cf-connecting-ip",
];
const FORWARDED: &str = "x-forwarded-";

/// Returns the header or host that shows that a proxy forwarded the request, or `None` if there is none.
#[must_use]
pub fn sign_of_proxy(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    if let Some(name) = header_of_proxy(headers) {
        return Some(name.to_owned());
    }
    let named = headers
        .get_all(header::HOST)
        .iter()
        .map(|host| String::from_utf8_lossy(host.as_bytes()).into_owned());
    let mut hosts = named.chain(uri.authority().map(ToString::to_string));
    hosts.find(|host| !is_loopback(host)).map(|host| format!("host: {host}"))
}

/// Returns the header that only a proxy sets, or `None` if there is none.
#[must_use]
pub fn header_of_proxy(headers: &HeaderMap) -> Option<&str> {
    let is_of_proxy = |name: &&str| OF_PROXIES.contains(name) || name.starts_with(FORWARDED);
    headers.keys().map(header::HeaderName::as_str).find(is_of_proxy)
}

/// Returns true if `public_url` names another host than loopback. Then a proxy forwards requests to
/// the loopback address.
#[must_use]
pub fn leads_through_proxy(public_url: &str) -> bool {
    public_url.parse::<Uri>().is_ok_and(|uri| uri.authority().is_some_and(|host| !is_loopback(host.as_str())))
}

/// Returns true for a loopback host, with or without a port, and for an empty text.
fn is_loopback(host: &str) -> bool {
    if host.is_empty() {
        return true;
    }
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host().trim_end_matches('.').to_ascii_lowercase();
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name == "localhost"
        || name.ends_with(".localhost")
        || address.is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sign(name: &'static str, value: &str) -> Option<String> {
        let headers = HeaderMap::from_iter([(header::HeaderName::from_static(name), value.parse().unwrap())]);
        sign_of_proxy(&headers, &Uri::from_static("/v1/events"))
    }

    #[test]
    fn a_header_of_a_proxy_tells() {
        for name in
            ["forwarded", "via", "x-real-ip", "x-forwarded-for", "x-forwarded-proto", "cf-connecting-ip"]
        {
            assert_eq!(sign(name, "1.2.3.4").as_deref(), Some(name));
        }
        assert_eq!(sign("x-request-id", "1"), None);
    }

    #[test]
    fn another_host_tells() {
        for host in [
            "",
            "127.0.0.1:8080",
            "127.8.9.1",
            "localhost:8080",
            "LOCALHOST.",
            "cms.localhost",
            "[::1]:8080",
            "[::ffff:127.0.0.1]",
        ] {
            assert_eq!(sign("host", host), None, "{host}");
        }
        for host in [
            "cms.example.gov.cn",
            "10.0.0.5:8080",
            "127.0.0.1.example.com",
            "localhost.example.com",
            "0.0.0.0",
            "a b",
            "[fe80::1]",
        ] {
            assert!(sign("host", host).is_some(), "{host}");
        }
        let uri = Uri::from_static("http://cms.example.gov.cn/v1/events");
        assert_eq!(sign_of_proxy(&HeaderMap::new(), &uri).as_deref(), Some("host: cms.example.gov.cn"));
        assert_eq!(sign_of_proxy(&HeaderMap::new(), &Uri::from_static("/v1/events")), None);
        for (address, expected) in [
            ("https://gongkai.example.gov.cn/in", true),
            ("http://127.0.0.1:8080", false),
            ("", false),
            ("/in", false),
        ] {
            assert_eq!(leads_through_proxy(address), expected, "{address}");
        }
    }
}
