//! The variables and functions of expressions (CEL): cells, report, prose, agency, event and neighbours.

use std::{collections::HashMap, ops::Range, sync::Arc};

use cel::{Context as Scope, ExecutionError, Value as Cel};
use rust_decimal::{Decimal, prelude::ToPrimitive as _};

use gongkai_forms::Unit;
use gongkai_model::{AgencyKey, AgencyKind, Level, Report, State};

use crate::{
    cell_names::CellNames,
    context::ReportContext,
    expression::{env, names::Needs},
    input::Input,
    layout::LayoutCell,
    params::{Param, Params},
    prose::passage::Passage,
    table::Table,
};

/// A quotation from the prose: a passage and a range of bytes in its text.
pub(crate) type Quotation<'p, 'r> = (&'p Passage<'r>, Range<usize>);

/// The CEL bindings of one report.
pub(crate) struct Bindings {
    scope: Scope<'static, 'static>,
}

impl Bindings {
    /// Binds the variables that `needs` names. Cell functions are always bound.
    pub(crate) fn new(input: &Input<'_>, needs: Needs) -> Self {
        let Input { report, context, table, .. } = input;
        let mut scope = env::scope();
        if let Some(table) = table {
            add_cells(&mut scope, table);
        }
        if needs.report {
            scope.add_variable_from_value("report", head(report, needs));
        }
        if needs.agency {
            scope.add_variable_from_value("agency", agency(input));
        }
        if needs.event {
            scope.add_variable_from_value("event", event(context));
        }
        if needs.neighbours {
            let neighbours = context.neighbours.map_or(Cel::Null, crate::neighbours::Neighbours::value);
            scope.add_variable_from_value("neighbours", neighbours);
        }
        Self { scope }
    }

    pub(crate) fn scope(&self) -> &Scope<'static, 'static> {
        &self.scope
    }
}

/// The cells of a report, shared by the cell functions.
struct CellBindings {
    numbers: Arc<HashMap<String, usize>>,
    states: Vec<State>,
    cells: Arc<[LayoutCell]>,
}

impl CellBindings {
    fn state(&self, name: &str) -> Result<(State, Unit), ExecutionError> {
        // A cell that exists only in other forms is missing.
        let Some(at) = self.numbers.get(name) else { return Ok((State::Missing, Unit::Count)) };
        Ok((self.states[*at], self.cells[*at].unit))
    }

    /// Returns the cells that a name matches. A pattern that matches no cell of the form is returned itself, as a
    /// missing cell.
    fn expanded(&self, name: &Arc<String>) -> Vec<Arc<String>> {
        let ids = match name.parse() {
            Ok(names @ CellNames::Many(_)) => names.ids(&self.cells),
            _ => Vec::new(),
        };
        if ids.is_empty() {
            return vec![Arc::clone(name)];
        }
        ids.iter().map(|id| Arc::new(id.to_string())).collect()
    }

    fn value(&self, name: &str) -> Result<Cel, ExecutionError> {
        let (state, unit) = self.state(name)?;
        Ok(state.value().map_or(Cel::Null, |value| number(value, unit)))
    }

    /// Returns the sum of some cells, whose names may have wildcards, or null if one of them is not reported.
    fn sum(&self, names: &[Cel]) -> Result<Cel, ExecutionError> {
        let mut sum = Decimal::ZERO;
        let mut unit = Unit::Count;
        for name in names {
            let Cel::String(name) = name else {
                return Err(ExecutionError::function_error("sum", "a list of cell names is wanted"));
            };
            for name in self.expanded(name) {
                let (state, of_cell) = self.state(&name)?;
                unit = of_cell;
                let added = state.value().and_then(|value| sum.checked_add(value));
                let Some(added) = added else { return Ok(Cel::Null) };
                sum = added;
            }
        }
        Ok(number(sum, unit))
    }
}

fn add_cells(scope: &mut Scope<'static, 'static>, table: &Table<'_>) {
    let cells = Arc::new(CellBindings {
        numbers: Arc::clone(&table.layout.numbers),
        states: table.states().to_vec(),
        cells: Arc::clone(&table.layout.cells),
    });
    let (of_cell, of_state, of_sum) = (Arc::clone(&cells), Arc::clone(&cells), cells);
    let added = [
        scope.add_function("cell", move |name: Arc<String>| of_cell.value(&name)),
        scope.add_function("state", move |name: Arc<String>| {
            of_state.state(&name).map(|(state, _)| Cel::from(state.as_str()))
        }),
        scope.add_function("sum", move |names: Arc<Vec<Cel>>| of_sum.sum(&names)),
    ];
    debug_assert!(added.iter().all(Result::is_ok), "the standard library has none of these names");
}

