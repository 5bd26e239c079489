//! Reads agency, year, title and statistical period from a document.
//!
//! Each place that names the body or the year is a clue with a weight: the title, the preamble, the opening sentence,
//! the contact clause, the fields of the page, the signature. [`settle`] adds the title of the event and what the
//! sender declares. The heaviest body and year are chosen; the others are kept with their weights. 市政府 and
//! 市政府办公室 are two agencies, but the office often compiles the report of its government, so it is no rival.

use gongkai_model::{Document, EvidenceSource, FieldName, Metadata, Paragraph, Period, names_nobody};

use crate::{
    body_name::{is_body, is_place, is_same, without_office},
    decoration,
    evidence::{self, Clue},
    formulas,
    hints::ReportHints,
    mentions,
    outline::Outline,
    period,
    title::{self, Title},
};

/// Maximum number of paragraphs of a chapter in which its opening sentence or a contact is sought.
const OPENING: usize = 3;

/// Number of last paragraphs that may be a signature.
const SIGNATURE: usize = 4;

/// The agency, year, title and statistical period of a document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Identity {
    pub title: Title,
    /// The body that the document names.
    pub agency: Option<String>,
    /// The year that the document names.
    pub year: Option<i32>,
    pub period: Option<Period>,
    bodies: Vec<Clue<String>>,
    years: Vec<Clue<i32>>,
}

/// Reads the identity of a document.
pub(crate) fn read(document: &Document, outline: &Outline, metadata: &Metadata) -> Identity {
    let prose = outline.sections.iter().flat_map(|section| &section.paragraphs);
    let period = period::read(&outline.front, prose);
    let mut clues = Clues::default();
    if let Some(period) = period {
        clues.year(period.to.0, EvidenceSource::Preamble);
    }
    let titles = title::all(&outline.front);
    clues.preamble(&outline.front, &titles);
    clues.opening(outline);
    clues.contact(outline, metadata);
    clues.fields(metadata);
    clues.page(document);
    clues.signature(outline);
    let title = choose(&titles, &clues);
    clues.title(&title);
    if let [only] = titles.as_slice()
        && title.text.is_empty()
    {
        clues.doubtful_title(only);
    }
    clues.mentions(outline);
    Identity {
        agency: evidence::bodies(&clues.bodies).into_iter().next().map(|body| body.value),
        year: evidence::years(&clues.years).first().map(|year| year.value),
        title,
        period,
        bodies: clues.bodies,
        years: clues.years,
    }
}

/// Completes the identity from the sender's metadata.
///
/// The title of the event is evidence like the document's own. The sender's agency and year count only where the
/// document names no agency or no year, or mentions one in passing, and then before the event's title.
pub(crate) fn settle(identity: &Identity, known: &ReportHints<'_>) -> gongkai_model::Identity {
    let mut clues = Clues { bodies: identity.bodies.clone(), years: identity.years.clone() };
    let event = known.title.and_then(title::parse).unwrap_or_default();
    clues.named(event.agency, event.year, EvidenceSource::EventTitle);
    let declared = known.agency.filter(|name| !names_nobody(name));
    let put_first = |weight: u32| weight.max(evidence::weight_of_body(EvidenceSource::EventTitle) + 1);
    let is_named = identity.bodies.iter().any(|clue| clue.weight > evidence::MENTIONED);
    if let Some(name) = declared.filter(|_| !is_named) {
        let source = EvidenceSource::Declared;
        clues.bodies.push(Clue { value: name.to_owned(), source, weight: put_first(0) });
    }
    if let Some(year) = known.year.filter(|_| identity.year.is_none()) {
        clues.years.push(Clue { value: year, source: EvidenceSource::Declared, weight: put_first(0) });
    }
    gongkai_model::Identity { agency: evidence::bodies(&clues.bodies), year: evidence::years(&clues.years) }
}

