//! Fingerprints: the name of a trouble over all its runs, so that alerts resolve themselves and waivers survive.

use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

use gongkai_model::FactId;

/// What tells two findings of one rule and report apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Key {
    /// The cells it is about.
    Operands,
    /// A part of the document's structure, such as `chapter-5`.
    Part(String),
    /// A quotation from a chapter (0: what stands before the first).
    Quote {
        /// The chapter's number.
        chapter: u32,
        /// The quotation.
        text: String,
    },
}

/// 32 hex digits over rule, agency, year and what the finding is about (CONTRACT 4).
pub(crate) fn fingerprint(rule: &str, agency: &str, year: i32, key: &Key, operands: &[FactId]) -> String {
    let mut hash = Sha256::new();
    let mut field = |text: &str| {
        hash.update(text);
        hash.update([0]);
    };
    field(rule);
    field(agency);
    field(&year.to_string());
    match key {
        Key::Operands => {
            let mut names: Vec<String> = operands.iter().map(ToString::to_string).collect();
            names.sort();
            names.dedup();
            names.iter().for_each(|name| field(name));
        }
        Key::Part(part) => field(part),
        Key::Quote { chapter, text } => {
            field(&chapter.to_string());
            field(&hex::encode(Sha256::digest(normalized(text))));
        }
    }
    hex::encode(&hash.finalize()[..16])
}

/// A quotation as it is compared: NFKC, no white space.
fn normalized(text: &str) -> String {
    text.nfkc().filter(|c| !c.is_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(names: &[&str]) -> Vec<FactId> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn it_depends_on_rule_agency_year_and_operands_but_not_on_their_order() {
        let (a, b) = (ids(&["x.a", "x.b[total]"]), ids(&["x.b[total]", "x.a"]));
        let base = fingerprint("R", "p-1", 2023, &Key::Operands, &a);
        assert_eq!(base.len(), 32);
        assert_eq!(base, fingerprint("R", "p-1", 2023, &Key::Operands, &b));
        for other in [
            fingerprint("S", "p-1", 2023, &Key::Operands, &a),
            fingerprint("R", "p-2", 2023, &Key::Operands, &a),
            fingerprint("R", "p-1", 2024, &Key::Operands, &a),
            fingerprint("R", "p-1", 2023, &Key::Operands, &a[..1]),
            fingerprint("R", "p-1", 2023, &Key::Part("x.a".into()), &[]),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn a_quotation_counts_by_its_words_not_by_its_spaces_or_widths() {
        let of = |chapter, text: &str| {
            fingerprint("P-SUM", "p-1", 2023, &Key::Quote { chapter, text: text.into() }, &[])
        };
        assert_eq!(of(1, "公开 77 条，其中"), of(1, "公开77条,其中"));
        assert_ne!(of(1, "公开77条"), of(1, "公开78条"));
        assert_ne!(of(1, "公开77条"), of(2, "公开77条"));
    }
}
