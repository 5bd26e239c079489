//! The context of an evaluation: the publishing event, the agency's profile and the neighbouring reports.

use gongkai_model::{AgencyKey, AgencyProfile, Difference, Nature, ReviewStep};

use crate::neighbours::Neighbours;

/// What the publishing event says about the article. Everything is optional; a rule that needs an absent value is
/// silent.
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
    /// The steps of its review, in order.
    pub review: &'a [ReviewStep],
    /// The levels of review that are demanded of its site.
    pub review_levels: &'a [String],
}

/// What is known about a report besides the document. Everything is optional; by default only the document is known.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReportContext<'a> {
    /// The day of publication that the event claims, in the site's own time zone; absent if it claims none.
    pub published_at: Option<time::Date>,
    /// The agency's key, for fingerprints; without one a provisional key is made of the name in the report.
    pub agency: Option<&'a AgencyKey>,
    /// The registry's entry of the agency.
    pub profile: Option<&'a AgencyProfile>,
    /// Level and kind as the agency's name tells them. They apply if no registry knows the agency.
    pub by_name: Nature,
    /// What the event says about the article.
    pub publication: Publication<'a>,
    /// The agency's other reports and its relatives'; absent where only one document is at hand.
    pub neighbours: Option<&'a Neighbours>,
    /// Where the sender and the document disagree.
    pub differences: &'a [Difference],
}
