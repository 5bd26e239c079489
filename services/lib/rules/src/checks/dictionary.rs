//! `dictionary`: words that need review, and misspelt terms with their corrections. The pack supplies the lists.

use crate::{
    check::Check,
    draft::Draft,
    input::Input,
    params::{ParamKind, Params},
};

pub(crate) const CHECKS: &[Check] =
    &[Check::many("dictionary", &[("word", &["chapter", "quote", "expected"])], run)
        .with(&[("words", ParamKind::List)])];

/// Looks for the words of the pack's list. An entry is a word, optionally followed by a space and its correction.
/// Each word gives one finding, at its first occurrence.
fn run(params: &Params, input: &Input<'_>) -> Vec<Draft> {
    // One search finds all words. The matched word identifies its entry.
    let Some(words) = params.words("words") else { return Vec::new() };
    let entries: Vec<(&str, &str)> =
        params.list("words").iter().map(|entry| entry.split_once(' ').unwrap_or((entry, ""))).collect();
    let mut seen: Vec<&str> = Vec::new();
    let mut drafts = Vec::new();
    for passage in input.prose.passages() {
        for found in words.all(passage.text()) {
            if seen.contains(&found.as_str()) {
                continue;
            }
            seen.push(found.as_str());
            let instead =
                entries.iter().find(|(word, _)| *word == found.as_str()).map_or("", |(_, instead)| *instead);
            let draft = Draft::of_bytes("word", passage, found.range());
            drafts.push(Draft {
                expected: (!instead.is_empty()).then(|| instead.to_owned()),
                actual: Some(found.as_str().to_owned()),
                ..draft.with("expected", if instead.is_empty() { "—" } else { instead })
            });
        }
    }
    drafts
}
