//! One entry of the registry.

use gongkai_model::{
    AgencyKey, AgencyKind, AgencyProfile, Level, MonthDay, Region, is_short_for, normalized_name,
};
use time::Date;

use crate::nature::{kind_of, level_of, short_name};

/// A listed body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agency {
    /// Code of the agency, which is the `{agency}` of its reports' names.
    pub code: AgencyKey,
    /// Full name of the agency.
    pub name: String,
    /// Other names, and earlier names.
    pub aliases: Vec<Alias>,
    /// The superior body.
    pub parent: Option<AgencyKey>,
    /// Level of the agency, or the level that its name indicates if the list gives none.
    pub level: Option<Level>,
    /// Kind of the agency, or the kind that its name indicates if the list gives none.
    pub kind: Option<AgencyKind>,
    /// First six digits of the agency's administrative division code; `000000` if not given.
    pub region: Region,
    /// Domain of the agency's site, in lower case, without the scheme and the path.
    pub site_domain: Option<String>,
    /// Last day for publishing a report, in the year after the report's year. If absent, the law's day.
    pub deadline: Option<MonthDay>,
    /// Whom to ask about the agency's reports, as the list gives it.
    pub contact: Option<String>,
    /// Name of the subscription that also receives the notices about the agency's deadlines.
    pub channel: Option<String>,
}

/// Another name, and when it was in use: bodies are merged and renamed (机构改革).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// The name.
    pub name: String,
    /// First day; open if absent.
    pub from: Option<Date>,
    /// Last day; open if absent.
    pub to: Option<Date>,
}

impl Agency {
    /// Returns true if `name` is the agency's name, or was one of its names in that year; with or without province
    /// and prefecture.
    #[must_use]
    pub fn is_called(&self, name: &str, year: i32) -> bool {
        let name = normalized_name(name);
        let is_alias = |alias: &Alias| alias.fits(year) && keys(&alias.name).any(|own| own == name);
        keys(&self.name).any(|own| own == name) || self.aliases.iter().any(is_alias)
    }

    /// Returns true if `name` can be a shorter or fuller form of one of the agency's names.
    #[must_use]
    pub fn can_be(&self, name: &str) -> bool {
        let name = normalized_name(name);
        let names = std::iter::once(&self.name).chain(self.aliases.iter().map(|alias| &alias.name));
        names
            .map(|own| normalized_name(own))
            .any(|own| is_short_for(&name, &own) || is_short_for(&own, &name))
    }

    /// Returns the last day for publishing a report, in the year after the report's year: the listed one, or else the
    /// one of the law (条例 art. 49). Returns `None` for bodies below the county and for outposts (派出机关), for which
    /// the law sets none, and if the kind of body is unknown.
    #[must_use]
    pub fn due_on(&self) -> Option<MonthDay> {
        self.deadline.or_else(|| {
            let profile = self.profile();
            match (profile.level, profile.kind?) {
                (Some(Level::Town), _) | (_, AgencyKind::Outpost) => None,
                (Some(_), kind)
                | (None, kind @ (AgencyKind::Government | AgencyKind::Office | AgencyKind::Department)) => {
                    Some(kind.statutory_deadline())
                }
                (None, _) => None,
            }
        })
    }

    /// Returns true if only the list or a local notice can set the agency's deadline: the body is below the county, or
    /// an outpost (派出机关).
    #[must_use]
    pub fn is_due_locally(&self) -> bool {
        let profile = self.profile();
        profile.level == Some(Level::Town) || profile.kind == Some(AgencyKind::Outpost)
    }

    /// Returns the properties of the agency that rules use.
    #[must_use]
    pub fn profile(&self) -> AgencyProfile {
        AgencyProfile {
            key: self.code.clone(),
            name: self.name.clone(),
            level: self.level.or_else(|| level_of(&self.name)),
            kind: self.kind.or_else(|| kind_of(&self.name)),
            region: self.region,
            parent: self.parent.clone(),
            site_domain: self.site_domain.clone(),
        }
    }
}

impl Alias {
    /// Returns true if the name was in use at some time from the year's first day to the day its report is due.
    ///
    /// A body renamed in spring signs the report on the year before with its new name.
    #[must_use]
    pub fn fits(&self, year: i32) -> bool {
        let starts_in_time = self.from.is_none_or(|from| from.year() <= year.saturating_add(1));
        starts_in_time && self.to.is_none_or(|to| to.year() >= year)
    }
}

/// Returns a name in the form that is compared, and that form without province and prefecture.
pub(crate) fn keys(name: &str) -> impl Iterator<Item = String> {
    let whole = normalized_name(name);
    let short = short_name(&whole);
    let short = (short != whole).then_some(short);
    std::iter::once(whole).chain(short)
}
