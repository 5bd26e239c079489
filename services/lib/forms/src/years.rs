//! Columns and rows of several years beside each other: 上年 and 本年, 2022年 and 2023年. The latest is the report's own.

use crate::{columns::Heading, read_cell::ReadCell};

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

/// Narrows each heading above columns of several years to the column of the latest.
pub(crate) fn narrow<'p, 'a: 'p>(headings: &mut [Heading], titles: impl Iterator<Item = &'p ReadCell<'a>>) {
    let years: Vec<(i32, u32, u32)> =
        titles.filter_map(|piece| Some((year(&piece.label)?, piece.start(), piece.end()))).collect();
    for heading in headings {
        let mut own: Vec<&(i32, u32, u32)> =
            years.iter().filter(|(_, start, end)| heading.start <= *start && *end <= heading.end).collect();
        own.sort_unstable();
        if let [.., before, last] = own.as_slice()
            && before.0 < last.0
        {
            (heading.start, heading.end) = (last.1, last.2);
        }
    }
}

/// Returns true if one column of two years is under a heading, and the other under none: the heading has lost a part of
/// its width.
pub(crate) fn are_apart<'p, 'a: 'p>(
    headings: &[Heading],
    titles: impl Iterator<Item = &'p ReadCell<'a>>,
) -> bool {
    let years: Vec<&ReadCell<'a>> = titles.filter(|piece| year(&piece.label).is_some()).collect();
    let (under, beside): (Vec<&ReadCell<'a>>, Vec<&ReadCell<'a>>) =
        years.into_iter().partition(|piece| headings.iter().any(|heading| heading.is_over(piece)));
    beside.iter().any(|piece| under.iter().any(|other| other.cell.row == piece.cell.row))
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
