//! The findings of a document as remarks of its marked copy: one remark for one cause, with all its places.

use gongkai_annotate::{Lang, Remark, RemarkSheet};
use gongkai_model::{Severity, Source};

use crate::{
    causes::{CauseGroup, by_cause},
    line::{CheckLine, FactLine, FindingLine},
    part_line::PartRole,
    places::Places,
};

/// Rules about the reading of a document. Their findings are for the officer, not for a department.
const OF_READING: [&str; 2] = ["CELL-UNREAD", "H-ENC"];

/// Returns true for a rule whose findings are about how the document could be read, and not about the report.
#[must_use]
pub fn is_about_reading(rule: &str) -> bool {
    OF_READING.contains(&rule)
}

/// Returns the name of a severity in the words of the field, such as 必须整改.
#[must_use]
pub fn severity_name(lang: Lang, severity: Severity) -> &'static str {
    match lang {
        Lang::Chinese => severity.chinese(),
        Lang::English => severity.as_str(),
    }
}

/// Returns the remarks of a document's marked copy, for the file that carries the report. There are none for a document
/// that was rejected, nor about the reading itself.
#[must_use]
pub fn remark_sheet(line: &CheckLine, places: &Places, lang: Lang) -> RemarkSheet {
    let told: Vec<FindingLine> =
        line.findings.iter().filter(|finding| !is_about_reading(&finding.rule)).cloned().collect();
    let subject = line.report.as_ref().map(|report| match lang {
        Lang::Chinese => format!("{} {} 年度", report.agency, report.year),
        Lang::English => format!("{} {}", report.agency, report.year),
    });
    let remarks = by_cause(&told).iter().map(|group| remark(group, line, places, lang)).collect();
    RemarkSheet { lang, subject: subject.unwrap_or_default(), in_utf8: false, remarks }
}

fn remark(group: &CauseGroup<'_>, line: &CheckLine, places: &Places, lang: Lang) -> Remark {
    let finding = group.first;
    let severity = finding.severity.parse().unwrap_or(Severity::Info);
    // Places, advice and provisions are in Chinese only.
    let in_chinese = |text: &str| if lang == Lang::Chinese { text.to_owned() } else { String::new() };
    Remark {
        severity,
        label: severity_name(lang, severity).to_owned(),
        rule: finding.rule.clone(),
        place: in_chinese(&places.of(finding, line)),
        problem: format!(
            "{}{}",
            lang.choose(&finding.message, &finding.message_en),
            group.others_in_words(lang)
        ),
        advice: in_chinese(finding.suggestion.as_ref().unwrap_or(&finding.help)),
        legal: in_chinese(&finding.legal),
        sources: sources(group, line),
    }
}

/// Returns the positions of a cause's findings in the file that carries the report, each once.
fn sources(group: &CauseGroup<'_>, line: &CheckLine) -> Vec<Source> {
    let carrier = line.parts.iter().find(|part| part.role == PartRole::Carrier);
    let carrier = carrier.and_then(|part| part.name.as_deref());
    let mut sources: Vec<Source> = Vec::new();
    for finding in std::iter::once(&group.first).chain(&group.others) {
        for source in sources_of(finding, line) {
            if source.part.as_deref() == carrier && !sources.contains(&source) {
                sources.push(source);
            }
        }
    }
    sources
}

/// Returns the positions of one finding: its quotation, then its suspect cell and the cell with the printed value. If no
/// cell is suspect, all its operands are meant.
fn sources_of(finding: &FindingLine, line: &CheckLine) -> Vec<Source> {
    let facts = line.report.as_ref().map(|report| report.facts.as_slice()).unwrap_or_default();
    let quotation = finding.source.iter().map(Source::from);
    let cells: Vec<&FactLine> = match &finding.cause {
        Some(cause) => {
            let suspect = facts.iter().find(|fact| fact.id() == *cause);
            suspect.into_iter().chain(printed(finding)).collect()
        }
        None => finding.operands.iter().collect(),
    };
    quotation.chain(cells.into_iter().flat_map(sources_of_cell)).collect()
}

/// Returns the operand with the printed value: the total of a sum.
fn printed(finding: &FindingLine) -> Option<&FactLine> {
    let is_printed = |fact: &&FactLine| {
        finding.concept.as_ref() == Some(&fact.concept)
            && fact.value.is_some()
            && fact.value == finding.actual
    };
    finding.operands.iter().rfind(is_printed)
}

/// Returns the position of a cell, or those that the readings proposed.
fn sources_of_cell(fact: &FactLine) -> Vec<Source> {
    let proposed = if fact.source.is_none() { fact.candidates.as_slice() } else { &[] };
    fact.source.iter().chain(proposed).map(Source::from).collect()
}

#[cfg(test)]
mod tests {
    use gongkai_rules::RuleSet;

    use super::*;
    use crate::{Hints, Limits, check};

    const REPORT: &str = "云溪县档案局2023年政府信息公开工作年度报告\n一、总体情况\n全年新收申请3件。\n二、主动公开政府信息情况\n\
        信息内容 | 本年制发件数 | 本年废止件数 | 现行有效件数 |\n规章 | 0 | 0 | 0 |\n行政规范性文件 | 1 | 0 | 17 |\n\
        四、政府信息公开行政复议、行政诉讼情况\n行政复议 | 行政诉讼\n未经复议直接起诉 | 复议后起诉\n\
        结果维持 | 结果纠正 | 其他结果 | 尚未审结 | 总计 | 结果维持 | 结果纠正 | 其他结果 | 尚未审结 | 总计 | 结果维持 | 结果纠正 | 其他结果 | 尚未审结 | 总计\n\
        1 | 0 | 0 | 0 | 2 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0\n";

    #[test]
    fn a_cause_is_one_remark_with_its_places() {
        let line = check("a.txt", REPORT.as_bytes(), &Hints::default(), &Limits::default());
        let places = Places::new(&RuleSet::embedded());
        let sheet = remark_sheet(&line, &places, Lang::Chinese);
        assert_eq!(sheet.subject, "云溪县档案局 2023 年度");
        let sum = sheet.remarks.iter().find(|remark| remark.rule == "T4-SUM").unwrap();
        assert_eq!((sum.severity, sum.label.as_str()), (Severity::Error, "必须整改"));
        assert!(sum.place.contains("行政复议") && !sum.legal.is_empty(), "{sum:?}");
        let words: Vec<&str> = sum.sources.iter().map(|source| source.text.as_str()).collect();
        assert_eq!(words.len(), sum.sources.iter().filter(|source| source.span.is_some()).count(), "{sum:?}");
        assert!(words.contains(&"2"), "{words:?}");

        let english = remark_sheet(&line, &places, Lang::English);
        let sum = english.remarks.iter().find(|remark| remark.rule == "T4-SUM").unwrap();
        assert!(sum.problem.is_ascii() || !sum.problem.contains('。'), "{sum:?}");
        assert_eq!((sum.label.as_str(), sum.advice.as_str()), ("ERROR", ""));
    }
}
