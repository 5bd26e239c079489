//! The other reports that rules use: the agency's reports on other years and other revisions, its children's and its
//! siblings' reports.
//!
//! A stage keeps this data and passes it in; nothing here performs I/O. A rule that needs absent data is silent.

use std::collections::HashMap;

use gongkai_model::{AgencyKind, Applicant, Concept, FactId, FormId, Report, State, normalized_name};
use rust_decimal::{Decimal, prelude::ToPrimitive as _};
use sha2::{Digest as _, Sha256};

use crate::minhash::{Bands, MinHash};

/// The states of a report's cells, sorted by the cells' names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cells(Vec<(FactId, State)>);

/// The parts of a report that its neighbours need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgencyYear {
    /// The agency's name in the report.
    pub agency_name: String,
    /// Year that the report is about.
    pub year: i32,
    /// The form that the report's tables follow.
    pub form: FormId,
    /// Cells of the report.
    pub cells: Cells,
    /// The signature of the report's prose.
    pub minhash: MinHash,
    /// The keys under which reports with similar prose are found.
    pub bands: Bands,
    /// True if the report states that its numbers sum up those of the bodies below.
    pub rolls_up: bool,
    /// 32 hex digits over cells and prose. Pages that differ only in template, counters or navigation have the same
    /// hash.
    pub main_hash: String,
}

/// The reports around one report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neighbours {
    /// The report itself, in the form for its neighbours.
    pub own: AgencyYear,
    /// The agency's report on the year before.
    pub previous: Option<AgencyYear>,
    /// The latest year with a report before last year, within the years that are compared.
    pub earlier: Option<i32>,
    /// Other contents of this report.
    pub publications: Publications,
    /// The bodies below, if a registry knows them.
    pub children: Option<Children>,
    /// A sibling's report on the same year with similar prose, as found by bands.
    pub sibling: Option<Sibling>,
}

/// The addresses and contents in which a report was published.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Publications {
    /// The addresses at which this content is published.
    pub urls: Vec<String>,
    /// The revision before this one, if it was published at the same address.
    pub before: Option<PublishedContent>,
    /// The newest content at each other address.
    pub elsewhere: Vec<PublishedContent>,
    /// True if this content is taken down at every address and no other content of the report is published.
    pub is_withdrawn: bool,
    /// The earliest publication day that the publisher states.
    pub first_claimed: Option<time::Date>,
    /// The day on which gongkai first received the report.
    pub first_seen: Option<time::Date>,
}

/// Another content of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedContent {
    /// Where the content is published; empty if unknown.
    pub url: String,
    /// The same as [`AgencyYear::main_hash`].
    pub main_hash: String,
    /// Cells of the content.
    pub cells: Cells,
}

/// The bodies whose numbers a report may sum up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Children {
    /// Number of children in the registry, without bodies under vertical leadership (垂直管理).
    pub registered: u32,
    /// The children that reported, in the order of their keys.
    pub reported: Vec<Child>,
}

/// The report of one of the bodies below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Child {
    /// Name of the body.
    pub name: String,
    /// True for the government's own office (政府办公厅、政府办公室).
    pub is_office: bool,
    /// The [`figures`] of the body's report.
    pub cells: Cells,
    /// The body's `requests.carried_out[total]` of the year before, if it reported then.
    pub carried_out_before: Option<Decimal>,
}

/// A report with similar prose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sibling {
    /// The sibling's name.
    pub agency_name: String,
    /// The signature of the sibling's prose.
    pub minhash: MinHash,
}

// === impl Cells ===

impl Cells {
    /// Creates cells from an iterator in any order. If a name occurs twice, the last one counts.
    #[must_use]
    pub fn new(cells: impl IntoIterator<Item = (FactId, State)>) -> Self {
        let mut cells: Vec<(FactId, State)> = cells.into_iter().collect();
        cells.reverse();
        cells.sort_by(|(a, _), (b, _)| a.cmp(b));
        cells.dedup_by(|(a, _), (b, _)| a == b);
        Self(cells)
    }

    /// Returns the state of a cell; `Missing` if there is no such cell.
    #[must_use]
    pub fn state(&self, id: &FactId) -> State {
        let at = self.0.binary_search_by(|(own, _)| own.cmp(id));
        at.map_or(State::Missing, |at| self.0[at].1)
    }

    /// Returns the number in a cell, if it has one.
    #[must_use]
    pub fn value(&self, id: &FactId) -> Option<Decimal> {
        self.state(id).value()
    }

    /// Returns all cells, by name.
    pub fn iter(&self) -> impl Iterator<Item = &(FactId, State)> {
        self.0.iter()
    }
}

