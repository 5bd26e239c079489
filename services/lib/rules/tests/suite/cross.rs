//! Rules over other reports, the registry and the event: each fires, is silent on a clean report, and bears its traps.

use std::{collections::BTreeSet, sync::Mutex};

use gongkai_model::{AgencyKey, AgencyKind, AgencyProfile, FormId, Level, Nature, Region, Report, Variant};
use gongkai_rules::{
    Cells, Child, Children, Context, Neighbours, Publication, Published, RuleSet, Scope, Sibling, figures,
};
use time::{Date, macros::date};

use crate::support::{
    Brief, brief, clean, clean_of, nothing_beside, paragraph, seen, set, value, with_prose,
};

/// What stands around a report.
struct Case {
    report: Report,
    neighbours: Neighbours,
    profile: Option<AgencyProfile>,
    published: Option<Date>,
    seen: Option<Date>,
    column: Option<&'static str>,
}

impl Case {
    fn new(report: Report) -> Self {
        let neighbours = Neighbours::new(seen(&report));
        Self { report, neighbours, profile: None, published: None, seen: None, column: None }
    }

    /// With a report on the year before.
    fn after(report: Report, previous: &Report) -> Self {
        let mut case = Self::new(report);
        case.neighbours.previous = Some(seen(previous));
        case
    }

    /// `RULE SEVERITY` of the findings that rest on more than the report.
    fn brief(&self) -> Brief {
        let context = Context {
            published_at: self.published,
            profile: self.profile.as_ref(),
            publication: Publication { first_seen: self.seen, column: self.column, ..Publication::default() },
            neighbours: Some(&self.neighbours),
            ..nothing_beside(&self.report)
        };
        let rules = RuleSet::embedded();
        let findings = rules.evaluate(&self.report, &context);
        let is_cross =
            |id: &str| rules.rules().iter().any(|rule| rule.id == id && rule.scope != Scope::Single);
        let cross = findings.iter().filter(|finding| is_cross(&finding.rule));
        SEEN.lock().unwrap().extend(cross.clone().map(|finding| finding.rule.clone()));
        brief(cross)
    }
}

/// The rules that spoke in some case.
static SEEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// The rules over more than the report that speak in some case of this file, or are silent on the clean one.
pub(crate) fn covered(fires: bool) -> BTreeSet<String> {
    if fires {
        let all: [fn(); 18] = [
            x_carry,
            x_valid_and_t2_valid,
            x_prev2019,
            x_jump_and_t2_unit,
            x_copy_num,
            x_gap,
            t4_link_and_t4_req,
            p_up,
            h_sim_y_and_h_sim_p,
            r_lb_and_r_eq,
            r_carry,
            r_scope,
            d_late_and_d_early,
            d_back,
            d_col,
            v_change,
            v_gone_v_multi_and_v_dupl,
            messages_are_whole,
        ];
        all.iter().for_each(|test| test());
        return SEEN.lock().unwrap().clone();
    }
    let spoken = years(|_, _| {}).brief();
    let rules = RuleSet::embedded();
    let others = rules.rules().iter().filter(|rule| rule.scope != Scope::Single).map(|rule| rule.id.as_str());
    others.filter(|id| !spoken.speaks(id)).map(str::to_owned).collect()
}

#[track_caller]
fn check(case: &Case, expect: &[&str]) {
    assert_eq!(case.brief(), expect);
}

/// The clean report of the year before, which hands on what the clean report took in.
fn before(report: &Report) -> Report {
    let mut before = report.clone();
    before.year -= 1;
    for column in COLUMNS {
        let number = value(report, &format!("requests.carried_in[{column}]")).to_string();
        set(&mut before, &format!("requests.carried_out[{column}]"), &number);
    }
    // So that not every number is the same.
    set(&mut before, "proactive.licensing.decisions", "7");
    // Enough reviews concluded for this year's suits.
    set(&mut before, "disputes.reconsideration.upheld", "900");
    before
}

