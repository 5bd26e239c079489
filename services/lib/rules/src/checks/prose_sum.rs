//! `prose.sums`: compares a number in the prose with the list that breaks it down.
//!
//! There are two kinds of list: one that 其中, a colon, a bracket or its own sum introduces, and the five results of
//! 三、本年度办理结果 with the number of answers. A list that may be incomplete, or whose parts may overlap, leads at
//! most to a REVIEW. Text that only resembles a list is treated as one only if it nearly adds up.

use std::ops::Range;

use rust_decimal::Decimal;

use crate::{
    check::Check,
    draft::{Draft, decimal},
    input::Input,
    params::{ParamKind, Params},
    prose::{
        claim::Claim,
        count::{Count, ends_with, starts_with},
        passage::Passage,
        quantity::Quantity,
        vocabulary::SUMS,
    },
};

const WORDS: &[&str] = &["chapter", "quote", "parts", "expected", "actual"];

pub(crate) const CHECKS: &[Check] =
    &[Check::many("prose.sums", &[("differs", WORDS), ("unsure", WORDS), ("results", WORDS)], run)
        .with(&[("tolerance_percent", ParamKind::Decimal)])];

/// How a list is introduced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opening {
    /// A word introduces the list, or a colon right after the number. The list should be complete.
    Said,
    /// A word that does not promise a complete list introduces it, or a bracket after the number.
    Maybe,
    /// Only a comma introduces the list.
    Bare,
}

fn run(params: &Params, input: &Input<'_>) -> Vec<Draft> {
    let tolerance = params.decimal("tolerance_percent");
    let mut drafts = Vec::new();
    for (passage, claims) in input.prose.claims() {
        for list in lists(passage) {
            drafts.extend(list.case(tolerance).map(|case| list.draft(case, passage)));
        }
        let results = results(claims).filter(|list| !is_printed(input, list.sum));
        drafts.extend(results.map(|list| list.draft("results", passage)));
    }
    drafts
}

/// A number and the parts that it is broken down into.
#[derive(Debug)]
struct Breakdown {
    total: Decimal,
    parts: Vec<Decimal>,
    sum: Decimal,
    quote: Range<usize>,
    /// True if the list ends in 等, or continues with things of another unit.
    open: bool,
    /// True if the parts may overlap.
    overlapping: bool,
    /// How the list is introduced.
    opening: Opening,
}

impl Breakdown {
    /// Returns which message to report, or `None` if the list adds up or does not have to.
    fn case(&self, tolerance_percent: Decimal) -> Option<&'static str> {
        if self.sum == self.total {
            return None;
        }
        if self.opening != Opening::Said {
            // This may not be a list, so only half of the usual tolerance applies.
            let near = self.is_near(tolerance_percent.checked_div(Decimal::TWO)?)? && self.parts.len() > 2;
            let case = if self.opening == Opening::Bare || self.overlapping { "unsure" } else { "differs" };
            return (near && !self.open).then_some(case);
        }
        if self.sum > self.total {
            return (!self.overlapping).then_some("differs");
        }
        if self.open {
            return None;
        }
        let near = self.is_near(tolerance_percent)?;
        Some(if near && !self.overlapping { "differs" } else { "unsure" })
    }

    /// Returns whether sum and total differ by at most this percentage, or `None` on overflow.
    fn is_near(&self, percent: Decimal) -> Option<bool> {
        let gap = self.total.checked_sub(self.sum)?.abs().checked_mul(Decimal::ONE_HUNDRED)?;
        Some(gap <= self.total.checked_mul(percent)?)
    }

    fn draft(&self, case: &'static str, passage: &Passage<'_>) -> Draft {
        let parts: Vec<String> = self.parts.iter().map(|part| decimal(*part)).collect();
        Draft::of_chars(case, passage, self.quote.clone())
            .with("parts", parts.join("+"))
            .expected(decimal(self.sum))
            .actual(decimal(self.total))
    }
}

/// Returns the lists of a passage. A list that a word introduces is not searched for further lists.
fn lists(passage: &Passage<'_>) -> Vec<Breakdown> {
    let reading = passage.reading();
    let mut found = Vec::new();
    if reading.counts.len() < 3 {
        return found;
    }
    for sentence in &reading.sentences {
        let mut at = sentence.start;
        while at < sentence.end {
            let opening = opening(passage, at).filter(|_| !reading.is_quoted(at));
            let Some((opening, length)) = opening else {
                at += 1;
                continue;
            };
            let inside = at + length..reading.close(at, sentence.end);
            let list = list(passage, (at, opening), inside.clone());
            // A mark may precede the word: 100条：其中……
            let is_word = length > 1 && opening == Opening::Said;
            at = if is_word || list.is_some() { inside.end } else { at + 1 };
            found.extend(list);
        }
        found.extend(summed(passage, sentence));
    }
    found
}

