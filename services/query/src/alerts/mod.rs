//! `gongkai.v1.AlertService`: alerts and their acknowledgements, and waivers. [`commands`](crate::commands) makes changes.
//! Waivers are listed from the store, alerts from [`index`], and [`standing`] says what became of each.

pub mod index;
pub mod standing;

use gongkai_proto::v1;
use gongkai_store::query::WaiverQuery;
use tonic::{Request, Response, Status};

use self::index::AlertIndex;
use self::standing::Standing;
use crate::answer;
use crate::commands::{AcknowledgementCommands, WaiverCommands};
use crate::error::QueryError;
use crate::filter::fields;
use crate::name;
use crate::page::{self, PageTokens};
use crate::reads::Reads;

/// Implements `AlertService`.
pub struct Alerts {
    waivers: WaiverCommands,
    acknowledgements: AcknowledgementCommands,
    index: AlertIndex,
    reads: Reads,
}

impl Alerts {
    #[must_use]
    pub fn new(
        waivers: WaiverCommands,
        acknowledgements: AcknowledgementCommands,
        index: AlertIndex,
        reads: Reads,
    ) -> Self {
        Self { waivers, acknowledgements, index, reads }
    }

    async fn waivers(&self, request: v1::ListWaiversRequest) -> Result<v1::ListWaiversResponse, QueryError> {
        let tokens = PageTokens::new(&["ListWaivers", &request.parent]);
        let query = WaiverQuery {
            scope: name::reports("parent", &request.parent)?,
            fingerprint: None,
            limit: page::size(request.page_size)?,
            after: tokens.cursor(&request.page_token)?,
        };
        let found = self.reads.run(move |store| store.waivers(&query)).await?;
        let waivers = found.items.iter().map(answer::waiver).collect();
        Ok(v1::ListWaiversResponse { waivers, next_page_token: tokens.token(found.next) })
    }

    async fn alerts(&self, request: v1::ListAlertsRequest) -> Result<v1::ListAlertsResponse, QueryError> {
        let tokens = PageTokens::new(&["ListAlerts", &request.filter, &request.show_resolved.to_string()]);
        let before = page::sequence(tokens.cursor(&request.page_token)?)?;
        let size = page::size(request.page_size)?;
        let conditions = fields::alerts(&request.filter)?;
        let is_wanted = |found: &Standing| {
            found.opened < before
                && (found.is_open || request.show_resolved)
                && conditions.iter().all(|condition| found.meets(condition))
        };
        let mut found = self.index.matching(is_wanted).await.map_err(QueryError::Broker)?;
        found.sort_by_key(|found| std::cmp::Reverse(found.opened));
        let (found, next) = page::newest_first(found.into_iter(), size, |found| found.opened);
        let alerts = self.index.load(&found).await.map_err(QueryError::Broker)?;
        Ok(v1::ListAlertsResponse {
            alerts: found.iter().zip(alerts).map(|(found, alert)| found.record(alert)).collect(),
            next_page_token: tokens.token(next),
        })
    }

    async fn alert(&self, request: v1::GetAlertRequest) -> Result<v1::AlertRecord, QueryError> {
        let id = name::alert("name", &request.name)?;
        let found = self.index.find(id).await.map_err(QueryError::Broker)?;
        let found = found.ok_or_else(|| QueryError::AlertNotFound(request.name.clone()))?;
        let whole = self.index.load(std::slice::from_ref(&found)).await.map_err(QueryError::Broker)?;
        let record = found.record(whole.into_iter().next().unwrap_or_default());
        Ok(v1::AlertRecord { history: found.history(), ..record })
    }
}

#[tonic::async_trait]
impl v1::alert_service_server::AlertService for Alerts {
    async fn create_waiver(
        &self,
        request: Request<v1::CreateWaiverRequest>,
    ) -> Result<Response<v1::Waiver>, Status> {
        Ok(Response::new(self.waivers.create(request.into_inner()).await?))
    }

    async fn revoke_waiver(
        &self,
        request: Request<v1::RevokeWaiverRequest>,
    ) -> Result<Response<v1::Waiver>, Status> {
        Ok(Response::new(self.waivers.revoke(request.into_inner()).await?))
    }

    async fn list_waivers(
        &self,
        request: Request<v1::ListWaiversRequest>,
    ) -> Result<Response<v1::ListWaiversResponse>, Status> {
        Ok(Response::new(self.waivers(request.into_inner()).await?))
    }

    async fn list_alerts(
        &self,
        request: Request<v1::ListAlertsRequest>,
    ) -> Result<Response<v1::ListAlertsResponse>, Status> {
        Ok(Response::new(self.alerts(request.into_inner()).await?))
    }

    async fn get_alert(
        &self,
        request: Request<v1::GetAlertRequest>,
    ) -> Result<Response<v1::AlertRecord>, Status> {
        Ok(Response::new(self.alert(request.into_inner()).await?))
    }

    async fn acknowledge_alert(
        &self,
        request: Request<v1::AcknowledgeAlertRequest>,
    ) -> Result<Response<v1::Acknowledgement>, Status> {
        Ok(Response::new(self.acknowledgements.acknowledge(request.into_inner()).await?))
    }
}
