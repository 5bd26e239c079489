//! Dead letters: messages that a service could not handle, as operators see them.
//!
//! [`index`] reads their stream, [`answer`] and [`payload`] turn them into answers without personal data, [`Operations`]
//! serves them. DESIGN.md says why the stream is the only record of them.

pub mod answer;
pub mod index;
pub mod payload;
mod summary;

use gongkai_proto::v1;
use gongkai_store::{Cursor, query::Key};
use gongkai_worker::Runtime;
use tonic::{Request, Response, Status};

use self::index::{Letters, Standing};
use crate::error::QueryError;
use crate::filter::fields;
use crate::name;
use crate::page::{self, PageTokens};

/// Implements `OperationsService`.
pub struct Operations {
    letters: Letters,
}

impl Operations {
    #[must_use]
    pub fn new(runtime: &Runtime) -> Self {
        Self { letters: Letters::new(runtime.clone()) }
    }

    async fn list(
        &self,
        request: v1::ListDeadLettersRequest,
    ) -> Result<v1::ListDeadLettersResponse, QueryError> {
        let tokens = PageTokens::new(&["ListDeadLetters", &request.filter]);
        let before = match tokens.cursor(&request.page_token)? {
            None => u64::MAX,
            Some(Cursor(keys)) => match keys.as_slice() {
                [Key::Integer(sequence)] => {
                    u64::try_from(*sequence).map_err(|_| QueryError::InvalidPageToken)?
                }
                _ => return Err(QueryError::InvalidPageToken),
            },
        };
        let size = page::size(request.page_size)?;
        let found = self.matching(&request.filter).await?;
        let mut page: Vec<&Standing> =
            found.iter().rev().filter(|found| found.sequence < before).take(size + 1).collect();
        let has_more = page.len() > size;
        page.truncate(size);
        let last = page.last().filter(|_| has_more).and_then(|last| i64::try_from(last.sequence).ok());
        Ok(v1::ListDeadLettersResponse {
            next_page_token: tokens.token(last.map(|last| Cursor(vec![Key::Integer(last)]))),
            dead_letters: page.into_iter().map(answer::listed).collect(),
        })
    }

    async fn get(&self, request: v1::GetDeadLetterRequest) -> Result<v1::BuriedMessage, QueryError> {
        let sequence = name::dead_letter("name", &request.name)?;
        let unknown = || QueryError::DeadLetterNotFound(request.name.clone());
        let all = self.letters.all().await.map_err(QueryError::Broker)?;
        let found = all.into_iter().find(|found| found.sequence == sequence).ok_or_else(unknown)?;
        let letter = self.letters.load(sequence).await.map_err(QueryError::Broker)?.ok_or_else(unknown)?;
        Ok(answer::whole(&found, &letter))
    }

    async fn summarize(
        &self,
        request: v1::SummarizeDeadLettersRequest,
    ) -> Result<v1::SummarizeDeadLettersResponse, QueryError> {
        let found = self.matching(&request.filter).await?;
        Ok(v1::SummarizeDeadLettersResponse { groups: summary::groups(&found) })
    }

    /// Returns the dead letters that a filter selects, oldest first.
    async fn matching(&self, filter: &str) -> Result<Vec<Standing>, QueryError> {
        let conditions = fields::dead_letters(filter)?;
        let mut all = self.letters.all().await.map_err(QueryError::Broker)?;
        all.retain(|found| conditions.iter().all(|condition| found.meets(condition)));
        Ok(all)
    }
}

#[tonic::async_trait]
impl v1::operations_service_server::OperationsService for Operations {
    async fn list_dead_letters(
        &self,
        request: Request<v1::ListDeadLettersRequest>,
    ) -> Result<Response<v1::ListDeadLettersResponse>, Status> {
        Ok(Response::new(self.list(request.into_inner()).await?))
    }

    async fn get_dead_letter(
        &self,
        request: Request<v1::GetDeadLetterRequest>,
    ) -> Result<Response<v1::BuriedMessage>, Status> {
        Ok(Response::new(self.get(request.into_inner()).await?))
    }

    async fn summarize_dead_letters(
        &self,
        request: Request<v1::SummarizeDeadLettersRequest>,
    ) -> Result<Response<v1::SummarizeDeadLettersResponse>, Status> {
        Ok(Response::new(self.summarize(request.into_inner()).await?))
    }
}
