//! Claims: counts in prose that speak of a row of chapter 三, told by the verb before them.
//!
//! Whatever may be a part, another year's, another body's or another matter's number is no claim: a wrong alarm costs
//! an editor's trust, a silence only this one check.

use std::{ops::Range, sync::LazyLock};

use rust_decimal::Decimal;

use gongkai_model::Report;

use crate::prose::{
    count::Count,
    passage::Passage,
    reading::{Head, Reading},
    words::Words,
};

/// What a claim says how many of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    /// 收到、受理: this year's requests, with or without those carried in.
    Received,
    /// 新收: this year's requests.
    NewlyReceived,
    /// 办结、答复
    Handled,
    /// 办理、处理: handled, or in hand at all.
    Worked,
    /// 上年结转
    CarriedIn,
    /// 结转下年、顺延
    CarriedOut,
    /// 予以公开
    Granted,
    /// 部分公开
    PartiallyGranted,
    /// 予以公开及部分公开 in one number.
    GrantedOrPartially,
    /// 不予公开
    Refused,
    /// 无法提供
    Unavailable,
    /// 不予处理
    NotProcessed,
    /// 其他处理
    Other,
}

impl Subject {
    /// True for the results of 三、本年度办理结果.
    pub(crate) fn is_outcome(self) -> bool {
        matches!(
            self,
            Self::Granted
                | Self::PartiallyGranted
                | Self::GrantedOrPartially
                | Self::Refused
                | Self::Unavailable
                | Self::NotProcessed
                | Self::Other
        )
    }
}

/// A count that speaks of a row of chapter 三.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    pub(crate) subject: Subject,
    pub(crate) value: Decimal,
    /// From the verb's clause to the unit, in characters of the passage.
    pub(crate) quote: Range<usize>,
    /// The words around it name a body or area that need not be the report's own.
    pub(crate) foreign_scope: bool,
}

/// Verbs and results, and what they speak of.
const KEYWORDS: &[(&str, Subject)] = &[
    ("予以公开", Subject::Granted),
    ("部分公开", Subject::PartiallyGranted),
    ("不予公开", Subject::Refused),
    ("不予以公开", Subject::Refused),
    ("无法提供", Subject::Unavailable),
    ("不予处理", Subject::NotProcessed),
    ("不予以处理", Subject::NotProcessed),
    ("其他处理", Subject::Other),
    ("新收", Subject::NewlyReceived),
    ("新收到", Subject::NewlyReceived),
    ("新受理", Subject::NewlyReceived),
    ("新接收", Subject::NewlyReceived),
    ("新接到", Subject::NewlyReceived),
    // 新增 alone may be columns or documents.
    ("新增政府信息公开申请", Subject::NewlyReceived),
    ("新增信息公开申请", Subject::NewlyReceived),
    ("新增依申请", Subject::NewlyReceived),
    ("新增申请", Subject::NewlyReceived),
    ("收到", Subject::Received),
    ("受理", Subject::Received),
    ("接收", Subject::Received),
    ("接到", Subject::Received),
    ("收办", Subject::Received),
    ("办结", Subject::Handled),
    ("答复", Subject::Handled),
    ("办复", Subject::Handled),
    ("回复", Subject::Handled),
    ("办理", Subject::Worked),
    ("处理", Subject::Worked),
    ("承办政府信息公开申请", Subject::Worked),
    ("共有政府信息公开申请", Subject::Worked),
    ("全年政府信息公开申请", Subject::Worked),
    ("年度政府信息公开申请", Subject::Worked),
    ("结转", Subject::CarriedOut),
    ("顺延", Subject::CarriedOut),
    ("转下年度", Subject::CarriedOut),
    ("转下年", Subject::CarriedOut),
    ("转入下年", Subject::CarriedOut),
];

static KEYWORD: LazyLock<Words> =
    LazyLock::new(|| Words::new(&KEYWORDS.iter().map(|(word, _)| *word).collect::<Vec<_>>()));

/// Words that make a number a part, a change or a rate of something.
static PARTS: LazyLock<Words> = LazyLock::new(|| {
    Words::new(&[
        "比上年",
        "较上年",
        "同比",
        "环比",
        "去年同期",
        "上年同期",
        "比去年",
        "较去年",
        "增加",
        "减少",
        "增长",
        "下降",
        "上升",
        "当面",
        "信函",
        "邮寄",
        "来函",
        "网络",
        "网上",
        "在线",
        "线上",
        "线下",
        "互联网",
        "平台",
        "邮件",
        "邮箱",
        "传真",
        "现场",
        "窗口",
        "网站",
        "通过",
        "自然人",
        "法人",
        "公民",
        "企业",
        "个人",
        "律师",
        "机构",
        "延期",
        "逾期",
        "当场",
        "补正",
        "撤回",
        "涉及",
        "关于",
        "有关",
        "平均",
        "人均",
        "上半年",
        "下半年",
        "季度",
        "以来",
        "历年",
        "仍在",
        "在办",
        "部门",
        "科室",
    ])
});

