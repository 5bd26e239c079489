//! Checks the broker: its version and settings, streams and buckets, their copies, room and consumers.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use gongkai_proto::subjects;
use gongkai_worker::{
    Clock, Common, Topology, Transport,
    holdings::{
        inspector::{Inspection, inspect, repair},
        judge::{Loss, LostPart},
        room::{Shortage, WHAT_TO_DO},
    },
    transport::{
        StreamState, TopologyPart,
        jetstream::{
            JetStream,
            server::{ServerStatus, StreamCopies},
            status::StreamStatus,
        },
    },
};

use super::examination::Examination;
use crate::printer::clean;

/// A projector's consumer that was not used for this long belongs to a deleted read model.
const STALE_AFTER: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// The server's default, for which the sizes of messages are made.
const NEEDED_PAYLOAD_BYTES: usize = 1024 * 1024;

/// What the checks of the broker read.
pub(super) struct Broker {
    pub(super) connection: JetStream,
    pub(super) inspection: Inspection,
    streams: Vec<StreamStatus>,
    copies: Vec<StreamCopies>,
    stale: Vec<String>,
    is_repaired: bool,
}

// === impl Broker ===

impl Broker {
    /// Reads the state of the broker, after repairing it if `repairs`. `keeps_objects` is true if originals are in its
    /// buckets and not in an S3 store.
    ///
    /// # Errors
    /// The broker did not answer, or does not permit to look.
    pub(super) async fn examine(
        connection: JetStream,
        common: &Common,
        keeps_objects: bool,
        repairs: bool,
    ) -> anyhow::Result<Self> {
        let mut topology: Topology = gongkai_proto::about!("gongkai", Vec::new()).topology;
        if !keeps_objects {
            topology.objects.clear();
        }
        let transport: Arc<dyn Transport> = Arc::new(connection.clone());
        let marker = subjects::BUCKET_MARKER;
        let stale_since = Clock::system().now() - STALE_AFTER;
        if repairs {
            repair(&transport, &topology, marker, &Clock::system()).await.context("couldn't repair")?;
            connection.forget_idle(subjects::STREAM_REPORTS, is_projector, stale_since).await?;
        }
        let file = common.nats.marker_file.as_deref();
        let inspection =
            inspect(&transport, &topology, marker, file).await.context("couldn't look at the streams")?;
        Ok(Self {
            streams: connection.status().await.context("couldn't list the streams")?,
            copies: connection.copies().await.context("couldn't list the copies of streams")?,
            stale: connection.idle_consumers(subjects::STREAM_REPORTS, is_projector, stale_since).await?,
            is_repaired: repairs,
            inspection,
            connection,
        })
    }

    /// Returns the checks of the server, then of what it holds.
    pub(super) fn checks(&self, common: &Common) -> Vec<Examination> {
        let mut checks = server_checks(&self.connection.server(), common);
        checks.push(marker_check(&self.inspection));
        let parts = self.inspection.inventory.iter();
        checks.extend(parts.map(|(part, held)| part_check(&self.inspection, *part, held.as_ref())));
        checks.extend(self.copies.iter().filter_map(|copies| copies_check(copies, common.nats.replicas)));
        checks.extend(self.inspection.shortages.iter().map(shortage_check));
        checks.extend(consumer_checks(&self.inspection, &self.streams, self.is_repaired));
        checks.extend(self.stale.iter().map(|name| stale_check(name)));
        checks
    }
}

/// Returns true for the consumer of a read model.
fn is_projector(name: &str) -> bool {
    name.strip_prefix(subjects::CONSUMER_QUERY).is_some_and(|rest| rest.starts_with('-'))
}

