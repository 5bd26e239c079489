//! Authentication and authorisation of callers.
//!
//! While neither a secret nor a token is configured, calls need no credentials, and only loopback addresses are bound.
//! Otherwise a call needs one of:
//! - a **signature** (Standard Webhooks) by a configured site;
//! - a **bearer token**, in `Authorization`.
//!
//! An event or a report *claims* a site by its CloudEvents source or its site code. Every claimed site that has a secret
//! must have signed the request; neither a token nor another site's signature replaces that. A call that claims anything
//! else needs a token. A call that claims nothing (a status query, a dry run, a report without a site code) takes either.
//!
//! Authentication has two steps, because a signature covers the body. [`Authenticator::shown`] judges the headers before
//! anything of the body is read; [`Authenticator::caller`] verifies the signature when the body is complete.
//! gRPC requests cannot be signed, so they take tokens only, and the holder of a token may submit for any site.

use std::time::Duration;

use anyhow::Context as _;
use http::{HeaderMap, header};
use sha2::{Digest, Sha256};

use crate::{
    config::{Config, Site},
    error::{Code, Problem, quote},
    signature::{Covered, Signature, SigningKey},
};
use gongkai_worker::Clock;

/// Authenticates callers by the configured sites and tokens. Cheap enough to clone once per server.
#[derive(Clone)]
pub struct Authenticator {
    sites: Vec<KnownSite>,
    /// SHA-256 of each token, so that a comparison takes the same time whatever was sent.
    tokens: Vec<[u8; 32]>,
    tolerance: Duration,
    clock: Clock,
}

#[derive(Clone)]
struct KnownSite {
    name: String,
    site: Site,
    secrets: Vec<SigningKey>,
}

/// The credentials that the headers of a request show. A signature among them is not verified yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    has_token: bool,
    signature: Option<Signature>,
}

/// The verified credentials of a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Caller {
    has_token: bool,
    /// Name and site code of each site whose secret signed the request. One, unless sites share a secret.
    signed: Vec<(String, String)>,
}

// === impl Shown ===

impl Shown {
    /// Returns true if the headers alone authenticate the caller: with a token.
    #[must_use]
    pub fn is_proof(&self) -> bool {
        self.has_token
    }
}

// === impl Caller ===

impl Caller {
    /// Returns true if the request has a valid signature.
    #[must_use]
    pub fn has_signed(&self) -> bool {
        !self.signed.is_empty()
    }

    /// Returns the name of the site that signed, or an empty string. It keeps the keys of different callers apart.
    #[must_use]
    pub fn name(&self) -> &str {
        self.signed.first().map_or("", |(name, _)| name)
    }

    /// Returns the code of the site that signed, or an empty string if none did or it has none.
    #[must_use]
    pub fn site_code(&self) -> &str {
        self.signed.first().map_or("", |(_, code)| code)
    }
}

// === impl Authenticator ===

impl Authenticator {
    /// Reads secrets and tokens from the config and from the files that it names.
    ///
    /// # Errors
    /// A file cannot be read or a secret is malformed. The error names the key and never the secret.
    pub fn new(config: &Config, clock: Clock) -> anyhow::Result<Self> {
        let mut tokens: Vec<String> = config.tokens.iter().map(|token| token.expose().to_owned()).collect();
        for path in &config.token_files {
            tokens.push(read_secret(path).context("couldn't read a file of ingest.token_files")?);
        }
        anyhow::ensure!(
            tokens.iter().all(|token| token.trim().len() >= 16),
            "ingest.tokens: a token needs at least 16 characters"
        );
        let tokens = tokens.iter().map(|token| Sha256::digest(token.trim()).into()).collect();
        let mut sites = Vec::new();
        for (name, site) in &config.sites {
            let mut texts: Vec<String> =
                site.secrets.iter().map(|secret| secret.expose().to_owned()).collect();
            for path in &site.secret_files {
                texts.push(
                    read_secret(path).with_context(|| {
                        format!("couldn't read a file of ingest.sites.{name}.secret_files")
                    })?,
                );
            }
            let secrets: Result<Vec<SigningKey>, _> = texts.iter().map(|text| text.parse()).collect();
            sites.push(KnownSite {
                name: name.clone(),
                site: site.clone(),
                secrets: secrets.with_context(|| format!("ingest.sites.{name}.secrets"))?,
            });
        }
        let tolerance = Duration::from_secs(config.signature_tolerance_s);
        Ok(Self { sites, tokens, tolerance, clock })
    }