/// Words that name every applicant or every channel there is, so that they part nothing off.
static WHOLES: LazyLock<Words> = LazyLock::new(|| {
    Words::new(&[
        "公民、法人和其他组织",
        "公民、法人及其他组织",
        "公民、法人或其他组织",
        "公民、法人或者其他组织",
        "公民、法人以及其他组织",
        "公民、法人和社会组织",
        "自然人、法人和其他组织",
        "自然人、法人及其他组织",
        "自然人、法人或其他组织",
        "自然人、法人或者其他组织",
        "自然人、法人和非法人组织",
        "通过各种渠道",
        "通过各类渠道",
        "通过各渠道",
    ])
});

/// Words of other business.
static OTHER_BUSINESS: LazyLock<Words> = LazyLock::new(|| {
    Words::new(&[
        "复议", "诉讼", "应诉", "起诉", "建议", "提案", "议案", "热线", "12345", "留言", "来信", "来电",
        "咨询", "信箱", "问政", "网民", "投诉", "举报", "信访", "许可", "审批", "补贴", "救助", "登记",
        "意见", "稿件", "公文", "工单", "诉求", "舆情", "来访", "案卷",
    ])
});

/// Words of an area or a body that may be wider or narrower than the report's own.
static SCOPES: LazyLock<Words> = LazyLock::new(|| {
    Words::new(&[
        "全市",
        "全区",
        "全县",
        "全省",
        "全州",
        "全旗",
        "全盟",
        "全国",
        "全镇",
        "全乡",
        "全系统",
        "各单位",
        "各部门",
        "各乡镇",
        "各镇",
        "各街道",
        "各区",
        "各县",
        "各市",
        "各级",
        "本级",
        "市级",
        "县级",
        "区级",
        "省级",
        "下属",
        "所属",
        "直属",
        "市直",
        "区直",
        "县直",
        "代表",
        "本办",
        "镇街",
        "基层",
        "局机关",
        "分局",
        "街道办理",
        "其他单位",
    ])
});

/// Words that name requests for information.
static TOPIC: LazyLock<Words> =
    LazyLock::new(|| Words::new(&["信息公开申请", "依申请", "公开申请", "申请公开", "信息申请"]));

const UNITS: &[&str] = &["件", "宗", "份", "条", "起", "例"];

/// The claims of one passage, left to right.
pub(crate) fn claims(report: &Report, passage: &Passage<'_>) -> Vec<Claim> {
    let (text, reading) = (passage.text(), passage.reading());
    if reading.counts.is_empty() || !matches!(passage.chapter(), 1 | 3) || !text.contains("申请") {
        return Vec::new();
    }
    let named_from = TOPIC.all(text).next().map(|found| found.start());
    let reader = Reader { report, reading, named_from: named_from.map(|byte| text[..byte].chars().count()) };
    let countable = reading.counts.iter().filter(|c| !c.approximate && UNITS.contains(&c.unit));
    countable.filter_map(|count| reader.claim(count)).collect()
}

/// Reads the claims of one passage.
struct Reader<'p> {
    report: &'p Report,
    reading: &'p Reading,
    /// Where the passage first speaks of requests for information.
    named_from: Option<usize>,
}

impl Reader<'_> {
    fn claim(&self, count: &Count) -> Option<Claim> {
        let found = self.head(count);
        let (head, tail) = (found.words.as_str(), self.reading.tail(count));
        let subject = self.subject(count, head, &tail)?;
        let sentence = self.reading.sentence(count.number.start);
        let so_far = self.reading.words(sentence.start..count.number.start);
        let is_part = match subject {
            Subject::Received | Subject::Worked => so_far.contains("其中"),
            Subject::Handled => head.contains('按') && has_late_answers(&self.reading.words(sentence)),
            _ => false,
        };
        if is_part
            || is_parted(head)
            || speaks_of_another_year_than_its_own(self.report, subject, &so_far)
            || !self.is_about_requests(count, subject, (head, &tail, &so_far))
        {
            return None;
        }
        Some(Claim {
            subject,
            value: count.value,
            quote: found.start..count.end,
            foreign_scope: has_foreign_scope(&self.report.agency, &so_far),
        })
    }

    /// The words before a count, without those that name every applicant, whose `、` parts no clause.
    fn head(&self, count: &Count) -> Head {
        let listed = self.reading.head(count, true);
        if !WHOLES.any(&listed.words) {
            return self.reading.head(count, false);
        }
        Head { start: listed.start, words: WHOLES.removed(&listed.words).into_owned() }
    }

    /// Whose number it is: by the last keyword before the count, else by the first one after it.
    fn subject(&self, count: &Count, head: &str, tail: &str) -> Option<Subject> {
        if is_carried_in(self.report, head) {
            return Some(Subject::CarriedIn);
        }
        if is_carried_out(self.report, head) {
            return Some(Subject::CarriedOut);
        }
        let listed = || self.reading.head(count, true).words;
        match last_keyword(head) {
            Some((at, _)) if is_negated(&head[..at]) => None,
            // Carried, but neither from last year nor to the next.
            Some((_, Subject::CarriedOut)) => None,
            Some((_, Subject::PartiallyGranted)) if listed().contains("予以公开") => {
                Some(Subject::GrantedOrPartially)
            }
            Some((_, Subject::Granted)) if listed().contains("部分公开") => {
                Some(Subject::GrantedOrPartially)
            }
            Some((_, subject)) => Some(subject),
            None if is_carried_out(self.report, tail) => Some(Subject::CarriedOut),
            None => subject_after(tail),
        }
    }

    /// A verb alone says little: the words around it must speak of requests, and of nothing else.
    fn is_about_requests(
        &self,
        count: &Count,
        subject: Subject,
        (head, tail, so_far): (&str, &str, &str),
    ) -> bool {
        if subject.is_outcome() {
            return !["复议", "诉讼", "建议", "提案"].iter().any(|word| so_far.contains(word));
        }
        if OTHER_BUSINESS.any(so_far) || OTHER_BUSINESS.any(tail) {
            return false;
        }
        head.contains("申请")
            || tail.starts_with("申请")
            || TOPIC.any(tail)
            || self.named_from.is_some_and(|from| from < count.number.start)
    }
}

