//! Claims: counts in prose that state the number of a row of chapter 三, which the verb before them determines.
//!
//! A number that may be a part, or may belong to another year, body or matter, is not a claim. A false finding costs
//! the editor's trust; a missed one costs only this check.

use std::ops::Range;

use rust_decimal::Decimal;

use gongkai_model::Report;

use crate::prose::{
    bare,
    count::Count,
    passage::Passage,
    quantity::Quantity,
    reading::{LeadingWords, PassageReading},
    vocabulary::{Carried, REQUESTS},
};

/// A count that states the number of a row of chapter 三.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    pub(crate) quantity: Quantity,
    pub(crate) value: Decimal,
    /// From the verb's clause to the unit, in characters of the passage.
    pub(crate) quote: Range<usize>,
    /// True if the words around the count name a body or area that may differ from the report's own.
    pub(crate) foreign_scope: bool,
    /// True if a comma separates the count from the clause before it, so that it is not a part of an earlier count.
    pub(crate) is_separate: bool,
    /// True if the count is of a result for one reason.
    pub(crate) for_one_reason: bool,
}

/// Returns the claims of one passage, left to right.
pub(crate) fn claims(report: &Report, passage: &Passage<'_>) -> Vec<Claim> {
    let (text, reading) = (passage.text(), passage.reading());
    if reading.counts.is_empty()
        || !matches!(passage.chapter(), 1 | 3)
        || !(text.contains("申请") || text.contains("信息公开答复"))
    {
        return Vec::new();
    }
    let named_from = REQUESTS.topic.all(text).next().map(|found| found.start());
    let reader =
        ClaimReader { report, reading, named_from: named_from.map(|byte| text[..byte].chars().count()) };
    // `12件次` counts actions, not requests.
    let is_whole = |c: &&Count| reading.chars().get(c.end) != Some(&'次');
    let countable =
        reading.counts.iter().filter(|c| !c.approximate && REQUESTS.units.has(c.unit)).filter(is_whole);
    countable.filter_map(|count| reader.claim(count)).collect()
}

/// Reads the claims of one passage.
struct ClaimReader<'p> {
    report: &'p Report,
    reading: &'p PassageReading,
    /// Position at which the passage first mentions requests for information.
    named_from: Option<usize>,
}

