use serde_json::json;

use super::*;

fn event(kind: &str, data: EventData) -> CloudEvent {
    CloudEvent {
        id: "7".into(),
        source: "https://www.example.gov.cn".into(),
        r#type: format!("gongkai.report.{kind}.v1"),
        subject: None,
        time: None,
        extensions: BTreeMap::new(),
        data,
    }
}

fn submitted(event: CloudEvent) -> Submission {
    match read(event).unwrap() {
        Purpose::Accept(PublicationRequest::Submit(submission)) => *submission,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_member_finds_its_place() {
    let data = json!({"agency": {"code": "360982004", "name": "鹿江街道办事处"}, "year": 2023, "title": "年报",
        "url": "https://www.example.gov.cn/a", "published_at": "2024-01-15T10:12:00+08:00",
        "site": {"code": "3609820001", "column": "年报"},
        "content": {"media_type": "text/HTML", "charset": "GB18030", "base64": "xOqxqA=="},
        "attachments": [{"name": "a.pdf", "media_type": "application/pdf", "base64": "JVBERg=="}],
        "review": [{"level": "科室负责人", "decision": "approved", "at": "2024-01-14T08:00:00+08:00"}],
        "unknown": {"is": "ignored"}});
    let submission = submitted(event("updated", EventData::Json(data)));
    assert_eq!(submission.kind, DocumentKind::Updated);
    assert_eq!(submission.content.bytes.as_ref(), b"\xc4\xea\xb1\xa8");
    assert_eq!(
        (submission.content.media_type.as_str(), submission.content.charset.as_str()),
        ("text/html", "gb18030")
    );
    assert_eq!(submission.attachments[0].filename, "a.pdf");
    let declared = submission.declared;
    assert_eq!(
        (declared.year, declared.agency.code.as_str(), declared.site.column.as_str()),
        (2023, "360982004", "年报")
    );
    assert_eq!(declared.published_at.unwrap().seconds, 1_705_284_720);
    assert_eq!(declared.review[0].decision, "approved");
    assert_eq!(declared.region().as_str(), "360982");
}

#[test]
fn a_bare_document_takes_the_rest_from_extensions() {
    let mut event =
        event("published", EventData::Document("年报".into(), "text/plain; charset=UTF-8".into()));
    event.subject = Some("https://www.example.gov.cn/a".into());
    let extensions = [
        ("agencyname", "鹿江"),
        ("reportyear", "2023"),
        ("publishedat", "2024-01-15"),
        ("sitecode", "3609820001"),
    ];
    event.extensions = extensions.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let submission = submitted(event);
    assert_eq!((submission.declared.year, submission.declared.agency.name.as_str()), (2023, "鹿江"));
    assert_eq!(submission.declared.url, "https://www.example.gov.cn/a");
    assert_eq!(submission.declared.published_at.unwrap().seconds, 1_705_248_000);
    assert_eq!(submission.content.charset, "utf-8");
}

#[test]
fn attachments_alone_are_a_document() {
    let data = json!({"attachments": [{"name": "年报.docx", "base64": "UEs="}]});
    let submission = submitted(event("published", EventData::Json(data)));
    assert!(submission.content.bytes.is_empty());
    assert_eq!(submission.attachments[0].bytes.as_ref(), b"PK");
}

#[test]
fn a_member_of_another_kind_is_named_without_our_types() {
    let cases = [
        (json!({"year": "2023"}), "data.year"),
        (json!({"year": 99_999_999_999_u64}), "data.year"),
        (json!({"agency": "局"}), "data.agency"),
        (json!({"agency": {"name": 7}}), "data.agency.name"),
        (json!({"attachments": {}}), "data.attachments"),
        (json!({"attachments": [7]}), "data.attachments[0]"),
        (json!({"review": [{}, {"at": []}]}), "data.review[1].at"),
    ];
    for (data, field) in cases {
        let problem = read(event("published", EventData::Json(data))).unwrap_err();
        for detail in [&problem.detail, &problem.detail_en] {
            assert!(detail.starts_with(&format!("{field} ")), "{detail}");
            for leak in ["i32", "struct", "invalid type", "Member", "expected"] {
                assert!(!detail.contains(leak), "{detail}");
            }
        }
    }
}

#[test]
fn a_url_is_left_to_be_fetched() {
    let data = json!({"content": {"url": "https://www.example.gov.cn/a.html"}});
    let read = |kind: &str| read(event(kind, EventData::Json(data.clone()))).unwrap();
    let Purpose::Accept(PublicationRequest::Fetch(_, remote)) = read("published") else { panic!() };
    let Purpose::Check(_, of_draft) = read("draft") else { panic!() };
    assert_eq!(remote.content.as_deref(), Some("https://www.example.gov.cn/a.html"));
    assert_eq!(of_draft, remote);
}

#[test]
fn data_that_cannot_be_used_is_named() {
    let text = json!({"text": "年报"});
    let long = "字".repeat(2000);
    let cases = [
        (EventData::None, Code::MissingContent),
        (EventData::Json(json!({})), Code::MissingContent),
        (EventData::Json(json!([])), Code::InvalidField),
        (EventData::Json(json!("text")), Code::InvalidField),
        (EventData::Json(json!({"content": "年报"})), Code::InvalidField),
        (EventData::Json(json!({"content": {}})), Code::MissingContent),
        (EventData::Json(json!({"content": {"text": "a", "base64": "YQ=="}})), Code::AmbiguousContent),
        (EventData::Json(json!({"content": {"base64": "*"}})), Code::BadBase64),
        (EventData::Json(json!({"content": text, "year": "2023"})), Code::InvalidField),
        (EventData::Json(json!({"content": text, "year": 23})), Code::InvalidField),
        (EventData::Json(json!({"content": text, "published_at": "2024"})), Code::InvalidField),
        (EventData::Json(json!({"content": text, "title": long})), Code::InvalidField),
        (EventData::Json(json!({"content": text, "attachments": [{}]})), Code::MissingContent),
    ];
    for (data, code) in cases {
        assert_eq!(read(event("published", data.clone())).unwrap_err().code, code, "{data:?}");
    }
    assert_eq!(read(event("burned", EventData::None)).unwrap_err().code, Code::UnknownEventType);
}

#[test]
fn a_withdrawal_needs_a_url() {
    assert_eq!(read(event("withdrawn", EventData::None)).unwrap_err().code, Code::MissingUrl);
    let by_subject =
        CloudEvent { subject: Some("https://x/a".into()), ..event("withdrawn", EventData::None) };
    let by_data = event("withdrawn", EventData::Json(json!({"url": "https://x/a"})));
    for event in [by_subject, by_data] {
        let Purpose::Accept(PublicationRequest::Withdraw(withdrawal)) = read(event).unwrap() else {
            panic!()
        };
        assert_eq!(withdrawal.declared.url, "https://x/a");
    }
}

#[test]
fn an_extension_says_that_a_document_is_an_old_one_in_bulk() {
    let read = |value: &str| {
        let mut event = event("published", EventData::Json(json!({"content": {"text": "年报"}})));
        event.extensions.insert("gongkaibackfill".to_owned(), value.to_owned());
        read(event)
    };
    let is_backfill = |value| match read(value).unwrap() {
        Purpose::Accept(request) => request.declared().is_backfill,
        Purpose::Check(..) => panic!(),
    };
    assert!(is_backfill("true") && !is_backfill("false") && !is_backfill(""));
    assert_eq!(read("yes").unwrap_err().code, Code::InvalidField);
}
