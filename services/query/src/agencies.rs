//! `gongkai.v1.AgencyService`: the registry, and the agencies that have reports but are not listed.

use std::collections::BTreeMap;

use futures::{StreamExt as _, TryStreamExt as _, stream::BoxStream};
use gongkai_agencies::{Agency, Registry, nature_of, read_csv};
use gongkai_model::{AgencyKey, AgencyProfile, Region};
use gongkai_proto::v1;
use gongkai_registry::{Following, RegistryStore};
use gongkai_store::{
    Cursor, ReportScope,
    query::{Key, ReportQuery},
};
use tonic::{Request, Response, Status};

use crate::{
    commands::Refiling,
    error::QueryError,
    name,
    page::{self, PageTokens},
    reads::Reads,
};

/// The only filter that is supported.
const PROVISIONAL: &str = "provisional = true";
/// Reports per read in the search for agencies that are not listed.
const BATCH: usize = 1000;

/// Implements `AgencyService`.
pub struct Agencies {
    store: RegistryStore,
    registry: Following,
    reads: Reads,
    refiling: Refiling,
}

impl Agencies {
    #[must_use]
    pub fn new(store: RegistryStore, registry: Following, reads: Reads, refiling: Refiling) -> Self {
        Self { store, registry, reads, refiling }
    }

    async fn get(&self, request: v1::GetAgencyRequest) -> Result<v1::Agency, QueryError> {
        let key = name::agency("name", &request.name)?;
        let key = key.ok_or(QueryError::InvalidName { field: "name", form: "agencies/{agency}" })?;
        if let Some(agency) = self.registry.current().map_err(QueryError::Broker)?.get(&key) {
            return Ok(listed(agency));
        }
        let query = ReportQuery {
            scope: ReportScope { agency: Some(key.clone()), year: None },
            limit: 1,
            ..ReportQuery::default()
        };
        let found = self.reads.run(move |store| store.reports(&query)).await?;
        let report = found.items.into_iter().next().ok_or(QueryError::AgencyNotFound(request.name))?;
        Ok(provisional(&key, &report.agency_name, report.origin.region))
    }

    async fn list(&self, request: v1::ListAgenciesRequest) -> Result<v1::ListAgenciesResponse, QueryError> {
        let tokens = PageTokens::new(&["ListAgencies", &request.filter]);
        let size = page::size(request.page_size)?;
        let after = match tokens.cursor(&request.page_token)? {
            None => None,
            Some(Cursor(keys)) => match <[Key; 1]>::try_from(keys) {
                Ok([Key::Text(code)]) => Some(code),
                _ => return Err(QueryError::InvalidPageToken),
            },
        };
        let all = match request.filter.trim() {
            "" => self
                .registry
                .current()
                .map_err(QueryError::Broker)?
                .iter()
                .map(|agency| (agency.code.clone(), listed(agency)))
                .collect(),
            filter if filter.split_whitespace().collect::<String>() == PROVISIONAL.replace(' ', "") => {
                self.unlisted().await?
            }
            _ => {
                let what = format!("only {PROVISIONAL} is known");
                return Err(QueryError::InvalidFilter { position: 1, what });
            }
        };
        let is_behind = |code: &AgencyKey| after.as_ref().is_none_or(|after| code.as_str() > after.as_str());
        let mut rest = all.into_iter().filter(|(code, _)| is_behind(code));
        let page: Vec<(AgencyKey, v1::Agency)> = rest.by_ref().take(size).collect();
        let last = page.last().filter(|_| rest.next().is_some());
        let next = last.map(|(code, _)| Cursor(vec![Key::Text(code.to_string())]));
        let agencies = page.iter().map(|(_, agency)| agency.clone()).collect();
        Ok(v1::ListAgenciesResponse { agencies, next_page_token: tokens.token(next) })
    }

