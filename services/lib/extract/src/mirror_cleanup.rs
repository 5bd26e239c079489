//! Removes what a mirror site added to a report: pinyin in brackets after Han characters (`報(bào)`) and traditional
//! glyphs. Also removes invisible characters.
//!
//! Pinyin and traditional glyphs are removed before labels are matched. Pinyin is removed first, because the
//! dictionary of traditional phrases needs adjacent characters. Every cleaned scalar keeps the index of its original.
//! The author's brackets, such as `浓度(mg)` or `附件（a）`, stay.

use std::sync::OnceLock;

use ferrous_opencc::{OpenCC, config::BuiltinConfig};
use gongkai_model::{Block, Note, is_han};
use pinyin::ToPinyinMulti;
use unicode_normalization::UnicodeNormalization;

use crate::{invisible::is_invisible, source_text::SourceText};

/// Maximum length of pinyin in brackets, in scalars: `zhuāng` plus combining tone marks.
const LONGEST_GLOSS: usize = 10;

/// Minimum number of traditional glyphs in a traditional text.
const FEWEST_MARKERS: usize = 3;

/// A text is traditional if at least one in this many markers is. Fewer are names and quotations.
const MARKER_SHARE: usize = 5;

/// Cleans the texts of one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cleaner {
    traditional: bool,
}

/// A cleaned text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cleaned {
    pub(crate) text: String,
    /// For each scalar of `text`, the index of the original scalar. The indices never decrease.
    pub(crate) from: Vec<u32>,
    /// Number of pinyin glosses removed.
    pub(crate) pinyin: u32,
}

impl Cleaner {
    /// Decides from the whole document, so that all its texts are treated alike.
    pub(crate) fn of(document: &str) -> Self {
        Self { traditional: is_traditional(document) }
    }

    /// Cleans one text. Returns `None` if nothing changes.
    pub(crate) fn clean(self, text: &str) -> Option<Cleaned> {
        let bare = bare(text);
        match (self.traditional, bare) {
            (false, bare) => bare,
            (true, Some(bare)) => Some(simplified(bare)),
            (true, None) => {
                let from = (0..).zip(text.chars()).map(|(index, _)| index).collect();
                Some(simplified(Cleaned { text: text.to_owned(), from, pinyin: 0 }))
            }
        }
    }

    /// Returns the notes for a document from which `pinyin` glosses were removed.
    pub(crate) fn notes(self, pinyin: u32) -> impl Iterator<Item = Note> {
        let pinyin = (pinyin > 0).then_some(Note::PinyinRemoved(pinyin));
        pinyin.into_iter().chain(self.traditional.then_some(Note::TraditionalConverted))
    }
}

/// Cleans a document that is a single text, and records the changes in `notes`.
pub(crate) fn clean(text: String, notes: &mut Vec<Note>) -> SourceText {
    let cleaner = Cleaner::of(&text);
    let Some(cleaned) = cleaner.clean(&text) else { return SourceText::verbatim(text) };
    notes.extend(cleaner.notes(cleaned.pinyin));
    let mut origin = cleaned.from;
    origin.push(u32::try_from(text.chars().count()).unwrap_or(u32::MAX));
    SourceText::new(cleaned.text, origin)
}

/// Cleans a document whose blocks have no positions. Returns a note on each change.
pub(crate) fn clean_blocks(blocks: &mut [Block]) -> Vec<Note> {
    fn texts(blocks: &mut [Block]) -> impl Iterator<Item = &mut String> {
        blocks.iter_mut().flat_map(|block| -> Vec<&mut String> {
            match block {
                Block::Paragraph(paragraph) => vec![&mut paragraph.text],
                Block::Table(grid) => grid.cells.iter_mut().map(|cell| &mut cell.text).collect(),
            }
        })
    }
    let whole: String = texts(blocks).map(|text| text.as_str()).collect();
    let cleaner = Cleaner::of(&whole);
    let mut pinyin = 0;
    for text in texts(blocks) {
        if let Some(cleaned) = cleaner.clean(text) {
            pinyin += cleaned.pinyin;
            *text = cleaned.text;
        }
    }
    cleaner.notes(pinyin).collect()
}

// === pinyin ===

