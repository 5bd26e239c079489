//! The robots of the three platforms.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use gongkai_worker::{Clock, Secret, clock::ClockHandle};
use serde_json::Value;
use time::macros::datetime;

use super::{
    super::{
        super::{
            channel::{Channel as _, Error},
            pace::Pace,
        },
        Dingtalk, Feishu, Platform, Robot, Wecom,
    },
    Letters, TRACE, composer,
    robot_server::{Kind, RobotServer, SECRET},
    target,
};

const KINDS: [Kind; 3] = [Kind::Wecom, Kind::Dingtalk, Kind::Feishu];

fn platform(kind: Kind, secret: &str) -> Box<dyn Platform> {
    let secret = Some(Secret::new(secret));
    match kind {
        Kind::Wecom => Box::new(Wecom),
        Kind::Dingtalk => Box::new(Dingtalk::new(secret)),
        Kind::Feishu => Box::new(Feishu::new(secret)),
    }
}

/// Starts a server, its clock and a robot that goes by the same clock.
async fn started(kind: Kind, secret: &str) -> (RobotServer, Robot, ClockHandle) {
    let (clock, handle) = Clock::manual(datetime!(2026-03-31 09:00 +8));
    let (server, url) = RobotServer::start(kind, clock.clone()).await;
    let robot = Robot::new(target(&url), platform(kind, secret), composer(), clock).unwrap();
    (server, robot, handle)
}

fn text(kind: Kind, body: &Value) -> String {
    match kind {
        Kind::Wecom => body["markdown"]["content"].as_str().unwrap().to_owned(),
        Kind::Dingtalk => body["markdown"]["text"].as_str().unwrap().to_owned(),
        Kind::Feishu => body["card"].to_string(),
    }
}

#[tokio::test]
async fn a_message_says_what_is_wrong_where_it_can_be_seen_and_under_which_trace() {
    for kind in KINDS {
        let (server, robot, _) = started(kind, SECRET).await;
        robot.send(&Letters::about(1).envelope()).await.unwrap();
        let text = text(kind, &server.taken()[0]);
        for part in [
            "樟树市第0街道办事处2023年度报告：必须整改1项",
            "六类申请人之和 3+4=7，「总计」列填的是 8（共2项检查不符，同一原因）",
            "https://example.gov.cn/0.html",
            TRACE,
        ] {
            assert!(text.contains(part), "{kind:?}: {part} in {text}");
        }
    }
}

#[tokio::test]
async fn a_digest_of_300_reports_fits_and_counts_what_it_leaves_out() {
    for kind in KINDS {
        let (server, robot, _) = started(kind, SECRET).await;
        let letters = Letters::about(300).changed(|alert| {
            alert.findings[1].message = "很长的说明 \"引号\" ".repeat(100);
        });
        robot.send(&letters.envelope()).await.unwrap();
        let text = text(kind, &server.taken()[0]);
        assert!(text.contains("年度报告核查汇总：300份报告，必须整改300项"), "{kind:?}: {text}");
        let (_, rest) = text.split_once("另有").unwrap();
        let left_out: usize = rest.split_once("项未列出").unwrap().0.parse().unwrap();
        let listed = text.matches("2023年度").count();
        assert_eq!(listed + left_out, 300, "{kind:?}");
    }
}

#[tokio::test]
async fn a_wrong_signature_is_the_fault_of_the_subscription() {
    for kind in [Kind::Dingtalk, Kind::Feishu] {
        let (server, robot, _) = started(kind, "SECwrong").await;
        let error = robot.send(&Letters::about(1).envelope()).await.unwrap_err();
        assert!(matches!(error, Error::Refused(_)), "{error}");
        assert!(error.to_string().contains("sign") && server.taken().is_empty(), "{error}");
    }
}

#[tokio::test]
async fn one_message_too_many_is_throttled_and_not_delivered() {
    for (kind, most, span) in [(Kind::Wecom, 20, 60), (Kind::Dingtalk, 20, 600), (Kind::Feishu, 5, 60)] {
        let (server, robot, clock) = started(kind, SECRET).await;
        let letters = Letters::about(1);
        for _ in 0..most {
            robot.send(&letters.envelope()).await.unwrap();
        }
        let error = robot.send(&letters.envelope()).await.unwrap_err();
        let wish = Some(Duration::from_secs(span));
        assert!(error.may_pass() && !error.may_be_message() && error.wish() == wish, "{kind:?}: {error}");
        assert_eq!((server.taken().len(), server.refused().len()), (most, 1));
        clock.advance(Duration::from_secs(span));
        robot.send(&letters.envelope()).await.unwrap();
    }
}

#[tokio::test]
async fn each_request_is_signed_from_the_configured_url() {
    let (server, robot, clock) = started(Kind::Dingtalk, SECRET).await;
    let letters = Letters::about(1);
    for _ in 0..50 {
        robot.send(&letters.envelope()).await.unwrap();
        clock.advance(Duration::from_secs(7));
    }
    let uris = server.uris();
    let without_sign = |uri: &String| uri.split("&sign=").next().unwrap().len();
    assert!(uris.iter().all(|uri| uri.matches("sign=").count() == 1));
    assert!(uris.iter().all(|uri| without_sign(uri) == without_sign(&uris[0])), "{:?}", uris.last());
    let distinct: std::collections::BTreeSet<_> = uris.iter().collect();
    assert_eq!(distinct.len(), 50, "each has its own time");
}

/// Number of messages of the test below; `make soak` sends more.
#[expect(clippy::disallowed_methods, reason = "a test takes its size from the script that runs it")]
fn sends() -> usize {
    std::env::var("GONGKAI_SENDS").ok().and_then(|count| count.parse().ok()).unwrap_or(300)
}

#[tokio::test]
async fn at_the_pace_of_its_platform_no_robot_is_throttled() {
    for (kind, limits) in
        [(Kind::Wecom, Wecom::LIMITS), (Kind::Dingtalk, Dingtalk::LIMITS), (Kind::Feishu, Feishu::LIMITS)]
    {
        let (server, robot, clock) = started(kind, SECRET).await;
        let pace = Pace { limits: limits.to_vec(), ..Pace::default() };
        let (start, mut now_ms, mut sent) = (Instant::now(), 0, VecDeque::new());
        for n in 0..sends() {
            let wait_ms = pace.limit_ms(sent.make_contiguous(), now_ms);
            clock.advance(Duration::from_millis(wait_ms.unsigned_abs()));
            now_ms += wait_ms;
            robot.send(&Letters::about(1 + n % 5).envelope()).await.unwrap();
            sent.push_back(now_ms);
            while sent.len() > pace.memory() {
                sent.pop_front();
            }
        }
        assert_eq!((server.taken().len(), server.refused().len()), (sends(), 0), "{kind:?}");
        println!(
            "{kind:?}: {} messages in {} s of its time, {:?} of ours",
            sends(),
            now_ms / 1000,
            start.elapsed()
        );
    }
}