impl ClaimReader<'_> {
    fn claim(&self, count: &Count) -> Option<Claim> {
        let found = self.head(count);
        let (head, tail) = (found.words.as_str(), self.reading.tail(count));
        let quantity = self.quantity(count, head, &tail)?;
        let sentence = self.reading.sentence(count.number.start);
        let so_far = self.reading.words(sentence.start..count.number.start);
        let is_part = match quantity {
            Quantity::Received | Quantity::Worked => so_far.contains("其中"),
            Quantity::Handled => head.contains('按') && has_late_answers(&self.reading.words(sentence)),
            quantity if quantity.is_outcome() => sorts_documents(&so_far),
            _ => false,
        };
        if is_part
            || is_parted(head)
            || speaks_of_another_year_than_its_own(self.report, quantity, &so_far)
            || !self.is_about_requests(count, quantity, (head, &tail, &so_far))
        {
            return None;
        }
        Some(Claim {
            quantity,
            value: count.value,
            quote: found.start..count.end,
            foreign_scope: has_foreign_scope(&self.report.agency, &so_far),
            for_one_reason: quantity.is_outcome() && is_for_one_reason(head),
            is_separate: self.is_separate(found.start, head, &so_far),
        })
    }

    /// Returns true if a clause begins after a comma outside of brackets and no word makes its number a part.
    fn is_separate(&self, start: usize, head: &str, so_far: &str) -> bool {
        let before = start.checked_sub(1).and_then(|at| self.reading.chars().get(at));
        let is_part = |words: &str| ["其中", "含", "包括", "包含"].iter().any(|word| words.contains(word));
        before == Some(&',') && self.reading.depth_at(start) == 0 && !is_part(head) && !is_part(so_far)
    }

    /// Returns the words before a count, without lists that name every applicant: a `、` in such a list does not
    /// separate clauses.
    fn head(&self, count: &Count) -> LeadingWords {
        let listed = self.reading.head(count, true);
        if !REQUESTS.wholes.any(&listed.words) {
            return self.reading.head(count, false);
        }
        LeadingWords { start: listed.start, words: REQUESTS.wholes.removed(&listed.words).into_owned() }
    }

    /// Returns the quantity that a count states, by the last keyword before the count or else by the first one after
    /// it.
    fn quantity(&self, count: &Count, head: &str, tail: &str) -> Option<Quantity> {
        if is_carried_in(self.report, head) {
            return Some(Quantity::CarriedIn);
        }
        if is_carried_out(self.report, head) {
            return Some(Quantity::CarriedOut);
        }
        let listed = || self.reading.head(count, true).words;
        match last_keyword(head) {
            Some((at, _)) if is_negated(&head[..at]) => {
                is_carried_out(self.report, tail).then_some(Quantity::CarriedOut)
            }
            Some((at, _)) if REQUESTS.papers.any(&head[at..]) => None,
            Some((at, Quantity::Handled | Quantity::Worked)) if result_before(&head[..at]).is_some() => {
                result_before(&head[..at])
            }
            // The requests are carried over, but neither from last year nor to the next year.
            Some((_, Quantity::CarriedOut)) => None,
            Some((_, Quantity::PartiallyGranted)) if names(&listed(), Quantity::Granted) => {
                Some(Quantity::GrantedOrPartially)
            }
            Some((_, Quantity::Granted)) if names(&listed(), Quantity::PartiallyGranted) => {
                Some(Quantity::GrantedOrPartially)
            }
            Some((_, quantity)) => Some(quantity),
            None if is_carried_out(self.report, tail) => Some(Quantity::CarriedOut),
            None => quantity_after(tail).or_else(|| self.without_a_verb(count, head, tail)),
        }
    }

    /// Recognises requests counted without a verb. In a sentence that sorts documents by openness, the count is one
    /// of documents.
    fn without_a_verb(&self, count: &Count, head: &str, tail: &str) -> Option<Quantity> {
        if !REQUESTS.bare_units.has(count.unit) || !bare::is_of_requests(&self.report.agency, head, tail) {
            return None;
        }
        let sentence = self.reading.sentence(count.number.start);
        let so_far = self.reading.words(sentence.start..count.number.start);
        (!sorts_documents(&so_far)).then_some(Quantity::Worked)
    }

    /// Returns true if the words around a verb concern requests and nothing else. The verb alone is not enough.
    fn is_about_requests(
        &self,
        count: &Count,
        quantity: Quantity,
        (head, tail, so_far): (&str, &str, &str),
    ) -> bool {
        if quantity.is_outcome() {
            return !REQUESTS.not_of_results.any(so_far);
        }
        // Words that name the requests themselves end what an earlier clause was about.
        let before = if names_requests(head) { head } else { so_far };
        if is_other_business(before) || is_other_business(tail) {
            return false;
        }
        head.contains("申请")
            || tail.starts_with("申请")
            || REQUESTS.topic.any(tail)
            || self.named_from.is_some_and(|from| from < count.number.start)
    }
}

/// Returns true if a clause names requests for information.
fn names_requests(clause: &str) -> bool {
    ["信息公开申请", "依申请公开", "公开申请", "申请公开"].iter().any(|words| clause.contains(words))
}

/// Returns true if the words concern other business. 登记 (registering) is excepted where it refers to requests.
fn is_other_business(words: &str) -> bool {
    REQUESTS.other_business.all(words).any(|found| {
        let rest = &words[found.end()..];
        found.as_str() != "登记" || !REQUESTS.of_requests.begins(rest)
    })
}

