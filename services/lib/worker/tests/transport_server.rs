//! Behaviour that needs a real server: versions, credentials, limits, crashes, hangs.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures::StreamExt as _;
use gongkai_worker::{
    Message, Transport,
    config::NatsSettings,
    testing::{
        NatsServer,
        transport_suite::{
            ENTRIES, LOG, OBJECTS, PATIENCE, TIMERS, due_spec, message, spec, timer, topology,
        },
    },
    transport::{
        ConsumerSpec, Delivery, Error, ErrorKind, Pull, TopologyPart,
        jetstream::{Credentials, JetStream, JetStreamSettings},
    },
};
use time::{OffsetDateTime, macros::datetime};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpListener,
    time::Instant,
};

fn settings(url: String) -> JetStreamSettings {
    JetStreamSettings { servers: vec![url], ..JetStreamSettings::default() }
}

async fn connect(server: &NatsServer) -> JetStream {
    JetStream::connect(&settings(server.url())).await.expect("the server is there")
}

async fn declared(server: &NatsServer) -> JetStream {
    let transport = connect(server).await;
    transport.declare(&topology()).await.expect("the suite's topology can be declared");
    transport
}

/// Returns a client of the library, for operations that the transport does not offer.
async fn raw(server: &NatsServer) -> async_nats::jetstream::Context {
    async_nats::jetstream::new(async_nats::connect(server.url()).await.expect("the server is there"))
}

async fn refusal(settings: &JetStreamSettings) -> Error {
    match JetStream::connect(settings).await {
        Ok(_) => panic!("connected"),
        Err(error) => error,
    }
}

fn large(number: u32) -> Message {
    Message { payload: vec![7; 50_000].into(), ..message("suite.log.a", &format!("id-{number}")) }
}

/// Publishes until the server refuses.
async fn fill(transport: &JetStream) -> Error {
    for number in 0..100 {
        if let Err(error) = transport.publish(large(number)).await {
            return error;
        }
    }
    panic!("5 MB went into less");
}

async fn fetch(pull: &mut Box<dyn Pull>, max: usize, expires: Duration) -> Vec<Result<Delivery, Error>> {
    match pull.fetch(max, expires).await {
        Ok(batch) => batch.collect().await,
        Err(error) => vec![Err(error)],
    }
}

/// Retries until the call succeeds, as every caller of the transport does. A round trip between two calls waits for the
/// connection.
async fn until_available<T>(transport: &JetStream, mut call: impl AsyncFnMut() -> Result<T, Error>) -> T {
    let started = Instant::now();
    loop {
        match call().await {
            Ok(value) => return value,
            Err(error) if error.kind == ErrorKind::Unavailable && started.elapsed() < 2 * PATIENCE => {
                transport.ping().await.ok();
            }
            Err(error) => panic!("{error}: {:?}", error.source),
        }
    }
}

#[tokio::test]
async fn an_old_server_is_refused_by_version() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("nats://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        let (reader, mut writer) = socket.into_split();
        let info = r#"{"server_id":"OLD","server_name":"old","version":"2.9.10","proto":1,"go":"go1.19","host":"127.0.0.1","port":4222,"max_payload":1048576,"headers":true,"jetstream":true}"#;
        writer.write_all(format!("INFO {info}\r\n").as_bytes()).await.unwrap();
        let mut lines = BufReader::new(reader).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            if line == "PING" {
                writer.write_all(b"PONG\r\n").await.unwrap();
            }
        }
    });
    let error = refusal(&settings(url)).await;
    assert_eq!(error.kind, ErrorKind::Other);
    assert_eq!(error.to_string(), "nats-server is 2.9.10, needs 2.15.1 or later");
}

#[tokio::test]
async fn a_broker_that_is_away_is_said_in_one_line() {
    let settings = JetStreamSettings {
        connect_timeout: Duration::from_millis(300),
        // Nothing listens on port 1 of the loopback.
        ..settings("nats://127.0.0.1:1".to_owned())
    };
    let error = refusal(&settings).await;
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert_eq!(error.to_string(), "no connection to nats://127.0.0.1:1");
}