/// Returns the text without pinyin and invisible characters, or `None` if there are none.
fn bare(text: &str) -> Option<Cleaned> {
    // Usually there are none, and nothing is copied.
    if !has_gloss(text) && !text.contains(is_invisible) {
        return None;
    }
    let mut cleaned = Cleaned { text: String::with_capacity(text.len()), from: Vec::new(), pinyin: 0 };
    let (mut rest, mut index, mut previous) = (text, 0, ' ');
    while let Some(c) = rest.chars().next() {
        if let Some((bytes, scalars)) = gloss(previous, rest) {
            cleaned.pinyin += 1;
            rest = &rest[bytes..];
            index += scalars;
            previous = ' ';
            continue;
        }
        rest = &rest[c.len_utf8()..];
        if !is_invisible(c) {
            cleaned.text.push(c);
            cleaned.from.push(index);
            previous = c;
        }
        index += 1;
    }
    Some(cleaned)
}

/// Returns true if there is pinyin to remove.
fn has_gloss(text: &str) -> bool {
    // One search for each bracket, because a search for a single character is vectorised.
    ['(', '（'].into_iter().any(|bracket| {
        text.match_indices(bracket).any(|(at, _)| {
            let before = text[..at].chars().next_back().unwrap_or(' ');
            gloss(before, &text[at..]).is_some()
        })
    })
}

/// Returns the length, in bytes and scalars, of the gloss on `han` at the beginning of `rest`.
fn gloss(han: char, rest: &str) -> Option<(usize, u32)> {
    let inner = rest.strip_prefix(['(', '（']).filter(|_| is_han(han))?;
    let letters = inner.chars().take(LONGEST_GLOSS).take_while(|c| is_letter(*c));
    let (count, length) = letters.fold((0, 0), |(count, length), c| (count + 1, length + c.len_utf8()));
    let after = inner[length..].strip_prefix([')', '）'])?;
    let fits = count > 0 && is_reading(han, &inner[..length]);
    fits.then_some((rest.len() - after.len(), count + 2))
}

/// Returns true if the letters are a reading of the character, or have a tone mark, which does not occur in words,
/// units and formulas.
fn is_reading(han: char, letters: &str) -> bool {
    let letters: String = letters.nfc().map(|c| if c == 'v' { 'ü' } else { c }).collect();
    let toned = |c| "āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜńňǹḿ".contains(c);
    letters.contains(toned)
        || han.to_pinyin_multi().is_some_and(|readings| {
            readings.into_iter().any(|reading| reading.plain() == letters || reading.with_tone() == letters)
        })
}

/// Returns true for lower-case Latin letters and for combining tone marks.
fn is_letter(c: char) -> bool {
    c.is_lowercase() || ('\u{300}'..='\u{30c}').contains(&c)
}

// === traditional to simplified ===

/// Returns true if enough of the words that every report has are written in traditional glyphs.
fn is_traditional(document: &str) -> bool {
    let mut counts = [0_usize; 3];
    for c in document.chars() {
        let place = u32::from(c).wrapping_sub(FIRST_HAN);
        let kind = usize::try_from(place).ok().and_then(|place| MARKERS.get(place)).copied().unwrap_or(0);
        if let Some(count) = counts.get_mut(usize::from(kind)) {
            *count += 1;
        }
    }
    let [_, traditional, simplified] = counts;
    traditional >= FEWEST_MARKERS && traditional * MARKER_SHARE >= traditional + simplified
}

const FIRST_HAN: u32 = 0x4e00;

/// For each Han character: 1 if it is a traditional marker, 2 if a simplified one. A table, because every character
/// of a document is looked up.
static MARKERS: [u8; 0x5200] = markers();

const fn markers() -> [u8; 0x5200] {
    const TRADITIONAL: [char; 30] = [
        '國', '務', '報', '開', '關', '數', '據', '請', '與', '業', '條', '處', '訴', '訟', '議', '總', '計',
        '結', '項', '規', '發', '辦', '應', '動', '許', '罰', '強', '費', '無', '複',
    ];
    const SIMPLIFIED: [char; 30] = [
        '国', '务', '报', '开', '关', '数', '据', '请', '与', '业', '条', '处', '诉', '讼', '议', '总', '计',
        '结', '项', '规', '发', '办', '应', '动', '许', '罚', '强', '费', '无', '复',
    ];
    let mut markers = [0; 0x5200];
    let mut at = 0;
    while at < TRADITIONAL.len() {
        markers[(TRADITIONAL[at] as u32 - FIRST_HAN) as usize] = 1;
        markers[(SIMPLIFIED[at] as u32 - FIRST_HAN) as usize] = 2;
        at += 1;
    }
    markers
}