// === impl Neighbours ===

impl Neighbours {
    /// Creates the neighbours of a report that has none.
    #[must_use]
    pub fn new(own: AgencyYear) -> Self {
        Self {
            own,
            previous: None,
            earlier: None,
            publications: Publications::default(),
            children: None,
            sibling: None,
        }
    }

    /// Returns the variable `neighbours` of expressions: `previous` is null, or has `year` and the numbers of its
    /// `cells` by name.
    pub(crate) fn value(&self) -> cel::Value {
        let previous = self.previous.as_ref().map_or(cel::Value::Null, AgencyYear::value);
        HashMap::from([("previous", previous)]).into()
    }
}

// === impl AgencyYear ===

impl AgencyYear {
    /// Computes the parts of a report that its neighbours need. `kind` is the agency's kind by its name.
    #[must_use]
    pub fn of(report: &Report, kind: Option<AgencyKind>) -> Self {
        let (minhash, bands) = MinHash::of(report);
        Self {
            agency_name: report.agency.clone(),
            year: report.year,
            form: report.form,
            cells: Cells::new(report.facts.iter().map(|fact| (fact.id.clone(), fact.state))),
            minhash,
            bands,
            rolls_up: rolls_up(report, kind == Some(AgencyKind::Office)),
            main_hash: main_hash(report),
        }
    }

    fn value(&self) -> cel::Value {
        let number = |value: Decimal| match value.to_i64().filter(|_| value.fract().is_zero()) {
            Some(whole) => cel::Value::Int(whole),
            None => value.to_f64().map_or(cel::Value::Null, cel::Value::Float),
        };
        let cells =
            self.cells.iter().filter_map(|(id, state)| Some((id.to_string(), number(state.value()?))));
        let cells: HashMap<String, cel::Value> = cells.collect();
        HashMap::from([("year", cel::Value::Int(self.year.into())), ("cells", cells.into())]).into()
    }
}

/// Words by which a report states whose numbers it sums up. The words after 全市 show that bodies are meant and not a
/// region.
const WHOLE: [&str; 6] = ["全省", "全市", "全县", "全区", "全州", "全旗"];
const BODIES: [&str; 8] = ["行政机关", "各级", "各部门", "各地", "政府系统", "政府部门", "共收到", "共新收"];

/// Returns true if a report states that it sums up others. An office's own report does not, unless it contains 汇总.
fn rolls_up(report: &Report, is_office: bool) -> bool {
    let says = |text: &str| {
        let sums = text.contains("汇总") && WHOLE.iter().any(|whole| text.contains(whole));
        sums || (!is_office
            && WHOLE
                .iter()
                .any(|whole| BODIES.iter().any(|bodies| text.contains(&format!("{whole}{bodies}")))))
    };
    let chapters = report.sections.iter().filter(|section| matches!(section.number, 1 | 3 | 6));
    let paragraphs = report.preamble.iter().chain(chapters.flat_map(|section| &section.paragraphs));
    paragraphs.map(|paragraph| paragraph.text.as_str()).any(says)
}

fn main_hash(report: &Report) -> String {
    let mut hash = Sha256::new();
    for fact in &report.facts {
        hash.update(fact.id.to_string());
        hash.update([0]);
        hash.update(
            fact.state.value().map_or_else(|| fact.state.as_str().to_owned(), |v| v.normalize().to_string()),
        );
        hash.update([0]);
    }
    let chapters = report.sections.iter().flat_map(|section| &section.paragraphs);
    for paragraph in report.preamble.iter().chain(chapters) {
        hash.update(normalized_name(&paragraph.text));
    }
    hex::encode(&hash.finalize()[..16])
}

/// Returns the cells that roll-up rules add up over children.
#[must_use]
pub fn figures() -> Vec<FactId> {
    let total =
        ["requests.received", "requests.carried_in", "requests.outcome.total", "requests.carried_out"];
    let plain = [
        "proactive.regulations.issued",
        "proactive.regulations.repealed",
        "proactive.regulations.in_force",
        "proactive.normative_documents.issued",
        "proactive.normative_documents.repealed",
        "proactive.normative_documents.in_force",
        "proactive.licensing.decisions",
        "proactive.punishment.decisions",
        "proactive.coercion.decisions",
        "disputes.reconsideration.total",
        "disputes.litigation_direct.total",
        "disputes.litigation_after_reconsideration.total",
    ];
    let of = |name: &&str, applicant| FactId { concept: Concept::new(name), applicant };
    let totals = total.iter().map(|name| of(name, Some(Applicant::Total)));
    totals.chain(plain.iter().map(|name| of(name, None))).collect()
}