/// Returns the introduction of a list at a character, and its length.
fn opening(passage: &Passage<'_>, at: usize) -> Option<(Opening, usize)> {
    let reading = passage.reading();
    let chars = reading.chars();
    match chars[at] {
        ':' => {
            let told = SUMS.announcements.iter().any(|word| ends_with(chars, at, word));
            (told || is_behind_count(passage, at)).then_some((Opening::Said, 1))
        }
        '(' => is_behind_count(passage, at).then_some((Opening::Maybe, 1)),
        ',' => {
            let is_said = SUMS.maybe_openers.at(chars, at + 1).is_some();
            (!is_said && is_behind_count(passage, at)).then_some((Opening::Bare, 1))
        }
        _ => {
            if let Some(word) = SUMS.openers.at(chars, at) {
                return Some((Opening::Said, word.chars().count()));
            }
            let word = SUMS.maybe_openers.at(chars, at)?;
            let behind_mark = at.checked_sub(1).is_some_and(|before| matches!(chars[before], ',' | '('));
            behind_mark.then(|| (Opening::Maybe, word.chars().count()))
        }
    }
}

/// Returns true if a count of things ends right before a character.
fn is_behind_count(passage: &Passage<'_>, at: usize) -> bool {
    passage.reading().counts.iter().any(|count| count.end == at && SUMS.units.has(count.unit))
}

/// Returns a list that is followed by its own sum: `政策文件40条、工作动态55条、人事信息5条，共计100条`.
fn summed(passage: &Passage<'_>, sentence: &Range<usize>) -> Option<Breakdown> {
    let reading = passage.reading();
    let inside = |count: &&Count| sentence.contains(&count.number.start) && reading.depth(count) == 0;
    let counts: Vec<&Count> = reading.counts.iter().filter(inside).collect();
    let words_before = |at: usize| reading.words(counts[at - 1].end..counts[at].number.start);
    let closes = |at: &usize| {
        let words = words_before(*at);
        let words = words.trim_start_matches([',', ';']).trim_start_matches("以上");
        SUMS.sums.begins(words)
    };
    let at = (3..counts.len()).find(closes)?;
    let (parts, total) = (&counts[..at], counts[at]);
    let is_part = |count: &&Count| {
        count.unit == total.unit && !count.approximate && !SUMS.changes.any(&reading.head(count, true).words)
    };
    let words = reading.words(sentence.start..total.number.start);
    if total.approximate
        || !SUMS.units.has(total.unit)
        || !parts.iter().all(is_part)
        || SUMS.nested.any(&words)
    {
        return None;
    }
    Some(Breakdown {
        total: total.value,
        sum: parts.iter().try_fold(Decimal::ZERO, |sum, part| sum.checked_add(part.value))?,
        parts: parts.iter().map(|part| part.value).collect(),
        quote: reading.head(parts[0], true).start..total.end,
        open: false,
        overlapping: SUMS.channels.any(&words) || SUMS.results.any(&words),
        opening: Opening::Maybe,
    })
}

/// Returns the list in the range `inside` that begins at `opener`.
fn list(
    passage: &Passage<'_>,
    (opener, opening): (usize, Opening),
    inside: Range<usize>,
) -> Option<Breakdown> {
    let reading = passage.reading();
    let total = total(passage, opener)?;
    if SUMS.nested.any(&reading.words(inside.clone())) {
        return None;
    }
    let depth = reading.depth_at(opener);
    let counts =
        reading.counts.iter().filter(|c| inside.contains(&c.number.start) && reading.depth(c) == depth);
    let mut parts: Vec<&Count> = Vec::new();
    let (mut open, mut overlapping) = (false, false);
    for count in counts {
        let from = parts.last().map_or(inside.start, |part| part.end);
        let words = reading.words(from..count.number.start);
        if opening == Opening::Bare && !parts.is_empty() && !words.starts_with('、') {
            break;
        }
        let turns = parts.len() > 1 && words.contains(';') && !is_divided_by_semicolons(passage, &parts);
        if turns || SUMS.ends.any(&words) || SUMS.events.has(count.unit) {
            break;
        }
        let head = reading.head(count, true).words;
        if SUMS.changes.any(&head) || (count.in_words && count.unit != total.unit) {
            continue;
        }
        if count.approximate || SUMS.results.any(&head) || SUMS.selections.any(&head) {
            return None;
        }
        if count.unit != total.unit {
            open = true;
            break;
        }
        overlapping |= SUMS.channels.any(&head);
        parts.push(count);
    }
    let last = parts.last().filter(|_| parts.len() > 1)?;
    open |= starts_with(reading.chars(), last.end, "等");
    Some(Breakdown {
        total: total.value,
        sum: parts.iter().try_fold(Decimal::ZERO, |sum, part| sum.checked_add(part.value))?,
        parts: parts.iter().map(|part| part.value).collect(),
        quote: reading.head(total, true).start..last.end,
        open,
        overlapping,
        opening,
    })
}

