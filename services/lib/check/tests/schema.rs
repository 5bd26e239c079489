//! The JSON line against its schema. Every object of the schema is closed, and the line with every member is written out, so that
//! a new member without schema fails here.

#![expect(clippy::unwrap_used, reason = "a helper of a test may fail as the test itself may")]

use std::{fs, path::Path};

use gongkai_check::{
    CheckLine, CitationLine, ContactLine, EvidenceLine, FactLine, FieldLine, FindingLine, Hints,
    IdentityLine, LINE_SCHEMA, Limits, MetadataLine, NotCheckedLine, PartLine, PartRole, RejectionLine,
    ReportLine, SectionLine, SourceLine, Status, VersionsLine, check,
};
use jsonschema::Validator;
use serde_json::Value;

fn validator() -> Validator {
    let schema: Value = serde_json::from_str(LINE_SCHEMA).unwrap();
    jsonschema::draft202012::meta::validate(&schema).unwrap();
    jsonschema::draft202012::new(&schema).unwrap()
}

fn wrong(validator: &Validator, line: &str) -> Vec<String> {
    let value: Value = serde_json::from_str(line).unwrap();
    validator.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn the_lines_of_all_samples_and_rejections_are_of_the_schema() {
    let validator = validator();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/samples");
    let samples = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let rejects = [("weather.txt", "今天天气很好。"), ("empty.txt", ""), ("broken.pdf", "%PDF-1.7\n")];
    let documents = samples
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap()))
        .chain(rejects.map(|(name, text)| (name.to_owned(), text.into())));
    let (mut read, mut rejected) = (0, 0);
    for (name, bytes) in documents {
        let hints = Hints { filename: Some(&name), ..Hints::default() };
        let line = check(&name, &bytes, &hints, &Limits::default());
        match line.status {
            Status::Ok => read += 1,
            Status::Rejected => rejected += 1,
        }
        assert_eq!(wrong(&validator, &line.to_json()), Vec::<String>::new(), "{name}");
    }
    assert!(read >= 12 && rejected >= 3, "{read} read, {rejected} rejected");
}

#[test]
fn every_member_has_a_schema() {
    let validator = validator();
    for line in [full_report(), full_rejection()] {
        let value = serde_json::to_value(&line).unwrap();
        assert_eq!(wrong(&validator, &line.to_json()), Vec::<String>::new());
        for member in value.as_object().unwrap().keys() {
            let mut other = value.clone();
            other["unknown"] = other[member].clone();
            assert!(!wrong(&validator, &other.to_string()).is_empty());
        }
    }
}

#[test]
fn a_line_has_a_report_or_a_rejection() {
    let validator = validator();
    let both = CheckLine { rejection: full_rejection().rejection, ..full_report() };
    let neither = CheckLine { report: None, ..full_report() };
    for line in [both, neither] {
        assert!(!wrong(&validator, &line.to_json()).is_empty());
    }
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn source() -> SourceLine {
    SourceLine {
        text: "0".to_owned(),
        table: Some(0),
        row: Some(1),
        column: Some(2),
        page: Some(3),
        start: Some(4),
        end: Some(5),
        area: Some([1, 2, 3, 4]),
        part: text("附件.docx"),
    }
}

fn versions() -> VersionsLine {
    let version = || "1".to_owned();
    VersionsLine { program: version(), parser: version(), forms: version(), rules: version() }
}

fn fact() -> FactLine {
    FactLine {
        concept: "requests.received".to_owned(),
        applicant: text("total"),
        state: "reported".to_owned(),
        value: text("0"),
        unread_reason: text("no_number"),
        source: Some(source()),
        candidates: vec![source()],
    }
}

fn finding() -> FindingLine {
    FindingLine {
        rule: "T3-ROW".to_owned(),
        severity: "ERROR".to_owned(),
        message: "问题".to_owned(),
        message_en: "problem".to_owned(),
        fingerprint: "f".to_owned(),
        cause: text("requests.received[total]"),
        concept: text("requests.received"),
        formula: "公式".to_owned(),
        expected: text("1"),
        actual: text("2"),
        facts: vec!["requests.received[total]".to_owned()],
        operands: vec![fact()],
        source: Some(source()),
        legal: "依据".to_owned(),
        help: "建议".to_owned(),
        suggestion: text("改为1"),
        versions: versions(),
    }
}

fn metadata() -> MetadataLine {
    MetadataLine {
        fields: vec![FieldLine {
            name: "article_title".to_owned(),
            is_tag: true,
            value: "标题".to_owned(),
            source: source(),
        }],
        contact: Some(ContactLine {
            body: text("某局"),
            address: text("某路"),
            telephone: text("0"),
            postcode: text("0"),
            email: text("a@example"),
            source: source(),
        }),
        citations: vec![CitationLine {
            number: "〔2020〕30号".to_owned(),
            title: text("条例"),
            source: source(),
        }],
    }
}

fn report() -> ReportLine {
    ReportLine {
        agency: "某局".to_owned(),
        year: 2023,
        identity: Some(IdentityLine {
            agency: vec![EvidenceLine { value: "某局".to_owned(), source: "title".to_owned(), weight: 3 }],
            year: vec![EvidenceLine { value: 2023, source: "title".to_owned(), weight: 3 }],
        }),
        form: "2021".to_owned(),
        variant: "standard".to_owned(),
        title: "标题".to_owned(),
        preamble: "导语".to_owned(),
        sections: vec![SectionLine { number: 1, title: "一".to_owned(), text: "文字".to_owned() }],
        facts: vec![fact()],
        metadata: metadata(),
    }
}

fn full_report() -> CheckLine {
    CheckLine {
        file: "a.html".to_owned(),
        status: Status::Ok,
        media_type: text("text/html"),
        report: Some(report()),
        findings: vec![finding()],
        rejection: None,
        parts: vec![PartLine {
            name: text("附件.docx"),
            media_type: text("text/html"),
            sha256: "0".to_owned(),
            role: PartRole::Other,
            rejection: full_rejection().rejection,
        }],
        left_out: vec!["规则".to_owned()],
        not_checked: vec![NotCheckedLine {
            code: "C".to_owned(),
            message: "问题".to_owned(),
            message_en: "problem".to_owned(),
            rules: vec!["X-CARRY".to_owned()],
        }],
        versions: versions(),
    }
}

fn full_rejection() -> CheckLine {
    CheckLine {
        file: "-".to_owned(),
        status: Status::Rejected,
        media_type: text("text/html"),
        report: None,
        findings: Vec::new(),
        rejection: Some(RejectionLine {
            code: "NOT_A_REPORT".to_owned(),
            message: "不是年报".to_owned(),
            message_en: "no report".to_owned(),
            kind: text("news"),
            retryable: true,
        }),
        parts: Vec::new(),
        left_out: Vec::new(),
        not_checked: Vec::new(),
        versions: versions(),
    }
}
