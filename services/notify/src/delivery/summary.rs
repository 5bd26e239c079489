//! One sentence about an alert, in Chinese and in English.

use gongkai_model::Severity;
use gongkai_proto::{convert::finding::severity, v1};

/// A sentence in both languages.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SummaryText {
    pub(super) message: String,
    pub(super) message_en: String,
}

/// Returns true if the alert is resolved.
#[must_use]
pub(super) fn is_resolved(alert: &v1::Alert) -> bool {
    alert.state() == v1::AlertState::Resolved
}

/// Returns the public name of a severity.
#[must_use]
pub(super) fn severity_name(wire: i32) -> &'static str {
    severity(wire).map_or("UNSPECIFIED", Severity::as_str)
}

/// Returns the most severe finding of the alert and the number of failed checks.
#[must_use]
pub(super) fn problem(alert: &v1::Alert) -> SummaryText {
    let heaviest = alert.findings.iter().max_by_key(|finding| finding.severity);
    let (first, first_en) = heaviest.map_or(("", ""), |finding| (&finding.message, &finding.message_en));
    let count = alert.findings.len();
    let (more, more_en) = match count {
        0 | 1 => (String::new(), String::new()),
        _ => {
            (format!("（共{count}项检查不符，同一原因）"), format!(" ({count} failed checks with one cause)"))
        }
    };
    SummaryText { message: format!("{first}{more}"), message_en: format!("{first_en}{more_en}") }
}

/// Summarises the alert in one sentence: agency, year, the most severe finding and the number of failed checks.
#[must_use]
pub(super) fn summary(alert: &v1::Alert) -> SummaryText {
    let (agency, year) = (&alert.agency_name, alert.year);
    let SummaryText { message, message_en } = problem(alert);
    if !is_resolved(alert) {
        return SummaryText {
            message: format!("{agency}{year}年度报告：{message}"),
            message_en: format!("{agency}, {year}: {message_en}"),
        };
    }
    match alert.resolution() {
        v1::AlertResolution::Waived => SummaryText {
            message: format!("经核实无须整改（销号）：{agency}{year}年度报告：{message}"),
            message_en: format!("waived: {agency}, {year}: {message_en}"),
        },
        v1::AlertResolution::Erased => SummaryText {
            message: format!("已删除：{agency}{year}年度报告已依申请删除，本提醒随之撤销"),
            message_en: format!("erased: {agency}, {year}: the report was erased on demand"),
        },
        v1::AlertResolution::Gone | v1::AlertResolution::Unspecified => SummaryText {
            message: format!("已解决：{agency}{year}年度报告：{message}"),
            message_en: format!("resolved: {agency}, {year}: {message_en}"),
        },
    }
}
