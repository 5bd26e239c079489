//! The rules of the tables: equations, whole numbers, cells without a number.

use crate::support::{FORMS, brief, clean, clean_of, findings, set, value};
use gongkai_model::{Finding, Report, Variant};

/// Changes cells of a clean report and compares `RULE cause` of the findings about tables.
fn check(changes: &[(&str, &str)], expect: &[&str]) {
    let mut report = clean();
    for (id, state) in changes {
        set(&mut report, id, state);
    }
    let mut all = findings(&report);
    all.retain(|f| ["T2-INT", "T3-", "T4-SUM", "CELL-"].iter().any(|own| f.rule.starts_with(own)));
    let cause = |f: &Finding| f.cause.as_ref().map(ToString::to_string).unwrap_or_default();
    let seen: Vec<String> = all.iter().map(|f| format!("{} {}", f.rule, cause(f))).collect();
    assert_eq!(seen, expect, "{changes:?}: {:#?}", brief(&all));
}

fn plus(report: &Report, id: &str, more: i64) -> String {
    (value(report, id) + rust_decimal::Decimal::from(more)).to_string()
}

#[test]
fn a_clean_report_of_any_form_has_no_finding() {
    for (form, variant) in FORMS {
        let expect: &[&str] = if variant == Variant::SingleRowOther { &["S-LABEL WARNING"] } else { &[] };
        assert_eq!(brief(&findings(&clean_of(form, variant))), expect, "{form:?} {variant:?}");
    }
}

