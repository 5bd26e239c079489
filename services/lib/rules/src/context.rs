//! The context of an evaluation: the publishing event, the agency's profile and the neighbouring reports.

use gongkai_model::{AgencyKey, AgencyProfile, Nature};

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

/// What is known of a report beside the document. Everything is optional; the default is nothing but the document.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReportContext<'a> {
    /// The day of publication that the event claims, in the site's own time zone; absent if it claims none.
    pub published_at: Option<time::Date>,
    /// The agency's key, for fingerprints; without one a provisional key is made of the name in the report.
    pub agency: Option<&'a AgencyKey>,
    /// What a registry knows of the agency.
    pub profile: Option<&'a AgencyProfile>,
    /// What the agency's name in the report tells, for what no registry knows.
    pub by_name: Nature,
    /// What the event says of the article.
    pub publication: Publication<'a>,
    /// The agency's other reports and its relatives'; absent where only one document is at hand.
    pub neighbours: Option<&'a Neighbours>,
}
