//! The person or site for which a call acts. [`crate::auth`] determines it from the credentials and the site that the
//! call claims; acceptance checks with it what the call may change.

use std::sync::Arc;

use anyhow::Context as _;
use gongkai_ownership::{Address, SiteLimits};
use gongkai_proto::v1::Sender;

use crate::config::Site;

/// The agencies, regions and addresses that a configured site may act for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rights {
    /// Name of the site in the configuration.
    pub name: String,
    pub limits: SiteLimits,
    /// Allowed prefixes of addresses; `None` for no limit.
    url_prefixes: Option<Vec<Address>>,
}

/// On whose behalf a call acts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Actor {
    authority: Authority,
    /// The configured site that the call acts for, if any.
    site: Option<Arc<Rights>>,
    /// Another site that the call names.
    foreign: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Authority {
    /// The call has no valid credentials.
    #[default]
    Anonymous,
    /// The call has the credentials of a site.
    Site,
    /// An operator, or everybody while no credentials are configured.
    Operator,
}

// === impl Rights ===

impl Rights {
    /// Reads the rights of a site.
    ///
    /// # Errors
    /// A list is empty, or a prefix is not an address. The error names the key.
    pub fn new(name: &str, site: &Site) -> anyhow::Result<Self> {
        let keys =
            [("agencies", &site.agencies), ("regions", &site.regions), ("url_prefixes", &site.url_prefixes)];
        for (key, list) in keys {
            let is_filled = list
                .as_ref()
                .is_none_or(|list| !list.is_empty() && list.iter().all(|entry| !entry.trim().is_empty()));
            anyhow::ensure!(is_filled, "ingest.sites.{name}.{key}: name at least one, or leave the key out");
        }
        let regions = site.regions.clone().unwrap_or_default();
        anyhow::ensure!(
            regions.iter().all(|region| region.len() <= 6 && region.bytes().all(|b| b.is_ascii_digit())),
            "ingest.sites.{name}.regions: a region is the beginning of a division code, up to 6 digits"
        );
        let address = |text: &String| {
            let address = Address::parse(text).filter(Address::is_prefix);
            address.with_context(|| {
                format!(
                    "ingest.sites.{name}.url_prefixes: {text} is no http or https address without a query"
                )
            })
        };
        let prefixes = site.url_prefixes.as_ref();
        let url_prefixes = prefixes.map(|list| list.iter().map(address).collect()).transpose()?;
        let agencies = site.agencies.clone().unwrap_or_default();
        Ok(Self { name: name.to_owned(), limits: SiteLimits { agencies, regions }, url_prefixes })
    }

    /// Returns true if an address has one of the site's prefixes.
    #[must_use]
    pub fn has_address(&self, url: &str) -> bool {
        let Some(prefixes) = &self.url_prefixes else { return true };
        Address::parse(url).is_some_and(|address| prefixes.iter().any(|prefix| address.is_under(prefix)))
    }
}

// === impl Actor ===

impl Actor {
    /// Creates an actor that may do anything, within the limits of the site that it names.
    #[must_use]
    pub fn operator(site: Option<Arc<Rights>>) -> Self {
        Self { authority: Authority::Operator, site, foreign: None }
    }

    /// Creates an actor for an authenticated site.
    #[must_use]
    pub fn site(rights: Arc<Rights>) -> Self {
        Self { authority: Authority::Site, site: Some(rights), foreign: None }
    }

    /// Creates an actor without credentials, within the limits of the site that it names.
    #[must_use]
    pub fn anonymous(site: Option<Arc<Rights>>) -> Self {
        Self { authority: Authority::Anonymous, site, foreign: None }
    }

    /// Returns the actor with the name of another site that its call names.
    #[must_use]
    pub fn naming(self, foreign: String) -> Self {
        Self { foreign: Some(foreign), ..self }
    }

    /// Returns the rights of the call's site.
    #[must_use]
    pub fn rights(&self) -> Option<&Rights> {
        self.site.as_deref()
    }

    /// Returns the other site that the call names.
    #[must_use]
    pub fn foreign(&self) -> Option<&str> {
        self.foreign.as_deref()
    }

    /// Returns the name of the authenticated site.
    #[must_use]
    pub fn proven(&self) -> Option<&str> {
        let site = self.site.as_ref().filter(|_| self.authority == Authority::Site);
        site.map(|site| site.name.as_str())
    }

    /// Returns true if the call may change what belongs to any site.
    #[must_use]
    pub fn is_operator(&self) -> bool {
        self.authority == Authority::Operator
    }

    /// Returns the sender for the later stages, or `None` if the call may do anything.
    #[must_use]
    pub fn sender(&self) -> Option<Sender> {
        let limits = self.rights().map(|rights| rights.limits.clone()).unwrap_or_default();
        let sender = Sender {
            site: self.proven().unwrap_or_default().to_owned(),
            anonymous: self.authority == Authority::Anonymous,
            agencies: limits.agencies,
            regions: limits.regions,
        };
        (sender != Sender::default()).then_some(sender)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(entries: &[&str]) -> Option<Vec<String>> {
        Some(entries.iter().map(|entry| (*entry).to_owned()).collect())
    }

    #[test]
    fn an_absent_key_sets_no_limit_and_an_empty_one_is_a_mistake() {
        let rights = Rights::new("a", &Site::default()).unwrap();
        assert!(rights.has_address("https://anywhere.example/x") && rights.has_address("no address"));
        let broken = [
            Site { agencies: list(&[]), ..Site::default() },
            Site { regions: list(&["36x"]), ..Site::default() },
            Site { regions: list(&["3609990"]), ..Site::default() },
            Site { url_prefixes: list(&["www.a.example"]), ..Site::default() },
            Site { url_prefixes: list(&["https://www.a.example/?a=1"]), ..Site::default() },
        ];
        for site in broken {
            let error = Rights::new("a", &site).unwrap_err().to_string();
            assert!(error.starts_with("ingest.sites.a."), "{error}");
        }
    }

    #[test]
    fn addresses_outside_of_the_prefixes_are_not_the_sites() {
        let prefixes = list(&["https://www.a.example/zwgk", "https://a.example:8443"]);
        let rights = Rights::new("a", &Site { url_prefixes: prefixes, ..Site::default() }).unwrap();
        assert!(rights.has_address("https://WWW.a.example/zwgk/1.html"));
        assert!(rights.has_address("https://a.example:8443/x"));
        for outside in ["https://www.a.example/zwgk/../x", "https://a.example/x", "/zwgk/1.html"] {
            assert!(!rights.has_address(outside), "{outside}");
        }
    }

    #[test]
    fn only_who_is_bound_is_told_to_the_stages() {
        assert_eq!(Actor::operator(None).sender(), None);
        assert!(Actor::anonymous(None).sender().unwrap().anonymous);
        let rights = Arc::new(Rights { name: "a".into(), ..Rights::default() });
        assert_eq!(Actor::operator(Some(rights.clone())).sender(), None);
        assert_eq!(Actor::site(rights).sender().unwrap().site, "a");
    }
}
