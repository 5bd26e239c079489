//! Maps a body to an event.
//!
//! The values are checked here, although [`crate::publication`] checks them again, because a problem must name the place
//! in the body.

use std::{borrow::Cow, collections::BTreeMap};

use anyhow::Context as _;
use bytes::Bytes;
use encoding_rs::Encoding;
use serde_json::{Map, Value};
use strum::VariantArray as _;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    body::{self, Body, FieldSource, NoText},
    settings::{AdapterSettings, BodyForm, EventField, Kind},
    times,
    value_source::ValueSource,
};
use crate::{
    cloudevent::{self, CloudEvent, EventData},
    config::Site,
    error::{Code, Problem, quote},
    fields,
    submission::sha256,
};

/// The fields of which one has the document.
const CONTENTS: [EventField; 3] = [EventField::Text, EventField::Base64, EventField::ContentUrl];

/// The places of the fields in the bodies of one adapter.
#[derive(Debug, Clone)]
pub struct Mapping {
    form: BodyForm,
    charset: &'static Encoding,
    places: BTreeMap<EventField, ValueSource>,
    kinds: BTreeMap<String, Kind>,
    source: String,
    site_code: String,
}

/// The result of mapping a body.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapped {
    pub event: CloudEvent,
    /// When it was sent, by the sender's clock.
    pub sent_at: Option<OffsetDateTime>,
}

/// Looks up fields in a body or in one of its attachments.
#[derive(Clone, Copy)]
struct FieldLookup<'a> {
    mapping: &'a Mapping,
    source: FieldSource<'a>,
    /// The number of the attachment.
    item: Option<usize>,
}

// === impl Mapping ===

impl Mapping {
    /// Reads the mapping of an adapter that acts for `site`.
    ///
    /// # Errors
    /// A place is malformed, or a required one is missing. The error names the key.
    pub fn new(name: &str, settings: &AdapterSettings, site: &Site) -> anyhow::Result<Self> {
        let key = format!("ingest.adapters.{name}");
        let place = |(field, text): (&EventField, &String)| {
            let place = ValueSource::parse(settings.body, *field, text);
            Ok((*field, place.with_context(|| format!("{key}.fields.{}: \"{text}\"", field.as_str()))?))
        };
        let places: anyhow::Result<BTreeMap<_, _>> = settings.fields.iter().map(place).collect();
        let mapping = Self {
            form: settings.body,
            charset: body::charset(&settings.charset)
                .with_context(|| format!("{key}.charset: \"{}\" is no known charset", settings.charset))?,
            places: places?,
            kinds: settings.kinds.clone(),
            source: match site.source.as_str() {
                "" => format!("urn:gongkai:adapter:{name}"),
                source => source.to_owned(),
            },
            site_code: site.site_code.clone(),
        };
        mapping.check(&key)?;
        Ok(mapping)
    }

    /// Checks the relations of the fields.
    fn check(&self, key: &str) -> anyhow::Result<()> {
        let has = |field: EventField| self.places.contains_key(&field);
        anyhow::ensure!(
            has(EventField::Attachments) == has(EventField::AttachmentBase64),
            "{key}.fields: attachments and attachment_base64 go together"
        );
        let of_attachment = EventField::all().iter().find(|field| field.is_of_attachment() && has(**field));
        if let Some(field) = of_attachment.filter(|_| !has(EventField::Attachments)) {
            anyhow::bail!("{key}.fields.{}: attachments is missing", field.as_str());
        }
        anyhow::ensure!(
            has(EventField::Attachments) || CONTENTS.into_iter().any(has),
            "{key}.fields: one of text, base64, content_url, attachments is needed"
        );
        if let Some(ValueSource::Fixed(said)) = self.places.get(&EventField::Kind) {
            anyhow::ensure!(
                self.kind_of(said).is_some(),
                "{key}.fields.kind: \"{said}\" is none of the kinds"
            );
        }
        let may_withdraw = has(EventField::Kind)
            && (self.kinds.is_empty() || self.kinds.values().any(|kind| *kind == Kind::Withdrawn));
        anyhow::ensure!(
            has(EventField::Url) || !may_withdraw,
            "{key}.fields.url: a withdrawal needs it; if there are none, leave them out of {key}.kinds"
        );
        Ok(())
    }

