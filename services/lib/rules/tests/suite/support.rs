//! A clean report to break, and one `check` for every rule.

use std::sync::LazyLock;

use gongkai_forms::{Form, Forms, RowKind};
use gongkai_model::{
    Applicant, Fact, FactId, Finding, FormId, Metadata, Paragraph, Period, Report, Section, Source, Span,
    State, Variant,
};
use gongkai_rules::{AgencyYear, PackText, ReportContext, RuleSet};
use rust_decimal::Decimal;

pub(crate) const FORMS: [(FormId, Variant); 3] = [
    (FormId::Form2021, Variant::Standard),
    (FormId::Form2021, Variant::SingleRowOther),
    (FormId::Form2019, Variant::Standard),
];

/// Returns the context of a report of which only the document is known.
pub(crate) fn nothing_beside(report: &Report) -> ReportContext<'static> {
    ReportContext { by_name: gongkai_agencies::nature_of(&report.agency), ..ReportContext::default() }
}

/// Returns the report in the form for its neighbours.
pub(crate) fn seen(report: &Report) -> AgencyYear {
    AgencyYear::of(report, gongkai_agencies::kind_of(&report.agency))
}

pub(crate) fn form(id: FormId, variant: Variant) -> Form {
    Forms::embedded().get(id, variant).unwrap().clone()
}

/// Returns a report whose equations are all satisfied, and whose numbers are distinct within a row and a column and
/// not 0.
pub(crate) fn clean() -> Report {
    clean_of(FormId::Form2021, Variant::Standard)
}

pub(crate) fn clean_of(id: FormId, variant: Variant) -> Report {
    let results = form(id, variant).result_rows().count() * 6;
    let seeds: Vec<u32> = (0..).step_by(7).map(|n| n % 97 + 2).take(results + 12 + 12).collect();
    filled(id, variant, &seeds)
}

/// Returns a report whose free cells get their numbers from `seeds` and whose other cells follow by the equations:
/// the six parts of each result, of 二 and of 四 (then 一 follows), and the four parts of each block of chapter 四.
pub(crate) fn filled(id: FormId, variant: Variant, seeds: &[u32]) -> Report {
    let form = form(id, variant);
    let mut seeds = seeds.iter().map(|n| Decimal::from(*n)).chain(std::iter::repeat(Decimal::ONE));
    let mut next = || seeds.next().unwrap();
    let mut values: Vec<(FactId, Decimal)> = Vec::new();
    let applicants: Vec<Applicant> =
        Applicant::ALL.iter().copied().filter(|a| *a != Applicant::Total).collect();
    let (mut totals, mut carried) = (vec![Decimal::ZERO; 6], Vec::new());
    for row in form.result_rows() {
        for (at, applicant) in applicants.iter().enumerate() {
            let value = next();
            totals[at] += value;
            values.push((Form::request_cell(row, *applicant), value));
        }
    }
    for (at, applicant) in applicants.iter().enumerate() {
        let (carried_in, carried_out) = (next() % (totals[at] + Decimal::ONE), next());
        carried.push(totals[at] + carried_out - carried_in);
        for (kind, value) in [
            (RowKind::Received, carried[at]),
            (RowKind::CarriedIn, carried_in),
            (RowKind::Total, totals[at]),
            (RowKind::CarriedOut, carried_out),
        ] {
            values.push((Form::request_cell(form.row(kind), *applicant), value));
        }
    }
    for row in &form.rows {
        let of_row = values.iter().filter(|(id, _)| id.concept == row.concept).map(|(_, value)| *value);
        let sum = of_row.sum();
        values.push((Form::request_cell(row, Applicant::Total), sum));
    }
    for block in &form.disputes.blocks {
        let mut sum = Decimal::ZERO;
        for column in &form.disputes.columns {
            let value = if column.total { sum } else { next() };
            sum += value;
            values.push((Form::dispute_cell(block, column), value));
        }
    }
    let facts = form.cells().map(|id| {
        // A department makes no rules.
        let is_rule = id.concept.as_str().starts_with("proactive.regulations.");
        let rest = if is_rule { Decimal::ZERO } else { Decimal::from(6) };
        let value = values.iter().find(|(other, _)| *other == id).map_or(rest, |(_, value)| *value);
        fact(id, State::Reported(value))
    });
    report(id, variant, facts.collect())
}

fn fact(id: FactId, state: State) -> Fact {
    let text = state.value().map(|value| value.to_string()).unwrap_or_default();
    Fact {
        id,
        state,
        source: Some(Source { text, ..Source::default() }),
        unread_reason: None,
        candidates: Vec::new(),
    }
}

fn report(form: FormId, variant: Variant, facts: Vec<Fact>) -> Report {
    let year = if form == FormId::Form2019 { 2020 } else { 2023 };
    Report {
        agency: "青溪市水务局".into(),
        year,
        title_year: Some(year),
        period: Some(Period { from: (year, 1, 1), to: (year, 12, 31), span: None }),
        form,
        variant,
        title: format!("青溪市水务局{year}年政府信息公开工作年度报告"),
        preamble: vec![paragraph(
            "根据《中华人民共和国政府信息公开条例》编制本报告。联系电话：0000-0000000。",
        )],
        sections: (1..=6).map(section).collect(),
        facts,
        metadata: Metadata::default(),
        notes: Vec::new(),
        parts: Vec::new(),
        identity: gongkai_model::Identity::default(),
    }
}

