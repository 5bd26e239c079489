//! `years.mentioned`: sentences in the prose that date their subject to a year other than the report's. Such a
//! sentence often remains from last year's text.
//!
//! Only a year that opens a sentence counts, because it dates what follows. Document numbers, comparisons, plans for
//! the next year and accounts of the past name other years with good reason.

use crate::{
    check::Check, draft::Draft, input::Input, params::Params, prose::passage::Passage,
    static_regex::StaticRegex,
};

const YEAR: &[&str] = &["chapter", "quote", "actual", "expected"];

pub(crate) const CHECKS: &[Check] =
    &[Check::many("years.mentioned", &[("other", YEAR), ("outlook", YEAR)], mentioned)];

/// A year that opens a sentence, and the text after it.
static OPENING: StaticRegex = StaticRegex::new(
    r"(?:^|[。;:\])!]|一是|情况[,:])(?:截至|在)?((?:19|20)\d{2})年(度?(?:结转|遗留|未办结|转入|以来|起|底|初|末|前|期间|至|到|-|—|的|\d|工作中|存在|部门|预算|决算|年度报告|政府信息公开工作年度报告)?)([^。;!]*)",
);

/// Words that mark a sentence about the future.
const AHEAD: [&str; 10] =
    ["将继续", "将进一步", "将重点", "将从", "我们将", "拟", "计划", "下一步", "将着力", "将切实"];

fn mentioned(_: &Params, input: &Input<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for passage in input.prose.passages() {
        let may_speak = match passage.chapter() {
            1 | 6 => names_another_year(passage.text(), input.report.year),
            5 => passage.text().contains('年'),
            _ => false,
        };
        if may_speak {
            drafts.extend(first(input, passage));
        }
    }
    drafts
}

/// Returns true if a text contains a year of four digits that is not the report's.
fn names_another_year(text: &str, own: i32) -> bool {
    text.match_indices('年').any(|(at, _)| {
        let digits = at.checked_sub(4).and_then(|start| text.get(start..at));
        digits.and_then(|digits| digits.parse::<i32>().ok()).is_some_and(|year| year != own)
    })
}

fn first(input: &Input<'_>, passage: &Passage<'_>) -> Option<Draft> {
    let own = input.report.year;
    let text = passage.text();
    // The match of one sentence ends before the mark with which the next match begins.
    let mut at = 0;
    while let Some(found) = OPENING.captures_at(text, at) {
        let (Some(whole), Some(year)) = (found.get(0), found.get(1)) else { break };
        at = whole.end().max(at + 1);
        let (explained, rest) =
            (found.get(2).map_or("", |m| m.as_str()), found.get(3).map_or("", |m| m.as_str()));
        let Ok(named) = year.as_str().parse::<i32>() else { continue };
        let case = match case(own, named, passage.chapter(), explained, rest) {
            Some("other") if text.contains(&format!("{own}年")) => continue,
            Some(case) => case,
            None => continue,
        };
        let end = text[year.end()..].char_indices().nth(18).map_or(text.len(), |(byte, _)| year.end() + byte);
        let end = end.min(whole.end());
        let expected = if case == "outlook" { own.saturating_add(1) } else { own };
        let draft = Draft::of_bytes(case, passage, year.start()..end);
        return Some(draft.actual(named.to_string()).expected(expected.to_string()));
    }
    None
}

fn case(own: i32, named: i32, chapter: u32, explained: &str, rest: &str) -> Option<&'static str> {
    let is_ahead = AHEAD.iter().any(|word| rest.contains(word));
    if named == own {
        return (chapter == 5 && is_ahead && rest.contains('将') && explained.is_empty())
            .then_some("outlook");
    }
    let is_explained = !explained.trim_start_matches('度').is_empty();
    let is_plan = named == own.saturating_add(1) && (chapter == 5 || is_ahead);
    let is_compared = ["同比", "相比", "以来", "增长", "下降"].iter().any(|word| rest.contains(word));
    (!is_explained && !is_plan && !is_compared).then_some("other")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_is_out_of_place_only_where_it_dates_the_work() {
        assert_eq!(case(2023, 2022, 1, "", ",我局主动公开信息77条"), Some("other"));
        assert_eq!(case(2023, 2022, 1, "度", "我局收到申请3件"), Some("other"));
        assert_eq!(case(2023, 2022, 1, "以来", ",我局坚持"), None);
        assert_eq!(case(2023, 2022, 5, "工作中", "存在的问题已改进"), None);
        assert_eq!(case(2023, 2024, 5, "", "我们将加强"), None);
        assert_eq!(case(2023, 2024, 1, "", ",我局主动公开信息7条"), Some("other"));
        assert_eq!(case(2024, 2024, 5, "", ",我中心将继续按照"), Some("outlook"));
        assert_eq!(case(2024, 2024, 5, "", ",我中心加大力度"), None);
    }
}
