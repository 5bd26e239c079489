//! The rules of structure: chapters, years, and the notice that a report cites.

use gongkai_model::{DeclaredField, Difference, Part, PartContent, Period, Report, Severity};
use gongkai_rules::{ReportContext, RuleSet};
use time::macros::date;

use crate::support::{brief, clean, findings, findings_published, nothing_beside, paragraph};

#[track_caller]
fn check(rule: &str, change: impl Fn(&mut Report), expect: &[&str]) {
    let mut report = clean();
    change(&mut report);
    assert_eq!(brief(&findings(&report)).of(&[rule]), expect);
}

#[test]
fn six_chapters_stand_in_order_and_none_is_empty() {
    for number in 0..6 {
        check("S-SECT", |r| drop(r.sections.remove(number)), &["S-SECT ERROR"]);
    }
    check("S-SECT", |r| r.sections.swap(4, 5), &["S-SECT ERROR"]);
    check("S-SECT", |r| r.sections[4].paragraphs.clear(), &["S-SECT ERROR"]);
    check("S-SECT", |r| r.sections[1].has_table = false, &["S-SECT ERROR"]);
    check("S-SECT", |r| r.sections[5].paragraphs = vec![paragraph(" \u{3000}")], &["S-SECT ERROR"]);
    check("S-SECT", |r| r.sections.clear(), &["S-SECT ERROR"; 6]);
    // 无 is content, and so is a table alone.
    check("S-SECT", |r| r.sections[5].paragraphs = vec![paragraph("无。")], &[]);
}

#[test]
fn a_chapter_that_seems_to_stand_under_the_one_before_is_a_question() {
    check(
        "S-SECT",
        |r| {
            let lost = r.sections.remove(4);
            r.sections[3].paragraphs.extend(lost.paragraphs);
        },
        &["S-SECT REVIEW"],
    );
    check(
        "S-SECT",
        |r| {
            r.sections.remove(5);
            r.sections[4].paragraphs.push(paragraph("本年度未收取信息处理费。"));
        },
        &["S-SECT REVIEW"],
    );
    check("S-SECT", |r| r.sections.push(r.sections[0].clone()), &["S-SECT REVIEW"]);
}

#[test]
fn a_missing_chapter_is_named() {
    let mut report = clean();
    report.sections.remove(4);
    let all = findings(&report);
    assert_eq!(all[0].message, "缺少第五部分「五、存在的主要问题及改进情况」。");
    assert_eq!(all[0].message_en, "chapter 5 (存在的主要问题及改进情况) is missing");
    report.sections.remove(2);
    assert_eq!(all[0].fingerprint, findings(&report)[1].fingerprint);
    assert_ne!(all[0].fingerprint, findings(&report)[0].fingerprint);
}

#[test]
fn title_and_period_speak_of_one_whole_year() {
    let period = |from, to| Some(Period { from, to, span: None });
    check("S-YEAR", |r| r.period = None, &[]);
    check("S-YEAR", |r| r.title_year = None, &[]);
    check("S-YEAR", |r| r.period = period((2022, 1, 1), (2022, 12, 31)), &["S-YEAR ERROR"]);
    check("S-YEAR", |r| r.period = period((2023, 1, 1), (2023, 12, 30)), &["S-YEAR ERROR"]);
    check("S-YEAR", |r| r.period = period((2023, 2, 1), (2023, 12, 31)), &["S-YEAR ERROR"]);
    check("S-YEAR", |r| r.period = period((2022, 1, 1), (2023, 12, 31)), &["S-YEAR ERROR"]);
    check(
        "S-YEAR",
        |r| {
            r.title_year = None;
            r.period = period((2023, 1, 1), (2023, 11, 30));
        },
        &["S-YEAR ERROR"],
    );
}

#[test]
fn publication_before_the_year_is_over_cannot_be_right_and_late_publication_may() {
    for (published, expect) in [
        (date!(2024 - 01 - 31), vec![]),
        (date!(2025 - 06 - 01), vec![]),
        (date!(2023 - 12 - 31), vec!["S-YEAR ERROR"]),
        (date!(2022 - 01 - 20), vec!["S-YEAR ERROR"]),
    ] {
        let found = brief(&findings_published(&clean(), Some(published))).of(&["S-YEAR"]);
        assert_eq!(found, expect, "{published}");
    }
}

