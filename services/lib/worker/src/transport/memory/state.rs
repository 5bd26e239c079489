//! The state of the broker: streams, consumers, buckets. The time is an argument.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use tokio::time::Instant;

use super::consumer::Consumer;
pub use super::consumer::{ConsumerState, Settlement, SettlementOutcome};
use crate::transport::{
    ConsumerLag, ConsumerSpec, DUPLICATE_WINDOW, Error, ErrorKind, Headers, MAX_MESSAGE_BYTES, MESSAGE_ID,
    Message, Published, TIMER_HEADER, Timer, Topology, TopologyPart, subject,
};

/// The state of the broker.
#[derive(Default)]
pub(super) struct State {
    streams: BTreeMap<String, Stream>,
    objects: BTreeMap<String, BTreeMap<String, Bytes>>,
    entries: BTreeMap<String, Bucket>,
    /// When each bucket was created.
    created: BTreeMap<TopologyPart, Instant>,
    losses: u64,
}

/// A stream: messages by sequence, recent message ids, consumers by durable name.
struct Stream {
    created: Instant,
    subjects: Vec<String>,
    messages: BTreeMap<u64, Stored>,
    last: u64,
    seen: HashMap<String, (u64, Instant)>,
    consumers: BTreeMap<String, Consumer>,
    takes_timers: bool,
    timers: Vec<Armed>,
}

/// A timer that has not fired.
struct Armed {
    sequence: u64,
    timer: Timer,
    due: Instant,
}

/// A message and when the stream stored it.
#[derive(Clone)]
pub(super) struct Stored {
    pub(super) message: Message,
    pub(super) at: Instant,
}

/// A message on its way to a consumer.
pub(super) struct TakenMessage {
    pub(super) stored: Stored,
    pub(super) sequence: u64,
    pub(super) attempt: u32,
    pub(super) delivery: u64,
}

/// All writes of a key-value bucket, in order. A deletion has no value.
#[derive(Default)]
pub(super) struct Bucket {
    writes: Vec<(String, Option<Bytes>)>,
}

// === impl State ===

impl State {
    pub(super) fn declare(&mut self, topology: &Topology, now: Instant) {
        for bucket in topology.parts().filter(|part| !matches!(part, TopologyPart::Stream(_))) {
            self.created.entry(bucket).or_insert(now);
        }
        let plain = topology.streams.iter().map(|stream| (stream, false));
        for ((name, subjects, _), takes_timers) in
            plain.chain(topology.timers.iter().map(|stream| (stream, true)))
        {
            let stream = self.streams.entry((*name).to_owned()).or_insert_with(|| Stream::empty(now));
            stream.subjects = subjects.iter().map(ToString::to_string).collect();
            stream.takes_timers = takes_timers;
        }
        for bucket in &topology.objects {
            self.objects.entry((*bucket).to_owned()).or_default();
        }
        // Nothing expires here.
        for bucket in topology.entries.iter().chain(topology.expiring.iter().map(|(bucket, _)| bucket)) {
            self.entries.entry((*bucket).to_owned()).or_default();
        }
    }

    /// Returns when a part was created, and its first and last sequence. Buckets of objects have none.
    pub(super) fn held(&self, part: TopologyPart) -> Option<(Instant, u64, u64)> {
        let last = match part {
            TopologyPart::Stream(name) => {
                let stream = self.streams.get(name)?;
                let first = stream.messages.keys().next().copied().unwrap_or(stream.last + 1);
                return Some((stream.created, first, stream.last));
            }
            TopologyPart::Objects(_) => 0,
            TopologyPart::Entries(bucket) => self.entries.get(bucket)?.writes.len() as u64,
        };
        Some((*self.created.get(&part)?, 1, last))
    }

    pub(super) fn lose(&mut self, part: TopologyPart) {
        self.created.remove(&part);
        match part {
            TopologyPart::Stream(name) => drop(self.streams.remove(name)),
            TopologyPart::Objects(bucket) => drop(self.objects.remove(bucket)),
            TopologyPart::Entries(bucket) => drop(self.entries.remove(bucket)),
        }
    }

    pub(super) fn forget_after(&mut self, stream: &str, sequence: u64) {
        if let Some(stream) = self.streams.get_mut(stream) {
            stream.messages.split_off(&(sequence + 1));
            stream.seen.retain(|_, (seen, _)| *seen <= sequence);
            stream.last = stream.last.min(sequence);
        }
    }

    pub(super) fn losses(&self) -> u64 {
        self.losses
    }

    pub(super) fn disconnect(&mut self) {
        self.losses += 1;
    }

