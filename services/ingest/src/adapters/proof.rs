//! The proof of an adapter's sender: its address, a token in a header, an HMAC of the body.
//!
//! All that is configured is required. Tokens and sums are compared in constant time.

use std::net::IpAddr;

use anyhow::Context as _;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderName, Uri};
use ipnet::IpNet;
use sm3::Sm3;

use super::settings::{AdapterSettings, Algorithm, Encoding};
use crate::{
    auth::{self, TokenHash},
    error::{Code, Problem},
    proxied::{header_of_proxy, sign_of_proxy},
};
use gongkai_worker::Secret;

/// Minimum length of a key. A short one can be found offline from one call.
const KEY_LENGTH: usize = 16;

/// The required proof of one adapter.
pub struct Proof {
    networks: Vec<IpNet>,
    token: Option<TokenProof>,
    signature: Option<SignatureProof>,
}

struct TokenProof {
    header: HeaderName,
    hashes: Vec<TokenHash>,
}

struct SignatureProof {
    header: HeaderName,
    prefix: String,
    algorithm: Algorithm,
    encoding: Encoding,
    keys: Vec<Secret>,
}

// === impl Proof ===

impl Proof {
    /// Reads the settings and the secrets.
    ///
    /// # Errors
    /// As for [`Self::validate`], or a file cannot be read, or a secret is too short.
    pub fn new(name: &str, settings: &AdapterSettings) -> anyhow::Result<Self> {
        Self::validate(name, settings)?;
        let key = format!("ingest.adapters.{name}");
        let hashes = auth::token_hashes(&key, &settings.tokens, &settings.token_files)?;
        let keys =
            Secret::with_files(&settings.secrets, &settings.secret_files, &format!("{key}.secret_files"))?;
        anyhow::ensure!(
            keys.iter().all(|key| key.expose().len() >= KEY_LENGTH),
            "{key}.secrets: a key needs at least {KEY_LENGTH} characters"
        );
        let signature = |header| SignatureProof {
            header,
            prefix: settings.signature_prefix.trim().to_owned(),
            algorithm: settings.signature_algorithm,
            encoding: settings.signature_encoding,
            keys,
        };
        Ok(Self {
            networks: networks(&key, settings)?,
            token: header(&key, "token_header", &settings.token_header)?
                .map(|header| TokenProof { header, hashes }),
            signature: header(&key, "signature_header", &settings.signature_header)?.map(signature),
        })
    }

    /// Checks the settings, and reads no secret.
    ///
    /// # Errors
    /// No proof is required, a header has no secrets, or an address is malformed. The error names the key.
    pub fn validate(name: &str, settings: &AdapterSettings) -> anyhow::Result<()> {
        let key = format!("ingest.adapters.{name}");
        let has_tokens = !settings.tokens.is_empty() || !settings.token_files.is_empty();
        let has_keys = !settings.secrets.is_empty() || !settings.secret_files.is_empty();
        let has_token_header = header(&key, "token_header", &settings.token_header)?.is_some();
        let has_signature_header = header(&key, "signature_header", &settings.signature_header)?.is_some();
        anyhow::ensure!(has_tokens == has_token_header, "{key}: token_header and token_files go together");
        anyhow::ensure!(
            has_keys == has_signature_header,
            "{key}: signature_header and secret_files go together"
        );
        let networks = networks(&key, settings)?;
        anyhow::ensure!(
            has_tokens || has_keys || !networks.is_empty(),
            "{key} needs token_header, signature_header or allowed_addresses: its sender must prove itself"
        );
        Ok(())
    }

    /// Checks the address and the headers. Returns true if no proof over the body is required.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`.
    pub fn before_body(&self, from: Option<IpAddr>, headers: &HeaderMap, uri: &Uri) -> Result<bool, Problem> {
        self.check_address(from, headers, uri)?;
        if let Some(token) = &self.token {
            token.check(headers)?;
        }
        match &self.signature {
            Some(signature) if !headers.contains_key(&signature.header) => Err(Problem::new(
                Code::Unauthenticated,
                format!("请求头 {} 须是正文的 HMAC", signature.header),
                format!("the header {} must have the HMAC of the body", signature.header),
            )),
            signature => Ok(signature.is_none()),
        }
    }

    /// Checks the HMAC of the body.
    ///
    /// # Errors
    /// `BAD_SIGNATURE`.
    pub fn of_body(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), Problem> {
        let Some(signature) = &self.signature else { return Ok(()) };
        let sum = signature.sum(headers).unwrap_or_default();
        match signature.keys.iter().any(|key| signature.fits(key.expose().as_bytes(), body, &sum)) {
            true => Ok(()),
            false => Err(Problem::new(
                Code::BadSignature,
                format!("请求头 {} 不是以该适配器的密钥对正文算出的 HMAC", signature.header),
                format!("the header {} is no HMAC of the body by a key of this adapter", signature.header),
            )),
        }
    }

