//! Guarantees of the consumer loop, over the memory transport in paused time.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

#[path = "consuming/crashes.rs"]
mod crashes;
#[path = "consuming/outages.rs"]
mod outages;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use gongkai_worker::config::WorkerSettings;
use gongkai_worker::dead_letter::DeadLetter;
use gongkai_worker::transport::memory::{Fault, Memory, Operation, SettlementOutcome};
use gongkai_worker::transport::{ErrorKind, Headers, MESSAGE_ID};
use gongkai_worker::{Consume, Context, Decision, Handler, Message, Output, Runtime, Topology, Transport};
use prost::Message as _;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

const DONE_ONLY: &str = "out.done";

/// The wire form of messages in the tests.
type Text = String;

/// A decoded text.
struct Decoded(Text);

impl TryFrom<(&str, Bytes)> for Decoded {
    type Error = prost::DecodeError;

    fn try_from((_, payload): (&str, Bytes)) -> Result<Self, Self::Error> {
        Text::decode(payload).map(Self)
    }
}

type Reply = Pin<Box<dyn Future<Output = Result<Vec<Output>, Decision>> + Send>>;

/// A handler that calls a closure.
struct Act<F>(F);

#[async_trait]
impl<F> Handler for Act<F>
where
    F: Fn(Text, Context) -> Reply + Send + Sync + 'static,
{
    type Input = Decoded;

    async fn handle(&self, Decoded(input): Decoded, context: &Context) -> Result<Vec<Output>, Decision> {
        (self.0)(input, context.clone()).await
    }
}

struct Bench {
    memory: Memory,
    runtime: Runtime,
}

impl Bench {
    async fn new() -> Self {
        Self::with(WorkerSettings::default()).await
    }

    async fn with(settings: WorkerSettings) -> Self {
        let memory = Memory::new();
        let topology = Topology {
            streams: vec![("IN", &["in.>"], None), ("OUT", &["out.>"], None), ("DEAD", &["dead.>"], None)],
            objects: vec!["TEXTS"],
            entries: vec!["attempts"],
            ..Topology::default()
        };
        memory.declare(&topology).await.unwrap();
        Self { runtime: Self::runtime(&memory, settings), memory }
    }

    fn runtime(memory: &Memory, settings: WorkerSettings) -> Runtime {
        Runtime::builder("stage", Arc::new(memory.clone()))
            .settings(settings)
            .dead_prefix("dead")
            .version("1.2.3")
            .build()
    }

    async fn put(&self, id: &str, text: &str) {
        self.put_raw(id, text.to_owned().encode_to_vec()).await;
    }

    async fn put_raw(&self, id: &str, payload: Vec<u8>) {
        let mut headers = Headers::new();
        headers.insert(MESSAGE_ID, id).unwrap();
        let message = Message { subject: "in.a".to_owned(), headers, payload: Bytes::from(payload) };
        self.memory.publish(message).await.unwrap();
    }

    fn run<F, R>(&self, act: F) -> JoinHandle<anyhow::Result<()>>
    where
        F: Fn(Text, Context) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Vec<Output>, Decision>> + Send + 'static,
    {
        self.run_as(Consume::new("IN", "stage", ["in.>"]), act)
    }

    fn run_as<F, R>(&self, consume: Consume, act: F) -> JoinHandle<anyhow::Result<()>>
    where
        F: Fn(Text, Context) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Vec<Output>, Decision>> + Send + 'static,
    {
        let runtime = self.runtime.clone();
        let handler = Act(move |text, context| Box::pin(act(text, context)) as Reply);
        tokio::spawn(async move { runtime.consume(consume, handler).await })
    }

    async fn stop(&self, running: JoinHandle<anyhow::Result<()>>) {
        self.runtime.shutdown().cancel();
        running.await.unwrap().unwrap();
    }

    async fn settled(&self, count: usize) {
        self.memory
            .until(|memory| memory.consumer_state("IN", "stage").is_some_and(|state| state.settled == count))
            .await;
    }

