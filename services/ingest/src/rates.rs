//! Limits the events of a site: a rate for each site that has one, per process.
//!
//! A site may send the events of one minute at once; after that they are replenished evenly. A refused call uses
//! nothing. All calls of a proven site are counted, whatever they name, so no caller can use up the rate of another.
//! Drafts are not counted, because dry runs have limits of their own.

use std::{collections::BTreeMap, num::NonZeroU32, sync::Arc, time::Duration};

use governor::{
    Quota, RateLimiter,
    clock::Clock,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};
use tokio::time::Instant;

use crate::{
    auth::Caller,
    config::{Config, Site},
    error::{Code, Problem},
};
use gongkai_worker::{Counter, Runtime};

const SITE: &str = "gongkai.site";

/// The rates of all sites. Cheap to clone.
#[derive(Clone)]
pub struct Rates {
    sites: Arc<BTreeMap<String, SiteRate>>,
    limited: Counter,
}

struct SiteRate {
    per_minute: NonZeroU32,
    limiter: RateLimiter<NotKeyed, InMemoryState, Monotonic, NoOpMiddleware<Duration>>,
}

/// Time since the start. Corrections of the system's clock do not change it.
#[derive(Debug, Clone)]
struct Monotonic(Instant);

// === impl Rates ===

impl Rates {
    /// Reads the rates of the config. The counter starts at zero for every site that has a rate.
    #[must_use]
    pub fn new(config: &Config, runtime: &Runtime) -> Self {
        let limited = runtime.counter(
            "gongkai.ingest.rate_limited",
            "{call}",
            "calls refused as over the rate of their site",
        );
        let rate =
            |(name, site): (&String, &Site)| Some((name.clone(), SiteRate::new(site.events_per_minute?)));
        let sites: BTreeMap<_, _> = config.sites.iter().filter_map(rate).collect();
        for name in sites.keys() {
            limited.add(0, &[(SITE, name)]);
        }
        Self { sites: Arc::new(sites), limited }
    }

    /// Counts the events of a call against the rate of the caller's site: all of them, or none if they are too many.
    ///
    /// # Errors
    /// `RATE_LIMITED` with the time after which the same call succeeds; `TOO_LARGE` if it cannot succeed.
    pub(crate) fn count(&self, caller: &Caller, events: usize) -> Result<(), Problem> {
        let name = caller.name();
        let Some(rate) = self.sites.get(name) else { return Ok(()) };
        rate.count(name, events).inspect_err(|_| self.limited.add(1, &[(SITE, name)]))
    }
}

// === impl SiteRate ===

impl SiteRate {
    fn new(per_minute: NonZeroU32) -> Self {
        let clock = Monotonic(Instant::now());
        Self { per_minute, limiter: RateLimiter::direct_with_clock(Quota::per_minute(per_minute), clock) }
    }

    fn count(&self, site: &str, events: usize) -> Result<(), Problem> {
        let Some(wanted) = u32::try_from(events).ok().and_then(NonZeroU32::new) else { return Ok(()) };
        let per_minute = self.per_minute;
        let Ok(counted) = self.limiter.check_n(wanted) else {
            return Err(Problem::new(
                Code::TooLarge,
                format!("站点 {site} 每分钟最多报送 {per_minute} 个事件，这一批有 {events} 个；请分批发送"),
                format!(
                    "site {site} may send {per_minute} events a minute, and this batch has {events}; send less at once"
                ),
            ));
        };
        let Err(until) = counted else { return Ok(()) };
        let wait = until.wait_time_from(self.limiter.clock().now());
        let problem = Problem::new(
            Code::RateLimited,
            format!("站点 {site} 每分钟最多报送 {per_minute} 个事件；请按 Retry-After 稍后原样重发"),
            format!(
                "site {site} may send {per_minute} events a minute; send the same call again after Retry-After"
            ),
        );
        Err(problem.after(wait))
    }
}

// === impl Monotonic ===

impl Clock for Monotonic {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(rate: &SiteRate, events: usize) -> Option<(Code, Option<u64>)> {
        let problem = rate.count("a", events).err()?;
        Some((problem.code, problem.retry_after_s()))
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_of_one_minute_is_allowed_and_then_an_even_flow() {
        let rate = SiteRate::new(NonZeroU32::new(30).unwrap());
        assert!((0..30).all(|_| refused(&rate, 1).is_none()));
        assert_eq!(refused(&rate, 1), Some((Code::RateLimited, Some(2))));
        tokio::time::advance(Duration::from_millis(1500)).await;
        assert_eq!(refused(&rate, 1), Some((Code::RateLimited, Some(1))), "refusals cost nothing");
        tokio::time::advance(Duration::from_millis(500)).await;
        assert_eq!((refused(&rate, 1), refused(&rate, 1)), (None, Some((Code::RateLimited, Some(2)))));
        // Unused events of earlier minutes are lost.
        tokio::time::advance(Duration::from_secs(9999)).await;
        assert!((0..30).all(|_| refused(&rate, 1).is_none()));
        assert!(refused(&rate, 1).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_counts_each_event_and_is_taken_whole_or_not_at_all() {
        let rate = SiteRate::new(NonZeroU32::new(6).unwrap());
        assert_eq!(refused(&rate, 7), Some((Code::TooLarge, None)));
        assert_eq!((refused(&rate, 0), refused(&rate, 4)), (None, None));
        assert_eq!(refused(&rate, 4), Some((Code::RateLimited, Some(20))));
        assert_eq!(refused(&rate, 2), None);
        tokio::time::advance(Duration::from_secs(40)).await;
        assert_eq!(refused(&rate, 4), None);
    }
}
