//! `prose.documents`: compares the statements of the prose about 规章 and 行政规范性文件 with chapter 二.

use super::prose_decisions::decisions;
use crate::{
    check::Check,
    draft::{Draft, decimal},
    input::Input,
    params::Params,
    prose::{
        claim::{has_foreign_scope, speaks_of_another_year},
        count::Count,
        passage::Passage,
        vocabulary::DOCUMENTS,
    },
};

const WORDS: &[&str] = &["chapter", "quote", "actual", "expected", "row", "column"];

pub(crate) const CHECKS: &[Check] =
    &[Check::many("prose.documents", &[("differs", WORDS), ("unsure", WORDS)], documents)];

fn documents(_: &Params, input: &Input<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for passage in input.prose.passages().iter().filter(|passage| matches!(passage.chapter(), 1 | 2)) {
        drafts.extend(decisions(input, passage));
        if !(passage.text().contains("规范性文件") || passage.text().contains("规章")) {
            continue;
        }
        let mut noun: Option<(usize, &str, &str)> = None;
        for count in &passage.reading().counts {
            let sentence = passage.reading().sentence(count.number.start).start;
            let head = passage.reading().head(count, true).words;
            if let Some((row, name)) = named(&head) {
                noun = Some((sentence, row, name));
            }
            // The noun also applies to the clauses after it in its sentence, as long as those continue the same
            // matter.
            let Some((_, row, name)) = noun.filter(|(of, _, _)| *of == sentence) else { continue };
            drafts.extend(draft(input, passage, count, (row, name)));
        }
    }
    drafts
}

/// Returns the row that the words name, or `None` if they name both rows or neither.
fn named(head: &str) -> Option<(&'static str, &'static str)> {
    match (head.contains("规范性文件"), head.contains("规章")) {
        (true, false) => Some(("normative_documents", "行政规范性文件")),
        (false, true) => Some(("regulations", "规章")),
        _ => None,
    }
}

/// Returns the words of a sentence from the clause that names the documents on. What an earlier clause is about does
/// not matter.
fn clause<'s>(so_far: &'s str, head: &'s str) -> &'s str {
    if named(head).is_some() {
        return head;
    }
    let noun = so_far.rfind("规范性文件").max(so_far.rfind("规章")).unwrap_or(0);
    let start = so_far[..noun].rfind([',', ';', ':']).map_or(0, |at| at + 1);
    &so_far[start..]
}

fn draft(
    input: &Input<'_>,
    passage: &Passage<'_>,
    count: &Count,
    (row, name): (&'static str, &str),
) -> Option<Draft> {
    let table = input.table.as_ref()?;
    if count.approximate || !DOCUMENTS.units.has(count.unit) {
        return None;
    }
    let reading = passage.reading();
    let head = reading.head(count, true);
    let sentence = reading.sentence(count.number.start);
    let so_far = reading.words(sentence.start..count.number.start);
    // The verb is in the words just before the count. If there is none, an earlier verb of the sentence applies, but
    // only if those words name the document.
    let last = |words: &str| {
        DOCUMENTS
            .verbs
            .iter()
            .filter_map(|verb| Some((words.rfind(&verb.0)?, verb)))
            .max_by_key(|(at, _)| *at)
    };
    let (_, (verb, column)) =
        last(&head.words).or_else(|| last(&so_far).filter(|_| named(&head.words).is_some()))?;
    if head.words.contains("不") || reading.depth(count) > 0 {
        return None;
    }
    let column_name = DOCUMENTS.columns.get(column)?;
    let cell = table.layout.number(&format!("proactive.{row}.{column}"))?;
    let expected = table.value(cell)?;
    if expected == count.value
        || DOCUMENTS.other.any(clause(&so_far, &head.words))
        || (named(&so_far).is_none() && named(&head.words).is_none())
        || has_foreign_scope(&input.report.agency, &so_far)
        || speaks_of_another_year(input.report.year, &so_far)
    {
        return None;
    }
    // 印发 and 公开 can also refer to documents of other bodies.
    let is_sure = !DOCUMENTS.unsure_verbs.has(verb) && !DOCUMENTS.unsure.any(&so_far);
    let draft = Draft::of_cells(if is_sure { "differs" } else { "unsure" }, vec![table.id(cell)])
        .quoting(passage.chapter(), passage.quote(head.start..count.end))
        .actual(decimal(count.value))
        .expected(decimal(expected))
        .with_both("row", name, row)
        .with_both("column", column_name, column);
    Some(draft)
}