/// Checks the version and the settings that a client can see.
fn server_checks(server: &ServerStatus, common: &Common) -> Vec<Examination> {
    let ServerStatus { name, version, cluster, max_payload_bytes, requires_tls } = server;
    let name = clean(name);
    let alone = ("单机", "alone".to_owned());
    let (zh, en) = match cluster {
        Some(cluster) => ("集群", format!("in cluster {}", clean(cluster))),
        None => alone,
    };
    let subject = || "nats-server".to_owned();
    let mut checks = vec![Examination::ok(
        subject(),
        &format!("{version}，{zh}（{name}）"),
        &format!("{name} is {version}, {en}"),
    )];
    if *max_payload_bytes < NEEDED_PAYLOAD_BYTES {
        checks.push(Examination::wrong(
            subject(),
            "MAX_PAYLOAD_SMALL",
            &format!("max_payload 为 {max_payload_bytes} 字节，须不小于 {NEEDED_PAYLOAD_BYTES}"),
            &format!("max_payload is {max_payload_bytes} bytes; set it to {NEEDED_PAYLOAD_BYTES} or more"),
        ));
    }
    if cluster.is_none() && common.nats.replicas > 1 {
        checks.push(Examination::wrong(
            subject(),
            "NO_CLUSTER",
            &format!("nats.replicas 为 {}，而服务器不在集群中", common.nats.replicas),
            &format!("nats.replicas is {}, and the server is in no cluster", common.nats.replicas),
        ));
    }
    if !requires_tls && !is_loopback(common.nats.url.expose()) {
        checks.push(Examination::note(
            subject(),
            "UNENCRYPTED",
            "不要求 TLS：网络上可见报告与凭证",
            "requires no TLS: reports and credentials are visible on the network",
        ));
    }
    checks
}

/// Returns true if every server of the setting is on this machine.
fn is_loopback(servers: &str) -> bool {
    servers.split(',').all(|server| {
        let url = reqwest::Url::parse(server.trim());
        url.is_ok_and(|url| match url.host_str().unwrap_or_default().trim_matches(['[', ']']) {
            "localhost" => true,
            host => host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback()),
        })
    })
}

/// Checks the copies of one of our streams. Returns `None` if there is nothing to say.
fn copies_check(copies: &StreamCopies, wanted: usize) -> Option<Examination> {
    let subject = format!("copies of {}", copies.stream);
    if !copies.stream.to_lowercase().contains("gongkai") {
        return None;
    }
    let (away, behind) = (clean(&copies.away.join(", ")), clean(&copies.behind.join(", ")));
    if !copies.has_leader {
        return Some(Examination::wrong(
            subject,
            "NO_LEADER",
            &format!("没有主副本，暂不接收；不在线：{away}"),
            &format!("have no leader, so it accepts nothing; away: {away}"),
        ));
    }
    if !away.is_empty() {
        return Some(Examination::wrong(
            subject,
            "COPY_AWAY",
            &format!("不在线：{away}；请恢复该服务器"),
            &format!("{away} is away: bring that server back"),
        ));
    }
    if copies.wanted < wanted {
        return Some(Examination::wrong(
            subject,
            "FEW_COPIES",
            &format!("共 {} 份，nats.replicas 为 {wanted}；重启任一服务即会补足", copies.wanted),
            &format!(
                "{} exist, and nats.replicas is {wanted}: restart any service, which adds the others",
                copies.wanted
            ),
        ));
    }
    (!behind.is_empty()).then(|| {
        Examination::note(
            subject,
            "COPY_BEHIND",
            &format!("正在追赶：{behind}"),
            &format!("{behind} is catching up"),
        )
    })
}

fn marker_check(inspection: &Inspection) -> Examination {
    let subject = "marker".to_owned();
    match inspection.marker {
        Some(_) => Examination::ok(subject, "记得各流应有的样子", "remembers what the broker holds"),
        None => Examination::note(
            subject,
            "NO_MARKER",
            "还没有：服务首次启动时写入",
            "not there yet: the services write it when they start for the first time",
        ),
    }
}

