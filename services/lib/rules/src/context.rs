//! The context of an evaluation: the publishing event, the agency's profile and the neighbouring reports.

use gongkai_model::{AgencyKey, AgencyProfile, Difference, Nature, ReviewStep};

use crate::neighbours::Neighbours;

/// The event's metadata about the article. Everything is optional; a rule that needs an absent value is silent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Publication<'a> {
    /// The article's address.
    pub url: Option<&'a str>,
    /// The site's code (网站标识码).
    pub site_code: Option<&'a str>,
    /// The site's own domain, without the scheme.
    pub site_domain: Option<&'a str>,
    /// The column (栏目) of the article.
    pub column: Option<&'a str>,
    /// The day on which gongkai first received the article.
    pub first_seen: Option<time::Date>,
    /// The steps of the article's review, in order.
    pub review: &'a [ReviewStep],
    /// The levels of review that the site requires.
    pub review_levels: &'a [String],
}

/// Everything known about a report besides the document. Everything is optional; by default only the document is
/// known.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReportContext<'a> {
    /// The day of publication that the event states, in the site's own time zone. If it states none, the rules use
    /// that of the page.
    pub published_at: Option<time::Date>,
    /// The agency's key, for fingerprints. Without one, a provisional key is derived from the name in the report.
    pub agency: Option<&'a AgencyKey>,
    /// The registry's entry of the agency.
    pub profile: Option<&'a AgencyProfile>,
    /// The level and the kind that the agency's name indicates. They apply if no registry lists the agency.
    pub by_name: Nature,
    /// The event's metadata about the article.
    pub publication: Publication<'a>,
    /// The agency's other reports and its relatives' reports; absent if only one document is available.
    pub neighbours: Option<&'a Neighbours>,
    /// The differences between the sender and the document.
    pub differences: &'a [Difference],
}
