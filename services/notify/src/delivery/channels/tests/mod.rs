//! Each channel against a server that is true to its protocol, on a loopback port.

mod alertmanager;
mod deadlines;
mod email;
mod robot_server;
mod robots;

use gongkai_proto::v1;
use gongkai_worker::{Context, Once};
use time::OffsetDateTime;

use super::{
    super::{
        letter::{Envelope, Letter},
        message::Composer,
        notice::Notice,
    },
    Target,
};

pub(super) const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// Notices with their places in the log.
pub(super) struct Letters(Vec<(Notice, Context)>);

impl Letters {
    /// Returns alerts about as many reports.
    pub(super) fn about(reports: usize) -> Self {
        Self((0..reports).map(|n| (Notice::Alert(Box::new(alert(n))), context(n))).collect())
    }

    pub(super) fn changed(mut self, change: impl Fn(&mut v1::Alert)) -> Self {
        for (notice, _) in &mut self.0 {
            if let Notice::Alert(alert) = notice {
                change(alert);
            }
        }
        self
    }

    pub(super) fn envelope(&self) -> Envelope<'_> {
        let ids = self.0.iter().map(|(_, context)| context.first_id());
        Envelope::new(ids, self.0.iter().map(|(notice, context)| Letter { notice, context }).collect(), 0)
    }
}

pub(super) fn alert(n: usize) -> v1::Alert {
    let finding = |severity: v1::Severity, message: &str| v1::Finding {
        rule: "T3-ROW".into(),
        severity: severity.into(),
        message: message.into(),
        message_en: format!("en {message}"),
        fingerprint: format!("f-{n}"),
        ..Default::default()
    };
    v1::Alert {
        alert_id: format!("a{n}"),
        report: format!("agencies/p-{n}/reports/2023"),
        agency_name: format!("樟树市第{n}街道办事处"),
        year: 2023,
        region: "360982".into(),
        url: format!("https://example.gov.cn/{n}.html"),
        severity: v1::Severity::Error.into(),
        findings: vec![
            finding(v1::Severity::Warning, "次要"),
            finding(v1::Severity::Error, "本年新收：六类申请人之和 3+4=7，「总计」列填的是 8"),
        ],
        state: v1::AlertState::Raised.into(),
        ..Default::default()
    }
}

fn context(n: usize) -> Context {
    Context {
        message_id: format!("m{n}"),
        subject: String::new(),
        sequence: n as u64 + 1,
        logged_at: OffsetDateTime::UNIX_EPOCH,
        repetition: None,
        attempt: 1,
        trace_id: TRACE.to_owned(),
        once: Once::default(),
    }
}

pub(super) fn composer() -> Composer {
    Composer::default()
}

pub(super) fn target(url: &str) -> Target {
    // Fails only if the same provider is installed already.
    drop(rustls::crypto::ring::default_provider().install_default());
    Target::new(url, false).unwrap()
}
