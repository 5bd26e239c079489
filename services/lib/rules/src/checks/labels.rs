//! `labels`: tables whose labels are not those of the form that holds for their year.

use gongkai_model::{FormId, Variant};

use crate::{check::Check, draft::Draft, input::Input, params::Params};

pub(crate) const CHECKS: &[Check] = &[Check::many("labels", &[("single_row", &[])], run)];

/// First year of the form of 2021.
const FORM_2021: i32 = 2021;

fn run(_: &Params, input: &Input<'_>) -> Vec<Draft> {
    single_row(input).into_iter().collect()
}

/// Finds a table that has one row （六）其他处理, as in the form of 2019, where the form of 2021 has three.
fn single_row(input: &Input<'_>) -> Option<Draft> {
    let report = input.report;
    let is_old = report.form == FormId::Form2021 && report.variant == Variant::SingleRowOther;
    (is_old && report.year >= FORM_2021).then(|| Draft::of_part("single_row", "single-row-other"))
}
