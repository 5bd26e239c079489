//! The words of messages, in Chinese and in English, and the address of a report's page.

use anyhow::ensure;
use gongkai_model::{ReportKey, Severity};
use gongkai_proto::{convert::finding::severity, v1};
use reqwest::Url;
use serde::{Deserialize, Serialize};

/// The language of messages to people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Chinese.
    #[default]
    Zh,
    /// English.
    En,
}

/// The address of a report's page, with `{agency}` and `{year}` in the place of their values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReportUrl(String);

// === impl Language ===

impl Language {
    pub(super) fn choose<T>(self, zh: T, en: T) -> T {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }

    /// Returns the tag of BCP 47.
    pub(super) fn tag(self) -> &'static str {
        self.choose("zh-CN", "en")
    }

    pub(super) fn severity(self, severity: Severity) -> &'static str {
        self.choose(severity.chinese(), severity.as_str())
    }

    pub(super) fn remainder(self, items: usize) -> String {
        self.choose(format!("另有{items}项未列出"), format!("{items} more not listed"))
    }

    pub(super) fn cancelled(self, alerts: usize) -> String {
        self.choose(
            format!("期间发现、又已解决的{alerts}项不再列出"),
            format!("{alerts} found and resolved meanwhile are left out"),
        )
    }

    /// Returns the label of an alert: its severity, or how it ended.
    pub(super) fn label(self, alert: &v1::Alert) -> &'static str {
        if alert.state() != v1::AlertState::Resolved {
            return severity(alert.severity).map_or("", |severity| self.severity(severity));
        }
        match alert.resolution() {
            v1::AlertResolution::Waived => self.choose("已销号", "waived"),
            v1::AlertResolution::Erased => self.choose("已删除", "erased"),
            v1::AlertResolution::Gone | v1::AlertResolution::Unspecified => self.choose("已解决", "resolved"),
        }
    }

    /// Returns the label of a notice about a deadline.
    pub(super) fn deadline(self, kind: v1::DeadlineNoticeKind) -> &'static str {
        match kind {
            v1::DeadlineNoticeKind::Missing => self.choose("逾期未公布", "missing"),
            v1::DeadlineNoticeKind::Late => self.choose("逾期公布", "late"),
            v1::DeadlineNoticeKind::Reminder => self.choose("即将到期", "due"),
            v1::DeadlineNoticeKind::Unspecified => self.choose("期限", "deadline"),
        }
    }

    /// Returns a list of counted kinds, such as 必须整改2项、已解决1项.
    pub(super) fn counted<'a>(self, counts: impl IntoIterator<Item = (&'a str, usize)>) -> String {
        let counts = counts.into_iter().filter(|(_, count)| *count > 0);
        let counts = counts.map(|(kind, count)| match self {
            Self::Zh => format!("{kind}{count}项"),
            Self::En => format!("{count} {kind}"),
        });
        counts.collect::<Vec<_>>().join(self.choose("、", ", "))
    }
}

// === impl ReportUrl ===

impl ReportUrl {
    /// Checks a template.
    ///
    /// # Errors
    /// It is not a URL of the web with the place of the agency.
    pub(crate) fn new(template: &str) -> anyhow::Result<Self> {
        let is_web = Url::parse(&template.replace(['{', '}'], ""))
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        ensure!(
            is_web && template.contains("{agency}"),
            "must be an http or https URL with {{agency}} in it"
        );
        Ok(Self(template.to_owned()))
    }

    /// Returns the address of a report, or `None` if the text is no report's name.
    pub(super) fn of(&self, report: &str) -> Option<String> {
        let key: ReportKey = report.parse().ok()?;
        let url =
            self.0.replace("{agency}", &key.agency.to_string()).replace("{year}", &key.year.to_string());
        Some(url)
    }
}
