//! Lists submissions: by state, rejection code, site and time, the newest first.
//!
//! The first call of a replica starts to follow the bucket of receipts, and from then on the replica keeps an [`index`]
//! of them in memory, of bounded size. A page reads only the receipts that it shows. A replica that nobody asks follows
//! nothing.

mod index;
mod page;

use std::{
    sync::{Arc, OnceLock, PoisonError, RwLock},
    time::Duration,
};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use prost::Message as _;
use prost_types::Timestamp;
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use self::{
    index::{Index, Selection, id_of, name_of},
    page::PageTokens,
};
use crate::{
    config::Config,
    endings::Endings,
    error::{Code, Problem},
    receipt_store::ReceiptStore,
};
use gongkai_model::RejectionCode;
use gongkai_proto::{
    subjects::BUCKET_SUBMISSIONS,
    v1::{ListSubmissionsRequest, ListSubmissionsResponse, Receipt, SubmissionState},
};
use gongkai_worker::{
    OnFailure, Recurring, Runtime,
    transport::{Change, Error},
};

/// How long the first call waits until all receipts are indexed.
const PATIENCE: Duration = Duration::from_secs(20);
/// Pause before the bucket is followed again.
const PAUSE: Duration = Duration::from_secs(1);
/// Receipts that one page reads at once.
const READ_AHEAD: usize = 32;

/// Lists submissions. Cheap to clone.
#[derive(Clone)]
pub struct Listing {
    receipts: ReceiptStore,
    endings: Endings,
    runtime: Runtime,
    limit: usize,
    index: Arc<RwLock<Index>>,
    /// Holds true once the index has every receipt.
    followed: Arc<OnceLock<watch::Receiver<bool>>>,
}

// === impl Listing ===

impl Listing {
    /// Creates a list of the submissions that a runtime's broker knows.
    #[must_use]
    pub fn new(config: &Config, runtime: &Runtime) -> Self {
        let limit = config.listed_submissions;
        Self {
            receipts: ReceiptStore::new(runtime),
            endings: Endings::new(config),
            runtime: runtime.clone(),
            limit,
            index: Arc::new(RwLock::new(Index::new(limit))),
            followed: Arc::default(),
        }
    }

    /// Returns a page of the submissions of these sites, or of all if `None`.
    ///
    /// # Errors
    /// `INVALID_FIELD`; `NOT_YOURS` for another site; `OVERLOADED` while the receipts are being read for the first
    /// time; or the broker did not answer.
    pub async fn list(
        &self,
        sites: Option<Vec<String>>,
        request: &ListSubmissionsRequest,
    ) -> Result<ListSubmissionsResponse, Problem> {
        let size = page::size(request.page_size)?;
        let selection = selection(sites, request)?;
        let tokens = PageTokens::new(&question(&selection, request));
        let after = tokens.place(&request.page_token)?;
        self.until_followed().await?;
        let (places, has_more) =
            self.index.read().unwrap_or_else(PoisonError::into_inner).page(&selection, after, size);
        let next = places.last().filter(|_| has_more);
        let next_page_token = next.map(|last| tokens.token(*last)).unwrap_or_default();
        let ids: Vec<String> = places.iter().map(|place| name_of(place.id)).collect();
        let receipts = stream::iter(ids).map(|id| async move { self.receipts.resolve(&id).await });
        let receipts: Vec<Option<Receipt>> = receipts.buffered(READ_AHEAD).try_collect().await?;
        // A receipt may have changed since it was indexed.
        let is_wanted =
            |receipt: &Receipt| selection.states.is_empty() || selection.states.contains(&receipt.state());
        let submissions = receipts.into_iter().flatten().filter(is_wanted);
        let submissions = submissions.map(|receipt| self.endings.with_status_url(receipt)).collect();
        Ok(ListSubmissionsResponse { submissions, next_page_token })
    }

    /// Waits until every receipt is indexed. The first call starts that.
    async fn until_followed(&self) -> Result<(), Problem> {
        let mut followed = self.followed.get_or_init(|| self.follow()).clone();
        let is_followed = timeout(PATIENCE, followed.wait_for(|is_followed| *is_followed)).await;
        if matches!(is_followed, Ok(Ok(_))) {
            return Ok(());
        }
        Err(Problem::new(
            Code::Overloaded,
            "正在读取全部回执，请稍后再试",
            "all receipts are being read for the first list; call again soon",
        ))
    }

