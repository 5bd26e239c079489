//! The rules of titles, names, contents and chapter 二, one line per case.

use gongkai_model::{AgencyKind, AgencyProfile, Applicant, Field, FieldName, Level, Region, Report, Source};
use gongkai_rules::{ReportContext, RuleSet};

use crate::support::{FORMS, all_rules, brief, clean, clean_of, findings, nothing_beside, paragraph, set};

#[track_caller]
fn check(rule: &str, change: impl Fn(&mut Report), expect: &[&str]) {
    let mut report = clean();
    change(&mut report);
    let seen = brief(&all_rules().evaluate(&report, &nothing_beside(&report))).of(&[&format!("{rule} ")]);
    assert_eq!(seen, expect, "{}", report.title);
}

#[test]
fn titles_of_the_report() {
    let title = |title: &str, expect: &[&str]| check("S-NAME", |r| r.title = title.into(), expect);
    title("", &["S-NAME WARNING"]);
    title("青溪市水务局2023年政府信息公开年度报告", &["S-NAME WARNING"]);
    title("青溪市水务局2023年政务信息公开工作年度报告", &["S-NAME WARNING"]);
    title("2023年政府信息公开工作年度报告", &["S-NAME WARNING"]);
    for right in [
        "青溪市水务局2023年政府信息公开工作年度报告",
        "2023年青溪市水务局政府信息公开工作年度报告",
        "青溪市水务局 2023 年 政府信息公开工作\n年度报告",
        "青溪市水务局2023年度政府信息公开工作年度报告_青溪市人民政府",
    ] {
        title(right, &[]);
    }
}

#[test]
fn titles_of_the_chapters() {
    let title = |at: usize, title: &str, expect: &[&str]| {
        check("S-TITLE", |r| r.sections[at].title = title.into(), expect);
    };
    title(1, "二、行政机关主动公开政府信息情况", &[]);
    title(3, "四、因政府信息公开工作被申请行政复议、提起行政诉讼情况", &[]);
    title(3, "四、行政复议与应诉情况", &["S-TITLE INFO"]);
    title(4, "五、下一年工作打算", &["S-TITLE WARNING"]);
    title(0, "一、 总体 情况", &[]);
    title(4, "5．存在的主要问题及改进情况", &[]);
    check(
        "S-PRE",
        |r| r.preamble = vec![paragraph("全文包括总体情况，主动公开情况，其他需要报告的事项。")],
        &["S-PRE INFO"],
    );
    check("S-PRE", |r| r.preamble = vec![paragraph("本报告包括总体情况等部分。")], &[]);
}

#[test]
fn bodies_that_a_report_names() {
    let compiler =
        |text: &str, expect: &[&str]| check("S-AGENCY", |r| r.preamble = vec![paragraph(text)], expect);
    compiler("本报告由青溪市林业局编制。", &["S-AGENCY ERROR"]);
    for text in [
        "本报告由青溪市水务局编制。",
        "本报告由水务局办公室根据条例编制。",
        "由我局编制。",
        "由青溪市水利局（加挂青溪市水务局牌子）编制。",
        "由各科室汇总编制。",
    ] {
        compiler(text, &[]);
    }
    let government = |report: &mut Report| {
        report.agency = "青溪市人民政府".into();
        report.title = "青溪市人民政府2023年政府信息公开工作年度报告".into();
        report.preamble = vec![paragraph("由青溪市人民政府办公室编制。")];
    };
    check("S-AGENCY", government, &[]);
    check("S-GOV", government, &["S-GOV WARNING"]);
    let tells_one = |report: &mut Report| {
        government(report);
        report.sections[0].paragraphs.push(paragraph("将政务公开纳入年度考核。"));
    };
    check("S-GOV", tells_one, &["S-GOV REVIEW"]);
    let tells_all = |report: &mut Report| {
        government(report);
        report.sections[0].paragraphs.push(paragraph("开展工作考核和社会评议，未发生责任追究。"));
    };
    check("S-GOV", tells_all, &[]);
    check("S-GOV", |_| {}, &[]);
}

