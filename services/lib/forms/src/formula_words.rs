//! The words of the formulas that name the body and the year of a report.

use std::{iter, sync::LazyLock};

use regex::Regex;

/// Words right before the title of the report in a sentence.
pub(crate) const PUBLISHED: [&str; 14] = [
    "公布", "发布", "编制", "编写", "撰写", "梳理", "形成", "制作", "起草", "现将", "兹将", "现就", "公开",
    "完成",
];

/// Words with which a sentence announces the text that follows it.
pub(crate) const TOLD: [&str; 9] = ["报告", "公布", "公告", "汇报", "通报", "公示", "总结", "说明", "公开"];

/// Words for the work on a report.
pub(crate) const COMPILED: [&str; 10] =
    ["编制", "撰写", "编写", "起草", "制作", "梳理", "形成", "公布", "发布", "报告如下"];

/// Words with which a sentence of chapter 一 speaks of the report itself.
pub(crate) const IN_CHAPTER: [&str; 11] = [
    "现公布",
    "现发布",
    "现向",
    "现面向",
    "现编制",
    "现将",
    "特向",
    "特公布",
    "特编制",
    "本报告",
    "本年度报告",
];

/// Words that follow the name of the compiler after 由.
pub(crate) static AFTER_COMPILER: LazyLock<WordList> = LazyLock::new(|| {
    WordList::of(&[
        "综合", "会同", "收集", "整理", "统计", "对", "结合", "根据", "按照", "依据", "依照", "汇总", "负责",
        "牵头", "组织", "编制", "撰写", "编写", "起草", "梳理", "制作", "公布", "发布",
    ])
});

/// Words that follow the name of the body after 结合.
pub(crate) static AFTER_WHOSE: LazyLock<WordList> = LazyLock::new(|| {
    WordList::of(&[
        "的",
        "政府信息",
        "政务公开",
        "信息公开",
        "实际",
        "工作",
        "有关",
        "相关",
        "本年",
        "全年",
        "年度",
        "统计",
        "各项",
        "情况",
        "20",
    ])
});

/// Words for the work that a report is about.
pub(crate) const WORK: [&str; 4] = ["政府信息公开", "信息公开", "政务公开", "政务信息公开"];

/// Words behind the work of the body itself. The demands and the plans for the work are those of a higher body.
pub(crate) const AFTER_WORK: [&str; 13] = [
    "实际",
    "情况",
    "总体",
    "开展",
    "统计",
    "有关统计",
    "有关情况",
    "有关数据",
    "相关情况",
    "基础上",
    "进展",
    "，",
    ",",
];

/// Words before the name of the body whose work a report is about.
pub(crate) const BEFORE_WORKER: [&str; 21] = [
    "按照", "根据", "依据", "结合", "汇总", "梳理", "总结", "反映", "包括", "涵盖", "围绕", "做好", "推进",
    "规范", "加强", "推动", "综合", "统计", "现将", "公布", "发布",
];

/// Words that follow the name of the body where it is the subject of a clause of the preamble.
pub(crate) static AFTER_SUBJECT: LazyLock<WordList> = LazyLock::new(|| {
    WordList::of(&[
        "已",
        "负责",
        "汇总",
        "制作",
        "起草",
        "制定",
        "根据",
        "依据",
        "按照",
        "依照",
        "遵照",
        "结合",
        "严格",
        "认真",
        "高度",
        "坚持",
        "全面",
        "积极",
        "深入",
        "对照",
        "现将",
        "现向",
        "现公布",
        "现发布",
        "特",
        "组织编制",
        "编制",
        "撰写",
        "编写",
        "公布",
        "发布",
        "向社会",
        "政府信息",
        "政务公开",
        "20",
    ])
});

/// Words that follow the name of the body in the opening sentence.
pub(crate) static AFTER_OPENING: LazyLock<WordList> = LazyLock::new(|| {
    WordList::of(&[
        "认真",
        "深入",
        "坚持",
        "严格",
        "全面",
        "积极",
        "按照",
        "根据",
        "依据",
        "紧紧",
        "紧扣",
        "紧密",
        "高度",
        "持续",
        "始终",
        "切实",
        "不断",
        "以",
        "围绕",
        "贯彻",
        "落实",
        "主动",
        "共",
        "全年",
        "在",
        "进一步",
        "扎实",
        "大力",
        "着力",
        "深化",
        "充分",
        "聚焦",
        "立足",
        "牢固",
        "牢牢",
        "通过",
        "政府信息",
        "政务公开",
        "信息公开",
        "将",
        "把",
        "对",
        "健全",
        "加强",
        "成立",
        "稳步",
        "有序",
        "依法",
        "及时",
        "结合",
        "学习",
        "坚决",
        "累计",
        "收到",
        "未收到",
        "高质量",
        "公开",
        "党委",
        "党组",
        "党工委",
        "20",
    ])
});

/// Words that are searched for in one pass.
pub(crate) struct WordList(Regex);

// === impl WordList ===

impl WordList {
    fn of(words: &[&str]) -> Self {
        Self(Regex::new(&words.join("|")).expect("Han characters have no meaning in a pattern"))
    }

    /// Returns the places at which a word begins, in bytes.
    pub(crate) fn places(&self, text: &str) -> impl Iterator<Item = usize> {
        let mut from = 0;
        iter::from_fn(move || {
            let at = self.0.find_at(text, from)?.start();
            from = text.ceil_char_boundary(at + 1);
            Some(at)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_overlap_are_found_each() {
        let words = WordList::of(&["统计", "计划", "对"]);
        assert_eq!(words.places("局统计划对").collect::<Vec<_>>(), [3, 6, 12]);
        assert_eq!(words.places("").count(), 0);
    }
}
