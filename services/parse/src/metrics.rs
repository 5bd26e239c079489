//! Metrics and spans of the stage. METRICS.md describes the metrics.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use gongkai_model::{MediaType, RejectionCode, Report};
use gongkai_reading::Steps;
use gongkai_worker::{
    Counter, Runtime,
    trace::{self, SpanKind},
};

const FORMAT: &str = "gongkai.document.format";
const OUTCOME: &str = "outcome";
const CODE: &str = "gongkai.rejection.code";
const STATE: &str = "gongkai.cell.state";

const PARSED: &str = "parsed";
const REJECTED: &str = "rejected";

/// Counters of documents, rejections and cells.
pub(crate) struct Metrics {
    documents: Counter,
    rejections: Counter,
    cells: Counter,
}

/// Observes the reading of one document: opens a span for each step and keeps the format. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Observer(Arc<OnceLock<MediaType>>);

// === impl Metrics ===

impl Metrics {
    /// Creates the counters, at zero for every label value.
    pub(crate) fn new(runtime: &Runtime) -> Self {
        let counter = |name, unit, text| runtime.counter(name, unit, text);
        let this = Self {
            documents: counter("gongkai.parse.documents", "{document}", "documents by format and outcome"),
            rejections: counter("gongkai.parse.rejections", "{document}", "rejections by code"),
            cells: counter("gongkai.parse.cells", "{cell}", "cells of the reports read, by state"),
        };
        let formats = ["html", "text", "markdown", "docx", "pdf", "doc", "unknown"];
        for (format, outcome) in formats.into_iter().flat_map(|f| [(f, PARSED), (f, REJECTED)]) {
            this.documents.add(0, &[(FORMAT, format), (OUTCOME, outcome)]);
        }
        for code in RejectionCode::ALL {
            this.rejections.add(0, &[(CODE, code.as_str())]);
        }
        for state in ["reported", "blank", "not_applicable", "missing", "unreadable"] {
            this.cells.add(0, &[(STATE, state)]);
        }
        this
    }

    pub(crate) fn parsed(&self, observer: &Observer, report: &Report) {
        self.documents.add(1, &[(FORMAT, observer.format()), (OUTCOME, PARSED)]);
        let mut cells = BTreeMap::new();
        for fact in &report.facts {
            *cells.entry(fact.state.as_str()).or_default() += 1;
        }
        for (state, count) in cells {
            self.cells.add(count, &[(STATE, state)]);
        }
    }

    pub(crate) fn rejected(&self, observer: &Observer, code: RejectionCode) {
        self.documents.add(1, &[(FORMAT, observer.format()), (OUTCOME, REJECTED)]);
        self.rejections.add(1, &[(CODE, code.as_str())]);
    }
}

// === impl Observer ===

impl Observer {
    pub(crate) fn format(&self) -> &'static str {
        match self.0.get() {
            Some(MediaType::Html) => "html",
            Some(MediaType::Text) => "text",
            Some(MediaType::Markdown) => "markdown",
            Some(MediaType::Docx) => "docx",
            Some(MediaType::Pdf) => "pdf",
            Some(MediaType::Doc) => "doc",
            None => "unknown",
        }
    }
}

impl Steps for Observer {
    fn step<R>(&self, name: &'static str, work: impl FnOnce() -> R) -> R {
        trace::span(name, SpanKind::Internal).within(work)
    }

    fn known(&self, media_type: MediaType) {
        // `set` is called once per document.
        self.0.set(media_type).ok();
    }
}
