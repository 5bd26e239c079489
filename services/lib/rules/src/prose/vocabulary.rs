//! The words of the prose rules, from `packs/words/*.toml`. There is one file per matter, read when it is first
//! needed.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::{Deserialize, de::DeserializeOwned};

use crate::prose::{
    quantity::Quantity,
    words::{OrderedWords, Words},
};

/// Words about requests for information.
pub(crate) static REQUESTS: LazyLock<RequestWords> =
    LazyLock::new(|| read(include_str!("../../packs/words/requests.toml")));

/// Words about lists that break a number down.
pub(crate) static SUMS: LazyLock<Sums> = LazyLock::new(|| read(include_str!("../../packs/words/sums.toml")));

/// Words about 行政复议 and 行政诉讼.
pub(crate) static DISPUTES: LazyLock<DisputeWords> =
    LazyLock::new(|| read(include_str!("../../packs/words/disputes.toml")));

/// Words about 规章 and 行政规范性文件.
pub(crate) static DOCUMENTS: LazyLock<Documents> =
    LazyLock::new(|| read(include_str!("../../packs/words/documents.toml")));

/// Words about 信息处理费.
pub(crate) static FEES: LazyLock<Fees> = LazyLock::new(|| read(include_str!("../../packs/words/fees.toml")));

fn read<T: DeserializeOwned>(text: &str) -> T {
    toml::from_str(text).expect("the compiled-in words are read: a unit test reads them")
}

/// The fields are explained in `requests.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequestWords {
    pub(super) topic: Words,
    pub(super) of_requests: OrderedWords,
    pub(super) units: OrderedWords,
    pub(super) bare_units: OrderedWords,
    pub(super) parts: Words,
    pub(super) together: OrderedWords,
    pub(super) papers: Words,
    pub(super) wholes: Words,
    pub(super) other_business: Words,
    pub(super) not_of_results: OrderedWords,
    pub(super) reasons: Words,
    pub(super) all_reasons: OrderedWords,
    pub(crate) not_of_none: OrderedWords,
    pub(super) documents: OrderedWords,
    pub(super) late: OrderedWords,
    pub(super) negations: OrderedWords,
    pub(super) scopes: Words,
    pub(super) keywords: Keywords,
    pub(super) carried_in: Carried,
    pub(super) carried_out: Carried,
}

/// Words about requests carried from or to another year.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Carried {
    pub(super) years: OrderedWords,
    pub(super) words: OrderedWords,
    #[serde(default)]
    pub(super) not: OrderedWords,
}

/// Verbs and results, with the quantity that each refers to.
#[derive(Deserialize)]
#[serde(from = "BTreeMap<Quantity, Vec<String>>")]
pub(super) struct Keywords {
    /// All keywords as one set, for a single search.
    pub(super) all: Words,
    quantities: Vec<(String, Quantity)>,
}

impl From<BTreeMap<Quantity, Vec<String>>> for Keywords {
    fn from(keywords: BTreeMap<Quantity, Vec<String>>) -> Self {
        let of_quantity =
            |(quantity, words): (Quantity, Vec<String>)| words.into_iter().map(move |word| (word, quantity));
        let quantities: Vec<(String, Quantity)> = keywords.into_iter().flat_map(of_quantity).collect();
        Self {
            all: Words::new(&quantities.iter().map(|(word, _)| word.as_str()).collect::<Vec<_>>()),
            quantities,
        }
    }
}

impl Keywords {
    /// Returns the quantity that a keyword refers to.
    pub(super) fn quantity(&self, keyword: &str) -> Option<Quantity> {
        self.iter().find(|(word, _)| *word == keyword).map(|(_, quantity)| quantity)
    }

    /// Returns each keyword with its quantity.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, Quantity)> {
        self.quantities.iter().map(|(word, quantity)| (word.as_str(), *quantity))
    }
}

/// The fields are explained in `sums.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sums {
    pub(crate) openers: OrderedWords,
    pub(crate) maybe_openers: OrderedWords,
    pub(crate) announcements: OrderedWords,
    pub(crate) sums: OrderedWords,
    pub(crate) units: OrderedWords,
    pub(crate) loose_units: OrderedWords,
    pub(crate) events: OrderedWords,
    pub(crate) ends: Words,
    pub(crate) changes: Words,
    pub(crate) channels: Words,
    pub(crate) nested: Words,
    pub(crate) results: Words,
    pub(crate) selections: Words,
}

/// The fields are explained in `disputes.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DisputeWords {
    pub(crate) units: OrderedWords,
    pub(crate) turns: OrderedWords,
    pub(crate) other: Words,
    pub(crate) unsure: Words,
    pub(crate) lost: Words,
    pub(crate) decisions: OrderedWords,
    pub(crate) every_kind: OrderedWords,
    pub(crate) case_words: OrderedWords,
    pub(crate) joins: OrderedWords,
    pub(crate) behind: OrderedWords,
    /// Words of results, each with its column.
    pub(crate) results: Vec<(String, String)>,
    /// The names of columns, by their public names.
    pub(crate) columns: BTreeMap<String, String>,
    pub(crate) blocks: BlockNames,
}

/// The names of the blocks of chapter 四.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BlockNames {
    pub(crate) review: OrderedWords,
    pub(crate) litigation: OrderedWords,
    pub(crate) direct: OrderedWords,
    pub(crate) after_review: OrderedWords,
}

/// The fields are explained in `documents.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Documents {
    pub(crate) units: OrderedWords,
    pub(crate) other: Words,
    pub(crate) unsure_verbs: OrderedWords,
    pub(crate) unsure: OrderedWords,
    /// Verbs, each with its column.
    pub(crate) verbs: Vec<(String, String)>,
    /// The names of columns, by their public names.
    pub(crate) columns: BTreeMap<String, String>,
}

/// The fields are explained in `fees.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fees {
    pub(crate) fee: Words,
    pub(crate) tariff: OrderedWords,
    pub(crate) breaches: OrderedWords,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compiled_in_words_are_read_and_every_column_has_its_name() {
        assert_eq!(REQUESTS.keywords.quantity("予以公开"), Some(Quantity::Granted));
        assert!(SUMS.openers.has("其中") && FEES.fee.any("未收费"));
        for (_, column) in &DISPUTES.results {
            assert!(DISPUTES.columns.contains_key(column), "{column}");
        }
        for (_, column) in &DOCUMENTS.verbs {
            assert!(DOCUMENTS.columns.contains_key(column), "{column}");
        }
    }
}
