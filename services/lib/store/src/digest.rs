//! A digest of the visible content of a validated report. It distinguishes a visible change from a second reading
//! with the same result, so versions and trace ids, which change with every reading, are left out.

use gongkai_model::{Fact, Finding, Source};
use sha2::{Digest as _, Sha256};

use crate::arrival::{Content, StoredProse};

/// Returns a hex digest over header, facts, findings and prose.
pub(crate) fn digest(content: &Content) -> String {
    let mut hash = FieldHasher(Sha256::new());
    let header = [content.agency_name.as_str(), content.form.as_str(), content.variant.as_str()];
    header.into_iter().chain([content.title.as_str(), &content.media_type]).for_each(|text| hash.text(text));
    hash.prose(content.prose.as_ref());
    hash.count(content.facts.len());
    content.facts.iter().for_each(|fact| hash.fact(fact));
    hash.count(content.findings.len());
    content.findings.iter().for_each(|finding| hash.finding(finding));
    hex::encode(hash.0.finalize())
}

/// Hashes every field with its length, or a mark of absence, so that no two sequences of fields have the same encoding.
struct FieldHasher(Sha256);

impl FieldHasher {
    fn count(&mut self, n: usize) {
        self.0.update(n.to_string());
        self.0.update(b";");
    }

    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.update(text);
    }

    fn optional(&mut self, text: Option<impl AsRef<str>>) {
        match text {
            Some(text) => self.text(text.as_ref()),
            None => self.0.update(b"-"),
        }
    }

    fn source(&mut self, source: Option<&Source>) {
        self.optional(source.map(|s| s.text.as_str()));
        let Some(source) = source else { return };
        self.optional(source.cell.map(|c| format!("{},{},{}", c.table, c.row, c.column)));
        self.optional(source.page.map(|page| page.to_string()));
        self.optional(source.span.map(|s| format!("{},{}", s.start, s.end)));
        self.optional(source.area.map(|a| format!("{},{},{},{}", a.left, a.top, a.right, a.bottom)));
        if let Some(part) = &source.part {
            self.0.update(b"@");
            self.text(part);
        }
    }

    fn fact(&mut self, fact: &Fact) {
        self.text(&fact.id.to_string());
        self.text(fact.state.as_str());
        self.optional(fact.state.value().map(|v| v.to_string()));
        if let Some(reason) = fact.unread_reason {
            self.0.update(b"?");
            self.text(reason.as_str());
        }
        self.source(fact.source.as_ref());
        self.count(fact.candidates.len());
        fact.candidates.iter().for_each(|source| self.source(Some(source)));
    }

    fn finding(&mut self, finding: &Finding) {
        let words =
            [&finding.rule, &finding.message, &finding.message_en, &finding.fingerprint, &finding.formula];
        words.into_iter().for_each(|text| self.text(text));
        self.text(finding.severity.as_str());
        self.optional(finding.cause.as_ref().map(ToString::to_string));
        self.optional(finding.concept.as_ref().map(ToString::to_string));
        self.optional(finding.expected.as_deref());
        self.optional(finding.actual.as_deref());
        self.count(finding.facts.len());
        finding.facts.iter().for_each(|id| self.text(&id.to_string()));
        self.source(finding.source.as_ref());
        self.text(&finding.operands_digest);
    }

    fn prose(&mut self, prose: Option<&StoredProse>) {
        self.optional(prose.map(|p| p.preamble.as_str()));
        let Some(prose) = prose else { return };
        self.count(prose.sections.len());
        for section in &prose.sections {
            self.text(&section.number.to_string());
            self.text(&section.title);
            self.text(&section.text);
        }
    }
}