#[tokio::test]
async fn wrong_credentials_are_denied_at_once() {
    let server = NatsServer::start_with("authorization { user: gongkai, password: right }").await;
    let user =
        |password: &str| Credentials::User { name: "gongkai".to_owned(), password: password.to_owned() };
    let wrong =
        JetStreamSettings { credentials: user("wrong"), connect_timeout: PATIENCE, ..settings(server.url()) };
    let started = Instant::now();
    assert_eq!(refusal(&wrong).await.kind, ErrorKind::Denied);
    assert!(started.elapsed() < PATIENCE);
    let right = JetStreamSettings { credentials: user("right"), ..wrong };
    JetStream::connect(&right).await.unwrap().ping().await.unwrap();
}

#[tokio::test]
async fn a_login_in_the_url_is_used_and_never_printed() {
    let server = NatsServer::start_with("authorization { user: gongkai, password: \"a@b:c\" }").await;
    let host = server.url().trim_start_matches("nats://").to_owned();
    let settings = |password: &str| {
        let url = format!("nats://gongkai:{password}@{host}").into();
        NatsSettings { url, ..NatsSettings::default() }.transport("test").unwrap()
    };
    JetStream::connect(&settings("a%40b%3Ac")).await.unwrap().ping().await.unwrap();
    let refused = refusal(&settings("wr0ng")).await;
    assert_eq!(refused.kind, ErrorKind::Denied);
    assert!(!format!("{refused:?}").contains("wr0ng"), "{refused:?}");
}

#[tokio::test]
async fn a_forbidden_publish_is_denied_not_unavailable() {
    let server = NatsServer::start_with(
        r#"authorization { users: [
            { user: admin, password: admin }
            { user: parse, password: parse, permissions: {
                publish: { allow: ["suite.log.parsed.>", "_INBOX_parse.>"] }, subscribe: { allow: ["_INBOX_parse.>"] } } }
        ] }"#,
    )
    .await;
    let user = |name: &str| JetStreamSettings {
        credentials: Credentials::User { name: name.to_owned(), password: name.to_owned() },
        name: name.to_owned(),
        ..settings(server.url())
    };
    JetStream::connect(&user("admin")).await.unwrap().declare(&topology()).await.unwrap();
    let parse = JetStream::connect(&user("parse")).await.unwrap();
    parse.publish(message("suite.log.parsed.360982", "one")).await.unwrap();
    let error = parse.publish(message("suite.log.validated.360982", "two")).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Denied);
    let Err(error) = parse.consumer(&spec("reader")).await else { panic!("not permitted") };
    assert_eq!(error.kind, ErrorKind::Denied);
    parse.ping().await.unwrap();
}

#[tokio::test]
async fn the_log_of_record_refuses_deletes_and_purges() {
    let server = NatsServer::start().await;
    let transport = declared(&server).await;
    transport.publish(message("suite.log.a", "one")).await.unwrap();
    transport.publish(message("suite.short.a", "one")).await.unwrap();
    let context = raw(&server).await;
    let log = context.get_stream(LOG).await.unwrap();
    assert!(log.purge().await.is_err());
    assert!(log.delete_message(1).await.is_err());
    context.get_stream("SUITE_SHORT").await.unwrap().purge().await.unwrap();
}

#[tokio::test]
async fn declaring_widens_what_is_there_and_takes_nothing_away() {
    let server = NatsServer::start().await;
    let context = raw(&server).await;
    let present = async_nats::jetstream::stream::Config {
        name: LOG.to_owned(),
        subjects: vec!["suite.older.>".to_owned()],
        max_bytes: 123_456,
        ..Default::default()
    };
    context.create_stream(present).await.unwrap();
    declared(&server).await;
    let config = context.get_stream(LOG).await.unwrap().cached_info().config.clone();
    assert_eq!(config.subjects, ["suite.older.>", "suite.log.>"]);
    assert_eq!(config.max_bytes, 123_456);
    assert!(config.deny_purge && config.deny_delete && config.allow_direct);
    assert_eq!(config.duplicate_window, Duration::from_secs(600));
}

#[tokio::test]
async fn a_full_stream_is_full() {
    let server = NatsServer::start().await;
    let settings = JetStreamSettings { stream_max_bytes: Some(200_000), ..settings(server.url()) };
    let transport = JetStream::connect(&settings).await.unwrap();
    transport.declare(&topology()).await.unwrap();
    assert_eq!(fill(&transport).await.kind, ErrorKind::Full);
}

