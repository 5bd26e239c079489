//! Local packs: rules as expressions, changes of compiled-in rules, and refusals with their file and line.

use gongkai_rules::{PackText, RuleSet};

use crate::support::{brief, clean, nothing_beside, set};

const HEAD: &str = "[pack]\nname = \"county\"\nversion = \"3\"\n";

fn load(text: &str) -> RuleSet {
    RuleSet::with_local(&[PackText { file: "county.toml", text: &format!("{HEAD}{text}") }]).unwrap()
}

fn findings(rules: &RuleSet, report: &gongkai_model::Report) -> Vec<gongkai_model::Finding> {
    rules.evaluate(report, &nothing_beside(report))
}

const RECEIVED: &str = r#"
[[rules]]
id = "LOCAL-1"
severity = "WARNING"
when = "cell('requests.received[total]') > params.most"
params = { most = 20 }
facts = ["requests.received[total]"]
values = { received = "cell('requests.received[total]')" }
actual = "cell('requests.received[total]')"
message = { "zh-CN" = "新收申请 {received} 件，超过本县常见数量。" }
"#;

#[test]
fn an_expression_is_a_rule_and_tells_its_values() {
    let rules = load(RECEIVED);
    let version = &rules.versions().rules;
    assert!(version.ends_with(", county 3"), "{version}");
    let mut report = clean();
    let found = findings(&rules, &report);
    assert_eq!(brief(&found).of(&["LOCAL"]), ["LOCAL-1 WARNING"]);
    let received = crate::support::value(&report, "requests.received[total]").to_string();
    assert_eq!(found[0].message, format!("新收申请 {received} 件，超过本县常见数量。"));
    assert_eq!(found[0].actual.as_deref(), Some(received.as_str()));
    assert_eq!(found[0].facts[0].to_string(), "requests.received[total]");
    assert_eq!(found[0].message, found[0].message_en);

    set(&mut report, "requests.received[total]", "_");
    let found = findings(&rules, &report);
    assert!(found.iter().all(|finding| finding.rule != "LOCAL-1"), "a blank is no number");
}

#[test]
fn a_pattern_gives_its_quotation_and_place() {
    let rules = load(
        r#"
[[rules]]
id = "LOCAL-2"
severity = "INFO"
when = "quote.praise != null && report.year >= 2021 && size(report.sections) == 6"
patterns = { praise = { regex = "认真落实.{0,4}", chapters = [1] } }
message = { "zh-CN" = "{chapter}「{quote}」是套话。", en = "{chapter}: {quote} says nothing" }
"#,
    );
    let found = findings(&rules, &clean());
    assert_eq!(brief(&found).of(&["LOCAL"]), ["LOCAL-2 INFO"]);
    assert_eq!(found[0].message, "第一部分「认真落实条例要求」是套话。");
    assert_eq!(found[0].message_en, "chapter 1: 认真落实条例要求 says nothing");
    let source = found[0].source.as_ref().unwrap();
    assert_eq!((source.text.as_str(), source.span.unwrap().start), ("认真落实条例要求", 1002));
}

#[test]
fn a_local_pack_switches_off_and_weighs_anew() {
    let mut report = clean();
    set(&mut report, "requests.outcome.granted[total]", "1000001");
    set(&mut report, "proactive.regulations.issued", "_");
    let core = findings(&load(""), &report);
    assert!(brief(&core).contains("T3-ROW ERROR"), "{core:?}");
    assert!(brief(&core).contains("CELL-EMPTY WARNING"), "{core:?}");
    let local = findings(
        &load(
            r#"
[[override]]
id = "T3-ROW"
enabled = false
[[override]]
id = "CELL-EMPTY"
severity = "REVIEW"
params = { error_above = 3 }
"#,
        ),
        &report,
    );
    let brief = brief(&local);
    assert!(!brief.speaks("T3-ROW"), "{brief:?}");
    assert!(brief.contains("CELL-EMPTY REVIEW"), "{brief:?}");
}