/// Chooses the title of the report. A page may list the reports of other years or of other bodies: a title that the
/// other clues speak for is chosen. If they speak for none of several titles, the report has no title of its own.
/// Of equal ones the last, since the navigation of a page comes before its content.
fn choose(titles: &[Title], clues: &Clues) -> Title {
    let own: Vec<&Title> = titles.iter().filter(|title| !clues.is_link(title, titles)).collect();
    if own.is_empty() {
        let end = titles.last().map_or(0, |title| title.lines.1);
        return Title { lines: (0, end), ..Title::default() };
    }
    among(&own, clues)
}

fn among(titles: &[&Title], clues: &Clues) -> Title {
    let worth = |t: &Title| usize::from(t.agency.is_some()) + usize::from(t.year.is_some());
    let best = titles.iter().map(|title| worth(title)).max().unwrap_or(0);
    let best: Vec<&Title> = titles.iter().copied().filter(|title| worth(title) == best).collect();
    let Some(last) = best.last() else { return Title::default() };
    let years = |t: &Title| clues.for_year(t);
    let bodies = |t: &Title| clues.for_body(t);
    let several_years = best.iter().any(|title| title.year != last.year);
    let several_bodies = best.iter().any(|title| match (&title.agency, &last.agency) {
        (Some(a), Some(b)) => !is_same(a, b),
        (a, b) => a.is_some() != b.is_some(),
    });
    if !several_years && !several_bodies {
        return (*last).clone();
    }
    let support = |title: &Title| (years(title) + bodies(title), title.lines.0);
    let Some(chosen) = best.iter().copied().max_by_key(|title| support(title)) else {
        return Title::default();
    };
    let is_foreign = several_years && !clues.years.is_empty() && years(chosen) == 0
        || several_bodies && !clues.bodies.is_empty() && bodies(chosen) == 0;
    // The lines of a list around the title are no preamble.
    let end = last.lines.1.max(chosen.lines.1);
    if is_foreign {
        return Title { lines: (0, end), ..Title::default() };
    }
    Title { lines: (chosen.lines.0, end), ..chosen.clone() }
}

/// All that names the body or the year.
#[derive(Debug, Default)]
struct Clues {
    bodies: Vec<Clue<String>>,
    years: Vec<Clue<i32>>,
}

// === impl Clues ===

impl Clues {
    fn body(&mut self, value: String, source: EvidenceSource) {
        self.bodies.push(Clue { value, source, weight: evidence::weight_of_body(source) });
    }

    fn year(&mut self, value: i32, source: EvidenceSource) {
        self.years.push(Clue { value, source, weight: evidence::weight_of_year(source) });
    }

    fn named(&mut self, agency: Option<String>, year: Option<i32>, source: EvidenceSource) {
        if let Some(agency) = agency {
            self.body(agency, source);
        }
        if let Some(year) = year {
            self.year(year, source);
        }
    }

    /// Returns the weight of the clues that name the title's year.
    fn for_year(&self, title: &Title) -> u32 {
        self.years.iter().filter(|clue| Some(clue.value) == title.year).map(|clue| clue.weight).sum()
    }

    /// Returns the weight of the clues that name the title's body.
    fn for_body(&self, title: &Title) -> u32 {
        let Some(name) = &title.agency else { return 0 };
        self.bodies.iter().filter(|clue| is_same(name, &clue.value)).map(|clue| clue.weight).sum()
    }

    /// Returns true for the title of another report, to which the page links: the text contradicts it and not a later
    /// title, or the text names both another body and another year.
    fn is_link(&self, title: &Title, titles: &[Title]) -> bool {
        let (body, year) = (self.is_other_body(title), self.is_other_year(title));
        let is_own = |later: &Title| !self.is_other_body(later) && !self.is_other_year(later);
        let follows = |later: &&Title| later.lines.0 > title.lines.0 && (!year || later.year.is_some());
        body && year || (body || year) && titles.iter().filter(follows).any(is_own)
    }

    /// Returns true if sentences name other bodies than the title, and nothing names that one.
    fn is_other_body(&self, title: &Title) -> bool {
        let told = |clue: &Clue<String>| clue.weight >= evidence::weight_of_body(EvidenceSource::Opening);
        title.agency.is_some() && self.bodies.iter().any(told) && self.for_body(title) == 0
    }