#[test]
fn contents_of_chapters_one_and_five() {
    let one = |text: &str, expect: &[&str]| {
        check("S-FIVE", |r| r.sections[0].paragraphs = vec![paragraph(text)], expect);
    };
    one("我局做好主动公开和依申请公开，加强平台建设和监督保障。", &["S-FIVE WARNING"]);
    one("多渠道主动公开；办理依申请；落实先审后发；办好网站；开展培训。", &[]);
    let five = |text: &str, expect: &[&str]| {
        check("S-CH5", |r| r.sections[4].paragraphs = vec![paragraph(text)], expect);
    };
    five("无。", &["S-CH5 WARNING"]);
    five(
        "我局认真完成上级交办的各项任务，积极落实公开要求，取得了明显成效，得到群众一致好评。",
        &["S-CH5 WARNING"],
    );
    five("公开内容更新还不够及时，下一步将完善更新机制，明确专人负责，按月检查并通报结果情况。", &[]);
    check("S-LEN", |r| r.sections[0].paragraphs.push(paragraph(&"公".repeat(1000))), &["S-LEN INFO"]);
    check("S-LEN", |_| {}, &[]);
}

#[test]
fn rules_and_documents_of_chapter_two() {
    check("T2-RULE", |_| {}, &[]);
    let body = |agency: &'static str| {
        move |r: &mut Report| {
            r.agency = agency.into();
            set(r, "proactive.regulations.in_force", "2");
        }
    };
    check("T2-RULE", body("南昌市东湖区财政局"), &["T2-RULE WARNING"]);
    check("T2-RULE", body("樟树市人民政府"), &["T2-RULE WARNING"]);
    check("T2-RULE", body("南昌市财政局"), &["T2-RULE WARNING"]);
    check("T2-RULE", body("南昌市人民政府"), &[]);
    check("T2-RULE", body("江西省人民政府办公厅"), &[]);
    check("T2-RULE", body("财政局"), &[]);
    let row = |issued: &'static str, repealed: &'static str, valid: &'static str| {
        move |r: &mut Report| {
            set(r, "proactive.normative_documents.issued", issued);
            set(r, "proactive.normative_documents.repealed", repealed);
            set(r, "proactive.normative_documents.in_force", valid);
        }
    };
    check("T2-VALID", row("9", "2", "3"), &["T2-VALID WARNING"]);
    check("T2-VALID", row("9", "7", "3"), &[]);
    check("T2-VALID", row("1", "5", "_"), &[]);
}

#[test]
fn amounts_and_decisions_of_chapter_two() {
    let fee = |agency: &'static str, amount: &'static str| {
        move |r: &mut Report| {
            r.agency = agency.into();
            set(r, "proactive.fees.amount", amount);
        }
    };
    check("T2-UNIT", fee("青溪市水务局", "961716000"), &["T2-UNIT WARNING"]);
    check("T2-UNIT", fee("樟树市水务局", "172700"), &["T2-UNIT WARNING"]);
    check("T2-UNIT", fee("樟树市水务局", "17.27"), &[]);
    check("T2-UNIT", fee("杭州市人民政府", "316441"), &[]);
    let enforcement = |agency: &'static str, decisions: &'static str| {
        move |r: &mut Report| {
            r.agency = agency.into();
            for name in ["licensing", "punishment", "coercion"] {
                set(r, &format!("proactive.{name}.decisions"), decisions);
            }
        }
    };
    check("T2-SCOPE", enforcement("赣县区行政审批局", "0"), &["T2-SCOPE INFO"]);
    check("T2-SCOPE", enforcement("赣县区行政审批局", "3"), &[]);
    check("T2-SCOPE", enforcement("赣县区史志办公室", "0"), &[]);
    let mut old = clean_of(FORMS[2].0, FORMS[2].1);
    let is_old = |report: &Report| brief(&findings(report)).contains("T2-OLD ERROR");
    assert!(!is_old(&old), "the report on 2020");
    (old.year, old.title_year, old.period) = (2021, Some(2021), None);
    assert!(is_old(&old));
}