    fn check_address(&self, from: Option<IpAddr>, headers: &HeaderMap, uri: &Uri) -> Result<(), Problem> {
        if self.networks.is_empty() {
            return Ok(());
        }
        let is_allowed =
            |from: IpAddr| self.networks.iter().any(|network| network.contains(&from.to_canonical()));
        // The address of a call through a proxy is the proxy's.
        let is_proxied = match from {
            Some(from) if from.to_canonical().is_loopback() => sign_of_proxy(headers, uri).is_some(),
            _ => header_of_proxy(headers).is_some(),
        };
        if !is_proxied && from.is_some_and(is_allowed) {
            return Ok(());
        }
        Err(Problem::new(
            Code::Unauthenticated,
            "只接受从指定地址直接发来的请求；请联系管理员",
            "calls are taken from certain addresses only, and not through a proxy; ask the operator",
        ))
    }
}

// === impl TokenProof ===

impl TokenProof {
    fn check(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let shown = only(headers, &self.header).unwrap_or_default();
        let token = match shown.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token,
            _ => shown,
        };
        // The time to compare hashes does not depend on the token.
        if self.hashes.contains(&auth::token_hash(token)) {
            return Ok(());
        }
        Err(Problem::new(
            Code::Unauthenticated,
            format!("请求头 {} 须是该适配器的令牌", self.header),
            format!("the header {} must have the token of this adapter", self.header),
        ))
    }
}

// === impl SignatureProof ===

impl SignatureProof {
    fn sum(&self, headers: &HeaderMap) -> Option<Vec<u8>> {
        let text = only(headers, &self.header)?.trim().strip_prefix(&self.prefix)?.trim();
        match self.encoding {
            Encoding::Hex => hex::decode(text).ok(),
            Encoding::Base64 => BASE64_STANDARD.decode(text).ok(),
        }
    }

    fn fits(&self, key: &[u8], body: &[u8], sum: &[u8]) -> bool {
        match self.algorithm {
            Algorithm::HmacSha256 => {
                let Ok(sum) = <&[u8; 32]>::try_from(sum) else { return false };
                hmac_sha256::HMAC::verify(body, key, sum)
            }
            Algorithm::HmacSm3 => {
                let Ok(mut mac) = Hmac::<Sm3>::new_from_slice(key) else { return false };
                mac.update(body);
                mac.verify_slice(sum).is_ok()
            }
        }
    }
}

/// Returns the value of a header that occurs once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().filter(|_| values.next().is_none())?;
    value.to_str().ok()
}

fn header(key: &str, member: &str, name: &str) -> anyhow::Result<Option<HeaderName>> {
    if name.is_empty() {
        return Ok(None);
    }
    name.parse().map(Some).with_context(|| format!("{key}.{member}: \"{name}\" is no name of a header"))
}

