//! Mail, over a server that is not ours: aiosmtpd.

use std::{path::Path, process::Stdio};

use gongkai_worker::{Secret, testing::free_port};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

use super::{
    super::{
        super::{
            channel::{Channel as _, Error},
            message::{Composer, Language},
        },
        Email, MailServer, Security,
    },
    Letters, TRACE,
};

const FROM: &str = "公开系统 <gk@example.gov.cn>";

/// A running aiosmtpd.
struct Smtp {
    port: u16,
    said: Lines<BufReader<ChildStdout>>,
    /// Killed when it is dropped.
    _process: Child,
}

impl Smtp {
    async fn start(arguments: &[&str]) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let python = root.join(".tools/python-client/bin/python");
        assert!(python.exists(), "{} is missing: run tests/scripts/python-client.sh", python.display());
        let port = free_port().port();
        let mut process = Command::new(python)
            .arg(root.join("tests/clients/python/smtp_server.py"))
            .arg(port.to_string())
            .args(arguments)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let said = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut this = Self { port, said, _process: process };
        this.until("ready").await;
        this
    }

    /// Waits until the server says something of this name. Returns that, and the names of what it said before.
    async fn until(&mut self, name: &str) -> (Value, Vec<String>) {
        let mut before = Vec::new();
        loop {
            let line = self.said.next_line().await.unwrap().expect("the server runs");
            let said: Value = serde_json::from_str(&line).unwrap();
            let (key, value) = said.as_object().unwrap().iter().next().unwrap();
            if key == name {
                return (value.clone(), before);
            }
            before.push(key.clone());
        }
    }

    fn server(&self, security: Security) -> MailServer {
        MailServer {
            host: "localhost".to_owned(),
            port: self.port,
            security,
            login: None,
            ca_file: None,
            from: FROM.parse().unwrap(),
        }
    }
}

fn email(server: &MailServer, to: &[&str], language: Language) -> Email {
    // Fails only if the same provider is installed already.
    drop(rustls::crypto::ring::default_provider().install_default());
    let to = to.iter().map(|to| to.parse().unwrap()).collect();
    Email::new(server, to, Composer { language, report_url: None }).unwrap()
}

/// Writes a certificate authority, and a key and a certificate for `localhost`.
fn certificates(folder: &TempDir) -> [String; 3] {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    [("ca", authority.pem()), ("cert", certificate.pem()), ("key", key.serialize_pem())].map(|(name, pem)| {
        let path = folder.path().join(name);
        std::fs::write(&path, pem).unwrap();
        path.to_str().unwrap().to_owned()
    })
}

#[tokio::test]
async fn a_mail_has_text_and_html_and_the_id_of_its_envelope() {
    let mut smtp = Smtp::start(&[]).await;
    let to = ["公开办 <gkb@example.gov.cn>", "b@example.gov.cn"];
    let letters =
        Letters::about(1).changed(|alert| alert.findings[1].message = "<b>合计</b> 13812341234".into());
    for (language, subject) in [
        (Language::Zh, "樟树市第0街道办事处2023年度报告：必须整改1项"),
        (Language::En, "樟树市第0街道办事处, 2023: 1 ERROR"),
    ] {
        let email = email(&smtp.server(Security::None), &to, language);
        email.send(&letters.envelope()).await.unwrap();
        let (mail, _) = smtp.until("mail").await;
        assert_eq!(mail["subject"], subject);
        assert_eq!((&mail["sender"], &mail["from"]), (&"gk@example.gov.cn".into(), &FROM.into()));
        assert_eq!(mail["recipients"], serde_json::json!(["gkb@example.gov.cn", "b@example.gov.cn"]));
        assert_eq!(mail["message_id"], format!("<{}@example.gov.cn>", letters.envelope().id()));
        assert_eq!(
            (&mail["type"], &mail["auto_submitted"]),
            (&"multipart/alternative".into(), &"auto-generated".into())
        );
        let (text, html) = (mail["text"].as_str().unwrap(), mail["html"].as_str().unwrap());
        assert!(text.contains(TRACE) && html.contains(TRACE));
        if language == Language::Zh {
            assert!(text.contains("必须整改 <b>合计</b> 138****1234（共2项检查不符，同一原因）"), "{text}");
            assert!(html.contains("<strong>必须整改</strong> &lt;b&gt;合计&lt;/b&gt; 138****1234"), "{html}");
        }
    }
}