    /// Returns the agencies that have reports and are not listed, by key.
    async fn unlisted(&self) -> Result<BTreeMap<AgencyKey, v1::Agency>, QueryError> {
        let registry = self.registry.current().map_err(QueryError::Broker)?;
        let mut found = BTreeMap::new();
        let mut after = None;
        loop {
            let query = ReportQuery { limit: BATCH, after: after.take(), ..ReportQuery::default() };
            let page = self.reads.run(move |store| store.reports(&query)).await?;
            for report in page.items {
                let key = report.key.agency.clone();
                if registry.get(&key).is_none() {
                    found.insert(key.clone(), provisional(&key, &report.agency_name, report.origin.region));
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(found);
            }
        }
    }

    async fn import(
        &self,
        request: v1::ImportAgenciesRequest,
    ) -> Result<v1::ImportAgenciesResponse, QueryError> {
        let registry = list_of(&request.csv)?;
        if !request.validate_only {
            self.store.put(&registry).await.map_err(QueryError::Broker)?;
        }
        Ok(v1::ImportAgenciesResponse { agencies: u32::try_from(registry.len()).unwrap_or(u32::MAX) })
    }
}

/// Reads a list.
fn list_of(csv: &[u8]) -> Result<Registry, QueryError> {
    read_csv(csv).map_err(|error| QueryError::InvalidRegistry(error.to_string()))
}

fn listed(agency: &Agency) -> v1::Agency {
    let day = |date: Option<time::Date>| date.map(|date| date.to_string()).unwrap_or_default();
    let alias = |alias: &gongkai_agencies::Alias| v1::AgencyAlias {
        name: alias.name.clone(),
        from: day(alias.from),
        to: day(alias.to),
    };
    v1::Agency {
        aliases: agency.aliases.iter().map(alias).collect(),
        deadline: agency.due_on().map(|day| day.to_string()).unwrap_or_default(),
        deadline_listed: agency.deadline.is_some(),
        contact: agency.contact.clone().unwrap_or_default(),
        channel: agency.channel.clone().unwrap_or_default(),
        ..of_profile(&agency.profile())
    }
}

fn provisional(key: &AgencyKey, agency_name: &str, region: Region) -> v1::Agency {
    let by_name = nature_of(agency_name);
    let profile = AgencyProfile::unlisted(key.clone(), agency_name, by_name, region);
    v1::Agency { provisional: true, ..of_profile(&profile) }
}

fn of_profile(profile: &AgencyProfile) -> v1::Agency {
    let name = |key: &AgencyKey| format!("agencies/{key}");
    v1::Agency {
        name: name(&profile.key),
        display_name: profile.name.clone(),
        parent: profile.parent.as_ref().map(name).unwrap_or_default(),
        level: profile.level.map(|level| level.as_str().to_owned()).unwrap_or_default(),
        kind: profile.kind.map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
        region: profile.region.to_string(),
        site_domain: profile.site_domain.clone().unwrap_or_default(),
        ..v1::Agency::default()
    }
}

#[tonic::async_trait]
impl v1::agency_service_server::AgencyService for Agencies {
    type RefileReportsStream = BoxStream<'static, Result<v1::RefiledReport, Status>>;

    async fn refile_reports(
        &self,
        request: Request<v1::RefileReportsRequest>,
    ) -> Result<Response<Self::RefileReportsStream>, Status> {
        let v1::RefileReportsRequest { csv, validate_only } = request.into_inner();
        let list = match csv.is_empty() {
            true => self.store.read().await.map_err(QueryError::Broker)?,
            false if validate_only => list_of(&csv)?,
            false => return Err(QueryError::InvalidRegistry("import the list first".to_owned()).into()),
        };
        let reports = self.refiling.clone().reports(list, validate_only).await?;
        Ok(Response::new(reports.map_err(Status::from).boxed()))
    }

    async fn get_agency(
        &self,
        request: Request<v1::GetAgencyRequest>,
    ) -> Result<Response<v1::Agency>, Status> {
        Ok(Response::new(self.get(request.into_inner()).await?))
    }

    async fn list_agencies(
        &self,
        request: Request<v1::ListAgenciesRequest>,
    ) -> Result<Response<v1::ListAgenciesResponse>, Status> {
        Ok(Response::new(self.list(request.into_inner()).await?))
    }

    async fn import_agencies(
        &self,
        request: Request<v1::ImportAgenciesRequest>,
    ) -> Result<Response<v1::ImportAgenciesResponse>, Status> {
        Ok(Response::new(self.import(request.into_inner()).await?))
    }
}
