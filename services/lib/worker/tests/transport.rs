//! Runs the common suite over both transports, to prove that the in-memory transport behaves like the server.

mod memory {
    use gongkai_worker::{transport::memory::Memory, transport_test_suite};

    async fn memory() -> (Memory, ()) {
        (Memory::new(), ())
    }

    transport_test_suite!(
        #[tokio::test(start_paused = true)]
        memory
    );
}

mod jetstream {
    use gongkai_worker::{
        testing::NatsServer,
        transport::jetstream::{JetStream, JetStreamSettings},
        transport_test_suite,
    };

    async fn jetstream() -> (JetStream, NatsServer) {
        let server = NatsServer::start().await;
        let settings = JetStreamSettings { servers: vec![server.url()], ..JetStreamSettings::default() };
        (JetStream::connect(&settings).await.expect("the server is there"), server)
    }

    transport_test_suite!(
        #[tokio::test]
        jetstream
    );
}