    /// Reads the credentials in the headers of a request. Where calls need credentials, a request without any ends here.
    ///
    /// # Errors
    /// `BAD_SIGNATURE` if it is malformed, `STALE_SIGNATURE`, `UNAUTHENTICATED`.
    pub fn shown(&self, headers: &HeaderMap) -> Result<Shown, Problem> {
        let shown = Shown { has_token: self.has_token(headers)?, signature: self.signature(headers)? };
        if self.is_open() || shown.has_token || shown.signature.is_some() {
            return Ok(shown);
        }
        Err(Problem::new(
            Code::Unauthenticated,
            "请对请求签名，或提供 Bearer 令牌",
            "sign the request or send a bearer token",
        ))
    }

    /// Verifies the credentials of a request. The caller that it returns may make any call that claims no site.
    ///
    /// # Errors
    /// `BAD_SIGNATURE`.
    pub fn caller(&self, shown: &Shown, covered: Covered<'_>) -> Result<Caller, Problem> {
        let signed = match &shown.signature {
            Some(signature) => self.signers(signature, covered)?,
            None => Vec::new(),
        };
        Ok(Caller { has_token: shown.has_token, signed })
    }

    /// Returns the caller whom the broker let publish on the subject of a site. The broker's permissions stand for its secret.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`: calls need credentials and there is no site of this name.
    pub fn permitted_as(&self, site: &str) -> Result<Caller, Problem> {
        match self.sites.iter().find(|known| known.name == site) {
            Some(known) => {
                let signed = vec![(known.name.clone(), known.site.site_code.clone())];
                Ok(Caller { has_token: false, signed })
            }
            None if self.is_open() => Ok(Caller::default()),
            None => Err(Problem::new(
                Code::Unauthenticated,
                format!("没有配置站点“{}”；主题的末段须是 [ingest.sites] 中的站点名", quote(site)),
                format!("there is no site \"{}\"; the subject ends in a name of [ingest.sites]", quote(site)),
            )),
        }
    }

    /// Authorises a call that claims a site by its source or code. If both are empty, it claims none.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, or `BAD_SIGNATURE` if another site signed.
    pub fn admit_from(&self, caller: &Caller, source: &str, site_code: &str) -> Result<(), Problem> {
        if self.is_open() || source.is_empty() && site_code.is_empty() {
            return Ok(());
        }
        let mut is_signed = false;
        for site in self.sites.iter().filter(|site| site.site.is_claimed(source, site_code)) {
            let has_proven = caller.signed.iter().any(|(name, _)| *name == site.name);
            if site.secrets.is_empty() && !has_proven {
                continue;
            }
            if !has_proven {
                return Err(site.unsigned(!caller.signed.is_empty()));
            }
            is_signed = true;
        }
        if is_signed || caller.has_token {
            return Ok(());
        }
        let claim = if source.is_empty() { site_code } else { source };
        Err(Problem::new(
            Code::Unauthenticated,
            format!("“{}”不是此处配有密钥的站点；请提供 Bearer 令牌，或由运维配置该站点", quote(claim)),
            format!(
                "\"{}\" is no site with a secret here; send a bearer token or have the site configured",
                quote(claim)
            ),
        ))
    }

