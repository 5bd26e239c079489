//! `prose.doubles`: words written twice in a row: 樟树市樟树市, 的的, 。。.

use gongkai_model::is_han;

use crate::{check::Check, draft::Draft, input::Input, params::Params, prose::passage::Passage};

pub(crate) const CHECKS: &[Check] =
    &[Check::many("prose.doubles", &[("doubled", &["chapter", "quote", "expected"])], repeated)];

/// Maximum length of a repeated word, in characters.
const LONGEST: usize = 8;

/// Marks and particles that are never repeated in correct text.
const SINGLE: &str = "的了，。、；,;:";

/// Characters of legitimate reduplications: 一步一步, 逐条逐条, 越来越…, 研究研究.
const RHYTHM: &str = "一逐越再有不同各每层步点件个";

fn repeated(_: &Params, input: &Input<'_>) -> Vec<Draft> {
    // In chapters of tables, broken tables may leave their headers in the text.
    let is_free_prose = |passage: &&Passage<'_>| matches!(passage.chapter(), 0 | 1 | 5 | 6);
    input.prose.passages().iter().filter(is_free_prose).filter_map(first).collect()
}

fn first(passage: &Passage<'_>) -> Option<Draft> {
    let chars = passage.reading().chars();
    let (at, length) =
        (2..=LONGEST).rev().find_map(|length| doubled(chars, length)).or_else(|| particle(chars))?;
    let word: String = chars[at..at + length].iter().collect();
    Some(Draft::of_chars("doubled", passage, at..at + 2 * length).with("expected", word))
}

/// Returns the start and length of the first repeated word of the given length.
fn doubled(chars: &[char], length: usize) -> Option<(usize, usize)> {
    let again =
        |at: usize| at >= length && at < chars.len() && chars[at] == chars[at - length] && is_han(chars[at]);
    // Every repetition covers one index that is a multiple of its length, so only those are examined.
    for at in (length..chars.len()).step_by(length).filter(|at| again(*at)) {
        let before = (1..=length).take_while(|back| again(at - back)).count();
        let second = at - before;
        // A repetition that begins earlier was examined at the previous index.
        if before == length || !(second..second + length).all(again) {
            continue;
        }
        let word = &chars[second..second + length];
        // 人人人人 is one character four times, and so are the zeros of a number.
        let is_one = word.iter().all(|c| *c == word[0]);
        let is_rhythm = length == 2 && word.iter().any(|c| RHYTHM.contains(*c));
        if !(is_one || is_rhythm) {
            return Some((second - length, length));
        }
    }
    None
}

fn particle(chars: &[char]) -> Option<(usize, usize)> {
    let at = chars.windows(2).position(|pair| pair[0] == pair[1] && SINGLE.contains(pair[0]))?;
    // In 目的的确 and 真的的确, a word ends with the character that the next one begins with.
    let before = at.checked_sub(1).map(|before| chars[before]);
    let after = chars.get(at + 2);
    let is_word = chars[at] == '的' && (before == Some('目') || after == Some(&'确'));
    let is_end = chars[at] == '了' && after.is_some_and(|c| "解断如".contains(*c));
    (!is_word && !is_end).then_some((at, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubled_words_are_found_and_rhythm_is_not() {
        let check = |text: &str| {
            let chars: Vec<char> = text.chars().collect();
            (2..=LONGEST).rev().find_map(|n| doubled(&chars, n)).or_else(|| particle(&chars)).is_some()
        };
        for text in [
            "请与樟树市樟树市行政服务中心",
            "公开信息信息77条",
            "组织𠮷村𠮷村群众",
            "㙍头㙍头镇",
            "做好的的工作",
            "完成。。",
        ] {
            assert!(check(text), "{text}");
        }
        for text in [
            "一步一步推进",
            "认认真真",
            "目的的实现",
            "逐条逐条落实",
            "越来越好",
            "方方面面",
            "了了解解",
            "时时刻刻",
        ] {
            assert!(!check(text), "{text}");
        }
    }
}