    fn outcomes(&self) -> Vec<SettlementOutcome> {
        self.memory.settlements("IN", "stage").into_iter().map(|settlement| settlement.outcome).collect()
    }

    fn delays(&self) -> Vec<Duration> {
        let delays = self.outcomes().into_iter().filter_map(|outcome| match outcome {
            SettlementOutcome::Naked(delay) => Some(delay),
            _ => None,
        });
        delays.collect()
    }

    fn dead_letters(&self) -> Vec<DeadLetter> {
        let messages = self.memory.messages("dead.stage");
        messages.iter().map(|message| DeadLetter::decode(message.payload.clone()).unwrap()).collect()
    }

    fn ids(&self, filter: &str) -> Vec<String> {
        self.memory.messages(filter).iter().map(|message| message.headers[MESSAGE_ID].to_owned()).collect()
    }
}

fn output(text: &str) -> Output {
    Output::new(DONE_ONLY, "test.done.v1", &text.to_owned())
}

fn again() -> Decision {
    Decision::retry(anyhow::anyhow!("later"))
}

#[tokio::test(start_paused = true)]
async fn outputs_go_out_under_ids_made_from_the_inputs_before_the_ack() {
    let bench = Bench::new().await;
    bench.put("one", "1").await;
    let memory = bench.memory.clone();
    let running = bench.run(|text, _| async move { Ok(vec![output(&text), output("second")]) });
    bench.settled(1).await;
    bench.stop(running).await;

    assert_eq!(bench.ids("out.>"), ["one.stage.0", "one.stage.1"]);
    let message = &memory.messages("out.>")[0];
    assert_eq!(&message.headers["ce-type"], "test.done.v1");
    assert_eq!(&message.headers["ce-source"], "gongkai-stage");
    assert_eq!(&message.headers["content-type"], "application/protobuf");
    assert_eq!(bench.outcomes(), [SettlementOutcome::Acked]);
}

#[tokio::test(start_paused = true)]
async fn an_output_may_bring_its_own_id() {
    let bench = Bench::new().await;
    bench.put("one", "1").await;
    let running = bench.run(|text, _| async move {
        Ok(vec![Output { message_id: Some("mine".to_owned()), ..output(&text) }])
    });
    bench.settled(1).await;
    bench.stop(running).await;
    assert_eq!(bench.ids("out.>"), ["mine"]);
}

#[tokio::test(start_paused = true)]
async fn no_more_messages_are_in_work_than_permits() {
    let settings = WorkerSettings { concurrency: 3, ..WorkerSettings::default() };
    let bench = Bench::with(settings).await;
    for index in 0..20 {
        bench.put(&format!("m{index}"), "x").await;
    }
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = most.clone();
    let running = bench.run(move |_, _| {
        let (now, most) = (now.clone(), most.clone());
        async move {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            sleep(Duration::from_secs(1)).await;
            now.fetch_sub(1, Ordering::SeqCst);
            Ok(vec![])
        }
    });
    bench.settled(20).await;
    bench.stop(running).await;
    assert_eq!(seen.load(Ordering::SeqCst), 3);
    assert!(bench.memory.settlements("IN", "stage").iter().all(|settlement| settlement.attempt == 1));
}

#[tokio::test(start_paused = true)]
async fn heartbeats_keep_long_work_alive() {
    let bench = Bench::new().await;
    bench.put("long", "x").await;
    let running = bench.run(|_, context| async move {
        assert_eq!(context.attempt, 1);
        sleep(Duration::from_secs(100)).await;
        Ok(vec![])
    });
    bench.settled(1).await;
    bench.stop(running).await;
    let state = bench.memory.consumer_state("IN", "stage").unwrap();
    assert!(state.progressed >= 9, "{state:?}");
    assert_eq!(bench.outcomes(), [SettlementOutcome::Acked]);
}