    pub(super) fn append(&mut self, message: Message, now: Instant) -> Result<Published, Error> {
        if message.payload.len() > MAX_MESSAGE_BYTES {
            return Err(Error::new(ErrorKind::TooLarge, "message is over the stream's size limit"));
        }
        Ok(self.stream_for(&message.subject)?.append(message, now))
    }

    /// Sets a timer, replacing a timer of the same name.
    pub(super) fn schedule(&mut self, timer: Timer, now: Instant) -> Result<Published, Error> {
        let stream = self.stream_for(&timer.message.subject)?;
        if !stream.takes_timers || !stream.takes(&timer.target) || timer.target == timer.message.subject {
            return Err(Error::new(ErrorKind::Other, "the stream takes no such timer"));
        }
        let is_same = |armed: &Armed| armed.timer.message.subject == timer.message.subject;
        if !timer.replaces && stream.timers.iter().any(is_same) {
            let name = &timer.message.subject;
            return Err(Error::new(ErrorKind::Conflict, format!("timer {name} is set already")));
        }
        let set = stream.append(timer.message.clone(), now);
        if !set.duplicate {
            stream.disarm(is_same);
            stream.timers.push(Armed { sequence: set.sequence, due: now + timer.after, timer });
        }
        Ok(set)
    }

    /// Publishes the messages of the timers that are due.
    pub(super) fn fire(&mut self, now: Instant) {
        for stream in self.streams.values_mut() {
            for armed in stream.disarm(|armed| armed.due <= now) {
                stream.append(fired(armed.timer), now);
            }
        }
    }

    fn stream_for(&mut self, subject: &str) -> Result<&mut Stream, Error> {
        let stream = self.streams.values_mut().find(|stream| stream.takes(subject));
        stream.ok_or_else(|| Error::new(ErrorKind::Unavailable, format!("no stream answers for {subject}")))
    }

    pub(super) fn bind(&mut self, spec: &ConsumerSpec) -> Result<(), Error> {
        let stream = self.stream(&spec.stream)?;
        let consumer = stream.consumers.entry(spec.durable.clone());
        consumer
            .and_modify(|present| present.spec = spec.clone())
            .or_insert_with(|| Consumer::new(spec.clone()));
        Ok(())
    }

    /// Returns the next message for a consumer, or when to look again if nothing changes before.
    pub(super) fn take(&mut self, stream: &str, durable: &str, now: Instant) -> Result<Next, Error> {
        self.stream(stream)?.take(durable, now)
    }

    /// Applies a settlement. It has no effect on a message that is settled already.
    pub(super) fn settle(
        &mut self,
        spec: &ConsumerSpec,
        settlement: Settlement,
        delivery: u64,
        now: Instant,
    ) -> Result<(), Error> {
        let terminated = matches!(settlement.outcome, SettlementOutcome::Terminated(_));
        let applied = self.consumer(&spec.stream, &spec.durable)?.settle(settlement, delivery, now);
        if applied && terminated {
            self.advise("MSG_TERMINATED", &spec.stream, &spec.durable, now);
        }
        Ok(())
    }

    pub(super) fn progress(&mut self, spec: &ConsumerSpec, sequence: u64, now: Instant) -> Result<(), Error> {
        self.consumer(&spec.stream, &spec.durable)?.progress(sequence, now);
        Ok(())
    }

    pub(super) fn consumer_state(&self, stream: &str, durable: &str, now: Instant) -> Option<ConsumerState> {
        let stream = self.streams.get(stream)?;
        let consumer = stream.consumers.get(durable)?;
        let fresh = stream.messages.range(consumer.next..);
        let fresh = fresh.filter(|(_, stored)| consumer.wants(&stored.message.subject)).count();
        Some(consumer.state(fresh, now))
    }

    pub(super) fn settlements(&self, stream: &str, durable: &str) -> Vec<Settlement> {
        let consumer = self.streams.get(stream).and_then(|stream| stream.consumers.get(durable));
        consumer.map(|consumer| consumer.settlements.clone()).unwrap_or_default()
    }

    pub(super) fn messages(&self) -> impl Iterator<Item = &Stored> {
        self.streams.values().flat_map(|stream| stream.messages.values())
    }

    pub(super) fn timers(&self) -> impl Iterator<Item = &Timer> {
        self.streams.values().flat_map(|stream| &stream.timers).map(|armed| &armed.timer)
    }

    pub(super) fn message(&self, stream: &str, sequence: u64) -> Result<Option<Stored>, Error> {
        Ok(self.known(stream)?.messages.get(&sequence).cloned())
    }

