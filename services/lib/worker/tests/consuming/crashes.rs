//! Processes that die with messages in flight: a crash costs no other message an attempt.

use std::collections::BTreeMap;
use std::sync::Mutex;

use futures::future::join;
use gongkai_worker::Alone;

use super::*;

const HOSTILE: &str = "hostile";

/// Starts one process after another until every message is settled. Each has a connection of its own and lives until
/// the handler or `kill` cuts it. Returns how many died.
async fn restart_until_settled<R>(
    bench: &Bench,
    count: usize,
    act: impl Fn(Memory, Text, Context) -> R + Clone + Send + Sync + 'static,
    kill: impl AsyncFn(usize, &Memory),
) -> usize
where
    R: Future<Output = Result<Vec<Output>, Decision>> + Send + 'static,
{
    let mut died = 0;
    loop {
        let connection = bench.memory.connection();
        let process = Bench {
            runtime: Bench::runtime(
                &connection,
                WorkerSettings { concurrency: 8, ..WorkerSettings::default() },
            ),
            memory: connection.clone(),
        };
        let (act, own) = (act.clone(), connection.clone());
        let running = process.run(move |text, context| act(own.clone(), text, context));
        let is_dead = tokio::select! {
            () = connection.until_cut() => true,
            () = kill(died, &connection) => true,
            () = bench.settled(count) => false,
        };
        connection.cut();
        process.runtime.hard_stop().cancel();
        process.stop(running).await;
        if !is_dead {
            return died;
        }
        died += 1;
    }
}

/// Kills no process.
async fn spare(_: usize, _: &Memory) {
    std::future::pending::<()>().await;
}

/// Ends the process over `connection` in the middle of the handler if the text is hostile.
async fn handle(connection: Memory, text: Text) -> Result<Vec<Output>, Decision> {
    sleep(Duration::from_millis(20)).await;
    if text == HOSTILE {
        connection.cut();
        std::future::pending::<()>().await;
    }
    Ok(vec![output(&text)])
}

