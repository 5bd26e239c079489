//! A broker that is unreachable, full or silent: each message still takes effect once.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_lost_ack_gives_one_message_downstream() {
    let bench = Bench::new().await;
    bench.put("one", "x").await;
    // The ack has no effect, as if the process crashed between the publish and the ack.
    bench.memory.plan(Fault::fail(Operation::Ack));
    let calls = Arc::new(AtomicUsize::new(0));
    let seen = calls.clone();
    let running = bench.run(move |text, _| {
        calls.fetch_add(1, Ordering::SeqCst);
        async move { Ok(vec![output(&text)]) }
    });
    bench.settled(1).await;
    bench.stop(running).await;
    assert_eq!(seen.load(Ordering::SeqCst), 2);
    assert_eq!(bench.ids("out.>"), ["one.stage.0"]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_publish_answer_gives_one_message_downstream() {
    let bench = Bench::new().await;
    bench.put("one", "x").await;
    bench.memory.plan(Fault::lose_answer(Operation::Publish).on("out.>"));
    let running = bench.run(|text, _| async move { Ok(vec![output(&text)]) });
    bench.settled(1).await;
    bench.stop(running).await;
    assert_eq!(bench.ids("out.>"), ["one.stage.0"]);
    assert_eq!(bench.outcomes(), [SettlementOutcome::Acked]);
}

#[tokio::test(start_paused = true)]
async fn a_full_broker_is_waited_for_and_uses_up_no_attempts() {
    let bench = Bench::new().await;
    bench.put("one", "x").await;
    bench.memory.plan(Fault::fail(Operation::Publish).on("out.>").kind(ErrorKind::Full).always());
    let running = bench.run(|text, _| async move { Ok(vec![output(&text)]) });
    sleep(Duration::from_secs(3600)).await;
    assert_eq!(bench.outcomes(), []);
    bench.memory.heal();
    bench.settled(1).await;
    bench.stop(running).await;
    assert_eq!(bench.outcomes(), [SettlementOutcome::Acked]);
    assert_eq!(bench.memory.settlements("IN", "stage")[0].attempt, 1);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_meets_a_full_store_uses_up_no_attempts() {
    let bench = Bench::new().await;
    bench.put("one", "x").await;
    bench.memory.plan(Fault::fail(Operation::Put).kind(ErrorKind::Full).always());
    let texts = bench.runtime.objects("TEXTS");
    let running = bench.run(move |text, _| {
        let texts = texts.clone();
        async move {
            texts.put("k", Bytes::from_static(b"kept")).await?;
            Ok(vec![output(&text)])
        }
    });
    sleep(Duration::from_secs(3600)).await;
    assert_eq!(bench.outcomes(), []);
    bench.memory.heal();
    bench.settled(1).await;
    bench.stop(running).await;
    assert_eq!(bench.ids("out.>"), ["one.stage.0"]);
    assert_eq!(bench.memory.settlements("IN", "stage")[0].attempt, 1);
}

#[tokio::test(start_paused = true)]
async fn an_effect_is_not_repeated_while_its_note_waits_for_the_broker() {
    let bench = Bench::new().await;
    bench.put("one", "x").await;
    bench.memory.plan(Fault::fail(Operation::Put).kind(ErrorKind::Full).always());
    let texts = bench.runtime.objects("TEXTS");
    let told = Arc::new(AtomicUsize::new(0));
    let seen = told.clone();
    let running = bench.run(move |_, context| {
        let (texts, told) = (texts.clone(), told.clone());
        async move {
            let telling = async {
                // The first call fails, so the runtime repeats it.
                if told.fetch_add(1, Ordering::SeqCst) == 0 { Err(again()) } else { Ok(()) }
            };
            context.once.run(telling).await?;
            texts.put("told", Bytes::from_static(b"x")).await?;
            Ok(vec![])
        }
    });
    sleep(Duration::from_secs(3600)).await;
    assert_eq!(seen.load(Ordering::SeqCst), 2);
    bench.memory.heal();
    bench.settled(1).await;
    bench.stop(running).await;
    assert_eq!(seen.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_is_safe_before_the_message_is_given_up() {
    let bench = Bench::new().await;
    bench.put_raw("junk", vec![0xff; 8]).await;
    bench.memory.plan(Fault::fail(Operation::Publish).on("dead.>").times(5));
    let running = bench.run(|_, _| async { Ok(vec![]) });
    bench.settled(1).await;
    bench.stop(running).await;
    assert_eq!(bench.dead_letters().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn failed_fetches_are_spaced_out() {
    let bench = Bench::new().await;
    bench.memory.plan(Fault::fail(Operation::Fetch).always());
    let running = bench.run(|_, _| async { Ok(vec![]) });
    sleep(Duration::from_secs(60)).await;
    let calls = bench.memory.calls(Operation::Fetch);
    assert!((5..=30).contains(&calls), "{calls} fetches a minute");
    bench.memory.heal();
    bench.put("one", "x").await;
    bench.settled(1).await;
    bench.stop(running).await;
}

#[tokio::test(start_paused = true)]
async fn publish_waits_for_an_absent_broker_within_its_budget() {
    let bench = Bench::new().await;
    bench.memory.plan(Fault::fail(Operation::Publish).times(3));
    bench.runtime.publish("id", output("x")).await.unwrap();
    assert!(bench.runtime.publish("id", output("x")).await.unwrap().duplicate);
    bench.memory.plan(Fault::fail(Operation::Publish).always());
    let started = Instant::now();
    let error = bench.runtime.publish("other", output("x")).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(started.elapsed() <= Duration::from_secs(20), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_store_of_the_handler_is_waited_for_and_uses_up_no_attempts() {
    let bench = Bench::new().await;
    bench.put("one", "x").await;
    let is_away = Arc::new(AtomicBool::new(true));
    let away = is_away.clone();
    let running = bench.run(move |text, context| {
        let is_away = away.load(Ordering::SeqCst);
        async move {
            assert_eq!(context.attempt, 1);
            if is_away { Err(refused()) } else { Ok(vec![output(&text)]) }
        }
    });
    sleep(Duration::from_secs(3600)).await;
    assert_eq!(bench.outcomes(), []);
    assert_eq!(bench.runtime.waiting(), ["db, which does not answer: connection refused"]);
    is_away.store(false, Ordering::SeqCst);
    bench.settled(1).await;
    bench.stop(running).await;
    assert_eq!(bench.outcomes(), [SettlementOutcome::Acked]);
    assert_eq!(bench.memory.settlements("IN", "stage")[0].attempt, 1);
    assert_eq!(bench.runtime.waiting(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_stop_while_a_store_is_away_is_prompt_and_counts_as_no_crash() {
    let mut bench = Bench::new().await;
    bench.put("one", "x").await;
    bench.put("two", "x").await;
    for round in 1..=4 {
        let running = bench.run(|_, _| async { Err(refused()) });
        bench
            .memory
            .until(|memory| memory.consumer_state("IN", "stage").is_some_and(|s| s.in_flight == 2))
            .await;
        sleep(Duration::from_secs(5)).await;
        let asked = Instant::now();
        bench.stop(running).await;
        assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
        assert_eq!(bench.delays().len(), 2 * round);
        bench.runtime = Bench::runtime(&bench.memory, WorkerSettings::default());
    }
    // A suspect would be handled alone, and the other would never come.
    let both = Arc::new(tokio::sync::Barrier::new(2));
    let running = bench.run(move |_, context| {
        let both = both.clone();
        async move {
            assert_eq!(context.attempt, 1);
            both.wait().await;
            Ok(vec![])
        }
    });
    bench.settled(2).await;
    bench.stop(running).await;
    assert_eq!(bench.dead_letters().len(), 0);
}

fn refused() -> Decision {
    Decision::away("db", anyhow::anyhow!("connection refused"))
}
