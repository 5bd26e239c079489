//! `gongkai.v1.AlertService`: waivers. [`commands`](crate::commands) makes changes; the list is read from the store.

use gongkai_proto::v1;
use gongkai_store::query::WaiverQuery;
use tonic::{Request, Response, Status};

use crate::answer;
use crate::commands::WaiverCommands;
use crate::error::QueryError;
use crate::name;
use crate::page::{self, PageTokens};
use crate::reads::Reads;

/// Implements `AlertService`.
pub struct Alerts {
    commands: WaiverCommands,
    reads: Reads,
}

impl Alerts {
    #[must_use]
    pub fn new(commands: WaiverCommands, reads: Reads) -> Self {
        Self { commands, reads }
    }

    async fn list(&self, request: v1::ListWaiversRequest) -> Result<v1::ListWaiversResponse, QueryError> {
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
}

#[tonic::async_trait]
impl v1::alert_service_server::AlertService for Alerts {
    async fn create_waiver(
        &self,
        request: Request<v1::CreateWaiverRequest>,
    ) -> Result<Response<v1::Waiver>, Status> {
        Ok(Response::new(self.commands.create(request.into_inner()).await?))
    }

    async fn revoke_waiver(
        &self,
        request: Request<v1::RevokeWaiverRequest>,
    ) -> Result<Response<v1::Waiver>, Status> {
        Ok(Response::new(self.commands.revoke(request.into_inner()).await?))
    }

    async fn list_waivers(
        &self,
        request: Request<v1::ListWaiversRequest>,
    ) -> Result<Response<v1::ListWaiversResponse>, Status> {
        Ok(Response::new(self.list(request.into_inner()).await?))
    }
}
