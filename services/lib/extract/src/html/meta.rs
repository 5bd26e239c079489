//! The `<meta>` tags of a page, which contain its title and publication data, and the addresses of its links.

use gongkai_model::{Field, FieldName, Source, Span};

use super::element::Attributes;

/// Maximum number of tags that are kept. A page has one of each name.
const MOST_FIELDS: usize = 64;

/// Maximum number of links that are kept.
const MOST_LINKS: usize = 4096;

/// The contents of the tags and links.
#[derive(Debug, Default)]
pub(super) struct Meta {
    /// The fields in the order of the page.
    pub(super) fields: Vec<Field>,
    /// Links to hosts, including those in menus.
    pub(super) links: Vec<Field>,
}

impl Meta {
    /// Adds a `<meta>` tag at `span`.
    pub(super) fn take(&mut self, attributes: &mut Attributes, span: Span) {
        let Some(name) = attributes.name.as_deref().and_then(field_name) else { return };
        let value = attributes.content.take().unwrap_or_default();
        if self.fields.len() < MOST_FIELDS {
            let source = Source { text: value.clone(), span: Some(span), ..Source::default() };
            self.fields.push(Field { name, is_tag: true, value, source });
        }
    }

    /// Adds a link whose start tag is at `span`.
    pub(super) fn link(&mut self, address: String, span: Span) {
        if self.links.len() < MOST_LINKS {
            let source = Source { text: address.clone(), span: Some(span), ..Source::default() };
            self.links.push(Field { name: FieldName::Link, is_tag: false, value: address, source });
        }
    }

    /// Returns the first `<meta name="ArticleTitle">` that is not empty.
    pub(super) fn article_title(&self) -> Option<&str> {
        let named = self.fields.iter().find(|f| f.name == FieldName::ArticleTitle && !f.value.is_empty());
        named.map(|field| field.value.as_str())
    }
}

/// Returns the field with this name in 国办发〔2017〕47号. Case does not matter.
fn field_name(name: &str) -> Option<FieldName> {
    let known = [
        ("SiteName", FieldName::SiteName),
        ("SiteDomain", FieldName::SiteDomain),
        ("SiteIDCode", FieldName::SiteIdCode),
        ("ColumnName", FieldName::ColumnName),
        ("ArticleTitle", FieldName::ArticleTitle),
        ("PubDate", FieldName::Published),
        ("ContentSource", FieldName::ContentSource),
    ];
    known.into_iter().find(|(tag, _)| name.eq_ignore_ascii_case(tag)).map(|(_, field)| field)
}
