//! Results as text for people: one document after another, its weightiest finding first, and a line that sums up.

use gongkai_check::{CauseGroup, CheckLine, FindingLine, ReportLine, by_cause};
use gongkai_model::Severity;

use super::{
    lang::Lang,
    wrap::{width, wrap},
};
use crate::printer::{Emphasis, Printer, clean};

/// Indent of the lines that continue a finding.
const INDENT: usize = 4;

/// Writes documents, and counts them and their findings.
#[derive(Debug)]
pub(super) struct TextWriter {
    lang: Lang,
    documents: usize,
    rejected: usize,
    counts: FindingTotals,
}

/// Number of findings by severity.
#[derive(Debug, Clone, Copy, Default)]
struct FindingTotals([usize; 4]);

impl TextWriter {
    pub(super) fn new(lang: Lang) -> Self {
        Self { lang, documents: 0, rejected: 0, counts: FindingTotals::default() }
    }

    /// Writes a document and its findings. Findings of one cause are one line.
    pub(super) fn write(&mut self, out: &mut Printer, line: &CheckLine) -> std::io::Result<()> {
        self.documents += 1;
        let file = out.styled(Emphasis::Bold, &clean(&line.file));
        if let Some(rejection) = &line.rejection {
            self.rejected += 1;
            let code = out.styled(Emphasis::Red, &rejection.code);
            out.line(format!("{file}  {code}"))?;
            let message = clean(self.lang.choose(&rejection.message, &rejection.message_en));
            return out.line(format!("{}{}", " ".repeat(INDENT), wrap(&message, INDENT, INDENT)));
        }
        let groups = by_cause(&line.findings);
        let mut counts = FindingTotals::default();
        groups.iter().for_each(|group| counts.add(group.first));
        self.counts.join(counts);
        out.line(file)?;
        if let Some(report) = &line.report {
            out.line(format!("  {}", self.heading(out, report, counts)))?;
        }
        for group in &groups {
            out.line(self.finding(out, group))?;
        }
        Ok(())
    }

    /// Returns the line about a report: its body, its year and the number of findings.
    fn heading(&self, out: &Printer, report: &ReportLine, counts: FindingTotals) -> String {
        let agency = clean(&report.agency);
        let result = if counts.is_empty() {
            out.styled(Emphasis::Green, self.lang.choose("未发现问题", "no findings"))
        } else {
            counts.words(self.lang)
        };
        match self.lang {
            Lang::Zh => format!("{agency}  {}年度  {result}", report.year),
            Lang::En => format!("{agency}  {}  {result}", report.year),
        }
    }

    fn finding(&self, out: &Printer, group: &CauseGroup<'_>) -> String {
        let finding = group.first;
        let (word, style) = severity(self.lang, &finding.severity);
        let head = format!("  {word}  {}  ", finding.rule);
        let message = clean(self.lang.choose(&finding.message, &finding.message_en));
        let message = format!("{message}{}", group.others_in_words(self.lang.into()));
        let text = wrap(&message, width(&head), INDENT);
        format!("  {}  {}  {text}", out.styled(style, word), finding.rule)
    }

    /// Writes the line that sums up, if there were several documents.
    pub(super) fn finish(&self, out: &mut Printer) -> std::io::Result<()> {
        if self.documents < 2 {
            return Ok(());
        }
        let read = self.documents - self.rejected;
        let text = match self.lang {
            Lang::Zh => format!(
                "共 {} 份文件：已核查 {read} 份，退回 {} 份；{}",
                self.documents,
                self.rejected,
                self.counts.words(self.lang)
            ),
            Lang::En => format!(
                "{} files: {read} checked, {} rejected; {}",
                self.documents,
                self.rejected,
                self.counts.words(self.lang)
            ),
        };
        out.line("")?;
        out.line(wrap(&text, 0, INDENT))
    }
}

impl FindingTotals {
    fn add(&mut self, finding: &FindingLine) {
        let severity = finding.severity.parse::<Severity>().unwrap_or(Severity::Info);
        if let Some(at) = Severity::ALL.iter().position(|known| *known == severity) {
            self.0[at] += 1;
        }
    }

    fn join(&mut self, other: Self) {
        self.0.iter_mut().zip(other.0).for_each(|(own, other)| *own += other);
    }

    fn is_empty(self) -> bool {
        self.0.iter().all(|count| *count == 0)
    }

    /// Returns the numbers in words, the weightiest first; those of zero are left out.
    fn words(self, lang: Lang) -> String {
        let of = |(severity, count): (&Severity, usize)| format!("{} {count}", name(lang, *severity));
        let all = Severity::ALL.iter().zip(self.0).rev().filter(|(_, count)| *count > 0).map(of);
        let words: Vec<String> = all.collect();
        if words.is_empty() {
            return lang.choose("未发现问题", "no findings").to_owned();
        }
        words.join(lang.choose("，", ", "))
    }
}

fn severity(lang: Lang, name_on_wire: &str) -> (&'static str, Emphasis) {
    let severity = name_on_wire.parse::<Severity>().unwrap_or(Severity::Info);
    let style = match severity {
        Severity::Error => Emphasis::Red,
        Severity::Warning => Emphasis::Yellow,
        Severity::Review => Emphasis::Bold,
        Severity::Info => Emphasis::Dim,
    };
    (name(lang, severity), style)
}

/// Returns the name of a severity in the words of the field.
pub(super) fn name(lang: Lang, severity: Severity) -> &'static str {
    gongkai_check::severity_name(lang.into(), severity)
}
