//! Masks personal data in findings: the log keeps every event for years. Fingerprints are computed before masking.

use std::borrow::Cow;

use gongkai_model::{Finding, masked};

/// Masks the texts of a finding.
pub(crate) fn finding(finding: &mut Finding) {
    let texts = [&mut finding.message, &mut finding.message_en, &mut finding.formula];
    let quoted = finding.source.as_mut().map(|source| &mut source.text);
    for text in texts.into_iter().chain(&mut finding.expected).chain(&mut finding.actual).chain(quoted) {
        if let Cow::Owned(masked) = masked(text) {
            *text = masked;
        }
    }
}
