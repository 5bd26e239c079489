//! Rules over the report of the year before, and over wordings.

use gongkai_model::{Applicant, FormId, Report, Variant};
use gongkai_rules::{ReportContext, RuleSet, Sibling};

use super::{Case, before, check, years};
use crate::support::{clean, clean_of, nothing_beside, paragraph, seen, set, value, with_prose};

#[test]
pub(super) fn x_carry() {
    let broken = |report: &mut Report, _: &mut Report| set(report, "requests.carried_in[total]", "1");
    check(&years(broken), &["X-CARRY ERROR"]);
    check(&years(|_, before| set(before, "requests.carried_out[other]", "999")), &["X-CARRY WARNING"]);
    // A blank or a mark on either side cannot be compared.
    check(&years(|_, before| set(before, "requests.carried_out[total]", "_")), &[]);
    check(&years(|report, _| set(report, "requests.carried_in[total]", "/")), &[]);
    // The bodies were merged, or figures were corrected since.
    for said in ["因机构改革，我局职能划入。", "上年数据有误，以本年度报告为准。"]
    {
        let told = |report: &mut Report, _: &mut Report| {
            report.sections[0].paragraphs.push(paragraph(said));
            set(report, "requests.carried_in[total]", "1");
        };
        check(&years(told), &["X-CARRY REVIEW"]);
    }
    // The report sums up another set of bodies.
    let recut = |report: &mut Report, _: &mut Report| {
        report.sections[0].paragraphs.push(paragraph("以下为全市行政机关汇总数据。"));
        set(report, "requests.carried_in[total]", "1");
    };
    check(&years(recut), &["X-CARRY REVIEW"]);
}

#[test]
pub(super) fn x_valid_and_t2_valid() {
    let kind = "proactive.normative_documents";
    let numbers = |in_force: &'static str, repealed: &'static str| {
        move |report: &mut Report, _: &mut Report| {
            set(report, "proactive.normative_documents.in_force", in_force);
            set(report, "proactive.normative_documents.repealed", repealed);
        }
    };
    check(&years(numbers("9", "3")), &[]);
    check(&years(numbers("8", "3")), &["X-VALID WARNING"]);
    // With 6 in force and 6 issued, 13 cannot be repealed.
    check(&years(numbers("0", "13")), &["X-VALID WARNING", "T2-VALID WARNING"]);
    check(&years(numbers("0", "12")), &[]);
    for said in ["经清理，现行有效件数以本年度报告为准。", "另有 2 件自动失效。", "3 件划转市数据局。"]
    {
        let told = |report: &mut Report, before: &mut Report| {
            report.sections[0].paragraphs.push(paragraph(said));
            numbers("40", "13")(report, before);
        };
        check(&years(told), &[]);
    }
    let cleaned = |report: &mut Report, before: &mut Report| {
        report.sections[0].paragraphs.push(paragraph("全年清理行政规范性文件 1 件。"));
        numbers("8", "3")(report, before);
    };
    check(&years(cleaned), &["X-VALID REVIEW"]);
    // A clean-up adds no documents, and links expire too.
    for said in ["全年清理行政规范性文件 1 件。", "加强网站维护，全年无失效链接。"]
    {
        let grown = |report: &mut Report, before: &mut Report| {
            report.sections[0].paragraphs.push(paragraph(said));
            numbers("10", "3")(report, before);
        };
        check(&years(grown), &["X-VALID WARNING"]);
    }
    // The columns of the other form have another meaning.
    let mut report = clean();
    report.year = 2021;
    let mut old = clean_of(FormId::Form2019, Variant::Standard);
    for column in Applicant::ALL.iter().map(|applicant| applicant.as_str()) {
        let number = value(&report, &format!("requests.carried_in[{column}]")).to_string();
        set(&mut old, &format!("requests.carried_out[{column}]"), &number);
    }
    set(&mut report, &format!("{kind}.in_force"), "40");
    let found = Case::after(report, &old).brief();
    assert_eq!(found.of(&["X-VALID", "T2-VALID"]), [""; 0]);
}

