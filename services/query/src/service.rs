//! `gongkai.v1.ReportService`: validates requests, reads the store, converts the answers.

use gongkai_model::ReportKey;
use gongkai_proto::convert::timestamp;
use gongkai_proto::v1::report_service_server::ReportService;
use gongkai_proto::v1::{
    ExplainFindingRequest, FindingExplanation, GetReportRequest, ListFindingsRequest, ListFindingsResponse,
    ListReportsRequest, ListReportsResponse, ListRevisionsRequest, ListRevisionsResponse, QueryFactsRequest,
    QueryFactsResponse, Report, WatchReportsRequest,
};
use gongkai_store::query::{FactQuery, FindingOrder, FindingQuery, ReportOrder, ReportQuery};
use gongkai_store::{ReportScope, Store};
use tonic::{Request, Response, Status};

use crate::answer;
use crate::error::QueryError;
use crate::filter::fields;
use crate::name;
use crate::page::{self, PageTokens};
use crate::reads::Reads;
use crate::watch::{self, Watchers};

/// Implements `ReportService`.
pub struct Reports {
    reads: Reads,
    watchers: Watchers,
}

impl Reports {
    #[must_use]
    pub fn new(reads: Reads, watchers: Watchers) -> Self {
        Self { reads, watchers }
    }

    async fn get(&self, request: GetReportRequest) -> Result<Report, QueryError> {
        let key = name::report("name", &request.name)?;
        let as_of = timestamp::optional(request.as_of, "as_of").map_err(|_| QueryError::InvalidTime)?;
        let read = move |store: &dyn Store| match store.report(&key, as_of)? {
            Some(report) => Ok(Ok(report)),
            None => Ok(Err(Absence::of(store, &key)?)),
        };
        match self.reads.run(read).await? {
            Ok(report) => Ok(answer::report(report)),
            Err(absence) => Err(absence.error(request.name)),
        }
    }

    async fn list(&self, request: ListReportsRequest) -> Result<ListReportsResponse, QueryError> {
        let tokens = PageTokens::new(&["ListReports", &request.parent, &request.filter, &request.order_by]);
        let (order, descending) = report_order(&request.order_by)?;
        let query = ReportQuery {
            scope: ReportScope { agency: name::agency("parent", &request.parent)?, year: None },
            conditions: fields::reports(&request.filter)?,
            order,
            descending,
            limit: page::size(request.page_size)?,
            after: tokens.cursor(&request.page_token)?,
        };
        let found = self.reads.run(move |store| store.reports(&query)).await?;
        let reports = found.items.into_iter().map(answer::revision).collect();
        Ok(ListReportsResponse { reports, next_page_token: tokens.token(found.next) })
    }

    async fn revisions(&self, request: ListRevisionsRequest) -> Result<ListRevisionsResponse, QueryError> {
        let tokens = PageTokens::new(&["ListRevisions", &request.parent]);
        let key = name::report("parent", &request.parent)?;
        let limit = page::size(request.page_size)?;
        let after = tokens.cursor(&request.page_token)?;
        let is_first = after.is_none();
        let read = move |store: &dyn Store| {
            let found = store.revisions(&key, after.as_ref(), limit)?;
            let is_missing = is_first && found.items.is_empty();
            let absence = if is_missing { Some(Absence::of(store, &key)?) } else { None };
            Ok((found, absence))
        };
        let (found, absence) = self.reads.run(read).await?;
        if let Some(absence) = absence {
            return Err(absence.error(request.parent));
        }
        let revisions = found.items.into_iter().map(answer::revision).collect();
        Ok(ListRevisionsResponse { revisions, next_page_token: tokens.token(found.next) })
    }

    async fn findings(&self, request: ListFindingsRequest) -> Result<ListFindingsResponse, QueryError> {
        let tokens = PageTokens::new(&["ListFindings", &request.parent, &request.filter, &request.order_by]);
        let (order, descending) = finding_order(&request.order_by)?;
        let query = FindingQuery {
            scope: name::reports("parent", &request.parent)?,
            conditions: fields::findings(&request.filter)?,
            order,
            descending,
            limit: page::size(request.page_size)?,
            after: tokens.cursor(&request.page_token)?,
        };
        let found = self.reads.run(move |store| store.findings(&query)).await?;
        let findings = found.items.into_iter().map(answer::finding).collect();
        Ok(ListFindingsResponse { findings, next_page_token: tokens.token(found.next) })
    }

    async fn explain(&self, request: ExplainFindingRequest) -> Result<FindingExplanation, QueryError> {
        let (key, fingerprint) = name::finding("name", &request.name)?;
        let found = self.reads.run(move |store| store.explained(&key, &fingerprint)).await?;
        found.map(answer::explanation).ok_or(QueryError::FindingNotFound(request.name))
    }

