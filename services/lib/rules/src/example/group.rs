//! Examples in the form of a pack's TOML.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

/// A group of examples in the form of a pack: the differences of their report from the baseline, and texts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Group {
    pub(super) rule: Spanned<String>,
    /// Texts for which the rule fires; `""` adds no text.
    #[serde(default)]
    pub(super) fires: Vec<Spanned<String>>,
    /// Texts for which the rule is silent.
    #[serde(default)]
    pub(super) silent: Vec<Spanned<String>>,
    /// The severity of the rule's findings; any if absent.
    pub(super) severity: Option<Spanned<String>>,
    /// What the examples show, for readers.
    #[serde(default, rename = "about")]
    pub(super) _about: String,
    pub(super) form: Option<String>,
    /// The variant of the form: `standard` or `single_row_other`.
    pub(super) variant: Option<String>,
    pub(super) agency: Option<String>,
    /// The agency's code in the registry.
    pub(super) code: Option<String>,
    /// The agency's division code in the registry.
    pub(super) region: Option<String>,
    pub(super) year: Option<i32>,
    pub(super) title: Option<String>,
    /// Another body that the preamble names as the report's own.
    pub(super) rival: Option<String>,
    /// Another year that the preamble names as the report's own.
    pub(super) rival_year: Option<i32>,
    /// True if the text names body and year in passing only.
    #[serde(default)]
    pub(super) mentioned: bool,
    /// First and last day of 统计期限.
    pub(super) period: Option<[Spanned<String>; 2]>,
    /// Cells by name. A name that ends in `*` matches all cells whose names begin with the part before it.
    #[serde(default)]
    pub(super) cells: BTreeMap<String, Spanned<String>>,
    /// The chapter that the text goes into; 0 is the preamble.
    pub(super) chapter: Option<u32>,
    /// True if the text replaces the whole prose of the chapter.
    #[serde(default)]
    pub(super) replaces: bool,
    /// Chapters that the report lacks.
    #[serde(default)]
    pub(super) without: Vec<u32>,
    /// Chapters that have no table.
    #[serde(default)]
    pub(super) without_table: Vec<u32>,
    /// Other titles of chapters.
    #[serde(default)]
    pub(super) titles: BTreeMap<String, String>,
    /// The page's tags by their public names.
    #[serde(default)]
    pub(super) tags: BTreeMap<String, String>,
    /// Number of pinyin glosses that were removed.
    pub(super) pinyin: Option<u32>,
    /// Number of tracked changes left in the document.
    pub(super) tracked: Option<u32>,
    /// Labels of chapter 三 that are not the form's, by the concepts of their rows.
    #[serde(default)]
    pub(super) labels: BTreeMap<String, String>,
    /// The agency's report on the year before.
    pub(super) previous: Option<Previous>,
    pub(super) published: Option<Spanned<String>>,
    pub(super) first_seen: Option<Spanned<String>>,
    pub(super) url: Option<String>,
    pub(super) column: Option<String>,
}

/// The content of the report on the year before.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Previous {
    pub(super) cells: BTreeMap<String, Spanned<String>>,
    pub(super) text: String,
}
