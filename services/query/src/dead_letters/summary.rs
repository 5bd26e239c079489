//! Groups of dead letters: by service, code and kind of cause.

use std::collections::BTreeMap;

use gongkai_model::personal::masked;
use gongkai_proto::{convert::timestamp::timestamp, v1};

use super::answer;
use super::index::Standing;

/// Replaces the parts of a cause that differ between dead letters of one kind.
const ELLIPSIS: &str = "…";

/// Returns the groups, the largest first.
pub(super) fn groups(letters: &[Standing]) -> Vec<v1::DeadLetterGroup> {
    let mut groups = BTreeMap::<(&str, &str, String), Vec<&Standing>>::new();
    for found in letters {
        let cause = pattern(&masked(&found.letter.cause));
        groups.entry((&found.letter.service, &found.letter.code, cause)).or_default().push(found);
    }
    let mut groups: Vec<v1::DeadLetterGroup> = groups.into_iter().map(group).collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.count));
    groups
}

fn group(((service, code, cause), letters): ((&str, &str, String), Vec<&Standing>)) -> v1::DeadLetterGroup {
    let times = || letters.iter().map(|found| found.letter.buried_at);
    v1::DeadLetterGroup {
        service: service.to_owned(),
        code: code.to_owned(),
        cause,
        count: letters.len() as u64,
        first_buried_at: times().min().map(timestamp),
        last_buried_at: times().max().map(timestamp),
        newest: letters.last().map(|last| answer::name(last.sequence)).unwrap_or_default(),
    }
}

/// Returns a cause without its ids and numbers: words with a digit.
fn pattern(cause: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '*');
    let mut pattern = String::new();
    let mut rest = cause;
    while !rest.is_empty() {
        let word = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(word);
        pattern.push_str(if word.contains(|c: char| c.is_ascii_digit()) { ELLIPSIS } else { word });
        let gap = after.find(is_part).unwrap_or(after.len());
        pattern.push_str(&after[..gap]);
        rest = &after[gap..];
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_known_without_its_ids() {
        let cases = [
            ("no object 3f2a9c-1", "no object …"),
            ("deadline of 900 s passed", "deadline of … s passed"),
            (
                "the payload is not what \"gongkai.v1.report\" carries",
                "the payload is not what \"gongkai.….report\" carries",
            ),
            ("编码 360982 不存在", "编码 … 不存在"),
            ("", ""),
        ];
        for (cause, expected) in cases {
            assert_eq!(pattern(cause), expected);
        }
    }
}