#[tokio::test(start_paused = true)]
async fn a_handler_over_its_deadline_is_stopped_and_tried_again() {
    let bench = Bench::new().await;
    bench.put("slow", "x").await;
    let running = bench.run(|_, context| async move {
        if context.attempt == 1 {
            std::future::pending::<()>().await;
        }
        Ok(vec![output("late")])
    });
    bench.settled(1).await;
    bench.stop(running).await;
    assert!(matches!(bench.outcomes()[..], [SettlementOutcome::Naked(_), SettlementOutcome::Acked]));
    assert_eq!(bench.ids("out.>"), ["slow.stage.0"]);
}

#[tokio::test(start_paused = true)]
async fn retries_come_later_and_later_and_end_in_a_dead_letter() {
    let bench = Bench::new().await;
    bench.put("poor", "x").await;
    let running = bench.run(|_, _| async { Err(again()) });
    bench.settled(1).await;
    bench.stop(running).await;

    let delays = bench.delays();
    assert_eq!(delays.len(), 5);
    assert!(delays.is_sorted(), "{delays:?}");
    assert!(matches!(bench.outcomes().last(), Some(SettlementOutcome::Terminated(_))));
    let [letter] = &bench.dead_letters()[..] else { panic!("one dead letter") };
    assert_eq!(
        (letter.code.as_str(), letter.attempts, letter.cause.as_str()),
        ("ATTEMPTS_EXHAUSTED", 6, "later")
    );
    assert_eq!((letter.subject.as_str(), letter.message_id.as_str()), ("in.a", "poor"));
    assert_eq!((letter.service.as_str(), letter.service_version.as_str()), ("stage", "1.2.3"));
    assert_eq!(letter.payload, "x".to_owned().encode_to_vec());
    assert_eq!(letter.trace_id.len(), 32);
}

#[tokio::test(start_paused = true)]
async fn a_delay_that_the_handler_gives_is_kept() {
    let bench = Bench::new().await;
    bench.put("one", "x").await;
    let running = bench.run(|_, context| async move {
        if context.attempt > 1 {
            return Ok(vec![]);
        }
        Err(Decision::retry_after(Duration::from_secs(77), anyhow::anyhow!("busy")))
    });
    bench.settled(1).await;
    bench.stop(running).await;
    assert!(bench.delays()[0] >= Duration::from_secs(77));
}

#[tokio::test(start_paused = true)]
async fn undecodable_messages_are_buried_at_once() {
    let bench = Bench::new().await;
    bench.put_raw("junk", vec![0xff; 8]).await;
    let running = bench.run(|_, _| async { unreachable!("it has no input") });
    bench.settled(1).await;
    bench.stop(running).await;
    let [letter] = &bench.dead_letters()[..] else { panic!("one dead letter") };
    assert_eq!((letter.code.as_str(), letter.attempts), ("UNDECODABLE", 1));
    assert_eq!(bench.outcomes(), [SettlementOutcome::Terminated("UNDECODABLE".to_owned())]);
    assert_eq!(bench.ids("dead.>"), ["junk.stage.dead"]);
}

#[tokio::test(start_paused = true)]
async fn a_buried_message_keeps_the_handlers_code() {
    let bench = Bench::new().await;
    bench.put("one", "x").await;
    let running = bench.run(|_, _| async { Err(Decision::bury("NO_GOOD", anyhow::anyhow!("never"))) });
    bench.settled(1).await;
    bench.stop(running).await;
    assert_eq!(bench.dead_letters()[0].code, "NO_GOOD");
}

