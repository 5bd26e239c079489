//! What a report's event says beside the document.

use gongkai_model::Versions;

/// Facts about the event and the program that a rule or a finding needs and the document does not give.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The day of publication that the event claims; absent if it claims none.
    pub published_at: Option<time::Date>,
    /// The agency's key, for fingerprints; its name where no key is at hand.
    pub agency_key: &'a str,
    /// Which program, parser, forms and rules are at work: they ride on every finding.
    pub versions: &'a Versions,
}
