//! The baseline report that examples modify: every cell 0, six chapters, no finding.

use std::collections::BTreeMap;

use gongkai_forms::Forms;
use gongkai_model::{
    AlteredLabel, Concept, Evidence, EvidenceSource, Fact, Field, FormId, Identity, Metadata, Note,
    Paragraph, Period, Report, Section, Source, Span, State, Variant,
};
use rust_decimal::Decimal;
use time::Date;
use toml::Spanned;

use super::group::Group;
use crate::text;

const AGENCY: &str = "青溪市水务局";

/// Titles and prose of the six chapters.
const CHAPTERS: [(&str, &str); 6] = [
    (
        "一、总体情况",
        "我局认真落实条例要求，做好主动公开，健全依申请公开、政府信息管理、平台建设和监督保障制度。",
    ),
    ("二、主动公开政府信息情况", ""),
    ("三、收到和处理政府信息公开申请情况", ""),
    ("四、政府信息公开行政复议、行政诉讼情况", ""),
    (
        "五、存在的主要问题及改进情况",
        "存在公开内容不够全面、政策解读形式不够丰富的问题，将加强业务培训，完善工作机制，加以改进。",
    ),
    ("六、其他需要报告的事项", "本年度未收取信息处理费。"),
];

/// Returns the baseline report with an example's changes.
pub(super) fn report(setting: &Group, text: &str) -> Report {
    let form = setting.form.as_deref().and_then(|form| form.parse().ok()).unwrap_or(FormId::Form2021);
    let variant = setting.variant.as_deref().and_then(|name| name.parse().ok()).unwrap_or(Variant::Standard);
    let year = setting.year.unwrap_or(if form == FormId::Form2021 { 2023 } else { 2020 });
    let agency = setting.agency.clone().unwrap_or_else(|| AGENCY.to_owned());
    let mut report = Report {
        year,
        title_year: Some(year),
        period: period(setting, year),
        form,
        variant,
        title: setting.title.clone().unwrap_or_else(|| format!("{agency}{year}年政府信息公开工作年度报告")),
        agency,
        preamble: vec![paragraph("根据《中华人民共和国政府信息公开条例》编制本报告。")],
        sections: (1..).zip(CHAPTERS).map(|(number, chapter)| section(setting, number, chapter)).collect(),
        facts: facts(form, variant),
        metadata: Metadata { fields: fields(setting), ..Metadata::default() },
        notes: notes(setting),
        parts: Vec::new(),
        identity: identity(setting, year),
    };
    set(&mut report, &setting.cells);
    write(&mut report, setting, text);
    report.sections.retain(|section| !setting.without.contains(&section.number));
    report
}

/// Returns what the reader noted.
fn notes(setting: &Group) -> Vec<Note> {
    let counts = [setting.pinyin.map(Note::PinyinRemoved), setting.tracked.map(Note::TrackedChanges)];
    let labels = setting.labels.iter().map(|(row, text)| {
        let source = Source { text: text.clone(), ..Source::default() };
        Note::AlteredLabel(AlteredLabel { concept: Concept::new(row), source })
    });
    counts.into_iter().flatten().chain(labels).collect()
}

/// Returns the bodies and years that the report names: its own in the title, rivals in the preamble.
fn identity(setting: &Group, year: i32) -> Identity {
    let (source, weight) =
        if setting.mentioned { (EvidenceSource::Opening, 1) } else { (EvidenceSource::Title, 12) };
    let own = Evidence { value: setting.agency.as_deref().unwrap_or(AGENCY).to_owned(), source, weight };
    let rival = setting.rival.clone().map(in_preamble);
    let own_year = Evidence { value: year, source, weight };
    let rival_year = setting.rival_year.map(in_preamble);
    Identity {
        agency: std::iter::once(own).chain(rival).collect(),
        year: std::iter::once(own_year).chain(rival_year).collect(),
    }
}

