//! Finds a quotation in a text, without regard to white space.
//!
//! Findings mask personal data, so a `*` of a quotation stands for any one character.

/// Returns the index of the first and of the last character of the quotation's occurrence number `nth` (from 0), or
/// `None` if there are not as many. Occurrences do not overlap.
pub(crate) fn find(text: &[char], quotation: &str, nth: usize) -> Option<(usize, usize)> {
    let wanted: Vec<char> = quotation.chars().filter(|c| !c.is_whitespace()).map(plain).collect();
    if wanted.is_empty() {
        return None;
    }
    let (mut from, mut seen) = (0, 0);
    while from < text.len() {
        match matches_at(text, from, &wanted) {
            Some(last) if seen == nth => return Some((from, last)),
            Some(last) => (from, seen) = (last + 1, seen + 1),
            None => from += 1,
        }
    }
    None
}

/// Returns the index of the last character if the quotation begins at `from`.
fn matches_at(text: &[char], from: usize, wanted: &[char]) -> Option<usize> {
    let mut wanted = wanted.iter().peekable();
    for (at, c) in text.iter().enumerate().skip(from) {
        if c.is_whitespace() {
            if at == from {
                return None;
            }
            continue;
        }
        let expected = wanted.next()?;
        if *expected != '*' && *expected != plain(*c) {
            return None;
        }
        if wanted.peek().is_none() {
            return Some(at);
        }
    }
    None
}

/// Returns the half-width form of a character, because some rules quote that.
fn plain(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, quotation: &str, nth: usize, expect: Option<&str>) {
        let chars: Vec<char> = text.chars().collect();
        let found = find(&chars, quotation, nth).map(|(first, last)| chars[first..=last].iter().collect());
        assert_eq!(found, expect.map(str::to_owned), "{quotation} in {text}");
    }

    #[test]
    fn a_quotation_is_found_whatever_its_spaces_widths_and_masks() {
        check("全年 公开\n77 条，77 条。", "公开77条", 0, Some("公开\n77 条"));
        check("全年公开７７条", "77条", 0, Some("７７条"));
        check("电话13812341234。", "138****1234", 0, Some("13812341234"));
        check("甲乙甲乙", "甲乙", 1, Some("甲乙"));
        check("甲乙甲乙", "甲乙", 2, None);
        check("甲乙", "甲乙丙", 0, None);
        check("甲乙", " ", 0, None);
    }
}