#[test]
fn one_wrong_cell_breaks_every_equation_it_stands_in_and_is_their_cause() {
    let clean = clean();
    for (id, rules) in [
        ("requests.outcome.granted[enterprise]", vec!["T3-ROW", "T3-SUM"]),
        ("requests.outcome.granted[total]", vec!["T3-ROW", "T3-SUM"]),
        ("requests.outcome.total[natural_person]", vec!["T3-ROW", "T3-SUM", "T3-BAL"]),
        ("requests.outcome.total[total]", vec!["T3-ROW", "T3-SUM", "T3-BAL"]),
        ("requests.received[other]", vec!["T3-ROW", "T3-BAL"]),
        ("requests.received[total]", vec!["T3-ROW", "T3-BAL"]),
        ("requests.carried_out[legal_service]", vec!["T3-ROW", "T3-BAL"]),
        ("disputes.reconsideration.total", vec!["T4-SUM"]),
    ] {
        let wrong = plus(&clean, id, 5);
        let expect: Vec<String> = rules.iter().map(|rule| format!("{rule} {id}")).collect();
        check(&[(id, &wrong)], &expect.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

#[test]
fn two_wrong_cells_have_two_causes() {
    let clean = clean();
    let (a, b) = ("requests.outcome.granted[enterprise]", "requests.received[natural_person]");
    check(
        &[(a, &plus(&clean, a, 3)), (b, &plus(&clean, b, 4))],
        &[
            "T3-ROW requests.received[natural_person]",
            "T3-ROW requests.outcome.granted[enterprise]",
            "T3-SUM requests.outcome.granted[enterprise]",
            "T3-BAL requests.received[natural_person]",
        ],
    );
}

#[test]
fn a_blank_may_stand_for_any_number_but_a_negative_one() {
    let clean = clean();
    let leaf = "requests.outcome.granted[enterprise]";
    let total = "requests.outcome.granted[total]";
    // The clean report contains no 0, so a blank in it is an additional finding.
    check(&[(leaf, "_")], &["CELL-EMPTY "]);
    check(&[(leaf, "/")], &["CELL-NA "]);
    check(&[(total, "_")], &["CELL-EMPTY "]);
    // The parts exceed the total, so no value of the blank cell satisfies the sum.
    let parts = value(&clean, total) - value(&clean, leaf);
    let too_small = (parts - rust_decimal::Decimal::ONE).to_string();
    check(
        &[(leaf, "/"), (total, &too_small)],
        &["T3-ROW requests.outcome.granted[total]", "T3-SUM requests.outcome.granted[total]", "CELL-NA "],
    );
}

#[test]
fn an_equation_with_an_unreadable_or_missing_operand_is_silent() {
    let (leaf, total) = ("requests.outcome.granted[enterprise]", "requests.outcome.granted[total]");
    check(&[(leaf, "?"), (total, "1")], &["T3-SUM requests.outcome.granted[total]", "CELL-UNREAD "]);
    check(&[(leaf, "!"), (total, "1")], &["T3-SUM requests.outcome.granted[total]", "CELL-MISSING "]);
    check(
        &[("disputes.reconsideration.other", "?"), ("disputes.reconsideration.total", "1")],
        &["CELL-UNREAD "],
    );
}

#[test]
fn numbers_too_large_to_add_up_are_silent_and_do_no_harm() {
    let huge = "79228162514264337593543950335";
    check(&[("disputes.reconsideration.other", huge), ("disputes.reconsideration.total", "1")], &[]);
    let (leaf, total) = ("requests.outcome.granted[enterprise]", "requests.outcome.granted[total]");
    let mut report = clean();
    set(&mut report, leaf, huge);
    set(&mut report, total, "-79228162514264337593543950335");
    assert!(!findings(&report).is_empty());
}

#[test]
fn a_finding_says_expected_and_actual_and_names_row_and_column() {
    let mut report = clean();
    let parts = "requests.received[total]";
    let before = value(&report, parts);
    set(&mut report, parts, "8");
    let all = findings(&report);
    let row = all.iter().find(|f| f.rule == "T3-ROW").unwrap();
    assert_eq!(row.expected, Some(before.to_string()));
    assert_eq!(row.actual.as_deref(), Some("8"));
    assert_eq!(row.facts.len(), 7);
    assert_eq!(row.concept.as_ref().unwrap().as_str(), "requests.received");
    assert!(
        row.message.starts_with("第三部分表格「一、本年新收政府信息公开申请数量」行："),
        "{}",
        row.message
    );
    assert!(row.message.contains("「总计」列填的是 8") && row.message.contains(&format!("={before}")));
    assert!(row.message_en.contains(&format!("={before}, the total says 8")), "{}", row.message_en);
    assert_eq!(row.fingerprint.len(), 32);
    assert_eq!(row.versions, *gongkai_rules::RuleSet::embedded().versions());
}

#[test]
fn counts_are_whole_and_not_negative() {
    check(
        &[("disputes.reconsideration.total", "2.5")],
        &["T3-INT disputes.reconsideration.total", "T4-SUM disputes.reconsideration.total"],
    );
    check(
        &[("requests.outcome.granted[enterprise]", "-3")],
        &[
            "T3-ROW requests.outcome.granted[enterprise]",
            "T3-SUM requests.outcome.granted[enterprise]",
            "T3-INT requests.outcome.granted[enterprise]",
        ],
    );
    check(&[("proactive.licensing.decisions", "0.5")], &["T2-INT proactive.licensing.decisions"]);
    check(&[("proactive.fees.amount", "96171.6")], &[]);
    check(&[("proactive.licensing.decisions", "7.0")], &[]);
}

#[test]
fn a_change_of_the_2019_form_may_be_negative_but_not_broken() {
    let (form, variant) = FORMS[2];
    for (state, expect) in [("-2", vec![]), ("-2.5", vec!["T2-INT ERROR"])] {
        let mut report = clean_of(form, variant);
        set(&mut report, "proactive.licensing.change", state);
        assert_eq!(brief(&findings(&report)).of(&["T2-INT"]), expect);
    }
}

/// Returns the clean report with some cells, by parts of their names, in another state.
fn with_cells(cells: &[&str], state: &str, zeros: &[&str]) -> Report {
    let mut report = clean();
    for id in zeros {
        set(&mut report, id, "0");
    }
    let ids: Vec<String> = report.facts.iter().map(|fact| fact.id.to_string()).collect();
    for id in ids.iter().filter(|id| cells.iter().any(|pattern| id.contains(pattern))) {
        set(&mut report, id, state);
    }
    report
}

/// Changes cells of the clean report and compares `RULE SEVERITY number-of-cells`.
fn check_cells(cells: &[&str], state: &str, zeros: &[&str], expect: &[&str]) {
    let seen: Vec<String> = findings(&with_cells(cells, state, zeros))
        .iter()
        .filter(|f| f.rule.starts_with("CELL"))
        .map(|f| format!("{} {} {}", f.rule, f.severity, f.facts.len()))
        .collect();
    assert_eq!(seen, expect, "{cells:?} {state}");
}

#[test]
fn empty_cells_are_one_finding_a_chapter() {
    let zero = ["requests.carried_in[other]"];
    check_cells(&["normative_documents.in_force"], "_", &[], &["CELL-EMPTY WARNING 1"]);
    check_cells(&["disputes.reconsideration"], "_", &[], &["CELL-EMPTY WARNING 5"]);
    check_cells(
        &["regulations.issued", "litigation_direct.other"],
        "_",
        &[],
        &["CELL-EMPTY WARNING 1", "CELL-EMPTY WARNING 1"],
    );
    // There are eleven slips among filled cells.
    check_cells(
        &["requests.outcome.granted", "refused.third_party_rights[", "refused.process"],
        "_",
        &zero,
        &["CELL-EMPTY ERROR 21"],
    );
    // The cases are whole blank columns, a form without a single 0, and a form without a single number.
    check_cells(&["[enterprise]", "[legal_service]", "[other]"], "_", &[], &["CELL-EMPTY WARNING 75"]);
    check_cells(&["requests.outcome.granted", "refused."], "_", &[], &["CELL-EMPTY WARNING 63"]);
    check_cells(&["requests."], "_", &[], &["CELL-EMPTY WARNING 175"]);
    check_cells(&["requests.outcome.granted"], "/", &[], &["CELL-NA INFO 7"]);
}

#[test]
fn missing_and_unreadable_cells_are_one_finding_a_chapter() {
    check_cells(
        &["requests.outcome.other.", "disputes.reconsideration.total"],
        "!",
        &[],
        &["CELL-MISSING ERROR 21", "CELL-MISSING ERROR 1"],
    );
    check_cells(&["requests.received"], "?", &[], &["CELL-UNREAD REVIEW 7"]);
    check_cells(&["reconsideration", "litigation"], "!", &[], &["CELL-MISSING ERROR 15"]);
}

#[test]
fn a_message_about_many_cells_names_the_first_and_counts_all() {
    let mut report = clean();
    set(&mut report, "proactive.normative_documents.in_force", "_");
    let all = findings(&report);
    assert_eq!(
        all[0].message,
        "第二部分表格有 1 个空格未填：「行政规范性文件」行「现行有效件数」列。没有发生的请填 0。"
    );
    assert_eq!(
        all[0].message_en,
        "table 2 has 1 blank cells: proactive.normative_documents.in_force; write 0 where nothing happened"
    );
    let check = |cells: &[&str], state: &str, expect: &str| {
        let all = findings(&with_cells(cells, state, &[]));
        let said = all.iter().find(|finding| finding.rule.starts_with("CELL-")).unwrap();
        assert_eq!(said.message, expect);
    };
    check(
        &["requests.outcome.not_processed.excessive", "requests.outcome.other.not_corrected"],
        "?",
        "第三部分表格有 14 格无法确定读数，请对照原文：（五）4、（六）1 两行全部。",
    );
    check(
        &["[enterprise]", "[legal_service]", "requests.carried_out[total]"],
        "_",
        "第三部分表格有 51 个空格未填：「商业企业」「法律服务机构」两列全部，「四、结转下年度继续办理」行「总计」列。没有发生的请填 0。",
    );
    check(
        &["disputes.reconsideration"],
        "_",
        "第四部分表格有 5 个空格未填：「行政复议」整栏。没有发生的请填 0。",
    );
    check(&["requests.outcome.granted"], "!", "第三部分表格缺少格式规定的 7 格：「（一）予以公开」整行。");
}
