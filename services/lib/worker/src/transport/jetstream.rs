//! The real transport: NATS JetStream through async-nats.
