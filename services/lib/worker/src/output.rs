//! Outputs of a stage.

use bytes::Bytes;

/// A message to publish. The runtime adds the message id, the headers and the trace context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Subject to publish on.
    pub subject: String,
    /// CloudEvents type.
    pub ce_type: &'static str,
    /// Encoded message.
    pub payload: Bytes,
    /// Message id to use instead of `<input id>.<service>.<index>`, for outputs whose id must not depend on the input.
    pub message_id: Option<String>,
}

impl Output {
    /// Encodes a message for `subject`.
    #[must_use]
    pub fn new(subject: impl Into<String>, ce_type: &'static str, message: &impl prost::Message) -> Self {
        Self { subject: subject.into(), ce_type, payload: message.encode_to_vec().into(), message_id: None }
    }
}
