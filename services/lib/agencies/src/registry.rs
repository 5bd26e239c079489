//! The registry of listed bodies (机关名录), and the resolution of a report to its body.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use gongkai_model::{
    AgencyKey, DeclaredField, Difference, Region, is_short_for, names_nobody, normalized_name,
};

use crate::{
    agency::{Agency, keys},
    nature::short_name,
};

/// The bodies of a list, by code.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    agencies: BTreeMap<AgencyKey, Agency>,
    /// Codes by normalised name and alias, and by the same without province and prefecture.
    names: HashMap<String, Vec<AgencyKey>>,
    children: HashMap<AgencyKey, Vec<AgencyKey>>,
    /// The name under which the list is stored.
    stored_as: String,
}

/// Error: the list contradicts itself. Its editor has to correct it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// Two agencies have the same code.
    #[error("code {0} stands twice")]
    Twice(AgencyKey),
    /// The parent of an agency is not listed.
    #[error("{child} stands under {parent}, which is not listed")]
    UnknownParent {
        /// The code of the agency whose parent is missing.
        child: AgencyKey,
        /// The parent's code.
        parent: AgencyKey,
    },
    /// An agency is its own ancestor.
    #[error("{0} stands above itself")]
    Cycle(AgencyKey),
}

/// The known facts about the agency of a report.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked<'a> {
    /// The sender's code; empty if it gives none.
    pub code: &'a str,
    /// The sender's name for the body; empty if it gives none.
    pub name: &'a str,
    /// The name in the document.
    pub document_name: &'a str,
    /// The region of the event; `000000` if unknown.
    pub region: Region,
    /// Host of the article's address; empty if unknown.
    pub host: &'a str,
    /// The report's year, because names change.
    pub year: i32,
}

