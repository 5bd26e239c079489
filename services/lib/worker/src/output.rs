//! One message on its way out, as a stage gives it to the runtime.

use bytes::Bytes;

/// One message to publish. The runtime adds id, headers and trace context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The subject.
    pub subject: String,
    /// The CloudEvents type.
    pub ce_type: &'static str,
    /// The encoded message.
    pub payload: Bytes,
    /// Replaces `<input id>.<stage>.<index>` where the id must not depend on the input, such as for alerts.
    pub message_id: Option<String>,
}

impl Output {
    /// Encodes a message for a subject.
    #[must_use]
    pub fn new(subject: impl Into<String>, ce_type: &'static str, message: &impl prost::Message) -> Self {
        Self { subject: subject.into(), ce_type, payload: message.encode_to_vec().into(), message_id: None }
    }
}
