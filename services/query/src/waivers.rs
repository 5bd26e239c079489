//! `gongkai.v1.AlertService`: what people decide about findings. Decisions are [`commands`](crate::commands); the rest is read.

use gongkai_proto::v1;
use gongkai_store::query::WaiverQuery;
use tonic::{Request, Response, Status};

use crate::answer;
use crate::commands::Waiving;
use crate::error::QueryError;
use crate::name;
use crate::page::{self, Question};
use crate::reads::Reads;

/// The service.
pub struct Waivers {
    waiving: Waiving,
    reads: Reads,
}

impl Waivers {
    /// Hands decisions to `waiving`, answers from the read model.
    #[must_use]
    pub fn new(waiving: Waiving, reads: Reads) -> Self {
        Self { waiving, reads }
    }

    async fn list(&self, request: v1::ListWaiversRequest) -> Result<v1::ListWaiversResponse, QueryError> {
        let question = Question::new(&["ListWaivers", &request.parent]);
        let query = WaiverQuery {
            scope: name::reports("parent", &request.parent)?,
            fingerprint: None,
            limit: page::size(request.page_size)?,
            after: question.cursor(&request.page_token)?,
        };
        let found = self.reads.run(move |store| store.waivers(&query)).await?;
        let waivers = found.items.iter().map(answer::waiver).collect();
        Ok(v1::ListWaiversResponse { waivers, next_page_token: question.token(found.next) })
    }
}

#[tonic::async_trait]
impl v1::alert_service_server::AlertService for Waivers {
    async fn create_waiver(
        &self,
        request: Request<v1::CreateWaiverRequest>,
    ) -> Result<Response<v1::Waiver>, Status> {
        Ok(Response::new(self.waiving.create(request.into_inner()).await?))
    }

    async fn revoke_waiver(
        &self,
        request: Request<v1::RevokeWaiverRequest>,
    ) -> Result<Response<v1::Waiver>, Status> {
        Ok(Response::new(self.waiving.revoke(request.into_inner()).await?))
    }

    async fn list_waivers(
        &self,
        request: Request<v1::ListWaiversRequest>,
    ) -> Result<Response<v1::ListWaiversResponse>, Status> {
        Ok(Response::new(self.list(request.into_inner()).await?))
    }
}