    pub(super) fn count(&self, stream: &str, filter: &str) -> Result<u64, Error> {
        let messages = self.known(stream)?.messages.values();
        Ok(messages.filter(|stored| subject::matches(filter, &stored.message.subject)).count() as u64)
    }

    pub(super) fn consumer_lag(
        &self,
        stream: &str,
        durable: &str,
        now: Instant,
    ) -> Result<Option<ConsumerLag>, Error> {
        let known = self.known(stream)?;
        let Some(consumer) = known.consumers.get(durable) else { return Ok(None) };
        let state = self.consumer_state(stream, durable, now).unwrap_or_default();
        Ok(Some(ConsumerLag {
            outstanding: (state.queued + state.in_flight) as u64,
            in_flight: consumer.unsettled() as u64,
            redelivered: consumer.redelivered() as u64,
            floor: consumer.floor(),
        }))
    }

    pub(super) fn first_after(
        &self,
        stream: &str,
        filters: &[String],
        sequence: u64,
    ) -> Result<Option<(u64, Stored)>, Error> {
        let mut later = self.known(stream)?.messages.range(sequence + 1..);
        let is_wanted = |stored: &Stored| {
            filters.is_empty()
                || filters.iter().any(|filter| subject::matches(filter, &stored.message.subject))
        };
        let first = later.find(|(_, stored)| is_wanted(stored));
        Ok(first.map(|(sequence, stored)| (*sequence, stored.clone())))
    }

    fn known(&self, name: &str) -> Result<&Stream, Error> {
        self.streams.get(name).ok_or_else(|| not_found("stream", name))
    }

    pub(super) fn objects(&self, bucket: &str) -> Result<&BTreeMap<String, Bytes>, Error> {
        self.objects.get(bucket).ok_or_else(|| not_found("object bucket", bucket))
    }

    pub(super) fn objects_mut(&mut self, bucket: &str) -> Result<&mut BTreeMap<String, Bytes>, Error> {
        self.objects.get_mut(bucket).ok_or_else(|| not_found("object bucket", bucket))
    }

    pub(super) fn entries(&self, bucket: &str) -> Result<&Bucket, Error> {
        self.entries.get(bucket).ok_or_else(|| not_found("entry bucket", bucket))
    }

    pub(super) fn entries_mut(&mut self, bucket: &str) -> Result<&mut Bucket, Error> {
        self.entries.get_mut(bucket).ok_or_else(|| not_found("entry bucket", bucket))
    }

    fn stream(&mut self, name: &str) -> Result<&mut Stream, Error> {
        self.streams.get_mut(name).ok_or_else(|| not_found("stream", name))
    }

    fn consumer(&mut self, stream: &str, durable: &str) -> Result<&mut Consumer, Error> {
        let stream = self.stream(stream)?;
        stream.consumers.get_mut(durable).ok_or_else(|| not_found("consumer", durable))
    }

    /// Publishes an advisory if a stream captures its subject.
    fn advise(&mut self, kind: &str, stream: &str, durable: &str, now: Instant) {
        let subject = format!("$JS.EVENT.ADVISORY.CONSUMER.{kind}.{stream}.{durable}");
        if let Some(stream) = self.streams.values_mut().find(|stream| stream.takes(&subject)) {
            stream.append(Message { subject, headers: Headers::new(), payload: Bytes::new() }, now);
        }
    }
}

/// Result of [`State::take`].
pub(super) enum Next {
    /// The next message.
    Message(TakenMessage),
    /// There is no message now. The next redelivery is due at this time, if any.
    Nothing(Option<Instant>),
}

// === impl Stream ===

impl Stream {
    fn empty(created: Instant) -> Self {
        Self {
            created,
            subjects: Vec::new(),
            messages: BTreeMap::new(),
            last: 0,
            seen: HashMap::new(),
            consumers: BTreeMap::new(),
            takes_timers: false,
            timers: Vec::new(),
        }
    }

    fn takes(&self, subject: &str) -> bool {
        self.subjects.iter().any(|filter| subject::matches(filter, subject))
    }

