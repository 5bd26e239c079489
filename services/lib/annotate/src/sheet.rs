//! What is written into a copy: the remarks in the order of the list, and the language of the words around them.

use gongkai_model::{Severity, Source};

use crate::lang::Lang;

/// The remarks about one document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RemarkSheet {
    /// Language of the remarks, and of the words around them.
    pub lang: Lang,
    /// The document in words, such as the body and the year of the report.
    pub subject: String,
    /// True if the copy of a page is to be in UTF-8, whatever the charset of the page.
    pub in_utf8: bool,
    /// The remarks. Their numbers in the copy are their positions here, from 1.
    pub remarks: Vec<Remark>,
}

/// One remark: what an editor is told, and the places that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// Severity, which chooses the colour.
    pub severity: Severity,
    /// The severity in words, such as 必须整改.
    pub label: String,
    /// Id of the rule.
    pub rule: String,
    /// The place in words.
    pub place: String,
    /// The problem.
    pub problem: String,
    /// What to do about it; empty if nothing.
    pub advice: String,
    /// The provision; empty if there is none.
    pub legal: String,
    /// The positions in the document, the most telling first. Those of other files are left out.
    pub sources: Vec<Source>,
}

impl Remark {
    /// Returns the remark as one paragraph, such as 必须整改 T3-ROW：….
    pub(crate) fn sentence(&self, lang: Lang) -> String {
        format!("{} {}{}{}", self.label, self.rule, lang.choose("：", ": "), self.problem)
    }

    /// Returns the lines after the problem, each with its name: place, advice, provision.
    pub(crate) fn details(&self, lang: Lang) -> Vec<(&'static str, &str)> {
        let named = [
            (lang.choose("位置", "Place"), &self.place),
            (lang.choose("建议", "Advice"), &self.advice),
            (lang.choose("依据", "Basis"), &self.legal),
        ];
        named
            .into_iter()
            .filter(|(_, text)| !text.is_empty())
            .map(|(name, text)| (name, text.as_str()))
            .collect()
    }
}
