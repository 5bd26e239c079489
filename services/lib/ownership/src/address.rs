//! Addresses of articles, compared as parsed URLs and not as texts.
//!
//! Scheme and host are in lower case, the default port is left out, `.` and `..` are resolved, and every part is
//! decoded and encoded again in one way. Empty segments, the fragment and the login are dropped.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use url::Url;

/// Characters that stay encoded: all but the unreserved ones of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A parsed `http` or `https` URL in its normal form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    scheme: String,
    host: String,
    /// `None` for the scheme's default.
    port: Option<u16>,
    segments: Vec<String>,
    query: Option<String>,
}

// === impl Address ===

impl Address {
    /// Parses a URL as browsers do. Returns `None` if it is neither `http` nor `https`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text.trim()).ok()?;
        if !matches!(url.scheme(), "http" | "https") {
            return None;
        }
        Some(Self {
            scheme: url.scheme().to_owned(),
            host: url.host_str()?.trim_end_matches('.').to_owned(),
            port: url.port(),
            segments: url.path_segments()?.filter(|segment| !segment.is_empty()).map(normal).collect(),
            query: url.query().filter(|query| !query.is_empty()).map(normal_query),
        })
    }

    /// Returns true if the address equals the prefix or is below it: `/a/b` is below `/a`, and `/ab` is not.
    #[must_use]
    pub fn is_under(&self, prefix: &Self) -> bool {
        let is_of =
            |other: &Self| (&self.scheme, &self.host, self.port) == (&other.scheme, &other.host, other.port);
        is_of(prefix) && self.segments.starts_with(&prefix.segments)
    }

    /// Returns true if the address can be a prefix: it has no query.
    #[must_use]
    pub fn is_prefix(&self) -> bool {
        self.query.is_none()
    }

    /// Returns one text for all spellings of the address. `http` and `https` are the same here: a site that moves to
    /// `https` keeps its articles.
    #[must_use]
    pub fn identity(&self) -> String {
        let Self { scheme: _, host, port, segments, query } = self;
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        let query = query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
        format!("{host}{port}/{}{query}", segments.join("/"))
    }
}

/// Returns one text for all spellings of an address. Text that is not a URL is returned trimmed.
#[must_use]
pub fn identity(text: &str) -> String {
    Address::parse(text).map_or_else(|| text.trim().to_owned(), |address| address.identity())
}

fn normal(part: &str) -> String {
    percent_encode(&percent_decode_str(part).collect::<Vec<u8>>(), RESERVED).to_string()
}

fn normal_query(query: &str) -> String {
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, value)) => format!("{}={}", normal(name), normal(value)),
        None => normal(pair),
    });
    pairs.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPELLINGS: [&str; 14] = [
        "https://www.yunxi.example/zwgk/2023/年报.html",
        "HTTPS://WWW.Yunxi.Example/zwgk/2023/年报.html",
        "https://www.yunxi.example:443/zwgk/2023/年报.html",
        "http://www.yunxi.example/zwgk/2023/年报.html",
        "https://www.yunxi.example./zwgk/2023/年报.html",
        "https://www.yunxi.example/zwgk/2023/%E5%B9%B4%e6%8a%a5.html",
        "https://www.yunxi.example/zwgk/2023/%E5%B9%B4%E6%8A%A5%2ehtml",
        "https://www.yunxi.example/zwgk/x/../2023/./年报.html",
        "https://www.yunxi.example/zwgk/x/%2e%2E/2023/年报.html",
        "https://www.yunxi.example//zwgk/2023//年报.html",
        "https://www.yunxi.example\\zwgk\\2023\\年报.html",
        "https://someone:secret@www.yunxi.example/zwgk/2023/年报.html#page",
        "  https://www.yunxi.example/zwgk/2023/年报.html?  ",
        "https://www.yunxi.example/%7A%77gk/20\t23/年报.html/",
    ];

    #[test]
    fn every_spelling_is_the_same_address() {
        for spelling in SPELLINGS {
            assert_eq!(identity(spelling), identity(SPELLINGS[0]), "{spelling}");
        }
    }

    #[test]
    fn another_address_is_another() {
        for other in [
            "https://www.yunxi.example/zwgk/2022/年报.html",
            "https://www.yunxi.example:8443/zwgk/2023/年报.html",
            "https://yunxi.example/zwgk/2023/年报.html",
            "https://www.yunxi.example/zwgk/2023/年报.html?page=2",
            "https://www.yunxi.example/zwgk%2F2023/年报.html",
            "https://www.yunxi.example/zwgk/2023/年报.HTML",
            "https://www.yunxi.example.evil.example/zwgk/2023/年报.html",
            "/zwgk/2023/年报.html",
        ] {
            assert_ne!(identity(other), identity(SPELLINGS[0]), "{other}");
        }
        assert_ne!(identity("https://a/?x=1%262"), identity("https://a/?x=1&2"));
        assert_eq!(identity("https://a/?x=%31"), identity("https://a?x=1"));
    }

    #[test]
    fn a_prefix_ends_with_a_segment() {
        let prefix = Address::parse("https://www.yunxi.example/zwgk/").unwrap();
        let is_under = |text: &str| Address::parse(text).is_some_and(|address| address.is_under(&prefix));
        for under in ["https://www.yunxi.example/zwgk", "https://WWW.yunxi.example:443/a/..//%7Awgk/x?y=1"] {
            assert!(is_under(under), "{under}");
        }
        for outside in [
            "https://www.yunxi.example/zwgk2/x",
            "https://www.yunxi.example/zwgk/../x",
            "https://www.yunxi.example/zwgk/%2e%2e/x",
            "https://www.yunxi.example/zwgk%2fx",
            "http://www.yunxi.example/zwgk/x",
            "https://www.yunxi.example:444/zwgk/x",
            "https://www.yunxi.example@evil.example/zwgk/x",
            "https://www.yunxi.example.evil.example/zwgk/x",
            "ftp://www.yunxi.example/zwgk/x",
            "zwgk/x",
        ] {
            assert!(!is_under(outside), "{outside}");
        }
    }
}
