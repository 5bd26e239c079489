//! Results as text for people, and as CSV.

use gongkai_check::{FindingLine, Line};

use crate::output::{Output, Style, clean};

const COLUMNS: [&str; 15] = [
    "file",
    "status",
    "agency",
    "year",
    "form",
    "rejection",
    "rule",
    "severity",
    "message",
    "message_en",
    "concept",
    "cause",
    "expected",
    "actual",
    "fingerprint",
];

/// Whether the header is written.
#[derive(Debug, Default)]
pub(super) struct CsvState {
    is_begun: bool,
}

/// Writes a document and its findings for people, in Chinese and English.
pub(super) fn write(out: &mut Output, line: &Line) -> std::io::Result<()> {
    let file = out.styled(Style::Bold, &clean(&line.file));
    if let Some(rejection) = &line.rejection {
        let code = out.styled(Style::Red, &rejection.code);
        out.line(format!("{file}  {code}  {}", clean(&rejection.message)))?;
        return out.line(format!("    {}", out.styled(Style::Dim, &clean(&rejection.message_en))));
    }
    let report = line.report.as_ref();
    let agency = report.map(|report| clean(&report.agency)).unwrap_or_default();
    let year = report.map(|report| report.year.to_string()).unwrap_or_default();
    let cells = report.map_or(0, |report| report.facts.len());
    let form = report.map(|report| report.form.as_str()).unwrap_or_default();
    let result = match line.findings.len() {
        0 => out.styled(Style::Green, "未发现疑点 / no findings"),
        count => format!("疑点{count}处 / {count} findings"),
    };
    out.line(format!("{file}  {agency}  {year}  （{form}格式 / form，{cells}项 / cells）  {result}"))?;
    for finding in &line.findings {
        let severity = severity(out, finding);
        out.line(format!("  {severity} {}  {}", finding.rule, clean(&finding.message)))?;
        out.line(format!("    {}", out.styled(Style::Dim, &clean(&finding.message_en))))?;
    }
    Ok(())
}

fn severity(out: &Output, finding: &FindingLine) -> String {
    let (word, style) = match finding.severity.as_str() {
        "ERROR" => ("错误", Style::Red),
        "WARNING" => ("警告", Style::Yellow),
        "REVIEW" => ("待核", Style::Bold),
        _ => ("提示", Style::Dim),
    };
    out.styled(style, &format!("{word} {:<7}", finding.severity))
}

// === impl CsvState ===

impl CsvState {
    /// Writes a line per finding, or one if there are none; the header before the first.
    pub(super) fn write(&mut self, out: &mut Output, line: &Line) -> anyhow::Result<()> {
        let mut writer = csv::Writer::from_writer(out);
        if !self.is_begun {
            writer.write_record(COLUMNS)?;
            self.is_begun = true;
        }
        if line.findings.is_empty() {
            writer.write_record(record(line, None))?;
        }
        for finding in &line.findings {
            writer.write_record(record(line, Some(finding)))?;
        }
        writer.flush()?;
        Ok(())
    }
}

fn record<'a>(line: &'a Line, finding: Option<&'a FindingLine>) -> [String; 15] {
    let report = line.report.as_ref();
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let status = if line.rejection.is_some() { "rejected" } else { "ok" };
    [
        line.file.clone(),
        status.to_owned(),
        text(report.map(|r| r.agency.as_str())),
        report.map(|r| r.year.to_string()).unwrap_or_default(),
        text(report.map(|r| r.form.as_str())),
        text(line.rejection.as_ref().map(|r| r.code.as_str())),
        text(finding.map(|f| f.rule.as_str())),
        text(finding.map(|f| f.severity.as_str())),
        text(finding.map(|f| f.message.as_str())),
        text(finding.map(|f| f.message_en.as_str())),
        text(finding.and_then(|f| f.concept.as_deref())),
        text(finding.and_then(|f| f.cause.as_deref())),
        text(finding.and_then(|f| f.expected.as_deref())),
        text(finding.and_then(|f| f.actual.as_deref())),
        text(finding.map(|f| f.fingerprint.as_str())),
    ]
}
