//! Authentication and authorisation of callers.
//!
//! While no credentials are configured, calls from this machine need none, and only loopback addresses are bound.
//! Otherwise a call has one of:
//! - a **signature** (Standard Webhooks) by a configured site, or a **bearer token** of that site: it acts for this
//!   site only;
//! - a **bearer token** of an operator: it acts for any site, but over HTTP only for sites without credentials;
//! - none, at a loopback address, unless operators' tokens are configured or `unsigned_on_loopback` is false: it acts
//!   for no site, and changes nothing that belongs to one.
//!
//! A request that a proxy forwarded ([`crate::proxied`]) does not come from this machine and always needs credentials.
//!
//! An event or a report *claims* a site by its CloudEvents source or its site code. A call that claims a site with
//! credentials must have the credentials of this site; those of another caller do not replace them.
//!
//! Authentication has two steps, because a signature covers the body. [`Authenticator::shown`] checks the headers
//! before the body is read; [`Authenticator::caller`] verifies the signature when the body is complete. gRPC requests
//! cannot be signed. There the token of an operator acts for the site that the request names. A call through an adapter
//! has the proof of the adapter instead ([`crate::adapters`]) and acts for its site, for which that is a credential.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use http::{HeaderMap, Uri, header};
use sha2::{Digest, Sha256};

use crate::{
    actor::{Actor, Rights},
    config::{Config, Site, is_local},
    error::{Code, Problem, quote},
    proxied::sign_of_proxy,
    signature::{Covered, Signature, SigningKey},
};
use gongkai_worker::{Clock, Secret};

/// Authenticates callers by the configured sites and tokens. Cheap enough to clone once per server.
#[derive(Clone)]
pub struct Authenticator {
    sites: Arc<[KnownSite]>,
    /// SHA-256 of each operator's token, so that a comparison takes the same time for any input.
    tokens: Arc<[TokenHash]>,
    unsigned_on_loopback: bool,
    /// True if the server of this authenticator is bound to a loopback address.
    is_local: bool,
    tolerance: Duration,
    clock: Clock,
}

/// SHA-256 of a token, so that a comparison takes the same time whatever was sent.
pub(crate) type TokenHash = [u8; 32];

struct KnownSite {
    site: Site,
    can_prove: bool,
    rights: Arc<Rights>,
    secrets: Vec<SigningKey>,
    tokens: Vec<TokenHash>,
}

/// The owner of a bearer token.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Holder {
    Operator,
    Site(ProvenSite),
}

/// An authenticated site of a call.
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
    /// The authenticated sites. More than one if sites share a secret.
    sites: Vec<ProvenSite>,
}

// === impl Shown ===

impl Shown {
    /// Returns true if the headers alone authenticate the caller, by a token.
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

    /// Returns the name of the authenticated site, or an empty string. It separates the keys of different callers.
    #[must_use]
    pub fn name(&self) -> &str {
        self.sites.first().map_or("", |site| &site.rights.name)
    }

    /// Returns the caller as the log names it: the authenticated site, or `operator`. Empty without credentials.
    #[must_use]
    pub fn label(&self) -> &str {
        match self.name() {
            "" if self.is_operator => "operator",
            site => site,
        }
    }

    /// Returns the caller with the rights of the token as well.
    fn holding(mut self, token: Option<&Holder>) -> Self {
        match token {
            Some(Holder::Operator) => self.is_operator = true,
            Some(Holder::Site(site)) if !self.sites.contains(site) => self.sites.push(site.clone()),
            _ => {}
        }
        self
    }

    /// Returns the actor of a call that claims a site without its credentials.
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

    /// Returns the site code that a call names, or else that of the authenticated site, which need not repeat it.
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
            config.sites.iter().map(|(name, site)| KnownSite::new(config, name, site)).collect();
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

    /// Returns the authenticator of the server that is bound to `address`.
    #[must_use]
    pub fn at(&self, address: SocketAddr) -> Self {
        Self { is_local: is_local(address), ..self.clone() }
    }

    /// Reads the credentials in the headers of a request. Where calls need credentials, a request without any is
    /// refused here.
    ///
    /// # Errors
    /// `BAD_SIGNATURE` if the signature is malformed, `STALE_SIGNATURE`, `UNAUTHENTICATED`.
    pub fn shown(&self, headers: &HeaderMap, uri: &Uri) -> Result<Shown, Problem> {
        let shown = Shown { token: self.token(headers)?, signature: self.signature(headers)? };
        self.ensure_enough(&shown, headers, uri)?;
        Ok(shown)
    }

