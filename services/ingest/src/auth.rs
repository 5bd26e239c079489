//! Authentication and authorisation of callers.
//!
//! While no credentials are configured, calls need none, and only loopback addresses are bound. Otherwise a call brings one of:
//! - a **signature** (Standard Webhooks) by a configured site, or a **bearer token** of that site: it acts for this site only;
//! - a **bearer token** of an operator: it acts for anybody, over HTTP for sites without credentials only;
//! - nothing, at a loopback address, unless operators' tokens are configured or `unsigned_on_loopback` is false: it acts for
//!   nobody, and changes nothing that belongs to a site.
//!
//! An event or a report *claims* a site by its CloudEvents source or its site code. Every claimed site that has credentials
//! must have proven itself by them; another's do not replace them.
//!
//! Authentication has two steps, because a signature covers the body. [`Authenticator::shown`] judges the headers before
//! anything of the body is read; [`Authenticator::caller`] verifies the signature when the body is complete.
//! gRPC requests cannot be signed. There the token of an operator acts for the site that the request names.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use http::{HeaderMap, HeaderName, header};
use sha2::{Digest, Sha256};

use crate::{
    actor::{Actor, Rights},
    config::{Config, Site},
    error::{Code, Problem, quote},
    signature::{Covered, Signature, SigningKey},
};
use gongkai_worker::{Clock, Secret};

/// Headers that only a proxy sets. A call that has one does not come from this machine.
const OF_PROXIES: [&str; 4] = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

/// Authenticates callers by the configured sites and tokens. Cheap enough to clone once per server.
#[derive(Clone)]
pub struct Authenticator {
    sites: Arc<[KnownSite]>,
    /// SHA-256 of each operator's token, so that a comparison takes the same time whatever was sent.
    tokens: Arc<[TokenHash]>,
    unsigned_on_loopback: bool,
    /// True if the server of this authenticator is bound to a loopback address.
    is_local: bool,
    tolerance: Duration,
    clock: Clock,
}

type TokenHash = [u8; 32];

struct KnownSite {
    site: Site,
    rights: Arc<Rights>,
    secrets: Vec<SigningKey>,
    tokens: Vec<TokenHash>,
}

/// Whose a bearer token is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Holder {
    Operator,
    Site(ProvenSite),
}

/// A site whose credentials came with a call.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ProvenSite {
    rights: Arc<Rights>,
    site_code: String,
}

/// The credentials that the headers of a request show. A signature among them is not verified yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    token: Option<Holder>,
    signature: Option<Signature>,
}

/// The verified credentials of a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Caller {
    is_operator: bool,
    has_signed: bool,
    /// True if the protocol has no signatures.
    cannot_sign: bool,
    /// Each site that has proven itself. One, unless sites share a secret.
    sites: Vec<ProvenSite>,
}

// === impl Shown ===

impl Shown {
    /// Returns true if the headers alone authenticate the caller: with a token.
    #[must_use]
    pub fn is_proof(&self) -> bool {
        self.token.is_some()
    }
}

// === impl Caller ===

impl Caller {
    /// Returns true if the request has a valid signature.
    #[must_use]
    pub fn has_signed(&self) -> bool {
        self.has_signed
    }

    /// Returns the name of the site that has proven itself, or an empty string. It keeps the keys of different callers apart.
    #[must_use]
    pub fn name(&self) -> &str {
        self.sites.first().map_or("", |site| &site.rights.name)
    }

    /// Returns the site code that a call names, or else that of the site that has proven itself, which need not repeat it.
    #[must_use]
    pub fn site_code_or(&self, named: String) -> String {
        let own = self.sites.first().filter(|_| named.is_empty());
        own.map_or(named, |site| site.site_code.clone())
    }

    fn has_proven(&self, site: &KnownSite) -> bool {
        self.sites.iter().any(|proven| proven.rights.name == site.rights.name)
    }
}

// === impl Authenticator ===