#[test]
pub(super) fn x_prev2019() {
    let of = |prior: &str| {
        let mut report = clean_of(FormId::Form2019, Variant::Standard);
        let mut before = before_2019(&report);
        set(&mut before, "proactive.licensing.prior_year_items", "10");
        set(&mut before, "proactive.licensing.change", "-4");
        set(&mut report, "proactive.licensing.prior_year_items", prior);
        Case::after(report, &before)
    };
    check(&of("6"), &[]);
    check(&of("10"), &["X-PREV2019 ERROR"]);
    check(&of("_"), &[]);
}

fn before_2019(report: &Report) -> Report {
    let mut before = report.clone();
    before.year -= 1;
    for column in Applicant::ALL.iter().map(|applicant| applicant.as_str()) {
        let number = value(report, &format!("requests.carried_in[{column}]")).to_string();
        set(&mut before, &format!("requests.carried_out[{column}]"), &number);
    }
    for row in ["licensing", "other_external_services", "punishment", "coercion", "fees"] {
        set(&mut before, &format!("proactive.{row}.prior_year_items"), "4");
        set(&mut before, &format!("proactive.{row}.change"), "2");
    }
    set(&mut before, "disputes.reconsideration.upheld", "900");
    before
}

#[test]
pub(super) fn x_jump_and_t2_unit() {
    let decisions = |now: &'static str, then: &'static str| {
        years(move |report, before| {
            set(report, "proactive.punishment.decisions", now);
            set(before, "proactive.punishment.decisions", then);
        })
    };
    check(&decisions("126", "25"), &["X-JUMP INFO"]);
    check(&decisions("25", "126"), &["X-JUMP INFO"]);
    check(&decisions("125", "25"), &[]);
    // Small numbers vary a lot.
    check(&decisions("19", "0"), &[]);
    let fees = |now: &'static str, then: &'static str| {
        years(move |report, before| {
            set(report, "proactive.fees.amount", now);
            set(before, "proactive.fees.amount", then);
        })
    };
    check(&fees("172700", "17.27"), &["T2-UNIT WARNING"]);
    check(&fees("17.27", "172700"), &["T2-UNIT WARNING"]);
    check(&fees("31644.1", "30512.5"), &[]);
    check(&fees("172.7", "0"), &[]);
}

#[test]
pub(super) fn x_copy_num() {
    let same = |report: &Report| {
        let mut before = report.clone();
        before.year -= 1;
        Case::after(report.clone(), &before)
    };
    assert_eq!(same(&clean()).brief().of(&["X-COPY-NUM"]), ["X-COPY-NUM WARNING"]);
    // Reports whose numbers are all zero, or that have two numbers, are often equal.
    let mut zeros = clean();
    zeros.facts.iter_mut().for_each(|fact| fact.state = gongkai_model::State::Reported(0.into()));
    check(&same(&zeros), &[]);
    set(&mut zeros, "proactive.licensing.decisions", "3");
    set(&mut zeros, "proactive.punishment.decisions", "4");
    check(&same(&zeros), &[]);
    set(&mut zeros, "proactive.coercion.decisions", "5");
    check(&same(&zeros), &["X-COPY-NUM WARNING"]);
    let mut more = zeros.clone();
    more.year -= 1;
    set(&mut more, "disputes.reconsideration.other", "1");
    check(&Case::after(zeros, &more), &[]);
}

#[test]
pub(super) fn x_gap() {
    let of = |previous: bool, earlier: Option<i32>| {
        let mut case = if previous { years(|_, _| {}) } else { Case::new(clean()) };
        case.neighbours.earlier = earlier;
        case
    };
    check(&of(false, Some(2021)), &["X-GAP WARNING"]);
    check(&of(true, Some(2021)), &[]);
    // A new agency has no years before.
    check(&of(false, None), &[]);
    // A gap of several years contains each of them.
    let long = of(false, Some(2019));
    let context = ReportContext { neighbours: Some(&long.neighbours), ..nothing_beside(&long.report) };
    let found = RuleSet::embedded().evaluate(&long.report, &context);
    let gap = found.iter().find(|finding| finding.rule == "X-GAP").unwrap();
    assert_eq!(gap.message, "有 2019 年和本年度的报告，缺少 2020、2021、2022 年的报告。");
}