    /// Reads the credentials in the headers of a request in a protocol without signatures.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`.
    pub fn shown_unsigned(&self, headers: &HeaderMap, uri: &Uri) -> Result<Shown, Problem> {
        // In these protocols a signature in the headers does not cover the message.
        let shown = Shown { token: self.token(headers)?, signature: None };
        self.ensure_enough(&shown, headers, uri)?;
        Ok(shown)
    }

    fn ensure_enough(&self, shown: &Shown, headers: &HeaderMap, uri: &Uri) -> Result<(), Problem> {
        if shown.token.is_some() || shown.signature.is_some() {
            return Ok(());
        }
        let (zh, en) = match self.is_open() {
            true => (
                "请先在 [ingest] 中为站点配置密钥，或配置令牌",
                "configure a site's secret or a token in [ingest] first",
            ),
            false => ("请对请求签名，或提供 Bearer 令牌", "sign the request or send a bearer token"),
        };
        if !self.is_open() && !self.takes_unsigned() {
            return Err(Problem::new(Code::Unauthenticated, zh, en));
        }
        let Some(sign) = sign_of_proxy(headers, uri).map(|sign| quote(&sign)) else { return Ok(()) };
        Err(Problem::new(
            Code::Unauthenticated,
            format!("请求由代理转来（“{sign}”），不算本机调用；{zh}"),
            format!("forwarded by a proxy (\"{sign}\"), so it is not a call from this machine; {en}"),
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
        Ok(caller.holding(shown.token.as_ref()))
    }

    /// Returns the caller for a site that was proven without its secrets: by the broker's permission to publish on the
    /// site's subject, or by an adapter.
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
        Caller { cannot_sign: true, ..Caller::default() }.holding(shown.token.as_ref())
    }

    /// Returns the sites whose submissions a caller may list; `None` for all.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`: credentials are configured and the call has none.
    pub fn readable_sites(&self, caller: &Caller) -> Result<Option<Vec<String>>, Problem> {
        if self.is_open() || caller.is_operator {
            return Ok(None);
        }
        if caller.sites.is_empty() {
            return Err(Problem::new(
                Code::Unauthenticated,
                "查看报送记录需要运维或站点的 Bearer 令牌",
                "listing submissions needs the bearer token of an operator or a site",
            ));
        }
        Ok(Some(caller.sites.iter().map(|site| site.rights.name.clone()).collect()))
    }

    /// Authorises a call that claims a site by its source or code, and returns on whose behalf it acts. If both are
    /// empty, it claims no site.
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
        let mut proven = claimed.iter().filter(|site| site.can_prove || caller.has_proven(site));
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
        self.tokens.is_empty() && self.sites.iter().all(|site| !site.can_prove)
    }

    /// Returns true if calls from this machine need no credentials. Credentials of a site do not change that for other
    /// callers.
    fn takes_unsigned(&self) -> bool {
        self.is_local && self.unsigned_on_loopback && self.tokens.is_empty()
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

// === impl KnownSite ===

impl KnownSite {
    fn new(config: &Config, name: &str, site: &Site) -> anyhow::Result<Self> {
        let key = format!("ingest.sites.{name}");
        let given = Secret::with_files(&site.secrets, &site.secret_files, &format!("{key}.secret_files"))?;
        let secrets: Result<Vec<SigningKey>, _> =
            given.iter().map(|secret| secret.expose().parse()).collect();
        Ok(Self {
            rights: Arc::new(Rights::new(name, site)?),
            secrets: secrets.with_context(|| format!("{key}.secrets"))?,
            tokens: token_hashes(&key, &site.tokens, &site.token_files)?,
            can_prove: config.can_prove(name, site),
            site: site.clone(),
        })
    }

    fn proven(&self) -> ProvenSite {
        ProvenSite { rights: self.rights.clone(), site_code: self.site.site_code.clone() }
    }
}

/// Returns the hash of a token without the white space around it.
pub(crate) fn token_hash(token: &str) -> TokenHash {
    Sha256::digest(token.trim()).into()
}

/// Returns the hashes of the tokens that a section gives by value and in files.
///
/// # Errors
/// A file cannot be read, or a token is too short. The error names the key.
pub(crate) fn token_hashes(
    key: &str,
    tokens: &[Secret],
    files: &[std::path::PathBuf],
) -> anyhow::Result<Vec<TokenHash>> {
    let tokens = Secret::tokens(key, tokens, files)?;
    Ok(tokens.iter().map(|token| token_hash(token.expose())).collect())
}

#[cfg(test)]
mod tests;
