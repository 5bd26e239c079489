//! Every layout, form and kind of damage: a number is read right or not at all.

#![expect(clippy::unwrap_used, reason = "a sample that does not build fails its test")]

mod support;

use gongkai_model::{FormId, Variant};
use proptest::prelude::*;
use support::{
    Sample, Score,
    damage::{self, Damage},
    layout::{self, Layout},
    read, score,
};

const FORMS: [(FormId, Variant); 3] = [
    (FormId::Form2021, Variant::Standard),
    (FormId::Form2021, Variant::SingleRowOther),
    (FormId::Form2019, Variant::Standard),
];

fn run(form: (FormId, Variant), layout: Layout, damage: Damage, seed: u32) -> (Score, String) {
    let mut sample = Sample::filled(form.0, form.1, seed);
    damage.apply(&mut sample, seed);
    let text = layout.render(&sample);
    let report = read(&text, layout.filename());
    // Without the row that makes it a variant, and so many other rows, it is the standard form with rows missing.
    assert!((report.form, report.variant) == form || damage == Damage::DropRow, "{layout:?} {damage:?}");
    assert_eq!((report.agency.as_str(), report.year), ("云川市水务局", 2023));
    assert_eq!(
        report.sections.iter().map(|s| s.number).collect::<Vec<_>>(),
        [1, 2, 3, 4, 5, 6],
        "{layout:?}"
    );
    (score(&report, &sample.truth), text)
}

#[test]
fn every_whole_report_is_read_whole() {
    for form in FORMS {
        for layout in layout::ALL {
            let (score, text) = run(form, layout, Damage::None, 5);
            let whole = score.wrong.is_empty() && score.open.is_empty() && score.right > 180;
            assert!(whole, "{form:?} {layout:?} {score:#?}\n{text}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_report_is_read_right_or_not_at_all(
        form in 0..FORMS.len(),
        layout in 0..layout::ALL.len(),
        damage in 0..damage::ALL.len(),
        seed in any::<u32>(),
    ) {
        let (form, layout, damage) = (FORMS[form], layout::ALL[layout], damage::ALL[damage]);
        let (score, text) = run(form, layout, damage, seed);
        prop_assert!(score.wrong.is_empty(), "{form:?} {layout:?} {damage:?} {:#?}\n{text}", score.wrong);
    }
}
