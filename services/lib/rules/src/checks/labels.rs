//! `labels`: tables whose labels are not those of the form that holds for their year.

use gongkai_model::{AlteredLabel, FormId, Note, Variant};

use crate::{
    check::{Cases, Check},
    draft::Draft,
    input::Input,
    params::{ParamKind, Params},
};

const CASES: Cases =
    &[("single_row", &[]), ("altered", &["chapter", "label", "expected"]), ("many", &["count", "labels"])];

pub(crate) const CHECKS: &[Check] = &[Check::many("labels", CASES, run).with(&[("most", ParamKind::Whole)])];

/// First year of the form of 2021.
const FORM_2021: i32 = 2021;

fn run(params: &Params, input: &Input<'_>) -> Vec<Draft> {
    single_row(input).into_iter().chain(altered(params, input)).collect()
}

/// Finds a table that has one row （六）其他处理, as in the form of 2019, where the form of 2021 has three.
fn single_row(input: &Input<'_>) -> Option<Draft> {
    let report = input.report;
    let is_old = report.form == FormId::Form2021 && report.variant == Variant::SingleRowOther;
    (is_old && report.year >= FORM_2021).then(|| Draft::of_part("single_row", "single-row-other"))
}

/// Finds labels that are not the form's. If there are many, they may be the mistakes of a scan or of our own reading.
fn altered(params: &Params, input: &Input<'_>) -> Vec<Draft> {
    let labels: Vec<&AlteredLabel> = input
        .report
        .notes
        .iter()
        .filter_map(|note| match note {
            Note::AlteredLabel(label) => Some(label),
            _ => None,
        })
        .collect();
    let is_many = i64::try_from(labels.len()).is_ok_and(|count| count > params.whole("most"));
    if is_many {
        vec![many(&labels)]
    } else {
        labels.into_iter().filter_map(|label| one(input, label)).collect()
    }
}

fn one(input: &Input<'_>, label: &AlteredLabel) -> Option<Draft> {
    let layout = input.table.as_ref()?.layout;
    let row = layout.rows.iter().find(|row| row.concept == label.concept);
    let of_column = || {
        let cell = layout.cells.iter().find(|cell| cell.id.concept == label.concept)?;
        Some(cell.position.rsplit('「').next()?.split('」').next()?.to_owned())
    };
    let expected = row.map(|row| row.label.clone()).or_else(of_column)?;
    let printed = printed(label);
    let chapter = if row.is_some() { 3 } else { 2 };
    let draft = Draft::of_part("altered", format!("label-{}", label.concept))
        .chapter(chapter)
        .with("label", &printed)
        .expected(expected);
    Some(Draft {
        concept: Some(label.concept.clone()),
        actual: Some(printed),
        source: Some(label.source.clone()),
        ..draft
    })
}

fn many(labels: &[&AlteredLabel]) -> Draft {
    let printed: Vec<String> = labels.iter().map(|label| format!("「{}」", printed(label))).collect();
    let draft = Draft::of_part("many", "labels")
        .with("count", labels.len().to_string())
        .with("labels", printed.concat());
    Draft { source: labels.first().map(|label| label.source.clone()), ..draft }
}

/// Returns a label without the white space of its layout.
fn printed(label: &AlteredLabel) -> String {
    label.source.text.split_whitespace().collect()
}
