//! Checks how long certificates are valid: those in files that the config names, and those that servers present.
//!
//! A handshake here accepts every certificate, because only its dates are read; nothing is sent over the connection.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Context as _;
use gongkai_worker::Clock;
use reqwest::Url;
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
};
use time::{OffsetDateTime, macros::format_description};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;
use x509_parser::parse_x509_certificate;

use super::{examination::Examination, settings::Settings};
use crate::printer::clean;

const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(3);
/// A certificate that ends within this time is mentioned.
const SOON: time::Duration = time::Duration::days(30);

/// Checks every certificate that the settings lead to. Servers that do not answer are left to other checks.
pub(super) async fn check(settings: &Settings) -> Vec<Examination> {
    let common = &settings.common;
    let files = [
        ("nats.root_certificates_file", &common.nats.root_certificates_file),
        ("objects.root_certificates_file", &common.objects.root_certificates_file),
    ];
    let mut checks: Vec<_> =
        files.into_iter().filter_map(|(key, file)| Some(of_file(key, file.as_deref()?))).collect();
    let urls = common.nats.url.expose().split(',').map(|url| ("nats.url", url));
    let endpoint = common.objects.endpoint.iter().map(|url| ("objects.endpoint", url.expose()));
    let public = [("ingest.public_url", settings.ingest.public_url.as_str())];
    for (key, url) in urls.chain(endpoint).chain(public) {
        let Ok(url) = url.trim().parse::<Url>() else { continue };
        if let Ok(Some(certificate)) = presented(&url).await {
            let host = clean(url.host_str().unwrap_or_default());
            checks.push(until_end(format!("certificate of {host} ({key})"), ends_at(&certificate)));
        }
    }
    checks
}

/// Checks a file of PEM certificates by the one that ends first.
fn of_file(key: &str, file: &Path) -> Examination {
    let first_end = || -> anyhow::Result<OffsetDateTime> {
        let certificates: Vec<_> = CertificateDer::pem_file_iter(file)?.collect::<Result<_, _>>()?;
        let ends: anyhow::Result<Vec<_>> = certificates.iter().map(ends_at).collect();
        ends?.into_iter().min().context("it holds no certificate")
    };
    until_end(format!("{key} {}", clean(&file.display().to_string())), first_end())
}

fn ends_at(certificate: &CertificateDer<'_>) -> anyhow::Result<OffsetDateTime> {
    let (_, parsed) = parse_x509_certificate(certificate)?;
    Ok(OffsetDateTime::from_unix_timestamp(parsed.validity().not_after.timestamp())?)
}

fn until_end(subject: String, end: anyhow::Result<OffsetDateTime>) -> Examination {
    let end = match end {
        Ok(end) => end,
        Err(error) => {
            let said = clean(&format!("{error:#}"));
            return Examination::wrong(
                subject,
                "CERTIFICATE_UNREADABLE",
                &format!("无法读取：{said}"),
                &format!("cannot be read: {said}"),
            );
        }
    };
    let date = end.format(format_description!("[year]-[month]-[day]")).unwrap_or_default();
    let left = end - Clock::system().now();
    let (zh, en) = (format!("有效期至 {date}"), format!("is valid until {date}"));
    if left.is_negative() {
        let (zh, en) = (format!("已于 {date} 过期，请更换"), format!("ended on {date}: replace it"));
        Examination::wrong(subject, "CERTIFICATE_EXPIRED", &zh, &en)
    } else if left < SOON {
        let (zh, en) = (format!("{zh}，请及时更换"), format!("{en}: replace it in time"));
        Examination::note(subject, "CERTIFICATE_ENDS_SOON", &zh, &en)
    } else {
        Examination::ok(subject, &zh, &en)
    }
}

/// Returns the certificate that a server presents, or `None` if the URL is not one of TLS.
async fn presented(url: &Url) -> anyhow::Result<Option<CertificateDer<'static>>> {
    let (port, speaks_first) = match url.scheme() {
        "https" => (443, false),
        "tls" => (4222, true),
        _ => return Ok(None),
    };
    let host = url.host_str().context("no host")?.trim_matches(['[', ']']).to_owned();
    let address = (host.clone(), url.port().unwrap_or(port));
    timeout(HANDSHAKE_TIMEOUT, async {
        let mut stream = BufReader::new(TcpStream::connect(address).await?);
        if speaks_first {
            // A NATS server introduces itself before the handshake.
            stream.read_line(&mut String::new()).await?;
        }
        let name = ServerName::try_from(host)?;
        let stream = TlsConnector::from(Arc::new(reader())).connect(name, stream.into_inner()).await?;
        let certificates = stream.get_ref().1.peer_certificates();
        Ok(certificates.and_then(|chain| chain.first()).cloned().map(CertificateDer::into_owned))
    })
    .await?
}

fn reader() -> ClientConfig {
    let provider = Arc::new(ring::default_provider());
    let verifier = Arc::new(AnyCertificate(provider.clone()));
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has ciphers for TLS 1.2 and 1.3")
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth()
}

/// Accepts every certificate, so that an expired one can be read.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls12_signature(
            message,
            certificate,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(
            message,
            certificate,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};
    use rustls::{ServerConfig, pki_types::PrivateKeyDer};
    use time::Duration;
    use tokio::{io::AsyncWriteExt as _, net::TcpListener};
    use tokio_rustls::TlsAcceptor;

    use super::*;

    /// Makes a certificate of `localhost` that ends `left` from now.
    fn certificate(left: Duration) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new(["localhost".to_owned()]).unwrap();
        parameters.not_before = Clock::system().now() - Duration::days(400);
        parameters.not_after = Clock::system().now() + left;
        (parameters.self_signed(&key).unwrap(), key)
    }

    #[test]
    fn a_file_is_judged_by_the_certificate_that_ends_first() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        let code = |days: &[i64]| {
            let pem: String = days.iter().map(|days| certificate(Duration::days(*days)).0.pem()).collect();
            std::fs::write(&file, pem).unwrap();
            of_file("nats.root_certificates_file", &file).code
        };
        assert_eq!(code(&[900, 31]), "");
        assert_eq!(code(&[900, 29]), "CERTIFICATE_ENDS_SOON");
        assert_eq!(code(&[900, -1, 29]), "CERTIFICATE_EXPIRED");
        assert_eq!(code(&[]), "CERTIFICATE_UNREADABLE");
        assert_eq!(of_file("k", &folder.path().join("none")).code, "CERTIFICATE_UNREADABLE");
    }

    /// Serves one TLS handshake with an expired certificate, after `greeting`. Returns the port.
    async fn server(greeting: &'static [u8]) -> u16 {
        let (certificate, key) = certificate(Duration::days(-3));
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(greeting).await.unwrap();
            TlsAcceptor::from(Arc::new(config)).accept(stream).await.map(drop)
        });
        port
    }

    #[tokio::test]
    async fn the_certificate_of_a_server_is_read_even_if_it_has_ended() {
        let https = server(b"").await;
        let nats = server(b"INFO {\"tls_required\":true}\r\n").await;
        for url in [format!("https://localhost:{https}/v1"), format!("tls://localhost:{nats}")] {
            let certificate = presented(&url.parse().unwrap()).await.unwrap().unwrap();
            assert_eq!(until_end(url.clone(), ends_at(&certificate)).code, "CERTIFICATE_EXPIRED", "{url}");
        }
        assert_eq!(presented(&"nats://localhost:1".parse().unwrap()).await.unwrap(), None);
    }
}