fn converter() -> &'static OpenCC {
    static CONVERTER: OnceLock<OpenCC> = OnceLock::new();
    CONVERTER.get_or_init(|| {
        OpenCC::from_config(BuiltinConfig::T2s).expect("the dictionaries are compiled into the library")
    })
}

fn simplified(bare: Cleaned) -> Cleaned {
    let text = converter().convert(&bare.text);
    if text.chars().count() == bare.from.len() {
        return Cleaned { text, ..bare };
    }
    simplified_by_scalar(&bare)
}

/// Simplifies each scalar separately, because a phrase changed its length and positions must stay right.
fn simplified_by_scalar(bare: &Cleaned) -> Cleaned {
    let mut cleaned =
        Cleaned { text: String::with_capacity(bare.text.len()), from: Vec::new(), pinyin: bare.pinyin };
    let mut buffer = [0; 4];
    for (c, from) in bare.text.chars().zip(&bare.from) {
        if is_han(c) {
            let converted = converter().convert(c.encode_utf8(&mut buffer));
            cleaned.from.extend(converted.chars().map(|_| *from));
            cleaned.text.push_str(&converted);
        } else {
            cleaned.from.push(*from);
            cleaned.text.push(c);
        }
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        let mut notes = Vec::new();
        let source = clean(text.to_owned(), &mut notes);
        assert_eq!(source.as_str(), expect, "{text}");
    }

    #[test]
    fn pinyin_in_brackets_goes() {
        check("報(bào)告", "報告");
        check("本報(bào)告依據(jù)編(biān)制", "本報告依據編制");
        check("长（cháng）度", "长度");
        check("请(qing)示", "请示");
        check("绿(lv)色", "绿色");
        check("中(zho\u{304}ng)国", "中国");
    }

    #[test]
    fn what_nobody_sees_goes() {
        check("樟树\u{200b}市鹿\u{feff}江街道\u{202e}办事处\u{ad}", "樟树市鹿江街道办事处");
        check("報\u{200d}(bào)告\u{2060}", "報告");
        let text = "\u{200b}收到\u{200b}1\u{200b}2件";
        let source = clean(text.to_owned(), &mut Vec::new());
        assert_eq!(
            (source.as_str(), source.span(2, 4)),
            ("收到12件", gongkai_model::Span { start: 4, end: 7 })
        );
    }

    #[test]
    fn brackets_of_the_author_stay() {
        for text in [
            "浓度(mg)",
            "见附件（a）",
            "说明（单位:km）",
            "公开（bao）告",
            "上海（shanghai）",
            "报()告",
            "(bào)",
            "表(bào",
        ] {
            check(text, text);
        }
    }

    #[test]
    fn a_traditional_text_becomes_simplified_after_its_pinyin_is_gone() {
        check("國(guó)務(wù)院辦公廳政府信息公開工作年度報(bào)告", "国务院办公厅政府信息公开工作年度报告");
    }

    #[test]
    fn a_simplified_text_keeps_the_odd_traditional_name() {
        let text =
            "国务院办公厅政府信息公开工作年度报告，联系人：陳國發，数据、总计、结转、条例、处理、开展、关于";
        check(text, text);
    }

    #[test]
    fn every_cleaned_scalar_points_at_its_original() {
        let text = "三、國(guó)務(wù)院12號(hào)報(bào)開7件";
        let source = clean(text.to_owned(), &mut Vec::new());
        let original: Vec<char> = text.chars().collect();
        let at = source.as_str().chars().position(|c| c == '7').unwrap();
        let span = source.span(at, at + 1);
        assert_eq!(original[span.start as usize..span.end as usize], ['7']);
        let from = source.as_str().chars().position(|c| c == '1').unwrap();
        let span = source.span(from, from + 3);
        assert_eq!(original[span.start as usize..span.end as usize].iter().collect::<String>(), "12號");
    }

    #[test]
    fn notes_say_what_was_done() {
        let mut notes = Vec::new();
        clean("國(guó)務(wù)院報告".to_owned(), &mut notes);
        assert_eq!(notes, [Note::PinyinRemoved(2), Note::TraditionalConverted]);
        notes.clear();
        clean("国务院报告".to_owned(), &mut notes);
        assert_eq!(notes, []);
    }

    #[test]
    fn conversion_by_scalar_keeps_one_origin_a_scalar() {
        let bare = bare("國(guó)務院5件").unwrap();
        let cleaned = simplified_by_scalar(&bare);
        assert_eq!((cleaned.text.as_str(), cleaned.from), ("国务院5件", vec![0, 6, 7, 8, 9]));
    }
}
