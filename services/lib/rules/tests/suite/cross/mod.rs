//! Rules over other reports, the registry and the event: each fires, is silent on a clean report, and is not deceived
//! by similar cases.

mod children;
mod previous;
mod publications;

use std::{collections::BTreeSet, sync::Mutex};

use gongkai_model::{AgencyProfile, Applicant, Report, ReviewStep};
use gongkai_rules::{Neighbours, Publication, ReportContext, RuleSet, Scope};
use time::Date;

use crate::support::{Brief, brief, clean, nothing_beside, seen, set, value};

/// A report with its neighbours and context.
struct Case {
    report: Report,
    neighbours: Neighbours,
    profile: Option<AgencyProfile>,
    published: Option<Date>,
    seen: Option<Date>,
    column: Option<&'static str>,
    review: Vec<ReviewStep>,
    review_levels: Vec<String>,
}

impl Case {
    fn new(report: Report) -> Self {
        let neighbours = Neighbours::new(seen(&report));
        Self {
            report,
            neighbours,
            profile: None,
            published: None,
            seen: None,
            column: None,
            review: Vec::new(),
            review_levels: Vec::new(),
        }
    }

    /// Creates a case with a report on the year before.
    fn after(report: Report, previous: &Report) -> Self {
        let mut case = Self::new(report);
        case.neighbours.previous = Some(seen(previous));
        case
    }

    /// Returns the findings that need more than the report, each as `RULE SEVERITY`.
    fn brief(&self) -> Brief {
        let context = ReportContext {
            published_at: self.published,
            profile: self.profile.as_ref(),
            publication: Publication {
                first_seen: self.seen,
                column: self.column,
                review: &self.review,
                review_levels: &self.review_levels,
                ..Publication::default()
            },
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

/// The rules that fired in some case.
static SEEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Returns the rules that need more than the report and fire in some case of this file, or are silent on the clean
/// report.
pub(crate) fn covered(fires: bool) -> BTreeSet<String> {
    if fires {
        let all: [fn(); 19] = [
            previous::x_carry,
            previous::x_valid_and_t2_valid,
            previous::x_prev2019,
            previous::x_jump_and_t2_unit,
            previous::x_copy_num,
            previous::x_gap,
            previous::t4_link_and_t4_req,
            previous::p_up,
            previous::h_sim_y_and_h_sim_p,
            children::r_lb_and_r_eq,
            children::r_carry,
            children::r_scope,
            publications::d_late_and_d_early,
            publications::d_back,
            publications::d_col,
            publications::s_review,
            publications::v_change,
            publications::v_gone_v_multi_and_v_dupl,
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

/// Returns the clean report on the year before, whose carried-out numbers are those that the clean report carries in.
fn before(report: &Report) -> Report {
    let mut before = report.clone();
    before.year -= 1;
    for column in Applicant::ALL.iter().map(|applicant| applicant.as_str()) {
        let number = value(report, &format!("requests.carried_in[{column}]")).to_string();
        set(&mut before, &format!("requests.carried_out[{column}]"), &number);
    }
    // Change one number, so that not all are the same.
    set(&mut before, "proactive.licensing.decisions", "7");
    // Last year's concluded reviews are enough for this year's suits.
    set(&mut before, "disputes.reconsideration.upheld", "900");
    before
}

/// Returns the clean report with that of the year before; `change` may change both.
fn years(change: impl FnOnce(&mut Report, &mut Report)) -> Case {
    let mut report = clean();
    let mut before = before(&report);
    change(&mut report, &mut before);
    Case::after(report, &before)
}

/// The carried numbers of the clean report agree: 6 in force, 6 issued, 6 repealed each year.
#[test]
fn what_agrees_with_last_year_is_clean_and_without_last_year_all_is_silent() {
    check(&years(|_, _| {}), &[]);
    check(&Case::new(clean()), &[]);
}

/// A message names the cell in an editor's words, in both languages, without placeholders left.
#[test]
fn messages_are_whole() {
    let case = years(|report, _| set(report, "requests.carried_in[total]", "1"));
    let context = ReportContext { neighbours: Some(&case.neighbours), ..nothing_beside(&case.report) };
    let findings = RuleSet::embedded().evaluate(&case.report, &context);
    let carry = findings.iter().find(|finding| finding.rule == "X-CARRY").unwrap();
    assert!(carry.message.contains("上年结转") && carry.message.contains("2022 年报告"), "{}", carry.message);
    assert_eq!(carry.actual.as_deref(), Some("1"));
    assert_eq!(carry.cause.as_ref().unwrap().to_string(), "requests.carried_in[total]");
    assert!(!carry.message.contains('{') && !carry.message_en.contains('{'), "{carry:?}");
}
