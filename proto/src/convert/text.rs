//! The parts of a report's prose: paragraphs, chapters, the statistical period, the reader's notes.

use gongkai_model::{AlteredLabel, Concept, Note, Paragraph, Period, Section};

use super::{Error, fact::span};
use crate::v1;

impl From<&Paragraph> for v1::TextParagraph {
    fn from(paragraph: &Paragraph) -> Self {
        Self {
            text: paragraph.text.clone(),
            start: paragraph.span.map(|s| s.start),
            end: paragraph.span.map(|s| s.end),
            page: paragraph.page,
        }
    }
}

impl TryFrom<v1::TextParagraph> for Paragraph {
    type Error = Error;

    fn try_from(paragraph: v1::TextParagraph) -> Result<Self, Error> {
        let span = span(paragraph.start, paragraph.end)?;
        Ok(Self { text: paragraph.text, span, page: paragraph.page })
    }
}

impl From<&Section> for v1::TextSection {
    fn from(section: &Section) -> Self {
        Self {
            number: section.number,
            title: section.title.clone(),
            title_start: section.title_span.map(|s| s.start),
            title_end: section.title_span.map(|s| s.end),
            paragraphs: section.paragraphs.iter().map(Into::into).collect(),
            has_table: section.has_table,
        }
    }
}

impl TryFrom<v1::TextSection> for Section {
    type Error = Error;

    fn try_from(section: v1::TextSection) -> Result<Self, Error> {
        Ok(Self {
            number: section.number,
            title: section.title,
            title_span: span(section.title_start, section.title_end)?,
            paragraphs: section.paragraphs.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
            has_table: section.has_table,
        })
    }
}

impl From<&Section> for v1::Section {
    fn from(section: &Section) -> Self {
        Self { number: section.number, title: section.title.clone(), text: section.text() }
    }
}

impl From<Period> for v1::StatisticalPeriod {
    fn from(period: Period) -> Self {
        Self {
            from_year: period.from.0,
            from_month: period.from.1.into(),
            from_day: period.from.2.into(),
            to_year: period.to.0,
            to_month: period.to.1.into(),
            to_day: period.to.2.into(),
            start: period.span.map(|s| s.start),
            end: period.span.map(|s| s.end),
        }
    }
}

impl TryFrom<v1::StatisticalPeriod> for Period {
    type Error = Error;

    fn try_from(wire: v1::StatisticalPeriod) -> Result<Self, Error> {
        let small = |n: u32| u8::try_from(n).map_err(|_| Error::unknown("period", n.to_string()));
        Ok(Self {
            from: (wire.from_year, small(wire.from_month)?, small(wire.from_day)?),
            to: (wire.to_year, small(wire.to_month)?, small(wire.to_day)?),
            span: span(wire.start, wire.end)?,
        })
    }
}

/// Writes the notes into a text. Counts of the same kind are added up.
pub(super) fn put_notes(notes: &[Note], text: &mut v1::ParsedText) {
    for note in notes {
        match note {
            Note::PinyinRemoved(n) => text.pinyin_removed = text.pinyin_removed.saturating_add(*n),
            Note::TraditionalConverted => text.traditional_converted = true,
            Note::CharsetMismatch => text.charset_mismatch = true,
            Note::ReplacementCharacters(n) => {
                text.replacement_characters = text.replacement_characters.saturating_add(*n);
            }
            Note::TrackedChanges(n) => text.tracked_changes = text.tracked_changes.saturating_add(*n),
            Note::Comments(n) => text.comments = text.comments.saturating_add(*n),
            Note::HiddenText(n) => text.hidden_text = text.hidden_text.saturating_add(*n),
            Note::AlteredLabel(label) => text.altered_labels.push(label.into()),
        }
    }
}

/// Returns the notes of a text, each kind of count at most once, in the order of [`Note`].
///
/// # Errors
/// An altered label lacks its position.
pub(super) fn notes(text: &mut v1::ParsedText) -> Result<Vec<Note>, Error> {
    let counted = |n: u32, note: fn(u32) -> Note| (n > 0).then(|| note(n));
    let counts = [
        counted(text.pinyin_removed, Note::PinyinRemoved),
        text.traditional_converted.then_some(Note::TraditionalConverted),
        text.charset_mismatch.then_some(Note::CharsetMismatch),
        counted(text.replacement_characters, Note::ReplacementCharacters),
        counted(text.tracked_changes, Note::TrackedChanges),
        counted(text.comments, Note::Comments),
        counted(text.hidden_text, Note::HiddenText),
    ];
    let labels = std::mem::take(&mut text.altered_labels);
    let labels = labels.into_iter().map(|label| Ok(Note::AlteredLabel(label.try_into()?)));
    counts.into_iter().flatten().map(Ok).chain(labels).collect()
}

impl From<&AlteredLabel> for v1::AlteredLabel {
    fn from(label: &AlteredLabel) -> Self {
        Self { concept: label.concept.to_string(), source: Some((&label.source).into()) }
    }
}

impl TryFrom<v1::AlteredLabel> for AlteredLabel {
    type Error = Error;

    fn try_from(wire: v1::AlteredLabel) -> Result<Self, Error> {
        let source = wire.source.ok_or(Error::Missing { field: "source" })?;
        Ok(Self { concept: Concept::new(&wire.concept), source: source.try_into()? })
    }
}
