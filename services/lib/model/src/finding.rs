//! Findings: the results of rules about a report.

use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use crate::{
    fact::{Concept, FactId, ParseError, Source},
    versions::Versions,
};

/// The severity of a finding. A clean report has no `Error`.
///
/// Names are parsed in upper and lower case.
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
    /// All severities, lightest first.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// Returns the public name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Returns the name in the words of the field, such as 必须整改.
    #[must_use]
    pub fn chinese(self) -> &'static str {
        match self {
            Self::Error => "必须整改",
            Self::Warning => "建议整改",
            Self::Review => "请核实",
            Self::Info => "提示",
        }
    }
}

/// The result of one rule about one report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Stable rule id, such as `T3-ROW`.
    pub rule: String,
    /// Severity of the finding.
    pub severity: Severity,
    /// The problem, in Chinese, naming the chapter, row and column as an editor would.
    pub message: String,
    /// The problem, in English.
    pub message_en: String,
    /// Identifies the finding: 32 hex digits, the same in every run and every revision that has the same problem.
    pub fingerprint: String,
    /// The suspect cell that findings of one origin share; `None` if the finding has its own origin.
    pub cause: Option<FactId>,
    /// The concept of the finding; absent for structure and prose.
    pub concept: Option<Concept>,
    /// The broken identity or condition in words, such as `sum of applicants = total`.
    pub formula: String,
    /// The expected value, as a decimal string or a word.
    pub expected: Option<String>,
    /// The printed value.
    pub actual: Option<String>,
    /// The operands.
    pub facts: Vec<FactId>,
    /// For a finding about prose: the quotation with its position.
    pub source: Option<Source>,
    /// The provision of the law or the form.
    pub legal: String,
    /// What an editor should do about it, in Chinese.
    pub help: String,
    /// The smallest change that would correct the problem, in Chinese. It is a suggestion and never applied.
    pub suggestion: Option<String>,
    /// 16 hex digits over the operands, the expected and the printed value: a waiver is valid while they are the
    /// same. Empty in findings of versions without it; those cannot be waived.
    pub operands_digest: String,
    /// Versions of the program, parser, forms and rules that produced the finding.
    pub versions: Versions,
}

/// Number of findings by severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Findings of severity `ERROR`.
    pub error: u32,
    /// Findings of severity `WARNING`.
    pub warning: u32,
    /// Findings of severity `REVIEW`.
    pub review: u32,
    /// Findings of severity `INFO`.
    pub info: u32,
}

impl Summary {
    /// Counts findings by severity.
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