#[tokio::test(start_paused = true)]
async fn a_panic_costs_an_attempt_and_in_the_end_the_message() {
    let bench = Bench::new().await;
    bench.put("bomb", "x").await;
    bench.put("good", "y").await;
    let running = bench.run(|text, _| async move {
        assert!(text != "x", "boom");
        Ok(vec![])
    });
    bench.settled(2).await;
    bench.stop(running).await;
    let [letter] = &bench.dead_letters()[..] else { panic!("one dead letter") };
    assert_eq!((letter.code.as_str(), letter.attempts), ("PANIC", 6));
    assert!(letter.cause.contains("boom"), "{}", letter.cause);
    assert_eq!(bench.delays().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_redelivery_of_a_message_in_work_is_absorbed() {
    let bench = Bench::new().await;
    bench.put("one", "x").await;
    // No heartbeat arrives, so the broker delivers again while the first copy is still in flight.
    bench.memory.plan(Fault::fail(Operation::Progress).always());
    let calls = Arc::new(AtomicUsize::new(0));
    let seen = calls.clone();
    let running = bench.run(move |text, _| {
        calls.fetch_add(1, Ordering::SeqCst);
        async move {
            sleep(Duration::from_secs(100)).await;
            Ok(vec![output(&text)])
        }
    });
    bench.settled(1).await;
    bench.stop(running).await;
    assert_eq!(seen.load(Ordering::SeqCst), 1);
    let settlements = bench.memory.settlements("IN", "stage");
    assert_eq!(settlements.len(), 1, "{settlements:?}");
    assert!(settlements[0].attempt > 1, "settled through the newest handle: {settlements:?}");
    assert_eq!(bench.ids("out.>"), ["one.stage.0"]);
}

#[tokio::test(start_paused = true)]
async fn shutdown_waits_for_the_messages_in_work() {
    let bench = Bench::new().await;
    bench.put("one", "x").await;
    let running = bench.run(|text, _| async move {
        sleep(Duration::from_secs(10)).await;
        Ok(vec![output(&text)])
    });
    sleep(Duration::from_secs(1)).await;
    bench.put("two", "y").await;
    sleep(Duration::from_secs(1)).await;
    let asked = Instant::now();
    bench.stop(running).await;
    assert!(asked.elapsed() >= Duration::from_secs(8), "{:?}", asked.elapsed());
    assert_eq!(bench.outcomes(), [SettlementOutcome::Acked, SettlementOutcome::Acked]);
}

#[tokio::test(start_paused = true)]
async fn the_drain_is_bounded_and_what_is_dropped_comes_again() {
    let bench = Bench::new().await;
    bench.put("stuck", "x").await;
    let running = bench.run(|_, _| async {
        sleep(Duration::from_secs(90)).await;
        Ok(vec![])
    });
    sleep(Duration::from_secs(1)).await;
    let asked = Instant::now();
    bench.stop(running).await;
    assert!(asked.elapsed() <= Duration::from_secs(27), "{:?}", asked.elapsed());
    bench.memory.until(|memory| !memory.settlements("IN", "stage").is_empty()).await;
    assert!(matches!(bench.outcomes()[..], [SettlementOutcome::Naked(_)]));
}

#[tokio::test(start_paused = true)]
async fn a_missing_stream_is_a_deployment_mistake() {
    let bench = Bench::new().await;
    let consume = Consume::new("ELSEWHERE", "stage", ["in.>"]);
    let running = bench.run_as(consume, |_, _| async { Ok(vec![]) });
    let error = running.await.unwrap().unwrap_err();
    assert!(error.to_string().contains("stage"), "{error:#}");
}

#[tokio::test(start_paused = true)]
async fn concurrency_must_fit_the_pending_limit() {
    let bench = Bench::new().await;
    let mut consume = Consume::new("IN", "stage", ["in.>"]);
    consume.max_ack_pending = Some(10);
    let error = bench.run_as(consume, |_, _| async { Ok(vec![]) }).await.unwrap().unwrap_err();
    assert!(error.to_string().contains("max_ack_pending"), "{error:#}");
}

#[tokio::test(start_paused = true)]
async fn the_runtime_is_ready_once_its_consumer_is_bound() {
    let bench = Bench::new().await;
    bench.memory.plan(Fault::fail(Operation::Consumer).times(3));
    let running = bench.run(|_, _| async { Ok(vec![]) });
    tokio::task::yield_now().await;
    assert!(!bench.runtime.is_ready());
    sleep(Duration::from_secs(30)).await;
    assert!(bench.runtime.is_ready());
    bench.stop(running).await;
}