#[tokio::test]
async fn a_store_smaller_than_the_limit_is_used_until_it_is_full() {
    let server = NatsServer::start_with("jetstream { max_file_store: 1MB }").await;
    let settings = JetStreamSettings { stream_max_bytes: Some(1 << 30), ..settings(server.url()) };
    let transport = JetStream::connect(&settings).await.unwrap();
    transport.declare(&topology()).await.unwrap();
    assert_eq!(fill(&transport).await.kind, ErrorKind::Full);
}

#[tokio::test]
async fn a_repeat_after_a_crash_of_the_server_is_still_a_duplicate() {
    let mut server = NatsServer::start().await;
    let transport = declared(&server).await;
    let first = transport.publish(message("suite.log.a", "one")).await.unwrap();
    server.kill();
    let away = transport.publish(message("suite.log.a", "two")).await.unwrap_err();
    assert_eq!(away.kind, ErrorKind::Unavailable);
    server.restart().await;
    let again =
        until_available(&transport, async || transport.publish(message("suite.log.a", "one")).await).await;
    assert_eq!((again.sequence, again.duplicate), (first.sequence, true));
}

#[tokio::test]
async fn what_was_acknowledged_outlives_a_crash_of_the_server() {
    let mut server = NatsServer::start().await;
    let transport = declared(&server).await;
    for number in 0..20 {
        transport.publish(message("suite.log.a", &number.to_string())).await.unwrap();
    }
    let mut pull = transport.consumer(&spec("reader")).await.unwrap();
    let mut seen = BTreeSet::new();
    for delivery in fetch(&mut pull, 10, PATIENCE).await {
        let delivery = delivery.unwrap();
        seen.insert(delivery.sequence);
        delivery.settle.ack().await.unwrap();
    }
    server.restart().await;
    // The same pull continues. The crash may lose the last acknowledgements, but no message.
    let mut attempts = BTreeMap::new();
    while seen.len() < 20 {
        let batch = async || fetch(&mut pull, 10, PATIENCE).await.into_iter().collect::<Result<Vec<_>, _>>();
        for delivery in until_available(&transport, batch).await {
            seen.insert(delivery.sequence);
            attempts.insert(delivery.sequence, delivery.attempt);
            delivery.settle.ack().await.unwrap();
        }
    }
    assert_eq!(seen, (1..=20).collect());
    assert!(attempts.len() >= 10, "{attempts:?}");
}

#[tokio::test]
async fn a_lost_connection_ends_a_batch_and_the_next_one_works() {
    let mut server = NatsServer::start().await;
    let transport = declared(&server).await;
    let mut pull = transport.consumer(&spec("reader")).await.unwrap();
    let mut batch = pull.fetch(5, 3 * PATIENCE).await.unwrap();
    let started = Instant::now();
    server.kill();
    let broken = batch.next().await.unwrap();
    assert_eq!(broken.err().unwrap().kind, ErrorKind::Unavailable);
    assert!(batch.next().await.is_none(), "a batch ends with its error");
    // While the server is away, the call fails after its timeout.
    assert_eq!(pull.fetch(5, PATIENCE).await.err().unwrap().kind, ErrorKind::Unavailable);
    assert!(
        started.elapsed() >= Duration::from_secs(1) && started.elapsed() < PATIENCE,
        "{:?}",
        started.elapsed()
    );
    server.restart().await;
    until_available(&transport, async || transport.publish(message("suite.log.a", "one")).await).await;
    let delivery = until_available(&transport, async || fetch(&mut pull, 1, PATIENCE).await.remove(0)).await;
    assert_eq!((delivery.sequence, delivery.attempt), (1, 1));
    delivery.settle.ack().await.unwrap();
}

