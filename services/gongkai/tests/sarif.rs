//! `gongkai check --format sarif` and `--schema`: the shape of the log, and that places are those of the files.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::{fs, path::Path, process::Command};

use serde_json::{Value, json};

fn check(arguments: &[&str]) -> Vec<u8> {
    Command::new(env!("CARGO_BIN_EXE_gongkai")).arg("check").args(arguments).output().unwrap().stdout
}

fn sample(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/samples").join(name).display().to_string()
}

fn log(arguments: &[&str]) -> Value {
    let arguments: Vec<&str> = arguments.iter().copied().chain(["--format", "sarif"]).collect();
    serde_json::from_slice(&check(&arguments)).unwrap()
}

/// Returns the results of the only run.
fn results(log: &Value) -> &[Value] {
    assert_eq!((&log["version"], log["runs"].as_array().unwrap().len()), (&json!("2.1.0"), 1));
    log["runs"][0]["results"].as_array().unwrap()
}

#[test]
fn every_finding_is_a_result_with_its_rule_level_fingerprint_and_cause() {
    let files = [sample("02_tab_rows_wrong_total.txt"), sample("07_html_dispute_total_and_period.html")];
    let log = log(&[&files[0], &files[1]]);
    let lines = String::from_utf8(check(&[&files[0], &files[1], "--format", "json"])).unwrap();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let findings: Vec<&Value> = lines.iter().flat_map(|line| line["findings"].as_array().unwrap()).collect();
    let results = results(&log);
    assert!(!findings.is_empty());
    assert_eq!(results.len(), findings.len());
    let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    for (result, finding) in results.iter().zip(findings) {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!((&result["ruleId"], &rules[index]["id"]), (&finding["rule"], &finding["rule"]));
        let level = match finding["severity"].as_str().unwrap() {
            "ERROR" => "error",
            "WARNING" => "warning",
            "REVIEW" => "note",
            _ => "none",
        };
        assert_eq!((&result["level"], result["kind"] == "fail"), (&json!(level), level != "none"));
        assert_eq!(result["message"]["text"], finding["message"]);
        assert_eq!(result["partialFingerprints"]["gongkaiFinding/v1"], finding["fingerprint"]);
        for member in ["cause", "concept", "expected", "actual"] {
            assert_eq!(result["properties"][member], finding[member], "{member}");
        }
        let place = &result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"];
        assert!(!place.as_str().unwrap().is_empty(), "{result}");
    }
}

/// Returns the text of a region by its lines and columns.
fn by_lines(text: &str, region: &Value) -> String {
    let number = |member: &str| usize::try_from(region[member].as_u64().unwrap()).unwrap();
    assert_eq!(number("startLine"), number("endLine"), "a cell of these samples is on one line");
    let line = text.lines().nth(number("startLine") - 1).unwrap();
    line.chars().take(number("endColumn") - 1).skip(number("startColumn") - 1).collect()
}

/// Returns the text of a region by its characters.
fn by_characters(text: &str, region: &Value) -> String {
    let number = |member: &str| usize::try_from(region[member].as_u64().unwrap()).unwrap();
    text.chars().skip(number("charOffset")).take(number("charLength")).collect()
}

#[test]
fn the_regions_of_a_finding_contain_its_cells() {
    let utf8 = fs::read_to_string(sample("02_tab_rows_wrong_total.txt")).unwrap();
    let (gb18030, _, _) = encoding_rs::GB18030.encode(&utf8);
    let folder = tempfile::tempdir().unwrap();
    for (bytes, is_utf8) in [(utf8.as_bytes(), true), (&*gb18030, false)] {
        let path = folder.path().join("年 报.txt");
        fs::write(&path, bytes).unwrap();
        let log = log(&[path.to_str().unwrap()]);
        let locations: Vec<&Value> = results(&log)
            .iter()
            .filter(|result| result["properties"]["actual"].is_string())
            .flat_map(|result| {
                [&result["locations"], &result["relatedLocations"]].into_iter().filter_map(Value::as_array)
            })
            .flatten()
            .collect();
        assert!(locations.len() > 3, "{locations:?}");
        for location in locations {
            let place = &location["physicalLocation"];
            let address = place["artifactLocation"]["uri"].as_str().unwrap();
            assert!(address.starts_with("file:///") && address.ends_with("%E5%B9%B4%20%E6%8A%A5.txt"));
            let region = &place["region"];
            let snippet = region["snippet"]["text"].as_str().unwrap();
            assert_eq!(by_characters(&utf8, region), snippet);
            assert_eq!(by_lines(&utf8, region), snippet);
            let from = region["byteOffset"].as_u64().map(|at| usize::try_from(at).unwrap());
            assert_eq!(from.is_some(), is_utf8);
            assert!(from.is_none_or(|from| utf8[from..].starts_with(snippet)), "{region}");
        }
    }
}

#[test]
fn a_cell_has_its_name_and_its_place_in_the_table() {
    let log = log(&[&sample("13_word_docx.docx"), &sample("02_tab_rows_wrong_total.txt")]);
    let results = results(&log);
    let row = results.iter().find(|result| result["ruleId"] == "T3-ROW").unwrap();
    let cell = &row["locations"][0]["logicalLocations"][0];
    assert_eq!(cell["kind"], "tableCell");
    assert!(cell["name"].as_str().unwrap().starts_with("requests."), "{cell}");
    assert!(cell["fullyQualifiedName"].as_str().unwrap().starts_with("第三部分表格「"), "{cell}");
    assert!(cell["properties"]["row"].is_u64() && cell["properties"]["column"].is_u64(), "{cell}");
}

#[test]
fn what_was_rejected_is_a_notification_and_the_language_is_that_of_the_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weather.txt");
    fs::write(&path, "今天天气很好。").unwrap();
    for (lang, tag) in [("zh", "zh-CN"), ("en", "en-US")] {
        let log = log(&[path.to_str().unwrap(), "--lang", lang]);
        assert!(results(&log).is_empty());
        let run = &log["runs"][0];
        assert_eq!((&run["language"], &run["columnKind"]), (&json!(tag), &json!("unicodeCodePoints")));
        let invocation = &run["invocations"][0];
        assert_eq!((&invocation["executionSuccessful"], &invocation["exitCode"]), (&json!(false), &json!(2)));
        let notification = &invocation["toolExecutionNotifications"][0];
        assert_eq!(notification["descriptor"]["id"], "NOT_A_REPORT");
        assert_eq!(notification["message"]["text"].as_str().unwrap().is_ascii(), lang == "en");
    }
}

#[test]
fn the_schema_is_printed_and_takes_no_file() {
    let schema: Value = serde_json::from_slice(&check(&["--schema"])).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let line: Value =
        serde_json::from_slice(&check(&[&sample("12_picture.html"), "--format", "json"])).unwrap();
    assert!(jsonschema::draft202012::is_valid(&schema, &line));
    assert!(check(&["--schema", "a.txt"]).is_empty());
}