/// Checks that a pack is refused with the file, the line (of the text below the head) and the reason.
fn check(text: &str, line: usize, expect: &str) {
    let text = format!("{HEAD}{text}");
    let error = RuleSet::with_local(&[PackText { file: "county.toml", text: &text }]).unwrap_err();
    assert!(error.message.contains(expect), "{error}");
    assert_eq!((error.file.as_str(), error.line), ("county.toml", line + 3), "{error}");
}

#[test]
fn a_broken_pack_is_refused_with_its_line() {
    let rule = |when: &str| {
        format!(
            "[[rules]]\nid = \"L\"\nseverity = \"INFO\"\nwhen = {when}\nmessage = {{ \"zh-CN\" = \"x\" }}\n"
        )
    };
    check(&rule("\"cell('requests.received[total]') >\""), 4, "no CEL expression");
    check(&rule("\"\"\"\ntrue &&\n  (false\n\"\"\""), 7, "no CEL expression");
    check(
        &rule("\"cell('requests.recieved[total]') > 1\""),
        4,
        "no form has a cell \"requests.recieved[total]\"",
    );
    check(&rule("\"sum(['proactive.fees.amount', 'proactive.fee']) > 1.0\""), 4, "no form has a cell");
    check(&rule("\"reprot.year > 2020\""), 4, "unknown variable \"reprot\"");
    check(&rule("\"report.yaer > 2020\""), 4, "unknown member of report \"yaer\"");
    for (when, expect) in [
        ("agency.nam == 'x'", "unknown member of agency \"nam\"; known are name, level"),
        ("agency['nam'] == 'x'", "unknown member of agency \"nam\""),
        ("has(event.publishd_at)", "unknown member of event \"publishd_at\""),
        ("report.period.form == 'x'", "unknown member of report.period \"form\"; known are from, to"),
        ("report.year.month > 1", "unknown member of report.year \"month\"; it has no members"),
        ("report.sections[1].titel == 'x'", "unknown member \"titel\"; known are title, length, text"),
        ("report.sections.title == 'x'", "unknown member of report.sections \"title\"; its elements"),
        ("neighbours.previus.year > 1", "unknown member of neighbours \"previus\""),
        ("neighbours.previous.cells['requests.recieved[total]'] > 1", "no form has a cell"),
        ("[1].all(agency, agency > 0) && agency.nam == 'x'", "unknown member of agency \"nam\""),
        ("cell('requests.outcome.refused.*') > 1", "may be many cells"),
        ("sum(['requests.refused.*']) > 1", "no form has a cell \"requests.refused.*\""),
    ] {
        check(&rule(&format!("\"{when}\"")), 4, expect);
    }
    check(&rule("\"total('x') > 2020\""), 4, "unknown function \"total\"");
    check(&rule("\"params.most > 3\""), 4, "unknown parameter \"most\"");
    check(&rule("\"quote.a != null\""), 4, "unknown pattern \"a\"");
    check(&rule("\"true\"\npatterns = { a = \"(\" }"), 5, "no regular expression");
    check(&rule("\"true\"\ncheck = \"years\""), 2, "either a check or an expression");
    check(&rule("\"true\"\npublished_from = \"2024-13-01\""), 5, "no day");
    check(&rule("\"true\"\nfacts = [\"x\"]"), 5, "no form has a cell \"x\"; gongkai rules cells lists all");
    check(&rule("\"true\"\nfacts = [\"requests.refused.*\"]"), 5, "no form has a cell");
    check(
        "[[rules]]\nid = \"T3-ROW\"\nseverity = \"INFO\"\nwhen = \"true\"\nmessage = { \"zh-CN\" = \"x\" }",
        2,
        "defined by pack core",
    );
    check("[[override]]\nid = \"T9-ROW\"\nenabled = false", 2, "no pack before this one defines rule T9-ROW");
    check("[[override]]\nid = \"CELL-EMPTY\"\nparams = { error_above = \"x\" }", 3, "a whole number");
    check("[[override]]\nid = \"CELL-EMPTY\"\ncases = { none = \"INFO\" }", 3, "no case \"none\"");
    check("[[rules]]\nid = \"L\"\nseverty = \"INFO\"", 3, "severty");
}

/// Returns a rule with one expression, and optionally more keys.
fn when(expression: &str, keys: &str) -> String {
    format!(
        "[[rules]]\nid = \"L\"\nseverity = \"INFO\"\nwhen = \"{expression}\"\n{keys}\n\
         message = {{ \"zh-CN\" = \"x\" }}\n"
    )
}

