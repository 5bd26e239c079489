//! Parameters of rules: whole numbers, decimals, texts and lists of words.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use rust_decimal::{Decimal, prelude::FromPrimitive as _};
use serde::Deserialize;

use crate::{near::NearPhrases, prose::words::Words};

/// One parameter in the form of a pack.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Param {
    Whole(i64),
    Decimal(f64),
    Text(String),
    List(Vec<String>),
}

/// The kind of parameter that a check requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ParamKind {
    /// A whole number.
    Whole,
    /// A decimal, or a whole number.
    Decimal,
    /// A list of words.
    List,
}

impl ParamKind {
    /// Returns true if a parameter is of this kind.
    pub(crate) fn takes(self, param: &Param) -> bool {
        matches!(
            (self, param),
            (Self::Whole | Self::Decimal, Param::Whole(_))
                | (Self::Decimal, Param::Decimal(_))
                | (Self::List, Param::List(_))
        )
    }

    /// Returns the kind in words, for the author of a pack.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Whole => "a whole number",
            Self::Decimal => "a number",
            Self::List => "a list of words",
        }
    }
}

/// The parameters of a rule, ready for use. When the pack was loaded, they were compared with those that the check
/// requires.
#[derive(Debug, Clone, Default)]
pub(crate) struct Params {
    all: BTreeMap<String, Param>,
    words: BTreeMap<String, Arc<Words>>,
    /// The lists whose words are also searched for in texts that are almost right, built when first needed.
    near: BTreeMap<String, Arc<OnceLock<NearPhrases>>>,
}

impl Params {
    pub(crate) fn new(all: BTreeMap<String, Param>) -> Self {
        let mut params = Self::default();
        all.into_iter().for_each(|(name, param)| params.set(name, param));
        params
    }

    /// Sets a parameter, as a pack's override does.
    pub(crate) fn set(&mut self, name: String, param: Param) {
        if let Param::List(list) = &param {
            let heads =
                list.iter().map(|entry| entry.split_once(' ').map_or(entry.as_str(), |(head, _)| head));
            let list: Vec<&str> = heads.collect();
            self.words.insert(name.clone(), Arc::new(Words::new(&list)));
            self.near.insert(name.clone(), Arc::default());
        }
        self.all.insert(name, param);
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Param> {
        self.all.get(name)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Param)> {
        self.all.iter().map(|(name, param)| (name.as_str(), param))
    }

    /// Returns a whole number, or 0 if there is none of this name.
    pub(crate) fn whole(&self, name: &str) -> i64 {
        match self.all.get(name) {
            Some(Param::Whole(number)) => *number,
            _ => 0,
        }
    }

    /// Returns a number, or 0 if there is none of this name.
    pub(crate) fn decimal(&self, name: &str) -> Decimal {
        match self.all.get(name) {
            Some(Param::Whole(number)) => Decimal::from(*number),
            Some(Param::Decimal(number)) => Decimal::from_f64(*number).unwrap_or_default(),
            _ => Decimal::ZERO,
        }
    }

    /// Returns the words of a list, verbatim.
    pub(crate) fn list(&self, name: &str) -> &[String] {
        match self.all.get(name) {
            Some(Param::List(list)) => list,
            _ => &[],
        }
    }

    /// Returns the words of a list, each up to its first blank, for a single search; `None` if there are none.
    pub(crate) fn words(&self, name: &str) -> Option<&Words> {
        self.words.get(name).map(AsRef::as_ref)
    }

    /// Returns the words of a list, for a search that also finds texts that are almost one of them.
    pub(crate) fn near(&self, name: &str) -> Option<&NearPhrases> {
        let build = || NearPhrases::new(self.list(name).iter().map(String::as_str));
        self.near.get(name).map(|near| near.get_or_init(build))
    }
}
