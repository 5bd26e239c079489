//! Restricts the addresses to which a program connects for a URL from an untrusted source: protection against
//! server-side request forgery (SSRF).
//!
//! An address is classified by what it reaches, in every notation: the URL parser accepts `0x7f.1`, `2130706433`,
//! `0177.1` and `127.1` for 127.0.0.1, and [`Reach::of`] examines IPv6 addresses that contain an IPv4 address. A name
//! is checked by the addresses that it resolves to, at every connection, by the [`Guard`] that the HTTP client
//! resolves with; the client connects only to checked addresses. Redirects are left to the policy of the client.

#![warn(missing_docs)]

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};

/// The network that an address belongs to. Later variants are farther from the public Internet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// The public Internet.
    Public,
    /// Another machine of a private network (RFC 1918, RFC 4193).
    Private,
    /// This machine, this link (where clouds keep their metadata), or no single machine.
    Special,
}

/// Error: an address that may not be connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not an address to connect to")]
pub struct Refused(pub IpAddr);

/// A resolver that refuses a name if one of its addresses is farther than allowed.
#[derive(Debug, Clone)]
pub struct Guard {
    farthest: Reach,
    /// Names from the operator's configuration, which may resolve to any address.
    trusted: Vec<String>,
    /// The DNS server to ask instead of the system's resolver.
    #[cfg(test)]
    dns: Option<SocketAddr>,
}

// === impl Reach ===

impl Reach {
    /// Classifies an address by the special-purpose registries of IANA (RFC 6890).
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => Self::of_v4(v4),
            IpAddr::V6(v6) => embedded(v6).map_or_else(|| Self::of_v6(v6), Self::of_v4),
        }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        let [a, b, c, _] = address.octets();
        let is_shared = a == 100 && (64..128).contains(&b);
        let is_protocol = a == 192 && (b, c) == (0, 0);
        let is_relay = a == 192 && (b, c) == (88, 99);
        let is_benchmark = a == 198 && (b == 18 || b == 19);
        let is_special = address.is_loopback()
            || address.is_link_local()
            || address.is_documentation()
            || address.is_multicast()
            || is_shared
            || is_protocol
            || is_relay
            || is_benchmark
            || a == 0
            || a >= 240;
        match (is_special, address.is_private()) {
            (true, _) => Self::Special,
            (false, true) => Self::Private,
            (false, false) => Self::Public,
        }
    }

    /// Classifies an IPv6 address. Public is global unicast, without documentation addresses and tunnels.
    fn of_v6(address: Ipv6Addr) -> Self {
        let [a, b, ..] = address.segments();
        if address.is_unique_local() {
            return Self::Private;
        }
        let is_global = a & 0xe000 == 0x2000;
        let is_special = a == 0x2001 && (b < 0x200 || b == 0xdb8) || a == 0x2002 || a == 0x3fff;
        if is_global && !is_special { Self::Public } else { Self::Special }
    }
}

/// Returns the IPv4 address inside an IPv6 address: mapped, compatible, or behind NAT64.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, high, low] = address.segments();
    let bits = (u32::from(high) << 16) | u32::from(low);
    let is_mapped = [a, b, c, d, e, f] == [0, 0, 0, 0, 0, 0xffff];
    let is_nat64 = [a, b, c, d, e, f] == [0x64, 0xff9b, 0, 0, 0, 0];
    // The addresses `::` and `::1` are below and not IPv4-compatible.
    let is_compatible = [a, b, c, d, e, f] == [0; 6] && bits > 1;
    (is_mapped || is_nat64 || is_compatible).then(|| Ipv4Addr::from(bits))
}

/// Returns the host of a URL in lower case and without the dot at its end. An IP address is normalised.
#[must_use]
pub fn host(url: &Url) -> String {
    url.host_str().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase()
}

/// Returns the IP address that a URL contains instead of a host name, in any notation.
#[must_use]
pub fn address(url: &Url) -> Option<IpAddr> {
    let address: IpAddr = host(url).trim_matches(['[', ']']).parse().ok()?;
    Some(match address {
        IpAddr::V6(v6) => embedded(v6).map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    })
}

// === impl Guard ===

impl Guard {
    /// Creates a resolver that allows addresses that reach no farther than `farthest`, and the names in `trusted` with
    /// any address.
    #[must_use]
    pub fn new(farthest: Reach, trusted: Vec<String>) -> Arc<Self> {
        Arc::new(Self {
            farthest,
            trusted,
            #[cfg(test)]
            dns: None,
        })
    }

    async fn look_up(&self, name: &str) -> std::io::Result<Vec<SocketAddr>> {
        #[cfg(test)]
        if let Some(dns) = self.dns {
            return tests::dns::ask(dns, name).await.map(|address| vec![address]);
        }
        Ok(tokio::net::lookup_host((name, 0)).await?.collect())
    }

