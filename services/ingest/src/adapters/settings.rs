//! The `[ingest.adapters.<name>]` sections.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use strum::{IntoStaticStr, VariantArray};

use gongkai_worker::Secret;

/// `[ingest.adapters.<name>]`: an adapter at `POST /v1/adapters/<name>`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdapterSettings {
    /// The site of `[ingest.sites.*]` for which the adapter acts.
    pub site: String,
    pub body: BodyForm,
    /// The charset of a body that names none.
    pub charset: String,
    /// The place of each field in the body: a JSON pointer (RFC 6901), the name of a form's field, or a path of XML
    /// elements, `/a/b` or `/a/b/@c`. A text after `=` is the value itself.
    pub fields: BTreeMap<EventField, String>,
    /// The meaning of the values of `fields.kind`. If empty, the values are the names of the kinds.
    pub kinds: BTreeMap<String, Kind>,
    /// The header with the sender's token, such as `x-oa-token`. `Bearer ` before the token is optional.
    pub token_header: String,
    /// Tokens of the sender. Several while they are replaced. Prefer `token_files`.
    pub tokens: Vec<Secret>,
    /// Files with one token each.
    pub token_files: Vec<PathBuf>,
    /// The header with the HMAC of the body, such as `x-oa-signature`.
    pub signature_header: String,
    pub signature_algorithm: Algorithm,
    pub signature_encoding: Encoding,
    /// Text before the HMAC in the header, such as `sha256=`.
    pub signature_prefix: String,
    /// Keys of the HMAC as plain text. Several while they are replaced. Prefer `secret_files`.
    pub secrets: Vec<Secret>,
    /// Files with one key each.
    pub secret_files: Vec<PathBuf>,
    /// Addresses and networks, such as `10.1.0.0/16`, of the sender. If empty, any. With this key, calls through a proxy
    /// are refused.
    pub allowed_addresses: Vec<String>,
    /// Status of the answer to an accepted call.
    pub accepted_status: u16,
    /// Body of the answer to an accepted call: JSON, or a text of `answer_type`. Names in braces are replaced by members
    /// of the receipt. Without the key, the receipt.
    pub accepted: Option<Value>,
    /// Status of the answer to a refused call. It does not apply to retryable problems, which keep their status. Without
    /// the key, the status of the problem.
    pub refused_status: Option<u16>,
    /// Body of the answer to a refused call, like `accepted`, with members of the problem. Without the key, the problem.
    pub refused: Option<Value>,
    /// Content type of answers that are a text. Values are escaped in XML and HTML.
    pub answer_type: String,
}

/// The form of a body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BodyForm {
    #[default]
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
    Xml,
}

/// The kind of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Kind {
    Published,
    Updated,
    Withdrawn,
}

/// The hash function of an HMAC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    #[default]
    HmacSha256,
    HmacSm3,
}

/// The encoding of an HMAC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    #[default]
    Hex,
    Base64,
}

/// A field of an event.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum EventField {
    /// The sender's id of the article. Without a place, the digest of the body.
    Id,
    /// The kind of the event. Without a place, every event is a publication.
    Kind,
    AgencyCode,
    AgencyName,
    Year,
    Title,
    Url,
    /// When it happened: RFC 3339, `yyyy-MM-dd[ HH:mm[:ss]]` in the time of China, or seconds or milliseconds since 1970.
    Time,
    /// When it was sent, in the same forms. A call whose time differs from the server's by more than
    /// `ingest.signature_tolerance_s` is refused.
    SentAt,
    /// In the forms of `time`.
    PublishedAt,
    Column,
    /// The document as text.
    Text,
    /// The document in base64.
    Base64,
    /// The address to fetch the document from.
    ContentUrl,
    MediaType,
    Charset,
    Filename,
    /// The attachments: a list, a repeated field, or elements. The places of the next three fields start at each of them.
    Attachments,
    AttachmentName,
    AttachmentMediaType,
    AttachmentBase64,
}

impl Default for AdapterSettings {
    fn default() -> Self {
        Self {
            site: String::new(),
            body: BodyForm::default(),
            charset: "utf-8".to_owned(),
            fields: BTreeMap::new(),
            kinds: BTreeMap::new(),
            token_header: String::new(),
            tokens: Vec::new(),
            token_files: Vec::new(),
            signature_header: String::new(),
            signature_algorithm: Algorithm::default(),
            signature_encoding: Encoding::default(),
            signature_prefix: String::new(),
            secrets: Vec::new(),
            secret_files: Vec::new(),
            allowed_addresses: Vec::new(),
            accepted_status: 202,
            accepted: None,
            refused_status: None,
            refused: None,
            answer_type: "text/plain; charset=utf-8".to_owned(),
        }
    }
}

// === impl EventField ===

impl EventField {
    /// Returns every field.
    #[must_use]
    pub fn all() -> &'static [Self] {
        Self::VARIANTS
    }

    /// The name of its key.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Returns true if its place starts at an attachment.
    #[must_use]
    pub fn is_of_attachment(self) -> bool {
        matches!(self, Self::AttachmentName | Self::AttachmentMediaType | Self::AttachmentBase64)
    }
}

// === impl Kind ===

impl Kind {
    /// The word in the type of an event.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
