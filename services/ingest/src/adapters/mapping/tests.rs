use serde_json::json;

use super::*;
use crate::config::Config;

/// An adapter whose bodies have the names of our fields, at the top.
fn settings(body: BodyForm, fields: &[EventField]) -> AdapterSettings {
    let place = |field: EventField| match (body, field.is_of_attachment()) {
        (BodyForm::Json, _) => format!("/{}", field.as_str()),
        (BodyForm::Form, true) => String::new(),
        (BodyForm::Form, false) => field.as_str().to_owned(),
        (BodyForm::Xml, true) => format!("@{}", field.as_str()),
        (BodyForm::Xml, false) => format!("/d/{}", field.as_str()),
    };
    let fields = fields.iter().map(|field| (*field, place(*field))).collect();
    AdapterSettings { body, fields, ..AdapterSettings::default() }
}

fn all_of_json() -> AdapterSettings {
    settings(BodyForm::Json, EventField::all())
}

fn mapping(settings: &AdapterSettings) -> anyhow::Result<Mapping> {
    let site =
        Site { source: "https://www.a.example".into(), site_code: "3609990001".into(), ..Site::default() };
    Mapping::new("oa", settings, &site)
}

fn map(settings: &AdapterSettings, body: impl Into<Bytes>) -> Result<Mapped, Problem> {
    mapping(settings).unwrap().event("", &body.into())
}

fn body() -> Value {
    json!({"id": 7, "kind": "published", "agency_code": "360999001", "agency_name": "甲局", "year": "2023",
        "title": "年报", "url": "https://www.a.example/7", "time": 1_705_284_720, "sent_at": "2024-01-15 10:12:01",
        "published_at": "2024-01-15", "column": "公开", "text": "<p>正文</p>", "media_type": "text/html",
        "charset": "gbk", "filename": "7.html",
        "attachments": [{"attachment_name": "a.csv", "attachment_media_type": "text/csv", "attachment_base64": "MSwy"}]})
}

fn with(name: &str, value: Value) -> String {
    let mut body = body();
    body[name] = value;
    body.to_string()
}

