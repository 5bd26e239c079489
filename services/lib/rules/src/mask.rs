//! Masks personal data in findings: no output repeats it, and the log keeps every event for years.
//!
//! Mobile numbers become `138****1234`, identity numbers `360982********123X`. Half-width and full-width digits count
//! alike. Fingerprints are computed before masking.

use gongkai_model::Finding;

/// Masks the texts of a finding.
pub(crate) fn finding(finding: &mut Finding) {
    let texts = [&mut finding.message, &mut finding.message_en, &mut finding.formula];
    let quoted = finding.source.as_mut().map(|source| &mut source.text);
    for text in texts.into_iter().chain(&mut finding.expected).chain(&mut finding.actual).chain(quoted) {
        if let Some(masked) = masked(text) {
            *text = masked;
        }
    }
}

/// Returns the text with personal data masked, or `None` if it has none.
#[must_use]
pub(crate) fn masked(text: &str) -> Option<String> {
    let mut chars: Vec<char> = text.chars().collect();
    let mut is_changed = false;
    let mut at = 0;
    while at < chars.len() {
        let run = chars[at..].iter().take_while(|c| digit(**c).is_some()).count();
        let has_check = chars.get(at + run).is_some_and(|c| matches!(c, 'X' | 'x' | 'Ｘ' | 'ｘ'));
        if let Some(hidden) = hidden(&chars[at..at + run], has_check) {
            chars[at + hidden.start..at + hidden.end].fill('*');
            is_changed = true;
        }
        at += run.max(1);
    }
    is_changed.then(|| chars.into_iter().collect())
}

/// Returns the part of a run of digits that is masked.
fn hidden(run: &[char], has_check: bool) -> Option<std::ops::Range<usize>> {
    let is_mobile = run.len() == 11
        && digit(run[0]) == Some(1)
        && digit(run[1]).is_some_and(|second| (3..=9).contains(&second));
    if is_mobile {
        return Some(3..7);
    }
    let is_identity = run.len() == 18 || (run.len() == 17 && has_check);
    is_identity.then_some(6..14)
}

fn digit(c: char) -> Option<u32> {
    match c {
        '０'..='９' => Some(u32::from(c) - u32::from('０')),
        _ => c.to_digit(10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn personal_data_is_hidden_and_nothing_else() {
        let cases = [
            ("联系电话：13812341234。", "联系电话：138****1234。"),
            ("13812341234、15900001111", "138****1234、159****1111"),
            ("１３８１２３４１２３４", "１３８****１２３４"),
            ("身份证360982199001011234号", "身份证360982********1234号"),
            ("36098219900101123X", "360982********123X"),
            ("电话13812341234转", "电话138****1234转"),
        ];
        for (text, expected) in cases {
            assert_eq!(masked(text).as_deref(), Some(expected));
        }
        for text in [
            "",
            "0799-6611023",
            "收到申请12345678901234件",
            "23812341234",
            "138123412345",
            "2023年",
            "１２３456789012",
            "文号20231234567890",
            "收费98765432101元",
        ] {
            assert_eq!(masked(text), None, "{text}");
        }
    }
}
