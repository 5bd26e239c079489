//! Drafts of findings: the result of a check, before its rule adds the message and the severity.

use std::{borrow::Cow, ops::Range};

use gongkai_model::{Concept, FactId, Paragraph, Source};

use crate::{fingerprint::FindingKey, prose::passage::Passage};

/// The value of a message's placeholder, in both languages.
#[derive(Debug, Clone)]
pub(crate) struct Replacement {
    pub(crate) name: Cow<'static, str>,
    pub(crate) zh: String,
    pub(crate) en: String,
}

/// A finding before its rule adds the message and the severity.
#[derive(Debug)]
pub(crate) struct Draft {
    /// The case of the rule, which determines the message.
    pub(crate) case: &'static str,
    pub(crate) cause: Option<FactId>,
    pub(crate) concept: Option<Concept>,
    pub(crate) expected: Option<String>,
    pub(crate) actual: Option<String>,
    pub(crate) facts: Vec<FactId>,
    pub(crate) source: Option<Source>,
    pub(crate) key: FindingKey,
    pub(crate) replacements: Vec<Replacement>,
    /// The suggested correction, in Chinese.
    pub(crate) suggestion: Option<String>,
}

impl Draft {
    /// Creates a draft with only its case and the key that distinguishes it.
    pub(crate) fn new(case: &'static str, key: FindingKey) -> Self {
        Self {
            case,
            cause: None,
            concept: None,
            expected: None,
            actual: None,
            facts: Vec::new(),
            source: None,
            key,
            replacements: Vec::new(),
            suggestion: None,
        }
    }

    /// Creates a draft about cells, which distinguish it. Its concept is that of the first cell.
    pub(crate) fn of_cells(case: &'static str, facts: Vec<FactId>) -> Self {
        let concept = facts.first().map(|id| id.concept.clone());
        Self { concept, facts, ..Self::new(case, FindingKey::Operands) }
    }

    /// Creates a draft about a named part of the report.
    pub(crate) fn of_part(case: &'static str, part: impl Into<String>) -> Self {
        Self::new(case, FindingKey::Part(part.into()))
    }

    /// Creates a draft about a quotation, which distinguishes it. Sets the placeholders `chapter` and `quote`.
    pub(crate) fn of_quote(case: &'static str, chapter: u32, source: Source) -> Self {
        Self::new(case, FindingKey::Operands).quoting(chapter, source)
    }

    /// Creates a draft about bytes of a passage.
    pub(crate) fn of_bytes(case: &'static str, passage: &Passage<'_>, bytes: Range<usize>) -> Self {
        Self::of_quote(case, passage.chapter(), passage.quote_bytes(bytes))
    }

    /// Creates a draft about characters of a passage.
    pub(crate) fn of_chars(case: &'static str, passage: &Passage<'_>, chars: Range<usize>) -> Self {
        Self::of_quote(case, passage.chapter(), passage.quote(chars))
    }

    /// Distinguishes the draft by a quotation, and sets the placeholders `chapter` and `quote`.
    pub(crate) fn quoting(self, chapter: u32, source: Source) -> Self {
        let key = FindingKey::Quote { chapter, text: source.text.clone() };
        let draft = Self { key, ..self }.chapter(chapter).with("quote", source.text.as_str());
        Self { source: Some(source), ..draft }
    }

    /// Sets a placeholder to the same text in both languages. The order in which placeholders are set is part of the
    /// operands' digest.
    pub(crate) fn with(self, name: impl Into<Cow<'static, str>>, text: impl Into<String>) -> Self {
        let text = text.into();
        self.with_both(name, text.clone(), text)
    }

    /// Sets a placeholder in Chinese and English.
    pub(crate) fn with_both(
        mut self,
        name: impl Into<Cow<'static, str>>,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) -> Self {
        self.replacements.push(Replacement { name: name.into(), zh: zh.into(), en: en.into() });
        self
    }

    /// Sets the placeholder `chapter` to a chapter in an editor's words; 0 is the text before the first chapter.
    pub(crate) fn chapter(self, number: u32) -> Self {
        let numeral = usize::try_from(number).ok().and_then(|at| "零一二三四五六".chars().nth(at));
        let en = format!("chapter {number}");
        match numeral {
            Some('零') => self.with_both("chapter", "导语", "the preamble"),
            Some(numeral) => self.with_both("chapter", format!("第{numeral}部分"), en),
            None => self.with_both("chapter", format!("第{number}部分"), en),
        }
    }

    /// Sets the expected value, and the placeholder `expected`.
    pub(crate) fn expected(mut self, text: impl Into<String>) -> Self {
        let text = text.into();
        self.expected = Some(text.clone());
        self.with("expected", text)
    }

    /// Sets the actual value, and the placeholder `actual`.
    pub(crate) fn actual(mut self, text: impl Into<String>) -> Self {
        let text = text.into();
        self.actual = Some(text.clone());
        self.with("actual", text)
    }
}

/// Returns a quotation of words of a paragraph, with the position of the whole paragraph.
pub(crate) fn quotation(paragraph: &Paragraph, words: &str) -> Source {
    Source { text: words.to_owned(), span: paragraph.span, page: paragraph.page, ..Source::default() }
}

/// Formats a number as a decimal string.
pub(crate) fn decimal(value: rust_decimal::Decimal) -> String {
    value.normalize().to_string()
}
