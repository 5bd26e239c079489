//! The deployment that is copied or restored: its broker, its object store, and its streams and buckets.

use anyhow::Context as _;
use gongkai_proto::subjects;
use gongkai_worker::{
    Common, Config, Service, Topology,
    config::{ConfigDump, ObjectStore},
    transport::{TopologyPart, jetstream::JetStream, s3::S3},
};

/// A deployment.
pub(super) struct Site {
    pub(super) broker: JetStream,
    /// The S3 store, if objects are in one.
    pub(super) store: Option<S3>,
    pub(super) common: Common,
    pub(super) topology: Topology,
}

// === impl Site ===

impl Site {
    /// Connects to a deployment under a name that its permissions know.
    ///
    /// # Errors
    /// A setting is invalid, or the broker cannot be reached.
    pub(super) async fn connect(config: &Config, name: &str) -> anyhow::Result<Self> {
        let common = config.common()?;
        let broker = JetStream::connect(&common.nats.transport(name)?).await;
        let broker = broker.with_context(|| format!("couldn't reach the broker at {}", common.nats.url))?;
        let topology: Topology = gongkai_proto::about!("gongkai", Vec::new()).topology;
        Ok(Self { broker, store: common.objects.s3()?, common, topology })
    }

    /// Returns the streams of the broker in the order in which they are copied.
    ///
    /// What is written first is copied last. So no record is newer than the log, the log names no object that is not
    /// copied, and the marker remembers of no part more than was copied.
    pub(super) fn streams(&self) -> Vec<TopologyPart> {
        let mut parts = vec![TopologyPart::Entries(subjects::BUCKET_MARKER)];
        parts.extend(self.topology.parts().filter(|part| self.store.is_none() || !is_object(*part)));
        parts.sort_by_key(|part| rank(*part));
        parts
    }

    /// Returns true if messages of a part take the place of others. The register of services is not meant, because its
    /// entries expire within a minute.
    pub(super) fn replaces(&self, part: TopologyPart) -> bool {
        match part {
            TopologyPart::Stream(name) => self.topology.timers.iter().any(|(timers, ..)| *timers == name),
            TopologyPart::Entries(bucket) => bucket != subjects::BUCKET_REPLICAS,
            TopologyPart::Objects(_) => true,
        }
    }

    /// Returns where objects are.
    pub(super) fn objects(&self) -> ObjectStore {
        self.common.objects.store
    }
}

pub(super) fn is_object(part: TopologyPart) -> bool {
    matches!(part, TopologyPart::Objects(_))
}

fn rank(part: TopologyPart) -> u8 {
    match part {
        TopologyPart::Entries(subjects::BUCKET_MARKER) => 0,
        TopologyPart::Entries(_) => 1,
        TopologyPart::Stream(subjects::STREAM_REPORTS) => 3,
        TopologyPart::Stream(_) => 2,
        TopologyPart::Objects(_) => 4,
    }
}

/// Returns the settings of all services as a config file, secrets redacted. No file that holds a secret of a service is
/// read.
///
/// # Errors
/// A key is unknown, or a value has the wrong type. The error names the key.
pub(super) fn settings(config: &Config) -> anyhow::Result<String> {
    use {gongkai_ingest::Ingest, gongkai_notify::Notify, gongkai_parse::Parse};
    use {gongkai_query::Query, gongkai_validate::Validate};
    ConfigDump::new(&config.common()?)?
        .with(Ingest::NAME, &section::<Ingest>(config)?)?
        .with(Parse::NAME, &section::<Parse>(config)?)?
        .with(Validate::NAME, &section::<Validate>(config)?)?
        .with(Notify::NAME, &section::<Notify>(config)?)?
        .with(Query::NAME, &section::<Query>(config)?)?
        .text()
}

fn section<S: Service>(config: &Config) -> anyhow::Result<S::Config> {
    config.section(S::NAME)
}
