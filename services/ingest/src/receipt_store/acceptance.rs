//! The records of acceptance: the calls under each id, the last submission of each content, and the submissions at
//! each place.

use futures::future::try_join_all;
use gongkai_model::ReportKey;
use gongkai_proto::v1::{self, Receipt, WithdrawalHit};
use gongkai_worker::{record_store::Versioned, transport::Error};

use super::ReceiptStore;
use crate::{
    calls::{Attempt, CallJudgement, CallRecord, CallStatement},
    places::{LastAccepted, PlaceRecord, Unfinished},
    submission::digest,
};

/// Code of a withdrawal that applies to nothing that was submitted here.
const UNKNOWN_ADDRESS: &str = "UNKNOWN_ADDRESS";

impl ReceiptStore {
    /// Compares a call with the earlier ones under its id, and records it if it is new; see [`CallRecord::judge`].
    ///
    /// # Errors
    /// The broker did not answer. Calling again is harmless: the recorded call is then repeated.
    pub async fn judge(
        &self,
        call: &CallStatement,
        over: Option<&str>,
        now_us: i64,
    ) -> Result<CallJudgement, Error> {
        self.change_calls(&call.first_id, |calls| calls.judge(call, over, now_us)).await
    }

    /// Records the later time of a repetition, if it has one; see [`CallRecord::renew`].
    ///
    /// # Errors
    /// As for [`Self::judge`].
    pub async fn renew(
        &self,
        call: &CallStatement,
        submission_id: &str,
        now_us: i64,
    ) -> Result<Option<Attempt>, Error> {
        self.change_calls(&call.first_id, |calls| calls.renew(call, submission_id, now_us)).await
    }

    /// Changes the record of the calls under an id, and saves it if it differs.
    async fn change_calls<T>(
        &self,
        first_id: &str,
        change: impl Fn(&mut CallRecord) -> T + Send + Sync,
    ) -> Result<T, Error> {
        let key = call_entry(first_id);
        let epoch = self.runtime.log_epoch();
        let mut race = 0;
        loop {
            let mut calls: Versioned<CallRecord> = self.records.read(&key).await?;
            if calls.record.is_empty() || calls.record.log_epoch < epoch {
                calls.record = self.first_call(first_id).await?;
            }
            let before = calls.record.clone();
            let result = change(&mut calls.record);
            if calls.record == before || self.records.save(&key, &calls).await? {
                return Ok(result);
            }
            self.records.lost(&key, race).await?;
            race += 1;
        }
    }

    /// Creates the record of an id from its receipt, for calls of versions without a record of calls and for keys
    /// after a rebuild.
    async fn first_call(&self, first_id: &str) -> Result<CallRecord, Error> {
        let log_epoch = self.runtime.log_epoch();
        let known = self.get(first_id).await?.filter(|receipt| receipt.log_epoch >= log_epoch);
        Ok(match known {
            Some(receipt) => CallRecord::of_receipt(first_id, &receipt.revision, log_epoch),
            None => CallRecord::empty(log_epoch),
        })
    }

    /// Records that an attempt begins again.
    ///
    /// # Errors
    /// The broker did not answer.
    pub async fn begin_again(&self, first_id: &str, submission_id: &str, now_us: i64) -> Result<(), Error> {
        let note = |calls: &mut CallRecord| (calls.begin_again(submission_id, now_us), ());
        self.records.change(&call_entry(first_id), note).await.map(drop)
    }

    /// Records an attempt that is in the log.
    ///
    /// # Errors
    /// The broker did not answer.
    pub async fn learn_attempt(&self, first_id: &str, attempt: &Attempt) -> Result<(), Error> {
        let log_epoch = self.runtime.log_epoch();
        let take = |calls: &mut CallRecord| {
            if calls.log_epoch < log_epoch {
                *calls = CallRecord::empty(log_epoch);
            }
            (calls.learn(attempt), ())
        };
        self.records.change(&call_entry(first_id), take).await.map(drop)
    }

    /// Returns the last submission of a content that was not redundant.
    ///
    /// # Errors
    /// The broker did not answer.
    pub async fn seen(&self, content_key: &str) -> Result<Versioned<LastAccepted>, Error> {
        let mut seen: Versioned<LastAccepted> = self.records.read(&content_entry(content_key)).await?;
        if seen.record.log_epoch < self.runtime.log_epoch() {
            seen.record = LastAccepted::default();
        }
        Ok(seen)
    }

