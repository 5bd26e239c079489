//! The publications of one report: changed content, removal, and publication at several addresses.

use gongkai_model::{FactId, State};

use super::cells::{mentions, place};
use crate::{
    check::Check,
    draft::{Draft, Value},
    fingerprint::Key,
    input::Input,
    neighbours::{Cells, Publications},
    params::{Kind, Params},
};

pub(crate) const CHECKS: &[Check] = &[
    Check {
        name: "published.changed",
        cases: &[("cells", &["count", "cells"]), ("prose", &[])],
        params: &[("explained", Kind::List)],
        run: changed,
    },
    Check { name: "published.gone", cases: &[("gone", &["urls"])], params: &[], run: |_, input| gone(input) },
    Check {
        name: "published.differs_elsewhere",
        cases: &[("cells", &["url", "count", "cells"])],
        params: &[],
        run: |_, input| differs(input),
    },
    Check {
        name: "published.twice",
        cases: &[("twice", &["count", "urls"])],
        params: &[],
        run: |_, input| twice(input),
    },
];

/// Maximum number of cells that a message names. It only counts the others.
const SHOWN: usize = 5;

fn publications<'a>(input: &Input<'a>) -> Option<(&'a Publications, &'a str, &'a Cells)> {
    let neighbours = input.context.neighbours?;
    Some((&neighbours.publications, &neighbours.own.main_hash, &neighbours.own.cells))
}

/// Finds content that changed after publication without an explanation in the report. If only the page around the
/// content changed, the main hash is the same.
fn changed(params: &Params, input: &Input<'_>) -> Vec<Draft> {
    let changed = || {
        let (publications, main_hash, cells) = publications(input)?;
        let before = publications.before.as_ref().filter(|before| before.main_hash != main_hash)?;
        if mentions(params, "explained", input) || input.report.title.contains("更正") {
            return None;
        }
        let changed = different(cells, &before.cells);
        if changed.is_empty() {
            return Some(Draft::new("prose", Key::Part("changed".to_owned())));
        }
        let values = listed(input, &changed);
        Some(Draft { values, facts: changed, ..Draft::new("cells", Key::Part("changed".to_owned())) })
    };
    changed().into_iter().collect()
}

fn gone(input: &Input<'_>) -> Vec<Draft> {
    let Some((publications, _, _)) = publications(input).filter(|(all, _, _)| all.is_withdrawn) else {
        return Vec::new();
    };
    let values = vec![Value::same("urls", publications.urls.join(" "))];
    vec![Draft { values, ..Draft::new("gone", Key::Part("gone".to_owned())) }]
}

/// Finds another address of the report with different numbers.
fn differs(input: &Input<'_>) -> Vec<Draft> {
    let Some((publications, main_hash, cells)) = publications(input) else { return Vec::new() };
    let others = publications.elsewhere.iter().filter(|other| other.main_hash != main_hash);
    let drafts = others.filter_map(|other| {
        let different = different(cells, &other.cells);
        let mut values = listed(input, &different);
        values.push(Value::same("url", &other.url));
        let key = Key::Part(format!("elsewhere-{}", other.url));
        (!different.is_empty()).then(|| Draft { values, facts: different, ..Draft::new("cells", key) })
    });
    drafts.collect()
}

/// Finds a report published at several addresses.
fn twice(input: &Input<'_>) -> Vec<Draft> {
    let Some((publications, main_hash, _)) = publications(input).filter(|(all, _, _)| !all.is_withdrawn)
    else {
        return Vec::new();
    };
    let same = publications.elsewhere.iter().filter(|other| other.main_hash == main_hash);
    let mut urls: Vec<&str> =
        publications.urls.iter().chain(same.map(|other| &other.url)).map(String::as_str).collect();
    urls.sort_unstable();
    urls.dedup();
    if urls.len() < 2 {
        return Vec::new();
    }
    let values = vec![Value::same("count", urls.len().to_string()), Value::same("urls", urls.join(" "))];
    vec![Draft { values, ..Draft::new("twice", Key::Part("addresses".to_owned())) }]
}

/// Returns the cells that both contents have and whose values differ.
fn different(own: &Cells, other: &Cells) -> Vec<FactId> {
    let is_known = |state: &State| !matches!(state, State::Missing | State::Unreadable);
    let of_both = own.iter().map(|(id, state)| (id, *state, other.state(id)));
    let different = of_both.filter(|(_, a, b)| is_known(a) && is_known(b) && a != b);
    different.map(|(id, _, _)| id.clone()).collect()
}

fn listed(input: &Input<'_>, cells: &[FactId]) -> Vec<Value> {
    let places: Vec<Value> = cells.iter().take(SHOWN).map(|id| place(input, id)).collect();
    let rest = if cells.len() > SHOWN { ("等", " and others") } else { ("", "") };
    let join = |texts: Vec<&str>, separator, rest: &str| texts.join(separator) + rest;
    let zh = join(places.iter().map(|place| place.zh.as_str()).collect(), "、", rest.0);
    let en = join(places.iter().map(|place| place.en.as_str()).collect(), ", ", rest.1);
    vec![Value::same("count", cells.len().to_string()), Value::new("cells", zh, en)]
}
