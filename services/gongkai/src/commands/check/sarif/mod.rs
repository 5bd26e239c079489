//! `--format sarif`: the findings as SARIF 2.1.0, by which editors and CI tools show them in place.
//!
//! The log has one run. It is written as a stream: the tool with its rules, one result for each finding, and at the end the
//! invocation, which names the documents that were rejected. Offsets and columns count Unicode code points of the decoded file, as
//! in the JSON line; the first line and column are 1.

mod original;
mod result;

use std::collections::BTreeMap;

use gongkai_check::{CheckLine, Places};
use gongkai_rules::{Rule, RuleSet};
use serde_json::{Value, json};

use self::{original::uri, result::level};
use super::{lang::Lang, options::CheckExit};
use crate::printer::Printer;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Writes the log.
pub(super) struct SarifWriter {
    lang: Lang,
    /// The tool with its rules, until it is written.
    driver: Option<Value>,
    /// Index of each rule in the tool's list.
    indexes: BTreeMap<String, usize>,
    results: usize,
    notifications: Vec<Value>,
}

impl SarifWriter {
    pub(super) fn new(rules: &RuleSet, lang: Lang) -> Self {
        let ids = rules.rules().iter().map(|rule| rule.id.clone());
        Self {
            lang,
            driver: Some(driver(rules, lang)),
            indexes: ids.zip(0..).collect(),
            results: 0,
            notifications: Vec::new(),
        }
    }

    /// Writes the findings of a document.
    pub(super) fn write(
        &mut self,
        out: &mut Printer,
        line: &CheckLine,
        places: &Places,
    ) -> anyhow::Result<()> {
        self.begin(out)?;
        if let Some(rejection) = &line.rejection {
            let text = self.lang.choose(&rejection.message, &rejection.message_en);
            self.notifications.push(json!({
                "level": "error",
                "message": {"text": text},
                "descriptor": {"id": rejection.code},
                "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri(&line.file)}}}],
            }));
        }
        if line.findings.is_empty() {
            return Ok(());
        }
        let results = result::results(line, places, self.lang);
        for (mut result, finding) in results.into_iter().zip(&line.findings) {
            if let Some(index) = self.indexes.get(&finding.rule) {
                result["ruleIndex"] = (*index).into();
            }
            let comma = if self.results == 0 { "" } else { "," };
            out.json_text(&format!("{comma}{result}"))?;
            self.results += 1;
        }
        Ok(())
    }

    /// Writes the part before the results, once.
    fn begin(&mut self, out: &mut Printer) -> anyhow::Result<()> {
        let Some(driver) = self.driver.take() else { return Ok(()) };
        let language = self.lang.choose("zh-CN", "en-US");
        out.json_text(&format!(
            "{{\"$schema\":\"{SCHEMA}\",\"version\":\"2.1.0\",\"runs\":[{{\"tool\":{{\"driver\":{driver}}},\
             \"columnKind\":\"unicodeCodePoints\",\"language\":\"{language}\",\"results\":["
        ))
    }

    /// Writes the part after the results.
    pub(super) fn finish(mut self, out: &mut Printer, exit: CheckExit) -> anyhow::Result<()> {
        self.begin(out)?;
        let invocation = json!({
            "executionSuccessful": self.notifications.is_empty(),
            "exitCode": exit as u8,
            "toolExecutionNotifications": self.notifications,
        });
        out.json_text(&format!("],\"invocations\":[{invocation}]}}]}}"))
    }
}

/// Returns the tool with its rules.
fn driver(rules: &RuleSet, lang: Lang) -> Value {
    let versions = rules.versions();
    json!({
        "name": "gongkai",
        "semanticVersion": versions.program,
        "rules": rules.rules().iter().map(|rule| descriptor(rule, lang)).collect::<Vec<_>>(),
        "properties": {
            "parser": versions.parser,
            "forms": versions.forms,
            "rules": versions.rules,
        },
    })
}

fn descriptor(rule: &Rule, lang: Lang) -> Value {
    json!({
        "id": rule.id,
        "shortDescription": {"text": rule.formula},
        "help": {"text": lang.choose(&rule.help, &rule.help_en)},
        "defaultConfiguration": {"level": level(rule.severity)},
        "properties": {"severity": rule.severity.as_str(), "legal": rule.legal, "pack": &*rule.pack},
    })
}
