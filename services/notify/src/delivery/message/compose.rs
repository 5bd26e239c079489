//! Writes the message about the letters of an envelope: about one report, or a digest of many.

use std::{cmp::Reverse, collections::BTreeMap};

use gongkai_model::Severity;
use gongkai_proto::{convert::finding::severity, v1};
use serde::Deserialize;

use super::{
    super::{
        deadline_text,
        letter::Envelope,
        notice::Notice,
        summary::{is_resolved, problem},
    },
    Line, Link, Message,
    language::{Language, ReportUrl},
    plain,
};

/// Maximum number of lines that a person reads.
const MAX_LINES: usize = 30;
/// Maximum number of trace ids in a message.
const MAX_TRACES: usize = 3;

/// Writes the messages of a subscription.
#[derive(Debug, Clone, Default)]
pub(crate) struct Composer {
    pub(crate) language: Language,
    /// The address of a report's page, if the operator has such pages.
    pub(crate) report_url: Option<ReportUrl>,
}

/// The alerts of one report.
struct OfReport<'a>(Vec<&'a v1::Alert>);

/// What a message says of a receipt.
#[derive(Deserialize)]
struct Receipt {
    #[serde(default)]
    rejection: Option<Rejection>,
}

#[derive(Deserialize)]
struct Rejection {
    #[serde(default)]
    message: String,
}

// === impl Composer ===

impl Composer {
    /// Writes the message about the letters.
    pub(crate) fn compose(&self, envelope: &Envelope<'_>) -> Message {
        let mut reports: BTreeMap<&str, OfReport<'_>> = BTreeMap::new();
        let (mut rejected, mut deadlines) = (Vec::new(), Vec::new());
        for letter in envelope.letters() {
            match letter.notice {
                Notice::Alert(alert) => {
                    reports.entry(&alert.report).or_insert_with(|| OfReport(Vec::new())).0.push(alert);
                }
                Notice::Ended(ended) => rejected.push(&**ended),
                Notice::Deadline(notice) => deadlines.push(&**notice),
            }
        }
        let mut reports: Vec<_> = reports.into_values().collect();
        reports.sort_by_key(|report| Reverse(report.weight()));
        let message = match (reports.as_slice(), rejected.as_slice(), deadlines.as_slice()) {
            ([report], [], []) => self.of_report(report),
            ([], [], deadlines) => self.of_deadlines(deadlines),
            _ => self.digest(&reports, &rejected).with(self.of_deadlines(&deadlines)),
        };
        let traces = envelope.letters().iter().map(|letter| letter.context.trace_id.as_str());
        let remark = Some(envelope.cancelled()).filter(|count| *count > 0);
        let remark = remark.map(|count| self.language.cancelled(count));
        Message { traces: distinct(traces), remark, ..message.up_to(MAX_LINES) }
    }

    /// Returns the URL of the page about an alert: that of the report, or else the published one.
    pub(crate) fn page(&self, alert: &v1::Alert) -> Option<String> {
        self.report_page(alert).or_else(|| self.published(alert)).map(|link| link.url)
    }

    fn report_page(&self, alert: &v1::Alert) -> Option<Link> {
        let url = self.report_url.as_ref()?.of(&alert.report)?;
        Link::new(self.language.choose("查看报告", "report"), &url)
    }

    fn published(&self, alert: &v1::Alert) -> Option<Link> {
        Link::new(self.language.choose("原文", "as published"), &alert.url)
    }

    fn of_report(&self, report: &OfReport<'_>) -> Message {
        let language = self.language;
        let counts = report.counts(language);
        let of = report.named(language);
        let mut alerts = report.0.clone();
        alerts.sort_by_key(|alert| (is_resolved(alert), Reverse(alert.severity)));
        let line = |alert: &&v1::Alert| Line::new(language.label(alert), &self.text(alert), 1);
        let page = report.0.first().and_then(|alert| self.report_page(alert));
        let published = report.0.iter().rev().find_map(|alert| self.published(alert));
        Message {
            severity: report.severity(),
            title: plain(&language.choose(format!("{of}报告：{counts}"), format!("{of}: {counts}"))),
            lines: alerts.iter().map(line).collect(),
            links: page.into_iter().chain(published).collect(),
            ..Message::empty(language)
        }
    }

    /// Writes the message about deadlines only: missing reports first, then those that came late, then reminders.
    fn of_deadlines(&self, notices: &[&v1::DeadlineNotice]) -> Message {
        let language = self.language;
        let state = |notice: &v1::DeadlineNotice| {
            let state = deadline_text::state(notice);
            language.choose(state.message, state.message_en)
        };
        let kinds =
            [v1::DeadlineNoticeKind::Missing, v1::DeadlineNoticeKind::Late, v1::DeadlineNoticeKind::Reminder];
        let of = |kind| notices.iter().copied().filter(move |notice| notice.kind() == kind);
        let counts = language.counted(kinds.map(|kind| (language.deadline(kind), of(kind).count())));
        let title = match notices {
            [one] => {
                let sentence = deadline_text::sentence(one);
                language.choose(sentence.message, sentence.message_en)
            }
            _ => language.choose(
                format!("年度报告公布期限：{counts}"),
                format!("deadlines of annual reports: {counts}"),
            ),
        };
        let line = |notice: &v1::DeadlineNotice| {
            let label = format!("{} {}{}", language.deadline(notice.kind()), notice.agency_name, notice.year);
            Line::new(&label, &state(notice), 1)
        };
        let severity = of(v1::DeadlineNoticeKind::Missing).next().map(|_| Severity::Warning);
        Message {
            severity,
            title: plain(&title),
            lines: kinds.into_iter().flat_map(of).map(line).collect(),
            ..Message::empty(language)
        }
    }

