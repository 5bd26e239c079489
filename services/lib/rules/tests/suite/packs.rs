//! Packs: the compiled-in one loads, and an invalid one is refused with its line.

use gongkai_rules::RuleSet;

const CORE: &str = include_str!("../../packs/core.toml");

const IDS: &[&str] = &[
    "T3-ROW",
    "T3-SUM",
    "T3-BAL",
    "T3-INT",
    "T4-SUM",
    "CELL-EMPTY",
    "CELL-MISSING",
    "CELL-UNREAD",
    "T3-TRANS",
    "T3-FEE",
    "T2-INT",
    "T2-RULE",
    "T2-VALID",
    "T2-UNIT",
    "T2-SCOPE",
    "T2-OLD",
    "CELL-NA",
    "P-SUM",
    "P-REQ",
    "P-ZERO",
    "P-NONE",
    "P-T4",
    "P-DOC",
    "P-FEE",
    "P-PCT",
    "P-BLANK",
    "P-TWICE",
    "P-DONE",
    "S-SECT",
    "S-YEAR",
    "S-TITLE",
    "S-FIVE",
    "S-GOV",
    "S-CH5",
    "S-NAME",
    "S-AGENCY",
    "S-BODY",
    "S-PRE",
    "S-TBL",
    "S-UNIT",
    "S-NUMBER",
    "S-LABEL",
    "S-NAME2",
    "S-CONTACT",
    "L-FMT",
    "L-OLDREG",
    "L-STALE",
    "L-NUM",
    "L-PARTY",
    "H-YEAR",
    "H-DUP",
    "H-ART",
    "H-MIRROR",
    "H-LINK",
    "H-PII",
    "H-TERM",
    "H-ENC",
    "M-CODE",
    "H-TRACK",
    "H-DATE",
];

fn without<'a>(ids: &[&'a str], others: &[&str]) -> Vec<&'a str> {
    ids.iter().copied().filter(|id| !others.contains(id)).collect()
}

#[test]
fn the_compiled_in_pack_holds_the_rules_of_one_report() {
    let rules = RuleSet::embedded();
    let of_core = rules.rules().iter().filter(|rule| rule.pack.starts_with("core "));
    let ids: Vec<&str> = of_core.map(|rule| rule.id.as_str()).collect();
    let (new, gone): (Vec<_>, Vec<_>) = (without(&ids, IDS), without(IDS, &ids));
    assert!(new.is_empty() && gone.is_empty(), "add {new:?} to IDS above, and take {gone:?} out");
    assert_eq!(ids, IDS, "IDS is in the order of the packs");
    let off: Vec<&str> = rules.switched_off().iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!(off, ["T3-PEER", "T4-PRE", "S-LEN", "M-META"]);
    assert_eq!(rules.versions().rules, "core 8, sensitive 2026-11-28, cross 5");
    for rule in rules.rules() {
        let words = [
            &rule.formula,
            &rule.legal,
            &rule.help,
            &rule.help_en,
            rule.check().unwrap_or("when"),
            rule.scope.as_str(),
        ];
        assert!(words.iter().all(|text| !text.is_empty()), "{}", rule.id);
    }
}

/// Changes the first occurrence of a text in the core pack and checks that it is refused.
fn check(from: &str, to: &str, expect: &str) {
    let at = CORE.find(from).expect("the sample change must change something");
    let text = format!("{}{to}{}", &CORE[..at], &CORE[at + from.len()..]);
    let error = RuleSet::parse("core.toml", &text).unwrap_err();
    assert!(error.message.contains(expect), "{error}");
    let line = CORE[..at].matches('\n').count() + 1;
    assert!(error.line.abs_diff(line) <= 12 && error.line > 1, "{error}, the mistake is on line {line}");
    assert!(error.to_string().starts_with(&format!("rule pack core.toml, line {}: ", error.line)));
}

#[test]
fn a_wrong_pack_is_refused_with_its_line_and_reason() {
    check("check = \"identity.row\"", "check = \"identity.diagonal\"", "unknown check \"identity.diagonal\"");
    check("severity = \"WARNING\"", "severity = \"SHOUT\"", "unknown severity");
    check("scope = \"single\"", "scope = \"galaxy\"", "unknown scope");
    check("forms = [\"2021\", \"2019\"]", "forms = [\"2031\"]", "unknown form \"2031\"");
    check("forms = [\"2021\", \"2019\"]", "forms = []", "needs a form");
    check("legal =", "legals =", "legals");
    check("{parts}={expected}，「总计」", "{addends}={expected}，「总计」", "unknown placeholder {addends}");
    check("{parts}={expected}，「总计」", "{parts={expected}，「总计」", "placeholder");
    check("[rules.cases.no_zero]", "[rules.cases.no_nil]", "no_nil");
    check("id = \"T3-SUM\"", "id = \"T3-ROW\"", "stands twice");
    check("params = { error_above = 10 }", "", "error_above");
    check("params = { error_above = 10 }", "params = { error_below = 10 }", "error_below");
    check(
        "en = \"{cell} says {actual}; a count is a whole",
        "fr = \"{cell} says {actual}; a count is a whole",
        "fr",
    );
    check("formula = \"件数为非负整数\"", "formula = 件数", "");
}

#[test]
fn a_pack_may_change_weight_years_and_forms() {
    let text = CORE.replacen(
        "severity = \"ERROR\"\nscope = \"single\"\nforms = [\"2021\", \"2019\"]",
        "severity = \"INFO\"\nscope = \"single\"\nforms = [\"2019\"]\nyears_to = 2020",
        1,
    );
    let rules = RuleSet::parse("core.toml", &text).unwrap();
    let rule = &rules.rules()[0];
    assert_eq!((rule.severity.as_str(), rule.years()), ("INFO", (None, Some(2020))));
    assert!(!rule.applies_to(&crate::support::clean(), None));
    let (form, variant) = crate::support::FORMS[2];
    assert!(rule.applies_to(&crate::support::clean_of(form, variant), None));
}
