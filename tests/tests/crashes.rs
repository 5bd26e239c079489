//! Processes that die with messages in flight, over a real broker: the message that causes the crash is buried, and
//! no other loses an attempt.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use gongkai_worker::dead_letter::DeadLetter;
use gongkai_worker::testing::NatsServer;
use gongkai_worker::transport::jetstream::{JetStream, JetStreamSettings};
use gongkai_worker::transport::{Headers, MESSAGE_ID};
use gongkai_worker::{Message, Topology, Transport as _};
use prost::Message as _;

const PATIENCE: Duration = Duration::from_secs(25);

/// A broker with streams for one stage.
struct Bench {
    server: NatsServer,
    transport: JetStream,
}

/// A process of the stage, which is killed when the value is dropped.
struct StageProcess(Child);

impl Drop for StageProcess {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().unwrap();
    }
}

impl Bench {
    async fn start() -> Self {
        let server = NatsServer::start().await;
        let settings = JetStreamSettings { servers: vec![server.url()], ..JetStreamSettings::default() };
        let transport = JetStream::connect(&settings).await.unwrap();
        let topology = Topology {
            streams: vec![("IN", &["in.>"], None), ("OUT", &["out.>"], None), ("DEAD", &["dead.>"], None)],
            entries: vec!["attempts"],
            ..Topology::default()
        };
        transport.declare(&topology).await.unwrap();
        Self { server, transport }
    }

    async fn put(&self, id: &str, text: &str) {
        let mut headers = Headers::new();
        headers.insert(MESSAGE_ID, id).unwrap();
        let message = Message { subject: "in.a".to_owned(), headers, payload: text.to_owned().into() };
        self.transport.publish(message).await.unwrap();
    }

    fn stage(&self) -> StageProcess {
        let mut command = Command::new(env!("CARGO_BIN_EXE_frail_stage"));
        StageProcess(command.arg(self.server.url()).stderr(Stdio::null()).spawn().unwrap())
    }

    async fn messages(&self, stream: &str) -> Vec<Message> {
        let mut found = Vec::new();
        while let Some(logged) = self.transport.message(stream, found.len() as u64 + 1).await.unwrap() {
            found.push(logged.message);
        }
        found
    }

    async fn done(&self) -> BTreeSet<String> {
        self.messages("OUT").await.iter().map(|message| message.headers[MESSAGE_ID].to_owned()).collect()
    }

    async fn dead(&self) -> BTreeSet<(String, String)> {
        let letters = self.messages("DEAD").await.into_iter();
        let letters = letters.map(|message| DeadLetter::decode(message.payload).unwrap());
        letters.map(|letter| (letter.message_id, letter.code)).collect()
    }

    /// Restarts dead stages and calls `each` in between, until this many messages are done and this many are buried.
    async fn run(
        &self,
        mut stages: Vec<StageProcess>,
        done: usize,
        dead: usize,
        mut each: impl FnMut(&mut StageProcess),
    ) {
        let started = Instant::now();
        loop {
            for stage in &mut stages {
                each(stage);
                if stage.0.try_wait().unwrap().is_some() {
                    *stage = self.stage();
                }
            }
            let (is_done, is_dead) = (self.done().await.len() >= done, self.dead().await.len() >= dead);
            if is_done && is_dead {
                return;
            }
            assert!(started.elapsed() < PATIENCE, "{:?}, {:?}", self.done().await, self.dead().await);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test]
async fn messages_that_abort_their_process_are_found_beside_fifty_sound_ones() {
    let bench = Bench::start().await;
    for number in 0..50 {
        bench.put(&format!("sound-{number}"), "wait 5").await;
        if number % 25 == 10 {
            bench.put(&format!("bad-{number}"), "abort").await;
        }
    }
    bench.run(vec![bench.stage(), bench.stage()], 50, 2, |_| {}).await;
    assert_eq!(bench.done().await.len(), 50);
    let crashed = |id: &str| (id.to_owned(), "CRASHED".to_owned());
    assert_eq!(bench.dead().await, BTreeSet::from([crashed("bad-10"), crashed("bad-35")]));
}

#[tokio::test]
async fn thirty_kills_in_a_row_lose_nothing() {
    let bench = Bench::start().await;
    for number in 0..300 {
        bench.put(&format!("sound-{number}"), "wait 100").await;
    }
    let (mut kills, mut since) = (0, Instant::now());
    let kill = |stage: &mut StageProcess| {
        // The interval is long enough for a process to start, and short enough to kill it during a message.
        if kills < 30 && since.elapsed() > Duration::from_millis(150 + 30 * (kills % 7)) {
            stage.0.kill().unwrap();
            stage.0.wait().unwrap();
            (kills, since) = (kills + 1, Instant::now());
        }
    };
    bench.run(vec![bench.stage()], 300, 0, kill).await;
    assert_eq!((bench.done().await.len(), kills), (300, 30));
    assert_eq!(bench.dead().await, BTreeSet::new());
}
