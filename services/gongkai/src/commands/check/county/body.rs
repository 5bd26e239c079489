//! The reports of a folder, checked against each other as validate checks them: the years of a body, copies, siblings
//! and parents.
//!
//! Each report is first added, so that its neighbours are known whatever the order of the files, and then checked. The
//! records are those of validate, in a temporary database.

use std::sync::Arc;

use anyhow::Context as _;
use gongkai_agencies::{Asked, Registry};
use gongkai_check::CheckLine;
use gongkai_lifecycle::{Arrival, Rank};
use gongkai_model::{AgencyKey, MediaType, Region, Report, ReportKey};
use gongkai_neighbours::{
    Compared, SharedRecords, cells, record, relatives::without_publications, shared_records::sibling_scope,
};
use gongkai_proto::{
    convert::report as halves,
    v1::{AgencyRecord, ContentRef, ParsedReport, ParsedText},
};
use gongkai_reading::Reading;
use gongkai_rules::{AgencyYear, Neighbours, Publication, ReportContext, RuleSet};
use gongkai_worker::RecordStore;
use prost::Message as _;
use time::OffsetDateTime;
use tokio::sync::watch;

use super::records::{DiskRecords, StoredContent, StoredDocument};

/// Nobody else writes, so no race is ever lost.
const MAX_RACES: u32 = 1;

/// The reports that were added.
pub(super) struct County {
    records: Arc<DiskRecords>,
    shared: SharedRecords,
    registry: Arc<Registry>,
    site: CountySite,
    /// Keeps the channel of the registry open.
    _list: watch::Sender<Arc<Registry>>,
}

/// The site on which the reports are published, if it is given.
#[derive(Debug, Clone, Default)]
pub(super) struct CountySite {
    /// 网站标识码
    pub(super) code: Option<String>,
    /// The region in which the names of bodies are unique.
    pub(super) region: Region,
}

/// A report that was read.
pub(super) struct ReadReport<'a> {
    /// Number of the document, which no other document has. A later one outranks an earlier one.
    pub(super) number: u32,
    /// Name of the file.
    pub(super) file: &'a str,
    pub(super) reading: &'a Reading,
}

impl County {
    /// Creates a county without reports.
    ///
    /// # Errors
    /// The temporary folder cannot be written.
    pub(super) fn new(registry: Registry, site: CountySite) -> anyhow::Result<Self> {
        let records = Arc::new(DiskRecords::new()?);
        let registry = Arc::new(registry);
        let (list, listed) = watch::channel(registry.clone());
        let store = RecordStore::new(records.clone(), MAX_RACES);
        let shared = SharedRecords { records: store, registry: listed };
        Ok(Self { records, shared, registry, site, _list: list })
    }

    /// Adds a report, so that others are compared with it.
    ///
    /// # Errors
    /// The temporary database failed.
    pub(super) async fn add(&self, read: &ReadReport<'_>) -> anyhow::Result<()> {
        let report = &read.reading.report;
        let key = self.key(report);
        let own = AgencyYear::of(report, gongkai_agencies::kind_of(&report.agency));
        // Files of the same content are one revision, whatever their format.
        let content = cells::content(&own, &own.main_hash, u64::from(read.number) + 1);
        let arrival = self.arrival(read, &own.main_hash);
        let scope = sibling_scope(self.site.region, self.shared.profile(&key.agency).as_ref());
        let change = |record: &mut AgencyRecord| {
            let year = record::year_mut(record, key.year);
            let is_new = record::record_arrival(year, &arrival, &content);
            let is_moved = scope.as_ref().is_some_and(|scope| record::record_scope(year, scope));
            (is_new || is_moved, ())
        };
        let agency_key = record::agency_key(&key.agency);
        let (record, ()) = self.shared.records.change(&agency_key, change).await?;
        self.shared.notify(&key.agency, &record, key.year).await?;
        let content = StoredContent::Report(packed(read.reading, &key));
        self.records.put(read.number, &StoredDocument { file: read.file.to_owned(), content })
    }

    /// Adds a document that is no report, by its output line. Nothing is compared with it.
    ///
    /// # Errors
    /// The temporary database failed.
    pub(super) fn add_line(&self, number: u32, line: &CheckLine) -> anyhow::Result<()> {
        let content = StoredContent::Line(line.to_json());
        self.records.put(number, &StoredDocument { file: line.file.clone(), content })
    }

