//! The URL of a webhook: `https`, or `http` to this machine. Private addresses are refused unless the config allows them.
//!
//! A host name is checked by the addresses that it resolves to, at every connection, in the HTTP client's resolver. The
//! client therefore connects only to addresses that were checked. An IP address in the URL is checked here. A loopback address
//! or `localhost` in the URL is allowed, because the operator wrote it; another *name* that resolves to loopback is not.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};

/// An acceptable URL.
#[derive(Debug, Clone)]
pub struct Target {
    url: Url,
    private: bool,
}

/// Error: a URL is not acceptable.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    #[error("is no URL")]
    Malformed,
    /// Neither `https` nor `http` to this machine.
    #[error("must be https: plain http is for loopback addresses only")]
    Insecure,
    /// The URL contains a user or password.
    #[error("must not hold a user or password: the signature says who sends")]
    Credentials,
    /// A private, link-local or otherwise special address.
    #[error("{0} is not a public address: set allow_private = true if it is meant")]
    Private(IpAddr),
}

// === impl Target ===

impl Target {
    /// Checks a URL.
    ///
    /// # Errors
    /// The URL is not acceptable.
    pub fn new(text: &str, allow_private: bool) -> Result<Self, Refused> {
        let url = Url::parse(text).map_err(|_| Refused::Malformed)?;
        let host = url.host_str().ok_or(Refused::Malformed)?;
        let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
        let here = host == "localhost" || address.is_some_and(|a| a.is_loopback());
        if !(url.scheme() == "https" || url.scheme() == "http" && here) {
            return Err(Refused::Insecure);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused::Credentials);
        }
        match address {
            Some(address) if !here && !allow_private && !is_public(address) => Err(Refused::Private(address)),
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
        Arc::new(Guard { private: self.private })
    }
}

/// A resolver that returns only public addresses, unless private ones are allowed.
struct Guard {
    private: bool,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let private = self.private;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if let Some(refused) = found.iter().find(|a| !private && !is_public(a.ip())) {
                return Err(Refused::Private(refused.ip()).into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Returns true for an address of the public Internet, by the special-purpose registries of IANA (RFC 6890).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or_else(|| is_public_v6(v6), is_public_v4),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let protocol = a == 192 && b == 0 && c == 0;
    let benchmark = a == 198 && (b == 18 || b == 19);
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast()
        || shared
        || protocol
        || benchmark
        || a == 0
        || a >= 240)
}

/// Global unicast without documentation addresses and those that embed an IPv4 address (NAT64, 6to4, Teredo).
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    let global = a & 0xe000 == 0x2000;
    let special = a == 0x2001 && (b < 0x200 || b == 0xdb8);
    global && !special && a != 0x2002 && a != 0x3fff
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
            // Other ways to write 10.0.0.1 and 169.254.169.254.
            "0x0a000001",
            "2852039166",
        ] {
            let url = format!("https://{private}/");
            assert!(matches!(Target::new(&url, false), Err(Refused::Private(_))), "{url}");
            assert!(Target::new(&url, true).is_ok(), "{url}");
        }
        for public in ["1.1.1.1", "[2606:4700::1111]"] {
            assert!(Target::new(&format!("https://{public}/"), false).is_ok(), "{public}");
        }
    }

    #[tokio::test]
    async fn a_name_that_resolves_to_a_private_address_is_refused() {
        let name = || "localhost".parse::<Name>().unwrap();
        assert!(Guard { private: false }.resolve(name()).await.is_err());
        assert!(Guard { private: true }.resolve(name()).await.is_ok());
    }
}
