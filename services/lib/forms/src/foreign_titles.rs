//! Titles of columns that no form has: last year's numbers, percentages, ordinals.

/// Maximum length of such a title, in scalars.
const LONGEST: usize = 12;

/// Words that such a title begins with, or has anywhere.
const FIRST: [&str; 6] = ["上年", "去年", "上一年", "较上年", "占", "增幅"];
const ANYWHERE: [&str; 6] = ["占比", "比例", "百分比", "同比", "增减", "同期"];

/// The most usual ones.
pub(crate) const USUAL: [&str; 12] = [
    "上年数",
    "上年总计",
    "上年同期",
    "去年数",
    "去年总计",
    "去年同期",
    "同比增减",
    "同比",
    "占比",
    "比例",
    "百分比",
    "占总数比例",
];

/// Reads a title that is only a year. Of two years, the later one is greater.
pub(crate) fn year(label: &str) -> Option<i32> {
    match label {
        "本年" | "本年度" | "本年数" | "今年" | "当年" | "本期" => return Some(i32::MAX),
        "上年" | "上年度" | "上年数" | "上一年" | "上一年度" | "去年" | "上期" | "上年同期" | "去年同期" =>
        {
            return Some(i32::MAX - 1);
        }
        _ => {}
    }
    let digits = label.trim_end_matches("年度").trim_end_matches('年');
    digits.parse().ok().filter(|year| (2000..2100).contains(year))
}

/// Returns the year that a text begins with if nothing but years follows: 2022年2023年.
pub(crate) fn year_of_list(text: &str) -> Option<&str> {
    let (digits, rest) = text.split_once('年')?;
    let is_year = digits.len() == 4 && digits.starts_with("20") && digits.bytes().all(|b| b.is_ascii_digit());
    let goes_on = rest.is_empty() || year_of_list(rest).is_some();
    text.get(..digits.len() + '年'.len_utf8()).filter(|_| is_year && goes_on)
}

/// Returns true for such a title. The caller knows that it is no label of the form.
pub(crate) fn is_one(label: &str) -> bool {
    let is_short = label.chars().nth(LONGEST).is_none();
    is_short
        && (year(label).is_some()
            || is_of_year(label)
            || is_ordinal(label)
            || FIRST.iter().any(|word| label.starts_with(word))
            || ANYWHERE.iter().any(|word| label.contains(word)))
}

/// Returns true for titles of columns in one text, with such a title among them: 总计占比（%）.
pub(crate) fn are_joined_in(label: &str) -> bool {
    let has = |words: &[&str]| words.iter().any(|word| label.contains(word));
    has(&ANYWHERE) || has(&["上年", "去年", "序号"])
}

/// Returns true for the title of a column that counts the rows.
pub(crate) fn is_ordinal(label: &str) -> bool {
    matches!(label, "序号" | "行次" | "编号")
}

/// Returns true for a title with a year: 2023年总计.
fn is_of_year(label: &str) -> bool {
    let is_short = |rest: &str| rest.chars().nth(4).is_none() && !rest.ends_with('表');
    label.split_once('年').is_some_and(|(own, rest)| year(own).is_some() && is_short(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_are_in_order() {
        assert!(year("2022年") < year("2023") && year("2023年度") < year("上年"));
        assert!(year("上年") < year("本年"));
        assert_eq!(year("本年新收"), None);
        assert_eq!(year("1200"), None);
    }
}
