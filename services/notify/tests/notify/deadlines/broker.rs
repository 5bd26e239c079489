//! The broker of a simulated year: in memory, or a real nats-server.

use std::sync::Arc;

use gongkai_worker::{
    Transport,
    testing::NatsServer,
    transport::{
        jetstream::{JetStream, JetStreamSettings},
        memory::Memory,
    },
};

/// A broker to which replicas connect.
pub(crate) enum Broker {
    Memory(Memory),
    Real(NatsServer),
}

/// A connection of one process.
pub(crate) enum Connection {
    Memory(Memory),
    Real(Arc<JetStream>),
}

impl Broker {
    pub(crate) fn memory() -> Self {
        Self::Memory(Memory::new())
    }

    pub(crate) async fn real() -> Self {
        Self::Real(NatsServer::start().await)
    }

    pub(crate) async fn connect(&self) -> Connection {
        match self {
            Self::Memory(memory) => Connection::Memory(memory.connection()),
            Self::Real(server) => {
                let settings =
                    JetStreamSettings { servers: vec![server.url()], ..JetStreamSettings::default() };
                Connection::Real(Arc::new(JetStream::connect(&settings).await.unwrap()))
            }
        }
    }
}

impl Connection {
    pub(crate) fn transport(&self) -> Arc<dyn Transport> {
        match self {
            Self::Memory(memory) => Arc::new(memory.clone()),
            Self::Real(broker) => broker.clone(),
        }
    }

    /// Lets the process die at once, if the broker can do that.
    pub(crate) fn cut(&self) {
        if let Self::Memory(memory) = self {
            memory.cut();
        }
    }
}
