//! The findings of many documents as rows: one table of all, and a 整改清单 (list of corrections to make) for each
//! agency, in the form that a supervising office sends.

use std::collections::BTreeMap;

use gongkai_check::{CheckLine, FindingLine, Places, by_cause, is_about_reading};
use gongkai_model::Severity;

use super::{lang::Lang, letter::LetterArgs, text::name};

/// Column heads of the table of all findings.
pub(super) const FINDING_HEADS: [&str; 12] =
    ["序号", "机关", "年度", "文件", "级别", "规则", "位置", "问题", "填报内容", "应为", "依据", "整改建议"];
/// Column heads of a 整改清单; the agency fills in the last one.
pub(super) const LIST_HEADS: [&str; 11] =
    ["序号", "年度", "级别", "位置", "问题", "填报内容", "应为", "依据", "整改建议", "规则", "整改情况"];
/// Column heads of CSV for spreadsheets.
pub(super) const SPREADSHEET_HEADS: [&str; 12] =
    ["文件", "机关", "年度", "结果", "级别", "规则", "位置", "问题", "填报内容", "应为", "依据", "整改建议"];
/// Column heads of the overview, which has one row per document.
pub(super) const OVERVIEW_HEADS: [&str; 8] =
    ["文件", "机关", "年度", "结果", "必须整改", "建议整改", "请核实", "提示"];

/// Column heads of the officer's own sheet.
pub(super) const OFFICER_HEADS: [&str; 6] = ["序号", "文件", "机关", "年度", "情况", "处理建议"];

/// Documents with their findings, in the order in which they were checked.
#[derive(Debug, Default)]
pub(super) struct FindingTables {
    documents: Vec<CheckedDocument>,
}

/// A document with its findings.
#[derive(Debug)]
pub(super) struct CheckedDocument {
    file: String,
    pub(super) agency: String,
    pub(super) year: String,
    /// The result of reading the document, in Chinese.
    outcome: String,
    pub(super) is_rejected: bool,
    items: Vec<ActionItem>,
}

/// A finding in the words of a list.
#[derive(Debug)]
pub(super) struct ActionItem {
    pub(super) severity: Severity,
    pub(super) rule: String,
    /// The condition that does not hold.
    pub(super) condition: String,
    place: String,
    problem: String,
    actual: String,
    expected: String,
    legal: String,
    advice: String,
    /// True if an earlier finding of the document has the same cause.
    is_folded: bool,
}

/// The 整改清单 of one agency.
#[derive(Debug)]
pub(super) struct ActionList {
    pub(super) agency: String,
    /// The title, such as 某某局政府信息公开工作年度报告整改清单.
    pub(super) title: String,
    /// The lines below the title: whom it addresses, until when, and whom to ask.
    pub(super) address: [String; 2],
    /// The rows; their columns are [`LIST_HEADS`].
    pub(super) rows: Vec<Vec<String>>,
}

// === impl FindingTables ===

impl FindingTables {
    /// Adds a document.
    pub(super) fn add(&mut self, line: &CheckLine, places: &Places) {
        self.documents.push(CheckedDocument::new(line, places));
    }