    fn follow(&self) -> watch::Receiver<bool> {
        let (following, followed) = watch::channel(false);
        let this = self.clone();
        let shutdown = self.runtime.shutdown();
        self.runtime.spawn("list of submissions", OnFailure::Log, async move {
            let failure = Recurring::new();
            let forever = async {
                loop {
                    let followed = this.follow_once(&following).await;
                    following.send_replace(false);
                    // The runtime logs outages.
                    if let Err(error) = followed
                        && !error.kind.is_outage()
                        && let Some(failures) = failure.due()
                    {
                        let error = &error as &dyn std::error::Error;
                        tracing::warn!(error, failures, "receipts not followed");
                    }
                    sleep(PAUSE).await;
                }
            };
            shutdown.run_until_cancelled(forever).await;
            Ok(())
        });
        followed
    }

    /// Reads every receipt and then follows their changes, until the broker ends that.
    async fn follow_once(&self, following: &watch::Sender<bool>) -> Result<(), Error> {
        let mut changes = self.runtime.entries(BUCKET_SUBMISSIONS).watch_all().await?;
        *self.index.write().unwrap_or_else(PoisonError::into_inner) = Index::new(self.limit);
        while let Some(change) = changes.next().await {
            match change? {
                Change::Entry { key, value } => self.index(&key, value),
                Change::Present => {
                    following.send_replace(true);
                }
            }
        }
        Ok(())
    }

    fn index(&self, key: &str, value: Option<bytes::Bytes>) {
        let Some(id) = id_of(key) else { return };
        let receipt = value.and_then(|value| Receipt::decode(value).ok());
        let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
        match receipt.filter(|receipt| !receipt.submission_id.is_empty()) {
            Some(receipt) => index.put(&receipt),
            None => index.remove(&id),
        }
    }
}

/// Returns what a request selects, within the caller's sites.
fn selection(sites: Option<Vec<String>>, request: &ListSubmissionsRequest) -> Result<Selection, Problem> {
    let ListSubmissionsRequest { states, rejection_codes, site, since, until, page_size: _, page_token: _ } =
        request;
    let state = |number: &i32| match SubmissionState::try_from(*number) {
        Ok(state) if state != SubmissionState::Unspecified => Ok(state),
        _ => Err(Problem::invalid("states", &number.to_string(), "须是已知的状态", "must be known states")),
    };
    for code in rejection_codes {
        if !RejectionCode::ALL.iter().any(|known| known.as_str() == code) {
            return Err(Problem::invalid("rejection_codes", code, "须是拒收代码", "must be rejection codes"));
        }
    }
    let sites = match (sites, site.as_str()) {
        (sites, "") => sites,
        (None, site) => Some(vec![site.to_owned()]),
        (Some(own), site) if own.iter().any(|own| own == site) => Some(vec![site.to_owned()]),
        (Some(_), _) => {
            return Err(Problem::new(
                Code::NotYours,
                "站点的令牌只能查看该站点自己的提交",
                "a site's token lists the submissions of this site only",
            ));
        }
    };
    Ok(Selection {
        states: states.iter().map(state).collect::<Result<_, _>>()?,
        codes: rejection_codes.clone(),
        sites,
        since_ms: since.map(millis_up),
        until_ms: until.map(|until| millis_up(until).saturating_sub(1)),
    })
}

/// Returns everything that a page token is bound to.
fn question(selection: &Selection, request: &ListSubmissionsRequest) -> Vec<u8> {
    let sites = selection.sites.clone().unwrap_or_default().join(",");
    let request = ListSubmissionsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    [request.encode_to_vec(), sites.into_bytes()].concat()
}

/// Returns a time in milliseconds, rounded up: arrivals are rounded down.
fn millis_up(at: Timestamp) -> i64 {
    at.seconds.saturating_mul(1000).saturating_add((i64::from(at.nanos) + 999_999) / 1_000_000)
}
