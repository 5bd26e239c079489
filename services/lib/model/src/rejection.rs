//! Rejections: why a document is not read. A rejection is a normal output of parse, not an error of the service.

use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use crate::fact::ParseError;

/// Public rejection codes. Their names are the variants' in upper case: `TOO_LARGE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Display, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE", parse_err_ty = ParseError, parse_err_fn = ParseError::of)]
pub enum RejectionCode {
    /// No bytes, or nothing but white space.
    Empty,
    /// More bytes, cells or text than the limit.
    TooLarge,
    /// Nested deeper than the limit.
    TooDeep,
    /// Reading took longer than the limit allows.
    TooSlow,
    /// The format is not supported.
    UnsupportedFormat,
    /// The bytes are not text in any supported charset.
    BadEncoding,
    /// The format's own structure is broken.
    Corrupt,
    /// Locked by a password.
    Encrypted,
    /// The document consists of pictures of pages, without text.
    NeedsOcr,
    /// Another kind of document. The rejection contains the kind, if that is known.
    NotAReport,
    /// The official form without any entries.
    UnfilledForm,
    /// The report names no agency or no year.
    NoIdentity,
    /// A reader panicked. The document is kept, so that the bug can be found.
    ParserPanic,
    /// The page is a robot check (such as 瑞数) instead of the report.
    ChallengePage,
    /// The content was erased on demand before it was read, or read again.
    Erased,
    /// The agency's reports have thousands of different contents already.
    TooManyRevisions,
    /// The report belongs to another site than the sender's, or is outside the limits of that site.
    NotYours,
}

impl RejectionCode {
    /// All codes.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// Returns the public name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Returns true if every rejection with this code depends on the resources of the machine, not on the document
    /// alone. `TOO_LARGE` is not included, because it depends on them only if memory ran out.
    #[must_use]
    pub fn rests_on_resources(self) -> bool {
        matches!(self, Self::TooSlow | Self::ParserPanic)
    }
}

/// Documents that resemble the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case", parse_err_ty = ParseError, parse_err_fn = ParseError::of)]
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
    /// 信息公开年度报告 of a school, a hospital or another 公共企事业单位
    PublicInstitution,
    /// A page with nothing but links to attachments
    AttachmentPage,
    /// JSON, escaped markup or a script in place of the text
    DataPage,
    /// Any other document.
    Other,
}

impl LookAlike {
    /// All kinds.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// Returns the public name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Why a document is not read, for a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message_en}")]
pub struct Rejection {
    /// The public code.
    pub code: RejectionCode,
    /// The problem and its remedy, in Chinese.
    pub message: String,
    /// The problem and its remedy, in English.
    pub message_en: String,
    /// For `NOT_A_REPORT`: the kind of document that it is.
    pub look_alike: Option<LookAlike>,
    /// True if time or memory ran out, or a reader failed: another attempt may succeed.
    pub retryable: bool,
}

impl Rejection {
    /// Creates a rejection without a look-alike. It is retryable if all rejections with its code are.
    #[must_use]
    pub fn new(code: RejectionCode, message: impl Into<String>, message_en: impl Into<String>) -> Self {
        let retryable = code.rests_on_resources();
        Self { code, message: message.into(), message_en: message_en.into(), look_alike: None, retryable }
    }

    /// Creates the rejection of an erased content.
    #[must_use]
    pub fn erased() -> Self {
        Self::new(
            RejectionCode::Erased,
            "该文档已依申请删除，不再处理；如需更正，请报送内容不同的新版本。",
            "the document was erased on demand and is not read any more; a corrected one is another document",
        )
    }
}
