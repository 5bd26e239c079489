//! Rules over when, where and how often a report was published.

use gongkai_model::{
    AgencyKey, AgencyKind, AgencyProfile, Level, Nature, Part, PartContent, Region, Report, ReviewStep, State,
};
use gongkai_rules::PublishedContent;
use time::{Date, macros::date};

use super::{Case, check};
use crate::support::{clean, paragraph, seen, set};

fn published(agency: &str, published: Date) -> Case {
    let mut report = clean();
    report.agency = agency.into();
    Case { published: Some(published), ..Case::new(report) }
}

#[test]
pub(super) fn d_late_and_d_early() {
    let (bureau, county, town) = ("青溪县水务局", "青溪县人民政府", "青溪县大演乡人民政府");
    // The day of the deadline is in time, even on a Sunday.
    for (agency, day) in [
        (bureau, date!(2024 - 01 - 31)),
        (county, date!(2024 - 03 - 31)),
        ("青溪县人民政府办公室", date!(2024 - 03 - 31)),
        // The page was moved to a new site years later.
        (bureau, date!(2025 - 06 - 01)),
        // Neither the level nor a term of the law is known.
        ("青溪管委会", date!(2024 - 06 - 01)),
    ] {
        check(&published(agency, day), &[]);
    }
    check(&published(bureau, date!(2024 - 02 - 01)), &["D-LATE ERROR"]);
    check(&published(county, date!(2024 - 04 - 01)), &["D-LATE ERROR"]);
    check(&published(town, date!(2024 - 02 - 01)), &["D-LATE WARNING"]);
    // The registry takes precedence over the name, and the first publication over later ones.
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
pub(super) fn d_back() {
    let of = |claimed, seen| Case { seen: Some(seen), ..published("青溪县水务局", claimed) };
    check(&of(date!(2024 - 01 - 25), date!(2024 - 02 - 20)), &["D-BACK REVIEW"]);
    // A report published between two visits, one seen in time, and an old one collected late.
    check(&of(date!(2024 - 01 - 30), date!(2024 - 02 - 05)), &[]);
    check(&of(date!(2024 - 01 - 02), date!(2024 - 01 - 30)), &[]);
    check(&of(date!(2024 - 01 - 25), date!(2026 - 11 - 21)), &[]);
}

#[test]
pub(super) fn d_col() {
    let of = |column| Case { column: Some(column), ..Case::new(clean()) };
    check(&of("通知公告"), &["D-COL INFO"]);
    for column in ["政府信息公开年报", "政府信息公开年度报告", "集中展示专题"] {
        check(&of(column), &[]);
    }
}

#[test]
pub(super) fn s_review() {
    let step = |level: &str, decision: &str| ReviewStep {
        level: level.to_owned(),
        decision: decision.to_owned(),
        decided_at: None,
    };
    let of = |levels: &[&str], review: Vec<ReviewStep>| Case {
        review,
        review_levels: levels.iter().map(|level| (*level).to_owned()).collect(),
        ..Case::new(clean())
    };
    let levels = ["科室负责人", "分管领导"];
    let first = step("科室负责人", "approved");
    check(&of(&levels, Vec::new()), &["S-REVIEW REVIEW"]);
    check(&of(&levels, vec![first.clone()]), &["S-REVIEW REVIEW"]);
    check(&of(&levels, vec![first.clone(), step("分管领导", "不同意")]), &["S-REVIEW REVIEW"]);
    // The last step counts, in both directions.
    let back = step("分管领导", "退回");
    check(&of(&levels, vec![first.clone(), step("分管领导", "通过"), back.clone()]), &["S-REVIEW REVIEW"]);
    check(&of(&levels, vec![first.clone(), back, step("分管领导", "Approved")]), &[]);
    check(&of(&levels, vec![step("分管领导", ""), first.clone()]), &[]);
    // The site requires no review.
    check(&of(&[], Vec::new()), &[]);
    check(&of(&[], vec![first]), &[]);
}

fn other(report: &Report, url: &str) -> PublishedContent {
    let seen = seen(report);
    PublishedContent { url: url.into(), main_hash: seen.main_hash, cells: seen.cells }
}

#[test]
pub(super) fn v_change() {
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
    // Only the page around the content changed.
    check(&of("无", &|_| {}), &[]);
}

#[test]
pub(super) fn v_gone_v_multi_and_v_dupl() {
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
    let attached = |year, different: &[&str]| {
        let mut case = Case::new(clean());
        let cell = |id: &&str| (id.parse().unwrap(), State::Reported(77.into()));
        let different = different.iter().map(cell).collect();
        let content = PartContent::Report { agency: "青溪市水务局".into(), year, different };
        let name = Some("年报.docx".to_owned());
        case.report.parts = vec![Part { name, media_type: String::new(), sha256: String::new(), content }];
        case
    };
    check(&attached(2023, &["proactive.licensing.decisions"]), &["V-MULTI WARNING"]);
    check(&attached(2023, &[]), &[]);
    check(&attached(2022, &[]), &["V-MULTI WARNING"]);
    // An unreadable cell is not a difference.
    check(&elsewhere(&|r| set(r, "proactive.licensing.decisions", "?")), &[]);
    check(&elsewhere(&|_| {}), &["V-DUPL INFO"]);
    let mut once = Case::new(clean());
    once.neighbours.publications.urls = vec!["https://a.gov.cn/1".into()];
    check(&once, &[]);
}
