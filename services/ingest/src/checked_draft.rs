//! The result of a dry run in its two forms: the JSON line of `gongkai check`, and the answer of `CheckReport`.

use gongkai_check::{CheckLine, Checked, NotCheckedLine, PartLine};
use gongkai_model::{Finding, Part, Rejection, ReportKey, Section, Summary, Versions};
use gongkai_proto::v1;
use gongkai_worker::trace;

use crate::submission::Submission;

/// A draft with the findings of the rules.
pub struct CheckedDraft {
    pub submission: Submission,
    /// The report and the key that it would be published under, or why it would be rejected.
    pub outcome: Result<(ReportKey, Checked), Rejection>,
    /// The files; empty if the draft is one file.
    pub parts: Vec<Part>,
    /// The identity that the content would have as a revision; empty without a report.
    pub content_hash: String,
    /// The comparisons that could not be made.
    pub not_checked: Option<NotCheckedLine>,
    /// Versions of the program and its rules.
    pub versions: Versions,
}

// === impl CheckedDraft ===

impl CheckedDraft {
    /// Returns the JSON line. It contains the file name of the submission, or `-` if it has none.
    #[must_use]
    pub fn line(&self) -> CheckLine {
        let file = match self.submission.content.filename.as_str() {
            "" => "-",
            name => name,
        };
        let checked = self.outcome.as_ref().map(|(_, checked)| checked);
        let line = CheckLine::of(file, checked, &self.versions);
        let parts = self.parts.iter().map(PartLine::from).collect();
        CheckLine { parts, not_checked: self.not_checked.iter().cloned().collect(), ..line }
    }

    /// Returns the answer of `CheckReport`.
    #[must_use]
    pub fn response(&self) -> v1::CheckReportResponse {
        let not_checked = |part: &NotCheckedLine| v1::NotChecked {
            code: part.code.clone(),
            message: part.message.clone(),
            message_en: part.message_en.clone(),
            rules: part.rules.clone(),
        };
        let answer = v1::CheckReportResponse {
            not_checked: self.not_checked.iter().map(not_checked).collect(),
            versions: Some((&self.versions).into()),
            parts: self.parts.iter().map(Into::into).collect(),
            ..v1::CheckReportResponse::default()
        };
        match &self.outcome {
            Ok((key, checked)) => v1::CheckReportResponse {
                report: Some(self.report(key, checked)),
                findings: checked.findings.iter().map(|finding| of_report(key, finding)).collect(),
                left_out: checked.left_out.iter().map(ToString::to_string).collect(),
                ..answer
            },
            Err(rejection) => {
                v1::CheckReportResponse { rejection: Some(v1::Rejection::from(rejection)), ..answer }
            }
        }
    }

    fn report(&self, key: &ReportKey, checked: &Checked) -> v1::Report {
        let declared = &self.submission.declared;
        let report = &checked.reading.report;
        let section = |section: &Section| v1::Section {
            number: section.number,
            title: section.title.clone(),
            text: section.text(),
        };
        v1::Report {
            name: key.to_string(),
            agency: format!("agencies/{}", key.agency),
            agency_name: report.agency.clone(),
            year: report.year,
            form: report.form.to_string(),
            variant: report.variant.as_str().to_owned(),
            title: report.title.clone(),
            // A draft is not a revision of the report.
            revision: 0,
            content_hash: self.content_hash.clone(),
            published_at: declared.published_at,
            received_at: None,
            sections: report.sections.iter().map(section).collect(),
            facts: report.facts.iter().map(Into::into).collect(),
            findings_summary: Some(Summary::of(&checked.findings).into()),
            trace_id: trace::current_trace_id(),
            preamble: report.preamble_text(),
            versions: Some((&self.versions).into()),
            url: declared.url.clone(),
            withdrawn: false,
            media_type: checked.reading.media_type.as_str().to_owned(),
            region: declared.region().to_string(),
            event_time: declared.event_time,
            review: declared.review.clone(),
        }
    }
}

fn of_report(key: &ReportKey, finding: &Finding) -> v1::Finding {
    v1::Finding { report: key.to_string(), trace_id: trace::current_trace_id(), ..v1::Finding::from(finding) }
}
