//! The change feed: every visible change of a report, in the order this read model saw them.
//!
//! A reader that follows the feed and reads each named report ends with the same picture as one that lists them all.
//! Ordinals are given in the transaction that makes the change, by the only writer, so a later one is never visible
//! before an earlier one. They mean nothing in another read model, which is why a token names the epoch.

use std::{fmt, str::FromStr};

use gongkai_model::ReportKey;

use crate::report::RevisionHeader;

/// What happened to a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// A revision became the newest, or what is known of the newest changed.
    Validated,
    /// It was withdrawn, or a later reading found that it is no report.
    Withdrawn,
}

impl ChangeKind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Validated => "validated",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// An entry of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its place, from 1, rising.
    pub ordinal: u64,
    /// What happened.
    pub kind: ChangeKind,
    /// To which report.
    pub key: ReportKey,
    /// The report as it stands now; absent if it is none any more.
    pub report: Option<RevisionHeader>,
}

/// A place in the feed of one read model: behind the change with this ordinal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResumeToken {
    /// Which read model.
    pub epoch: String,
    /// Behind which change; 0 is the beginning.
    pub ordinal: u64,
}

/// Why a reader cannot go on from a token; it must start anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ResumeError {
    /// No token of ours.
    #[error("the token is malformed")]
    Malformed,
    /// The read model was rebuilt or restored since.
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