#[tokio::test]
async fn a_silent_server_ends_a_batch_and_no_call_hangs() {
    let server = NatsServer::start().await;
    let transport = declared(&server).await;
    transport.publish(message("suite.log.a", "one")).await.unwrap();
    let spec = ConsumerSpec { ack_wait: PATIENCE, ..spec("reader") };
    let mut pull = transport.consumer(&spec).await.unwrap();
    let mut batch = pull.fetch(2, Duration::from_secs(3)).await.unwrap();
    let delivery = batch.next().await.unwrap().unwrap();
    let objects = transport.objects(OBJECTS);
    server.pause();
    let started = Instant::now();
    let (batch, ack, publish, object, ping) = tokio::join!(
        batch.next(),
        delivery.settle.ack(),
        transport.publish(message("suite.log.a", "two")),
        objects.put("key", "content".into()),
        transport.ping(),
    );
    let kinds = [batch.unwrap().err(), ack.err(), publish.err(), object.err(), ping.err()];
    assert!(started.elapsed() < PATIENCE, "{:?}", started.elapsed());
    assert!(kinds.iter().all(|error| error.as_ref().unwrap().kind == ErrorKind::Unavailable), "{kinds:?}");
    server.resume();
    until_available(&transport, async || transport.publish(message("suite.log.a", "two")).await).await;
}

#[tokio::test]
async fn what_a_dropped_batch_held_comes_again_at_once() {
    let server = NatsServer::start().await;
    let transport = declared(&server).await;
    for id in ["one", "two", "three"] {
        transport.publish(message("suite.log.a", id)).await.unwrap();
    }
    let mut pull =
        transport.consumer(&ConsumerSpec { ack_wait: 10 * PATIENCE, ..spec("reader") }).await.unwrap();
    let mut batch = pull.fetch(3, PATIENCE).await.unwrap();
    batch.next().await.unwrap().unwrap().settle.ack().await.unwrap();
    drop(batch);
    let again = fetch(&mut pull, 2, PATIENCE).await;
    let sequences: BTreeSet<_> = again.into_iter().map(|delivery| delivery.unwrap().sequence).collect();
    assert_eq!(sequences, [2, 3].into());
}

#[tokio::test]
async fn heartbeats_keep_a_quiet_batch_alive() {
    let server = NatsServer::start().await;
    let transport = declared(&server).await;
    let mut pull = transport.consumer(&spec("reader")).await.unwrap();
    // The pull lasts three heartbeat intervals. Without heartbeats it would end after 2.5 of them.
    let mut batch = pull.fetch(1, Duration::from_millis(1500)).await.unwrap();
    assert!(batch.next().await.is_none(), "it ends by the server's word, with no error");
}

/// Returns the next message, however often the pull has to be bound again.
async fn fetch_again(transport: &JetStream, pull: &mut Box<dyn Pull>, spec: &ConsumerSpec) -> Delivery {
    let started = Instant::now();
    loop {
        match fetch(pull, 1, PATIENCE).await.pop() {
            Some(Ok(delivery)) => return delivery,
            Some(Err(error)) if error.kind == ErrorKind::NotFound => {
                *pull = transport.consumer(spec).await.expect("the stream is there");
            }
            Some(Err(error)) if error.kind != ErrorKind::Unavailable => panic!("{error}: {:?}", error.source),
            _ => {}
        }
        assert!(started.elapsed() < 2 * PATIENCE, "the consumer is not made again");
    }
}

#[tokio::test]
async fn a_consumer_whose_folder_is_lost_is_made_again() {
    let mut server = NatsServer::start().await;
    let transport = declared(&server).await;
    transport.publish(message("suite.log.a", "one")).await.unwrap();
    let spec = spec("reader");
    let mut pull = transport.consumer(&spec).await.unwrap();
    fetch(&mut pull, 1, PATIENCE).await.remove(0).unwrap().settle.ack().await.unwrap();
    server.kill();
    let folder = server.store().join(format!("jetstream/$G/streams/{LOG}/obs/reader"));
    std::fs::remove_dir_all(folder).unwrap();
    server.restart().await;
    until_available(&transport, async || transport.publish(message("suite.log.a", "two")).await).await;
    // The floor of this consumer is not known yet, so it starts from the first message.
    assert_eq!(fetch_again(&transport, &mut pull, &spec).await.sequence, 1);
}

