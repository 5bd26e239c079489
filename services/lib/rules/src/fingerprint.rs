//! Fingerprints identify a finding across runs, so that alerts resolve by themselves and waivers survive.

use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

use gongkai_model::{FactId, State};

/// What distinguishes two findings of one rule in one report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FindingKey {
    /// The cells of the finding.
    Operands,
    /// A part of the document's structure, such as `chapter-5`.
    Part(String),
    /// A quotation from a chapter (0: the text before the first).
    Quote {
        /// The chapter's number.
        chapter: u32,
        /// The quotation.
        text: String,
    },
}

/// Returns 32 hex digits over rule, agency, year and key of the finding.
pub(crate) fn fingerprint(
    rule: &str,
    agency: &str,
    year: i32,
    key: &FindingKey,
    operands: &[FactId],
) -> String {
    let mut hash = Sha256::new();
    let mut field = |text: &str| {
        hash.update(text);
        hash.update([0]);
    };
    field(rule);
    field(agency);
    field(&year.to_string());
    match key {
        FindingKey::Operands => {
            let mut names: Vec<String> = operands.iter().map(ToString::to_string).collect();
            names.sort();
            names.dedup();
            names.iter().for_each(|name| field(name));
        }
        FindingKey::Part(part) => field(part),
        FindingKey::Quote { chapter, text } => {
            field(&chapter.to_string());
            field(&hex::encode(Sha256::digest(normalized(text))));
        }
    }
    hex::encode(&hash.finalize()[..16])
}

/// The content of a finding. A waiver is valid while it stays the same.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grounds<'a> {
    /// The cells and their states. Their order does not matter.
    pub(crate) operands: &'a [(&'a FactId, State)],
    /// The case of the rule.
    pub(crate) case: &'a str,
    /// The expected value, if the rule has one.
    pub(crate) expected: Option<&'a str>,
    /// The value in the report, if the rule has one.
    pub(crate) actual: Option<&'a str>,
    /// The other values in the finding's message: a share of copied prose, other addresses, other agencies.
    pub(crate) words: &'a [&'a str],
}

/// Returns a digest of a finding's content, as 16 hex digits. White space and character widths in quotations do not
/// change it.
pub(crate) fn operands_digest(grounds: &Grounds<'_>) -> String {
    let mut cells: Vec<String> = grounds.operands.iter().map(|(id, state)| cell(id, *state)).collect();
    cells.sort();
    cells.dedup();
    let quoted = |text: Option<&str>| match text {
        Some(text) if text.is_ascii() => text.to_owned(),
        text => normalized(text.unwrap_or("?")),
    };
    let mut hash = Sha256::new();
    let mut field = |text: &str| {
        hash.update(text);
        hash.update([0]);
    };
    field(grounds.case);
    cells.iter().for_each(|cell| field(cell));
    field(&quoted(grounds.expected));
    field(&quoted(grounds.actual));
    grounds.words.iter().for_each(|word| field(word));
    hex::encode(&hash.finalize()[..8])
}

/// Formats a cell and its state. `7.0` and `7` are the same number.
fn cell(id: &FactId, state: State) -> String {
    match state {
        State::Reported(value) => format!("{id}={}", value.normalize()),
        other => format!("{id}:{}", other.as_str()),
    }
}

/// Returns a quotation as it is compared: NFKC, no white space.
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
        let base = fingerprint("R", "p-1", 2023, &FindingKey::Operands, &a);
        assert_eq!(base.len(), 32);
        assert_eq!(base, fingerprint("R", "p-1", 2023, &FindingKey::Operands, &b));
        for other in [
            fingerprint("S", "p-1", 2023, &FindingKey::Operands, &a),
            fingerprint("R", "p-2", 2023, &FindingKey::Operands, &a),
            fingerprint("R", "p-1", 2024, &FindingKey::Operands, &a),
            fingerprint("R", "p-1", 2023, &FindingKey::Operands, &a[..1]),
            fingerprint("R", "p-1", 2023, &FindingKey::Part("x.a".into()), &[]),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn the_digest_depends_on_what_stands_there_and_not_on_order_or_zeros_behind_the_point() {
        let ids = ids(&["x.a", "x.b[total]"]);
        let of = |a: State, b: State, expected| {
            let digest = |operands: &[(&FactId, State)]| {
                let grounds = Grounds { operands, case: "sum", expected, actual: Some("8"), words: &["甲"] };
                operands_digest(&grounds)
            };
            let there = digest(&[(&ids[0], a), (&ids[1], b)]);
            assert_eq!(there, digest(&[(&ids[1], b), (&ids[0], a)]));
            there
        };
        let number = |text: &str| State::Reported(text.parse().unwrap());
        let base = of(number("3"), number("4"), Some("7"));
        assert_eq!(base.len(), 16);
        assert_eq!(base, of(number("3.0"), number("4"), Some("7")));
        for other in [
            of(number("4"), number("3"), Some("7")),
            of(number("3"), State::Blank, Some("7")),
            of(number("3"), State::NotApplicable, Some("7")),
            of(number("3"), number("4"), Some("6")),
            of(number("3"), number("4"), None),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn the_digest_tells_ways_to_break_a_rule_apart_but_not_spaces_in_a_quotation() {
        let base = Grounds {
            operands: &[],
            case: "alike",
            expected: None,
            actual: Some("收到 条，"),
            words: &["85%"],
        };
        let same = Grounds { actual: Some("收到条,"), ..base };
        assert_eq!(operands_digest(&base), operands_digest(&same));
        for other in [
            Grounds { case: "the_same", ..base },
            Grounds { words: &["100%"], ..base },
            Grounds { actual: Some("收到5条"), ..base },
        ] {
            assert_ne!(operands_digest(&base), operands_digest(&other));
        }
    }

    #[test]
    fn a_quotation_counts_by_its_words_not_by_its_spaces_or_widths() {
        let of = |chapter, text: &str| {
            fingerprint("P-SUM", "p-1", 2023, &FindingKey::Quote { chapter, text: text.into() }, &[])
        };
        assert_eq!(of(1, "公开 77 条，其中"), of(1, "公开77条,其中"));
        assert_ne!(of(1, "公开77条"), of(1, "公开78条"));
        assert_ne!(of(1, "公开77条"), of(2, "公开77条"));
    }
}