fn in_preamble<T>(value: T) -> Evidence<T> {
    Evidence { value, source: EvidenceSource::Preamble, weight: 6 }
}

/// Returns the same body's report on the year before.
pub(super) fn previous(report: &Report, cells: &BTreeMap<String, Spanned<String>>, text: &str) -> Report {
    let mut previous = report.clone();
    previous.year -= 1;
    previous.facts = facts(report.form, report.variant);
    set(&mut previous, cells);
    if let Some(first) = previous.sections.iter_mut().find(|section| section.number == 1) {
        first.paragraphs = vec![paragraph(text), paragraph(CHAPTERS[0].1)];
    }
    previous
}

fn period(setting: &Group, year: i32) -> Option<Period> {
    let triple = |day: Date| (day.year(), u8::from(day.month()), day.day());
    let day = |at: usize| setting.period.as_ref().and_then(|days| text::day(days[at].get_ref())).map(triple);
    let (from, to) = (day(0).unwrap_or((year, 1, 1)), day(1).unwrap_or((year, 12, 31)));
    Some(Period { from, to, span: None })
}

fn section(setting: &Group, number: u32, (title, text): (&str, &str)) -> Section {
    Section {
        number,
        title: setting.titles.get(&number.to_string()).cloned().unwrap_or_else(|| title.to_owned()),
        title_span: None,
        paragraphs: if text.is_empty() { Vec::new() } else { vec![paragraph(text)] },
        has_table: (2..=4).contains(&number) && !setting.without_table.contains(&number),
    }
}

fn facts(form: FormId, variant: Variant) -> Vec<Fact> {
    let forms = Forms::embedded();
    let cells = forms.get(form, variant).into_iter().flat_map(|form| form.cells().collect::<Vec<_>>());
    let zero = |id| Fact {
        id,
        state: State::Reported(Decimal::ZERO),
        source: Some(Source { text: "0".to_owned(), ..Source::default() }),
        unread_reason: None,
        candidates: Vec::new(),
    };
    cells.map(zero).collect()
}

fn fields(setting: &Group) -> Vec<Field> {
    let field = |(name, value): (&String, &String)| {
        let name = name.parse().ok()?;
        Some(Field { name, is_tag: true, value: value.clone(), source: Source::default() })
    };
    setting.tags.iter().filter_map(field).collect()
}

/// Fills cells: a number with or without its unit, `""` blank, `/`, `missing`, `unreadable`.
fn set(report: &mut Report, cells: &BTreeMap<String, Spanned<String>>) {
    for (name, text) in cells {
        let state = match text.get_ref().as_str() {
            "" => State::Blank,
            "/" => State::NotApplicable,
            "missing" => State::Missing,
            "unreadable" => State::Unreadable,
            number => {
                let digits = number.trim_end_matches(|c: char| !c.is_ascii_digit());
                digits.parse().map_or(State::Unreadable, State::Reported)
            }
        };
        for fact in &mut report.facts {
            let id = fact.id.to_string();
            if id == *name || name.strip_suffix('*').is_some_and(|start| id.starts_with(start)) {
                fact.state = state;
                fact.source = Some(Source { text: text.get_ref().clone(), ..Source::default() });
            }
        }
    }
}

/// Adds the example's text to its chapter, one paragraph per line.
fn write(report: &mut Report, setting: &Group, text: &str) {
    let chapter = setting.chapter.unwrap_or(1);
    let paragraphs = match report.sections.iter_mut().find(|section| section.number == chapter) {
        Some(section) => &mut section.paragraphs,
        None => &mut report.preamble,
    };
    if setting.replaces {
        paragraphs.clear();
    }
    let lines = text.split('\n').filter(|line| !line.is_empty()).map(paragraph);
    paragraphs.splice(0..0, lines);
}

fn paragraph(text: &str) -> Paragraph {
    let end = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    Paragraph { text: text.to_owned(), span: Some(Span { start: 0, end }), page: None }
}