#[test]
fn requests_of_chapter_three() {
    check("T3-FEE", |r| r.sections[5].paragraphs = vec![paragraph("无其他事项。")], &["T3-FEE WARNING"]);
    check("T3-FEE", |_| {}, &[]);
    check("T4-PRE", |r| (r.year, r.title_year, r.period) = (2024, Some(2024), None), &["T4-PRE INFO"]);
    check("T4-PRE", |_| {}, &[]);
    check("T3-PEER", |r| r.agency = "樟树市鹿江街道办事处".into(), &["T3-PEER INFO"]);
    check("T3-PEER", |_| {}, &[]);
}

#[test]
fn a_moved_row_is_told_from_a_wrong_cell() {
    let mut report = clean();
    let row = "requests.outcome.granted";
    let names: Vec<&str> = Applicant::ALL.iter().map(|applicant| applicant.as_str()).collect();
    let values: Vec<String> =
        names.iter().map(|n| crate::support::value(&report, &format!("{row}[{n}]")).to_string()).collect();
    for (at, name) in names.iter().enumerate() {
        set(&mut report, &format!("{row}[{name}]"), &values[(at + 1) % names.len()]);
    }
    let all = findings(&report);
    let moved = all.iter().find(|f| f.rule == "T3-TRANS").expect("a moved row");
    assert!(moved.message.contains(&values.join("、")), "{}", moved.message);
    let row = all.iter().find(|f| f.rule == "T3-ROW").unwrap();
    assert!(row.suggestion.as_ref().is_some_and(|text| text.contains("移位")), "{row:?}");

    let mut report = clean();
    set(&mut report, "requests.outcome.granted[total]", "7777");
    let all = findings(&report);
    assert!(all.iter().all(|f| f.rule != "T3-TRANS"), "{:?}", brief(&all));
    let row = all.iter().find(|f| f.rule == "T3-ROW").unwrap();
    let suggestion = row.suggestion.clone().unwrap();
    assert!(
        suggestion.starts_with("将第三部分表格「（一）予以公开」行「总计」列由 7777 改为 "),
        "{suggestion}"
    );
}

#[test]
fn fields_and_codes_of_the_page() {
    let field =
        |name, is_tag, value: &str| Field { name, is_tag, value: value.into(), source: Source::default() };
    let tags = |published: &'static str| {
        move |r: &mut Report| {
            r.metadata.fields = vec![
                field(FieldName::ArticleTitle, true, "年报"),
                field(FieldName::ContentSource, true, "水务局"),
                field(FieldName::Published, true, published),
                field(FieldName::Published, false, "2024-01-17"),
            ];
        }
    };
    check("M-META", tags("null"), &["M-META INFO"]);
    check("M-META", tags("2024-01-15 10:00"), &["M-META INFO"]);
    check("M-META", tags("2024-01-17 10:00"), &[]);
    check("M-META", |_| {}, &[]);

    let agency = AgencyProfile {
        key: gongkai_model::AgencyKey::from_code("11360982014501").unwrap(),
        name: "青溪市水务局".into(),
        level: Some(Level::County),
        kind: Some(AgencyKind::Department),
        region: "360982".parse::<Region>().unwrap(),
        parent: None,
        site_domain: None,
    };
    for (code, expect) in
        [("3707000009", 1), ("3609820001", 0), ("3600000052", 0), ("N000000672", 0), ("310000000044", 0)]
    {
        let mut report = clean();
        report.metadata.fields = vec![field(FieldName::SiteIdCode, true, code)];
        let context = ReportContext { profile: Some(&agency), ..nothing_beside(&report) };
        let found = RuleSet::embedded().evaluate(&report, &context);
        assert_eq!(found.iter().filter(|f| f.rule == "M-CODE").count(), expect, "{code}");
    }
}

#[test]
fn units_belong_into_the_header() {
    let with_text = |text: &'static str| {
        move |r: &mut Report| {
            let fee = r.facts.iter_mut().find(|f| f.id.to_string() == "proactive.fees.amount").unwrap();
            fee.source = Some(Source { text: text.into(), ..Source::default() });
        }
    };
    check("S-UNIT", with_text("6万元"), &["S-UNIT INFO"]);
    check("S-UNIT", with_text("6"), &[]);
}
