//! Converts results of the store to wire messages.
//!
//! Every [`v1::Report`] literal names every field, and types of the store are destructured, so that a new field does
//! not compile until its conversion is written.

use gongkai_model::{Fact, ReportKey, masked};
use gongkai_proto::convert::timestamp::timestamp;
use gongkai_proto::v1;
use gongkai_store::query::{Explained, FoundFact, FoundFinding, FoundWaiver, Judgement};
use gongkai_store::{
    Change, ChangeKind, Origin, ResumeToken, RevisionHeader, StoredProse, StoredReport, StoredSection,
};

/// Converts a report without sections, facts and findings.
#[must_use]
pub fn revision(revision: RevisionHeader) -> v1::Report {
    let RevisionHeader {
        key,
        ordinal,
        origin,
        event_time,
        agency_name,
        form,
        variant,
        title,
        media_type,
        summary,
        versions,
        trace_id,
        withdrawn,
    } = revision;
    let Origin {
        submission_id: _,
        content_hash,
        received_sequence: _,
        received_at,
        published_at,
        url,
        region,
    } = origin;
    v1::Report {
        name: key.to_string(),
        agency: format!("agencies/{}", key.agency),
        agency_name,
        year: key.year,
        form: form.to_string(),
        variant: variant.as_str().to_owned(),
        title,
        revision: ordinal,
        content_hash,
        published_at: published_at.map(timestamp),
        received_at: Some(timestamp(received_at)),
        sections: Vec::new(),
        facts: Vec::new(),
        findings_summary: Some(summary.into()),
        trace_id,
        preamble: String::new(),
        versions: Some((&versions).into()),
        url,
        withdrawn,
        media_type,
        region: region.to_string(),
        event_time: event_time.map(timestamp),
        review: Vec::new(),
    }
}

/// Converts a whole report.
#[must_use]
pub fn report(report: StoredReport) -> v1::Report {
    let StoredReport { revision: header, prose, facts, review } = report;
    let StoredProse { preamble, sections } = prose.unwrap_or_default();
    let shown = |text: String| masked(&text).into_owned();
    let section = |StoredSection { number, title, text }| v1::Section {
        number,
        title: shown(title),
        text: shown(text),
    };
    let mut whole = revision(header);
    whole.title = shown(whole.title);
    whole.preamble = shown(preamble);
    whole.sections = sections.into_iter().map(section).collect();
    whole.facts = facts.iter().map(shown_fact).collect();
    whole.review = review.iter().map(Into::into).collect();
    whole
}

/// Converts a finding, with its report's name.
#[must_use]
pub fn finding(found: FoundFinding) -> v1::Finding {
    v1::Finding {
        trace_id: found.trace_id,
        report: found.key.to_string(),
        waiver: found.waiver.as_ref().map(Into::into),
        ..v1::Finding::from(&found.finding)
    }
}

/// Converts a finding with everything that it depends on.
#[must_use]
pub fn explanation(explained: Explained) -> v1::FindingExplanation {
    let report = explained.revision.key.to_string();
    let operand = |fact: &Fact| v1::Fact { report: report.clone(), ..shown_fact(fact) };
    let judgement = |judgement: Judgement| v1::Judgement {
        severity: v1::Severity::from(judgement.severity).into(),
        rules: judgement.rules,
        first_at: Some(timestamp(judgement.first_at)),
        last_at: Some(timestamp(judgement.last_at)),
    };
    v1::FindingExplanation {
        operands: explained.operands.iter().map(operand).collect(),
        history: explained.judgements.into_iter().map(judgement).collect(),
        waivers: explained.waivers.iter().map(waiver).collect(),
        url: explained.revision.origin.url,
        content_hash: explained.revision.origin.content_hash,
        finding: Some(finding(explained.found)),
    }
}

/// Converts a waiver with its current state.
#[must_use]
pub fn waiver(found: &FoundWaiver) -> v1::Waiver {
    let mut waiver = v1::Waiver::from(&found.waiver);
    if found.is_lapsed {
        waiver.set_state(v1::WaiverState::Lapsed);
    }
    waiver
}

/// Converts a fact, with its report's name.
#[must_use]
pub fn fact(found: &FoundFact) -> v1::Fact {
    v1::Fact { report: found.key.to_string(), ..shown_fact(&found.fact) }
}

/// Converts a fact, with the personal data in the texts of its cells masked.
fn shown_fact(fact: &Fact) -> v1::Fact {
    let mut shown = v1::Fact::from(fact);
    for source in shown.source.iter_mut().chain(&mut shown.candidates) {
        source.text = masked(&source.text).into_owned();
    }
    shown
}

/// Converts an entry of the change feed.
#[must_use]
pub fn change(change: Change, epoch: &str) -> v1::WatchReportsResponse {
    let kind = match change.kind {
        ChangeKind::Validated => v1::ReportChange::Validated,
        ChangeKind::Withdrawn => v1::ReportChange::Withdrawn,
        ChangeKind::Erased => v1::ReportChange::Erased,
        ChangeKind::Moved => v1::ReportChange::Moved,
    };
    v1::WatchReportsResponse {
        change: kind.into(),
        report: Some(change.report.map_or_else(|| gone(&change.key), revision)),
        resume_token: ResumeToken { epoch: epoch.to_owned(), ordinal: change.ordinal }.to_string(),
        moved_to: change.moved_to.map(|key| key.to_string()).unwrap_or_default(),
    }
}

/// Returns a report of which only the name is left.
fn gone(key: &ReportKey) -> v1::Report {
    v1::Report {
        name: key.to_string(),
        agency: format!("agencies/{}", key.agency),
        agency_name: String::new(),
        year: key.year,
        form: String::new(),
        variant: String::new(),
        title: String::new(),
        revision: 0,
        content_hash: String::new(),
        published_at: None,
        received_at: None,
        sections: Vec::new(),
        facts: Vec::new(),
        findings_summary: None,
        trace_id: String::new(),
        preamble: String::new(),
        versions: None,
        url: String::new(),
        withdrawn: true,
        media_type: String::new(),
        region: String::new(),
        event_time: None,
        review: Vec::new(),
    }
}
