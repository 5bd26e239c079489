//! `citation.superseded_form`: a report on 2021 or later that cites the notice of the 2019 form.

use std::{ops::Range, sync::LazyLock};

use regex::Regex;

use crate::{check::Check, draft::Draft, input::Input, params::Params};

pub(crate) const CHECKS: &[Check] =
    &[Check::one("citation.superseded_form", &[("cited", &["quote", "chapter"])], superseded_form)];

/// The number 〔2019〕60号 in every bracket style. Passages contain no white space and only half-width round
/// brackets.
const NUMBER: &str = r"[〔\[【(〈<]?(?:2019|二[○〇零]一九)年?[〕\]】)〉>]?第?[〔\[(]?60[〕\])]?号";

/// The notice with its issuer, whose short name is often misspelt. 国办发 is the name of another series.
static NOTICE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(
        r"(?:国办公开?办?函?|国公开办?函|国办信?息?公开办?函?|国务院办公厅[^。;,、《》〔\[(]{{0,20}}?(?:公开办函|公开办公室)|政务公开办公室){NUMBER}"
    ))
    .expect("the pattern is a constant that a test compiles")
});

/// The number alone or with a wrong series, and the words before it.
static ALONE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(r"(?:^|根据|按照|依据|依照|遵照|落实|执行|对照|[(》:”]|国办函)({NUMBER})"))
        .expect("the pattern is a constant that a test compiles")
});

fn superseded_form(_: &Params, input: &Input<'_>) -> Option<Draft> {
    input.prose.passages().iter().find_map(|passage| {
        let source = passage.quote_bytes(cited(passage.text())?);
        Some(Draft {
            expected: Some("国办公开办函〔2021〕30号".to_owned()),
            actual: Some(source.text.clone()),
            ..Draft::of_quote("cited", passage.chapter(), source)
        })
    })
}

/// Finds a citation of the notice: with its issuer, or with its number alone if the words around it are about annual
/// reports.
fn cited(text: &str) -> Option<Range<usize>> {
    if !text.contains("60") || !text.contains('号') {
        return None;
    }
    if let Some(found) = NOTICE.find(text) {
        return Some(found.range());
    }
    let found = ALONE.captures(text)?.get(1)?;
    let before = text[..found.start()].rsplit(['。', ';']).next().unwrap_or_default();
    let after = text[found.end()..].split(['。', ';']).next().unwrap_or_default();
    let is_about_reports = ["编制", "年度报告", "年报", "报告格式"]
        .iter()
        .any(|word| before.contains(word) || after.contains(word));
    is_about_reports.then(|| found.range())
}