    /// Returns true if sentences name other years than the title, and nothing names that one.
    fn is_other_year(&self, title: &Title) -> bool {
        let told = |clue: &Clue<i32>| clue.weight >= evidence::weight_of_year(EvidenceSource::Preamble);
        title.year.is_some() && self.years.iter().any(told) && self.for_year(title) == 0
    }

    fn title(&mut self, title: &Title) {
        let source = EvidenceSource::Title;
        self.named(None, title.year, source);
        if let Some(name) = title.agency.clone() {
            let is_name = is_body(&name) || is_place(&name);
            let weight = if is_name { evidence::weight_of_body(source) } else { evidence::DOUBTFUL_NAME };
            self.bodies.push(Clue { value: name, source, weight });
        }
    }

    /// Keeps the only title of a page as a rival where the text contradicts it.
    fn doubtful_title(&mut self, title: &Title) {
        let (source, weight) = (EvidenceSource::Title, evidence::DOUBTFUL_TITLE);
        self.bodies.extend(title.agency.clone().map(|value| Clue { value, source, weight }));
        self.years.extend(title.year.map(|value| Clue { value, source, weight }));
    }

    fn preamble(&mut self, front: &[Paragraph], titles: &[Title]) {
        let is_title = |at: usize| titles.iter().any(|title| (title.lines.0..title.lines.1).contains(&at));
        let lines = front.iter().enumerate().filter(|(at, _)| !is_title(*at)).map(|(_, line)| line);
        let may_name = |line: &&Paragraph| line.text.contains(['报', '编', '撰', '告', '布']);
        if let Some(year) = front.iter().find_map(|line| formulas::year_of_field(&line.text)) {
            self.year(year, EvidenceSource::MetadataTable);
        }
        for text in lines.filter(may_name).map(|line| title::squeeze(&line.text)) {
            for named in formulas::of_preamble(&text) {
                self.named(named.agency, named.year, EvidenceSource::Preamble);
            }
        }
    }

    fn opening(&mut self, outline: &Outline) {
        let Some(first) = outline.sections.iter().find(|section| section.number == 1) else { return };
        let texts: Vec<String> =
            first.paragraphs.iter().take(OPENING).map(|paragraph| title::squeeze(&paragraph.text)).collect();
        for named in texts.iter().flat_map(|text| formulas::of_preamble_in_chapter(text)) {
            self.named(named.agency, named.year, EvidenceSource::Preamble);
        }
        let named = texts.iter().find_map(|text| formulas::of_opening(text));
        let named = named.unwrap_or_default();
        let year = named.year.or_else(|| formulas::opening_year(texts.first()?));
        self.named(named.agency.clone(), year, EvidenceSource::Opening);
        if named.agency.is_none()
            && self.bodies.is_empty()
            && let Some(place) = texts.first().and_then(|text| formulas::place_in_opening(text))
        {
            let (source, weight) = (EvidenceSource::Opening, evidence::MENTIONED);
            self.bodies.push(Clue { value: place, source, weight });
        }
    }

    fn contact(&mut self, outline: &Outline, metadata: &Metadata) {
        let of_clause = metadata.contact.as_ref().and_then(|contact| contact.body.clone());
        let mut names: Vec<String> = of_clause.into_iter().collect();
        let chapters = outline.sections.iter().flat_map(|section| section.paragraphs.iter().take(OPENING));
        for paragraph in outline.front.iter().chain(chapters) {
            // A cheap test by characters, since white space may divide a word.
            if !(paragraph.text.contains('联') || paragraph.text.contains('咨')) {
                continue;
            }
            let text = title::squeeze(&paragraph.text);
            let sentences = text.split('。').filter(|s| s.contains("联系") || s.contains("咨询"));
            names.extend(sentences.filter_map(formulas::contact));
        }
        for name in names {
            self.body(without_office(&name).to_owned(), EvidenceSource::Contact);
        }
    }