impl Authenticator {
    /// Reads secrets and tokens from the config and from the files that it names.
    ///
    /// # Errors
    /// A file cannot be read or a secret is malformed. The error names the key and never the secret.
    pub fn new(config: &Config, clock: Clock) -> anyhow::Result<Self> {
        let tokens = token_hashes("ingest", &config.tokens, &config.token_files)?;
        let sites: anyhow::Result<Vec<_>> =
            config.sites.iter().map(|(name, site)| KnownSite::new(name, site)).collect();
        let sites = sites?;
        let mut all: Vec<_> = sites.iter().flat_map(|site| &site.tokens).chain(&tokens).collect();
        all.sort();
        anyhow::ensure!(
            all.windows(2).all(|pair| pair[0] != pair[1]),
            "ingest.sites: a token is one site's, and no operator's"
        );
        Ok(Self {
            sites: sites.into(),
            tokens: tokens.into(),
            unsigned_on_loopback: config.unsigned_on_loopback,
            is_local: false,
            tolerance: Duration::from_secs(config.signature_tolerance_s),
            clock,
        })
    }

    /// The same, for the server that is bound to `address`.
    #[must_use]
    pub fn at(&self, address: SocketAddr) -> Self {
        Self { is_local: address.ip().is_loopback(), ..self.clone() }
    }

    /// Reads the credentials in the headers of a request. Where calls need credentials, a request without any ends here.
    ///
    /// # Errors
    /// `BAD_SIGNATURE` if it is malformed, `STALE_SIGNATURE`, `UNAUTHENTICATED`.
    pub fn shown(&self, headers: &HeaderMap) -> Result<Shown, Problem> {
        let shown = Shown { token: self.token(headers)?, signature: self.signature(headers)? };
        let has_credentials = shown.token.is_some() || shown.signature.is_some();
        if has_credentials || self.is_open() || self.takes_unsigned(headers) {
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
        let mut caller = Caller { has_signed: shown.signature.is_some(), ..Caller::default() };
        if let Some(signature) = &shown.signature {
            caller.sites = self.signers(signature, covered)?;
        }
        match &shown.token {
            Some(Holder::Operator) => caller.is_operator = true,
            Some(Holder::Site(site)) if !caller.sites.contains(site) => caller.sites.push(site.clone()),
            _ => {}
        }
        Ok(caller)
    }

    /// Returns the caller whom the broker let publish on the subject of a site. The broker's permissions stand for its secret.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`: calls need credentials and there is no site of this name.
    pub fn permitted_as(&self, site: &str) -> Result<Caller, Problem> {
        match self.sites.iter().find(|known| known.rights.name == site) {
            Some(known) => Ok(Caller { has_signed: true, sites: vec![known.proven()], ..Caller::default() }),
            None if self.is_open() => Ok(Caller::default()),
            None => Err(Problem::new(
                Code::Unauthenticated,
                format!("没有配置站点“{}”；主题的末段须是 [ingest.sites] 中的站点名", quote(site)),
                format!("there is no site \"{}\"; the subject ends in a name of [ingest.sites]", quote(site)),
            )),
        }
    }

    /// Returns the caller of a protocol without signatures.
    #[must_use]
    pub fn unsigned_caller(&self, shown: &Shown) -> Caller {
        let mut caller = Caller { cannot_sign: true, ..Caller::default() };
        match &shown.token {
            Some(Holder::Operator) => caller.is_operator = true,
            Some(Holder::Site(site)) => caller.sites.push(site.clone()),
            None => {}
        }
        caller
    }

    /// Authorises a call that claims a site by its source or code, and returns in whose name it acts. If both are empty, it
    /// claims none.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, or `BAD_SIGNATURE` if another site signed.
    pub fn admit_from(&self, caller: &Caller, source: &str, site_code: &str) -> Result<Actor, Problem> {
        let claimed: Vec<_> =
            self.sites.iter().filter(|site| site.site.is_claimed(source, site_code)).collect();
        let named = claimed.first().map(|site| site.rights.clone());
        if self.is_open() {
            return Ok(Actor::operator(named));
        }
        let mut proven = claimed.iter().filter(|site| site.site.has_credentials() || caller.has_proven(site));
        if let Some(unproven) = proven.clone().find(|site| !caller.has_proven(site)) {
            return caller.unproven(unproven);
        }
        if let Some(site) = proven.next() {
            return Ok(Actor::site(site.rights.clone()));
        }
        let claim = if source.is_empty() { site_code } else { source };
        match caller.sites.first() {
            Some(own) if claim.is_empty() => Ok(Actor::site(own.rights.clone())),
            _ if caller.is_operator => Ok(Actor::operator(named)),
            Some(_) if caller.has_signed => Err(Problem::new(
                Code::Unauthenticated,
                format!("“{}”不是此处配有密钥的站点；请提供 Bearer 令牌，或由运维配置该站点", quote(claim)),
                format!(
                    "\"{}\" is no site with a secret here; send a bearer token or have the site configured",
                    quote(claim)
                ),
            )),
            Some(own) => Ok(Actor::site(own.rights.clone()).naming(claim.to_owned())),
            None => Ok(Actor::anonymous(named)),
        }
    }

    /// Returns true if no credentials are configured.
    fn is_open(&self) -> bool {
        self.tokens.is_empty() && self.sites.iter().all(|site| !site.site.has_credentials())
    }

    /// Returns true if the call needs no credentials, as it comes from this machine. Credentials of a site close nothing for
    /// others.
    fn takes_unsigned(&self, headers: &HeaderMap) -> bool {
        let is_open_here = self.is_local && self.unsigned_on_loopback && self.tokens.is_empty();
        is_open_here && !headers.keys().any(is_of_proxy)
    }

    fn token(&self, headers: &HeaderMap) -> Result<Option<Holder>, Problem> {
        let Some(value) = headers.get(header::AUTHORIZATION).filter(|_| !self.is_open()) else {
            return Ok(None);
        };
        let wrong = || {
            Problem::new(Code::Unauthenticated, "Bearer 令牌不正确", "the bearer token is not one of ours")
        };
        let text = value.to_str().map_err(|_| wrong())?;
        let (scheme, token) = text.split_once(' ').ok_or_else(wrong)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(wrong());
        }
        let hash = token_hash(token);
        if self.tokens.contains(&hash) {
            return Ok(Some(Holder::Operator));
        }
        let site = self.sites.iter().find(|site| site.tokens.contains(&hash)).ok_or_else(wrong)?;
        Ok(Some(Holder::Site(site.proven())))
    }