#[test]
fn every_documented_member_has_a_value() {
    let report = clean();
    let kind = gongkai_agencies::kind_of(&report.agency);
    let year = |report: &gongkai_model::Report| gongkai_rules::AgencyYear::of(report, kind);
    let previous = Some(year(&report));
    let neighbours = gongkai_rules::Neighbours { previous, ..gongkai_rules::Neighbours::new(year(&report)) };
    let context = gongkai_rules::ReportContext { neighbours: Some(&neighbours), ..nothing_beside(&report) };
    for path in [
        "report.agency",
        "report.year",
        "report.title_year",
        "report.form",
        "report.variant",
        "report.title",
        "report.period.from",
        "report.period.to",
        "report.preamble",
        "report.sections[1].title",
        "report.sections[1].text",
        "report.sections[1].length",
        "agency.name",
        "agency.level",
        "agency.kind",
        "agency.region",
        "agency.parent",
        "agency.site_domain",
        "event.published_at",
        "event.first_seen",
        "event.url",
        "event.site_code",
        "event.site_domain",
        "event.column",
        "neighbours.previous.year",
        "neighbours.previous.cells['requests.received[total]']",
    ] {
        // A member that has no value, not even null, makes the rule silent.
        let rules = load(&when(&format!("dyn({path}) == dyn({path})"), ""));
        let found = rules.evaluate(&report, &context);
        assert!(found.iter().any(|finding| finding.rule == "L"), "{path}");
    }
}

#[test]
fn wildcards_name_the_cells_of_the_reports_form() {
    let sum = "sum(['requests.outcome.refused.*']) == cell('requests.received[total]')";
    let rules = load(&when(sum, "facts = [\"requests.outcome.refused.*\", \"requests.received[*]\"]"));
    let own = |report: &gongkai_model::Report| {
        let mut found = findings(&rules, report);
        found.retain(|finding| finding.rule == "L");
        found
    };
    let mut report = clean();
    let refused: Vec<String> = report
        .facts
        .iter()
        .map(|fact| fact.id.to_string())
        .filter(|id| id.starts_with("requests.outcome.refused.") && id.ends_with("[total]"))
        .collect();
    assert_eq!(refused.len(), 8);
    refused.iter().for_each(|id| set(&mut report, id, "3"));
    set(&mut report, "requests.received[total]", "24");
    let found = own(&report);
    let facts: Vec<String> = found[0].facts.iter().map(ToString::to_string).collect();
    assert_eq!((&facts[..8], facts.len()), (&refused[..], 15), "{facts:?}");
    set(&mut report, "requests.received[total]", "25");
    assert!(own(&report).is_empty(), "{:?}", own(&report));
    // A blank never counts as 0.
    set(&mut report, &refused[0], "_");
    assert!(own(&report).is_empty(), "{:?}", own(&report));
}

#[test]
fn the_example_pack_loads_and_speaks() {
    let text = include_str!("../../../../../deploy/rules/county.toml");
    let rules = RuleSet::with_local(&[PackText { file: "county.toml", text }]).unwrap();
    let mut report = clean();
    report.sections[0].paragraphs.push(crate::support::paragraph("各项工作取得了明显成效。"));
    set(&mut report, "requests.carried_out[total]", "99999");
    let found = brief(&findings(&rules, &report)).of(&["YX-"]);
    for expect in ["YX-REPLIES REVIEW", "YX-SLOGAN INFO"] {
        assert!(found.contains(expect), "{expect} not among {found:?}");
    }
    for on in ["S-LEN", "M-META"] {
        assert!(rules.rules().iter().any(|rule| rule.id == on), "{on} is switched on");
    }
}