#[test]
pub(super) fn t4_link_and_t4_req() {
    let suits = |suits: &'static str| {
        years(move |report, before| {
            for report in [&mut *report, before] {
                for result in ["upheld", "corrected", "other"] {
                    set(report, &format!("disputes.reconsideration.{result}"), "1");
                }
            }
            set(report, "disputes.litigation_after_reconsideration.total", suits);
            set(before, "disputes.litigation_after_reconsideration.total", suits);
        })
    };
    check(&suits("7"), &["T4-LINK INFO"]);
    // Reviews of last year count too.
    check(&suits("6"), &[]);

    let without = |said: &'static str| {
        years(move |report, before| {
            report.sections[0].paragraphs.push(paragraph(said));
            for report in [&mut *report, before] {
                set(report, "requests.received[total]", "0");
                set(report, "requests.carried_in[total]", "0");
                set(report, "requests.carried_out[total]", "0");
            }
        })
    };
    assert_eq!(without("").brief().of(&["T4-REQ"]), ["T4-REQ INFO"]);
    assert_eq!(without("复议 3 件均因主动公开引起。").brief().of(&["T4-REQ"]), [""; 0]);
}

#[test]
pub(super) fn p_up() {
    let of = |text: &str| {
        let mut report = with_prose(text);
        set(&mut report, "requests.received[total]", "120");
        let mut before = before(&report);
        set(&mut before, "requests.received[total]", "96");
        Case::after(report, &before)
    };
    for clean in [
        "全年收到政府信息公开申请 120 件，同比增长 25%。",
        "共收到申请120件，比上年增长25.0%",
        "全年收到政府信息公开申请 120 件，较去年增加 24.95%。",
        // The prose counts other things than the table.
        "通过网站收到申请 80 件，同比增长 60%。",
        "主动公开信息 120 条，同比增长 60%。",
        "收到申请 120 件，网站访问量同比增长 60%。",
        "收到申请 120 件，较2021年增长 60%。",
        "收到申请 120 件，其中当面申请占 60%，同比增长 25%。",
    ] {
        check(&of(clean), &[]);
    }
    check(&of("全年收到政府信息公开申请 120 件，同比增长 20%。"), &["P-UP INFO"]);
    check(&of("全年新收申请120件，与上年相比下降25%。"), &["P-UP INFO"]);
    check(&of("全年收到申请120件，申请数量较2022年下降25%。"), &["P-UP INFO"]);
}

/// Returns sentences that differ for each number.
fn sentences(numbers: std::ops::Range<u32>) -> String {
    let word = |n: u32| char::from_u32(0x4e00 + n * 37 % 5000).unwrap();
    numbers.map(|n| (0..40).map(|at| word(n * 40 + at)).collect::<String>() + "。").collect()
}

#[test]
pub(super) fn h_sim_y_and_h_sim_p() {
    let of = |now: std::ops::Range<u32>, then: std::ops::Range<u32>| {
        let report = with_prose(&sentences(now));
        let mut case = Case::after(report.clone(), &before(&with_prose(&sentences(then.clone()))));
        let theirs = seen(&with_prose(&sentences(then)));
        case.neighbours.sibling = Some(Sibling { agency_name: "石门县".into(), minhash: theirs.minhash });
        case
    };
    check(&of(0..50, 0..50), &["H-SIM-Y ERROR", "H-SIM-P INFO"]);
    check(&of(0..50, 3..50), &["H-SIM-Y WARNING", "H-SIM-P INFO"]);
    check(&of(0..50, 25..75), &[]);
    // There is too little text to compare.
    check(&of(0..1, 0..1), &[]);
}