#[test]
fn the_notice_of_the_2019_form_is_superseded_from_2021_on() {
    for cited in ["（国办公开办函〔2019〕60号）", "国办公开办函 ﹝2019﹞ 60号"] {
        check(
            "L-FMT",
            |r| r.preamble = vec![paragraph(&format!("根据通知{cited}要求编制。"))],
            &["L-FMT WARNING"],
        );
    }
    // Wrong brackets are reported by another rule.
    for cited in [
        "国办公开办函[2019]60号",
        "国办公开办函（2019）60 号",
        "国办公开办函【2019】60号",
        "国办公开办函［２０１９］６０号",
    ] {
        let expect = ["L-NUM WARNING", "L-FMT WARNING"];
        check("L-", |r| r.preamble = vec![paragraph(&format!("根据通知{cited}要求编制。"))], &expect);
    }
    check(
        "L-FMT",
        |r| r.sections[1].paragraphs = vec![paragraph("见国办公开办函〔2019〕60号。")],
        &["L-FMT WARNING"],
    );
    for cited in
        ["国办公开办函〔2021〕30号", "国办公开办函〔2019〕61号", "国办发〔2019〕60号", "年度报告格式的通知"]
    {
        check("L-FMT", |r| r.preamble = vec![paragraph(&format!("根据{cited}要求编制。"))], &[]);
    }
    check(
        "L-FMT",
        |r| {
            r.preamble = vec![paragraph("根据国办公开办函〔2019〕60号编制。")];
            (r.year, r.title_year) = (2020, Some(2020));
            r.period = None;
        },
        &[],
    );
}

#[test]
fn a_citation_is_quoted_with_its_place() {
    let mut report = clean();
    report.preamble = vec![paragraph("根据国办公开办函〔2019〕60号编制。")];
    let all = findings(&report);
    let finding = all.iter().find(|finding| finding.rule == "L-FMT").unwrap();
    let source = finding.source.as_ref().unwrap();
    assert_eq!(source.text, "国办公开办函〔2019〕60号");
    let span = source.span.unwrap();
    assert_eq!((span.start, span.end), (1002, 1017));
    assert_eq!(finding.message, "导语引用的「国办公开办函〔2019〕60号」已被国办公开办函〔2021〕30号取代。");
}

#[test]
fn what_the_sender_declares_is_held_against_the_report() {
    let report = clean();
    let of = |field, declared: &str, read: &str| Difference {
        field,
        declared: declared.to_owned(),
        read: read.to_owned(),
    };
    let differences = [
        of(DeclaredField::Agency, "青溪市林业局", "青溪市水务局"),
        of(DeclaredField::AgencyCode, "QX-1", "QX-2"),
        of(DeclaredField::Year, "2022", "2023"),
    ];
    let context = ReportContext { differences: &differences, ..nothing_beside(&report) };
    let findings = RuleSet::embedded().evaluate(&report, &context);
    let told: Vec<_> =
        findings.iter().map(|f| (f.rule.as_str(), f.expected.as_deref(), f.actual.as_deref())).collect();
    assert_eq!(
        told,
        [
            ("S-YEAR", Some("2022"), Some("2023")),
            ("S-AGENCY", Some("青溪市林业局"), Some("青溪市水务局")),
            ("S-AGENCY", Some("QX-1"), Some("QX-2")),
        ]
    );
    assert!(findings.iter().all(|finding| finding.severity == Severity::Error));
}

#[test]
fn a_quotation_of_an_attachment_says_so() {
    let mut report = clean();
    report.preamble = vec![paragraph("本报告由青溪市林业局编制。")];
    let part = Part {
        name: Some("年报.docx".to_owned()),
        media_type: String::new(),
        sha256: String::new(),
        content: PartContent::Carrier,
    };
    report.parts = vec![part];
    let finding = findings(&report).into_iter().find(|finding| finding.rule == "S-AGENCY").unwrap();
    assert_eq!(finding.source.unwrap().part.as_deref(), Some("年报.docx"));
}
