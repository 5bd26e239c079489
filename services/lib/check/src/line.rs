//! The JSON line of one document. Its shape is public, so it is defined here and not derived from the model. Personal
//! data in its texts is masked.

use gongkai_model::{Fact, FactId, Finding, Rejection, Report, Versions, masked};
use gongkai_reading::Reading;
use gongkai_rules::LeftOut;
use serde::{Deserialize, Serialize};

use crate::{
    Checked, identity_line::IdentityLine, metadata_line::MetadataLine, part_line::PartLine,
    rejection_line::RejectionLine, source_line::SourceLine,
};

/// The result of reading a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The document was read.
    Ok,
    /// The document is not a report, or cannot be read.
    Rejected,
}

/// The line of one document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckLine {
    /// The file's name, from the caller.
    pub file: String,
    /// Whether the document was read or rejected.
    pub status: Status,
    /// The detected media type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The report, if it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<ReportLine>,
    /// The findings; empty for a rejected document.
    #[serde(default)]
    pub findings: Vec<FindingLine>,
    /// Why the document was rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejection: Option<RejectionLine>,
    /// The files of the submission; left out if it is one file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PartLine>,
    /// The rules of local packs that were left out because they would cost too much, each with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// The comparisons that could not be made, where a server checks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_checked: Vec<NotCheckedLine>,
    /// Versions of the program and its rules.
    pub versions: VersionsLine,
}

/// A report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportLine {
    /// The body's fullest name in the document.
    pub agency: String,
    /// The report's year.
    pub year: i32,
    /// The bodies and years named, if several compete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<IdentityLine>,
    /// `2021`, `2019` or `2014`.
    pub form: String,
    /// `standard` or `single_row_other`.
    pub variant: String,
    /// The title, its lines joined.
    pub title: String,
    /// The text before chapter 一.
    pub preamble: String,
    /// The chapters, in document order.
    pub sections: Vec<SectionLine>,
    /// Every cell of the form, in the form's order.
    pub facts: Vec<FactLine>,
    /// The page's fields, the contact and the documents cited.
    #[serde(default, skip_serializing_if = "MetadataLine::is_empty")]
    pub metadata: MetadataLine,
}

/// A chapter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionLine {
    /// Number of the chapter, 1 to 6.
    pub number: u32,
    /// Heading of the chapter.
    pub title: String,
    /// Prose of the chapter.
    pub text: String,
}

/// A cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactLine {
    /// The concept.
    pub concept: String,
    /// The kind of applicant, in chapter 三.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applicant: Option<String>,
    /// `reported`, `blank`, `not_applicable`, `missing` or `unreadable`.
    pub state: String,
    /// The number as a decimal string, if one is reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// For an unreadable cell: the code of the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread_reason: Option<String>,
    /// Position of the cell in the original; absent for a missing cell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceLine>,
    /// For an unreadable cell: the positions that the readings proposed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<SourceLine>,
}

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingLine {
    /// Stable rule id.
    pub rule: String,
    /// `INFO`, `REVIEW`, `WARNING` or `ERROR`.
    pub severity: String,
    /// The problem, in Chinese.
    pub message: String,
    /// The problem, in English.
    pub message_en: String,
    /// Identifies the finding: the same in every run and every revision.
    pub fingerprint: String,
    /// The suspect cell that findings of one origin share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The concept of the finding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concept: Option<String>,
    /// The violated condition in words.
    pub formula: String,
    /// The expected value, computed from the operands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// The value in the report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual: Option<String>,
    /// The operands.
    #[serde(default)]
    pub facts: Vec<String>,
    /// The operands with their values and positions; left out where the report is not available.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operands: Vec<FactLine>,
    /// For a finding about prose: the quotation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceLine>,
    /// The provision of the law or the form.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub legal: String,
    /// What an editor should do.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub help: String,
    /// The smallest change that would resolve the finding. It is never applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
    /// Versions of the program and rules that made the finding.
    pub versions: VersionsLine,
}

/// Rules that were not applied, because the reports that they compare could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotCheckedLine {
    /// Public code of the problem.
    pub code: String,
    /// The problem and its remedy, in Chinese.
    pub message: String,
    /// The message in English.
    pub message_en: String,
    /// Ids of the rules.
    pub rules: Vec<String>,
}

/// The versions of the components that produced an output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionsLine {
    /// Version of the program.
    pub program: String,
    /// Version of the readers and the matcher.
    pub parser: String,
    /// Version of the statutory forms.
    pub forms: String,
    /// Names and versions of the rule packs.
    pub rules: String,
}

impl CheckLine {
    /// Creates the line of a document that was checked or rejected. `versions` are those of the rules.
    #[must_use]
    pub fn of(file: &str, checked: Result<&Checked, &Rejection>, versions: &Versions) -> Self {
        match checked {
            Ok(Checked { reading, findings, left_out }) => {
                Self::of_report(file, reading, findings, versions).with_left_out(left_out)
            }
            Err(rejection) => Self::of_rejection(file, rejection, versions),
        }
    }