#[test]
fn examples_of_a_pack_are_run_and_told_by_their_line() {
    let county = include_str!("../../../../../deploy/rules/county.toml");
    let rules = RuleSet::with_local(&[PackText { file: "county.toml", text: county }]).unwrap();
    assert_eq!(rules.run_examples(gongkai_agencies::nature_of), (4, Vec::new()));

    let example = |lines: &str| load(&format!("{RECEIVED}[[example]]\nrule = \"LOCAL-1\"\n{lines}"));
    let cells = "cells = { \"requests.received[total]\" = \"21\" }\n";
    assert!(
        example(&format!("{cells}fires = [\"\"]")).run_examples(gongkai_agencies::nature_of).1.is_empty()
    );
    let line = 3 + RECEIVED.lines().count() + 4;
    for wrong in ["silent = [\"\"]", "fires = [\"\"]\nseverity = \"ERROR\""] {
        let (count, failures) = example(&format!("{cells}{wrong}")).run_examples(gongkai_agencies::nature_of);
        assert_eq!((count, failures.len()), (1, 1), "{wrong}");
        assert_eq!((failures[0].file.as_str(), failures[0].line), ("county.toml", line), "{}", failures[0]);
        assert!(failures[0].message.contains("新收申请 21 件"), "{}", failures[0]);
    }
    // The rule of an example may be switched off.
    let off = example(&format!("{cells}silent = [\"\"]\n[[override]]\nid = \"LOCAL-1\"\nenabled = false"));
    assert_eq!(off.run_examples(gongkai_agencies::nature_of), (0, Vec::new()));
}

#[test]
fn an_example_of_what_there_is_not_is_refused() {
    for wrong in [
        "rule = \"NO-SUCH\"",
        "rule = \"T3-ROW\"\ncells = { \"no.such.cell\" = \"3\" }",
        "rule = \"T3-ROW\"\nseverity = \"FATAL\"",
        "rule = \"T3-ROW\"\npublished = \"31.1.2024\"",
        "rule = \"T3-ROW\"\nno_such_key = 3",
    ] {
        let text = format!("{HEAD}[[example]]\n{wrong}\n");
        let error = RuleSet::with_local(&[PackText { file: "county.toml", text: &text }]).unwrap_err();
        assert!((4..=6).contains(&error.line), "{error}");
    }
}

#[test]
fn a_rule_over_its_budget_is_refused_by_name() {
    let tens = "[0,1,2,3,4,5,6,7,8,9]";
    let nested = (0..9).fold("true".to_owned(), |inner, n| format!("{tens}.all(x{n}, {inner})"));
    let doubled = format!("size([report.preamble]{}) > 0", ".map(t, t + t)".repeat(40));
    for (when, why) in [(nested, "steps"), (doubled, "MiB")] {
        let rule = format!(
            "{HEAD}[[rules]]\nid = \"LOCAL-9\"\nseverity = \"INFO\"\nwhen = \"{when}\"\n\
             message = {{ \"zh-CN\" = \"…\" }}\n"
        );
        let refused =
            RuleSet::with_local(&[PackText { file: "county.toml", text: &rule }]).unwrap_err().to_string();
        assert!(
            refused.contains("county.toml") && refused.contains("LOCAL-9") && refused.contains(why),
            "{refused}"
        );
    }
}

#[test]
fn on_a_report_that_is_too_large_a_rule_is_left_out_by_name_and_the_others_speak() {
    let rules = load(&format!(
        "{RECEIVED}[[rules]]\nid = \"LOCAL-8\"\nseverity = \"INFO\"\n\
         when = \"report.sections.exists(n, report.sections.exists(m, report.sections.exists(k, report.sections[n].text.contains(report.sections[m].text))))\"\n\
         message = {{ \"zh-CN\" = \"…\" }}\n"
    ));
    let mut report = clean();
    assert!(rules.evaluate_all(&report, &nothing_beside(&report)).left_out.is_empty());
    let paragraph = report.sections[0].paragraphs[0].clone();
    report.sections[0].paragraphs.extend(std::iter::repeat_n(paragraph, 100_000));
    let found = rules.evaluate_all(&report, &nothing_beside(&report));
    let left_out: Vec<&str> = found.left_out.iter().map(|left_out| left_out.rule.as_str()).collect();
    assert_eq!(left_out, ["LOCAL-8"]);
    assert!(found.left_out[0].to_string().starts_with("rule LOCAL-8 was left out"), "{}", found.left_out[0]);
    assert!(found.findings.iter().any(|finding| finding.rule == "LOCAL-1"));
}
