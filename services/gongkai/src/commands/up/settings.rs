//! The settings of `up`: the config, with free ports and with files in the data folder.

use std::{
    net::{IpAddr, SocketAddr, TcpListener},
    path::Path,
};

use anyhow::{Context as _, bail, ensure};
use gongkai_ingest::Ingest;
use gongkai_notify::Notify;
use gongkai_parse::Parse;
use gongkai_proto::subjects;
use gongkai_query::Query;
use gongkai_validate::Validate;
use gongkai_worker::{Common, Config, Service, config::ConfigDump};

/// Settings of all services of the process.
pub(super) struct UpSettings {
    pub(super) common: Common,
    pub(super) ingest: <Ingest as Service>::Config,
    pub(super) parse: <Parse as Service>::Config,
    pub(super) validate: <Validate as Service>::Config,
    pub(super) notify: <Notify as Service>::Config,
    pub(super) query: <Query as Service>::Config,
}

impl UpSettings {
    /// Reads the config. `nats_url` replaces the config's. Files of the default config are in `data`.
    ///
    /// # Errors
    /// A setting is invalid. The error names the key to change.
    pub(super) fn read(config: Option<&Path>, nats_url: Option<&str>, data: &Path) -> anyhow::Result<Self> {
        let mut config = Config::load(config, &subjects::SERVICES)?;
        if let Some(url) = nats_url {
            config = config.with("nats.url", url);
        }
        let mut this = Self {
            common: config.common()?,
            ingest: Ingest::configure(&config)?,
            parse: Parse::configure(&config)?,
            validate: Validate::configure(&config)?,
            notify: Notify::configure(&config)?,
            query: Query::configure(&config)?,
        };
        if this.query.database == <Query as Service>::Config::default().database {
            this.query.database = data.join(&this.query.database);
        }
        // The file lets a process distinguish a broker that lost everything from a new one.
        this.common.nats.marker_file.get_or_insert_with(|| data.join("marker.json"));
        Ok(this)
    }

    /// Checks that the port of every server is free, and replaces port 0 by a free one. That of the broker is one of them
    /// if `up` starts it.
    ///
    /// # Errors
    /// A port is in use. The error names the key to change.
    pub(super) fn with_free_ports(mut self, starts_broker: bool) -> anyhow::Result<Self> {
        self.ingest.http_address = free_address(self.ingest.http_address, "ingest.http_address")?;
        self.ingest.grpc_address = free_address(self.ingest.grpc_address, "ingest.grpc_address")?;
        self.query.bind = free_address(self.query.bind, "query.bind")?;
        if starts_broker {
            let address = free_address(self.broker_address()?, "nats.url")?;
            self.common.nats.url = format!("nats://{address}").into();
        }
        Ok(self)
    }

    /// Returns the settings as a config file, secrets redacted.
    ///
    /// # Errors
    /// A value has no form in TOML.
    pub(super) fn dump(&self) -> anyhow::Result<String> {
        ConfigDump::new(&self.common)?
            .with(Ingest::NAME, &self.ingest)?
            .with(Parse::NAME, &self.parse)?
            .with(Validate::NAME, &self.validate)?
            .with(Notify::NAME, &self.notify)?
            .with(Query::NAME, &self.query)?
            .text()
    }

    /// Returns the address for our own broker, from `nats.url`.
    ///
    /// # Errors
    /// The URL is not a single loopback address.
    pub(super) fn broker_address(&self) -> anyhow::Result<SocketAddr> {
        loopback_address(self.common.nats.url.expose()).with_context(|| {
            format!("nats.url is {}: use --nats-url for a server that runs already", self.common.nats.url)
        })
    }

    /// Returns the addresses of the services as text.
    pub(super) fn addresses(&self) -> Vec<(&'static str, String)> {
        vec![
            ("HTTP ingest", format!("http://{}/v1/reports", self.ingest.http_address)),
            ("gRPC ingest", self.ingest.grpc_address.to_string()),
            ("gRPC query", self.query.bind.to_string()),
            ("NATS", self.common.nats.url.to_string()),
        ]
    }
}

/// Returns the loopback address of a URL such as `nats://127.0.0.1:4222` or `nats://[::1]`.
fn loopback_address(url: &str) -> anyhow::Result<SocketAddr> {
    let host = url.trim_start_matches("nats://").trim_end_matches('/').replace("localhost", "127.0.0.1");
    // Without a port, an IPv6 address still has its brackets.
    let address = match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(ip) => SocketAddr::new(ip, 4222),
        Err(_) => host
            .parse()
            .context("`up` starts a NATS server on one loopback address, such as nats://127.0.0.1:4222")?,
    };
    ensure!(address.ip().is_loopback(), "{} is not on this machine's loopback", address.ip());
    Ok(address)
}

/// Returns the address if it is free, with a free port instead of 0.
fn free_address(address: SocketAddr, key: &str) -> anyhow::Result<SocketAddr> {
    // The listener is closed at once; the service binds it again.
    match TcpListener::bind(address).and_then(|listener| listener.local_addr()) {
        Ok(bound) => Ok(bound),
        Err(error) => {
            let variable = format!("GONGKAI_{}", key.replace('.', "__").to_uppercase());
            bail!(
                "couldn't listen on {address} ({error}): set {key} in the config, or {variable}, to another address"
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_broker_listens_on_a_loopback_address_of_either_family() {
        for (url, expected) in [
            ("nats://127.0.0.1:4222", "127.0.0.1:4222"),
            ("nats://localhost/", "127.0.0.1:4222"),
            ("nats://[::1]", "[::1]:4222"),
            ("nats://[::1]:4300", "[::1]:4300"),
        ] {
            assert_eq!(loopback_address(url).unwrap().to_string(), expected, "{url}");
        }
        for url in ["nats://10.0.0.1:4222", "nats://[::]:4222", "nats://a:1,b:2", "nats://broker.example"] {
            assert!(loopback_address(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_taken_port_names_its_key() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let error = free_address(taken.local_addr().unwrap(), "ingest.http_address").unwrap_err().to_string();
        assert!(
            error.contains("ingest.http_address") && error.contains("GONGKAI_INGEST__HTTP_ADDRESS"),
            "{error}"
        );
        assert_ne!(free_address("127.0.0.1:0".parse().unwrap(), "query.bind").unwrap().port(), 0);
    }
}
