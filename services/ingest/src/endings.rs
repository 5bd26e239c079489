//! The ends of submissions that somebody is told of: the event that notify delivers to the `callback_url` of a site, and
//! rejections also to a subscription that has them.
//!
//! A site gets the events of submissions that were sent with its own credentials. A submission of another caller that
//! names the site's source or code is not one of them. The site is determined when the submission is accepted, and
//! stored with its receipt. The id of the event is derived from the submission and its final state. Every component
//! that learns of the end can therefore publish it, any number of times: a copy is dropped by the broker, or by
//! notify, which records deliveries.

use std::sync::Arc;

use crate::{
    config::Config,
    receipt::{ReceiptJson, state_name},
    state::is_final,
};
use gongkai_model::Region;
use gongkai_proto::{
    subjects::{self, Event},
    v1::{Receipt, Sender, SubmissionEnded, SubmissionState},
};
use gongkai_worker::Output;

/// The sites that get an event when their submissions end. None by default. Cheap to clone.
#[derive(Clone, Default)]
pub struct Endings {
    /// Names of the sites.
    sites: Arc<[String]>,
    rejections: Arc<[String]>,
    public_url: Arc<str>,
}

// === impl Endings ===

impl Endings {
    /// Reads the sites that have a `callback_url`.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let sites = config.sites.iter().filter(|(_, site)| site.callback_url.is_some());
        Self {
            sites: sites.map(|(name, _)| name.clone()).collect(),
            rejections: config.subscriptions.iter().flat_map(|known| known.rejections.clone()).collect(),
            public_url: config.public_url.trim_end_matches('/').into(),
        }
    }

    /// Returns the name of the site that gets the event for a submission of this sender, or an empty string. A renewal
    /// has no event of its own, because its sender has the receipt of the submission that it `renews`.
    #[must_use]
    pub fn site(&self, sender: Option<&Sender>, renews: &str) -> String {
        let site = sender.filter(|_| renews.is_empty()).map_or("", |sender| &sender.site);
        self.sites.iter().find(|name| *name == site).cloned().unwrap_or_default()
    }

    /// Adds the status URL, which depends on the serving instance and is therefore not stored.
    #[must_use]
    pub fn with_status_url(&self, receipt: Receipt) -> Receipt {
        let status_url = format!("{}/v1/submissions/{}", self.public_url, receipt.submission_id);
        Receipt { status_url, ..receipt }
    }

    /// Returns the event that a submission has ended, with its message id. Returns `None` if it has not ended or nobody
    /// gets the event: neither a site, nor a subscription to rejections.
    #[must_use]
    pub fn event(&self, receipt: Receipt, region: Region) -> Option<(String, Output)> {
        let is_rejected = receipt.state() == SubmissionState::Rejected;
        let is_subscribed = || is_rejected && subjects::has_rejections_of(&self.rejections, &receipt.site);
        if !is_final(&receipt) || receipt.callback_site.is_empty() && !is_subscribed() {
            return None;
        }
        let rejection = receipt.rejection.as_ref().filter(|_| is_rejected);
        let rejection_code = rejection.map(|rejection| rejection.code.clone()).unwrap_or_default();
        let id = format!("{}.ended.{}", receipt.submission_id, state_name(receipt.state()));
        let ended = SubmissionEnded {
            submission_id: receipt.submission_id.clone(),
            site: receipt.callback_site.clone(),
            rejection_code,
            sender_site: receipt.site.clone(),
            receipt: serde_json::to_string(&ReceiptJson::from(self.with_status_url(receipt)))
                .expect("a receipt has string keys and no maps"),
        };
        let event = Event::SubmissionEnded;
        let output = Output::new(event.subject(region), event.ce_type(), &ended);
        Some((id.clone(), Output { message_id: Some(id), ..output }))
    }
}

/// Returns the region of an event, which is the last token of its subject.
#[must_use]
pub fn region(subject: &str) -> Region {
    subject.rsplit('.').next().and_then(|token| token.parse().ok()).unwrap_or(Region::UNKNOWN)
}
