//! The URL of a webhook: `https`, or `http` to this machine. Private addresses are refused unless the config allows
//! them.
//!
//! A host name is checked by the addresses that it resolves to, at every connection, in the HTTP client's resolver.
//! The client therefore connects only to checked addresses. An IP address in the URL is checked here, in any
//! notation. A loopback address or `localhost` in the URL is allowed, because the operator wrote it. Another notation
//! of loopback (`0x7f.1`) is refused, and so is another *name* that resolves to loopback.

use std::{net::IpAddr, sync::Arc};

use gongkai_egress::{self as egress, Guard, Reach};
use reqwest::{Url, dns::Resolve};

/// An acceptable URL.
#[derive(Debug, Clone)]
pub struct Target {
    url: Url,
    private: bool,
}

/// Error: a URL is not acceptable.
#[derive(Debug, thiserror::Error)]
pub enum UnacceptableUrl {
    #[error("is no URL")]
    Malformed,
    /// Neither `https` nor `http` to this machine.
    #[error("must be https: plain http is for loopback addresses only")]
    Insecure,
    /// The URL contains a user or password.
    #[error("must not hold a user or password: the signature says who sends")]
    Credentials,
    /// A private, link-local or otherwise special address.
    #[error(
        "{0} is not a public address: set allow_private (of a site: callback_allow_private) = true if it is meant"
    )]
    Private(IpAddr),
}

// === impl Target ===

impl Target {
    /// Checks a URL.
    ///
    /// # Errors
    /// The URL is not acceptable.
    pub fn new(text: &str, allow_private: bool) -> Result<Self, UnacceptableUrl> {
        let url = Url::parse(text).map_err(|_| UnacceptableUrl::Malformed)?;
        if !url.has_host() {
            return Err(UnacceptableUrl::Malformed);
        }
        let (host, address) = (egress::host(&url), egress::address(&url));
        let is_loopback = address.is_some_and(|address| address.is_loopback());
        let here = host == "localhost" || is_loopback && is_written(text, &host);
        if !(url.scheme() == "https" || url.scheme() == "http" && (here || allow_private && is_loopback)) {
            return Err(UnacceptableUrl::Insecure);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UnacceptableUrl::Credentials);
        }
        match address {
            Some(address) if !here && !allow_private && Reach::of(address) != Reach::Public => {
                Err(UnacceptableUrl::Private(address))
            }
            _ => Ok(Self { url, private: allow_private || here }),
        }
    }

    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Returns the resolver that the HTTP client must use for this target.
    #[must_use]
    pub fn resolver(&self) -> Arc<dyn Resolve> {
        let farthest = if self.private { Reach::Special } else { Reach::Public };
        Guard::new(farthest, Vec::new())
    }
}

/// Returns true if a URL contains an address in its usual notation, and not an IPv4 address inside an IPv6 one.
fn is_written(text: &str, host: &str) -> bool {
    let authority =
        text.split_once("://").map_or("", |(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or(rest));
    let is_usual = authority.strip_prefix(host).is_some_and(|port| port.is_empty() || port.starts_with(':'));
    is_usual && (host == "[::1]" || !host.starts_with('['))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_goes_to_this_machine_only() {
        for good in
            ["https://example.gov.cn/hook", "http://127.0.0.1:9000/", "http://localhost/x", "http://[::1]:1/"]
        {
            assert!(Target::new(good, false).is_ok(), "{good}");
        }
        for bad in [
            "http://example.gov.cn/",
            "ftp://127.0.0.1/",
            "example",
            "",
            "https://u:p@example.gov.cn/",
            "file:///etc",
        ] {
            assert!(Target::new(bad, true).is_err(), "{bad}");
        }
    }

    #[test]
    fn private_addresses_need_a_word_of_the_operator() {
        for private in [
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "198.18.0.1",
            "[fe80::1]",
            "[fd00::1]",
            "[::ffff:10.0.0.1]",
            "[64:ff9b::a00:1]",
            "[2002:a00:1::]",
            "[::]",
            // Other notations of 10.0.0.1 and 169.254.169.254.
            "0x0a000001",
            "2852039166",
            // Notations of loopback addresses that no operator would use.
            "0x7f.1",
            "2130706433",
            "0177.0.0.1",
            "127.1",
            "[::ffff:127.0.0.1]",
            "[64:ff9b::7f00:1]",
        ] {
            let url = format!("https://{private}/");
            assert!(matches!(Target::new(&url, false), Err(UnacceptableUrl::Private(_))), "{url}");
            assert!(Target::new(&url, true).is_ok(), "{url}");
        }
        for public in ["1.1.1.1", "[2606:4700::1111]"] {
            assert!(Target::new(&format!("https://{public}/"), false).is_ok(), "{public}");
        }
    }

    #[tokio::test]
    async fn a_name_that_resolves_to_a_private_address_is_refused() {
        let resolve = async |allow_private| {
            let target = Target::new("https://cms.example/", allow_private).unwrap();
            target.resolver().resolve("localhost".parse().unwrap()).await.is_ok()
        };
        assert!(!resolve(false).await && resolve(true).await);
    }
}
