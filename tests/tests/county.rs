//! `gongkai check DIR` over the folder of a county has the findings of a running deployment over the same files and the same
//! registry. `make county` does the same with sixty bodies.

use std::collections::BTreeSet;

use gongkai_tests::county::{Counties, differences};

/// The rules that compare, which the mistakes in the files break.
const BROKEN: [&str; 15] = [
    "D-EARLY",
    "D-LATE",
    "H-SIM-P",
    "H-SIM-Y",
    "P-UP",
    "R-CARRY",
    "R-EQ",
    "R-LB",
    "R-SCOPE",
    "T2-VALID",
    "V-MULTI",
    "X-CARRY",
    "X-COPY-NUM",
    "X-GAP",
    "X-VALID",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_has_the_findings_of_a_deployment_over_its_files() {
    let counties = Counties::of(12);
    let served = counties.served().await;
    let checked = counties.checked();
    let differences = differences(&checked, &served);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    let rules: BTreeSet<&str> =
        checked.values().flatten().filter_map(|finding| finding.split(' ').next()).collect();
    let silent: Vec<_> = BROKEN.iter().filter(|rule| !rules.contains(*rule)).collect();
    assert!(silent.is_empty(), "{silent:?} of {rules:?}");
}
