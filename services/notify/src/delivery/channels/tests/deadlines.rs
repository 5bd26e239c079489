//! What people and Alertmanager are told about deadlines.

use gongkai_proto::v1::{DeadlineNotice, DeadlineNoticeKind};

use super::{
    super::{
        super::{message::plain_text, notice::Notice},
        alertmanager::of_deadline,
    },
    Letters, composer, context,
};

fn notice(n: usize, kind: DeadlineNoticeKind) -> DeadlineNotice {
    DeadlineNotice {
        report: format!("agencies/A{n}/reports/2025"),
        agency_name: format!("云溪县第{n}局"),
        year: 2025,
        region: "360999".into(),
        kind: kind.into(),
        deadline: "2026-01-31".into(),
        days: 3,
        published_on: "2026-02-03".into(),
        ..Default::default()
    }
}

fn letters(kinds: &[DeadlineNoticeKind]) -> Letters {
    let notices = kinds.iter().enumerate();
    Letters(notices.map(|(n, kind)| (Notice::Deadline(Box::new(notice(n, *kind))), context(n))).collect())
}

#[test]
fn one_notice_is_a_sentence_and_several_are_counted() {
    use DeadlineNoticeKind::{Late, Missing, Reminder};
    let told = |letters: &Letters| plain_text(&composer().compose(&letters.envelope()));
    let one = told(&letters(&[Reminder]));
    assert!(one.starts_with("云溪县第0局2025年度报告尚未公布，公布期限为2026-01-31，还有3天\n"), "{one}");
    let many = told(&letters(&[Reminder, Missing, Late, Missing]));
    assert!(many.starts_with("年度报告公布期限：逾期未公布2项、逾期公布1项、即将到期1项\n"), "{many}");
    assert!(many.contains("逾期未公布 云溪县第1局2025 未在公布期限2026-01-31前公布，已逾期3天"), "{many}");
    let mut mixed = Letters::about(2);
    mixed.0.extend(letters(&[Missing]).0);
    let mixed = told(&mixed);
    let title = mixed.lines().next().unwrap();
    assert!(
        title.contains("2份报告")
            && title.ends_with("；云溪县第0局2025年度报告未在公布期限2026-01-31前公布，已逾期3天"),
        "{title}"
    );
}

#[test]
fn a_missing_report_is_open_until_it_comes() {
    let open = |kind| {
        let alerts = of_deadline(&notice(0, kind), time::OffsetDateTime::UNIX_EPOCH);
        let alerts = alerts.iter().map(|alert| {
            let is_open = alert["startsAt"] != alert["endsAt"];
            (alert["labels"]["alertname"].as_str().unwrap().to_owned(), is_open)
        });
        alerts.collect::<Vec<_>>()
    };
    let missing = |is_open| ("GongkaiReportMissing".to_owned(), is_open);
    assert_eq!(open(DeadlineNoticeKind::Missing), [missing(true)]);
    assert_eq!(open(DeadlineNoticeKind::Late), [missing(false), ("GongkaiReportLate".to_owned(), true)]);
    assert_eq!(open(DeadlineNoticeKind::Reminder), [("GongkaiDeadline".to_owned(), true)]);
}