    /// Records a submission of a content. If another writer was faster, its entry stays.
    ///
    /// # Errors
    /// The broker did not answer.
    pub async fn record_seen(&self, seen: &Versioned<LastAccepted>) -> Result<(), Error> {
        self.records.save(&content_entry(&seen.record.content_key), seen).await.map(drop)
    }

    /// Returns the submissions at a place.
    ///
    /// # Errors
    /// The broker did not answer.
    pub async fn place(&self, place: &str) -> Result<PlaceRecord, Error> {
        let known: PlaceRecord = self.records.read(&place_entry(place)).await?.record;
        let is_lost = known.log_epoch < self.runtime.log_epoch();
        Ok(if is_lost { PlaceRecord::default() } else { known })
    }

    /// Announces at its places a submission that is about to be published. Until [`Self::end_at`], no content counts
    /// as current there.
    ///
    /// # Errors
    /// The broker did not answer: publish nothing.
    pub async fn begin_at(&self, places: &[String], what: &Unfinished) -> Result<(), Error> {
        let begin = |known: &mut PlaceRecord| known.begin(what);
        try_join_all(places.iter().map(|place| self.change_place(place, begin))).await.map(drop)
    }

    /// Records a submission that is in the log at its places. Updates the receipts of earlier withdrawals that apply
    /// to the document.
    ///
    /// # Errors
    /// The broker did not answer.
    pub async fn end_at(&self, accepted: &LastAccepted) -> Result<(), Error> {
        let end = |known: &mut PlaceRecord| known.end(accepted);
        let places = accepted.places.iter().map(|place| self.change_place(place, end));
        let is_document = !accepted.content_key.is_empty();
        for place in try_join_all(places).await?.iter().filter(|_| is_document) {
            if let Some(withdrawal) = place.taken_down_by() {
                self.tell_hit(&withdrawal.submission_id).await?;
            }
        }
        Ok(())
    }

    async fn change_place(
        &self,
        place: &str,
        change: impl Fn(&mut PlaceRecord) -> bool + Send + Sync,
    ) -> Result<PlaceRecord, Error> {
        let log_epoch = self.runtime.log_epoch();
        let change = |known: &mut PlaceRecord| {
            if known.log_epoch < log_epoch {
                *known = PlaceRecord::empty(log_epoch);
            }
            (change(known), ())
        };
        Ok(self.records.change(&place_entry(place), change).await?.0)
    }

    /// Updates the receipt of a withdrawal whose document has arrived, and that of the withdrawal that it renews.
    async fn tell_hit(&self, withdrawal_id: &str) -> Result<(), Error> {
        let tell = |known: &mut Receipt| {
            let is_news = known.withdrawal.as_ref().is_some_and(|hit| hit.hit() == WithdrawalHit::Unknown);
            if is_news {
                known.withdrawal = Some(report_hit());
            }
            (is_news, is_news)
        };
        let mut told = withdrawal_id.to_owned();
        while !told.is_empty() {
            let (receipt, is_news): (Receipt, bool) = self.records.change(&told, tell).await?;
            if is_news {
                tracing::info!(
                    withdrawal_id = told,
                    "a publication came after its withdrawal, which takes it down"
                );
            }
            told = receipt.duplicate_of;
        }
        Ok(())
    }

    /// Returns what a withdrawal applies to, as far as it was submitted here, and the name of the report if it is
    /// known.
    ///
    /// # Errors
    /// The broker did not answer.
    pub async fn hit(
        &self,
        places: &[String],
        report: Option<&ReportKey>,
    ) -> Result<(v1::Withdrawal, String), Error> {
        for place in places {
            let document = self.place(place).await?.document;
            if document.sequence > 0 {
                let receipt = self.get(&document.submission_id).await?;
                return Ok((report_hit(), receipt.unwrap_or_default().report));
            }
        }
        if let Some(report) = report.map(ToString::to_string)
            && !self.history(&report).await?.arrivals.is_empty()
        {
            return Ok((report_hit(), report));
        }
        let code = UNKNOWN_ADDRESS.to_owned();
        Ok((v1::Withdrawal { hit: WithdrawalHit::Unknown.into(), code }, String::new()))
    }
}

fn report_hit() -> v1::Withdrawal {
    v1::Withdrawal { hit: WithdrawalHit::Report.into(), code: String::new() }
}

fn call_entry(first_id: &str) -> String {
    format!("i-{first_id}")
}

fn content_entry(content_key: &str) -> String {
    format!("c-{content_key}")
}

fn place_entry(place: &str) -> String {
    format!("p-{}", digest(&[place]))
}
