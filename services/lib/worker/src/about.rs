//! A program's identity: name, versions, and what it needs from the configuration and the broker.

use crate::transport::Topology;

/// Prefix of every program's name.
pub const NAMESPACE: &str = "gongkai";

/// Identity and requirements of a program.
#[derive(Debug, Clone)]
pub struct About {
    /// Program name, such as `gongkai-parse`.
    pub program: &'static str,
    /// Program version.
    pub version: &'static str,
    /// The label and version of each compiled-in component, such as parser, forms and rules.
    pub versions: Vec<(&'static str, String)>,
    /// Config sections that this program accepts without reading them: those of its sibling services.
    pub sections: &'static [&'static str],
    /// Streams and buckets that must exist in the broker.
    pub topology: Topology,
    /// Key-value bucket in which the processes remember the state of the broker's streams and buckets.
    pub marker: &'static str,
    /// Subject prefix of dead letters. The service's short name is appended.
    pub dead_prefix: &'static str,
    /// Bucket of entries for the attempts of messages that were delivered more than once. It is part of the topology.
    pub attempts: &'static str,
    /// Bucket of entries in which running services register. It is part of the topology, and its entries expire after
    /// [`EXPIRY_S`](crate::replica::EXPIRY_S).
    pub replicas: &'static str,
}

impl About {
    /// Returns the program's version and the component versions, one per line.
    #[must_use]
    pub fn versions_text(&self) -> String {
        let mut text = format!("{} {}\n", self.program, self.version);
        for (label, version) in &self.versions {
            text += &format!("{label} {version}\n");
        }
        text
    }
}

/// Returns the full name of a service: `service.name` in traces, `ce-source` in messages.
pub(crate) fn service_name(service: &str) -> String {
    format!("{NAMESPACE}-{service}")
}
