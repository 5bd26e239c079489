//! A document's metadata of its own publication, in the JSON line.

use gongkai_model::{Citation, Contact, Field, Metadata, masked};
use serde::{Deserialize, Serialize};

use crate::source_line::SourceLine;

/// The page's fields, the contact and the documents cited.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetadataLine {
    /// The fields, tags first, each in the order of the document.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldLine>,
    /// The contact for questions about the report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<ContactLine>,
    /// Documents cited by their numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub citations: Vec<CitationLine>,
}

/// A field of the page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldLine {
    /// Name of the field, such as `article_title`, `published`, `site_id_code`, `index_number`.
    pub name: String,
    /// True for a `<meta>` tag, which readers of the page do not see.
    pub is_tag: bool,
    /// The value, verbatim.
    pub value: String,
    /// Position of the field in the original.
    pub source: SourceLine,
}

/// A contact. Members that the document does not give are absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactLine {
    /// The body named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// 地址
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// 电话
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub telephone: Option<String>,
    /// 邮编
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postcode: Option<String>,
    /// 电子邮箱
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The sentence with the contact.
    pub source: SourceLine,
}

/// A document cited by its number (文号).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CitationLine {
    /// The number, without white space.
    pub number: String,
    /// The title in 《》 before the number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The number's position.
    pub source: SourceLine,
}

impl MetadataLine {
    pub(crate) fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.contact.is_none() && self.citations.is_empty()
    }
}

/// Returns a text with its personal data masked.
fn shown(text: Option<&str>) -> Option<String> {
    text.map(|text| masked(text).into_owned())
}

impl From<&Metadata> for MetadataLine {
    fn from(metadata: &Metadata) -> Self {
        Self {
            fields: metadata.fields.iter().map(FieldLine::from).collect(),
            contact: metadata.contact.as_ref().map(ContactLine::from),
            citations: metadata.citations.iter().map(CitationLine::from).collect(),
        }
    }
}

impl From<&Field> for FieldLine {
    fn from(field: &Field) -> Self {
        Self {
            name: field.name.as_str().to_owned(),
            is_tag: field.is_tag,
            value: masked(&field.value).into_owned(),
            source: SourceLine::from(&field.source),
        }
    }
}

impl From<&Contact> for ContactLine {
    fn from(contact: &Contact) -> Self {
        Self {
            body: shown(contact.body.as_deref()),
            address: shown(contact.address.as_deref()),
            telephone: shown(contact.telephone.as_deref()),
            postcode: contact.postcode.clone(),
            email: shown(contact.email.as_deref()),
            source: SourceLine::from(&contact.source),
        }
    }
}

impl From<&Citation> for CitationLine {
    fn from(citation: &Citation) -> Self {
        Self {
            number: citation.number.clone(),
            title: shown(citation.title.as_deref()),
            source: SourceLine::from(&citation.source),
        }
    }
}