const COLUMNS: [&str; 7] = [
    "natural_person",
    "enterprise",
    "research_institution",
    "social_organization",
    "legal_service",
    "other",
    "total",
];

/// The clean report and its year before, of which `change` may change either.
fn years(change: impl FnOnce(&mut Report, &mut Report)) -> Case {
    let mut report = clean();
    let mut before = before(&report);
    change(&mut report, &mut before);
    Case::after(report, &before)
}

/// The clean report's numbers that roll forward: 6 in force, 6 issued, 6 repealed each year.
#[test]
fn what_agrees_with_last_year_is_clean_and_without_last_year_all_is_silent() {
    check(&years(|_, _| {}), &[]);
    check(&Case::new(clean()), &[]);
}

#[test]
fn x_carry() {
    let broken = |report: &mut Report, _: &mut Report| set(report, "requests.carried_in[total]", "1");
    check(&years(broken), &["X-CARRY ERROR"]);
    check(&years(|_, before| set(before, "requests.carried_out[other]", "999")), &["X-CARRY WARNING"]);
    // A blank or a mark on either side is no number to compare.
    check(&years(|_, before| set(before, "requests.carried_out[total]", "_")), &[]);
    check(&years(|report, _| set(report, "requests.carried_in[total]", "/")), &[]);
    // Bodies that were merged, and figures corrected since.
    for said in ["因机构改革，我局职能划入。", "上年数据有误，以本年度报告为准。"]
    {
        let told = |report: &mut Report, _: &mut Report| {
            report.sections[0].paragraphs.push(paragraph(said));
            set(report, "requests.carried_in[total]", "1");
        };
        check(&years(told), &["X-CARRY REVIEW"]);
    }
    // Another set of bodies is summed up.
    let recut = |report: &mut Report, _: &mut Report| {
        report.sections[0].paragraphs.push(paragraph("以下为全市行政机关汇总数据。"));
        set(report, "requests.carried_in[total]", "1");
    };
    check(&years(recut), &["X-CARRY REVIEW"]);
}

#[test]
fn x_valid_and_t2_valid() {
    let kind = "proactive.normative_documents";
    let numbers = |in_force: &'static str, repealed: &'static str| {
        move |report: &mut Report, _: &mut Report| {
            set(report, "proactive.normative_documents.in_force", in_force);
            set(report, "proactive.normative_documents.repealed", repealed);
        }
    };
    check(&years(numbers("9", "3")), &[]);
    check(&years(numbers("8", "3")), &["X-VALID WARNING"]);
    // 6 in force and 6 issued: 13 cannot be repealed.
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
    // Over the change of forms the columns mean something else.
    let mut report = clean();
    report.year = 2021;
    let mut old = clean_of(FormId::Form2019, Variant::Standard);
    for column in COLUMNS {
        let number = value(&report, &format!("requests.carried_in[{column}]")).to_string();
        set(&mut old, &format!("requests.carried_out[{column}]"), &number);
    }
    set(&mut report, &format!("{kind}.in_force"), "40");
    let found = Case::after(report, &old).brief();
    assert_eq!(found.of(&["X-VALID", "T2-VALID"]), [""; 0]);
}

