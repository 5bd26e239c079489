//! Whose report it is and of which year, as several places of a document and its sender say, with weights.

use strum::{EnumString, IntoStaticStr, VariantArray};

use crate::fact::ParseError;

/// A place that names the body or the year of a report. The order breaks ties.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, EnumString, IntoStaticStr, VariantArray,
)]
#[strum(serialize_all = "snake_case", parse_err_ty = ParseError, parse_err_fn = ParseError::of)]
pub enum EvidenceSource {
    /// The title.
    Title,
    /// The text between title and chapter 一, with the statistical period.
    Preamble,
    /// The first sentences of chapter 一.
    Opening,
    /// The contact clause.
    Contact,
    /// The fields that the page shows: 名称, 发布机构, 来源.
    MetadataTable,
    /// The title of the article in the event.
    EventTitle,
    /// The metadata of the page, which its readers do not see.
    PageMetadata,
    /// The name under the text.
    Signature,
    /// The body or year that the sender declares.
    Declared,
}

impl EvidenceSource {
    /// All sources.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// Returns the public name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A body or a year, with the weight of all that names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence<T> {
    /// The body's fullest name, or the year.
    pub value: T,
    /// The strongest place that names it.
    pub source: EvidenceSource,
    /// Sum of the weights of the places that name it.
    pub weight: u32,
}

/// The bodies and years that a document and its sender name. Both lists have the chosen one first and then the
/// heaviest; they have a second entry only if bodies or years compete.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// The bodies.
    pub agency: Vec<Evidence<String>>,
    /// The years.
    pub year: Vec<Evidence<i32>>,
}

// === impl Identity ===

impl Identity {
    /// Returns true if more than one body or more than one year is named.
    #[must_use]
    pub fn is_disputed(&self) -> bool {
        self.agency.len() > 1 || self.year.len() > 1
    }
}
