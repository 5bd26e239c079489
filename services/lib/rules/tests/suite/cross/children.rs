//! Rules over the reports of the bodies below.

use gongkai_model::Report;
use gongkai_rules::{Cells, Child, Children, figures};

use super::{Case, before, check};
use crate::support::{clean, seen, set, value, with_prose};

fn child(report: &Report, is_office: bool) -> Child {
    let cells = figures().into_iter().map(|id| (id.clone(), report.state(&id)));
    Child {
        name: "云溪县档案局".into(),
        is_office,
        cells: Cells::new(cells),
        carried_out_before: Some(value(report, "requests.carried_in[total]")),
    }
}

/// Returns a county's report beside those of two bodies below it.
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
pub(super) fn r_lb_and_r_eq() {
    check(&county(SAYS, |_, _| {}), &[]);
    check(&county(SAYS, |r, _| set(r, "requests.received[total]", "3")), &["R-LB WARNING"]);
    check(&county(SAYS, |r, _| set(r, "requests.received[total]", "99999")), &["R-EQ REVIEW"]);
    // Not all children have reported, so a number above their sum is right.
    let missing = |report: &mut Report, children: &mut Children| {
        children.registered = 3;
        set(report, "requests.received[total]", "99999");
    };
    check(&county(SAYS, missing), &[]);
    // A report that does not state that it sums up is not compared with the sum.
    check(&county("本单位情况如下。", |r, _| set(r, "requests.received[total]", "99999")), &[]);
    // An office counts only its own numbers, even if it mentions the whole city.
    let office = |report: &mut Report, _: &mut Children| {
        report.agency = "云溪县人民政府办公室".into();
        set(report, "requests.received[total]", "3");
    };
    check(&county("统筹全县各部门公开工作。", office), &[]);
}

#[test]
pub(super) fn r_carry() {
    let of = |agrees: bool| {
        let mut case = county(SAYS, |_, children| {
            if !agrees {
                children.reported[1].carried_out_before = Some(1.into());
            }
        });
        let mut previous = before(&case.report);
        set(&mut previous, "requests.carried_out[total]", "1");
        case.neighbours.previous = Some(seen(&previous));
        case.brief().of(&["R-CARRY"])
    };
    assert_eq!(of(true), ["R-CARRY WARNING"]);
    assert_eq!(of(false), [""; 0]);
}

#[test]
pub(super) fn r_scope() {
    let few = |report: &mut Report, _: &mut Children| set(report, "requests.received[total]", "3");
    check(&county("本单位情况如下。", few), &["R-SCOPE WARNING"]);
    let of_office = |report: &mut Report, _: &mut Children| {
        for id in figures() {
            let name = id.to_string();
            set(report, &name, &value(&clean(), &name).to_string());
        }
    };
    assert_eq!(county(SAYS, of_office).brief().of(&["R-SCOPE"]), ["R-SCOPE WARNING"]);
    // The cases are a small county whose bodies had nothing to report, and a body that is not a government.
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
