//! The publications of one report: changed content, removal, and publication at several addresses or in several files.

use gongkai_model::{FactId, Part, PartContent, State};

use super::cells::{mentions, position};
use crate::{
    check::{Cases, Check},
    draft::Draft,
    input::Input,
    neighbours::{Cells, Publications},
    params::{ParamKind, Params},
};

pub(crate) const CHECKS: &[Check] = &[
    Check::one("published.changed", &[("cells", &["count", "cells"]), ("prose", &[])], changed)
        .with(&[("explained", ParamKind::List)]),
    Check::one("published.gone", &[("gone", &["urls"])], gone),
    Check::many("published.differs_elsewhere", ELSEWHERE_CASES, differs),
    Check::one("published.twice", &[("twice", &["count", "urls"])], twice),
];

const ELSEWHERE_CASES: Cases = &[
    ("cells", &["url", "count", "cells"]),
    ("part", &["part", "count", "cells"]),
    ("part_year", &["part", "actual", "expected"]),
];

/// Maximum number of cells that a message names. Further cells are only counted.
const SHOWN: usize = 5;

fn publications<'a>(input: &Input<'a>) -> Option<(&'a Publications, &'a str, &'a Cells)> {
    let neighbours = input.context.neighbours?;
    Some((&neighbours.publications, &neighbours.own.main_hash, &neighbours.own.cells))
}

/// Finds content that changed after publication without an explanation in the report. If only the page around the
/// content changed, the main hash is the same.
fn changed(params: &Params, input: &Input<'_>) -> Option<Draft> {
    let (publications, main_hash, cells) = publications(input)?;
    let before = publications.before.as_ref().filter(|before| before.main_hash != main_hash)?;
    if mentions(params, "explained", input) || input.report.title.contains("更正") {
        return None;
    }
    let changed = different(cells, &before.cells);
    if changed.is_empty() {
        return Some(Draft::of_part("prose", "changed"));
    }
    let draft = listing(Draft::of_part("cells", "changed"), input, &changed);
    Some(Draft { facts: changed, ..draft })
}

fn gone(_: &Params, input: &Input<'_>) -> Option<Draft> {
    let (publications, _, _) = publications(input).filter(|(all, _, _)| all.is_withdrawn)?;
    Some(Draft::of_part("gone", "gone").with("urls", publications.urls.join(" ")))
}

/// Finds another address of the report, or another file of its submission, with different numbers.
fn differs(_: &Params, input: &Input<'_>) -> Vec<Draft> {
    let parts = input.report.parts.iter().filter_map(|part| differs_in_part(input, part));
    parts.chain(differs_at_address(input)).collect()
}

/// Compares the report with another file of its submission.
fn differs_in_part(input: &Input<'_>, part: &Part) -> Option<Draft> {
    let PartContent::Report { year, different, .. } = &part.content else { return None };
    let name = part.name.as_deref().unwrap_or_default();
    if *year != input.report.year {
        let draft = Draft::of_part("part_year", format!("part-{name}")).with("part", name);
        return Some(draft.expected(input.report.year.to_string()).actual(year.to_string()));
    }
    let cells: Vec<FactId> = different.iter().map(|(id, _)| id.clone()).collect();
    let draft = Draft::of_part("part", format!("part-{name}"));
    let draft = listing(draft, input, &cells).with("part", name);
    (!cells.is_empty()).then_some(Draft { facts: cells, ..draft })
}

fn differs_at_address(input: &Input<'_>) -> Vec<Draft> {
    let Some((publications, main_hash, cells)) = publications(input) else { return Vec::new() };
    let others = publications.elsewhere.iter().filter(|other| other.main_hash != main_hash);
    let drafts = others.filter_map(|other| {
        let different = different(cells, &other.cells);
        let draft = Draft::of_part("cells", format!("elsewhere-{}", other.url));
        let draft = listing(draft, input, &different).with("url", &other.url);
        (!different.is_empty()).then_some(Draft { facts: different, ..draft })
    });
    drafts.collect()
}

/// Finds a report published at several addresses.
fn twice(_: &Params, input: &Input<'_>) -> Option<Draft> {
    let (publications, main_hash, _) = publications(input).filter(|(all, _, _)| !all.is_withdrawn)?;
    let same = publications.elsewhere.iter().filter(|other| other.main_hash == main_hash);
    let mut urls: Vec<&str> =
        publications.urls.iter().chain(same.map(|other| &other.url)).map(String::as_str).collect();
    urls.sort_unstable();
    urls.dedup();
    let draft = Draft::of_part("twice", "addresses").with("count", urls.len().to_string());
    (urls.len() > 1).then(|| draft.with("urls", urls.join(" ")))
}

/// Returns the cells that both contents have and whose values differ.
fn different(own: &Cells, other: &Cells) -> Vec<FactId> {
    let is_known = |state: &State| !matches!(state, State::Missing | State::Unreadable);
    let of_both = own.iter().map(|(id, state)| (id, *state, other.state(id)));
    let different = of_both.filter(|(_, a, b)| is_known(a) && is_known(b) && a != b);
    different.map(|(id, _, _)| id.clone()).collect()
}

/// Sets the placeholders `count` and `cells`.
fn listing(draft: Draft, input: &Input<'_>, cells: &[FactId]) -> Draft {
    let shown = || cells.iter().take(SHOWN);
    let zh: Vec<String> = shown().map(|id| position(input, id)).collect();
    let en: Vec<String> = shown().map(ToString::to_string).collect();
    let (others, others_en) = if cells.len() > SHOWN { ("等", " and others") } else { ("", "") };
    draft.with("count", cells.len().to_string()).with_both(
        "cells",
        zh.join("、") + others,
        en.join(", ") + others_en,
    )
}
