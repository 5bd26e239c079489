//! A short `make chaos`: a few seconds of faults, after which every invariant holds.

use std::time::Duration;

use gongkai_tests::chaos::{self, Order};

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_that_is_broken_for_some_seconds_comes_to_the_right_end() {
    let outcome = chaos::run(Order { seed: 7, duration: Duration::from_secs(8), offices: 3 }).await;
    assert!(outcome.violations.is_empty(), "{outcome:#?}");
    assert!(!outcome.faults.is_empty() && outcome.states.len() >= 2, "nothing was tried: {outcome:#?}");
}
