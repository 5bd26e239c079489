//! Prose copied from another report: last year's, or that of a sibling body.

use crate::{
    check::{Cases, Check},
    draft::Draft,
    input::Input,
    minhash::MinHash,
    params::{ParamKind, Params},
};

const LAST_YEAR: Cases = &[("similar", &["percent", "last_year"]), ("same", &["percent", "last_year"])];

pub(crate) const CHECKS: &[Check] = &[
    Check::one("cross.same_as_last_year", LAST_YEAR, last_year).with(&[
        ("similar", ParamKind::Decimal),
        ("same", ParamKind::Decimal),
        ("least_chars", ParamKind::Whole),
    ]),
    Check::one("cross.same_as_sibling", &[("similar", &["percent", "agency"])], sibling)
        .with(&[("similar", ParamKind::Decimal), ("least_chars", ParamKind::Whole)]),
];

fn last_year(params: &Params, input: &Input<'_>) -> Option<Draft> {
    let neighbours = input.context.neighbours?;
    let previous = neighbours.previous.as_ref()?;
    let percent = percent(params, &neighbours.own.minhash, &previous.minhash)?;
    let at_least = |name| f64::from(percent) >= per_mille(params, name);
    let case = match (at_least("same"), at_least("similar")) {
        (true, _) => "same",
        (false, true) => "similar",
        (false, false) => return None,
    };
    let draft = Draft::of_part(case, "prose-last-year").with("percent", shown(percent));
    Some(draft.with("last_year", previous.year.to_string()))
}

fn sibling(params: &Params, input: &Input<'_>) -> Option<Draft> {
    let neighbours = input.context.neighbours?;
    let sibling = neighbours.sibling.as_ref()?;
    let percent = percent(params, &neighbours.own.minhash, &sibling.minhash)?;
    let draft = Draft::of_part("similar", "prose-sibling").with("percent", shown(percent));
    let is_similar = f64::from(percent) >= per_mille(params, "similar");
    is_similar.then(|| draft.with("agency", &sibling.agency_name))
}

/// Returns the similarity in thousandths, or `None` if there is too little text to compare.
fn percent(params: &Params, own: &MinHash, other: &MinHash) -> Option<u16> {
    let least = params.whole("least_chars");
    let is_long = |minhash: &MinHash| i64::from(minhash.chars) >= least;
    if !is_long(own) || !is_long(other) {
        return None;
    }
    let thousandths = (own.similarity(other) * 1000.0).round();
    // A similarity is between 0 and 1, so the result is between 0 and 1000.
    (0..=1000).find(|whole| (f64::from(*whole) - thousandths).abs() < 0.5)
}

fn per_mille(params: &Params, name: &str) -> f64 {
    use rust_decimal::prelude::ToPrimitive as _;
    params.decimal(name).to_f64().unwrap_or(1.0) * 1000.0
}

fn shown(thousandths: u16) -> String {
    format!("{}.{}", thousandths / 10, thousandths % 10)
}
