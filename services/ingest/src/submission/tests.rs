use super::*;
use crate::error::Code;

fn submission(identity: SubmissionIdentity) -> Submission {
    let content = File { bytes: "年报".into(), ..File::default() };
    Submission {
        kind: DocumentKind::Published,
        content,
        attachments: Vec::new(),
        declared: DeclaredMetadata::default(),
        identity,
    }
}

#[test]
fn ids_depend_on_what_identifies_and_on_nothing_else() {
    let event = |source: &str, id: &str| {
        let mut submission = submission(SubmissionIdentity::Event);
        submission.declared.event_source = source.into();
        submission.declared.event_id = id.into();
        submission.id("hash")
    };
    assert!(is_id(&event("a", "b")));
    assert_eq!(event("a", "b"), event("a", "b"));
    assert_ne!(event("a", "bc"), event("ab", "c"), "parts must not run into each other");
    let key = |caller: &str| submission(SubmissionIdentity::Key { caller: caller.into(), key: "1".into() });
    assert_eq!(key("a").id("one hash"), key("a").id("another hash"));
    assert_ne!(key("a").id(""), key("b").id(""), "keys of two sites do not meet");
    assert_ne!(
        submission(SubmissionIdentity::Content).id("x"),
        submission(SubmissionIdentity::Content).id("y")
    );
}

fn received(submission: &Submission) -> DocumentReceived {
    submission.received(submission.references(), Timestamp::default())
}

#[test]
fn the_number_and_size_of_files_are_bounded() {
    let limits = FileLimits { attachments: 2, attachment_bytes: 8, total_bytes: 12 };
    let checked = |content: &'static str, attachments: &[&'static str]| {
        let file = |text: &&'static str| File { bytes: (*text).into(), ..File::default() };
        let submission = Submission {
            content: file(&content),
            attachments: attachments.iter().map(file).collect(),
            ..submission(SubmissionIdentity::Content)
        };
        limits.check(&submission).map_err(|problem| problem.code)
    };
    assert_eq!(checked("123456789012", &[]), Ok(()));
    assert_eq!(checked("", &["12345678"]), Ok(()));
    assert_eq!(checked("1234", &["1234", "1234"]), Ok(()));
    assert_eq!(checked("", &[]), Err(Code::Empty));
    assert_eq!(checked("1", &[""]), Err(Code::Empty));
    assert_eq!(checked("1", &["1", "1", "1"]), Err(Code::TooLarge));
    assert_eq!(checked("1", &["123456789"]), Err(Code::TooLarge));
    assert_eq!(checked("12345", &["12345678"]), Err(Code::TooLarge));
}

#[test]
fn a_draft_does_not_hide_the_publication() {
    let published = submission(SubmissionIdentity::Content);
    let draft = Submission { kind: DocumentKind::Draft, ..published.clone() };
    let updated = Submission { kind: DocumentKind::Updated, ..published.clone() };
    let [published, draft, updated] = [&published, &draft, &updated].map(received);
    for digest in [content_key, said] {
        assert_ne!(digest(&draft), digest(&published));
        assert_eq!(digest(&updated), digest(&published));
    }
}

#[test]
fn what_decides_makes_another_statement_and_nothing_else_does() {
    let first = received(&submission(SubmissionIdentity::Event));
    let change = |change: fn(&mut DocumentReceived)| {
        let mut other = first.clone();
        change(&mut other);
        said(&other) != said(&first)
    };
    assert!(change(|e| e.year = 2023));
    assert!(change(|e| e.url = "https://a/".into()));
    assert!(change(|e| e.agency = Some(AgencyHint { name: "甲局".into(), ..AgencyHint::default() })));
    assert!(change(|e| e.attachments = vec![ContentRef { sha256: "ab".into(), ..ContentRef::default() }]));
    assert!(change(|e| e.title = "云溪县档案局2023年年报".into()));
    assert!(change(|e| e.content.as_mut().unwrap().charset = "gb18030".into()));
    assert!(!change(|e| e.content.as_mut().unwrap().filename = "年报.html".into()));
    assert!(!change(|e| e.event_time = Some(Timestamp { seconds: 9, nanos: 0 })));
}

#[test]
fn the_region_comes_from_the_site_then_from_the_agency() {
    let region = |site: &str, agency: &str| {
        let mut declared = DeclaredMetadata::default();
        declared.site.code = site.into();
        declared.agency.code = agency.into();
        declared.region().to_string()
    };
    assert_eq!(region("3609820001", "110000"), "360982");
    assert_eq!(region("bm01000001", "110000"), "110000");
    assert_eq!(region("", "360982004000"), "360982");
    assert_eq!(region("", "11360982014897123X"), "360982");
    assert_eq!(region("", "1234567"), "000000");
    assert_eq!(region("", ""), "000000");
}
