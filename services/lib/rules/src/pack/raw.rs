//! A pack's TOML, before its names are checked.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use crate::{example::group::Group, params::Param};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pack {
    pub(super) pack: PackHead,
    #[serde(default)]
    pub(super) rules: Vec<RawRule>,
    #[serde(default, rename = "override")]
    pub(super) overrides: Vec<Override>,
    #[serde(default, rename = "example")]
    pub(super) examples: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PackHead {
    pub(super) name: Spanned<String>,
    pub(super) version: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRule {
    pub(super) id: Spanned<String>,
    pub(super) severity: Spanned<String>,
    pub(super) enabled: Option<bool>,
    pub(super) scope: Option<Spanned<String>>,
    pub(super) forms: Option<Spanned<Vec<String>>>,
    pub(super) years_from: Option<i32>,
    pub(super) years_to: Option<i32>,
    pub(super) published_from: Option<Spanned<String>>,
    pub(super) published_to: Option<Spanned<String>>,
    pub(super) check: Option<Spanned<String>>,
    pub(super) when: Option<Spanned<String>>,
    pub(super) formula: Option<String>,
    pub(super) legal: Option<String>,
    pub(super) help: Option<String>,
    pub(super) help_en: Option<String>,
    #[serde(default)]
    pub(super) params: BTreeMap<String, Spanned<Param>>,
    #[serde(default)]
    pub(super) patterns: BTreeMap<String, Spanned<Pattern>>,
    #[serde(default)]
    pub(super) values: BTreeMap<String, Spanned<String>>,
    pub(super) expected: Option<Spanned<String>>,
    pub(super) actual: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) facts: Vec<Spanned<String>>,
    pub(super) message: Option<Spanned<RawCase>>,
    #[serde(default)]
    pub(super) cases: BTreeMap<String, Spanned<RawCase>>,
}

/// A regular expression, alone or with the chapters in which to search for it.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Pattern {
    Everywhere(String),
    Within { regex: String, chapters: Vec<u32> },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCase {
    pub(super) severity: Option<Spanned<String>>,
    #[serde(rename = "zh-CN")]
    pub(super) zh: Spanned<String>,
    pub(super) en: Option<Spanned<String>>,
}

/// A pack's changes to a rule of an earlier pack.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Override {
    pub(super) id: Spanned<String>,
    pub(super) enabled: Option<bool>,
    pub(super) severity: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) cases: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    pub(super) params: BTreeMap<String, Spanned<Param>>,
}