    /// Maps a body to an event. The time is linear in the size of the body.
    ///
    /// # Errors
    /// The body cannot be decoded, or a field is missing or invalid. The problem names the place.
    pub fn event(&self, content_type: &str, bytes: &Bytes) -> Result<Mapped, Problem> {
        let body = Body::decode(self.form, self.charset, content_type, bytes)?;
        let look = FieldLookup { mapping: self, source: body.source(), item: None };
        let kind = match look.needed(EventField::Kind)? {
            None => Kind::Published,
            Some(said) => self.kind_of(said.trim()).ok_or_else(|| self.unknown_kind(look, &said))?,
        };
        let id = look
            .needed(EventField::Id)?
            .map(|id| fields::text(&look.label(EventField::Id), Some(id.into_owned())));
        let event = CloudEvent {
            id: id.unwrap_or_else(|| Ok(sha256(bytes)))?,
            source: self.source.clone(),
            r#type: format!("gongkai.report.{}.v1", kind.as_str()),
            subject: None,
            time: look.time(EventField::Time)?,
            extensions: BTreeMap::new(),
            data: EventData::Json(self.data(look, kind)?.into()),
        };
        look.needed(EventField::SentAt)?;
        Ok(Mapped { event, sent_at: look.time(EventField::SentAt)? })
    }

    fn kind_of(&self, said: &str) -> Option<Kind> {
        match self.kinds.is_empty() {
            true => Kind::VARIANTS.iter().copied().find(|kind| kind.as_str() == said),
            false => self.kinds.get(said).copied(),
        }
    }

    fn unknown_kind(&self, look: FieldLookup<'_>, said: &str) -> Problem {
        let words = Kind::VARIANTS.iter().map(|kind| kind.as_str());
        let known: Vec<&str> = match self.kinds.is_empty() {
            true => words.collect(),
            false => self.kinds.keys().map(String::as_str).collect(),
        };
        let known = known.join(", ");
        let (chinese, english) = (format!("须是 {known} 之一"), format!("must be one of {known}"));
        Problem::invalid(&look.label(EventField::Kind), said, &chinese, &english)
    }

    fn data(&self, look: FieldLookup<'_>, kind: Kind) -> Result<Map<String, Value>, Problem> {
        let mut data = Map::new();
        let code = look.checked(EventField::AgencyCode, fields::agency_code)?;
        put(
            &mut data,
            "agency",
            object([("code", code), ("name", look.checked(EventField::AgencyName, fields::text)?)]),
        );
        put(&mut data, "title", look.checked(EventField::Title, fields::text)?);
        let url = look.checked(EventField::Url, fields::address)?;
        let has_url = url.is_some();
        put(&mut data, "url", url);
        if let Some(year) = look.text(EventField::Year)? {
            let year = fields::year(&look.label(EventField::Year), year.trim())?;
            data.insert("year".to_owned(), year.into());
        }
        let published_at = look.time(EventField::PublishedAt)?.and_then(|time| time.format(&Rfc3339).ok());
        put(&mut data, "published_at", published_at);
        let code = Some(self.site_code.clone()).filter(|code| !code.is_empty());
        put(
            &mut data,
            "site",
            object([("code", code), ("column", look.checked(EventField::Column, fields::text)?)]),
        );
        if kind == Kind::Withdrawn {
            // A withdrawal has no document.
            return if has_url { Ok(data) } else { Err(look.missing(EventField::Url, Code::MissingUrl)) };
        }
        let attachments = self.attachments(look)?;
        let content = look.content()?;
        if content.is_none() && attachments.is_empty() {
            return Err(self.no_content(look));
        }
        put(&mut data, "content", content);
        if !attachments.is_empty() {
            data.insert("attachments".to_owned(), attachments.into());
        }
        Ok(data)
    }

    fn attachments(&self, look: FieldLookup<'_>) -> Result<Vec<Value>, Problem> {
        let Some(ValueSource::At(place)) = self.places.get(&EventField::Attachments) else {
            return Ok(Vec::new());
        };
        let attachment = |(item, source): (usize, FieldSource<'_>)| {
            let look = FieldLookup { mapping: self, source, item: Some(item) };
            let base64 = look.base64(EventField::AttachmentBase64)?;
            let base64 =
                base64.ok_or_else(|| look.missing(EventField::AttachmentBase64, Code::MissingContent))?;
            let name = look.checked(EventField::AttachmentName, fields::text)?;
            let media_type = look.checked(EventField::AttachmentMediaType, fields::text)?;
            let members = [("name", name), ("media_type", media_type), ("base64", Some(base64))];
            Ok(object(members).unwrap_or_default().into())
        };
        look.source.items(place).into_iter().enumerate().map(attachment).collect()
    }

    fn no_content(&self, look: FieldLookup<'_>) -> Problem {
        let fields = CONTENTS.into_iter().chain([EventField::Attachments]);
        let places: Vec<String> =
            fields.filter(|field| self.places.contains_key(field)).map(|field| look.label(field)).collect();
        let places = places.join(", ");
        Problem::new(
            Code::MissingContent,
            format!("没有文档内容：{places} 均为空"),
            format!("there is no document: nothing is at {places}"),
        )
    }
}