/// Returns true if a sentence sorts documents by openness: 主动公开35件、依申请公开12件、不予公开7件.
fn sorts_documents(so_far: &str) -> bool {
    let after_open = so_far.rsplit_once("主动公开").map(|(_, rest)| rest.trim_start_matches("类"));
    REQUESTS.documents.any(so_far)
        || after_open.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// Returns true if the words make a number a part of the whole. Words like `网络等渠道共收到` do not: they name the
/// channels of the whole.
fn is_parted(head: &str) -> bool {
    let cut = REQUESTS.together.iter().find_map(|word| head.rsplit_once(word));
    REQUESTS.parts.any(cut.map_or(head, |(_, rest)| rest))
}

/// Returns true if a sentence mentions late answers. The number of answers in time is then only a part.
fn has_late_answers(sentence: &str) -> bool {
    REQUESTS.late.any(sentence)
}

/// Returns the quantity named right after the unit, as in `3件予以公开`. A result further on does not count.
fn quantity_after(tail: &str) -> Option<Quantity> {
    let words = tail.trim_start_matches("申请").trim_start_matches("依法");
    let mut results = REQUESTS.keywords.iter().filter(|(_, quantity)| quantity.is_outcome());
    results.find(|(word, _)| words.starts_with(word)).map(|(_, quantity)| quantity)
}

fn last_keyword(head: &str) -> Option<(usize, Quantity)> {
    let found = REQUESTS.keywords.all.all(head).last()?;
    Some((found.start(), REQUESTS.keywords.quantity(found.as_str())?))
}

/// Returns true if the words name a quantity.
fn names(words: &str, quantity: Quantity) -> bool {
    let keywords = &REQUESTS.keywords;
    keywords.all.all(words).any(|found| keywords.quantity(found.as_str()) == Some(quantity))
}

/// Returns the result that ends right before a verb, as in 同意公开答复 and 不予公开的答复.
fn result_before(before: &str) -> Option<Quantity> {
    let words = before.trim_end_matches(['的', '决', '定']);
    let results = REQUESTS.keywords.iter().filter(|(word, of)| of.is_outcome() && words.ends_with(word));
    results.max_by_key(|(word, _)| word.len()).map(|(_, quantity)| quantity)
}

/// Returns true if a result is counted for one reason only: 因国家秘密不予公开1件.
fn is_for_one_reason(head: &str) -> bool {
    REQUESTS.reasons.any(head) && !REQUESTS.all_reasons.any(head)
}

fn is_negated(before: &str) -> bool {
    REQUESTS.negations.ends(before)
}

fn is_carried_in(report: &Report, words: &str) -> bool {
    if !words.contains(['转', '留', '延', '未']) {
        return false;
    }
    is_carried(&REQUESTS.carried_in, report.year.saturating_sub(1), words)
}

fn is_carried_out(report: &Report, words: &str) -> bool {
    if !words.contains(['转', '延']) {
        return false;
    }
    is_carried(&REQUESTS.carried_out, report.year.saturating_add(1), words)
        || (words.contains("顺延") && !words.contains("上年"))
}

/// Returns true if the words name the year and state that requests were carried from one year to the next.
fn is_carried(carried: &Carried, year: i32, words: &str) -> bool {
    (carried.years.any(words) || words.contains(&format!("{year}年")))
        && carried.words.any(words)
        && !carried.not.any(words)
}

/// Returns true if the last year named before a number is not the report's year. A number carried in may also name
/// the year before, and a number carried out the year after.
fn speaks_of_another_year_than_its_own(report: &Report, quantity: Quantity, so_far: &str) -> bool {
    last_year(so_far).is_some_and(|year| {
        let own = year == report.year;
        match quantity {
            Quantity::CarriedIn => !own && year != report.year.saturating_sub(1),
            Quantity::CarriedOut => !own && year != report.year.saturating_add(1),
            _ => !own,
        }
    })
}

/// Returns true if the words name a year and the last one is not this year.
pub(crate) fn speaks_of_another_year(year: i32, so_far: &str) -> bool {
    last_year(so_far).is_some_and(|named| named != year)
}

/// Returns the last year that the words name.
fn last_year(so_far: &str) -> Option<i32> {
    let mut last = None;
    for (at, _) in so_far.match_indices('年') {
        let digits: String = so_far[..at].chars().rev().take_while(char::is_ascii_digit).collect();
        if digits.len() == 4 {
            last = digits.chars().rev().collect::<String>().parse::<i32>().ok();
        }
    }
    last
}

/// Returns true if the words name an area or body that is not the report's own.
pub(crate) fn has_foreign_scope(agency: &str, so_far: &str) -> bool {
    let is_office = agency.contains("办公室") || agency.contains("办公厅");
    let place = agency.strip_suffix("人民政府").unwrap_or(agency);
    REQUESTS.scopes.all(so_far).any(|found| match found.as_str().strip_prefix('全') {
        Some(level) if level.chars().count() == 1 => !place.ends_with(level),
        _ => !(found.as_str() == "本办" && is_office),
    })
}