#[tokio::test]
async fn a_deleted_consumer_begins_where_it_was() {
    let server = NatsServer::start().await;
    let settings = JetStreamSettings { floor_interval: Duration::ZERO, ..settings(server.url()) };
    let transport = JetStream::connect(&settings).await.unwrap();
    transport.declare(&topology()).await.unwrap();
    for id in ["one", "two", "three"] {
        transport.publish(message("suite.log.a", id)).await.unwrap();
    }
    let spec = spec("reader");
    let mut pull = transport.consumer(&spec).await.unwrap();
    for _ in 0..2 {
        fetch(&mut pull, 1, PATIENCE).await.remove(0).unwrap().settle.ack().await.unwrap();
    }
    // Asks for the state of the consumer, and fetches no message.
    drop(pull.fetch(1, PATIENCE).await.unwrap());
    let context = raw(&server).await;
    context.delete_consumer_from_stream("reader", LOG).await.unwrap();
    let third = fetch_again(&transport, &mut pull, &spec).await;
    assert_eq!((third.sequence, third.attempt), (3, 1));
    // The start is a setting that the server does not let change; binding again keeps it.
    let spec = ConsumerSpec { max_ack_pending: Some(50), ..spec };
    transport.consumer(&spec).await.unwrap();
}

/// Returns the end of the pause of the consumer `reader`.
async fn paused_until(transport: &JetStream) -> Option<OffsetDateTime> {
    let streams = transport.status().await.expect("the server is there");
    let log = streams.into_iter().find(|stream| stream.name == LOG);
    log.expect("the stream is declared").consumers.remove(0).paused_until
}

#[tokio::test]
async fn a_paused_consumer_is_quiet_until_it_is_resumed() {
    let server = NatsServer::start().await;
    let transport = declared(&server).await;
    let mut pull = transport.consumer(&spec("reader")).await.unwrap();
    assert_eq!(paused_until(&transport).await, None);
    let end = datetime!(2999-01-01 00:00 UTC);
    transport.pause_consumer(LOG, "reader", end).await.unwrap();
    assert_eq!(paused_until(&transport).await, Some(end));
    transport.publish(message("suite.log.a", "one")).await.unwrap();
    // Long enough for heartbeats: the server sends them during a pause too, so the fetch ends without an error.
    assert!(fetch(&mut pull, 1, Duration::from_secs(3)).await.is_empty());
    // Other settings change the consumer and not its pause.
    let spec = ConsumerSpec { max_ack_pending: Some(50), ..spec("reader") };
    let mut pull = transport.consumer(&spec).await.unwrap();
    assert_eq!(paused_until(&transport).await, Some(end));
    transport.resume_consumer(LOG, "reader").await.unwrap();
    assert_eq!(paused_until(&transport).await, None);
    assert_eq!(fetch(&mut pull, 1, PATIENCE).await.len(), 1);
    // A pause whose end has passed is none.
    transport.pause_consumer(LOG, "reader", datetime!(2001-01-01 00:00 UTC)).await.unwrap();
    assert_eq!(paused_until(&transport).await, None);
    let error = transport.pause_consumer(LOG, "nobody", end).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
}

#[tokio::test]
async fn a_lost_consumer_is_created_again_with_its_pause() {
    let server = NatsServer::start().await;
    let settings = JetStreamSettings { floor_interval: Duration::ZERO, ..settings(server.url()) };
    let transport = JetStream::connect(&settings).await.unwrap();
    transport.declare(&topology()).await.unwrap();
    let mut pull = transport.consumer(&spec("reader")).await.unwrap();
    let end = datetime!(2999-01-01 00:00 UTC);
    transport.pause_consumer(LOG, "reader", end).await.unwrap();
    // Asks for the state of the consumer, and fetches no message.
    drop(pull.fetch(1, PATIENCE).await.unwrap());
    raw(&server).await.delete_consumer_from_stream("reader", LOG).await.unwrap();
    transport.consumer(&spec("reader")).await.unwrap();
    assert_eq!(paused_until(&transport).await, Some(end));
}