    fn signature(&self, headers: &HeaderMap) -> Result<Option<Signature>, Problem> {
        if self.sites.iter().all(|site| site.secrets.is_empty()) {
            return Ok(None);
        }
        let Some(signature) = Signature::of(headers)? else { return Ok(None) };
        signature.check_time(self.clock.now(), self.tolerance)?;
        Ok(Some(signature))
    }

    fn signers(&self, signature: &Signature, covered: Covered<'_>) -> Result<Vec<ProvenSite>, Problem> {
        let signers: Vec<_> = self
            .sites
            .iter()
            .filter(|site| signature.fits(&site.secrets, covered))
            .map(KnownSite::proven)
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

impl Caller {
    /// What a call is that claims a site whose credentials did not come.
    fn unproven(&self, site: &KnownSite) -> Result<Actor, Problem> {
        let name = &site.rights.name;
        if self.has_signed {
            return Err(Problem::new(
                Code::BadSignature,
                format!("签名来自 {name} 以外的站点"),
                format!("signed by another site than {name}"),
            ));
        }
        if let Some(own) = self.sites.first() {
            return Ok(Actor::site(own.rights.clone()).naming(name.clone()));
        }
        if self.is_operator && self.cannot_sign {
            return Ok(Actor::site(site.rights.clone()));
        }
        Err(Problem::new(
            Code::Unauthenticated,
            format!("站点 {name} 的请求须签名"),
            format!("site {name} must sign what comes from it"),
        ))
    }
}

// === impl KnownSite ===

impl KnownSite {
    fn new(name: &str, site: &Site) -> anyhow::Result<Self> {
        let key = format!("ingest.sites.{name}");
        let texts = secrets(&key, "secret_files", &site.secrets, &site.secret_files)?;
        let secrets: Result<Vec<SigningKey>, _> = texts.iter().map(|text| text.parse()).collect();
        Ok(Self {
            rights: Arc::new(Rights::new(name, site)?),
            secrets: secrets.with_context(|| format!("{key}.secrets"))?,
            tokens: token_hashes(&key, &site.tokens, &site.token_files)?,
            site: site.clone(),
        })
    }

    fn proven(&self) -> ProvenSite {
        ProvenSite { rights: self.rights.clone(), site_code: self.site.site_code.clone() }
    }
}

/// Returns true for a header that only a proxy sets.
#[must_use]
pub fn is_of_proxy(name: &HeaderName) -> bool {
    OF_PROXIES.contains(&name.as_str())
}

fn token_hash(token: &str) -> TokenHash {
    Sha256::digest(token.trim()).into()
}

fn token_hashes(
    key: &str,
    tokens: &[Secret],
    files: &[std::path::PathBuf],
) -> anyhow::Result<Vec<TokenHash>> {
    let texts = secrets(key, "token_files", tokens, files)?;
    anyhow::ensure!(
        texts.iter().all(|token| token.trim().len() >= 16),
        "{key}.tokens: a token needs at least 16 characters"
    );
    Ok(texts.iter().map(|token| token_hash(token)).collect())
}

/// Returns secrets that are given in the configuration or in files.
fn secrets(
    key: &str,
    files_key: &str,
    given: &[Secret],
    files: &[std::path::PathBuf],
) -> anyhow::Result<Vec<String>> {
    let mut texts: Vec<String> = given.iter().map(|secret| secret.expose().to_owned()).collect();
    for path in files {
        texts.push(read_secret(path).with_context(|| format!("couldn't read a file of {key}.{files_key}"))?);
    }
    Ok(texts)
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
                .and_then(|caller| auth.admit_from(&caller, source, code).map(drop))
                .map_err(|problem| problem.code);
            assert_eq!(outcome.err(), expected, "case {n}");
        }
    }

