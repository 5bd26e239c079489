//! Personal data in quotations: the log is append-only, so it never holds any.
//!
//! Mobile numbers keep three digits in front and four behind (138****1234, as published reports mask them), identity
//! numbers (居民身份证号) six and four.

use std::sync::LazyLock;

use gongkai_model::Finding;
use regex::{Captures, Regex};

/// A run of 11 to 18 digits, the last perhaps an X.
static LONG_NUMBER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\d{10,17}[\dXx]").expect("the pattern is constant"));

/// Masks what a finding says or quotes. Formulas and operands hold names of cells and counts, no quotations.
pub fn finding(finding: &mut Finding) {
    finding.message = masked(&finding.message);
    finding.message_en = masked(&finding.message_en);
    if let Some(source) = &mut finding.source {
        source.text = masked(&source.text);
    }
}

/// The text with mobile and identity numbers masked.
#[must_use]
pub fn masked(text: &str) -> String {
    let mask = |found: &Captures<'_>| {
        let number = &found[0];
        match number.len() {
            11 if number.starts_with('1') => format!("{}****{}", &number[..3], &number[7..]),
            18 => format!("{}********{}", &number[..6], &number[14..]),
            _ => number.to_owned(),
        }
    };
    LONG_NUMBER.replace_all(text, mask).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_people_are_masked_and_others_stay() {
        for (text, expected) in [
            ("联系电话13812345678。", "联系电话138****5678。"),
            ("身份证360102199003071234", "身份证360102********1234"),
            ("身份证36010219900307123X", "身份证360102********123X"),
            ("全年公开11398889条", "全年公开11398889条"),
            ("收费98765432101元", "收费98765432101元"),
            ("文号20231234567890", "文号20231234567890"),
        ] {
            assert_eq!(masked(text), expected);
        }
    }
}
