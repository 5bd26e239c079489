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
    // Without the row that makes it a variant, or its label, nobody can tell it from the standard form.
    let tells = !matches!(damage, Damage::DropRow | Damage::DropLabel);
    assert!((report.form, report.variant) == form || !tells, "{layout:?} {damage:?}");
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

/// What PDF line and page breaks do to the text of a table.
#[derive(Debug, Clone, Copy)]
enum Break {
    /// A page number on a line of its own.
    PageNumber,
    /// A page number with blank lines around it.
    PageNumberApart,
    /// A line break inside a label.
    Label,
    /// A blank line.
    BlankLine,
    /// A line is gone.
    LostLine,
    /// A line stands there twice.
    DoubleLine,
}

const BREAKS: [Break; 6] = [
    Break::PageNumber,
    Break::PageNumberApart,
    Break::Label,
    Break::BlankLine,
    Break::LostLine,
    Break::DoubleLine,
];

fn break_up(text: &str, kind: Break, seed: usize) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let from = lines.iter().position(|line| line.contains("第二十条")).unwrap();
    let to = lines.iter().position(|line| line.starts_with("五、")).unwrap();
    let at = from + seed % (to - from);
    match kind {
        Break::PageNumber => lines.insert(at, "— 4 —".to_owned()),
        Break::PageNumberApart => lines.splice(at..at, ["", "- 4 -", ""].map(str::to_owned)).for_each(drop),
        Break::Label => {
            let labels: Vec<usize> = (from..to).filter(|at| lines[*at].contains("不计其他情形")).collect();
            for label in labels {
                lines[label] = lines[label].replace("只计这一", "只计这\n一");
            }
        }
        Break::BlankLine => lines.insert(at, String::new()),
        Break::LostLine => lines.remove(at).clear(),
        Break::DoubleLine => lines.insert(at, lines[at].clone()),
    }
    lines.join("\n")
}

/// A number read must be the one of its cell; what a lost line took with it cannot be read.
fn check_broken(form: (FormId, Variant), layout: Layout, kind: Break, seed: u32) -> Result<(), String> {
    let sample = Sample::filled(form.0, form.1, seed);
    let text = break_up(&layout.render(&sample), kind, seed as usize / 3);
    let report = read(&text, layout.filename());
    // A blank is no wrong number here: whether a line was lost or empty, nobody sees.
    let wrong: Vec<String> =
        score(&report, &sample.truth).wrong.into_iter().filter(|wrong| wrong.contains("Reported")).collect();
    if wrong.is_empty() { Ok(()) } else { Err(format!("{wrong:#?}\n{text}")) }
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

    #[test]
    fn broken_lines_never_shift_a_number(
        form in 0..FORMS.len(),
        layout in 0..layout::ALL.len(),
        kind in 0..BREAKS.len(),
        seed in any::<u32>(),
    ) {
        let (form, layout, kind) = (FORMS[form], layout::ALL[layout], BREAKS[kind]);
        if !matches!(layout, Layout::Html | Layout::WordHtml) {
            let checked = check_broken(form, layout, kind, seed);
            prop_assert!(checked.is_ok(), "{form:?} {layout:?} {kind:?} {}", checked.unwrap_err());
        }
    }
}
