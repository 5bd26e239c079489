//! The findings of one report, and the event that publishes them.

use gongkai_model::Finding;
use gongkai_proto::{
    subjects::Event,
    v1::{LastVerdict, ReportValidated},
};
use gongkai_worker::{Context, Output};
use sha2::{Digest as _, Sha256};

use crate::document::ParsedDocument;

/// One report's findings.
pub(crate) struct Verdict {
    pub(crate) document: ParsedDocument,
    pub(crate) findings: Vec<Finding>,
    pub(crate) findings_digest: String,
}

impl Verdict {
    pub(crate) fn new(document: ParsedDocument, findings: Vec<Finding>) -> Self {
        Self { document, findings_digest: findings_digest(&findings), findings }
    }

    /// Returns the event as an output. Its message id consists of the input, the report, the rank and the findings:
    /// an input that is delivered again may have new findings, which must not count as a duplicate.
    pub(crate) fn output(&self, context: &Context, validation: u64, superseded: bool) -> Output {
        let event: ReportValidated = self.document.validated(&self.findings, validation, superseded);
        let region = self.document.origin.region.parse().unwrap_or_default();
        let kind = Event::ReportValidated;
        let mut output = Output::new(kind.subject(region), kind.ce_type(), &event);
        let (input, digest) = (&context.message_id, &self.findings_digest);
        let (agency, year) = (&self.document.key.agency, self.document.key.year);
        output.message_id = Some(format!("{input}.validate.{agency}-{year}-{validation}.{digest}"));
        output
    }

    /// Returns the record of this verdict. If it raises the rank, it leaves room for another arrival of the same
    /// content just below.
    pub(crate) fn record(
        &self,
        before: &LastVerdict,
        raises: bool,
        inputs_digest: String,
        context: &Context,
    ) -> LastVerdict {
        let outranks = self.document.outranks;
        if !raises && outranks <= before.validation {
            return LastVerdict { inputs_digest, ..before.clone() };
        }
        LastVerdict {
            inputs_digest,
            findings_digest: self.findings_digest.clone(),
            validation: before.validation.max(context.sequence).max(outranks) + 2,
            message_id: context.first_id().to_owned(),
        }
    }
}

/// Returns a digest of findings, 32 hex digits. While it stays the same, nothing is published.
fn findings_digest(findings: &[Finding]) -> String {
    let mut hash = Sha256::new();
    for finding in findings {
        let expected = finding.expected.as_deref().unwrap_or_default();
        let actual = finding.actual.as_deref().unwrap_or_default();
        for part in [
            &finding.rule,
            finding.severity.as_str(),
            &finding.fingerprint,
            expected,
            actual,
            &finding.message,
            &finding.operands_digest,
        ] {
            hash.update(part);
            hash.update([0]);
        }
    }
    hex::encode(&hash.finalize()[..16])
}