async fn put_sound(bench: &Bench, count: usize) {
    for number in 0..count {
        bench.put(&format!("sound-{number}"), "sound").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_kills_its_process_is_found_and_the_others_go_on() {
    let bench = Bench::new().await;
    put_sound(&bench, 20).await;
    bench.put("bad-1", HOSTILE).await;
    bench.put("bad-2", HOSTILE).await;
    for number in 20..40 {
        bench.put(&format!("sound-{number}"), "sound").await;
    }
    let died = restart_until_settled(&bench, 42, |own, text, _| handle(own, text), spare).await;
    assert_eq!(bench.ids("out.>").len(), 40);
    let letters: BTreeMap<_, _> =
        bench.dead_letters().into_iter().map(|letter| (letter.message_id, letter.code)).collect();
    let crashed = |id: &str| (id.to_owned(), "CRASHED".to_owned());
    assert_eq!(letters, BTreeMap::from([crashed("bad-1"), crashed("bad-2")]));
    // A message is a suspect after two crashes, and is buried after five while it is alone.
    assert!((10..=14).contains(&died), "{died} crashes");
}

#[tokio::test(start_paused = true)]
async fn replicas_find_it_too() {
    let bench = Bench::new().await;
    put_sound(&bench, 30).await;
    bench.put("bad", HOSTILE).await;
    let replica = || restart_until_settled(&bench, 31, |own, text, _| handle(own, text), spare);
    let (left, right) = join(replica(), replica()).await;
    assert_eq!(bench.ids("out.>").len(), 30);
    assert_eq!(bench.ids("dead.>"), ["bad.stage.dead"]);
    assert_eq!(left + right, 7);
}

#[tokio::test(start_paused = true)]
async fn thirty_kills_in_a_row_lose_nothing() {
    for (period_ms, work_ms) in [(300, 50), (1500, 400), (7000, 1000), (40_000, 3000)] {
        let bench = Bench::new().await;
        put_sound(&bench, 40).await;
        let act = move |_, text: Text, _| async move {
            sleep(Duration::from_millis(work_ms)).await;
            Ok(vec![output(&text)])
        };
        let kill = async move |died: usize, _: &Memory| {
            if died >= 30 {
                std::future::pending::<()>().await;
            }
            sleep(Duration::from_millis(period_ms)).await;
        };
        restart_until_settled(&bench, 40, act, kill).await;
        assert_eq!(bench.ids("out.>").len(), 40, "killed every {period_ms} ms");
        assert_eq!(bench.ids("dead.>").len(), 0, "killed every {period_ms} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn failures_are_counted_and_crashes_between_them_are_not() {
    let bench = Bench::new().await;
    bench.put("poor", "x").await;
    let attempts = Arc::new(Mutex::new(Vec::new()));
    let seen = attempts.clone();
    let act = move |own: Memory, _, context: Context| {
        let mut attempts = attempts.lock().unwrap();
        let is_first = attempts.last() != Some(&context.attempt);
        attempts.push(context.attempt);
        async move {
            // Every attempt is interrupted once by the death of the process.
            if is_first {
                own.cut();
                std::future::pending::<()>().await;
            }
            Err(again())
        }
    };
    restart_until_settled(&bench, 1, act, spare).await;
    assert_eq!(*seen.lock().unwrap(), [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]);
    let [letter] = &bench.dead_letters()[..] else { panic!("one dead letter") };
    assert_eq!((letter.code.as_str(), letter.attempts), ("ATTEMPTS_EXHAUSTED", 6));
}

#[tokio::test(start_paused = true)]
async fn a_first_delivery_costs_no_entry() {
    let bench = Bench::new().await;
    put_sound(&bench, 20).await;
    let running = bench.run(|text, _| async move { Ok(vec![output(&text)]) });
    bench.settled(20).await;
    bench.stop(running).await;
    assert_eq!((bench.memory.calls(Operation::Read), bench.memory.calls(Operation::Write)), (0, 0));
}

/// Delivers the messages of the stream twice to processes that die for another reason, so that they become suspects.
async fn make_suspects(bench: &Bench, consume: &Consume) {
    for _ in 0..2 {
        let connection = bench.memory.connection();
        let process = Bench {
            runtime: Bench::runtime(&connection, WorkerSettings::default()),
            memory: connection.clone(),
        };
        let running = process.run_as(consume.clone(), |_, _| std::future::pending());
        sleep(Duration::from_secs(40)).await;
        connection.cut();
        process.runtime.hard_stop().cancel();
        process.stop(running).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_suspect_is_alone_in_its_process() {
    let bench = Bench::new().await;
    put_sound(&bench, 5).await;
    make_suspects(&bench, &Consume::new("IN", "stage", ["in.>"])).await;
    for number in 5..25 {
        bench.put(&format!("sound-{number}"), "sound").await;
    }
    let in_work = Arc::new(AtomicUsize::new(0));
    let shared = in_work.clone();
    let act = move |text: Text, context: Context| {
        let in_work = shared.clone();
        async move {
            let before = in_work.fetch_add(1, Ordering::SeqCst);
            let is_suspect = context.sequence <= 5;
            assert!(!is_suspect || before == 0, "{before} beside a suspect");
            for _ in 0..10 {
                sleep(Duration::from_millis(10)).await;
                assert!(!is_suspect || in_work.load(Ordering::SeqCst) == 1);
            }
            in_work.fetch_sub(1, Ordering::SeqCst);
            Ok(vec![output(&text)])
        }
    };
    // The second consumer gets every message too, and none of them is a suspect there.
    let running = bench.run(act.clone());
    let mut other = Consume::new("IN", "other", ["in.>"]);
    other.concurrency = Some(2);
    let beside = bench.run_as(other, move |text, mut context| {
        context.sequence += 100;
        act(text, context)
    });
    bench.settled(25).await;
    bench.memory.until(|memory| memory.settlements("IN", "other").len() == 25).await;
    bench.stop(running).await;
    beside.await.unwrap().unwrap();
    for durable in ["stage", "other"] {
        let acked = |settlement: &gongkai_worker::transport::memory::Settlement| {
            settlement.outcome == SettlementOutcome::Acked
        };
        assert!(bench.memory.settlements("IN", durable).iter().all(acked), "{durable}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_suspect_may_hold_up_its_consumer_only() {
    let bench = Bench::new().await;
    put_sound(&bench, 3).await;
    let consume = Consume { alone: Alone::InConsumer, ..Consume::new("IN", "stage", ["in.>"]) };
    make_suspects(&bench, &consume).await;
    let slow = bench.run_as(consume, |_, _| async {
        sleep(Duration::from_secs(90)).await;
        Ok(vec![])
    });
    let quick = bench.run_as(Consume::new("IN", "other", ["in.>"]), |_, _| async { Ok(vec![]) });
    let started = Instant::now();
    bench.memory.until(|memory| memory.settlements("IN", "other").len() == 3).await;
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    bench.settled(3).await;
    bench.stop(slow).await;
    quick.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_suspect_is_not_handled_before_that_is_noted() {
    let bench = Bench::new().await;
    put_sound(&bench, 1).await;
    make_suspects(&bench, &Consume::new("IN", "stage", ["in.>"])).await;
    bench.memory.plan(Fault::fail(Operation::Write).kind(ErrorKind::Full).always());
    let calls = Arc::new(AtomicUsize::new(0));
    let seen = calls.clone();
    let running = bench.run(move |_, _| {
        calls.fetch_add(1, Ordering::SeqCst);
        async { Ok(vec![]) }
    });
    sleep(Duration::from_secs(600)).await;
    assert_eq!(seen.load(Ordering::SeqCst), 0);
    bench.memory.heal();
    bench.settled(1).await;
    bench.stop(running).await;
    assert_eq!(seen.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn without_the_bucket_messages_are_handled_and_retried_later_and_later() {
    let bench = Bench::new().await;
    bench.put("one", "x").await;
    let runtime = Runtime::builder("stage", Arc::new(bench.memory.clone()))
        .attempts("missing")
        .dead_prefix("dead")
        .build();
    let bench = Bench { runtime, ..bench };
    let calls = Arc::new(AtomicUsize::new(0));
    let running = bench.run(move |_, _| {
        let is_done = calls.fetch_add(1, Ordering::SeqCst) == 9;
        async move { if is_done { Ok(vec![]) } else { Err(again()) } }
    });
    bench.settled(1).await;
    bench.stop(running).await;
    let delays = bench.delays();
    assert!(delays[..4].is_sorted() && delays[8] > Duration::from_secs(60), "{delays:?}");
}
