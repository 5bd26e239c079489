//! Rejections: why a document is not read. A rejection is a normal output of parse, not an error of the service.

use std::{fmt, str::FromStr};

use crate::fact::ParseError;

/// Public rejection codes (CONTRACT 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RejectionCode {
    /// No bytes, or nothing but white space.
    Empty,
    /// More bytes, cells or text than the limit.
    TooLarge,
    /// Nested deeper than the limit.
    TooDeep,
    /// Took longer than the limit.
    TooSlow,
    /// Not a format we read.
    UnsupportedFormat,
    /// No charset makes text of the bytes.
    BadEncoding,
    /// The format's own structure is broken.
    Corrupt,
    /// Locked by a password.
    Encrypted,
    /// Pictures of pages, no text.
    NeedsOcr,
    /// Another kind of document; the look-alike's kind is with it.
    NotAReport,
    /// The official form, not filled in.
    UnfilledForm,
    /// A report without an agency's name or a year.
    NoIdentity,
    /// A reader panicked; the document is kept for us to look at.
    ParserPanic,
    /// A robot-check page (瑞数 and the like) stood in for the report.
    ChallengePage,
}

impl RejectionCode {
    /// All codes.
    pub const ALL: [Self; 14] = [
        Self::Empty,
        Self::TooLarge,
        Self::TooDeep,
        Self::TooSlow,
        Self::UnsupportedFormat,
        Self::BadEncoding,
        Self::Corrupt,
        Self::Encrypted,
        Self::NeedsOcr,
        Self::NotAReport,
        Self::UnfilledForm,
        Self::NoIdentity,
        Self::ParserPanic,
        Self::ChallengePage,
    ];

    /// The public name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "EMPTY",
            Self::TooLarge => "TOO_LARGE",
            Self::TooDeep => "TOO_DEEP",
            Self::TooSlow => "TOO_SLOW",
            Self::UnsupportedFormat => "UNSUPPORTED_FORMAT",
            Self::BadEncoding => "BAD_ENCODING",
            Self::Corrupt => "CORRUPT",
            Self::Encrypted => "ENCRYPTED",
            Self::NeedsOcr => "NEEDS_OCR",
            Self::NotAReport => "NOT_A_REPORT",
            Self::UnfilledForm => "UNFILLED_FORM",
            Self::NoIdentity => "NO_IDENTITY",
            Self::ParserPanic => "PARSER_PANIC",
            Self::ChallengePage => "CHALLENGE_PAGE",
        }
    }
}

impl fmt::Display for RejectionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for RejectionCode {
    type Err = ParseError;

    fn from_str(name: &str) -> Result<Self, ParseError> {
        Self::ALL.into_iter().find(|c| c.as_str() == name).ok_or(ParseError)
    }
}

/// Documents that look like the report and are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LookAlike {
    /// 政府网站工作年度报表
    WebsiteReport,
    /// 法治政府建设年度报告
    RuleOfLawReport,
    /// 政务公开工作总结、要点落实自查
    WorkSummary,
    /// 预决算公开
    Budget,
    /// 年度报告格式通知, with the form's empty tables
    FormNotice,
    /// 集中展示 index page
    IndexPage,
    /// 图解年报
    Infographic,
    /// Something else altogether.
    Other,
}

impl LookAlike {
    /// The public name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WebsiteReport => "website_report",
            Self::RuleOfLawReport => "rule_of_law_report",
            Self::WorkSummary => "work_summary",
            Self::Budget => "budget",
            Self::FormNotice => "form_notice",
            Self::IndexPage => "index_page",
            Self::Infographic => "infographic",
            Self::Other => "other",
        }
    }
}

/// Why a document is not read, for a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message_en}")]
pub struct Rejection {
    /// The public code.
    pub code: RejectionCode,
    /// In Chinese: what is wrong and what to do.
    pub message: String,
    /// The same in English.
    pub message_en: String,
    /// For `NOT_A_REPORT`: what it is instead.
    pub look_alike: Option<LookAlike>,
}

impl Rejection {
    /// A rejection that is no look-alike.
    #[must_use]
    pub fn new(code: RejectionCode, message: impl Into<String>, message_en: impl Into<String>) -> Self {
        Self { code, message: message.into(), message_en: message_en.into(), look_alike: None }
    }
}