    async fn facts(&self, request: QueryFactsRequest) -> Result<QueryFactsResponse, QueryError> {
        let tokens = PageTokens::new(&["QueryFacts", &request.parent, &request.filter]);
        let query = FactQuery {
            scope: name::reports("parent", &request.parent)?,
            conditions: fields::facts(&request.filter)?,
            limit: page::size(request.page_size)?,
            after: tokens.cursor(&request.page_token)?,
        };
        let found = self.reads.run(move |store| store.facts(&query)).await?;
        let facts = found.items.iter().map(answer::fact).collect();
        Ok(QueryFactsResponse { facts, next_page_token: tokens.token(found.next) })
    }
}

/// Why there is no report of a name.
enum Absence {
    Unknown,
    Erased,
    Moved(ReportKey),
}

impl Absence {
    fn of(store: &dyn Store, key: &ReportKey) -> Result<Self, gongkai_store::Error> {
        if store.erased_at(key)?.is_some() {
            return Ok(Self::Erased);
        }
        Ok(store.moved_to(key)?.map_or(Self::Unknown, Self::Moved))
    }

    fn error(self, name: String) -> QueryError {
        match self {
            Self::Unknown => QueryError::ReportNotFound(name),
            Self::Erased => QueryError::ReportErased(name),
            Self::Moved(to) => QueryError::ReportMoved(name, to.to_string()),
        }
    }
}

fn report_order(order_by: &str) -> Result<(ReportOrder, bool), QueryError> {
    let (field, descending) = direction(order_by);
    let order = match field {
        "" | "name" => ReportOrder::Name,
        "year" => ReportOrder::Year,
        "agency_name" => ReportOrder::AgencyName,
        "received_at" => ReportOrder::ReceivedAt,
        _ => return Err(QueryError::InvalidOrderBy { known: "name, year, agency_name, received_at" }),
    };
    Ok((order, descending))
}

fn finding_order(order_by: &str) -> Result<(FindingOrder, bool), QueryError> {
    let (field, descending) = direction(order_by);
    let order = match field {
        "" | "report" => FindingOrder::Report,
        "severity" => FindingOrder::Severity,
        _ => return Err(QueryError::InvalidOrderBy { known: "report, severity" }),
    };
    Ok((order, descending))
}

fn direction(order_by: &str) -> (&str, bool) {
    let order_by = order_by.trim();
    match order_by.strip_suffix(" desc") {
        Some(field) => (field.trim_end(), true),
        None => (order_by, false),
    }
}

#[tonic::async_trait]
impl ReportService for Reports {
    async fn get_report(&self, request: Request<GetReportRequest>) -> Result<Response<Report>, Status> {
        Ok(Response::new(self.get(request.into_inner()).await?))
    }

    async fn list_reports(
        &self,
        request: Request<ListReportsRequest>,
    ) -> Result<Response<ListReportsResponse>, Status> {
        Ok(Response::new(self.list(request.into_inner()).await?))
    }

    async fn list_revisions(
        &self,
        request: Request<ListRevisionsRequest>,
    ) -> Result<Response<ListRevisionsResponse>, Status> {
        Ok(Response::new(self.revisions(request.into_inner()).await?))
    }

    async fn list_findings(
        &self,
        request: Request<ListFindingsRequest>,
    ) -> Result<Response<ListFindingsResponse>, Status> {
        Ok(Response::new(self.findings(request.into_inner()).await?))
    }

    async fn explain_finding(
        &self,
        request: Request<ExplainFindingRequest>,
    ) -> Result<Response<FindingExplanation>, Status> {
        Ok(Response::new(self.explain(request.into_inner()).await?))
    }

    async fn query_facts(
        &self,
        request: Request<QueryFactsRequest>,
    ) -> Result<Response<QueryFactsResponse>, Status> {
        Ok(Response::new(self.facts(request.into_inner()).await?))
    }

    type WatchReportsStream = watch::WatchStream;

    async fn watch_reports(
        &self,
        request: Request<WatchReportsRequest>,
    ) -> Result<Response<watch::WatchStream>, Status> {
        let request = request.into_inner();
        let agency = name::agency("parent", &request.parent)?;
        Ok(Response::new(self.watchers.start(agency, &request.resume_token).await?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders() {
        assert_eq!(report_order("").unwrap(), (ReportOrder::Name, false));
        assert_eq!(report_order("received_at desc").unwrap(), (ReportOrder::ReceivedAt, true));
        assert_eq!(finding_order(" severity  desc ").unwrap(), (FindingOrder::Severity, true));
        for bad in ["title", "name asc", "desc", "year,name"] {
            assert!(report_order(bad).is_err(), "{bad}");
        }
    }
}
