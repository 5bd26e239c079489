//! Properties that hold for every report.

use gongkai_model::{Report, State};
use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::support::{Brief, FORMS, brief, filled, findings};

/// Returns the findings about the equations of chapters 三 and 四.
fn of_equations(report: &Report) -> Brief {
    brief(&findings(report)).of(&["T3", "T4"])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_report_made_to_satisfy_all_equations_has_no_finding(
        form in 0_usize..3,
        seeds in prop::collection::vec(0_u32..5000, 160),
    ) {
        let (id, variant) = FORMS[form];
        prop_assert_eq!(of_equations(&filled(id, variant, &seeds)), [""; 0]);
    }

    #[test]
    fn a_change_of_any_one_cell_of_chapters_three_and_four_is_found_and_named(
        form in 0_usize..3,
        seeds in prop::collection::vec(0_u32..5000, 160),
        at in any::<prop::sample::Index>(),
        more in 1_u32..900,
    ) {
        let (id, variant) = FORMS[form];
        let mut report = filled(id, variant, &seeds);
        let cells: Vec<usize> = (0..report.facts.len())
            .filter(|cell| !report.facts[*cell].id.concept.as_str().starts_with("proactive"))
            .collect();
        let fact = &mut report.facts[cells[at.index(cells.len())]];
        let before = fact.state.value().unwrap();
        fact.state = State::Reported(before + Decimal::from(more));
        let changed = fact.id.clone();
        let mut found = findings(&report);
        // The variant itself has a finding.
        found.retain(|finding| finding.rule != "S-LABEL");
        prop_assert!(!found.is_empty());
        if changed.applicant.is_some() {
            // Every cell of chapter 三 is in at least two equations, so there is one explanation.
            prop_assert!(found.iter().all(|f| f.cause.as_ref() == Some(&changed)), "{:?}", found);
        }
    }

    #[test]
    fn a_block_is_broken_if_and_only_if_no_filling_of_its_blanks_satisfies_it(
        cells in prop::collection::vec(prop::option::weighted(0.6, 0_u32..5), 5),
    ) {
        let (id, variant) = FORMS[0];
        let mut report = filled(id, variant, &[]);
        let names = ["upheld", "corrected", "other", "pending", "total"];
        for (name, cell) in names.iter().zip(&cells) {
            let id = format!("disputes.reconsideration.{name}").parse().unwrap();
            let fact = report.facts.iter_mut().find(|fact| fact.id == id).unwrap();
            fact.state = cell.map_or(State::Blank, |value| State::Reported(Decimal::from(value)));
        }
        let broken = of_equations(&report).contains("T4-SUM ERROR");
        prop_assert_eq!(broken, !some_filling_fits(&cells));
    }

    #[test]
    fn findings_are_the_same_on_every_run(seeds in prop::collection::vec(0_u32..50, 160)) {
        let (id, variant) = FORMS[0];
        let mut report = filled(id, variant, &seeds);
        for fact in report.facts.iter_mut().step_by(11) {
            fact.state = State::Reported(Decimal::from(3));
        }
        prop_assert_eq!(findings(&report), findings(&report));
    }
}

/// Tries every filling with small numbers. Larger ones cannot help, because the largest sum of the rest is 16.
fn some_filling_fits(cells: &[Option<u32>]) -> bool {
    match cells.iter().position(Option::is_none) {
        None => cells[..4].iter().flatten().sum::<u32>() == cells[4].unwrap(),
        Some(blank) => (0..=16).any(|value| {
            let mut tried = cells.to_vec();
            tried[blank] = Some(value);
            some_filling_fits(&tried)
        }),
    }
}
