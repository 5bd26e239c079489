use time::OffsetDateTime;

use super::*;

const A: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const B: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const TOKEN: &str = "a-token-of-some-length";

fn auth() -> Authenticator {
    let site = |source: &str, code: &str, secrets: &[&str]| Site {
        source: source.into(),
        site_code: code.into(),
        secrets: secrets.iter().map(|s| gongkai_worker::Secret::new(*s)).collect(),
        ..Site::default()
    };
    let sites = [
        ("a".to_owned(), site("https://a.gov.cn", "1100000001", &[A])),
        ("b".to_owned(), site("https://b.gov.cn", "", &[B])),
        ("quiet".to_owned(), site("https://quiet.gov.cn", "", &[])),
    ];
    let config =
        Config { tokens: vec![gongkai_worker::Secret::new(TOKEN)], sites: sites.into(), ..Config::default() };
    Authenticator::new(&config, Clock::fixed(OffsetDateTime::from_unix_timestamp(1000).unwrap())).unwrap()
}

fn signed(secret: &str, body: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let signature = standardwebhooks::Webhook::new(secret).unwrap().sign("m", 1000, body).unwrap();
    headers.insert("webhook-id", "m".parse().unwrap());
    headers.insert("webhook-timestamp", "1000".parse().unwrap());
    headers.insert("webhook-signature", signature.parse().unwrap());
    headers
}

fn shown(auth: &Authenticator, headers: &HeaderMap) -> Result<Shown, Problem> {
    auth.shown(headers, &Uri::from_static("/v1/events"))
}

fn caller(auth: &Authenticator, headers: &HeaderMap, body: &[u8]) -> Result<Caller, Problem> {
    auth.caller(&shown(auth, headers)?, Covered::Body(body))
}

fn bearer(token: &str) -> HeaderMap {
    HeaderMap::from_iter([(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap())])
}

#[test]
fn who_may_send_what() {
    use Code::{BadSignature, Unauthenticated};
    let nobody = HeaderMap::new();
    let cases: [(&HeaderMap, &str, &str, Option<Code>); 13] = [
        (&nobody, "https://a.gov.cn", "", Some(Unauthenticated)),
        (&nobody, "https://forged.gov.cn", "", Some(Unauthenticated)),
        (&nobody, "", "", Some(Unauthenticated)),
        (&signed(A, b"x"), "https://a.gov.cn/", "", None),
        (&signed(A, b"x"), "https://forged.gov.cn", "1100000001", None),
        (&signed(A, b"x"), "", "", None),
        (&signed(A, b"x"), "https://b.gov.cn", "", Some(BadSignature)),
        (&signed(B, b"x"), "https://b.gov.cn", "1100000001", Some(BadSignature)),
        (&signed(A, b"x"), "https://forged.gov.cn", "", Some(Unauthenticated)),
        (&bearer(TOKEN), "https://a.gov.cn", "", Some(Unauthenticated)),
        (&bearer(TOKEN), "https://quiet.gov.cn", "", None),
        (&bearer(TOKEN), "https://unknown.gov.cn", "", None),
        (&bearer(TOKEN), "", "", None),
    ];
    let auth = auth();
    for (n, (headers, source, code, expected)) in cases.into_iter().enumerate() {
        let outcome = caller(&auth, headers, b"x")
            .and_then(|caller| auth.admit_from(&caller, source, code).map(drop))
            .map_err(|problem| problem.code);
        assert_eq!(outcome.err(), expected, "case {n}");
    }
}

/// Returns an authenticator with two sites that have a secret and a token each, and without an operator's token.
fn two_sites(unsigned_on_loopback: bool) -> Authenticator {
    let site = |name: &str, secret: &str| Site {
        source: format!("https://{name}.gov.cn"),
        secrets: vec![Secret::new(secret)],
        tokens: vec![Secret::new(format!("a-token-of-site-{name}"))],
        ..Site::default()
    };
    let sites = [("a".to_owned(), site("a", A)), ("b".to_owned(), site("b", B))].into();
    let config = Config { sites, unsigned_on_loopback, ..Config::default() };
    let now = OffsetDateTime::from_unix_timestamp(1000).unwrap();
    Authenticator::new(&config, Clock::fixed(now)).unwrap()
}

#[test]
fn a_token_of_a_site_acts_for_this_site() {
    let auth = two_sites(true);
    let caller = caller(&auth, &bearer("a-token-of-site-a"), b"x").unwrap();
    let unsigned = auth.unsigned_caller(&shown(&auth, &bearer("a-token-of-site-a")).unwrap());
    for caller in [caller, unsigned] {
        assert_eq!(caller.name(), "a");
        for source in ["", "https://a.gov.cn"] {
            let actor = auth.admit_from(&caller, source, "").unwrap();
            assert_eq!((actor.proven(), actor.foreign()), (Some("a"), None));
        }
        for (source, foreign) in [("https://b.gov.cn", "b"), ("https://c.gov.cn", "https://c.gov.cn")] {
            let actor = auth.admit_from(&caller, source, "").unwrap();
            assert_eq!((actor.proven(), actor.foreign()), (Some("a"), Some(foreign)));
        }
    }
}

