//! Reads a document as a report: identity, chapters and facts. Other documents are rejected with a reason.

use gongkai_model::{
    Document, FormId, LookAlike, Metadata, Note, Paragraph, Rejection, RejectionCode, Report, State, Variant,
};

use crate::{
    hints::ReportHints,
    identity::{self, Identity},
    links,
    load::Forms,
    look_alike,
    matcher::{self, MatchedTables},
    outline::{self, Outline},
    publication,
};

/// Number of chapters from which on a document without tables counts as a report.
const ENOUGH_CHAPTERS: usize = 3;

/// The last year before the form of 国办公开办函〔2019〕60号.
const LAST_OF_2014: i32 = 2018;

/// Reads a document as an annual report, without metadata from its sender.
///
/// # Errors
/// As for [`read_report_of`].
pub fn read_report(document: &Document, forms: &Forms) -> Result<Report, Rejection> {
    read_report_of(document, forms, &ReportHints::default())
}

/// Reads a document as an annual report: its agency, its year, its chapters, and every cell of its form exactly once.
///
/// A number is reported only where two readings, by label and geometry and by position in the form, assign the same
/// cell; otherwise the fact is unreadable with both as candidates.
///
/// # Errors
/// `NOT_A_REPORT` with the kind of look-alike, `UNFILLED_FORM` for the blank official form, `NO_IDENTITY` if neither
/// the document nor the sender gives the agency and the year. The sender has to send another document; reading again
/// gives the same result.
pub fn read_report_of(
    document: &Document,
    forms: &Forms,
    known: &ReportHints<'_>,
) -> Result<Report, Rejection> {
    let ReadParts { outline, mut metadata, identity, tables } = parts(document, forms)?;
    let empty = tables.facts.iter().all(|fact| matches!(fact.state, State::Blank | State::Missing));
    check_kind(document, &outline, &identity, (empty, tables.none))?;
    if empty && !has_prose(&outline) && identity.agency.is_none() {
        return Err(Rejection::new(
            RejectionCode::UnfilledForm,
            "这是未填写的年度报告格式，没有机关名称、数据和正文；请填写后报送",
            "the official form, not filled in: no agency, no numbers, no prose; fill it in first",
        ));
    }
    let settled = identity::settle(&identity, known);
    let agency = settled.agency.first().map(|body| body.value.clone());
    let year = settled.year.first().map(|year| year.value);
    let (Some(agency), Some(year)) = (agency, year) else { return Err(no_identity(year)) };
    let (from, to) = identity.title.lines;
    let preamble: Vec<Paragraph> = outline
        .front
        .iter()
        .enumerate()
        .filter(|(at, _)| *at >= to.max(from))
        .map(|(_, p)| p.clone())
        .collect();
    links::keep_own(&mut metadata.fields, document, &preamble, &outline.sections);
    let (form, variant, facts) = if tables.none && year <= LAST_OF_2014 {
        // The cells of 国办发〔2014〕32号 and earlier forms have no public names.
        (FormId::Form2014, Variant::Standard, Vec::new())
    } else {
        (tables.form.id, tables.form.variant, tables.facts)
    };
    Ok(Report {
        agency,
        year,
        title_year: identity.title.year,
        period: identity.period,
        form,
        variant,
        title: identity.title.text,
        preamble,
        sections: outline.sections,
        facts,
        metadata,
        notes: document
            .notes
            .iter()
            .cloned()
            .chain(tables.labels.into_iter().map(Note::AlteredLabel))
            .collect(),
        parts: Vec::new(),
        identity: settled,
    })
}

/// What is read from a document before it is known to be a report.
pub(crate) struct ReadParts<'f> {
    pub outline: Outline,
    pub metadata: Metadata,
    pub identity: Identity,
    pub tables: MatchedTables<'f>,
}

/// Reads the parts of a document.
pub(crate) fn parts<'f>(document: &Document, forms: &'f Forms) -> Result<ReadParts<'f>, Rejection> {
    let outline = outline::read(document, forms.chapter_titles());
    let metadata = publication::read(document, &outline);
    let identity = identity::read(document, &outline, &metadata);
    let fallback =
        if identity.year.is_some_and(|year| year < 2021) { FormId::Form2019 } else { FormId::Form2021 };
    let tables = matcher::read(document, forms, fallback).ok_or_else(|| {
        Rejection::new(RejectionCode::NotAReport, "未加载任何报告格式", "no form is loaded")
    })?;
    Ok(ReadParts { outline, metadata, identity, tables })
}

/// Rejects look-alikes. `empty` is true if no cell has content, `no_cell` if there is no cell.
fn check_kind(
    document: &Document,
    outline: &Outline,
    identity: &Identity,
    (empty, no_cell): (bool, bool),
) -> Result<(), Rejection> {
    let mut chapters: Vec<u32> = outline.sections.iter().map(|section| section.number).collect();
    chapters.sort_unstable();
    chapters.dedup();
    // The notice that decrees the form explains each chapter and names no body and year of its own; a report cites it.
    if look_alike::is_json(document) {
        return Err(look_alike::rejection(LookAlike::DataPage));
    }
    if look_alike::is_of_institution(document, no_cell) {
        return Err(look_alike::rejection(LookAlike::PublicInstitution));
    }
    if no_cell && look_alike::is_infographic(document) {
        return Err(look_alike::rejection(LookAlike::Infographic));
    }
    let titled = identity.title.agency.is_some() && (identity.title.year.or(identity.year)).is_some();
    if !no_cell && (!empty || titled || identity.period.is_some()) {
        return Ok(());
    }
    let kind = look_alike::kind(document);
    let notice = kind == LookAlike::FormNotice && empty && !titled && identity.period.is_none();
    let other = !matches!(kind, LookAlike::Other | LookAlike::FormNotice) && identity.title.text.is_empty();
    let few = no_cell && (chapters.len() < ENOUGH_CHAPTERS || other);
    if notice || few { Err(look_alike::rejection(kind)) } else { Ok(()) }
}

/// Returns true if a chapter has a sentence of its own, apart from hints of the form in brackets, such as
/// （文字描述…）.
fn has_prose(outline: &Outline) -> bool {
    let hint = |text: &str| text.starts_with(['（', '(']) && text.ends_with(['）', ')']);
    outline.sections.iter().flat_map(|section| &section.paragraphs).any(|paragraph| {
        let text = paragraph.text.trim();
        text.contains('。') && text.chars().count() > 12 && !hint(text)
    })
}

fn no_identity(year: Option<i32>) -> Rejection {
    let (what, what_en) = match year {
        Some(_) => ("机关名称", "the agency's name"),
        None => ("报告年度", "its year"),
    };
    Rejection::new(
        RejectionCode::NoIdentity,
        format!("无法从标题、引言和联系方式中确定{what}；请补全标题后报送"),
        format!("neither title, preamble nor contact clause tell {what_en}; complete the title"),
    )
}