// === impl FieldLookup ===

impl<'a> FieldLookup<'a> {
    /// Returns the text at the place of a field; `None` if it is blank.
    fn text(self, field: EventField) -> Result<Option<Cow<'a, str>>, Problem> {
        let text = match self.mapping.places.get(&field) {
            None => None,
            Some(ValueSource::Fixed(text)) => Some(Cow::Borrowed(text.as_str())),
            Some(ValueSource::At(place)) => {
                self.source.text(place).map_err(|why| self.no_text(field, why))?
            }
        };
        Ok(text.filter(|text| !text.trim().is_empty()))
    }

    /// Returns the text of a field that is required if the adapter has a place for it.
    fn needed(self, field: EventField) -> Result<Option<Cow<'a, str>>, Problem> {
        let text = self.text(field)?;
        match self.mapping.places.contains_key(&field) && text.is_none() {
            true => Err(self.missing(field, Code::MissingAttribute)),
            false => Ok(text),
        }
    }

    /// Returns the text of a field after `check`.
    fn checked(
        self,
        field: EventField,
        check: impl FnOnce(&str, Option<String>) -> Result<String, Problem>,
    ) -> Result<Option<String>, Problem> {
        let Some(text) = self.text(field)? else { return Ok(None) };
        check(&self.label(field), Some(text.into_owned())).map(Some)
    }

    fn time(self, field: EventField) -> Result<Option<OffsetDateTime>, Problem> {
        self.text(field)?.map(|text| times::parse(&self.label(field), &text)).transpose()
    }

    fn base64(self, field: EventField) -> Result<Option<String>, Problem> {
        let Some(text) = self.text(field)? else { return Ok(None) };
        cloudevent::base64(&self.label(field), &text)?;
        Ok(Some(text.into_owned()))
    }

    /// Returns the document with its metadata; `None` if there is no document.
    fn content(self) -> Result<Option<Map<String, Value>>, Problem> {
        let (text, base64) = (self.text(EventField::Text)?, self.base64(EventField::Base64)?);
        let url = self.checked(EventField::ContentUrl, fields::text)?;
        if text.is_none() && base64.is_none() && url.is_none() {
            return Ok(None);
        }
        Ok(object([
            ("text", text.map(Cow::into_owned)),
            ("base64", base64),
            ("url", url),
            ("media_type", self.checked(EventField::MediaType, fields::text)?),
            ("charset", self.checked(EventField::Charset, fields::text)?),
            ("filename", self.checked(EventField::Filename, fields::text)?),
        ]))
    }

    fn missing(self, field: EventField, code: Code) -> Problem {
        let label = self.label(field);
        Problem::new(code, format!("缺少 {label}，或为空"), format!("{label} is missing or empty"))
    }

    fn no_text(self, field: EventField, why: NoText) -> Problem {
        let (chinese, english) = match why {
            NoText::Compound => ("须是单个值，不能是数组或对象", "must be one value, no list or object"),
            NoText::Inexact => {
                ("须是字符串或 64 位以内的整数", "must be text, or a whole number of up to 64 bits")
            }
            NoText::Several => ("只能出现一次", "may be there once"),
            NoText::Markup => ("含有子元素，正文请放在 CDATA 中", "has elements in it; put markup in CDATA"),
        };
        let label = self.label(field);
        Problem::new(Code::InvalidField, format!("{label} {chinese}"), format!("{label} {english}"))
    }

    /// Returns the field with its place, such as `year (/payload/reportYear)`.
    fn label(self, field: EventField) -> String {
        let Some(ValueSource::At(place)) = self.mapping.places.get(&field) else {
            return field.as_str().to_owned();
        };
        let list = self.item.and(self.mapping.places.get(&EventField::Attachments));
        let place = match (self.item, list) {
            (Some(n), Some(ValueSource::At(list))) if self.mapping.form == BodyForm::Json => {
                format!("{list}/{n}{place}")
            }
            (Some(n), Some(ValueSource::At(list))) if place.is_empty() => format!("{list}[{}]", n + 1),
            (Some(n), Some(ValueSource::At(list))) => format!("{list}[{}]/{place}", n + 1),
            _ => place.clone(),
        };
        format!("{} ({})", field.as_str(), quote(&place))
    }
}

fn put(object: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        object.insert(name.to_owned(), value.into());
    }
}

/// Returns an object of the members with a value; `None` if there are none.
fn object<const N: usize>(members: [(&str, Option<String>); N]) -> Option<Map<String, Value>> {
    let mut object = Map::new();
    for (name, value) in members {
        put(&mut object, name, value);
    }
    Some(object).filter(|object| !object.is_empty())
}

#[cfg(test)]
mod tests;
