//! The page's fields, the contact and the documents cited.

use gongkai_model::{Citation, Contact, Field, Metadata, Source};

use super::Error;
use crate::v1;

impl From<&Metadata> for v1::Metadata {
    fn from(metadata: &Metadata) -> Self {
        Self {
            fields: metadata.fields.iter().map(Into::into).collect(),
            contact: metadata.contact.as_ref().map(Into::into),
            citations: metadata.citations.iter().map(Into::into).collect(),
        }
    }
}

impl TryFrom<v1::Metadata> for Metadata {
    type Error = Error;

    fn try_from(wire: v1::Metadata) -> Result<Self, Error> {
        Ok(Self {
            fields: wire.fields.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
            contact: wire.contact.map(TryInto::try_into).transpose()?,
            citations: wire.citations.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
        })
    }
}

impl From<&Field> for v1::MetadataField {
    fn from(field: &Field) -> Self {
        Self {
            name: field.name.as_str().to_owned(),
            is_tag: field.is_tag,
            value: field.value.clone(),
            source: Some((&field.source).into()),
        }
    }
}

impl TryFrom<v1::MetadataField> for Field {
    type Error = Error;

    fn try_from(wire: v1::MetadataField) -> Result<Self, Error> {
        Ok(Self {
            name: wire.name.parse().map_err(|_| Error::unknown("metadata field", &wire.name))?,
            is_tag: wire.is_tag,
            value: wire.value,
            source: source(wire.source)?,
        })
    }
}

impl From<&Contact> for v1::Contact {
    fn from(contact: &Contact) -> Self {
        Self {
            body: contact.body.clone(),
            address: contact.address.clone(),
            telephone: contact.telephone.clone(),
            postcode: contact.postcode.clone(),
            email: contact.email.clone(),
            source: Some((&contact.source).into()),
        }
    }
}

impl TryFrom<v1::Contact> for Contact {
    type Error = Error;

    fn try_from(wire: v1::Contact) -> Result<Self, Error> {
        Ok(Self {
            body: wire.body,
            address: wire.address,
            telephone: wire.telephone,
            postcode: wire.postcode,
            email: wire.email,
            source: source(wire.source)?,
        })
    }
}

impl From<&Citation> for v1::Citation {
    fn from(citation: &Citation) -> Self {
        Self {
            number: citation.number.clone(),
            title: citation.title.clone(),
            source: Some((&citation.source).into()),
        }
    }
}

impl TryFrom<v1::Citation> for Citation {
    type Error = Error;

    fn try_from(wire: v1::Citation) -> Result<Self, Error> {
        Ok(Self { number: wire.number, title: wire.title, source: source(wire.source)? })
    }
}

fn source(wire: Option<v1::Source>) -> Result<Source, Error> {
    wire.map(TryInto::try_into).transpose().map(Option::unwrap_or_default)
}