    /// Two sites with a secret and a token each, and no operator's token.
    fn two_sites(unsigned_on_loopback: bool) -> Authenticator {
        let site = |name: &str, secret: &str| Site {
            source: format!("https://{name}.gov.cn"),
            secrets: vec![Secret::new(secret)],
            tokens: vec![Secret::new(format!("a-token-of-site-{name}"))],
            ..Site::default()
        };
        let sites = [("a".to_owned(), site("a", A)), ("b".to_owned(), site("b", B))].into();
        let config = Config { sites, unsigned_on_loopback, ..Config::default() };
        let now = OffsetDateTime::from_unix_timestamp(1000).unwrap();
        Authenticator::new(&config, Clock::fixed(now)).unwrap()
    }

    #[test]
    fn a_token_of_a_site_acts_for_this_site() {
        let auth = two_sites(true);
        let caller = caller(&auth, &bearer("a-token-of-site-a"), b"x").unwrap();
        let unsigned = auth.unsigned_caller(&auth.shown(&bearer("a-token-of-site-a")).unwrap());
        for caller in [caller, unsigned] {
            assert_eq!(caller.name(), "a");
            for source in ["", "https://a.gov.cn"] {
                let actor = auth.admit_from(&caller, source, "").unwrap();
                assert_eq!((actor.proven(), actor.foreign()), (Some("a"), None));
            }
            for (source, foreign) in [("https://b.gov.cn", "b"), ("https://c.gov.cn", "https://c.gov.cn")] {
                let actor = auth.admit_from(&caller, source, "").unwrap();
                assert_eq!((actor.proven(), actor.foreign()), (Some("a"), Some(foreign)));
            }
        }
    }

    #[test]
    fn secrets_of_sites_close_loopback_for_nobody_else() {
        let local = SocketAddr::from(([127, 0, 0, 1], 8080));
        let nobody = HeaderMap::new();
        let open = two_sites(true).at(local);
        let caller = caller(&open, &nobody, b"x").unwrap();
        for source in ["", "https://c.gov.cn"] {
            let actor = open.admit_from(&caller, source, "").unwrap();
            assert!(actor.proven().is_none() && !actor.is_operator());
        }
        let claim = open.admit_from(&caller, "https://a.gov.cn", "").unwrap_err();
        assert_eq!(claim.code, Code::Unauthenticated);
        let proxied =
            HeaderMap::from_iter([(HeaderName::from_static("x-forwarded-for"), "1.2.3.4".parse().unwrap())]);
        let outside = SocketAddr::from(([0, 0, 0, 0], 8080));
        for (auth, headers) in [
            (two_sites(false).at(local), &nobody),
            (two_sites(true).at(outside), &nobody),
            (open, &proxied),
            (auth().at(local), &nobody),
        ] {
            assert_eq!(auth.shown(headers).unwrap_err().code, Code::Unauthenticated);
        }
    }

    #[test]
    fn an_operators_token_names_the_site_where_none_can_sign() {
        let auth = auth();
        let caller = auth.unsigned_caller(&auth.shown(&bearer(TOKEN)).unwrap());
        assert_eq!(auth.admit_from(&caller, "https://a.gov.cn", "").unwrap().proven(), Some("a"));
        assert!(auth.admit_from(&caller, "https://quiet.gov.cn", "").unwrap().is_operator());
        assert!(auth.admit_from(&caller, "", "").unwrap().is_operator());
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
        assert!(auth.admit_from(&caller, "https://a.gov.cn", "").unwrap().is_operator());
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
