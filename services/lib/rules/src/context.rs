//! What a report's event and its neighbourhood say beside the document.

use gongkai_model::{AgencyProfile, Versions};

use crate::neighbours::Neighbours;

/// What the publishing event says of the article. Everything is optional; a rule that needs what is absent is silent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Publication<'a> {
    /// The article's address.
    pub url: Option<&'a str>,
    /// The site's code (网站标识码).
    pub site_code: Option<&'a str>,
    /// The site's own domain, without scheme.
    pub site_domain: Option<&'a str>,
    /// The column (栏目) it was published in.
    pub column: Option<&'a str>,
    /// The day we first saw it.
    pub first_seen: Option<time::Date>,
}

/// Facts about the event, the agency and the program that a rule or a finding needs and the document does not give.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The day of publication that the event claims; absent if it claims none.
    pub published_at: Option<time::Date>,
    /// The agency's key, for fingerprints; its name where no key is at hand.
    pub agency_key: &'a str,
    /// What a registry knows of the agency; without it its name must tell.
    pub agency: Option<&'a AgencyProfile>,
    /// What the event says of the article.
    pub publication: Publication<'a>,
    /// The agency's other reports and its relatives'; absent where only one document is at hand.
    pub neighbours: Option<&'a Neighbours>,
    /// Which program, parser, forms and rules are at work: they ride on every finding.
    pub versions: &'a Versions,
}

impl<'a> Context<'a> {
    /// A context of nothing but the document.
    #[must_use]
    pub fn new(agency_key: &'a str, versions: &'a Versions) -> Self {
        Self {
            published_at: None,
            agency_key,
            agency: None,
            publication: Publication::default(),
            neighbours: None,
            versions,
        }
    }
}
