//! Stories: the actions of people, and the faults meanwhile. The same seed always gives the same story.

use gongkai_worker::transport::{
    ErrorKind,
    memory::{Cut, Fault, Operation},
};
use proptest::{
    collection::vec,
    prelude::*,
    sample::select,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

/// There are few of each, so that random events collide.
pub(crate) const AGENCIES: [&str; 2] = ["361001", "361002"];
pub(crate) const YEAR: i32 = 2023;
pub(crate) const CONTENTS: usize = 2;
pub(crate) const URLS: [&str; 3] = ["", "https://a.example.gov.cn/1.html", "https://a.example.gov.cn/2.html"];
/// Processes by service: ingest, parse, validate, notify, query. The second of a kind is a replica.
pub(crate) const PROCESSES: [Kind; 8] = [
    Kind::Ingest,
    Kind::Parse,
    Kind::Validate,
    Kind::Notify,
    Kind::Query,
    Kind::Parse,
    Kind::Validate,
    Kind::Notify,
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Ingest,
    Parse,
    Validate,
    Notify,
    Query,
}

/// The id under which a document is submitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Id {
    /// No id: the content identifies the submission.
    Nothing,
    /// An event's id that no other event has.
    Own,
    /// An event's id that the editorial system uses for all events of this article.
    Article,
}

/// An action of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// A document is submitted. With `back`, its sender's time is that of the entry `back` entries ago.
    Publish { agency: usize, content: usize, url: usize, id: Id, back: Option<usize> },
    /// The last call is repeated, because its sender got no answer.
    Repeat,
    /// A report is withdrawn: by its address, by agency and year, or by both.
    Withdraw { agency: Option<usize>, url: usize, back: Option<usize> },
    /// A document that is not a report is submitted.
    Nonsense { agency: usize, url: usize },
    /// A message is published that no stage can decode.
    Malformed,
    /// A finding of an alert is waived.
    Waive,
    /// Waits until every message is settled.
    Wait,
}

/// A fault of calls to the broker.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trouble {
    pub(crate) operation: Operation,
    pub(crate) is_answer_lost: bool,
    pub(crate) is_full: bool,
    pub(crate) times: u32,
}

/// The actions, the faults, and the calls at which each process dies.
#[derive(Debug, Clone)]
pub(crate) struct Story {
    pub(crate) steps: Vec<Step>,
    pub(crate) processes: usize,
    pub(crate) trouble: Vec<Trouble>,
    pub(crate) deaths: Vec<Vec<Cut>>,
}

impl Trouble {
    pub(crate) fn fault(self) -> Fault {
        let lost = if self.is_answer_lost { Fault::lose_answer } else { Fault::fail };
        let kind = if self.is_full { ErrorKind::Full } else { ErrorKind::Unavailable };
        lost(self.operation).kind(kind).times(self.times)
    }
}

fn step() -> impl Strategy<Value = Step> {
    let (agency, url) = (0..AGENCIES.len(), 0..URLS.len());
    let back = || prop_oneof![2 => Just(None), 1 => (0..5_usize).prop_map(Some)];
    let id = select(vec![Id::Nothing, Id::Own, Id::Article]);
    let publish = (agency.clone(), 0..CONTENTS, url.clone(), id, back())
        .prop_map(|(agency, content, url, id, back)| Step::Publish { agency, content, url, id, back });
    let named = (agency.clone(), url.clone(), back()).prop_map(|(agency, url, back)| Step::Withdraw {
        agency: Some(agency),
        url,
        back,
    });
    let by_url = (1..URLS.len(), back()).prop_map(|(url, back)| Step::Withdraw { agency: None, url, back });
    prop_oneof![
        10 => publish,
        3 => named,
        2 => by_url,
        1 => Just(Step::Repeat),
        1 => (agency, url).prop_map(|(agency, url)| Step::Nonsense { agency, url }),
        1 => Just(Step::Malformed),
        1 => Just(Step::Waive),
        5 => Just(Step::Wait),
    ]
}

fn trouble() -> impl Strategy<Value = Trouble> {
    let operations = [
        Operation::Publish,
        Operation::Write,
        Operation::Read,
        Operation::Get,
        Operation::Put,
        Operation::Ack,
        Operation::Nak,
        Operation::Deliver,
        Operation::Fetch,
        Operation::Consumer,
    ];
    (select(operations.to_vec()), any::<bool>(), any::<bool>(), 1..4_u32).prop_map(
        |(operation, is_answer_lost, is_full, times)| {
            // Only operations that store something can fail because the store is full.
            let stores = matches!(operation, Operation::Publish | Operation::Write | Operation::Put);
            Trouble { operation, is_answer_lost, is_full: is_full && stores, times }
        },
    )
}

fn cut() -> impl Strategy<Value = Cut> {
    (0..60_u64, any::<bool>())
        .prop_map(|(call, is_after)| if is_after { Cut::After { call } } else { Cut::Before { call } })
}

fn story() -> impl Strategy<Value = Story> {
    (vec(step(), 2..10), 5..=PROCESSES.len(), vec(trouble(), 0..6), vec(vec(cut(), 0..3), PROCESSES.len()))
        .prop_map(|(steps, processes, trouble, deaths)| Story { steps, processes, trouble, deaths })
}

/// Returns the story of a seed, which can be simplified.
pub(crate) fn told(seed: u64) -> Box<dyn ValueTree<Value = Story>> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    Box::new(story().new_tree(&mut runner).unwrap())
}
