//! Has documents read again that parse rejected by an older list of agencies than the newest one.
//!
//! A call of [`Refiling`](super::Refiling) finds the rejected documents of the read model. One whose rejection is stored after
//! that was rejected by a parse that did not follow the list yet, or its event was late. So each rejection is compared with the
//! newest list once it is stored: either the comparison sees the list, or the list was stored later, and the call that settles it
//! finds the rejection. A document that is read again and rejected again causes no event, so there is no loop.

use gongkai_agencies::Registry;
use gongkai_model::{AgencyKey, RejectionCode};
use gongkai_proto::v1::{DocumentReceived, ReportRejected, Rereading};
use gongkai_registry::RegistryStore;
use gongkai_worker::{Output, Runtime, transport};

use super::rereading::{read_again, received};

/// Compares rejections with the newest list. Cheap to clone.
#[derive(Clone)]
pub struct LateRejections {
    runtime: Runtime,
    lists: RegistryStore,
}

impl LateRejections {
    #[must_use]
    pub fn new(runtime: Runtime, lists: RegistryStore) -> Self {
        Self { runtime, lists }
    }

    /// Returns the message that has a rejected document read again, if the newest list may decide otherwise than the one by which
    /// it was rejected. `sequence` is that of the rejection, which must be in the read model already.
    ///
    /// # Errors
    /// The broker did not answer, or lost a list. Calling again is harmless.
    pub async fn read_again(
        &self,
        rejected: &ReportRejected,
        sequence: u64,
    ) -> Result<Option<Output>, transport::Error> {
        if !depends_on_list(rejected) {
            return Ok(None);
        }
        let newest = self.lists.newest().await?;
        if newest == rejected.registry {
            return Ok(None);
        }
        let arrival = rejected.origin.as_ref().map_or(0, |origin| origin.received_sequence);
        let Some(received) = received(&self.runtime, arrival).await? else { return Ok(None) };
        let (before, list) = (self.lists.named(&rejected.registry).await?, self.lists.named(&newest).await?);
        let is_due = may_settle(rejected, &received, &before, &list);
        Ok(is_due.then(|| read_again(received, rereading(rejected, &list), sequence)))
    }
}

/// Returns what is said of a rejected document that is read again by a list.
pub(super) fn rereading(rejected: &ReportRejected, list: &Registry) -> Rereading {
    let origin = rejected.origin.as_ref();
    Rereading {
        received_sequence: origin.map_or(0, |origin| origin.received_sequence),
        effective_at: origin.and_then(|origin| origin.effective_at),
        registry: list.name().to_owned(),
        ..Rereading::default()
    }
}

/// Returns true if a list may decide otherwise about a rejection than the one before it: the declared code is listed now, or the
/// report may be another one, whose agency is one of the sender's site.
pub(super) fn may_settle(
    rejected: &ReportRejected,
    received: &DocumentReceived,
    before: &Registry,
    list: &Registry,
) -> bool {
    match code(rejected) {
        Some(RejectionCode::NoIdentity) => {
            let code = received.agency.as_ref().map_or("", |agency| &agency.code);
            AgencyKey::from_code(code)
                .is_ok_and(|code| list.get(&code).is_some() && before.get(&code).is_none())
        }
        Some(RejectionCode::NotYours) => true,
        _ => false,
    }
}

fn depends_on_list(rejected: &ReportRejected) -> bool {
    matches!(code(rejected), Some(RejectionCode::NoIdentity | RejectionCode::NotYours))
}

fn code(rejected: &ReportRejected) -> Option<RejectionCode> {
    rejected.rejection.as_ref()?.code.parse().ok()
}