    /// Creates the line of a report. `versions` are those of the rules that produced the findings.
    #[must_use]
    pub fn of_report(file: &str, reading: &Reading, findings: &[Finding], versions: &Versions) -> Self {
        Self {
            file: file.to_owned(),
            status: Status::Ok,
            media_type: Some(reading.media_type.as_str().to_owned()),
            report: Some(ReportLine::from(&reading.report)),
            findings: findings
                .iter()
                .map(|finding| FindingLine::explained(finding, &reading.report))
                .collect(),
            rejection: None,
            parts: Vec::new(),
            left_out: Vec::new(),
            not_checked: Vec::new(),
            versions: VersionsLine::from(versions),
        }
    }

    /// Adds the rules that were left out.
    #[must_use]
    pub fn with_left_out(self, left_out: &[LeftOut]) -> Self {
        Self { left_out: left_out.iter().map(ToString::to_string).collect(), ..self }
    }

    /// Creates the line of a rejected document, or of a file that could not be read.
    #[must_use]
    pub fn of_rejection(file: &str, rejection: impl Into<RejectionLine>, versions: &Versions) -> Self {
        Self {
            file: file.to_owned(),
            status: Status::Rejected,
            media_type: None,
            report: None,
            findings: Vec::new(),
            rejection: Some(rejection.into()),
            parts: Vec::new(),
            left_out: Vec::new(),
            not_checked: Vec::new(),
            versions: VersionsLine::from(versions),
        }
    }

    /// Returns the line as JSON, without a line end.
    ///
    /// # Panics
    /// Never: the line contains only strings and numbers.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a line holds strings and numbers only, and its keys are strings")
    }
}

impl From<&Report> for ReportLine {
    fn from(report: &Report) -> Self {
        let sections = report.sections.iter().map(|section| SectionLine {
            number: section.number,
            title: masked(&section.title).into_owned(),
            text: masked(&section.text()).into_owned(),
        });
        Self {
            agency: report.agency.clone(),
            year: report.year,
            identity: IdentityLine::of(&report.identity),
            form: report.form.to_string(),
            variant: report.variant.as_str().to_owned(),
            title: masked(&report.title).into_owned(),
            preamble: masked(&report.preamble_text()).into_owned(),
            sections: sections.collect(),
            facts: report.facts.iter().map(FactLine::from).collect(),
            metadata: MetadataLine::from(&report.metadata),
        }
    }
}

impl FactLine {
    /// Returns the name of the cell, such as `requests.received[total]`.
    #[must_use]
    pub fn id(&self) -> String {
        match &self.applicant {
            Some(applicant) => format!("{}[{applicant}]", self.concept),
            None => self.concept.clone(),
        }
    }
}

impl From<&Fact> for FactLine {
    fn from(fact: &Fact) -> Self {
        Self {
            concept: fact.id.concept.to_string(),
            applicant: fact.id.applicant.map(|applicant| applicant.as_str().to_owned()),
            state: fact.state.as_str().to_owned(),
            value: fact.state.value().map(|value| value.normalize().to_string()),
            unread_reason: fact.unread_reason.map(|reason| reason.as_str().to_owned()),
            source: fact.source.as_ref().map(SourceLine::from),
            candidates: fact.candidates.iter().map(SourceLine::from).collect(),
        }
    }
}

impl FindingLine {
    /// Creates the line of a finding, with the values and positions of its operands.
    #[must_use]
    pub fn explained(finding: &Finding, report: &Report) -> Self {
        let operand = |id: &FactId| report.facts.iter().find(|fact| fact.id == *id).map(FactLine::from);
        Self { operands: finding.facts.iter().filter_map(operand).collect(), ..Self::from(finding) }
    }
}

impl From<&Finding> for FindingLine {
    fn from(finding: &Finding) -> Self {
        Self {
            rule: finding.rule.clone(),
            severity: finding.severity.to_string(),
            message: finding.message.clone(),
            message_en: finding.message_en.clone(),
            fingerprint: finding.fingerprint.clone(),
            cause: finding.cause.as_ref().map(FactId::to_string),
            concept: finding.concept.as_ref().map(ToString::to_string),
            formula: finding.formula.clone(),
            expected: finding.expected.clone(),
            actual: finding.actual.clone(),
            facts: finding.facts.iter().map(FactId::to_string).collect(),
            operands: Vec::new(),
            source: finding.source.as_ref().map(SourceLine::from),
            legal: finding.legal.clone(),
            help: finding.help.clone(),
            suggestion: finding.suggestion.clone(),
            versions: VersionsLine::from(&finding.versions),
        }
    }
}

impl From<&Versions> for VersionsLine {
    fn from(versions: &Versions) -> Self {
        Self {
            program: versions.program.clone(),
            parser: versions.parser.clone(),
            forms: versions.forms.clone(),
            rules: versions.rules.clone(),
        }
    }
}