#[test]
fn every_field_gets_to_its_member() {
    let Mapped { event, sent_at } = map(&all_of_json(), body().to_string()).unwrap();
    assert_eq!((event.id.as_str(), event.source.as_str()), ("7", "https://www.a.example"));
    assert_eq!(event.r#type, "gongkai.report.published.v1");
    assert_eq!(event.time.unwrap().unix_timestamp(), 1_705_284_720);
    assert_eq!(sent_at.unwrap().unix_timestamp(), 1_705_284_721);
    let data = json!({"agency": {"code": "360999001", "name": "甲局"}, "year": 2023, "title": "年报",
        "url": "https://www.a.example/7", "published_at": "2024-01-15T00:00:00+08:00",
        "site": {"code": "3609990001", "column": "公开"},
        "content": {"text": "<p>正文</p>", "media_type": "text/html", "charset": "gbk", "filename": "7.html"},
        "attachments": [{"name": "a.csv", "media_type": "text/csv", "base64": "MSwy"}]});
    assert_eq!(event.data, EventData::Json(data));
    assert!(crate::publication::read(event).is_ok());
}

#[test]
fn a_form_and_xml_say_the_same() {
    let fields = [
        EventField::Id,
        EventField::Url,
        EventField::Base64,
        EventField::Attachments,
        EventField::AttachmentBase64,
    ];
    let form = map(
        &settings(BodyForm::Form, &fields),
        "id=7&url=https%3A%2F%2Fwww.a.example%2F7&base64=MSwy&attachments=MQ&attachments=Mg",
    );
    let xml = map(
        &settings(BodyForm::Xml, &fields),
        "<d><id>7</id><url>https://www.a.example/7</url><base64>MS\nwy</base64><attachments attachment_base64='MQ'/>\
         <attachments attachment_base64='Mg'/></d>",
    );
    let EventData::Json(data) = form.unwrap().event.data else { panic!("the data is JSON") };
    assert_eq!(data["attachments"], json!([{"base64": "MQ"}, {"base64": "Mg"}]));
    let EventData::Json(of_xml) = xml.unwrap().event.data else { panic!("the data is JSON") };
    assert_eq!((&of_xml["attachments"], &of_xml["url"]), (&data["attachments"], &data["url"]));
}

#[test]
fn what_is_missing_or_of_another_kind_is_named_with_its_place() {
    let settings = all_of_json();
    let long = "长".repeat(2000);
    let broken_file = json!([{"attachment_base64": "MQ"}, {"attachment_base64": "*"}]);
    for (name, value, code, place) in [
        ("id", Value::Null, Code::MissingAttribute, "id (/id)"),
        ("id", json!("  "), Code::MissingAttribute, "id (/id)"),
        ("id", json!({"a": 1}), Code::InvalidField, "id (/id)"),
        ("id", json!(1.5), Code::InvalidField, "id (/id)"),
        ("id", json!(long), Code::InvalidField, "id (/id)"),
        ("kind", Value::Null, Code::MissingAttribute, "kind (/kind)"),
        ("kind", json!("burnt"), Code::InvalidField, "kind (/kind)"),
        ("kind", json!(["published"]), Code::InvalidField, "kind (/kind)"),
        ("agency_code", json!("a/b"), Code::InvalidField, "agency_code (/agency_code)"),
        ("agency_name", json!([]), Code::InvalidField, "agency_name (/agency_name)"),
        ("year", json!("二〇二三"), Code::InvalidField, "year (/year)"),
        ("year", json!(23), Code::InvalidField, "year (/year)"),
        ("year", json!(2023.5), Code::InvalidField, "year (/year)"),
        ("title", json!(long), Code::InvalidField, "title (/title)"),
        ("url", json!({}), Code::InvalidField, "url (/url)"),
        ("time", json!("noon"), Code::InvalidField, "time (/time)"),
        ("time", json!(1), Code::InvalidField, "time (/time)"),
        ("sent_at", Value::Null, Code::MissingAttribute, "sent_at (/sent_at)"),
        ("published_at", json!(true), Code::InvalidField, "published_at (/published_at)"),
        ("text", Value::Null, Code::MissingContent, "text (/text)"),
        ("base64", json!("*"), Code::BadBase64, "base64 (/base64)"),
        ("media_type", json!([1]), Code::InvalidField, "media_type (/media_type)"),
        ("attachments", broken_file, Code::BadBase64, "attachment_base64 (/attachments/1/attachment_base64)"),
        (
            "attachments",
            json!(["x"]),
            Code::MissingContent,
            "attachment_base64 (/attachments/0/attachment_base64)",
        ),
        (
            "attachments",
            json!("x"),
            Code::MissingContent,
            "attachment_base64 (/attachments/0/attachment_base64)",
        ),
    ] {
        let mut body: Value = serde_json::from_str(&with(name, value.clone())).unwrap();
        if name == "text" {
            body["attachments"] = Value::Null;
        }
        let problem = map(&settings, body.to_string()).unwrap_err();
        assert_eq!(problem.code, code, "{name} {value}: {problem:?}");
        assert!(problem.detail.contains(place) && problem.detail_en.contains(place), "{problem:?}");
        assert!((400..500).contains(&code.status().as_u16()));
    }
    for other in ["null", "7", "\"x\"", "[]"] {
        assert_eq!(map(&settings, other).unwrap_err().code, Code::MissingAttribute, "{other}");
    }
}

#[test]
fn places_in_forms_and_xml_are_named_too() {
    let fields = [EventField::Id, EventField::Text, EventField::Attachments, EventField::AttachmentBase64];
    let said = |settings: &AdapterSettings, body: &str| map(settings, body.to_owned()).unwrap_err().detail_en;
    let form = settings(BodyForm::Form, &fields);
    assert!(said(&form, "id=1&id=2").starts_with("id (id) may be there once"));
    assert!(said(&form, "id=1&attachments=MQ&attachments=*").contains("attachment_base64 (attachments[2])"));
    let xml = settings(BodyForm::Xml, &fields);
    assert!(said(&xml, "<d><id><b>1</b></id></d>").starts_with("id (/d/id) has elements in it"));
    let file = "<d><id>1</id><attachments/></d>";
    assert!(said(&xml, file).contains("attachment_base64 (/d/attachments[1]/@attachment_base64)"));
    let markup = "<d><id>1</id><text>lost <b>without</b> a word</text></d>";
    assert!(said(&xml, markup).contains("text (/d/text)"));
}

#[test]
fn without_an_id_the_body_is_one_and_without_a_kind_it_is_a_publication() {
    let settings = settings(BodyForm::Json, &[EventField::Text]);
    let id = |body: &'static str| map(&settings, body).unwrap().event.id;
    assert_eq!(id(r#"{"text": "a"}"#), id(r#"{"text": "a"}"#));
    assert_ne!(id(r#"{"text": "a"}"#), id(r#"{"text": "b"}"#));
    assert_eq!(map(&settings, r#"{"text": "a"}"#).unwrap().event.r#type, "gongkai.report.published.v1");
}

#[test]
fn a_withdrawal_needs_its_address_and_nothing_else() {
    let settings = AdapterSettings { kinds: [("DEL".into(), Kind::Withdrawn)].into(), ..all_of_json() };
    let mut body = body();
    body["kind"] = "DEL".into();
    body["attachments"] = "what it was".into();
    let Mapped { event, .. } = map(&settings, body.to_string()).unwrap();
    assert_eq!(event.r#type, "gongkai.report.withdrawn.v1");
    assert!(matches!(&event.data, EventData::Json(data) if data.get("attachments").is_none()));
    body["url"] = "".into();
    let problem = map(&settings, body.to_string()).unwrap_err();
    assert!(problem.code == Code::MissingUrl && problem.detail.contains("url (/url)"), "{problem:?}");
    body["kind"] = "published".into();
    assert_eq!(
        map(&settings, body.to_string()).unwrap_err().code,
        Code::InvalidField,
        "DEL is the only kind"
    );
}

#[test]
fn attachments_alone_are_a_document() {
    let settings = AdapterSettings {
        fields: [
            (EventField::MediaType, "=text/html".to_owned()),
            (EventField::Text, "/text".to_owned()),
            (EventField::Attachments, "/files".to_owned()),
            (EventField::AttachmentBase64, String::new()),
        ]
        .into(),
        ..AdapterSettings::default()
    };
    let Mapped { event, .. } = map(&settings, r#"{"files": ["MSwy"]}"#).unwrap();
    assert!(crate::publication::read(event).is_ok());
    let problem = map(&settings, r#"{"files": []}"#).unwrap_err();
    assert!(problem.detail_en.contains("text (/text), attachments (/files)"), "{problem:?}");
}

#[test]
fn a_mapping_that_cannot_work_is_a_mistake() {
    let with = |change: fn(&mut AdapterSettings)| {
        let mut settings = all_of_json();
        change(&mut settings);
        format!("{:#}", mapping(&settings).unwrap_err())
    };
    for (key, said) in [
        ("charset", with(|s| s.charset = "klingon".into())),
        ("fields.id", with(|s| drop(s.fields.insert(EventField::Id, "$.id".into())))),
        ("fields", with(|s| drop(s.fields.remove(&EventField::AttachmentBase64)))),
        ("fields.kind", with(|s| drop(s.fields.insert(EventField::Kind, "=gone".into())))),
        ("fields.url", with(|s| drop(s.fields.remove(&EventField::Url)))),
        ("fields", with(|s| s.fields.clear())),
        (
            "fields.attachment_name",
            with(|s| s.fields.retain(|f, _| matches!(f, EventField::Text | EventField::AttachmentName))),
        ),
    ] {
        assert!(said.starts_with(&format!("ingest.adapters.oa.{key}: ")), "{said}");
    }
}

/// The mapping and the body of a sample of `deploy/adapters`.
fn sample(dialect: &str, file: &str) -> (Mapping, Vec<u8>) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/adapters");
    let config =
        gongkai_worker::Config::load(Some(&folder.join(format!("{dialect}.toml"))), &["ingest"]).unwrap();
    let config: Config = config.section("ingest").unwrap();
    (crate::adapters::mapping(&config, dialect).unwrap(), std::fs::read(folder.join(file)).unwrap())
}

#[test]
fn a_damaged_body_is_mapped_or_refused_with_a_code_of_the_sender() {
    for (mapping, body) in [sample("yunshu", "yunshu.json"), sample("jiaohuan", "jiaohuan.xml")] {
        let mut refused = 0;
        let mut attempt = |body: Vec<u8>, damage: &str| {
            let Err(problem) = mapping.event("", &body.into()) else { return };
            refused += 1;
            assert!((400..500).contains(&problem.code.status().as_u16()), "{damage}: {problem:?}");
        };
        for at in 0..body.len() {
            attempt(body[..at].to_vec(), "cut off");
            for byte in [0, b'"', b'<', b'&', b'}', b'9', 0xff, body[at] ^ 1] {
                let mut changed = body.clone();
                changed[at] = byte;
                attempt(changed, "one byte changed");
            }
            let mut doubled = body.clone();
            doubled.splice(at..at, body[at..].to_vec());
            attempt(doubled, "doubled from here on");
        }
        assert!(refused > body.len(), "{refused}");
    }
}
