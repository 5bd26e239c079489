//! What a cover and a notice say of many reports: the bodies by their findings, and the commonest faults.

use std::collections::{BTreeMap, BTreeSet};

use gongkai_model::Severity;

use super::tables::{ActionItem, CheckedDocument};

/// The findings of a body that it has to answer for, one for each cause.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) agency: String,
    /// 必须整改
    pub(super) errors: usize,
    /// 建议整改
    pub(super) warnings: usize,
    /// 请核实
    pub(super) reviews: usize,
}

/// A fault, and how often it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// Id of the rule.
    pub(super) rule: String,
    /// The condition that does not hold.
    pub(super) condition: String,
    pub(super) agencies: usize,
    pub(super) findings: usize,
}

/// The files, and the findings of all.
#[derive(Debug, Clone, Default)]
pub(super) struct Totals {
    pub(super) files: usize,
    pub(super) rejected: usize,
    /// The years of the reports, in order.
    pub(super) years: Vec<String>,
    /// The place in all bodies' names, such as 樟树市; empty if they have none in common.
    pub(super) county: String,
}

/// Returns the bodies, those with the fewest findings first. Bodies of equal numbers are in the order of their names.
pub(super) fn standings(documents: &[CheckedDocument]) -> Vec<Standing> {
    let mut by_agency: BTreeMap<&str, Standing> = BTreeMap::new();
    for document in documents.iter().filter(|document| !document.is_rejected) {
        let standing = by_agency.entry(&document.agency).or_default();
        for item in document.due() {
            match item.severity {
                Severity::Error => standing.errors += 1,
                Severity::Warning => standing.warnings += 1,
                _ => standing.reviews += 1,
            }
        }
    }
    let named = |(agency, standing): (&str, Standing)| Standing { agency: agency.to_owned(), ..standing };
    let mut standings: Vec<Standing> = by_agency.into_iter().map(named).collect();
    standings.sort_by_key(Standing::weight);
    standings
}

/// Returns the rank of each body in a list of [`standings`]. Bodies of equal numbers have one rank.
pub(super) fn ranks(standings: &[Standing]) -> Vec<usize> {
    let first_of =
        |standing: &Standing| standings.iter().position(|other| other.weight() == standing.weight());
    standings.iter().map(|standing| first_of(standing).map_or(0, |at| at + 1)).collect()
}

/// Number of faults in a list of the commonest.
const MOST: usize = 10;

/// Returns the faults that the most bodies have. Those that only ask for a check are left out.
pub(super) fn faults(documents: &[CheckedDocument]) -> Vec<Fault> {
    let mut by_rule: BTreeMap<&str, (&ActionItem, BTreeSet<&str>, usize)> = BTreeMap::new();
    for document in documents {
        for item in document.due().filter(|item| item.severity > Severity::Review) {
            let (_, agencies, findings) = by_rule.entry(&item.rule).or_insert((item, BTreeSet::new(), 0));
            agencies.insert(&document.agency);
            *findings += 1;
        }
    }
    let fault = |(rule, (item, agencies, findings)): (&str, (&ActionItem, BTreeSet<&str>, usize))| Fault {
        rule: rule.to_owned(),
        condition: item.condition.clone(),
        agencies: agencies.len(),
        findings,
    };
    let mut faults: Vec<Fault> = by_rule.into_iter().map(fault).collect();
    faults.sort_by_key(|fault| std::cmp::Reverse((fault.agencies, fault.findings)));
    faults.truncate(MOST);
    faults
}

/// Returns the totals.
pub(super) fn totals(documents: &[CheckedDocument]) -> Totals {
    let years: BTreeSet<&str> = documents.iter().map(|document| document.year.as_str()).collect();
    let agencies: BTreeSet<&str> = documents.iter().map(|document| document.agency.as_str()).collect();
    Totals {
        files: documents.len(),
        rejected: documents.iter().filter(|document| document.is_rejected).count(),
        years: years.into_iter().filter(|year| !year.is_empty()).map(str::to_owned).collect(),
        county: county(agencies.into_iter().filter(|agency| !agency.is_empty())),
    }
}

/// Returns the place that the names of several bodies begin with.
fn county<'n>(mut names: impl Iterator<Item = &'n str>) -> String {
    let Some(first) = names.next() else { return String::new() };
    let (mut common, mut others) = (first, 0);
    for name in names {
        let same = common.chars().zip(name.chars()).take_while(|(own, other)| own == other);
        let length = same.map(|(own, _)| own.len_utf8()).sum();
        (common, others) = (&common[..length], others + 1);
    }
    let end =
        common.char_indices().filter(|(_, c)| "省市州盟县区旗".contains(*c)).map(|(at, c)| at + c.len_utf8());
    let end = if others > 0 { end.max().unwrap_or(0) } else { 0 };
    common[..end].to_owned()
}

impl Standing {
    fn weight(&self) -> (usize, usize, usize) {
        (self.errors, self.warnings, self.reviews)
    }

    /// Returns true if nothing was found.
    pub(super) fn is_clean(&self) -> bool {
        self.weight() == (0, 0, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_county_is_the_place_in_all_names() {
        let of = |names: &[&str]| county(names.iter().copied());
        assert_eq!(of(&["江西省樟树市教育局", "江西省樟树市民政局"]), "江西省樟树市");
        assert_eq!(of(&["樟树市教育局", "云溪县教育局"]), "");
        assert_eq!(of(&["樟树市教育局"]), "");
        assert_eq!(of(&["樟树市", "樟树市教育局"]), "樟树市");
    }

    #[test]
    fn equal_bodies_share_a_rank() {
        let of = |errors| Standing { errors, ..Standing::default() };
        assert_eq!(ranks(&[of(0), of(0), of(2)]), [1, 1, 3]);
    }
}