#[test]
fn x_prev2019() {
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
    for column in COLUMNS {
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
fn x_jump_and_t2_unit() {
    let decisions = |now: &'static str, then: &'static str| {
        years(move |report, before| {
            set(report, "proactive.punishment.decisions", now);
            set(before, "proactive.punishment.decisions", then);
        })
    };
    check(&decisions("126", "25"), &["X-JUMP INFO"]);
    check(&decisions("25", "126"), &["X-JUMP INFO"]);
    check(&decisions("125", "25"), &[]);
    // Small numbers leap by nature.
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
fn x_copy_num() {
    let same = |report: &Report| {
        let mut before = report.clone();
        before.year -= 1;
        Case::after(report.clone(), &before)
    };
    let found = same(&clean()).brief();
    assert!(found.contains("X-COPY-NUM WARNING"), "{found:?}");
    // Reports of nothing but zeros are alike by nature, and so are those of two numbers.
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
fn x_gap() {
    let of = |previous: bool, earlier: Option<i32>| {
        let mut case = if previous { years(|_, _| {}) } else { Case::new(clean()) };
        case.neighbours.earlier = earlier;
        case
    };
    check(&of(false, Some(2021)), &["X-GAP WARNING"]);
    check(&of(true, Some(2021)), &[]);
    // A new agency has no years before.
    check(&of(false, None), &[]);
    // A gap of several years names them all.
    let long = of(false, Some(2019));
    let context = Context { neighbours: Some(&long.neighbours), ..nothing_beside(&long.report) };
    let found = RuleSet::embedded().evaluate(&long.report, &context);
    let gap = found.iter().find(|finding| finding.rule == "X-GAP").unwrap();
    assert_eq!(gap.message, "有 2019 年和本年度的报告，缺少 2020、2021、2022 年的报告。");
}

#[test]
fn t4_link_and_t4_req() {
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
    let found = without("").brief();
    assert!(found.contains("T4-REQ INFO"), "{found:?}");
    let found = without("复议 3 件均因主动公开引起。").brief();
    assert!(!found.contains("T4-REQ INFO"), "{found:?}");
}

#[test]
fn p_up() {
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
        // What is counted there is not what the table counts.
        "通过网站收到申请 80 件，同比增长 60%。",
        "主动公开信息 120 条，同比增长 60%。",
    ] {
        check(&of(clean), &[]);
    }
    check(&of("全年收到政府信息公开申请 120 件，同比增长 20%。"), &["P-UP INFO"]);
    check(&of("全年新收申请120件，与上年相比下降25%。"), &["P-UP INFO"]);
}

/// Sentences of their own for each number.
fn sentences(numbers: std::ops::Range<u32>) -> String {
    let word = |n: u32| char::from_u32(0x4e00 + n * 37 % 5000).unwrap();
    numbers.map(|n| (0..40).map(|at| word(n * 40 + at)).collect::<String>() + "。").collect()
}

#[test]
fn h_sim_y_and_h_sim_p() {
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
    // Too little to compare.
    check(&of(0..1, 0..1), &[]);
}

fn child(report: &Report, is_office: bool) -> Child {
    let cells = figures().into_iter().map(|id| (id.clone(), report.state(&id)));
    Child {
        name: "云溪县档案局".into(),
        is_office,
        cells: Cells::new(cells),
        carried_out_before: Some(value(report, "requests.carried_in[total]")),
    }
}

/// A county's report beside those of two bodies below it.
fn county(says: &str, change: impl FnOnce(&mut Report, &mut Children)) -> Case {
    let mut report = with_prose(says);
    report.agency = "云溪县人民政府".into();
    let below = clean();
    for id in figures() {
        let name = id.to_string();
        if let Some(number) = below.state(&id).value() {
            set(&mut report, &name, &(number * rust_decimal::Decimal::TWO).to_string());
        }
    }
    let mut children = Children { registered: 2, reported: vec![child(&below, true), child(&below, false)] };
    change(&mut report, &mut children);
    let mut case = Case::new(report);
    case.neighbours.children = Some(children);
    case
}

const SAYS: &str = "本报告汇总全县行政机关数据。";

#[test]
fn r_lb_and_r_eq() {
    check(&county(SAYS, |_, _| {}), &[]);
    check(&county(SAYS, |r, _| set(r, "requests.received[total]", "3")), &["R-LB WARNING"]);
    check(&county(SAYS, |r, _| set(r, "requests.received[total]", "99999")), &["R-EQ REVIEW"]);
    // Not all are in: more than those that are is right.
    let missing = |report: &mut Report, children: &mut Children| {
        children.registered = 3;
        set(report, "requests.received[total]", "99999");
    };
    check(&county(SAYS, missing), &[]);
    // A report that does not say that it sums up is not held to the sum.
    check(&county("本单位情况如下。", |r, _| set(r, "requests.received[total]", "99999")), &[]);
    // An office counts only its own, also where it speaks of the whole city.
    let office = |report: &mut Report, _: &mut Children| {
        report.agency = "云溪县人民政府办公室".into();
        set(report, "requests.received[total]", "3");
    };
    check(&county("统筹全县各部门公开工作。", office), &[]);
}

#[test]
fn r_carry() {
    let of = |agrees: bool| {
        let mut case = county(SAYS, |_, children| {
            if !agrees {
                children.reported[1].carried_out_before = Some(1.into());
            }
        });
        let mut previous = before(&case.report);
        set(&mut previous, "requests.carried_out[total]", "1");
        case.neighbours.previous = Some(seen(&previous));
        case.brief()
    };
    assert!(of(true).contains("R-CARRY WARNING"), "{:?}", of(true));
    assert!(!of(false).contains("R-CARRY WARNING"), "{:?}", of(false));
}

#[test]
fn r_scope() {
    let few = |report: &mut Report, _: &mut Children| set(report, "requests.received[total]", "3");
    check(&county("本单位情况如下。", few), &["R-SCOPE WARNING"]);
    let of_office = |report: &mut Report, _: &mut Children| {
        for id in figures() {
            let name = id.to_string();
            set(report, &name, &value(&clean(), &name).to_string());
        }
    };
    let found = county(SAYS, of_office).brief();
    assert!(found.contains("R-SCOPE WARNING"), "{found:?}");
    // A small county whose bodies had nothing, and a body that is no government.
    let nothing = |report: &mut Report, children: &mut Children| {
        set(report, "requests.received[total]", "0");
        for child in &mut children.reported {
            child.cells =
                Cells::new(figures().into_iter().map(|id| (id, gongkai_model::State::Reported(0.into()))));
        }
    };
    check(&county("本单位情况如下。", nothing), &[]);
    let bureau = |report: &mut Report, children: &mut Children| {
        report.agency = "云溪县档案局".into();
        few(report, children);
    };
    check(&county("本单位情况如下。", bureau), &[]);
}

fn published(agency: &str, published: Date) -> Case {
    let mut report = clean();
    report.agency = agency.into();
    Case { published: Some(published), ..Case::new(report) }
}

#[test]
fn d_late_and_d_early() {
    let (bureau, county, town) = ("青溪县水务局", "青溪县人民政府", "青溪县大演乡人民政府");
    // The deadline's own day is in time, also on a Sunday.
    for (agency, day) in [
        (bureau, date!(2024 - 01 - 31)),
        (county, date!(2024 - 03 - 31)),
        ("青溪县人民政府办公室", date!(2024 - 03 - 31)),
        // Moved to a new site years after.
        (bureau, date!(2025 - 06 - 01)),
        // Of no known level.
        ("水务局", date!(2024 - 06 - 01)),
    ] {
        check(&published(agency, day), &[]);
    }
    check(&published(bureau, date!(2024 - 02 - 01)), &["D-LATE ERROR"]);
    check(&published(county, date!(2024 - 04 - 01)), &["D-LATE ERROR"]);
    check(&published(town, date!(2024 - 02 - 01)), &["D-LATE WARNING"]);
    // A registry knows better than the name, and a first publication counts before a second.
    let mut listed = published("水务局", date!(2024 - 02 - 01));
    listed.profile = Some(AgencyProfile {
        level: Some(Level::County),
        kind: Some(AgencyKind::Department),
        ..AgencyProfile::unlisted(
            AgencyKey::from_code("X").unwrap(),
            "水务局",
            Nature::default(),
            Region::UNKNOWN,
        )
    });
    check(&listed, &["D-LATE ERROR"]);
    listed.neighbours.publications.first_claimed = Some(date!(2024 - 01 - 20));
    check(&listed, &[]);
    check(&published(bureau, date!(2023 - 12 - 31)), &["D-EARLY INFO"]);
}

#[test]
fn d_back() {
    let of = |claimed, seen| Case { seen: Some(seen), ..published("青溪县水务局", claimed) };
    check(&of(date!(2024 - 01 - 25), date!(2024 - 02 - 20)), &["D-BACK REVIEW"]);
    // Between two visits; seen in time; an old report that came in late.
    check(&of(date!(2024 - 01 - 30), date!(2024 - 02 - 05)), &[]);
    check(&of(date!(2024 - 01 - 02), date!(2024 - 01 - 30)), &[]);
    check(&of(date!(2024 - 01 - 25), date!(2026 - 11 - 21)), &[]);
}

#[test]
fn d_col() {
    let of = |column| Case { column: Some(column), ..Case::new(clean()) };
    check(&of("通知公告"), &["D-COL INFO"]);
    for column in ["政府信息公开年报", "政府信息公开年度报告", "集中展示专题"] {
        check(&of(column), &[]);
    }
}

fn other(report: &Report, url: &str) -> Published {
    let seen = seen(report);
    Published { url: url.into(), main_hash: seen.main_hash, cells: seen.cells }
}

#[test]
fn v_change() {
    let of = |says: &str, change: &dyn Fn(&mut Report)| {
        let mut old = clean();
        change(&mut old);
        let mut new = clean();
        new.sections[5].paragraphs = vec![paragraph(says)];
        old.sections[5].paragraphs = vec![paragraph(says)];
        let mut case = Case::new(new);
        case.neighbours.publications.before = Some(other(&old, ""));
        case
    };
    let number = |report: &mut Report| set(report, "proactive.licensing.decisions", "5");
    check(&of("无", &number), &["V-CHANGE WARNING"]);
    check(&of("无", &|r| r.sections[0].paragraphs = vec![paragraph("另外的话。")]), &["V-CHANGE WARNING"]);
    check(&of("现将行政许可数量予以更正。", &number), &[]);
    // The page around it changed.
    check(&of("无", &|_| {}), &[]);
}

#[test]
fn v_gone_v_multi_and_v_dupl() {
    let mut gone = Case::new(clean());
    gone.neighbours.publications.is_withdrawn = true;
    check(&gone, &["V-GONE ERROR"]);

    let elsewhere = |change: &dyn Fn(&mut Report)| {
        let mut theirs = clean();
        change(&mut theirs);
        let mut case = Case::new(clean());
        case.neighbours.publications.urls = vec!["https://a.gov.cn/1".into()];
        case.neighbours.publications.elsewhere = vec![other(&theirs, "https://b.gov.cn/1")];
        case
    };
    check(&elsewhere(&|r| set(r, "proactive.licensing.decisions", "5")), &["V-MULTI WARNING"]);
    // What one reading could not tell is no difference.
    check(&elsewhere(&|r| set(r, "proactive.licensing.decisions", "?")), &[]);
    check(&elsewhere(&|_| {}), &["V-DUPL INFO"]);
    let mut once = Case::new(clean());
    once.neighbours.publications.urls = vec!["https://a.gov.cn/1".into()];
    check(&once, &[]);
}

/// A message names the cell as an editor would, in both languages, without placeholders left.
#[test]
fn messages_are_whole() {
    let case = years(|report, _| set(report, "requests.carried_in[total]", "1"));
    let context = Context { neighbours: Some(&case.neighbours), ..nothing_beside(&case.report) };
    let findings = RuleSet::embedded().evaluate(&case.report, &context);
    let carry = findings.iter().find(|finding| finding.rule == "X-CARRY").unwrap();
    assert!(carry.message.contains("上年结转") && carry.message.contains("2022 年报告"), "{}", carry.message);
    assert_eq!(carry.actual.as_deref(), Some("1"));
    assert_eq!(carry.cause.as_ref().unwrap().to_string(), "requests.carried_in[total]");
    assert!(!carry.message.contains('{') && !carry.message_en.contains('{'));
}
