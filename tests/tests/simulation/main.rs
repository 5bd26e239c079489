//! Random stories over a broker in memory with the real handlers of all services: people publish, correct, withdraw and
//! waive while calls fail, answers are lost and processes die at any call. Afterwards the invariants of ARCHITECTURE.md
//! hold.
//!
//! `make soak` runs thousands. It prints a failing seed and the simplest story that still fails; `make soak SEED=…
//! COUNT=1` repeats it. Past failures are readable tests below.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod course;
mod deployment;
#[path = "../support/stands.rs"]
mod stands;
mod story;
mod verdict;

use std::time::Duration;

use gongkai_worker::transport::memory::{Cut, Operation};
use story::{Id, Step, Story, Trouble, told};

/// Maximum length of a course, in the time of the simulation.
const PATIENCE: Duration = Duration::from_secs(24 * 3600);
/// Maximum number of attempts to simplify a failing story.
const SIMPLER: usize = 400;

/// Runs a story. Returns the violated invariant, if any.
fn outcome(story: &Story) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let course = async {
        let mut course = course::Course::run(story).await?;
        course.deployment.stop().await;
        verdict::judge(&course).await
    };
    runtime.unwrap().block_on(async {
        tokio::time::timeout(PATIENCE, course)
            .await
            .unwrap_or_else(|_| Err("it does not come to rest".to_owned()))
    })
}

/// Runs the story of a seed. If it fails, returns the simplest failing story and the reason.
fn tell(seed: u64) -> Result<(), String> {
    let mut tree = told(seed);
    let mut simplest = (
        tree.current(),
        match outcome(&tree.current()) {
            Ok(()) => return Ok(()),
            Err(why) => why,
        },
    );
    for _ in 0..SIMPLER {
        let is_changed = match outcome(&tree.current()) {
            Ok(()) => tree.complicate(),
            Err(why) => {
                simplest = (tree.current(), why);
                tree.simplify()
            }
        };
        if !is_changed {
            break;
        }
    }
    let (story, why) = simplest;
    Err(format!("seed {seed}: {why}\n{story:#?}"))
}

#[expect(clippy::disallowed_methods, reason = "the script that soaks sets them")]
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

#[test]
fn every_story_ends_as_the_facts_say() {
    let (first, count) = (setting("GONGKAI_SOAK_SEED", 1), setting("GONGKAI_SOAK_COUNT", 25));
    let mut failed = Vec::new();
    for seed in first..first + count {
        if let Err(why) = tell(seed) {
            eprintln!("{why}");
            failed.push(seed);
        }
        if (seed - first + 1).is_multiple_of(500) {
            eprintln!("{} stories told, {} failed", seed - first + 1, failed.len());
        }
    }
    assert!(failed.is_empty(), "{} of {count} stories failed: seeds {failed:?}", failed.len());
}

/// Creates a story without faults, with one process of each service.
fn plain(steps: impl IntoIterator<Item = Step>) -> Story {
    let deaths = vec![Vec::new(); story::PROCESSES.len()];
    Story { steps: steps.into_iter().collect(), processes: 5, trouble: Vec::new(), deaths }
}

fn publish(content: usize, url: usize) -> Step {
    publish_under(Id::Own, content, url)
}

fn publish_under(id: Id, content: usize, url: usize) -> Step {
    Step::Publish { agency: 0, content, url, id, back: None }
}

fn withdraw(agency: Option<usize>, url: usize) -> Step {
    Step::Withdraw { agency, url, back: None }
}

#[test]
fn what_was_withdrawn_by_agency_and_year_comes_back_when_it_is_published_again() {
    for (at, again) in [(1, 1), (0, 0), (1, 2), (1, 0)] {
        for url in [0, 2] {
            let withdraw = withdraw(Some(0), url);
            let steps = [publish(0, at), Step::Wait, withdraw, Step::Wait, publish(0, again)];
            outcome(&plain(steps)).unwrap();
            outcome(&plain([publish(0, at), withdraw, publish(0, again)])).unwrap();
        }
    }
}

#[test]
fn what_was_withdrawn_comes_back_though_its_acceptance_was_not_recorded() {
    let publish = publish_under(Id::Nothing, 1, 1);
    let lost = Trouble { operation: Operation::Write, is_answer_lost: true, is_full: false, times: 2 };
    for steps in [
        vec![publish, withdraw(Some(0), 0), publish],
        vec![publish, Step::Wait, withdraw(Some(0), 0), Step::Wait, publish],
    ] {
        outcome(&Story { trouble: vec![lost], ..plain(steps) }).unwrap();
    }
}

/// Checks a story in which ingest dies at each of its calls. Dying after a call is the same as dying before the next.
fn whenever_ingest_dies(story: &Story) {
    for call in 0..60 {
        let mut story = story.clone();
        story.deaths[0] = vec![Cut::Before { call }];
        outcome(&story).unwrap_or_else(|why| panic!("died before call {call}: {why}\n{:?}", story.steps));
    }
}