#[tokio::test]
async fn a_server_that_closes_idle_connections_gets_the_next_mail_once() {
    let mut smtp = Smtp::start(&["--idle", "2"]).await;
    let idle = tokio::net::TcpStream::connect(("127.0.0.1", smtp.port)).await.unwrap();
    let email = email(&smtp.server(Security::None), &["a@example.gov.cn"], Language::Zh);
    email.send(&Letters::about(1).envelope()).await.unwrap();
    smtp.until("mail").await;
    let (_, between) = smtp.until("idle").await;
    assert!(between.is_empty(), "our connection ended before it was idle: {between:?}");
    email.send(&Letters::about(2).envelope()).await.unwrap();
    let (mail, before) = smtp.until("mail").await;
    assert_eq!((mail["subject"].is_string(), before), (true, vec!["connected".to_owned()]));
    drop(idle);
    drop(tokio::net::TcpStream::connect(("127.0.0.1", smtp.port)).await.unwrap());
    assert!(smtp.until("connected").await.1.is_empty(), "there is no third mail");
}

#[tokio::test]
async fn a_login_goes_over_tls_only_and_a_wrong_password_is_the_fault_of_the_subscription() {
    let folder = tempfile::tempdir().unwrap();
    let [ca, cert, key] = certificates(&folder);
    let to = ["a@example.gov.cn"];
    for (tls, security) in [("starttls", Security::StartTls), ("implicit", Security::Tls)] {
        let arguments = ["--tls", tls, "--cert", &cert, "--key", &key, "--login", "gk", "secret"];
        let mut smtp = Smtp::start(&arguments).await;
        let mut server = smtp.server(security);
        let letters = Letters::about(1);
        let error = email(&server, &to, Language::Zh).send(&letters.envelope()).await.unwrap_err();
        assert!(error.may_pass() && error.to_string().contains("certificate"), "{error}");
        server.ca_file = Some(ca.clone().into());
        server.login = Some(("gk".to_owned(), Secret::new("wrong")));
        let error = email(&server, &to, Language::Zh).send(&letters.envelope()).await.unwrap_err();
        assert!(matches!(error, Error::Refused(_)) && error.to_string().contains("535"), "{error}");
        server.login = Some(("gk".to_owned(), Secret::new("secret")));
        email(&server, &to, Language::Zh).send(&letters.envelope()).await.unwrap();
        let (mail, _) = smtp.until("mail").await;
        assert_eq!(mail["encrypted"], true, "{tls}");
    }
}

#[tokio::test]
async fn nothing_is_sent_to_a_server_without_the_tls_that_is_asked_for() {
    let smtp = Smtp::start(&[]).await;
    let email = email(&smtp.server(Security::StartTls), &["a@example.gov.cn"], Language::Zh);
    let error = email.send(&Letters::about(1).envelope()).await.unwrap_err();
    assert!(error.to_string().contains("STARTTLS"), "{error}");
}

#[tokio::test]
async fn the_code_of_the_server_says_whether_to_try_again() {
    let smtp = Smtp::start(&[]).await;
    let server = smtp.server(Security::None);
    let send = async |server: &MailServer, to: &str| {
        email(server, &[to], Language::Zh).send(&Letters::about(1).envelope()).await.unwrap_err()
    };
    let busy = send(&server, "busy@example.gov.cn").await;
    assert!(busy.may_pass() && busy.may_be_message() && busy.to_string().contains("451"), "{busy}");
    let unknown = send(&server, "unknown@example.gov.cn").await;
    assert!(matches!(unknown, Error::Refused(_)) && unknown.to_string().contains("550"), "{unknown}");
    let nobody = MailServer { port: free_port().port(), ..server };
    let away = send(&nobody, "a@example.gov.cn").await;
    assert!(away.may_pass() && !away.may_be_message(), "{away}");
}