    /// Returns one row per document, under [`OVERVIEW_HEADS`].
    pub(super) fn overview(&self) -> Vec<Vec<String>> {
        let row = |document: &CheckedDocument| {
            let count = |severity| document.told().filter(|item| item.severity == severity).count();
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
    pub(super) fn lists(&self, letter: &LetterArgs) -> Vec<ActionList> {
        let mut by_agency: BTreeMap<&str, Vec<(&CheckedDocument, &ActionItem)>> = BTreeMap::new();
        for document in &self.documents {
            for item in document.due() {
                by_agency.entry(&document.agency).or_default().push((document, item));
            }
        }
        let list = |(agency, mut items): (&str, Vec<(&CheckedDocument, &ActionItem)>)| {
            // The most severe first; findings of one severity in document order.
            items.sort_by_key(|(_, item)| std::cmp::Reverse(item.severity));
            ActionList {
                agency: agency.to_owned(),
                title: format!("{agency}政府信息公开工作年度报告整改清单"),
                address: [format!("致：{agency}"), letter.terms()],
                rows: items.iter().enumerate().map(list_row).collect(),
            }
        };
        by_agency.into_iter().map(list).collect()
    }

    /// Returns what the officer has to look at, under [`OFFICER_HEADS`]: documents that were rejected, and cells that
    /// could not be read.
    pub(super) fn officer(&self) -> Vec<Vec<String>> {
        let mut rows: Vec<Vec<String>> = Vec::new();
        let mut add = |document: &CheckedDocument, what: &str, advice: &str| {
            let number = (rows.len() + 1).to_string();
            let row = [&number, &document.file, &document.agency, &document.year, what, advice];
            rows.push(row.map(str::to_owned).to_vec());
        };
        for document in &self.documents {
            if document.is_rejected {
                add(document, &document.outcome, "核对文件，或请报送机关重新报送。");
            }
            for item in document.items.iter().filter(|item| is_about_reading(&item.rule)) {
                add(document, &item.problem, &item.advice);
            }
        }
        rows
    }

    /// Returns the number of findings of a severity, one for each cause.
    pub(super) fn count(&self, severity: Severity) -> usize {
        let told = self.documents.iter().flat_map(CheckedDocument::told);
        told.filter(|item| item.severity == severity).count()
    }

    /// Returns the documents.
    pub(super) fn documents(&self) -> &[CheckedDocument] {
        &self.documents
    }
}

// === impl CheckedDocument ===

impl CheckedDocument {
    fn new(line: &CheckLine, places: &Places) -> Self {
        let report = line.report.as_ref();
        let outcome = match &line.rejection {
            Some(rejection) => format!("退回（{}）：{}", rejection.code, rejection.message),
            None if line.findings.is_empty() => "未发现问题".to_owned(),
            None => format!("问题{}处", by_cause(&line.findings).len()),
        };
        Self {
            file: line.file.clone(),
            agency: report.map(|report| report.agency.clone()).unwrap_or_default(),
            year: report.map(|report| report.year.to_string()).unwrap_or_default(),
            outcome,
            is_rejected: line.rejection.is_some(),
            items: items(line, places),
        }
    }

    /// Returns the findings, one for each cause.
    fn told(&self) -> impl Iterator<Item = &ActionItem> {
        self.items.iter().filter(|item| !item.is_folded)
    }

    /// Returns the findings that the body has to answer for.
    pub(super) fn due(&self) -> impl Iterator<Item = &ActionItem> {
        let told = self.told().filter(|item| item.severity > Severity::Info);
        told.filter(|item| !is_about_reading(&item.rule))
    }
}

/// Returns the rows of a document under [`SPREADSHEET_HEADS`]: one for each finding, or one if there are none.
pub(super) fn spreadsheet_rows(line: &CheckLine, places: &Places) -> Vec<Vec<String>> {
    let document = CheckedDocument::new(line, places);
    let head = [&document.file, &document.agency, &document.year, &document.outcome].map(Clone::clone);
    let row = |cells: [String; 8]| head.iter().cloned().chain(cells).collect();
    match document.items.as_slice() {
        [] => vec![row(std::array::from_fn(|_| String::new()))],
        items => items.iter().map(|item| row(item.cells())).collect(),
    }
}

/// Returns the findings of a document, those of one cause after each other.
fn items(line: &CheckLine, places: &Places) -> Vec<ActionItem> {
    let mut items = Vec::new();
    for group in by_cause(&line.findings) {
        let mut first = ActionItem::new(group.first, line, places);
        if !group.others.is_empty() {
            first.problem = format!("{}（同一原因另有：{}）", first.problem, group.other_rules("、"));
        }
        items.push(first);
        let folded = group.others.iter().map(|finding| ActionItem::new(finding, line, places));
        items.extend(folded.map(|item| ActionItem { is_folded: true, ..item }));
    }
    items
}

fn list_row((index, (document, item)): (usize, &(&CheckedDocument, &ActionItem))) -> Vec<String> {
    let [severity, rule, place, problem, actual, expected, legal, advice] = item.cells();
    let head = [(index + 1).to_string(), document.year.clone(), severity, place, problem, actual, expected];
    head.into_iter().chain([legal, advice, rule, String::new()]).collect()
}

// === impl ActionItem ===

impl ActionItem {
    fn new(finding: &FindingLine, line: &CheckLine, places: &Places) -> Self {
        let quotation = finding.source.as_ref().map(|source| one_line(&source.text));
        Self {
            severity: finding.severity.parse().unwrap_or(Severity::Review),
            rule: finding.rule.clone(),
            condition: finding.formula.clone(),
            place: places.of(finding, line),
            problem: one_line(&finding.message),
            actual: finding.actual.clone().or(quotation).unwrap_or_default(),
            expected: finding.expected.clone().unwrap_or_default(),
            legal: finding.legal.clone(),
            advice: finding.suggestion.clone().unwrap_or_else(|| finding.help.clone()),
            is_folded: false,
        }
    }

    /// Returns the cells that both tables have, 级别 to 整改建议.
    fn cells(&self) -> [String; 8] {
        let Self { severity, rule, place, problem, actual, expected, legal, advice, .. } = self;
        let texts = [rule, place, problem, actual, expected, legal, advice].map(Clone::clone);
        let [rule, place, problem, actual, expected, legal, advice] = texts;
        [name(Lang::Zh, *severity).to_owned(), rule, place, problem, actual, expected, legal, advice]
    }
}

/// Returns a text with its line ends as spaces.
fn one_line(text: &str) -> String {
    text.split(['\r', '\n', '\t']).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}