/// True if some words make a number a part of the whole. `网络等渠道共收到` names the channels of the whole.
fn is_parted(head: &str) -> bool {
    let together = ["等渠道共", "等方式共", "等途径共", "等形式共"];
    let cut = together.iter().find_map(|word| head.rsplit_once(word));
    PARTS.any(cut.map_or(head, |(_, rest)| rest))
}

/// Beside late answers, those in time are but a part.
fn has_late_answers(sentence: &str) -> bool {
    ["延期", "逾期", "超期"].iter().any(|word| sentence.contains(word))
}

/// `3件予以公开`: only a result just behind the unit speaks of it.
fn subject_after(tail: &str) -> Option<Subject> {
    let words = tail.trim_start_matches("申请").trim_start_matches("依法");
    let found = KEYWORDS.iter().filter(|(_, subject)| subject.is_outcome());
    found.filter(|(word, _)| words.starts_with(word)).map(|(_, subject)| *subject).next()
}

fn last_keyword(head: &str) -> Option<(usize, Subject)> {
    let found = KEYWORD.all(head).last()?;
    let (_, subject) = KEYWORDS.iter().find(|(word, _)| *word == found.as_str())?;
    Some((found.start(), *subject))
}

fn is_negated(before: &str) -> bool {
    ["不", "未", "不予", "正在", "正", "待", "拟", "无"].iter().any(|word| before.ends_with(word))
}

fn is_carried_in(report: &Report, words: &str) -> bool {
    if !words.contains(['转', '留', '延', '未']) {
        return false;
    }
    let last_year = format!("{}年", report.year.saturating_sub(1));
    let from = ["上年", "上一年", "去年", "往年", "前一年", last_year.as_str()];
    let carried = ["结转", "转结", "转入", "遗留", "接转", "转来", "顺延", "延续", "未办结"];
    from.iter().any(|word| words.contains(word))
        && carried.iter().any(|word| words.contains(word))
        && !["下年", "下一年", "次年"].iter().any(|word| words.contains(word))
}

fn is_carried_out(report: &Report, words: &str) -> bool {
    if !words.contains(['转', '延']) {
        return false;
    }
    let next_year = format!("{}年", report.year.saturating_add(1));
    let to = ["下年", "下一年", "次年", "明年", next_year.as_str()];
    let carried = ["结转", "顺延", "转", "延续", "延至", "延期至"];
    (to.iter().any(|word| words.contains(word)) && carried.iter().any(|word| words.contains(word)))
        || (words.contains("顺延") && !words.contains("上年"))
}

/// True if the last year named before a number is not the report's; a number carried in may name the year before.
fn speaks_of_another_year_than_its_own(report: &Report, subject: Subject, so_far: &str) -> bool {
    last_year(so_far).is_some_and(|year| {
        let own = year == report.year;
        match subject {
            Subject::CarriedIn => !own && year != report.year.saturating_sub(1),
            Subject::CarriedOut => !own && year != report.year.saturating_add(1),
            _ => !own,
        }
    })
}

/// True if the last year named in some words is not this one.
pub(crate) fn speaks_of_another_year(year: i32, so_far: &str) -> bool {
    last_year(so_far).is_some_and(|named| named != year)
}

/// The last year that some words name.
fn last_year(so_far: &str) -> Option<i32> {
    let mut last = None;
    for (at, _) in so_far.match_indices('年') {
        let digits: String = so_far[..at].chars().rev().take_while(char::is_ascii_digit).collect();
        if digits.len() == 4 {
            last = digits.chars().rev().collect::<String>().parse::<i32>().ok();
        }
    }
    last
}

/// True if the words name an area or body that is not the report's own.
pub(crate) fn has_foreign_scope(agency: &str, so_far: &str) -> bool {
    let is_office = agency.contains("办公室") || agency.contains("办公厅");
    let place = agency.strip_suffix("人民政府").unwrap_or(agency);
    SCOPES.all(so_far).any(|found| match found.as_str().strip_prefix('全') {
        Some(level) if level.chars().count() == 1 => !place.ends_with(level),
        _ => !(found.as_str() == "本办" && is_office),
    })
}