    fn is_open(&self) -> bool {
        self.tokens.is_empty() && self.sites.iter().all(|site| site.secrets.is_empty())
    }

    fn has_token(&self, headers: &HeaderMap) -> Result<bool, Problem> {
        let Some(value) = headers.get(header::AUTHORIZATION).filter(|_| !self.is_open()) else {
            return Ok(false);
        };
        let wrong = || {
            Problem::new(Code::Unauthenticated, "Bearer 令牌不正确", "the bearer token is not one of ours")
        };
        let text = value.to_str().map_err(|_| wrong())?;
        let (scheme, token) = text.split_once(' ').ok_or_else(wrong)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(wrong());
        }
        let digest: [u8; 32] = Sha256::digest(token.trim()).into();
        if self.tokens.contains(&digest) { Ok(true) } else { Err(wrong()) }
    }

    fn signature(&self, headers: &HeaderMap) -> Result<Option<Signature>, Problem> {
        if self.sites.iter().all(|site| site.secrets.is_empty()) {
            return Ok(None);
        }
        let Some(signature) = Signature::of(headers)? else { return Ok(None) };
        signature.check_time(self.clock.now(), self.tolerance)?;
        Ok(Some(signature))
    }

    fn signers(&self, signature: &Signature, covered: Covered<'_>) -> Result<Vec<(String, String)>, Problem> {
        let signers: Vec<_> = self
            .sites
            .iter()
            .filter(|site| signature.fits(&site.secrets, covered))
            .map(|site| (site.name.clone(), site.site.site_code.clone()))
            .collect();
        if signers.is_empty() {
            return Err(Problem::new(
                Code::BadSignature,
                "没有任何已配置站点的密钥能得出此签名",
                "no secret of a configured site makes this signature",
            ));
        }
        Ok(signers)
    }
}

// === impl KnownSite ===

impl KnownSite {
    fn unsigned(&self, by_another: bool) -> Problem {
        if by_another {
            return Problem::new(
                Code::BadSignature,
                format!("签名来自 {} 以外的站点", self.name),
                format!("signed by another site than {}", self.name),
            );
        }
        Problem::new(
            Code::Unauthenticated,
            format!("站点 {} 的请求须签名", self.name),
            format!("site {} must sign what comes from it", self.name),
        )
    }
}