    fn judge(&self, name: &str, found: &[SocketAddr]) -> Result<(), Refused> {
        let name = name.trim_end_matches('.');
        if self.trusted.iter().any(|trusted| trusted.eq_ignore_ascii_case(name)) {
            return Ok(());
        }
        match found.iter().find(|address| Reach::of(address.ip()) > self.farthest) {
            Some(refused) => Err(Refused(refused.ip())),
            None => Ok(()),
        }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let found = guard.look_up(name.as_str()).await?;
            guard.judge(name.as_str(), &found)?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::net::TcpListener;

    use super::*;

    pub(super) mod dns;

    #[test]
    fn an_address_is_what_it_is_however_it_is_written() {
        for (text, meant) in [
            ("127.0.0.1", "127.0.0.1"),
            ("0x7f.1", "127.0.0.1"),
            ("0x7f000001", "127.0.0.1"),
            ("2130706433", "127.0.0.1"),
            ("0177.0.0.1", "127.0.0.1"),
            ("017700000001", "127.0.0.1"),
            ("127.1", "127.0.0.1"),
            ("127.0.0.1.", "127.0.0.1"),
            ("１２７。０。０。１", "127.0.0.1"),
            ("%31%32%37.0.0.1", "127.0.0.1"),
            ("[::ffff:127.0.0.1]", "127.0.0.1"),
            ("[::ffff:7f00:1]", "127.0.0.1"),
            ("[::127.0.0.1]", "127.0.0.1"),
            ("[64:ff9b::7f00:1]", "127.0.0.1"),
            ("user:password@0x7f.1:80", "127.0.0.1"),
            ("www.example.gov.cn@2130706433", "127.0.0.1"),
            ("[::1]", "::1"),
            ("0xa9fea9fe", "169.254.169.254"),
            ("0", "0.0.0.0"),
            ("[::]", "::"),
        ] {
            let found = address(&Url::parse(&format!("http://{text}/")).unwrap());
            assert_eq!(found, Some(meant.parse().unwrap()), "{text}");
            assert_eq!(Reach::of(found.unwrap()), Reach::Special, "{text}");
        }
        for name in ["www.example.gov.cn", "0x7f.example", "localhost"] {
            assert_eq!(address(&Url::parse(&format!("http://{name}/")).unwrap()), None, "{name}");
        }
    }

    #[test]
    fn addresses_reach_the_public_a_private_network_or_neither() {
        let reach = |text: &str| Reach::of(text.parse().unwrap());
        for public in ["1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "64:ff9b::101:101"] {
            assert_eq!(reach(public), Reach::Public, "{public}");
        }
        for private in
            ["10.1.2.3", "172.16.0.1", "192.168.1.1", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1"]
        {
            assert_eq!(reach(private), Reach::Private, "{private}");
        }
        for special in [
            "127.0.0.1",
            "::1",
            "0.0.0.0",
            "::",
            "169.254.169.254",
            "100.64.0.1",
            "192.0.0.1",
            "192.88.99.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "203.0.113.1",
            "fe80::1",
            "ff02::1",
            "2002:a00:1::",
            "2001::1",
            "2001:db8::1",
            "64:ff9b:1::a00:1",
            "3fff::1",
            "::ffff:169.254.169.254",
        ] {
            assert_eq!(reach(special), Reach::Special, "{special}");
        }
    }

    #[tokio::test]
    async fn a_name_is_what_it_resolves_to() {
        let resolve =
            async |guard: Arc<Guard>, name: &str| guard.resolve(name.parse().unwrap()).await.is_ok();
        assert!(!resolve(Guard::new(Reach::Private, Vec::new()), "localhost").await);
        assert!(resolve(Guard::new(Reach::Private, vec!["LocalHost".into()]), "localhost").await);
        assert!(resolve(Guard::new(Reach::Special, Vec::new()), "localhost").await);
        let guard = Guard::new(Reach::Public, vec!["trusted.example".into()]);
        let found = |addresses: &[&str]| -> Vec<SocketAddr> {
            addresses.iter().map(|ip| SocketAddr::new(ip.parse().unwrap(), 0)).collect()
        };
        assert_eq!(guard.judge("a.example", &found(&["1.1.1.1"])), Ok(()));
        // One forbidden address among allowed ones is enough, because the client may use any of them.
        let refused = Refused("10.0.0.1".parse().unwrap());
        assert_eq!(guard.judge("a.example", &found(&["1.1.1.1", "10.0.0.1"])), Err(refused));
        assert_eq!(guard.judge("trusted.example.", &found(&["10.0.0.1"])), Ok(()));
    }

    /// The DNS server first answers with an address of a private network, and then with loopback (DNS rebinding).
    #[tokio::test]
    async fn the_client_connects_to_the_address_that_was_checked() {
        const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(10, 255, 255, 1);
        let local = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://rebinding.example:{}/", local.local_addr().unwrap().port());
        let dns = dns::Server::start([ELSEWHERE, Ipv4Addr::LOCALHOST]).await;
        let guard = Guard { dns: Some(dns.address), ..Guard::clone(&Guard::new(Reach::Private, Vec::new())) };
        rustls::crypto::ring::default_provider().install_default().ok();
        let client = reqwest::Client::builder().no_proxy().dns_resolver(Arc::new(guard));
        let client = client.connect_timeout(Duration::from_millis(200)).build().unwrap();
        // One question, and a connection to its answer, which leads nowhere.
        let error = client.get(&url).send().await.unwrap_err();
        assert!(error.is_connect() && dns.asked() == 1, "{error:?}, asked {} times", dns.asked());
        let error = format!("{:?}", client.get(&url).send().await.unwrap_err());
        assert!(error.contains("Refused(127.0.0.1)") && dns.asked() == 2, "{error}");
        let connected = tokio::time::timeout(Duration::from_millis(1), local.accept()).await;
        assert!(connected.is_err(), "somebody connected to loopback: {connected:?}");
    }
}
