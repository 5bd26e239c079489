//! Facts: the number, blank or mark in one statutory cell, with its position in the original.

use std::{fmt, str::FromStr, sync::Arc};

use rust_decimal::Decimal;
use strum::{EnumString, IntoStaticStr, VariantArray};

use crate::block::{Area, Span};

/// Who asked for information (申请人类别): the columns of chapter 三.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, EnumString, IntoStaticStr, VariantArray,
)]
#[strum(serialize_all = "snake_case", parse_err_ty = ParseError, parse_err_fn = ParseError::of)]
pub enum Applicant {
    /// 自然人
    NaturalPerson,
    /// 商业企业
    Enterprise,
    /// 科研机构
    ResearchInstitution,
    /// 社会公益组织
    SocialOrganization,
    /// 法律服务机构
    LegalService,
    /// 其他
    Other,
    /// 总计
    Total,
}

impl Applicant {
    /// All applicants, in the form's column order.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// Returns the public name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Returns the Chinese column title.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::NaturalPerson => "自然人",
            Self::Enterprise => "商业企业",
            Self::ResearchInstitution => "科研机构",
            Self::SocialOrganization => "社会公益组织",
            Self::LegalService => "法律服务机构",
            Self::Other => "其他",
            Self::Total => "总计",
        }
    }
}

/// A concept's public name, such as `requests.received`. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Concept(Arc<str>);

impl Concept {
    /// Creates a concept; the forms define which names exist.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(Arc::from(name))
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Concept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Concept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A cell of the form: concept and, in chapter 三, applicant. Written `requests.received[total]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FactId {
    /// What is counted.
    pub concept: Concept,
    /// The kind of applicant; absent in chapters 二 and 四.
    pub applicant: Option<Applicant>,
}

impl fmt::Display for FactId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.applicant {
            Some(applicant) => write!(f, "{}[{}]", self.concept, applicant.as_str()),
            None => write!(f, "{}", self.concept),
        }
    }
}

/// Error: the text is not a name of the expected kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown name")]
pub struct ParseError;

impl ParseError {
    /// Creates the error for a name that the derived parsers do not know.
    pub(crate) fn of(_name: &str) -> Self {
        Self
    }
}

impl FromStr for FactId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        match text.strip_suffix(']').and_then(|t| t.split_once('[')) {
            Some((concept, applicant)) => {
                Ok(Self { concept: Concept::new(concept), applicant: Some(applicant.parse()?) })
            }
            None if text.contains(['[', ']']) || text.is_empty() => Err(ParseError),
            None => Ok(Self { concept: Concept::new(text), applicant: None }),
        }
    }
}

/// The state of a cell. Blank, `/`, 0 and missing stay distinct from here to the export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum State {
    /// A number, in the concept's unit.
    Reported(Decimal),
    /// The cell is empty.
    Blank,
    /// `/`, `—`, `-`, 无, 不适用.
    NotApplicable,
    /// The form has the cell, but the document does not.
    Missing,
    /// It is not certain which number the document has for this cell. A person decides; [`Fact::unread_reason`] says why.
    Unreadable,
}

impl State {
    /// Returns the public name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Returns the number, if the cell has one.
    #[must_use]
    pub fn value(self) -> Option<Decimal> {
        match self {
            Self::Reported(value) => Some(value),
            _ => None,
        }
    }
}

/// Why a cell of the form is unreadable. The cells of the document that the readings propose are the candidates of its fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case", parse_err_ty = ParseError, parse_err_fn = ParseError::of)]
pub enum UnreadReason {
    /// Two cells of the document are in the place of one of the form, with different texts.
    TwoCells,
    /// The row can be cut to the columns of the form in several ways, and the cuts differ in this cell.
    CutsDiffer,
    /// The row does not have the columns of the form, or its header contradicts them.
    RowUnclear,
    /// The label and the order of the rows name different rows of the form, or the label stands apart from the numbers.
    RowUnknown,
    /// Numbers of the chapter belong to no cell: its layout is unknown.
    LayoutUnknown,
    /// The text is no number, or has a unit that the cell cannot have.
    NoNumber,
}

impl UnreadReason {
    /// All reasons.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// Returns the public code.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A cell's position on the expanded grid of one of the document's tables, all from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CellRef {
    /// Ordinal of the table in the document.
    pub table: u32,
    /// Row on the expanded grid.
    pub row: u32,
    /// Column on the expanded grid.
    pub column: u32,
}

/// Position of a fact or a quotation in the original.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Source {
    /// The text verbatim.
    pub text: String,
    /// The cell, for a fact of a table.
    pub cell: Option<CellRef>,
    /// Page, from 1, if the format has pages.
    pub page: Option<u32>,
    /// Range in the decoded original, if the format has positions.
    pub span: Option<Span>,
    /// The cell's box on the page, if the format draws one.
    pub area: Option<Area>,
    /// The name of the attachment that contains it; absent for the main body.
    pub part: Option<String>,
}

/// One fact of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// The cell of the form.
    pub id: FactId,
    /// State of the cell.
    pub state: State,
    /// Why the cell is unreadable. Absent in every other state, and in facts that an earlier version read.
    pub unread_reason: Option<UnreadReason>,
    /// Position of the cell in the original; absent for a missing cell.
    pub source: Option<Source>,
    /// For an unreadable cell: the positions that the readings proposed.
    pub candidates: Vec<Source>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fact_ids_read_back_as_written() {
        for text in ["requests.received[total]", "proactive.fees.amount", "disputes.reconsideration.upheld"] {
            assert_eq!(text.parse::<FactId>().unwrap().to_string(), text);
        }
        for text in ["", "a[b]", "a[total", "a]"] {
            assert!(text.parse::<FactId>().is_err(), "{text}");
        }
    }
}
