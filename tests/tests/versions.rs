//! Checks that versions are raised together with their outputs: the results of the readers, forms and rules for the
//! samples are those in `tests/samples/digests.toml`, or their version has changed since.
//!
//! `GONGKAI_GEN=write cargo test -p gongkai-tests --test versions` rewrites the file, once the versions are raised.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what is missing fails the test")]

use std::{collections::BTreeMap, fs, path::PathBuf};

use gongkai_tests::samples;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

const RAISE_PARSER: &str = "a change of gongkai-extract or gongkai-forms reads a document otherwise: raise PARSER (or \
    FORMS, for forms/*.toml) in services/lib/forms/src/versions.rs";
const RAISE_PACK: &str = "a change of a compiled-in pack may change findings: raise `version` in the [pack] of every file \
    of that pack in services/lib/rules/packs";
const RAISE_RULES: &str = "a change of gongkai-rules judges a report otherwise: raise `version` in the [pack] of the files \
    of the rule's pack in services/lib/rules/packs";

/// Digests of the packs, and of the results for the samples, under these versions. A digest is that of the first 16
/// bytes of a SHA-256, in hex.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Digests {
    versions: Versions,
    /// For each pack: its rules and words, without comments.
    packs: BTreeMap<String, String>,
    /// For each sample: the report or rejection.
    reading: BTreeMap<String, String>,
    /// For each sample: the findings.
    findings: BTreeMap<String, String>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Versions {
    parser: String,
    forms: String,
    rules: String,
}

// === impl Digests ===

impl Digests {
    fn now() -> Self {
        let rules = gongkai_rules::RuleSet::embedded();
        let versions = rules.versions();
        let mut digests = Self {
            versions: Versions {
                parser: versions.parser.clone(),
                forms: versions.forms.clone(),
                rules: versions.rules.clone(),
            },
            packs: packs(),
            reading: BTreeMap::new(),
            findings: BTreeMap::new(),
        };
        for sample in samples::all() {
            let hints = gongkai_check::Hints { filename: Some(&sample.file), ..Default::default() };
            let limits = gongkai_check::Limits::default();
            let line = gongkai_check::check(&sample.file, &sample.bytes(), &hints, &limits);
            let mut line = serde_json::to_value(line).unwrap();
            remove_versions(&mut line);
            let findings = line["findings"].take();
            digests.reading.insert(sample.file.clone(), digest(&line));
            digests.findings.insert(sample.file, digest(&findings));
        }
        digests
    }

    /// Returns the digests that have changed although their version has not, each with the version to raise.
    fn unraised(&self, now: &Self) -> Vec<String> {
        let same_reader =
            (&self.versions.parser, &self.versions.forms) == (&now.versions.parser, &now.versions.forms);
        let same_rules = self.versions.rules == now.versions.rules;
        let mut all = Vec::new();
        if same_reader {
            all.extend(changed(&self.reading, &now.reading).map(|file| format!("{file}: {RAISE_PARSER}")));
        }
        let version = |label: &str| {
            let of_pack =
                |rules: &str| rules.split(", ").find(|pack| pack.starts_with(label)).map(str::to_owned);
            (of_pack(&self.versions.rules), of_pack(&now.versions.rules))
        };
        for pack in changed(&self.packs, &now.packs) {
            let (then, now) = version(&format!("{pack} "));
            if then == now {
                all.push(format!("pack {pack}: {RAISE_PACK}"));
            }
        }
        if same_reader && same_rules {
            all.extend(changed(&self.findings, &now.findings).map(|file| format!("{file}: {RAISE_RULES}")));
        }
        all
    }
}

fn changed<'a>(
    then: &'a BTreeMap<String, String>,
    now: &'a BTreeMap<String, String>,
) -> impl Iterator<Item = &'a String> {
    then.iter()
        .filter(|(name, digest)| now.get(*name).is_some_and(|now| now != *digest))
        .map(|(name, _)| name)
}

/// Returns the compiled-in packs. Several files form one pack, and the words belong to the rules on prose.
fn packs() -> BTreeMap<String, String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../services/lib/rules/packs");
    let mut contents: BTreeMap<String, BTreeMap<String, toml::Table>> = BTreeMap::new();
    for folder in [folder.clone(), folder.join("words")] {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "toml") {
                continue;
            }
            let table: toml::Table = fs::read_to_string(&path).unwrap().parse().unwrap();
            let pack = table.get("pack").map_or("core", |pack| pack["name"].as_str().unwrap()).to_owned();
            let file = path.file_name().unwrap().to_string_lossy().into_owned();
            contents.entry(pack).or_default().insert(file, table);
        }
    }
    contents
        .iter()
        .map(|(pack, files)| (pack.clone(), digest(&serde_json::to_value(files).unwrap())))
        .collect()
}

fn digest(value: &Value) -> String {
    hex::encode(&Sha256::digest(value.to_string())[..16])
}

/// Removes the versions, so that only the result is compared.
fn remove_versions(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.remove("versions");
            members.values_mut().for_each(remove_versions);
        }
        Value::Array(items) => items.iter_mut().for_each(remove_versions),
        _ => {}
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the switch that `make gen` uses too")]
fn what_changed_has_a_new_version() {
    let file = samples::directory().join("digests.toml");
    let now = Digests::now();
    let then: Option<Digests> = fs::read_to_string(&file).ok().map(|text| toml::from_str(&text).unwrap());
    let unraised = then.as_ref().map(|then| then.unraised(&now)).unwrap_or_default();
    assert!(
        unraised.is_empty(),
        "{}\n(if it cannot change any output, put today's digests into {} by hand: {now:#?})",
        unraised.join("\n"),
        file.display()
    );
    if std::env::var("GONGKAI_GEN").is_ok_and(|mode| mode == "write") {
        let header = "# What the versions below make of the packs and the samples: tests/tests/versions.rs compares.\n";
        fs::write(&file, format!("{header}{}", toml::to_string(&now).unwrap())).unwrap();
    } else {
        assert!(
            then == Some(now),
            "{} is of other versions or samples: write it anew with\n\
             GONGKAI_GEN=write cargo test -p gongkai-tests --test versions",
            file.display()
        );
    }
}

#[test]
fn a_change_without_a_version_is_told_with_what_to_raise() {
    let (then, mut now) = (Digests::now(), Digests::now());
    assert_eq!(then.unraised(&now), Vec::<String>::new());
    let file = now.reading.keys().next().unwrap().clone();
    now.reading.insert(file.clone(), "other".to_owned());
    now.packs.insert("core".to_owned(), "other".to_owned());
    now.findings.insert(file.clone(), "other".to_owned());
    let told = then.unraised(&now);
    assert_eq!(told.len(), 3, "{told:?}");
    now.versions.rules = now.versions.rules.replace("core ", "core 1");
    assert_eq!(then.unraised(&now), [format!("{file}: {RAISE_PARSER}")]);
    now.versions.parser.push('0');
    assert_eq!(then.unraised(&now), Vec::<String>::new());
}
