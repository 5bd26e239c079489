//! What a notice about a deadline says, in Chinese and in English.

use gongkai_proto::v1::{DeadlineNotice, DeadlineNoticeKind};

use super::summary::SummaryText;

/// Says a notice in one sentence.
pub(super) fn sentence(notice: &DeadlineNotice) -> SummaryText {
    let SummaryText { message, message_en } = state(notice);
    let (agency, year) = (&notice.agency_name, notice.year);
    SummaryText {
        message: format!("{agency}{year}年度报告{message}"),
        message_en: format!("{agency}, {year}: {message_en}"),
    }
}

/// Says how things are with the report, without naming it.
pub(super) fn state(notice: &DeadlineNotice) -> SummaryText {
    let DeadlineNotice { deadline, days, published_on, .. } = notice;
    let (message, message_en) = match notice.kind() {
        DeadlineNoticeKind::Reminder if *days == 0 => (
            format!("尚未公布，今天（{deadline}）是公布期限的最后一天"),
            format!("not published; today, {deadline}, is the last day"),
        ),
        DeadlineNoticeKind::Reminder => (
            format!("尚未公布，公布期限为{deadline}，还有{days}天"),
            format!("not published; the deadline is {deadline}, in {days} days"),
        ),
        DeadlineNoticeKind::Missing if notice.withdrawn => (
            format!("已被撤下，公布期限{deadline}已过{days}天"),
            format!("withdrawn; the deadline was {deadline}, {days} days ago"),
        ),
        DeadlineNoticeKind::Missing => (
            format!("未在公布期限{deadline}前公布，已逾期{days}天"),
            format!("missing; the deadline was {deadline}, {days} days ago"),
        ),
        DeadlineNoticeKind::Late if *days == 0 => (
            format!("已于期限（{deadline}）内的{published_on}公布，现已收到"),
            format!("received now; published in time on {published_on}, by {deadline}"),
        ),
        DeadlineNoticeKind::Late => (
            format!("已于{published_on}公布，晚于期限{deadline}共{days}天"),
            format!("published on {published_on}, {days} days after {deadline}"),
        ),
        DeadlineNoticeKind::Unspecified => {
            (format!("公布期限为{deadline}"), format!("the deadline is {deadline}"))
        }
    };
    SummaryText { message, message_en }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_notice_says_the_day_and_how_far_it_is() {
        let said = |kind: DeadlineNoticeKind, days, withdrawn| {
            let notice = DeadlineNotice {
                agency_name: "云溪县水务局".into(),
                year: 2026,
                kind: kind.into(),
                deadline: "2027-01-31".into(),
                days,
                published_on: "2027-02-05".into(),
                withdrawn,
                ..Default::default()
            };
            let SummaryText { message, message_en } = sentence(&notice);
            format!("{message} / {message_en}")
        };
        assert_eq!(
            said(DeadlineNoticeKind::Reminder, 3, false),
            "云溪县水务局2026年度报告尚未公布，公布期限为2027-01-31，还有3天 / \
             云溪县水务局, 2026: not published; the deadline is 2027-01-31, in 3 days"
        );
        assert!(
            said(DeadlineNoticeKind::Reminder, 0, false).contains("今天（2027-01-31）是公布期限的最后一天")
        );
        assert!(said(DeadlineNoticeKind::Missing, 1, false).contains("已逾期1天"));
        assert!(said(DeadlineNoticeKind::Missing, 9, true).contains("已被撤下"));
        assert!(said(DeadlineNoticeKind::Late, 5, false).contains("2027-02-05公布，晚于期限2027-01-31共5天"));
        assert!(said(DeadlineNoticeKind::Late, 0, false).contains("现已收到"));
    }
}