fn part_check(inspection: &Inspection, part: TopologyPart, held: Option<&StreamState>) -> Examination {
    let subject = part.to_string();
    if let Some(fault) = inspection.faults.iter().find(|fault| fault.part == part) {
        return fault_check(subject, fault);
    }
    match held {
        Some(held) => {
            let last = held.last_sequence;
            Examination::ok(subject, &format!("末序号 {last}"), &format!("ends at {last}"))
        }
        None => Examination::note(
            subject,
            "NOT_CREATED",
            "尚未建立：服务首次启动时建立",
            "not created yet: the services create it when they start for the first time",
        ),
    }
}

fn fault_check(subject: String, fault: &LostPart) -> Examination {
    let (code, zh) = match &fault.loss {
        Loss::Missing { last } => ("MISSING", format!("不见了（末序号曾为 {last}）")),
        Loss::Replaced { was, is } => ("REPLACED", format!("已不是原来那个（原建于 {was}，现建于 {is}）")),
        Loss::Older { was, is } => ("OLDER", format!("末序号为 {is}，此前曾到 {was}：旧副本，或尾部丢失")),
    };
    let zh = format!("{zh}。请恢复 broker 的数据，或以 gongkai doctor --repair 接受现状");
    let en =
        format!("{fault}. Put the broker's store back, or accept what is there with gongkai doctor --repair");
    Examination::wrong(subject, code, &zh, &en)
}

fn shortage_check(shortage: &Shortage) -> Examination {
    let subject = shortage.part.map_or_else(|| "storage of the account".to_owned(), |part| part.to_string());
    let zh = format!(
        "已满（{} / {} 字节）：流自身的上限请调高 nats.stream_max_bytes 后重启任一服务，账户或服务器的上限请在 nats-server 调高；等待中的会自行继续",
        shortage.bytes, shortage.limit
    );
    Examination::wrong(subject, "STORAGE_FULL", &zh, &format!("{shortage}: {WHAT_TO_DO}"))
}

/// Checks the consumers that every deployment has. Those of read models and subscriptions have names of their own.
///
/// Services create their consumers, which takes some seconds after a repair.
fn consumer_checks(inspection: &Inspection, streams: &[StreamStatus], is_repaired: bool) -> Vec<Examination> {
    let expected = [
        (subjects::STREAM_REPORTS, subjects::CONSUMER_PARSE),
        (subjects::STREAM_REPORTS, subjects::CONSUMER_PARSE_BACKFILL),
        (subjects::STREAM_REPORTS, subjects::CONSUMER_VALIDATE),
        (subjects::STREAM_REPORTS, subjects::CONSUMER_NOTIFY),
        (subjects::STREAM_REPORTS, subjects::CONSUMER_INGEST_STATE),
        (subjects::STREAM_DEAD, subjects::CONSUMER_INGEST_DEAD),
    ];
    let mut checks = Vec::new();
    for (stream, name) in expected {
        let Some(stream) = streams.iter().find(|status| status.name == stream) else { continue };
        let subject = format!("consumer {name}");
        checks.push(match stream.consumers.iter().find(|consumer| consumer.name == name) {
            Some(consumer) => Examination::ok(
                subject,
                &format!("待处理 {}，处理中 {}", consumer.pending, consumer.in_flight),
                &format!("{} to do, {} in work", consumer.pending, consumer.in_flight),
            ),
            None if inspection.marker.is_none() || is_repaired => Examination::note(
                subject,
                "NOT_CREATED",
                "尚未建立：其服务启动时建立",
                "not created yet: its service creates it when it starts",
            ),
            None => Examination::wrong(
                subject,
                "CONSUMER_MISSING",
                "不见了：请启动其服务，服务会在数秒内重建",
                "missing: start its service, which creates it again within seconds",
            ),
        });
    }
    checks
}

fn stale_check(name: &str) -> Examination {
    Examination::note(
        format!("consumer {name}"),
        "CONSUMER_STALE",
        "所属读模型已 7 天无人使用；gongkai doctor --repair 会删除它",
        "belongs to a read model that nobody used for 7 days; gongkai doctor --repair deletes it",
    )
}