    fn fields(&mut self, metadata: &Metadata) {
        for field in &metadata.fields {
            let value = decoration::without_seals(&title::squeeze(&field.value)).into_owned();
            let source =
                if field.is_tag { EvidenceSource::PageMetadata } else { EvidenceSource::MetadataTable };
            match field.name {
                FieldName::ArticleTitle => {
                    let title = title::parse(&value).unwrap_or_default();
                    self.named(title.agency, title.year, source);
                }
                FieldName::Publisher if is_body(&value) => self.body(value, source),
                // The source of a page is often the office that runs the site.
                FieldName::ContentSource if is_body(&value) => {
                    self.bodies.push(Clue { value, source, weight: 2 });
                }
                _ => {}
            }
        }
    }

    fn page(&mut self, document: &Document) {
        let title = document.meta_title.as_deref().and_then(title::parse).unwrap_or_default();
        self.named(title.agency, title.year, EvidenceSource::PageMetadata);
    }

    fn signature(&mut self, outline: &Outline) {
        // A preamble may be signed too.
        let preamble = outline.front.iter().skip_while(|line| !line.text.contains('报')).skip(1);
        let last = outline.sections.last().map(|section| &section.paragraphs);
        let ends = last.into_iter().flat_map(|paragraphs| paragraphs.iter().rev().take(SIGNATURE));
        let mut texts = ends
            .chain(preamble)
            .map(|paragraph| decoration::without_seals(&title::squeeze(&paragraph.text)).into_owned());
        if let Some(name) = texts.find(|text| is_body(text)) {
            self.body(name, EvidenceSource::Signature);
        }
    }

    /// Adds the body and the year that the text mentions in passing if nothing names one.
    fn mentions(&mut self, outline: &Outline) {
        let chapter: Vec<&Paragraph> = outline.sections.iter().take(1).flat_map(|s| &s.paragraphs).collect();
        let places =
            [(EvidenceSource::Preamble, outline.front.iter().collect()), (EvidenceSource::Opening, chapter)];
        let weight = evidence::MENTIONED;
        if self.bodies.is_empty() {
            let named = mentions::in_places(&places);
            self.bodies.extend(named.map(|(value, source)| Clue { value, source, weight }));
        }
        if self.years.is_empty() {
            let named = mentions::year_in_places(&places);
            self.years.extend(named.map(|(value, source)| Clue { value, source, weight }));
        }
    }
}

/// Returns the agency that a sentence names as the contact.
pub(crate) fn contact_body(sentence: &str) -> Option<String> {
    formulas::contact(sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the identity of a document whose title and page name these.
    fn identity(agency: Option<&str>, year: Option<i32>, source: EvidenceSource) -> Identity {
        let mut clues = Clues::default();
        clues.named(agency.map(str::to_owned), year, source);
        let agency = agency.map(str::to_owned);
        Identity { agency, year, bodies: clues.bodies, years: clues.years, ..Identity::default() }
    }

    #[test]
    fn the_sender_fills_what_the_document_leaves_open() {
        let known = ReportHints {
            agency: Some("云川市林业局"),
            year: Some(2022),
            title: Some("云川市水务局2023年政府信息公开工作年度报告"),
        };
        let settled = |agency: Option<&str>, year, source, known: &ReportHints<'_>| {
            let settled = settle(&identity(agency, year, source), known);
            let agency = settled.agency.first().map(|body| body.value.clone());
            (agency.unwrap_or_default(), settled.year.first().map_or(0, |year| year.value))
        };
        let is = |name: &str, year| (name.to_owned(), year);
        let (title, page) = (EvidenceSource::Title, EvidenceSource::PageMetadata);
        assert_eq!(settled(None, None, title, &known), is("云川市林业局", 2022));
        assert_eq!(settled(Some("云川市财政局"), Some(2021), title, &known), is("云川市财政局", 2021));
        assert_eq!(
            settled(Some("水务局"), None, title, &known),
            is("云川市水务局", 2022),
            "the title has the fuller name"
        );
        assert_eq!(settled(Some("云川市财政局"), Some(2021), page, &known), is("云川市水务局", 2023));
        let generic = ReportHints { agency: Some("本机关"), year: None, ..known };
        assert_eq!(settled(None, None, title, &generic), is("云川市水务局", 2023));
        assert_eq!(settled(None, None, title, &ReportHints { title: Some("年报"), ..generic }), is("", 0));
    }
}