/// Returns true if a semicolon separates the first two parts. Semicolons then separate the parts of this list;
/// otherwise a semicolon ends it.
fn is_divided_by_semicolons(passage: &Passage<'_>, parts: &[&Count]) -> bool {
    let [first, second, ..] = parts else { return false };
    passage.reading().words(first.end..second.number.start).contains(';')
}

/// Returns the number that a list breaks down: the last number before the list in its sentence that is not a change.
/// If the sentence has none, the only such number of the sentence before.
fn total<'p>(passage: &'p Passage<'_>, opener: usize) -> Option<&'p Count> {
    let reading = passage.reading();
    let depth = reading.depth_at(opener);
    let is_total = |count: &&Count| {
        let head = reading.head(count, true).words;
        reading.depth(count) <= depth && !SUMS.changes.any(&head)
    };
    let sentence = reading.sentence(opener);
    let within = |range: Range<usize>| {
        let counts =
            reading.counts.iter().filter(move |c| range.contains(&c.number.start) && c.end <= opener);
        counts.filter(is_total).collect::<Vec<_>>()
    };
    let own = within(sentence.clone());
    let found = match own.last() {
        Some(count) => count,
        None if sentence.start > 0 => match within(reading.sentence(sentence.start - 1)).as_slice() {
            [only] => *only,
            _ => return None,
        },
        None => return None,
    };
    let is_of_things = SUMS.units.has(found.unit)
        || (SUMS.loose_units.has(found.unit) && reading.head(found, true).words.contains("公开"));
    (!found.approximate && is_of_things).then_some(found)
}

/// Returns true if the sum of the results is the total that chapter 三 prints. Then only the number in the text can
/// be wrong, which `prose.requests` reports. A text such as 收到26件，其中…… may also leave out the requests carried
/// over.
fn is_printed(input: &Input<'_>, sum: Decimal) -> bool {
    let total = input.table.as_ref().and_then(|table| {
        let cell = table.layout.number("requests.outcome.total[total]")?;
        table.value(cell)
    });
    total == Some(sum)
}

/// Returns the results of a passage as a list, if it names all five and their total, and they do not add up to that
/// total, neither alone nor with the number carried over to the next year.
fn results(claims: &[Claim]) -> Option<Breakdown> {
    let only = |quantity| {
        let mut same = claims.iter().filter(|claim| claim.quantity == quantity);
        let first = same.next();
        if same.next().is_some() { None } else { first }
    };
    let open = match only(Quantity::GrantedOrPartially) {
        Some(both) => vec![both],
        None => vec![only(Quantity::Granted)?, only(Quantity::PartiallyGranted)?],
    };
    let rest = [Quantity::Refused, Quantity::Unavailable, Quantity::NotProcessed, Quantity::Other];
    let rest: Option<Vec<&Claim>> = rest.into_iter().map(only).collect();
    let parts: Vec<&Claim> = open.into_iter().chain(rest?).collect();
    let sum = parts.iter().try_fold(Decimal::ZERO, |sum, part| sum.checked_add(part.value))?;
    let carried = claims.iter().find(|claim| claim.quantity == Quantity::CarriedOut);
    let with_carried = carried.and_then(|carried| sum.checked_add(carried.value));
    let is_total = |claim: &&Claim| {
        matches!(
            claim.quantity,
            Quantity::Handled | Quantity::Worked | Quantity::Received | Quantity::NewlyReceived
        )
    };
    let totals: Vec<&Claim> = claims.iter().filter(is_total).collect();
    if totals.iter().any(|total| total.value == sum || Some(total.value) == with_carried) {
        return None;
    }
    let total = totals.iter().find(|total| total.quantity == Quantity::Handled).or(totals.first())?;
    let end = parts.iter().map(|part| part.quote.end).max()?;
    Some(Breakdown {
        total: total.value,
        parts: parts.iter().map(|part| part.value).collect(),
        sum,
        quote: total.quote.start.min(end)..end,
        open: false,
        overlapping: false,
        opening: Opening::Said,
    })
}
