//! The examples of the catalogue pass, and every rule has one that fires and one that is silent.

use std::{collections::BTreeSet, fs, path::Path};

use gongkai_rules::{PackText, RuleSet, Scope};

use crate::cross;

/// Returns the compiled-in rules with the examples of `packs/examples`.
fn with_examples() -> RuleSet {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("packs/examples");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let texts: Vec<(String, String)> = files
        .iter()
        .map(|path| {
            (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(path).unwrap())
        })
        .collect();
    let head = "[pack]\nname = \"core\"\nversion = \"1\"\n".to_owned();
    let switched_on = RuleSet::embedded()
        .switched_off()
        .iter()
        .fold(head, |text, rule| format!("{text}[[override]]\nid = \"{}\"\nenabled = true\n", rule.id));
    let on = PackText { file: "on.toml", text: &switched_on };
    let packs: Vec<PackText<'_>> =
        texts.iter().map(|(file, text)| PackText { file, text }).chain([on]).collect();
    RuleSet::with_local(&packs).unwrap()
}

#[test]
fn every_example_holds() {
    let (count, failures) = with_examples().run_examples(gongkai_agencies::nature_of);
    let failures: Vec<String> = failures.iter().map(ToString::to_string).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(count > 200, "{count}");
}

#[test]
fn every_rule_fires_in_one_case_and_is_silent_in_another() {
    let rules = with_examples();
    let of = |fires: bool| -> BTreeSet<String> {
        let examples =
            rules.covered().filter(|(_, expect)| *expect == fires).map(|(rule, _)| rule.to_owned());
        examples.chain(cross::covered(fires)).collect()
    };
    let (firing, silent) = (of(true), of(false));
    for rule in rules.rules() {
        let (id, scope) = (rule.id.as_str(), rule.scope.as_str());
        let todo = match rule.scope {
            Scope::Single | Scope::Event => "add an `[[example]]` to `packs/examples/`",
            Scope::CrossYear | Scope::RollUp => "add a case to `tests/suite/cross.rs`",
        };
        assert!(firing.contains(id), "{id} ({scope}) has no example that fires: {todo}");
        assert!(silent.contains(id), "{id} ({scope}) has no example that it leaves alone: {todo}");
    }
    assert!(rules.rules().iter().any(|rule| rule.scope == Scope::Single));
}
