//! A report as read: its agency, year and form, its prose and its facts.

use std::fmt;

use strum::{EnumString, IntoStaticStr};

use crate::{
    block::{Paragraph, Span},
    document::Note,
    fact::{Fact, FactId, ParseError, State},
    identity::Identity,
    metadata::Metadata,
    part::{Part, PartContent},
};

/// The statutory form (格式) that the tables follow, whatever notice the preamble cites.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, EnumString, IntoStaticStr)]
#[strum(parse_err_ty = ParseError, parse_err_fn = ParseError::of)]
pub enum FormId {
    /// 国办公开办函〔2021〕30号
    #[strum(serialize = "2021")]
    Form2021,
    /// 国办公开办函〔2019〕60号
    #[strum(serialize = "2019")]
    Form2019,
    /// 国办发〔2014〕32号
    #[strum(serialize = "2014")]
    Form2014,
}

impl FormId {
    /// Returns the public name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A known variant of a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case", parse_err_ty = ParseError, parse_err_fn = ParseError::of)]
pub enum Variant {
    /// The form as decreed.
    #[default]
    Standard,
    /// 2021 tables whose （六）其他处理 is one row: 186 facts.
    SingleRowOther,
}

impl Variant {
    /// Returns the public name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A chapter (章): its title and prose. Tables are not repeated here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// 1 to 6 for 一 to 六.
    pub number: u32,
    /// The heading as printed, cleaned.
    pub title: String,
    /// Position of the heading.
    pub title_span: Option<Span>,
    /// The prose, one entry per paragraph.
    pub paragraphs: Vec<Paragraph>,
    /// True if this chapter contains a table.
    pub has_table: bool,
}

impl Section {
    /// Returns the prose as one text, with paragraphs joined by a line feed.
    #[must_use]
    pub fn text(&self) -> String {
        join(&self.paragraphs)
    }
}

/// 统计期限: the statistical period as printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// First day: year, month (1–12) and day (1–31).
    pub from: (i32, u8, u8),
    /// Last day, inclusive: year, month and day.
    pub to: (i32, u8, u8),
    /// Position of the statement in the original.
    pub span: Option<Span>,
}

/// A report as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The fullest name that the document gives for the body itself.
    pub agency: String,
    /// The report's year, from the title, else the statistical period.
    pub year: i32,
    /// The year that the title names, if it names one.
    pub title_year: Option<i32>,
    /// The statistical period, if the document states one.
    pub period: Option<Period>,
    /// The form that the report's tables follow.
    pub form: FormId,
    /// The variant of the form.
    pub variant: Variant,
    /// The title line, joined and cleaned; empty if the document has none.
    pub title: String,
    /// The text between the title and chapter 一.
    pub preamble: Vec<Paragraph>,
    /// Chapters in document order.
    pub sections: Vec<Section>,
    /// Every cell of the form and variant once, in the form's order.
    pub facts: Vec<Fact>,
    /// The page's fields, the contact and the documents cited.
    pub metadata: Metadata,
    /// Notes of the reader.
    pub notes: Vec<Note>,
    /// The files of its submission; empty if it is a single file.
    pub parts: Vec<Part>,
    /// The bodies and years that the document and its sender name, the chosen ones first.
    pub identity: Identity,
}

impl Report {
    /// Returns the name of the attachment that the report was read from, or `None` for the main body.
    #[must_use]
    pub fn part(&self) -> Option<&str> {
        let carrier = self.parts.iter().find(|part| part.content == PartContent::Carrier)?;
        carrier.name.as_deref()
    }

    /// Returns the fact of one cell, or `None` if the form has no such cell.
    #[must_use]
    pub fn fact(&self, id: &FactId) -> Option<&Fact> {
        self.facts.iter().find(|fact| fact.id == *id)
    }

    /// Returns the state of one cell; `Missing` if the form has no such cell.
    #[must_use]
    pub fn state(&self, id: &FactId) -> State {
        self.fact(id).map_or(State::Missing, |fact| fact.state)
    }

    /// Returns the preamble as one text.
    #[must_use]
    pub fn preamble_text(&self) -> String {
        join(&self.preamble)
    }

    /// Returns the first chapter with this number.
    #[must_use]
    pub fn section(&self, number: u32) -> Option<&Section> {
        self.sections.iter().find(|section| section.number == number)
    }
}

fn join(paragraphs: &[Paragraph]) -> String {
    let texts: Vec<&str> = paragraphs.iter().map(|p| p.text.as_str()).collect();
    texts.join("\n")
}

impl fmt::Display for FormId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
