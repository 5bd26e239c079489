//! Years in texts: `2023年`, `2023年度`, `二〇二三年`.

/// Finds the year in a text: the first one before 年, else the first one that is not inside a name, such as
/// 第2010办公室. Returns it with the text before it and the text after it.
pub(crate) fn split_year(text: &str) -> (Option<i32>, &str, &str) {
    let said = four_digits(text).find(|(_, _, behind)| behind.starts_with(['年', '度']));
    let found = said.or_else(|| four_digits(text).find(|(_, before, behind)| stands_apart(before, behind)));
    let Some((year, before, behind)) = found else { return (None, text, "") };
    let behind = behind.strip_prefix("年度").filter(|b| !b.starts_with("报告")).unwrap_or(behind);
    (Some(year), before, behind.strip_prefix('年').unwrap_or(behind))
}

/// Returns the years that a text speaks of. Days, numbers of documents, documents in 《》 and years for comparison are
/// no such years.
pub(crate) fn mentioned(text: &str) -> Vec<i32> {
    let of_another = |before: &str| {
        before.rfind('《') > before.rfind('》')
            || ["较", "比", "与", "去年", "上年"].iter().any(|w| before.ends_with(w))
    };
    let said = |behind: &str| {
        let is_day = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit()) && year_at(rest).is_none();
        behind.strip_prefix('年').is_some_and(|rest| !is_day(rest))
    };
    let years = four_digits(text).filter(|(_, before, behind)| said(behind) && !of_another(before));
    years.map(|(year, _, _)| year).collect()
}

/// Returns all numbers that can be years, with the text before and after each.
fn four_digits(text: &str) -> impl Iterator<Item = (i32, &str, &str)> {
    text.char_indices().filter_map(move |(at, _)| {
        let (before, rest) = text.split_at(at);
        let (year, length) = year_at(rest)?;
        let is_tail = before.ends_with(|c: char| c.is_ascii_digit());
        (!is_tail).then_some((year, before, rest.get(length..)?))
    })
}

/// Returns true if a year without 年 is at either end of the text, beside a sign, or before the subject of a title.
fn stands_apart(before: &str, behind: &str) -> bool {
    let subjects = ["政府信息", "政务", "信息公开", "政府资讯", "资讯公开"];
    let opens = before.chars().next_back().is_none_or(|c| !c.is_alphanumeric());
    let closes = behind.chars().next().is_none_or(|c| !c.is_alphanumeric());
    opens || closes || subjects.iter().any(|subject| behind.starts_with(subject))
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
            _ => {
                let digit = |all: &str| all.chars().position(|d| d == c);
                i32::try_from(digit("一二三四五六七八九").or_else(|| digit("壹贰叁肆伍陆柒捌玖"))?).ok()? + 1
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_that_a_text_speaks_of_are_told_from_others() {
        for (text, years) in [
            ("2023年公开信息68条，较2022年增加3条", vec![2023]),
            ("按照《2024年政务公开工作要点》，二〇二三年度公开", vec![2023]),
            ("2024年1月12日发布，国办函〔2021〕30号", vec![]),
            ("2024年2023年2022年", vec![2024, 2023, 2022]),
        ] {
            assert_eq!(mentioned(text), years, "{text}");
        }
    }

    #[test]
    fn four_digits_in_a_name_are_no_year() {
        for (text, year, before, behind) in [
            ("望江县第2010办公室2023年政府信息", Some(2023), "望江县第2010办公室", "政府信息"),
            ("望江县第2010办公室政府信息", None, "望江县第2010办公室政府信息", ""),
            ("云川市水务局2023政府信息", Some(2023), "云川市水务局", "政府信息"),
            ("2023云川市水务局", Some(2023), "", "云川市水务局"),
            ("云川市水务局（2023）", Some(2023), "云川市水务局（", "）"),
            ("云川市8341部队二〇二二年度", Some(2022), "云川市8341部队", ""),
        ] {
            assert_eq!(split_year(text), (year, before, behind), "{text}");
        }
    }
}
