//! `citation.superseded_form`: a report on 2021 or after that cites the notice of the 2019 form.

use std::sync::LazyLock;

use regex::Regex;

use crate::{
    checks::{Check, Draft, Input, Value, chapter_name},
    fingerprint::Key,
};

pub(crate) const CHECKS: &[Check] = &[Check {
    name: "citation.superseded_form",
    cases: &[("cited", &["quote", "chapter"])],
    params: &[],
    run: |_, input| run(input),
}];

/// 国办公开办函〔2019〕60号 in every bracket style; passages hold no white space and half-width brackets only.
static NOTICE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"国办公开办函[〔\[【(〈<]?2019[〕\]】)〉>]?第?60号")
        .expect("the pattern is a constant that a test compiles")
});

fn run(input: &Input<'_>) -> Vec<Draft> {
    let cited = input.prose.passages().iter().find_map(|passage| {
        let found = NOTICE.find(passage.text())?;
        Some((passage, passage.quote_bytes(found.range())))
    });
    let Some((passage, source)) = cited else { return Vec::new() };
    let key = Key::Quote { chapter: passage.chapter(), text: source.text.clone() };
    vec![Draft {
        expected: Some("国办公开办函〔2021〕30号".to_owned()),
        actual: Some(source.text.clone()),
        values: vec![Value::same("quote", &source.text), chapter_name(passage.chapter())],
        source: Some(source),
        ..Draft::new("cited", key)
    }]
}
