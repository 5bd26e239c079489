//! Findings: what a rule says about a report.

use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use crate::{
    fact::{Concept, FactId, ParseError, Source},
    versions::Versions,
};

/// The severity of a finding. A clean report has no `Error`.
///
/// Names are read in upper and lower case.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Display, EnumString, IntoStaticStr, VariantArray,
)]
#[strum(serialize_all = "UPPERCASE", ascii_case_insensitive)]
#[strum(parse_err_ty = ParseError, parse_err_fn = ParseError::of)]
pub enum Severity {
    /// 提示: worth knowing, nothing to do.
    Info,
    /// 请核实: a person decides.
    Review,
    /// 建议整改: likely wrong.
    Warning,
    /// 必须整改: wrong.
    Error,
}

impl Severity {
    /// All, lightest first.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The public name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// What one rule says about one report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Stable rule id, such as `T3-ROW`.
    pub rule: String,
    /// Its severity.
    pub severity: Severity,
    /// What is wrong, in Chinese, naming chapter, row and column as an editor would.
    pub message: String,
    /// The same in English.
    pub message_en: String,
    /// Identifies the finding: 32 hex digits, the same in every run and every revision that has the same trouble.
    pub fingerprint: String,
    /// The suspect cell that findings of one origin share; empty if the finding stands alone.
    pub cause: Option<FactId>,
    /// The concept it is about; absent for structure and prose.
    pub concept: Option<Concept>,
    /// The broken identity or condition in words, such as `sum of applicants = total`.
    pub formula: String,
    /// The expected value, as a decimal string or a word.
    pub expected: Option<String>,
    /// The printed value.
    pub actual: Option<String>,
    /// The operands.
    pub facts: Vec<FactId>,
    /// For a finding about prose: the quotation and where it stands.
    pub source: Option<Source>,
    /// The provision of the law or the form.
    pub legal: String,
    /// What an editor should do about it, in Chinese.
    pub help: String,
    /// The smallest change that would correct it, in Chinese: a suggestion, never applied.
    pub suggestion: Option<String>,
    /// 16 hex digits over the operands, the expected and the printed value: a waiver holds while it is the same. Empty
    /// in findings of versions that did not record it; those cannot be waived.
    pub operands_digest: String,
    /// Versions of the program, parser, forms and rules that made it.
    pub versions: Versions,
}

/// Number of findings by severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Findings of weight `ERROR`.
    pub error: u32,
    /// Findings of weight `WARNING`.
    pub warning: u32,
    /// Findings of weight `REVIEW`.
    pub review: u32,
    /// Findings of weight `INFO`.
    pub info: u32,
}

impl Summary {
    /// Counts findings by weight.
    #[must_use]
    pub fn of<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        let mut sum = Self::default();
        for finding in findings {
            match finding.severity {
                Severity::Error => sum.error += 1,
                Severity::Warning => sum.warning += 1,
                Severity::Review => sum.review += 1,
                Severity::Info => sum.info += 1,
            }
        }
        sum
    }
}