/// Converts a whole count to an integer, and any other number to a float.
fn number(value: Decimal, unit: Unit) -> Cel {
    let is_count = matches!(unit, Unit::Count | Unit::Change) && value.fract().is_zero();
    let whole = if is_count { value.to_i64().map(Cel::Int) } else { None };
    whole.unwrap_or_else(|| value.to_f64().map_or(Cel::Null, Cel::Float))
}

fn head(report: &Report, needs: Needs) -> Cel {
    let text = |text: &str| Cel::from(text);
    let day = |(year, month, day): (i32, u8, u8)| Cel::from(format!("{year:04}-{month:02}-{day:02}"));
    let mut members = HashMap::from([
        ("agency", text(&report.agency)),
        ("year", Cel::Int(report.year.into())),
        ("title_year", report.title_year.map_or(Cel::Null, |year| Cel::Int(year.into()))),
        ("form", text(report.form.as_str())),
        ("variant", text(report.variant.as_str())),
        ("title", text(&report.title)),
    ]);
    let period =
        report.period.map(|period| HashMap::from([("from", day(period.from)), ("to", day(period.to))]));
    members.insert("period", period.map_or(Cel::Null, Cel::from));
    if needs.text {
        members.insert("preamble", Cel::from(report.preamble_text()));
    }
    if needs.sections {
        members.insert("sections", sections(report, needs.text));
    }
    Cel::from(members)
}

fn sections(report: &Report, with_text: bool) -> Cel {
    let mut sections: HashMap<i64, Cel> = HashMap::new();
    for section in &report.sections {
        let chars = section.paragraphs.iter().flat_map(|paragraph| paragraph.text.chars());
        let length = chars.filter(|c| !c.is_whitespace()).count();
        let mut members = HashMap::from([
            ("title", Cel::from(section.title.as_str())),
            ("length", Cel::Int(i64::try_from(length).unwrap_or(i64::MAX))),
        ]);
        if with_text {
            members.insert("text", Cel::from(section.text()));
        }
        sections.entry(section.number.into()).or_insert_with(|| Cel::from(members));
    }
    Cel::from(sections)
}

fn agency(input: &Input<'_>) -> Cel {
    let text = |text: Option<&str>| text.map_or(Cel::Null, Cel::from);
    let profile = input.context.profile;
    let name = profile.map_or(input.report.agency.as_str(), |profile| profile.name.as_str());
    Cel::from(HashMap::from([
        ("name", Cel::from(name)),
        ("level", text(input.level().map(Level::as_str))),
        ("kind", text(input.kind().map(AgencyKind::as_str))),
        ("region", text(profile.map(|profile| profile.region.as_str()))),
        ("parent", text(profile.and_then(|profile| profile.parent.as_ref()).map(AgencyKey::as_str))),
        ("site_domain", text(profile.and_then(|profile| profile.site_domain.as_deref()))),
    ]))
}

fn event(context: &ReportContext<'_>) -> Cel {
    let text = |text: Option<&str>| text.map_or(Cel::Null, Cel::from);
    let day = |day: Option<time::Date>| day.map_or(Cel::Null, |day| Cel::from(day.to_string()));
    let publication = &context.publication;
    Cel::from(HashMap::from([
        ("published_at", day(context.published_at)),
        ("first_seen", day(publication.first_seen)),
        ("url", text(publication.url)),
        ("site_code", text(publication.site_code)),
        ("site_domain", text(publication.site_domain)),
        ("column", text(publication.column)),
    ]))
}

/// Converts a rule's parameters to a value for expressions.
pub(crate) fn params(params: &Params) -> Cel {
    let value = |param: &Param| match param {
        Param::Whole(number) => Cel::Int(*number),
        Param::Decimal(number) => Cel::Float(*number),
        Param::Text(text) => Cel::from(text.as_str()),
        Param::List(list) => Cel::from(list.iter().map(String::as_str).collect::<Vec<_>>()),
    };
    Cel::from(params.iter().map(|(name, param)| (name.to_owned(), value(param))).collect::<HashMap<_, _>>())
}

/// Formats a value for a message. Returns `None` for a value without a short form.
pub(crate) fn text(value: &Cel) -> Option<String> {
    match value {
        Cel::String(text) => Some(text.as_str().to_owned()),
        Cel::Int(number) => Some(number.to_string()),
        Cel::UInt(number) => Some(number.to_string()),
        Cel::Float(number) => Some(number.to_string()),
        Cel::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}
