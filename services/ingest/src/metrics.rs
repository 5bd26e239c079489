//! The metrics of acceptance. See METRICS.md.

use gongkai_worker::{Counter, Runtime};

const REPEAT: &str = "gongkai.repeat";
const NOT_YOURS: &str = "gongkai.not_yours";

#[derive(Clone)]
pub(crate) struct Metrics {
    repeats: Counter,
    not_yours: Counter,
}

/// Which right a refused call lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotYours {
    /// The call names another site.
    Site,
    Agency,
    Region,
    Address,
    Report,
}

/// How a call with a known id was handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// The call repeated a statement and was answered with the receipt.
    Known,
    /// The call had another statement or a later time, and is a new submission.
    Superseded,
    /// The repeated submission was rejected for lack of time or memory; the call is a new submission.
    Retried,
    /// The call had another statement under an idempotency key.
    Refused,
}

// === impl Metrics ===

impl Metrics {
    /// Registers the instruments. The counter starts at zero for every label value.
    pub(crate) fn new(runtime: &Runtime) -> Self {
        let repeats = runtime.counter("gongkai.ingest.repeats", "{call}", "calls whose id came before");
        for repeat in [Repeat::Known, Repeat::Superseded, Repeat::Retried, Repeat::Refused] {
            repeats.add(0, &[(REPEAT, repeat.as_str())]);
        }
        let not_yours =
            runtime.counter("gongkai.ingest.not_yours", "{call}", "calls refused as not their site's");
        for what in NotYours::ALL {
            not_yours.add(0, &[(NOT_YOURS, what.as_str())]);
        }
        Self { repeats, not_yours }
    }

    pub(crate) fn refused(&self, what: NotYours) {
        self.not_yours.add(1, &[(NOT_YOURS, what.as_str())]);
    }

    pub(crate) fn repeated(&self, repeat: Repeat) {
        self.repeats.add(1, &[(REPEAT, repeat.as_str())]);
    }
}

// === impl NotYours ===

impl NotYours {
    const ALL: [Self; 5] = [Self::Site, Self::Agency, Self::Region, Self::Address, Self::Report];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Site => "site",
            Self::Agency => "agency",
            Self::Region => "region",
            Self::Address => "address",
            Self::Report => "report",
        }
    }

    /// Returns the detail for the caller, in Chinese.
    pub(crate) fn detail_zh(self, named: &str) -> String {
        match self {
            Self::Site => format!("请求声明的站点 {named} 与凭证所属站点不符"),
            Self::Agency => format!("机关“{named}”不在该站点的机关之列；请联系管理员"),
            Self::Region => format!("行政区划 {named} 不在该站点的区域之列；请联系管理员"),
            Self::Address => format!("“{named}”不是该站点的网址，或由其他站点先行发布"),
            Self::Report => format!("{named} 属于先行发布它的站点"),
        }
    }

    /// Returns the detail for the caller, in English.
    pub(crate) fn detail(self, named: &str) -> String {
        match self {
            Self::Site => format!("the call names site {named}, and its credentials are another's"),
            Self::Agency => {
                format!("agency \"{named}\" is not among the agencies of this site; ask the operator")
            }
            Self::Region => format!("region {named} is not among the regions of this site; ask the operator"),
            Self::Address => {
                format!("\"{named}\" is no address of this site, or another site published it first")
            }
            Self::Report => format!("{named} belongs to the site that published it first"),
        }
    }
}

// === impl Repeat ===

impl Repeat {
    fn as_str(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Superseded => "superseded",
            Self::Retried => "retried",
            Self::Refused => "refused",
        }
    }
}