/// A chapter 一 that mentions all five parts and contains no counts.
const FIVE_PARTS: &str =
    "我局认真落实条例要求，做好主动公开，健全依申请公开、政府信息管理、平台建设和监督保障制度。";
const PROBLEMS: &str =
    "存在公开内容不够全面、政策解读形式不够丰富的问题，将加强业务培训，完善工作机制，加以改进。";

fn section(number: u32) -> Section {
    let (title, text) = [
        ("一、总体情况", FIVE_PARTS),
        ("二、主动公开政府信息情况", ""),
        ("三、收到和处理政府信息公开申请情况", ""),
        ("四、政府信息公开行政复议、行政诉讼情况", ""),
        ("五、存在的主要问题及改进情况", PROBLEMS),
        ("六、其他需要报告的事项", "本年度未收取信息处理费。"),
    ][number as usize - 1];
    Section {
        number,
        title: title.into(),
        title_span: None,
        paragraphs: if text.is_empty() { Vec::new() } else { vec![paragraph(text)] },
        has_table: (2..=4).contains(&number),
    }
}

pub(crate) fn paragraph(text: &str) -> Paragraph {
    let scalars = u32::try_from(text.chars().count()).unwrap();
    Paragraph { text: text.into(), span: Some(Span { start: 1000, end: 1000 + scalars }), page: None }
}

/// Sets the state of a cell: a number, `_` for blank, `/` for not applicable, `?` for unreadable, `!` for missing.
pub(crate) fn set(report: &mut Report, id: &str, state: &str) {
    let id: FactId = id.parse().unwrap();
    let fact = report.facts.iter_mut().find(|fact| fact.id == id).expect("the form has the cell");
    fact.state = match state {
        "_" => State::Blank,
        "/" => State::NotApplicable,
        "?" => State::Unreadable,
        "!" => State::Missing,
        number => State::Reported(number.parse().unwrap()),
    };
}

pub(crate) fn value(report: &Report, id: &str) -> Decimal {
    report.state(&id.parse().unwrap()).value().expect("a number stands there")
}

/// Returns the clean report with another text in chapter 一.
pub(crate) fn with_prose(text: &str) -> Report {
    let mut report = clean();
    report.sections[0].paragraphs = text.split('\n').chain([FIVE_PARTS]).map(paragraph).collect();
    report
}

static ALL_ON: LazyLock<RuleSet> = LazyLock::new(|| {
    let head = "[pack]\nname = \"core\"\nversion = \"1\"\n".to_owned();
    let text = RuleSet::embedded()
        .switched_off()
        .iter()
        .fold(head, |text, rule| format!("{text}[[override]]\nid = \"{}\"\nenabled = true\n", rule.id));
    RuleSet::with_local(&[PackText { file: "on.toml", text: &text }]).unwrap()
});

/// Returns the compiled-in rules with those that are switched off.
pub(crate) fn all_rules() -> &'static RuleSet {
    &ALL_ON
}

pub(crate) fn findings(report: &Report) -> Vec<Finding> {
    findings_published(report, None)
}

pub(crate) fn findings_published(report: &Report, published_at: Option<time::Date>) -> Vec<Finding> {
    RuleSet::embedded().evaluate(report, &ReportContext { published_at, ..nothing_beside(report) })
}

/// Findings in the form that tests compare, each as `RULE SEVERITY`. A failing comparison shows their messages.
#[derive(Clone)]
pub(crate) struct Brief(Vec<(String, String)>);

pub(crate) fn brief<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> Brief {
    let entry = |f: &Finding| (format!("{} {}", f.rule, f.severity), f.message.clone());
    Brief(findings.into_iter().map(entry).collect())
}

impl Brief {
    /// Keeps only the findings of rules whose ids begin with an element of `rules`, so that a test compares its own
    /// rules.
    pub(crate) fn of(mut self, rules: &[&str]) -> Self {
        self.0.retain(|(finding, _)| rules.iter().any(|rule| finding.starts_with(rule)));
        self
    }

    pub(crate) fn contains(&self, finding: &str) -> bool {
        self.0.iter().any(|(own, _)| own == finding)
    }

    /// Returns true if a rule has a finding.
    pub(crate) fn speaks(&self, rule: &str) -> bool {
        self.0.iter().any(|(own, _)| own.split(' ').next() == Some(rule))
    }
}

impl std::fmt::Debug for Brief {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(finding, message)| format!("{finding}: {message}")))
            .finish()
    }
}

impl PartialEq<&[&str]> for Brief {
    fn eq(&self, expect: &&[&str]) -> bool {
        self.0.iter().map(|(finding, _)| finding.as_str()).eq(expect.iter().copied())
    }
}

impl<const N: usize> PartialEq<[&str; N]> for Brief {
    fn eq(&self, expect: &[&str; N]) -> bool {
        *self == &expect[..]
    }
}

impl PartialEq<Vec<&str>> for Brief {
    fn eq(&self, expect: &Vec<&str>) -> bool {
        *self == &expect[..]
    }
}