#[test]
fn content_that_comes_back_stands_though_ingest_died_before_it_recorded_the_other() {
    for id in [Id::Nothing, Id::Own] {
        let publish = |content| publish_under(id, content, 1);
        whenever_ingest_dies(&plain([publish(0), publish(1), publish_under(Id::Nothing, 0, 1)]));
    }
}

/// The receipt of the second submission is past `received` when its call is repeated, while the first is not read
/// yet: its event is delivered late.
#[test]
fn content_stands_that_was_read_before_its_repeated_call_was_recorded() {
    let late = Trouble { operation: Operation::Deliver, is_answer_lost: false, is_full: false, times: 1 };
    let steps = [(0, 0, Id::Nothing), (1, 2, Id::Own), (0, 0, Id::Nothing)];
    let steps = steps.map(|(content, url, id)| publish_under(id, content, url));
    whenever_ingest_dies(&Story { trouble: vec![late], ..plain(steps) });
}

#[test]
fn content_that_goes_back_and_forth_stands_though_ingest_dies() {
    whenever_ingest_dies(&plain([0, 1, 0, 1].map(|content| publish_under(Id::Nothing, content, 2))));
}

/// An `updated` of today is followed by a late `published` and a late withdrawal of earlier days.
#[test]
fn what_happened_before_does_not_replace_what_stands() {
    let at = |content, back| Step::Publish { agency: 0, content, url: 1, id: Id::Article, back: Some(back) };
    let withdraw = Step::Withdraw { agency: Some(0), url: 1, back: Some(9) };
    let steps = [publish(1, 1), at(0, 9), withdraw, at(1, 9), at(0, 9)];
    outcome(&plain(steps)).unwrap();
    outcome(&plain(steps.into_iter().flat_map(|step| [step, Step::Wait]))).unwrap();
}

/// Ingest died after it published the earlier entry. When that call is repeated, it ranks by the time at which the
/// log stored it, and not by the time of the repetition.
#[test]
fn what_happened_when_the_entry_before_came_in_ranks_above_it_though_ingest_died() {
    let publish = |content, url| publish_under(Id::Nothing, content, url);
    let just_then = |content, url| Step::Publish { agency: 0, content, url, id: Id::Nothing, back: Some(1) };
    whenever_ingest_dies(&plain([publish(0, 0), just_then(1, 0), publish(0, 0)]));
    whenever_ingest_dies(&plain([publish(0, 1), withdraw(Some(0), 1), just_then(0, 0)]));
}

#[test]
fn what_was_withdrawn_at_its_address_before_it_was_read_comes_back_at_another() {
    for agency in [None, Some(1)] {
        let steps = [publish(0, 1), withdraw(agency, 1), publish(0, 2)];
        outcome(&plain(steps)).unwrap();
    }
}

/// The editorial system repeats its statement about an article with the current time, after another article replaced
/// it.
#[test]
fn what_is_said_again_of_a_later_time_stands() {
    let again = |id| Step::Publish { agency: 0, content: 0, url: 1, id, back: Some(0) };
    for id in [Id::Article, Id::Nothing] {
        let at_once = [publish_under(id, 0, 1), publish(1, 1), again(id)];
        outcome(&plain(at_once)).unwrap_or_else(|why| panic!("{id:?}: {why}"));
        let slowly = at_once.into_iter().flat_map(|step| [step, Step::Wait]);
        outcome(&plain(slowly)).unwrap_or_else(|why| panic!("{id:?}, slowly: {why}"));
        // An event from before that time does not replace it, although it arrives later.
        let late = Step::Publish { agency: 0, content: 1, url: 1, id: Id::Own, back: Some(1) };
        let steps = [publish_under(id, 0, 1), Step::Wait, again(id), late];
        outcome(&plain(steps)).unwrap_or_else(|why| panic!("{id:?}, late: {why}"));
    }
    whenever_ingest_dies(&plain([publish_under(Id::Article, 0, 1), publish(1, 1), again(Id::Article)]));
}

#[test]
fn content_that_comes_back_after_another_stands() {
    for urls in [[1, 1, 1], [0, 0, 0], [1, 2, 1], [1, 0, 1], [0, 1, 0]] {
        let [first, second, third] = urls;
        let steps = [publish(0, first), publish(1, second), publish(0, third)];
        outcome(&plain(steps)).unwrap_or_else(|why| panic!("at once at {urls:?}: {why}"));
        let slowly = steps.into_iter().flat_map(|step| [step, Step::Wait]);
        outcome(&plain(slowly)).unwrap_or_else(|why| panic!("slowly at {urls:?}: {why}"));
    }
}
