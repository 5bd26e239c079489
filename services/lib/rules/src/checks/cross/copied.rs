//! Prose copied from another report: last year's, or that of a sibling body.

use crate::{
    check::Check,
    draft::{Draft, Value},
    fingerprint::Key,
    input::Input,
    minhash::MinHash,
    params::{Kind, Params},
};

pub(crate) const CHECKS: &[Check] = &[
    Check {
        name: "cross.same_as_last_year",
        cases: &[("similar", &["percent", "last_year"]), ("same", &["percent", "last_year"])],
        params: &[("similar", Kind::Decimal), ("same", Kind::Decimal), ("least_chars", Kind::Whole)],
        run: last_year,
    },
    Check {
        name: "cross.same_as_sibling",
        cases: &[("similar", &["percent", "agency"])],
        params: &[("similar", Kind::Decimal), ("least_chars", Kind::Whole)],
        run: sibling,
    },
];

fn last_year(params: &Params, input: &Input<'_>) -> Vec<Draft> {
    let Some((neighbours, previous)) = input.context.neighbours.and_then(|n| Some((n, n.previous.as_ref()?)))
    else {
        return Vec::new();
    };
    let Some(percent) = percent(params, &neighbours.own.minhash, &previous.minhash) else {
        return Vec::new();
    };
    let at_least = |name| f64::from(percent) >= per_mille(params, name);
    let case = match (at_least("same"), at_least("similar")) {
        (true, _) => "same",
        (false, true) => "similar",
        (false, false) => return Vec::new(),
    };
    let values = vec![shown(percent), Value::same("last_year", previous.year.to_string())];
    vec![Draft { values, ..Draft::new(case, Key::Part("prose-last-year".to_owned())) }]
}

fn sibling(params: &Params, input: &Input<'_>) -> Vec<Draft> {
    let Some((neighbours, sibling)) = input.context.neighbours.and_then(|n| Some((n, n.sibling.as_ref()?)))
    else {
        return Vec::new();
    };
    let percent = percent(params, &neighbours.own.minhash, &sibling.minhash);
    let Some(percent) = percent.filter(|percent| f64::from(*percent) >= per_mille(params, "similar")) else {
        return Vec::new();
    };
    let values = vec![shown(percent), Value::same("agency", &sibling.agency_name)];
    vec![Draft { values, ..Draft::new("similar", Key::Part("prose-sibling".to_owned())) }]
}

/// Returns the similarity in thousandths; `None` if there is too little text to compare.
fn percent(params: &Params, own: &MinHash, other: &MinHash) -> Option<u16> {
    let least = params.whole("least_chars");
    let is_long = |minhash: &MinHash| i64::from(minhash.chars) >= least;
    if !is_long(own) || !is_long(other) {
        return None;
    }
    let thousandths = (own.similarity(other) * 1000.0).round();
    // A similarity lies between 0 and 1, so the result lies between 0 and 1000.
    (0..=1000).find(|whole| (f64::from(*whole) - thousandths).abs() < 0.5)
}

fn per_mille(params: &Params, name: &str) -> f64 {
    use rust_decimal::prelude::ToPrimitive as _;
    params.decimal(name).to_f64().unwrap_or(1.0) * 1000.0
}

fn shown(thousandths: u16) -> Value {
    Value::same("percent", format!("{}.{}", thousandths / 10, thousandths % 10))
}
