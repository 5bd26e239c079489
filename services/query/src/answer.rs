//! What the store found, as it goes to the caller.

use gongkai_model::{Fact, ReportKey};
use gongkai_proto::convert::timestamp::timestamp;
use gongkai_proto::v1;
use gongkai_store::query::{Explained, FoundFact, FoundFinding, FoundWaiver, Judgement};
use gongkai_store::{Change, ChangeKind, Report, ResumeToken, Revision};

/// A report without sections, facts and findings.
#[must_use]
pub fn revision(revision: Revision) -> v1::Report {
    v1::Report {
        agency_name: revision.agency_name,
        form: revision.form.to_string(),
        variant: revision.variant.as_str().to_owned(),
        title: revision.title,
        revision: revision.ordinal,
        content_hash: revision.origin.content_hash,
        published_at: revision.origin.published_at.map(timestamp),
        received_at: Some(timestamp(revision.origin.received_at)),
        findings_summary: Some(revision.summary.into()),
        trace_id: revision.trace_id,
        versions: Some((&revision.versions).into()),
        url: revision.origin.url,
        withdrawn: revision.withdrawn,
        media_type: revision.media_type,
        region: revision.origin.region.to_string(),
        ..named(&revision.key)
    }
}

/// A report, whole.
#[must_use]
pub fn report(report: Report) -> v1::Report {
    let prose = report.prose.unwrap_or_default();
    let section = |s: gongkai_store::Section| v1::Section { number: s.number, title: s.title, text: s.text };
    v1::Report {
        preamble: prose.preamble,
        sections: prose.sections.into_iter().map(section).collect(),
        facts: report.facts.iter().map(Into::into).collect(),
        ..revision(report.revision)
    }
}

/// A finding with its report's name.
#[must_use]
pub fn finding(found: FoundFinding) -> v1::Finding {
    v1::Finding {
        trace_id: found.trace_id,
        report: found.key.to_string(),
        waiver: found.waiver.as_ref().map(Into::into),
        ..v1::Finding::from(&found.finding)
    }
}

/// A finding with everything it stands on.
#[must_use]
pub fn explanation(explained: Explained) -> v1::FindingExplanation {
    let report = explained.revision.key.to_string();
    let operand = |fact: &Fact| v1::Fact { report: report.clone(), ..v1::Fact::from(fact) };
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

/// A waiver as it stands.
#[must_use]
pub fn waiver(found: &FoundWaiver) -> v1::Waiver {
    let mut waiver = v1::Waiver::from(&found.waiver);
    if found.is_lapsed {
        waiver.set_state(v1::WaiverState::Lapsed);
    }
    waiver
}

/// A fact with its report's name.
#[must_use]
pub fn fact(found: &FoundFact) -> v1::Fact {
    v1::Fact { report: found.key.to_string(), ..v1::Fact::from(&found.fact) }
}

/// An entry of the change feed.
#[must_use]
pub fn change(change: Change, epoch: &str) -> v1::WatchReportsResponse {
    let kind = match change.kind {
        ChangeKind::Validated => v1::ReportChange::Validated,
        ChangeKind::Withdrawn => v1::ReportChange::Withdrawn,
    };
    // A later reading found that it is no report: only its name is left.
    let gone = || v1::Report { withdrawn: true, ..named(&change.key) };
    v1::WatchReportsResponse {
        change: kind.into(),
        report: Some(change.report.map_or_else(gone, revision)),
        resume_token: ResumeToken { epoch: epoch.to_owned(), ordinal: change.ordinal }.to_string(),
    }
}

fn named(key: &ReportKey) -> v1::Report {
    v1::Report {
        name: key.to_string(),
        agency: format!("agencies/{}", key.agency),
        year: key.year,
        ..v1::Report::default()
    }
}
