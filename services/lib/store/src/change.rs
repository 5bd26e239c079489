//! The change feed: every visible change of a report, in the order in which this read model saw them.
//!
//! A reader that follows the feed and reads each named report ends in the same state as one that lists all reports.
//! The only writer assigns an ordinal in the transaction of the change, so a later ordinal is never visible before an
//! earlier one. Ordinals have no meaning in another read model, therefore a token contains the epoch.

use std::{fmt, str::FromStr};

use gongkai_model::ReportKey;

use crate::report::RevisionHeader;

/// The kind of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// A revision became current, or the current one was validated again with another result.
    Validated,
    /// The report was withdrawn, or a later reading rejected its document.
    Withdrawn,
    /// All of the report was erased on demand.
    Erased,
    /// The report was filed under another agency, and nothing is left under its name.
    Moved,
}

impl ChangeKind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Validated => "validated",
            Self::Withdrawn => "withdrawn",
            Self::Erased => "erased",
            Self::Moved => "moved",
        }
    }
}

/// An entry of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Position in the feed, from 1.
    pub ordinal: u64,
    /// The kind of change.
    pub kind: ChangeKind,
    /// The report.
    pub key: ReportKey,
    /// The current revision's header, or `None` if the report does not exist any more.
    pub report: Option<RevisionHeader>,
    /// Where the report is filed now, for [`ChangeKind::Moved`].
    pub moved_to: Option<ReportKey>,
}

/// A position in the feed of one read model: after the change with this ordinal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResumeToken {
    /// The read model's epoch.
    pub epoch: String,
    /// The ordinal of the last change seen; 0 for the beginning.
    pub ordinal: u64,
}

/// Error: a reader cannot resume from a token. It must read from the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ResumeError {
    /// The text is not a token.
    #[error("the token is malformed")]
    Malformed,
    /// The read model was rebuilt or restored since the token was issued.
    #[error("the token belongs to a read model that was replaced")]
    OtherEpoch,
}

impl fmt::Display for ResumeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.epoch, self.ordinal)
    }
}

impl FromStr for ResumeToken {
    type Err = ResumeError;

    fn from_str(text: &str) -> Result<Self, ResumeError> {
        let (epoch, ordinal) = text.split_once('-').ok_or(ResumeError::Malformed)?;
        let canonical = !ordinal.is_empty() && ordinal.bytes().all(|b| b.is_ascii_digit());
        if epoch.len() != 16 || !epoch.bytes().all(|b| b.is_ascii_hexdigit()) || !canonical {
            return Err(ResumeError::Malformed);
        }
        let ordinal = ordinal.parse().map_err(|_| ResumeError::Malformed)?;
        Ok(Self { epoch: epoch.to_owned(), ordinal })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_read_back_as_written() {
        let token = ResumeToken { epoch: "00ff00ff00ff00ff".into(), ordinal: 812 };
        assert_eq!(token.to_string().parse(), Ok(token));
        for bad in [
            "",
            "-",
            "00ff00ff00ff00ff",
            "00ff00ff00ff00ff-",
            "00ff00ff00ff00ff-+3",
            "00ff-3",
            "00ff00ff00ff00zz-3",
        ] {
            assert_eq!(bad.parse::<ResumeToken>(), Err(ResumeError::Malformed), "{bad}");
        }
    }
}