    /// Returns the output line of an added document. A report is checked against all others.
    ///
    /// # Errors
    /// No document has this number, or the temporary database failed.
    pub(super) async fn check(&self, number: u32, rules: &RuleSet) -> anyhow::Result<CheckLine> {
        let StoredDocument { file, content } =
            self.records.document(number)?.context("a document was lost")?;
        let bytes = match content {
            StoredContent::Report(bytes) => bytes,
            StoredContent::Line(line) => return Ok(serde_json::from_str(&line)?),
        };
        let (reading, key) = unpacked(&bytes)?;
        let profile = self.shared.profile(&key.agency);
        let own = AgencyYear::of(&reading.report, gongkai_agencies::kind_of(&reading.report.agency));
        let neighbours = self.neighbours(&key, own).await?;
        let context = ReportContext {
            agency: Some(&key.agency),
            profile: profile.as_ref(),
            publication: Publication {
                site_code: self.site.code.as_deref(),
                site_domain: profile.as_ref().and_then(|profile| profile.site_domain.as_deref()),
                ..Publication::default()
            },
            neighbours: Some(&neighbours),
            ..ReportContext::default()
        };
        let parts = reading.report.parts.iter().map(Into::into).collect();
        Ok(CheckLine { parts, ..gongkai_check::line_of(rules, &file, Ok(reading), &context) })
    }

    async fn neighbours(&self, key: &ReportKey, own: AgencyYear) -> anyhow::Result<Neighbours> {
        let agency_key = record::agency_key(&key.agency);
        let record: AgencyRecord = self.shared.records.read(&agency_key).await?.record;
        let profile = self.shared.profile(&key.agency);
        let compared = Compared {
            agency: &key.agency,
            own: &own,
            region: self.site.region,
            is_withdrawn: false,
            profile: profile.as_ref(),
        };
        let relatives = self.shared.relatives(compared).await?;
        let mut neighbours = relatives.join(record::neighbours(&record, key.year, own));
        // Nobody saw these files arrive.
        neighbours.publications.first_seen = None;
        let current = record::year(&record, key.year).and_then(record::current_revision);
        let own_hash = &neighbours.own.main_hash;
        let is_current = current.is_some_and(|current| current.content.main_hash == *own_hash);
        Ok(if is_current { neighbours } else { without_publications(neighbours) })
    }

    /// Returns the key that parse would give the report.
    fn key(&self, report: &Report) -> ReportKey {
        let asked = Asked {
            document_name: &report.agency,
            region: self.site.region,
            year: report.year,
            ..Asked::default()
        };
        let agency = gongkai_lifecycle::key::agency(&asked, &self.registry);
        let agency = agency.unwrap_or_else(|| AgencyKey::provisional(&report.agency, self.site.region));
        ReportKey { agency, year: report.year }
    }

    /// Returns the arrival of a file. Its path stands for the address, so that copies are held against each other.
    fn arrival(&self, read: &ReadReport<'_>, content_hash: &str) -> Arrival {
        let sequence = u64::from(read.number) + 1;
        Arrival {
            rank: Rank::new(OffsetDateTime::UNIX_EPOCH, sequence),
            event: sequence,
            content_hash: content_hash.to_owned(),
            url: read.file.to_owned(),
            received_at: OffsetDateTime::UNIX_EPOCH,
            published_at: None,
            region: self.site.region,
        }
    }
}

/// Returns a report in the form of the log and the object store, one after the other.
fn packed(reading: &Reading, key: &ReportKey) -> Vec<u8> {
    let header = halves::header(&reading.report, key, reading.media_type, ContentRef::default());
    let mut bytes = header.encode_length_delimited_to_vec();
    bytes.extend(halves::text(&reading.report).encode_length_delimited_to_vec());
    bytes
}

/// Reads the result of [`packed`] back.
fn unpacked(mut bytes: &[u8]) -> anyhow::Result<(Reading, ReportKey)> {
    let damaged = "the temporary database is damaged";
    let header = ParsedReport::decode_length_delimited(&mut bytes).context(damaged)?;
    let text = ParsedText::decode_length_delimited(&mut bytes).context(damaged)?;
    let key = halves::key(&header.name).context(damaged)?;
    let media_type: MediaType = header.media_type.parse().ok().context(damaged)?;
    let report = halves::report(header, text).context(damaged)?;
    Ok((Reading { media_type, report }, key))
}