    fn digest(&self, reports: &[OfReport<'_>], rejected: &[&v1::SubmissionEnded]) -> Message {
        let language = self.language;
        let all = OfReport(reports.iter().flat_map(|report| report.0.iter().copied()).collect());
        let rejections = (language.choose("退回", "rejected"), rejected.len());
        let counts = language.counted(all.kinds(language).into_iter().chain([rejections]));
        let title = match reports.len() {
            0 => language.choose(format!("报送未通过：{counts}"), format!("submissions: {counts}")),
            count => language.choose(
                format!("年度报告核查汇总：{count}份报告，{counts}"),
                format!("{count} annual reports: {counts}"),
            ),
        };
        let of_report = |report: &OfReport<'_>| {
            let counts = report.counts(language);
            let text = report.heaviest().map(|alert| self.text(alert)).filter(|text| !text.is_empty());
            let text = [counts].into_iter().chain(text).collect::<Vec<_>>().join(language.choose("；", "; "));
            Line::new(&report.named(language), &text, report.0.len())
        };
        let rejection = |ended: &&v1::SubmissionEnded| Line::new(rejections.0, &reason(ended), 1);
        Message {
            severity: all.severity(),
            title: plain(&title),
            lines: reports.iter().map(of_report).chain(rejected.iter().map(rejection)).collect(),
            ..Message::empty(language)
        }
    }

    /// Returns what is wrong, in one sentence; of an erased report nothing is quoted.
    fn text(&self, alert: &v1::Alert) -> String {
        if is_resolved(alert) && alert.resolution() == v1::AlertResolution::Erased {
            return self.language.choose("报告已依申请删除", "the report was erased on demand").to_owned();
        }
        let problem = problem(alert);
        self.language.choose(problem.message, problem.message_en)
    }
}

// === impl OfReport ===

impl<'a> OfReport<'a> {
    /// Returns the number of open alerts by severity, heaviest first, then that of all. Reports are compared by it.
    fn weight(&self) -> (Vec<usize>, usize) {
        let severities = Severity::ALL.iter().rev();
        (severities.map(|severity| self.open(*severity).count()).collect(), self.0.len())
    }

    fn open(&self, of: Severity) -> impl Iterator<Item = &'a v1::Alert> {
        self.0.iter().copied().filter(move |alert| !is_resolved(alert) && severity(alert.severity) == Ok(of))
    }

    fn severity(&self) -> Option<Severity> {
        Severity::ALL.iter().rev().copied().find(|severity| self.open(*severity).next().is_some())
    }

    fn heaviest(&self) -> Option<&'a v1::Alert> {
        let weight = |alert: &&&v1::Alert| (!is_resolved(alert), alert.severity);
        self.0.iter().rev().max_by_key(weight).copied()
    }

    /// Returns the kinds of alerts, open ones by severity and heaviest first, with their numbers.
    fn kinds(&self, language: Language) -> Vec<(&'static str, usize)> {
        let open = Severity::ALL.iter().rev();
        let mut kinds: Vec<_> =
            open.map(|severity| (language.severity(*severity), self.open(*severity).count())).collect();
        for alert in self.0.iter().filter(|alert| is_resolved(alert)) {
            let label = language.label(alert);
            match kinds.iter_mut().find(|(kind, _)| *kind == label) {
                Some((_, count)) => *count += 1,
                None => kinds.push((label, 1)),
            }
        }
        kinds
    }

    fn counts(&self, language: Language) -> String {
        language.counted(self.kinds(language))
    }

    /// Names the report, as in 樟树市2023年度.
    fn named(&self, language: Language) -> String {
        let Some(alert) = self.0.first() else { return String::new() };
        let (agency, year) = (&alert.agency_name, alert.year);
        language.choose(format!("{agency}{year}年度"), format!("{agency}, {year}"))
    }
}

// === impl Message ===

impl Message {
    /// Adds the lines of another message, and its title unless it has no lines.
    fn with(mut self, other: Self) -> Self {
        if !other.lines.is_empty() {
            self.title = format!("{}；{}", self.title, other.title);
        }
        self.severity = self.severity.max(other.severity);
        self.lines.extend(other.lines);
        self
    }

    fn empty(language: Language) -> Self {
        Self {
            severity: None,
            title: String::new(),
            lines: Vec::new(),
            left_out: 0,
            remark: None,
            links: Vec::new(),
            traces: Vec::new(),
            language,
        }
    }
}

/// Returns why a submission was rejected.
fn reason(ended: &v1::SubmissionEnded) -> String {
    let receipt: Option<Receipt> = serde_json::from_str(&ended.receipt).ok();
    let message = receipt.and_then(|receipt| receipt.rejection).map(|rejection| rejection.message);
    let (site, code) = (&ended.sender_site, &ended.rejection_code);
    [site, &ended.submission_id, code, &message.unwrap_or_default()]
        .into_iter()
        .filter(|part| !part.is_empty())
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(" ")
}

fn distinct<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::new();
    for text in texts.filter(|text| !text.is_empty()) {
        if distinct.len() < MAX_TRACES && distinct.iter().all(|known| known != text) {
            distinct.push(text.to_owned());
        }
    }
    distinct
}