    /// Removes the matching timers with their messages, and returns them in the order in which they are due.
    fn disarm(&mut self, matches: impl Fn(&Armed) -> bool) -> Vec<Armed> {
        let (mut removed, kept): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.timers).into_iter().partition(|armed| matches(armed));
        self.timers = kept;
        for armed in &removed {
            self.messages.remove(&armed.sequence);
        }
        removed.sort_by_key(|armed| (armed.due, armed.sequence));
        removed
    }

    fn append(&mut self, message: Message, now: Instant) -> Published {
        self.seen.retain(|_, (_, at)| now.duration_since(*at) < DUPLICATE_WINDOW);
        let id = message.headers.get(MESSAGE_ID);
        if let Some((sequence, _)) = id.and_then(|id| self.seen.get(id)) {
            return Published { sequence: *sequence, duplicate: true };
        }
        self.last += 1;
        if let Some(id) = id {
            self.seen.insert(id.to_owned(), (self.last, now));
        }
        self.messages.insert(self.last, Stored { message, at: now });
        Published { sequence: self.last, duplicate: false }
    }

    /// Returns the next message, due redeliveries first.
    fn take(&mut self, durable: &str, now: Instant) -> Result<Next, Error> {
        let consumer = self.consumers.get_mut(durable).ok_or_else(|| not_found("consumer", durable))?;
        let sequence = match consumer.due(now) {
            Some(sequence) => Some(sequence),
            None if consumer.is_full() => None,
            None => {
                let mut fresh = self.messages.range(consumer.next..);
                let found = fresh.find(|(_, stored)| consumer.wants(&stored.message.subject));
                consumer.next = found.map_or(self.last, |(sequence, _)| *sequence) + 1;
                found.map(|(sequence, _)| *sequence)
            }
        };
        let Some(sequence) = sequence else {
            return Ok(Next::Nothing(consumer.next_due(now)));
        };
        let stored = self.messages[&sequence].clone();
        let (attempt, delivery) = consumer.hand_out(sequence, now);
        Ok(Next::Message(TakenMessage { stored, sequence, attempt, delivery }))
    }
}

// === impl Bucket ===

impl Bucket {
    /// Returns the current value of a key with its revision; `None` if it is absent or deleted.
    pub(super) fn get(&self, key: &str) -> Option<(u64, Bytes)> {
        let (revision, value) = self.latest(key)?;
        value.map(|value| (revision, value))
    }

    /// Returns the revision that a watch starts after: just before the current value, else the latest.
    pub(super) fn watch_from(&self, key: &str) -> u64 {
        self.get(key).map_or(self.writes.len() as u64, |(revision, _)| revision - 1)
    }

    /// Returns the number of writes.
    pub(super) fn len(&self) -> usize {
        self.writes.len()
    }

    /// Returns a write by its number, from 0.
    pub(super) fn write_at(&self, number: usize) -> Option<(String, Option<Bytes>)> {
        self.writes.get(number).cloned()
    }

    /// Returns the next value of a key after a revision.
    pub(super) fn after(&self, key: &str, revision: u64) -> Option<(u64, Bytes)> {
        let mut writes = (1..).zip(&self.writes).filter(|(at, (name, _))| *at > revision && name == key);
        writes.find_map(|(at, (_, value))| value.clone().map(|value| (at, value)))
    }

    /// Writes a value if the key has the expected revision; `None` expects an absent or deleted key.
    pub(super) fn write(
        &mut self,
        key: &str,
        value: Option<Bytes>,
        expected: Option<u64>,
    ) -> Result<u64, Error> {
        let present = match expected {
            None => self.get(key).map(|(revision, _)| revision),
            Some(_) => self.latest(key).map(|(revision, _)| revision),
        };
        if present != expected {
            return Err(Error::new(ErrorKind::Conflict, format!("entry {key} has changed")));
        }
        Ok(self.push(key, value))
    }

    /// Deletes a key.
    pub(super) fn delete(&mut self, key: &str) {
        self.push(key, None);
    }

    fn latest(&self, key: &str) -> Option<(u64, Option<Bytes>)> {
        let writes = (1..).zip(&self.writes).filter(|(_, (name, _))| name == key);
        writes.last().map(|(revision, (_, value))| (revision, value.clone()))
    }

    fn push(&mut self, key: &str, value: Option<Bytes>) -> u64 {
        self.writes.push((key.to_owned(), value));
        self.writes.len() as u64
    }
}

/// Returns the message that a timer publishes.
fn fired(timer: Timer) -> Message {
    let Timer { message, target, .. } = timer;
    let sent = message.headers.sorted().into_iter().filter(|(name, _)| *name != MESSAGE_ID);
    let added = [(TIMER_HEADER, message.subject.as_str()), ("Nats-Schedule-Next", "purge")];
    let mut headers = Headers::new();
    for (name, value) in sent.chain(added) {
        headers.insert(name, value).expect("it was a header before, or is a subject");
    }
    Message { subject: target, headers, payload: message.payload }
}

fn not_found(what: &str, name: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("no {what} named {name}"))
}
