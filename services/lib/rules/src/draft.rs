//! Drafts of findings: what a check found, before its rule adds message and severity.

use std::{borrow::Cow, ops::Range};

use gongkai_model::{Concept, FactId, Source};

use crate::{fingerprint::Key, prose::passage::Passage};

/// A value for a placeholder, in both languages.
#[derive(Debug, Clone)]
pub(crate) struct Value {
    pub(crate) name: Cow<'static, str>,
    pub(crate) zh: String,
    pub(crate) en: String,
}

impl Value {
    /// A value that is the same in both languages.
    pub(crate) fn same(name: impl Into<Cow<'static, str>>, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { name: name.into(), zh: text.clone(), en: text }
    }

    pub(crate) fn new(
        name: impl Into<Cow<'static, str>>,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) -> Self {
        Self { name: name.into(), zh: zh.into(), en: en.into() }
    }
}

/// A finding before its rule gave it words and weight.
#[derive(Debug)]
pub(crate) struct Draft {
    /// Which message of the rule.
    pub(crate) case: &'static str,
    pub(crate) cause: Option<FactId>,
    pub(crate) concept: Option<Concept>,
    pub(crate) expected: Option<String>,
    pub(crate) actual: Option<String>,
    pub(crate) facts: Vec<FactId>,
    pub(crate) source: Option<Source>,
    pub(crate) key: Key,
    pub(crate) values: Vec<Value>,
    /// What would mend it, in Chinese.
    pub(crate) suggestion: Option<String>,
}

impl Draft {
    /// A draft with nothing but its case and what tells it apart.
    pub(crate) fn new(case: &'static str, key: Key) -> Self {
        Self {
            case,
            cause: None,
            concept: None,
            expected: None,
            actual: None,
            facts: Vec::new(),
            source: None,
            key,
            values: Vec::new(),
            suggestion: None,
        }
    }
}

/// [`quoted`] by characters of the passage.
pub(crate) fn quoted_chars(
    case: &'static str,
    passage: &Passage<'_>,
    chars: Range<usize>,
    values: Vec<Value>,
) -> Draft {
    of_source(case, passage, passage.quote(chars), values)
}

/// A draft about words: their chapter and quotation are among its values, and tell it apart.
pub(crate) fn quoted(
    case: &'static str,
    passage: &Passage<'_>,
    bytes: Range<usize>,
    values: Vec<Value>,
) -> Draft {
    of_source(case, passage, passage.quote_bytes(bytes), values)
}

fn of_source(case: &'static str, passage: &Passage<'_>, source: Source, mut values: Vec<Value>) -> Draft {
    values.push(chapter_name(passage.chapter()));
    values.push(Value::same("quote", source.text.as_str()));
    let key = Key::Quote { chapter: passage.chapter(), text: source.text.clone() };
    Draft { source: Some(source), values, ..Draft::new(case, key) }
}

/// A number as a decimal string.
pub(crate) fn decimal(value: rust_decimal::Decimal) -> String {
    value.normalize().to_string()
}

/// A chapter as an editor names it; 0 is what stands before the first.
pub(crate) fn chapter_name(number: u32) -> Value {
    let numeral = usize::try_from(number).ok().and_then(|at| "零一二三四五六".chars().nth(at));
    match numeral {
        Some('零') => Value::new("chapter", "前言", "the preamble"),
        Some(numeral) => Value::new("chapter", format!("第{numeral}章"), format!("chapter {number}")),
        None => Value::new("chapter", format!("第{number}章"), format!("chapter {number}")),
    }
}
