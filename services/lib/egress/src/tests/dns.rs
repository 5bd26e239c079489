//! A DNS server with an answer of its own to each question, and a client that asks it (RFC 1035, type A over UDP).

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::net::UdpSocket;

/// Recursion desired, one question.
const QUESTION: [u8; 10] = [1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
/// Response, one question, one answer.
const ANSWER: [u8; 10] = [0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0];
/// Type A, class IN.
const TYPE: [u8; 4] = [0, 1, 0, 1];

/// A server on loopback. It runs until the test's runtime ends.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl Server {
    /// Starts a server that answers any question with the next of these addresses, and then with the last again.
    pub(crate) async fn start(answers: impl IntoIterator<Item = Ipv4Addr>) -> Self {
        let answers: Vec<Ipv4Addr> = answers.into_iter().collect();
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let server = Self { address: socket.local_addr().unwrap(), asked: Arc::default() };
        let asked = server.asked.clone();
        tokio::spawn(async move {
            let mut packet = [0; 512];
            while let Ok((length, client)) = socket.recv_from(&mut packet).await {
                let number = asked.fetch_add(1, Ordering::Relaxed);
                let address = answers[number.min(answers.len() - 1)];
                // The name is that of the question, the answer lives for 0 seconds and has 4 bytes.
                let record = [&[0xc0, 12][..], &TYPE, &[0, 0, 0, 0], &[0, 4], &address.octets()].concat();
                let answer = [&packet[..2], &ANSWER, &packet[12..length], &record].concat();
                socket.send_to(&answer, client).await.unwrap();
            }
        });
        server
    }

    /// Number of questions so far.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

/// Asks a server for the address of a name.
pub(crate) async fn ask(server: SocketAddr, name: &str) -> io::Result<SocketAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let labels = name.split('.').flat_map(|label| {
        let length = u8::try_from(label.len()).expect("a label has at most 63 bytes");
        std::iter::once(length).chain(label.bytes())
    });
    let question = [0, 7].into_iter().chain(QUESTION).chain(labels).chain([0]).chain(TYPE);
    socket.send_to(&question.collect::<Vec<u8>>(), server).await?;
    let mut answer = [0; 512];
    let length = socket.recv(&mut answer).await?;
    let octets: [u8; 4] = answer[length - 4..length].try_into().expect("four bytes");
    Ok(SocketAddr::from((octets, 0)))
}