#[tokio::test]
async fn a_part_is_known_by_its_creation_and_its_end() {
    let server = NatsServer::start().await;
    let transport = declared(&server).await;
    transport.publish(message("suite.log.a", "one")).await.unwrap();
    let log = TopologyPart::Stream(LOG);
    let first = transport.held(log).await.unwrap().unwrap();
    assert_eq!((first.first_sequence, first.last_sequence), (1, 1));
    raw(&server).await.delete_stream(LOG).await.unwrap();
    assert_eq!(transport.held(log).await.unwrap(), None);
    transport.declare(&topology()).await.unwrap();
    let second = transport.held(log).await.unwrap().unwrap();
    assert!(second.created > first.created && second.last_sequence == 0, "{second:?}");
    for part in [TopologyPart::Objects(OBJECTS), TopologyPart::Entries(ENTRIES)] {
        assert!(transport.held(part).await.unwrap().is_some(), "{part}");
    }
}

#[tokio::test]
async fn reading_objects_leaves_no_consumers_on_the_server() {
    let server = NatsServer::start().await;
    let transport = declared(&server).await;
    let objects = transport.objects(OBJECTS);
    objects.put("key", vec![7; 300_000].into()).await.unwrap();
    for _ in 0..5 {
        assert_eq!(objects.get("key").await.unwrap().unwrap().len(), 300_000);
    }
    let stream = raw(&server).await.get_stream(format!("OBJ_{OBJECTS}")).await.unwrap();
    assert_eq!(stream.cached_info().state.consumer_count, 0);
}

#[tokio::test]
async fn an_object_that_lost_a_chunk_is_not_handed_out_but_repaired() {
    let server = NatsServer::start().await;
    let transport = declared(&server).await;
    let objects = transport.objects(OBJECTS);
    objects.put("key", vec![7; 300_000].into()).await.unwrap();
    let stream = raw(&server).await.get_stream(format!("OBJ_{OBJECTS}")).await.unwrap();
    stream.delete_message(2).await.unwrap();
    assert_eq!(objects.get("key").await.unwrap_err().kind, ErrorKind::Unavailable);
    // Storing the same content repairs the object, although a description with its digest exists.
    objects.put("key", vec![7; 300_000].into()).await.unwrap();
    assert_eq!(objects.get("key").await.unwrap().unwrap().len(), 300_000);
}

#[test]
fn secrets_are_not_printed() {
    let secrets = [
        Credentials::Token("hush".to_owned()),
        Credentials::User { name: "user".to_owned(), password: "hush".to_owned() },
        Credentials::Nkey("hush".to_owned()),
    ];
    for credentials in secrets {
        let settings = JetStreamSettings { credentials, ..JetStreamSettings::default() };
        assert!(!format!("{settings:?}").contains("hush"));
    }
}

#[tokio::test]
async fn timers_outlive_a_killed_server_and_fire_once() {
    let mut server = NatsServer::start().await;
    let transport = declared(&server).await;
    for (name, after_ms) in [("overdue", 500), ("ahead", 4000)] {
        transport.schedule(timer(name, name, Duration::from_millis(after_ms))).await.unwrap();
    }
    server.kill();
    tokio::time::sleep(Duration::from_millis(800)).await;
    server.restart().await;
    let mut pull = until_available(&transport, async || transport.consumer(&due_spec()).await).await;
    let mut payloads = Vec::new();
    let started = Instant::now();
    while payloads.len() < 2 && started.elapsed() < 2 * PATIENCE {
        for delivery in fetch(&mut pull, 1, Duration::from_secs(2)).await.into_iter().flatten() {
            payloads.push(delivery.message.payload.clone());
            delivery.settle.ack().await.expect("the server is back");
        }
    }
    assert_eq!(payloads, ["overdue", "ahead"]);
    assert!(fetch(&mut pull, 1, Duration::from_millis(500)).await.is_empty(), "fired twice");
}

#[tokio::test]
async fn a_stream_of_timers_drops_none_of_them_for_want_of_room() {
    let server = NatsServer::start().await;
    let limited = JetStreamSettings { stream_max_bytes: Some(1_000_000), ..settings(server.url()) };
    JetStream::connect(&limited).await.unwrap().declare(&topology()).await.unwrap();
    let stream = raw(&server).await.get_stream(TIMERS).await.unwrap();
    let config = &stream.cached_info().config;
    assert!(config.allow_message_schedules);
    assert_eq!((config.max_bytes, config.max_messages, config.max_messages_per_subject), (-1, -1, -1));
    assert_eq!(config.discard, async_nats::jetstream::stream::DiscardPolicy::Old);
}
