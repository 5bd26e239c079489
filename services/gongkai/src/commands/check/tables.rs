//! The findings of many documents as rows: one table of all, and a 整改清单 (list of corrections to make) for each
//! agency, in the form that a supervising office sends.

use std::collections::BTreeMap;

use gongkai_check::{CheckLine, FindingLine};
use gongkai_model::Severity;
use gongkai_rules::RuleSet;

/// Column heads of the table of all findings.
pub(super) const FINDING_HEADS: [&str; 12] = [
    "序号",
    "机关",
    "年度",
    "文件",
    "级别",
    "规则",
    "章节",
    "问题",
    "填报（原文）",
    "核算（应为）",
    "依据",
    "整改建议",
];
/// Column heads of a 整改清单; the agency fills in the last two.
pub(super) const LIST_HEADS: [&str; 11] = [
    "序号",
    "年度",
    "级别",
    "规则",
    "章节",
    "问题",
    "填报（原文）",
    "核算（应为）",
    "依据",
    "整改建议",
    "整改情况",
];
/// Column heads of the overview, which has one row per document.
pub(super) const OVERVIEW_HEADS: [&str; 8] = ["文件", "机关", "年度", "结果", "错误", "警告", "待核", "提示"];

/// Documents with their findings, in the order in which they were checked.
#[derive(Debug, Default)]
pub(super) struct FindingTables {
    documents: Vec<CheckedDocument>,
}

#[derive(Debug)]
struct CheckedDocument {
    file: String,
    agency: String,
    year: String,
    /// The result of reading the document, in Chinese.
    outcome: String,
    items: Vec<ActionItem>,
}

#[derive(Debug)]
struct ActionItem {
    severity: Severity,
    rule: String,
    chapter: &'static str,
    problem: String,
    actual: String,
    expected: String,
    legal: String,
    advice: String,
}

/// The 整改清单 of one agency.
#[derive(Debug)]
pub(super) struct ActionList {
    pub(super) agency: String,
    /// The title, such as 某某局政府信息公开工作年度报告整改清单.
    pub(super) title: String,
    /// The rows; their columns are [`LIST_HEADS`].
    pub(super) rows: Vec<Vec<String>>,
}

// === impl FindingTables ===

impl FindingTables {
    /// Adds a document. `rules` are those that produced its findings.
    pub(super) fn add(&mut self, line: &CheckLine, rules: &RuleSet) {
        let report = line.report.as_ref();
        let outcome = match &line.rejection {
            Some(rejection) => format!("未读取（{}）：{}", rejection.code, rejection.message),
            None if line.findings.is_empty() => "未发现疑点".to_owned(),
            None => format!("疑点{}处", line.findings.len()),
        };
        self.documents.push(CheckedDocument {
            file: line.file.clone(),
            agency: report.map(|report| report.agency.clone()).unwrap_or_default(),
            year: report.map(|report| report.year.to_string()).unwrap_or_default(),
            outcome,
            items: line.findings.iter().map(|finding| ActionItem::new(finding, rules)).collect(),
        });
    }

    /// Returns one row per document, under [`OVERVIEW_HEADS`].
    pub(super) fn overview(&self) -> Vec<Vec<String>> {
        let row = |document: &CheckedDocument| {
            let count = |severity| document.items.iter().filter(|item| item.severity == severity).count();
            let counts = [Severity::Error, Severity::Warning, Severity::Review, Severity::Info];
            let mut row = vec![
                document.file.clone(),
                document.agency.clone(),
                document.year.clone(),
                document.outcome.clone(),
            ];
            row.extend(counts.map(|severity| count(severity).to_string()));
            row
        };
        self.documents.iter().map(row).collect()
    }

    /// Returns one row per finding, under [`FINDING_HEADS`].
    pub(super) fn findings(&self) -> Vec<Vec<String>> {
        let all = self
            .documents
            .iter()
            .flat_map(|document| document.items.iter().map(move |item| (document, item)));
        let row = |(index, (document, item)): (usize, (&CheckedDocument, &ActionItem))| {
            let head = [&(index + 1).to_string(), &document.agency, &document.year, &document.file];
            head.into_iter().cloned().chain(item.cells()).collect()
        };
        all.enumerate().map(row).collect()
    }

    /// Returns the 整改清单 of each agency with a finding above `INFO`, by name.
    pub(super) fn lists(&self) -> Vec<ActionList> {
        let mut by_agency: BTreeMap<&str, Vec<(&CheckedDocument, &ActionItem)>> = BTreeMap::new();
        for document in &self.documents {
            let due = document.items.iter().filter(|item| item.severity > Severity::Info);
            for item in due {
                by_agency.entry(&document.agency).or_default().push((document, item));
            }
        }
        let list = |(agency, mut items): (&str, Vec<(&CheckedDocument, &ActionItem)>)| {
            // The most severe first; findings of one severity in document order.
            items.sort_by_key(|(_, item)| std::cmp::Reverse(item.severity));
            ActionList {
                agency: agency.to_owned(),
                title: format!("{agency}政府信息公开工作年度报告整改清单"),
                rows: items.iter().enumerate().map(list_row).collect(),
            }
        };
        by_agency.into_iter().map(list).collect()
    }
}

fn list_row((index, (document, item)): (usize, &(&CheckedDocument, &ActionItem))) -> Vec<String> {
    let head = [(index + 1).to_string(), document.year.clone()];
    head.into_iter().chain(item.cells()).chain([String::new()]).collect()
}

// === impl ActionItem ===

impl ActionItem {
    fn new(finding: &FindingLine, rules: &RuleSet) -> Self {
        let rule = rules.rules().iter().find(|rule| rule.id == finding.rule);
        let quotation = finding.source.as_ref().map(|source| source.text.clone());
        Self {
            severity: finding.severity.parse().unwrap_or(Severity::Review),
            rule: finding.rule.clone(),
            chapter: finding.concept.as_deref().map_or("", chapter),
            problem: finding.message.clone(),
            actual: finding.actual.clone().or(quotation).unwrap_or_default(),
            expected: finding.expected.clone().unwrap_or_default(),
            legal: rule.map(|rule| rule.legal.clone()).unwrap_or_default(),
            advice: rule.map(|rule| rule.help.clone()).unwrap_or_default(),
        }
    }

    /// Returns the cells that both tables have, 级别 to 整改建议.
    fn cells(&self) -> [String; 8] {
        let Self { severity, rule, chapter, problem, actual, expected, legal, advice } = self;
        let texts = [rule, *chapter, problem, actual, expected, legal, advice].map(str::to_owned);
        let [rule, chapter, problem, actual, expected, legal, advice] = texts;
        [word(*severity).to_owned(), rule, chapter, problem, actual, expected, legal, advice]
    }
}

/// Returns the chapter whose table contains a concept.
fn chapter(concept: &str) -> &'static str {
    match concept.split('.').next() {
        Some("proactive") => "二、主动公开政府信息情况",
        Some("requests") => "三、收到和处理政府信息公开申请情况",
        Some("disputes") => "四、政府信息公开行政复议、行政诉讼情况",
        _ => "",
    }
}

/// Returns a severity in Chinese.
pub(super) fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "错误",
        Severity::Warning => "警告",
        Severity::Review => "待核",
        Severity::Info => "提示",
    }
}
