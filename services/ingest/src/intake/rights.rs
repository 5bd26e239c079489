//! Decides whether a call may change what it names, from the limits of its site and the owners of the address and the
//! report.

use gongkai_model::ReportKey;
use gongkai_ownership::{Owners, Thing, limits::Outside};
use gongkai_registry::Following;
use gongkai_worker::Runtime;

use crate::{
    actor::Actor,
    error::{Code, Problem, quote},
    metrics::{Metrics, NotYours},
    submission::DeclaredMetadata,
};

/// Refuses calls about what belongs to another site. Cheap to clone.
#[derive(Clone)]
pub(super) struct RightsGuard {
    owners: Owners,
    registry: Following,
    metrics: Metrics,
}

// === impl RightsGuard ===

impl RightsGuard {
    pub(super) fn new(runtime: &Runtime, registry: Following, metrics: Metrics) -> Self {
        Self { owners: Owners::new(runtime), registry, metrics }
    }

    /// Checks a call and claims nothing.
    ///
    /// # Errors
    /// `NOT_YOURS`, or the broker did not answer.
    pub(super) async fn check(&self, actor: &Actor, declared: &DeclaredMetadata) -> Result<(), Problem> {
        self.ensure_within_limits(actor, declared)?;
        if actor.is_operator() {
            return Ok(());
        }
        let report = self.report(declared)?;
        for (thing, what) in things(declared, report.as_deref()) {
            self.ensure_own(actor, &self.owners.of(thing).await?, what)?;
        }
        Ok(())
    }

    /// Checks a call, and assigns the address and the report that it names to its site if they are free.
    ///
    /// # Errors
    /// As for [`Self::check`].
    pub(super) async fn claim(&self, actor: &Actor, declared: &DeclaredMetadata) -> Result<(), Problem> {
        // A refused call claims nothing.
        self.check(actor, declared).await?;
        let Some(site) = actor.proven() else { return Ok(()) };
        let report = self.report(declared)?;
        for (thing, what) in things(declared, report.as_deref()) {
            self.ensure_own(actor, &self.owners.claim(thing, site, 0).await?, what)?;
        }
        Ok(())
    }

    fn report(&self, declared: &DeclaredMetadata) -> Result<Option<String>, Problem> {
        Ok(declared.report(&*self.registry.current()?).as_ref().map(ReportKey::to_string))
    }

    fn ensure_within_limits(&self, actor: &Actor, declared: &DeclaredMetadata) -> Result<(), Problem> {
        if let Some(foreign) = actor.foreign() {
            return Err(self.refusal(actor, NotYours::Site, foreign));
        }
        let Some(rights) = actor.rights() else { return Ok(()) };
        if !declared.url.is_empty() && !rights.has_address(&declared.url) {
            return Err(self.refusal(actor, NotYours::Address, &declared.url));
        }
        let outside = rights.limits.outside(&declared.asked(), &*self.registry.current()?);
        match outside {
            None => Ok(()),
            Some(Outside::Region) => Err(self.refusal(actor, NotYours::Region, declared.region().as_str())),
            Some(Outside::Agency) => {
                let agency = &declared.agency;
                let named = if agency.code.is_empty() { &agency.name } else { &agency.code };
                Err(self.refusal(actor, NotYours::Agency, named))
            }
        }
    }

    fn ensure_own(&self, actor: &Actor, owner: &str, (what, named): (NotYours, &str)) -> Result<(), Problem> {
        if owner.is_empty() || actor.proven() == Some(owner) {
            return Ok(());
        }
        Err(self.refusal(actor, what, named))
    }

    fn refusal(&self, actor: &Actor, what: NotYours, named: &str) -> Problem {
        self.metrics.refused(what);
        let named = quote(named);
        let site = actor.rights().map(|rights| rights.name.as_str()).unwrap_or_default();
        let has_proven = actor.proven().is_some();
        tracing::warn!(site, has_proven, what = what.as_str(), named, "refused: it is not the caller's");
        Problem::new(Code::NotYours, what.detail_zh(&named), what.detail(&named))
    }
}

/// Returns what a call would change, with the words for a refusal.
fn things<'a>(
    declared: &'a DeclaredMetadata,
    report: Option<&'a str>,
) -> impl Iterator<Item = (Thing<'a>, (NotYours, &'a str))> {
    let url = (!declared.url.is_empty()).then_some(declared.url.as_str());
    let address = url.map(|url| (Thing::Address(url), (NotYours::Address, url)));
    let report = report.map(|name| (Thing::Report(name), (NotYours::Report, name)));
    address.into_iter().chain(report)
}