fn read_secret(path: &std::path::Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    Ok(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;

    const A: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const B: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    const TOKEN: &str = "a-token-of-some-length";

    fn auth() -> Authenticator {
        let site = |source: &str, code: &str, secrets: &[&str]| Site {
            source: source.into(),
            site_code: code.into(),
            secrets: secrets.iter().map(|s| gongkai_worker::Secret::new(*s)).collect(),
            ..Site::default()
        };
        let sites = [
            ("a".to_owned(), site("https://a.gov.cn", "1100000001", &[A])),
            ("b".to_owned(), site("https://b.gov.cn", "", &[B])),
            ("quiet".to_owned(), site("https://quiet.gov.cn", "", &[])),
        ];
        let config = Config {
            tokens: vec![gongkai_worker::Secret::new(TOKEN)],
            sites: sites.into(),
            ..Config::default()
        };
        Authenticator::new(&config, Clock::fixed(OffsetDateTime::from_unix_timestamp(1000).unwrap())).unwrap()
    }

    fn signed(secret: &str, body: &[u8]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let signature = standardwebhooks::Webhook::new(secret).unwrap().sign("m", 1000, body).unwrap();
        headers.insert("webhook-id", "m".parse().unwrap());
        headers.insert("webhook-timestamp", "1000".parse().unwrap());
        headers.insert("webhook-signature", signature.parse().unwrap());
        headers
    }

    fn caller(auth: &Authenticator, headers: &HeaderMap, body: &[u8]) -> Result<Caller, Problem> {
        auth.caller(&auth.shown(headers)?, Covered::Body(body))
    }

    fn bearer(token: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap())])
    }

    #[test]
    fn who_may_send_what() {
        use Code::{BadSignature, Unauthenticated};
        let nobody = HeaderMap::new();
        let cases: [(&HeaderMap, &str, &str, Option<Code>); 13] = [
            (&nobody, "https://a.gov.cn", "", Some(Unauthenticated)),
            (&nobody, "https://forged.gov.cn", "", Some(Unauthenticated)),
            (&nobody, "", "", Some(Unauthenticated)),
            (&signed(A, b"x"), "https://a.gov.cn/", "", None),
            (&signed(A, b"x"), "https://forged.gov.cn", "1100000001", None),
            (&signed(A, b"x"), "", "", None),
            (&signed(A, b"x"), "https://b.gov.cn", "", Some(BadSignature)),
            (&signed(B, b"x"), "https://b.gov.cn", "1100000001", Some(BadSignature)),
            (&signed(A, b"x"), "https://forged.gov.cn", "", Some(Unauthenticated)),
            (&bearer(TOKEN), "https://a.gov.cn", "", Some(Unauthenticated)),
            (&bearer(TOKEN), "https://quiet.gov.cn", "", None),
            (&bearer(TOKEN), "https://unknown.gov.cn", "", None),
            (&bearer(TOKEN), "", "", None),
        ];
        let auth = auth();
        for (n, (headers, source, code, expected)) in cases.into_iter().enumerate() {
            let outcome = caller(&auth, headers, b"x")
                .and_then(|caller| auth.admit_from(&caller, source, code))
                .map_err(|problem| problem.code);
            assert_eq!(outcome.err(), expected, "case {n}");
        }
    }

    #[test]
    fn something_wrong_is_worse_than_nothing() {
        let auth = auth();
        let code = |headers: &HeaderMap, body: &[u8]| caller(&auth, headers, body).unwrap_err().code;
        assert_eq!(code(&signed(A, b"x"), b"y"), Code::BadSignature);
        assert_eq!(code(&signed("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", b"x"), b"x"), Code::BadSignature);
        assert_eq!(code(&bearer("another-token-of-length"), b"x"), Code::Unauthenticated);
        let late = Authenticator {
            clock: Clock::fixed(OffsetDateTime::from_unix_timestamp(1301).unwrap()),
            ..auth.clone()
        };
        assert_eq!(late.shown(&signed(A, b"x")).unwrap_err().code, Code::StaleSignature);
    }

    #[test]
    fn an_open_gate_asks_nobody() {
        let auth = Authenticator::new(&Config::default(), Clock::system()).unwrap();
        let caller = caller(&auth, &signed(A, b"x"), b"other").unwrap();
        assert_eq!(auth.admit_from(&caller, "https://a.gov.cn", ""), Ok(()));
        assert_eq!(caller.name(), "");
    }

    #[test]
    fn secrets_come_from_files_too_and_must_be_of_their_form() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("{A}\n")).unwrap();
        let site = Site {
            source: "https://a.gov.cn".into(),
            secret_files: vec![file.path().into()],
            ..Site::default()
        };
        let mut config = Config { sites: [("a".into(), site)].into(), ..Config::default() };
        let auth =
            Authenticator::new(&config, Clock::fixed(OffsetDateTime::from_unix_timestamp(1000).unwrap()))
                .unwrap();
        assert_eq!(caller(&auth, &signed(A, b"x"), b"x").unwrap().name(), "a");
        config.sites.get_mut("a").unwrap().secrets = vec![gongkai_worker::Secret::new("hunter2")];
        let error = format!("{:#}", Authenticator::new(&config, Clock::system()).err().unwrap());
        assert!(error.contains("ingest.sites.a.secrets") && !error.contains("hunter2"), "{error}");
        let config = Config { tokens: vec![gongkai_worker::Secret::new("short")], ..Config::default() };
        assert!(Authenticator::new(&config, Clock::system()).is_err());
    }
}
