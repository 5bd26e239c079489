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
