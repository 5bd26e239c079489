//! Dead letters: messages that a service could not handle, as operators see them.
//!
//! [`index`] reads their stream, [`answer`] and [`payload`] turn them into answers without personal data, [`trial`] tells whether
//! the present program would handle their messages, and [`Operations`] serves them. [`crate::commands`] replays and drops them.
//! DESIGN.md says why the stream is the only record of them.

pub mod answer;
pub mod index;
pub mod payload;
mod summary;
pub mod trial;

use std::collections::HashMap;

use futures::{StreamExt as _, TryStreamExt as _, stream::BoxStream};
use gongkai_proto::{convert::timestamp, v1};
use tonic::{Request, Response, Status};

use self::index::{Letters, Standing};
use crate::commands::{DeadLetterCommands, Reprocessing, ReprocessingOrder};
use crate::error::QueryError;
use crate::filter::fields;
use crate::name;
use crate::page::{self, PageTokens};

/// Maximum number of dead letters that a request names.
const MAX_NAMES: usize = 1000;

/// Implements `OperationsService`.
pub struct Operations {
    letters: Letters,
    commands: DeadLetterCommands,
    reprocessing: Reprocessing,
}

impl Operations {
    #[must_use]
    pub fn new(letters: Letters, commands: DeadLetterCommands, reprocessing: Reprocessing) -> Self {
        Self { letters, commands, reprocessing }
    }

    async fn list(
        &self,
        request: v1::ListDeadLettersRequest,
    ) -> Result<v1::ListDeadLettersResponse, QueryError> {
        let tokens = PageTokens::new(&["ListDeadLetters", &request.filter]);
        let before = page::sequence(tokens.cursor(&request.page_token)?)?;
        let size = page::size(request.page_size)?;
        let found = self.matching(&request.filter).await?;
        let rows = found.iter().rev().filter(|found| found.sequence < before);
        let (page, next) = page::newest_first(rows, size, |found| found.sequence);
        Ok(v1::ListDeadLettersResponse {
            next_page_token: tokens.token(next),
            dead_letters: page.into_iter().map(answer::listed).collect(),
        })
    }

    async fn get(&self, request: v1::GetDeadLetterRequest) -> Result<v1::BuriedMessage, QueryError> {
        let sequence = name::dead_letter("name", &request.name)?;
        let unknown = || QueryError::DeadLetterNotFound(request.name.clone());
        let all = self.letters.all().await.map_err(QueryError::Broker)?;
        let found = all.into_iter().find(|found| found.sequence == sequence).ok_or_else(unknown)?;
        let buried = self.letters.load(sequence).await.map_err(QueryError::Broker)?.ok_or_else(unknown)?;
        Ok(answer::whole(&found, &buried.letter))
    }

    async fn summarize(
        &self,
        request: v1::SummarizeDeadLettersRequest,
    ) -> Result<v1::SummarizeDeadLettersResponse, QueryError> {
        let found = self.matching(&request.filter).await?;
        Ok(v1::SummarizeDeadLettersResponse { groups: summary::groups(&found) })
    }

    /// Returns the named dead letters, or the open ones that a filter selects, oldest first.
    async fn selected(&self, names: &[String], filter: &str) -> Result<Vec<Standing>, QueryError> {
        if names.is_empty() == filter.trim().is_empty() || names.len() > MAX_NAMES {
            return Err(QueryError::InvalidSelection { most: MAX_NAMES });
        }
        if names.is_empty() {
            let mut found = self.matching(filter).await?;
            found.retain(|found| found.settled.is_none());
            return Ok(found);
        }
        let all = self.letters.all().await.map_err(QueryError::Broker)?;
        let all: HashMap<u64, Standing> = all.into_iter().map(|found| (found.sequence, found)).collect();
        let one = |name: &String| {
            let found = all.get(&name::dead_letter("names", name)?).cloned();
            found.ok_or_else(|| QueryError::DeadLetterNotFound(name.clone()))
        };
        let mut found: Vec<Standing> = names.iter().map(one).collect::<Result<_, _>>()?;
        found.sort_by_key(|found| found.sequence);
        found.dedup_by_key(|found| found.sequence);
        Ok(found)
    }

    /// Returns the dead letters that a filter selects, oldest first.
    async fn matching(&self, filter: &str) -> Result<Vec<Standing>, QueryError> {
        let conditions = fields::dead_letters(filter)?;
        let mut all = self.letters.all().await.map_err(QueryError::Broker)?;
        all.retain(|found| conditions.iter().all(|condition| found.meets(condition)));
        Ok(all)
    }
}

/// Returns the stage of a request.
///
/// # Errors
/// The number is not that of a stage.
fn stage(request: &v1::ReprocessReportsRequest) -> Result<v1::Stage, QueryError> {
    match v1::Stage::try_from(request.stage) {
        Ok(v1::Stage::Unspecified) => Ok(v1::Stage::Parse),
        Ok(stage) => Ok(stage),
        Err(_) => Err(QueryError::InvalidStage),
    }
}

#[tonic::async_trait]
impl v1::operations_service_server::OperationsService for Operations {
    type ReplayDeadLettersStream = BoxStream<'static, Result<v1::ReplayedDeadLetter, Status>>;
    type ReprocessReportsStream = BoxStream<'static, Result<v1::ReprocessedReport, Status>>;

    async fn replay_dead_letters(
        &self,
        request: Request<v1::ReplayDeadLettersRequest>,
    ) -> Result<Response<Self::ReplayDeadLettersStream>, Status> {
        let request = request.into_inner();
        let selected = self.selected(&request.names, &request.filter).await?;
        let commands = self.commands.clone();
        let done = match request.validate_only {
            true => commands.tried(selected).map_err(Status::from).boxed(),
            false => commands.replay(selected, &request)?.map_err(Status::from).boxed(),
        };
        Ok(Response::new(done))
    }

    async fn drop_dead_letters(
        &self,
        request: Request<v1::DropDeadLettersRequest>,
    ) -> Result<Response<v1::DropDeadLettersResponse>, Status> {
        let request = request.into_inner();
        let selected = self.selected(&request.names, &request.filter).await?;
        Ok(Response::new(self.commands.drop_all(selected, &request).await?))
    }

    async fn reprocess_reports(
        &self,
        request: Request<v1::ReprocessReportsRequest>,
    ) -> Result<Response<Self::ReprocessReportsStream>, Status> {
        let request = request.into_inner();
        let order = ReprocessingOrder {
            scope: name::reports("parent", &request.parent)?,
            since: timestamp::optional(request.since, "since").map_err(|_| QueryError::InvalidTime)?,
            stage: stage(&request)?,
            only_named: request.validate_only,
        };
        let reports = self.reprocessing.clone().reports(order).await?;
        Ok(Response::new(reports.map_err(Status::from).boxed()))
    }

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