#[test]
fn secrets_of_sites_close_loopback_for_nobody_else() {
    let local = SocketAddr::from(([127, 0, 0, 1], 8080));
    let nobody = HeaderMap::new();
    let open = two_sites(true).at(local);
    let caller = caller(&open, &nobody, b"x").unwrap();
    for source in ["", "https://c.gov.cn"] {
        let actor = open.admit_from(&caller, source, "").unwrap();
        assert!(actor.proven().is_none() && !actor.is_operator());
    }
    let claim = open.admit_from(&caller, "https://a.gov.cn", "").unwrap_err();
    assert_eq!(claim.code, Code::Unauthenticated);
    let proxied = HeaderMap::from_iter([(
        header::HeaderName::from_static("x-forwarded-for"),
        "1.2.3.4".parse().unwrap(),
    )]);
    let outside = SocketAddr::from(([0, 0, 0, 0], 8080));
    for (auth, headers) in [
        (two_sites(false).at(local), &nobody),
        (two_sites(true).at(outside), &nobody),
        (open, &proxied),
        (auth().at(local), &nobody),
    ] {
        assert_eq!(shown(&auth, headers).unwrap_err().code, Code::Unauthenticated);
    }
}

#[test]
fn an_operators_token_names_the_site_where_none_can_sign() {
    let auth = auth();
    let caller = auth.unsigned_caller(&shown(&auth, &bearer(TOKEN)).unwrap());
    assert_eq!(auth.admit_from(&caller, "https://a.gov.cn", "").unwrap().proven(), Some("a"));
    assert!(auth.admit_from(&caller, "https://quiet.gov.cn", "").unwrap().is_operator());
    assert!(auth.admit_from(&caller, "", "").unwrap().is_operator());
}

#[test]
fn something_wrong_is_worse_than_nothing() {
    let auth = auth();
    let code = |headers: &HeaderMap, body: &[u8]| caller(&auth, headers, body).unwrap_err().code;
    assert_eq!(code(&signed(A, b"x"), b"y"), Code::BadSignature);
    assert_eq!(code(&signed("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", b"x"), b"x"), Code::BadSignature);
    assert_eq!(code(&bearer("another-token-of-length"), b"x"), Code::Unauthenticated);
    let late = Authenticator {
        clock: Clock::fixed(OffsetDateTime::from_unix_timestamp(1301).unwrap()),
        ..auth.clone()
    };
    assert_eq!(shown(&late, &signed(A, b"x")).unwrap_err().code, Code::StaleSignature);
}

#[test]
fn what_a_proxy_passed_on_needs_credentials_even_where_none_are_configured() {
    let open = Authenticator::new(&Config::default(), Clock::system()).unwrap();
    let local = two_sites(true).at(SocketAddr::from(([127, 0, 0, 1], 8080)));
    let host = HeaderMap::from_iter([(header::HOST, "cms.example.gov.cn".parse().unwrap())]);
    for (auth, advice) in [(&open, "configure a site's secret"), (&local, "sign the request")] {
        let problem = shown(auth, &host).unwrap_err();
        assert_eq!(problem.code, Code::Unauthenticated);
        assert!(problem.detail_en.contains("host: cms.example.gov.cn"), "{problem}");
        assert!(problem.detail_en.contains(advice), "{problem}");
        auth.shown_unsigned(&host, &Uri::from_static("/")).unwrap_err();
    }
    let mut signed = signed(A, b"x");
    signed.extend(host);
    assert_eq!(caller(&local, &signed, b"x").unwrap().name(), "a");
}

#[test]
fn an_open_gate_asks_nobody() {
    let auth = Authenticator::new(&Config::default(), Clock::system()).unwrap();
    let caller = caller(&auth, &signed(A, b"x"), b"other").unwrap();
    assert!(auth.admit_from(&caller, "https://a.gov.cn", "").unwrap().is_operator());
    assert_eq!(caller.name(), "");
}

#[test]
fn secrets_come_from_files_too_and_must_be_of_their_form() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("{A}\n")).unwrap();
    let site =
        Site { source: "https://a.gov.cn".into(), secret_files: vec![file.path().into()], ..Site::default() };
    let mut config = Config { sites: [("a".into(), site)].into(), ..Config::default() };
    let auth = Authenticator::new(&config, Clock::fixed(OffsetDateTime::from_unix_timestamp(1000).unwrap()))
        .unwrap();
    assert_eq!(caller(&auth, &signed(A, b"x"), b"x").unwrap().name(), "a");
    config.sites.get_mut("a").unwrap().secrets = vec![gongkai_worker::Secret::new("hunter2")];
    let error = format!("{:#}", Authenticator::new(&config, Clock::system()).err().unwrap());
    assert!(error.contains("ingest.sites.a.secrets") && !error.contains("hunter2"), "{error}");
    let config = Config { tokens: vec![gongkai_worker::Secret::new("short")], ..Config::default() };
    assert!(Authenticator::new(&config, Clock::system()).is_err());
}