fn networks(key: &str, settings: &AdapterSettings) -> anyhow::Result<Vec<IpNet>> {
    let network = |text: &String| {
        let address = text.parse::<IpAddr>().map(IpNet::from);
        address.or_else(|_| text.parse::<IpNet>()).with_context(|| {
            format!("{key}.allowed_addresses: \"{text}\" is no address or network, such as 10.1.0.0/16")
        })
    };
    settings.allowed_addresses.iter().map(network).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "a-key-of-some-length";

    fn signing(algorithm: Algorithm, encoding: Encoding) -> AdapterSettings {
        AdapterSettings {
            signature_header: "x-sum".into(),
            signature_algorithm: algorithm,
            signature_encoding: encoding,
            signature_prefix: "v1=".into(),
            secrets: vec![Secret::new("another-key-of-length"), Secret::new(KEY)],
            ..AdapterSettings::default()
        }
    }

    fn with(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(HeaderName::from_static(name), value.parse().unwrap())])
    }

    #[test]
    fn an_hmac_of_either_algorithm_proves_the_body() {
        // By openssl: printf 年报 | openssl dgst -sha256|-sm3 -hmac a-key-of-some-length
        let sums = [
            (Algorithm::HmacSha256, "397c9b0a9aaacc0a8403a528a5361f4ee5a036a0bbd6a0d132f03709ab7b2463"),
            (Algorithm::HmacSm3, "3567c7a0917d218e61a40b9ae54c74d9ef437d40903891e2da7814d718634b1c"),
        ];
        for (algorithm, sum) in sums {
            let proof = Proof::new("oa", &signing(algorithm, Encoding::Hex)).unwrap();
            let code = |headers: &HeaderMap, body: &str| {
                proof.of_body(headers, body.as_bytes()).err().map(|problem| problem.code)
            };
            let headers = with("x-sum", &format!("v1={sum}"));
            assert_eq!(proof.before_body(None, &headers, &Uri::default()), Ok(false));
            assert_eq!(code(&headers, "年报"), None, "{algorithm:?}");
            assert_eq!(code(&with("x-sum", &format!("v1={}", sum.to_uppercase())), "年报"), None);
            let bytes = hex::decode(sum).unwrap();
            let proof64 = Proof::new("oa", &signing(algorithm, Encoding::Base64)).unwrap();
            let headers64 = with("x-sum", &format!("v1={}", BASE64_STANDARD.encode(bytes)));
            assert_eq!(proof64.of_body(&headers64, "年报".as_bytes()), Ok(()));
            let mut twice = headers.clone();
            twice.append("x-sum", headers["x-sum"].clone());
            let (other, _) =
                sums.iter().map(|(_, sum)| *sum).filter(|own| *own != sum).fold(("", ()), |_, own| (own, ()));
            for (headers, body) in [
                (&headers, "年报 "),
                (&headers, ""),
                (&with("x-sum", sum), "年报"),
                (&with("x-sum", ""), "年报"),
                (&with("x-sum", "v1="), "年报"),
                (&with("x-sum", &format!("v1={}", &sum[2..])), "年报"),
                (&with("x-sum", &format!("v1={sum}00")), "年报"),
                (&with("x-sum", &format!("v1={other}")), "年报"),
                (&headers64, "年报"),
                (&twice, "年报"),
            ] {
                assert_eq!(code(headers, body), Some(Code::BadSignature), "{headers:?}");
            }
            let missing = proof.before_body(None, &HeaderMap::new(), &Uri::default()).unwrap_err();
            assert_eq!(missing.code, Code::Unauthenticated);
        }
    }

    #[test]
    fn a_token_and_an_address_are_demanded_where_configured() {
        let settings = AdapterSettings {
            token_header: "X-OA-Token".into(),
            tokens: vec![Secret::new(KEY)],
            allowed_addresses: vec!["10.1.0.0/16".into(), "::1".into()],
            ..AdapterSettings::default()
        };
        let proof = Proof::new("oa", &settings).unwrap();
        let from = |address: &str, headers: &HeaderMap| {
            proof.before_body(address.parse().ok(), headers, &Uri::default()).is_ok()
        };
        let good = with("x-oa-token", KEY);
        assert!(from("10.1.9.9", &good) && from("::1", &good) && from("::ffff:10.1.0.1", &good));
        assert!(from("10.1.9.9", &with("x-oa-token", &format!("Bearer {KEY}"))));
        let mut proxied = good.clone();
        proxied.insert("x-forwarded-for", "10.1.9.9".parse().unwrap());
        // The name of the server is no sign of a proxy, except at a loopback address.
        let mut named = good.clone();
        named.insert("host", "ingest.example".parse().unwrap());
        assert!(from("10.1.9.9", &named));
        let mut twice = good.clone();
        twice.append("x-oa-token", KEY.parse().unwrap());
        for (address, headers) in [
            ("10.2.0.1", &good),
            ("::ffff:10.2.0.1", &good),
            ("", &good),
            ("10.1.9.9", &proxied),
            ("::1", &named),
            ("10.1.9.9", &twice),
            ("10.1.9.9", &with("x-oa-token", "another-token-of-length")),
            ("10.1.9.9", &with("x-oa-token", "")),
            ("10.1.9.9", &HeaderMap::new()),
        ] {
            assert!(!from(address, headers), "{address} {headers:?}");
        }
    }

    #[test]
    fn an_adapter_whose_sender_proves_nothing_is_a_mistake() {
        let broken = [
            AdapterSettings::default(),
            AdapterSettings { token_header: "x-token".into(), ..AdapterSettings::default() },
            AdapterSettings { token_header: "x token".into(), ..AdapterSettings::default() },
            AdapterSettings { secrets: vec![Secret::new(KEY)], ..AdapterSettings::default() },
            AdapterSettings { allowed_addresses: vec!["10.1".into()], ..AdapterSettings::default() },
        ];
        for settings in broken {
            let error = Proof::validate("oa", &settings).unwrap_err().to_string();
            assert!(error.starts_with("ingest.adapters.oa"), "{error}");
        }
        let short = AdapterSettings {
            secrets: vec![Secret::new("short")],
            ..signing(Algorithm::HmacSm3, Encoding::Hex)
        };
        let error = Proof::new("oa", &short).err().unwrap().to_string();
        assert!(error.starts_with("ingest.adapters.oa.secrets") && !error.contains("short"), "{error}");
    }
}
