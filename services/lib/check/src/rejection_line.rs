//! The reason for a rejection, in the JSON line and on receipts.

use gongkai_model::Rejection;
use serde::{Deserialize, Serialize};

/// Why a document was rejected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectionLine {
    /// Public code.
    pub code: String,
    /// The problem and its remedy, in Chinese.
    pub message: String,
    /// The message in English.
    pub message_en: String,
    /// For `NOT_A_REPORT`: the kind of document that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// True if time or memory ran out, or a reader failed: another attempt may succeed. Left out if false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retryable: bool,
}

impl From<&Rejection> for RejectionLine {
    fn from(rejection: &Rejection) -> Self {
        Self {
            code: rejection.code.to_string(),
            message: rejection.message.clone(),
            message_en: rejection.message_en.clone(),
            kind: rejection.look_alike.map(|kind| kind.as_str().to_owned()),
            retryable: rejection.retryable,
        }
    }
}