/// The agency that a report belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution<'a> {
    /// Exactly one listed agency matches.
    Known(&'a Agency),
    /// Several listed agencies match, and no hint distinguishes them. A person decides.
    Ambiguous(Vec<&'a Agency>),
    /// No listed agency matches.
    Unknown,
}

// === impl Registry ===

impl Registry {
    /// Creates a registry from a list.
    ///
    /// # Errors
    /// A code is listed twice, a parent is not listed, or a body is its own ancestor.
    pub fn new(list: impl IntoIterator<Item = Agency>) -> Result<Self, RegistryError> {
        let mut registry = Self::default();
        for agency in list {
            if registry.agencies.contains_key(&agency.code) {
                return Err(RegistryError::Twice(agency.code));
            }
            registry.agencies.insert(agency.code.clone(), agency);
        }
        registry.check_parents()?;
        for agency in registry.agencies.values() {
            let names = std::iter::once(&agency.name).chain(agency.aliases.iter().map(|alias| &alias.name));
            let names: HashSet<String> = names.flat_map(|name| keys(name)).collect();
            for name in names {
                registry.names.entry(name).or_default().push(agency.code.clone());
            }
            if let Some(parent) = &agency.parent {
                registry.children.entry(parent.clone()).or_default().push(agency.code.clone());
            }
        }
        Ok(registry)
    }

    fn check_parents(&self) -> Result<(), RegistryError> {
        for agency in self.agencies.values() {
            let mut above = agency;
            // A chain that is longer than the list is a cycle.
            for step in 0.. {
                let Some(parent) = &above.parent else { break };
                above = self.agencies.get(parent).ok_or_else(|| RegistryError::UnknownParent {
                    child: above.code.clone(),
                    parent: parent.clone(),
                })?;
                if step > self.agencies.len() || above.code == agency.code {
                    return Err(RegistryError::Cycle(agency.code.clone()));
                }
            }
        }
        Ok(())
    }

    /// Gives the list the name under which it is stored.
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        Self { stored_as: name.to_owned(), ..self }
    }

    /// Returns the name under which the list is stored; empty for one that is not.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.stored_as
    }

    /// Returns the agencies whose reports may have other findings by this list than by another: those with another entry, and the
    /// bodies above them in either list, which add up their figures.
    #[must_use]
    pub fn affected_since(&self, before: &Self) -> BTreeSet<AgencyKey> {
        let entry = |list: &Self, code: &AgencyKey| list.get(code).map(Agency::profile);
        let codes: BTreeSet<&AgencyKey> = self.agencies.keys().chain(before.agencies.keys()).collect();
        let mut affected = BTreeSet::new();
        for code in codes {
            let (now, then) = (entry(self, code), entry(before, code));
            if now != then {
                affected.extend([now, then].into_iter().flatten().filter_map(|entry| entry.parent));
                affected.insert(code.clone());
            }
        }
        affected
    }

    /// Returns the body with a code.
    #[must_use]
    pub fn get(&self, code: &AgencyKey) -> Option<&Agency> {
        self.agencies.get(code)
    }

    /// Returns all bodies, by code.
    pub fn iter(&self) -> impl Iterator<Item = &Agency> {
        self.agencies.values()
    }

    /// Returns the number of bodies.
    #[must_use]
    pub fn len(&self) -> usize {
        self.agencies.len()
    }

    /// Returns true if no body is listed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.agencies.is_empty()
    }

    /// Returns the bodies directly below a body, by code.
    #[must_use]
    pub fn children(&self, code: &AgencyKey) -> &[AgencyKey] {
        self.children.get(code).map(Vec::as_slice).unwrap_or_default()
    }

    /// Returns the agency of a report: the one that the document names, else the one that the sender names by code or
    /// name.
    ///
    /// The sender decides only among agencies that the document's name fits, such as namesakes in two counties, and
    /// where the registry does not have the name. Words that are not a name (本机关) count as no name. Agencies of
    /// one name in different counties are distinguished by region, then by site. An agency whose region contradicts
    /// the event's is never returned, so that a street in an unlisted county does not become its namesake.
    #[must_use]
    pub fn resolve(&self, asked: &Asked<'_>) -> Resolution<'_> {
        let declared = self.declared(asked);
        if names_nobody(asked.document_name) {
            return declared;
        }
        if let Resolution::Known(agency) = declared
            && agency.is_called(asked.document_name, asked.year)
        {
            return declared;
        }
        match (self.by_name(asked.document_name, asked), declared) {
            (Resolution::Unknown, Resolution::Known(agency)) if agency.can_be(asked.document_name) => {
                Resolution::Known(agency)
            }
            (found, _) => found,
        }
    }

    /// Returns the body that the sender names.
    fn declared(&self, asked: &Asked<'_>) -> Resolution<'_> {
        let by_code = AgencyKey::from_code(asked.code).ok().and_then(|code| self.agencies.get(&code));
        match by_code {
            Some(agency) => Resolution::Known(agency),
            None if names_nobody(asked.name) => Resolution::Unknown,
            None => self.by_name(asked.name, asked),
        }
    }

    /// Returns the differences between the sender and the document of a report whose agency key is `key`.
    #[must_use]
    pub fn differences(&self, asked: &Asked<'_>, declared_year: i32, key: &AgencyKey) -> Vec<Difference> {
        let mut differences = Vec::new();
        let of = |field, declared: &str, read: &str| Difference {
            field,
            declared: declared.to_owned(),
            read: read.to_owned(),
        };
        if !self.is_same(asked, key) {
            differences.push(of(DeclaredField::Agency, asked.name, asked.document_name));
        }
        let is_listed =
            |code: &str| AgencyKey::from_code(code).is_ok_and(|code| self.agencies.contains_key(&code));
        // An unlisted code does not contradict an unlisted body.
        let is_telling = is_listed(asked.code) || (!asked.code.is_empty() && self.agencies.contains_key(key));
        if is_telling && asked.code != key.as_str() {
            differences.push(of(DeclaredField::AgencyCode, asked.code, key.as_str()));
        }
        if declared_year != 0 && declared_year != asked.year {
            differences.push(of(DeclaredField::Year, &declared_year.to_string(), &asked.year.to_string()));
        }
        differences
    }

    /// Returns true unless the sender's name belongs to another body than the document's.
    fn is_same(&self, asked: &Asked<'_>, key: &AgencyKey) -> bool {
        let (name, document_name) = (asked.name, asked.document_name);
        if names_nobody(name) || names_nobody(document_name) {
            return true;
        }
        if self.get(key).is_some_and(|agency| agency.is_called(name, asked.year)) {
            return true;
        }
        match (self.by_name(name, asked), self.by_name(document_name, asked)) {
            (Resolution::Known(declared), Resolution::Known(read)) => declared.code == read.code,
            _ => is_short_for(name, document_name) || is_short_for(document_name, name),
        }
    }

    fn by_name(&self, name: &str, asked: &Asked<'_>) -> Resolution<'_> {
        let key = normalized_name(name);
        let exact = self.candidates(&key, asked);
        let short = || self.candidates(&short_name(&key), asked);
        let found = if exact.is_empty() { short() } else { exact };
        let nearest = |fits: &dyn Fn(&Agency) -> bool| {
            let fitting: Vec<&Agency> = found.iter().copied().filter(|agency| fits(agency)).collect();
            <[&Agency; 1]>::try_from(fitting).ok().map(|[agency]| agency)
        };
        let known = asked.region != Region::UNKNOWN;
        let one = match found.as_slice() {
            [] => return Resolution::Unknown,
            // Without a region, a name without a place may belong to several bodies.
            [agency] if known || says_place(&key, agency) => Some(*agency),
            _ => None,
        };
        let one = one
            .or_else(|| nearest(&|agency| known && agency.region == asked.region))
            .or_else(|| nearest(&|agency| is_on_site(agency, asked.host)))
            .or_else(|| nearest(&|agency| normalized_name(&agency.name) == key && says_place(&key, agency)));
        one.map_or(Resolution::Ambiguous(found), Resolution::Known)
    }

    /// Returns the bodies with a name in the report's year whose region does not contradict the event's.
    fn candidates(&self, key: &str, asked: &Asked<'_>) -> Vec<&Agency> {
        let codes = self.names.get(key).map(Vec::as_slice).unwrap_or_default();
        let agencies = codes.iter().filter_map(|code| self.agencies.get(code));
        agencies
            .filter(|agency| agency.is_called(key, asked.year))
            .filter(|agency| agree(agency.region, asked.region))
            .collect()
    }
}

/// Returns true if the regions are the same, one contains the other, or one is unknown: a province's site also
/// publishes reports of its counties.
fn agree(a: Region, b: Region) -> bool {
    let head = |region: Region| region.as_str().trim_end_matches("00").to_owned();
    let (a, b) = (head(a), head(b));
    a.starts_with(&b) || b.starts_with(&a)
}

/// Returns true if a name includes the county or city of the body, so that it identifies the body.
fn says_place(name: &str, agency: &Agency) -> bool {
    let whole = normalized_name(&agency.name);
    let of_town = ["街道", "镇", "乡"].iter().any(|word| name.contains(word));
    let places = name.chars().filter(|c| matches!(c, '省' | '市' | '县' | '区' | '旗' | '州' | '盟')).count();
    places > 0 && (whole.ends_with(name) || !of_town)
}

fn is_on_site(agency: &Agency, host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    agency.site_domain.as_deref().is_some_and(|domain| {
        !domain.is_empty()
            && (host == domain || host.strip_suffix(domain).is_some_and(|head| head.ends_with('.')))
    })
}

/// Returns the host of a URL, for [`Asked::host`]; empty if there is none.
#[must_use]
pub fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    host.split(':').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_that_changes_affects_its_agency_and_those_above_it() {
        let list = |rows: &str| crate::read_csv(format!("code,name,parent\n{rows}").as_bytes()).unwrap();
        let before = list("A,云溪县人民政府,\nB,青溪县人民政府,\nX,云溪县水务局,A\nY,云溪县民政局,A\n");
        let affected = |rows: &str| {
            let affected = list(rows).affected_since(&before);
            affected.iter().map(AgencyKey::to_string).collect::<Vec<_>>().join(" ")
        };
        let same = "A,云溪县人民政府,\nB,青溪县人民政府,\nX,云溪县水务局,A\nY,云溪县民政局,A\n";
        assert_eq!(affected(same), "");
        assert_eq!(affected(&same.replace("水务局,A", "水务局,B")), "A B X");
        assert_eq!(affected(&same.replace("云溪县民政局", "云溪县残疾人联合会")), "A Y");
        assert_eq!(affected(&same.replace("Y,云溪县民政局,A\n", "")), "A Y");
        assert_eq!(affected(&format!("{same}Z,云溪县审计局,\n")), "Z");
    }

    #[test]
    fn an_address_has_a_host_or_none() {
        for (url, expected) in [
            ("https://www.zhangshu.gov.cn:8080/a?b", "www.zhangshu.gov.cn"),
            ("http://user@zhangshu.gov.cn", "zhangshu.gov.cn"),
            ("zhangshu.gov.cn/a", ""),
            ("", ""),
        ] {
            assert_eq!(host(url), expected, "{url}");
        }
    }
}
