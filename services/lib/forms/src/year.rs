//! Years in texts: `2023年`, `2023年度`, `二〇二三年`.

/// Finds the first year in a text. Returns it with the text before it and the text after it.
pub(crate) fn split_year(text: &str) -> (Option<i32>, &str, &str) {
    for (at, _) in text.char_indices() {
        let rest = text.get(at..).unwrap_or_default();
        let Some((year, length)) = year_at(rest) else { continue };
        let before = text.get(..at).unwrap_or_default();
        if before.ends_with(|c: char| c.is_ascii_digit()) {
            continue;
        }
        let behind = rest.get(length..).unwrap_or_default();
        let behind = behind.strip_prefix("年度").filter(|b| !b.starts_with("报告")).unwrap_or(behind);
        return (Some(year), before, behind.strip_prefix('年').unwrap_or(behind));
    }
    (None, text, "")
}

/// Returns the year if the text consists only of a year: `（2023年）`, `(2023年度)`, `2023年`.
pub(crate) fn year_alone(text: &str) -> Option<i32> {
    let bare = text.trim_matches(['（', '）', '(', ')', '〔', '〕', '[', ']', '【', '】']);
    let (year, before, behind) = split_year(bare);
    let said = bare.ends_with(['年', '度']);
    year.filter(|_| said && before.is_empty() && matches!(behind, "" | "年度" | "度"))
}

/// Reads a year at the start of a text. Returns its value and its length in bytes.
pub(crate) fn year_at(text: &str) -> Option<(i32, usize)> {
    let mut year = 0i32;
    let mut length = 0;
    for c in text.chars().take(4) {
        let digit = match c {
            '〇' | '○' | '零' | 'Ｏ' | 'O' => 0,
            '0'..='9' | '０'..='９' => i32::try_from(c.to_digit(10).or_else(|| wide_digit(c))?).ok()?,
            _ => i32::try_from("一二三四五六七八九".chars().position(|d| d == c)?).ok()? + 1,
        };
        year = year * 10 + digit;
        length += c.len_utf8();
    }
    let rest = text.get(length..)?;
    let known = (2007..=2099).contains(&year) && !rest.starts_with(|c: char| c.is_ascii_digit());
    known.then_some((year, length))
}

fn wide_digit(c: char) -> Option<u32> {
    u32::from(c).checked_sub(0xff10).filter(|digit| *digit < 10)
}
