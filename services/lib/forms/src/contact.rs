//! The contact clause (联系方式): the contact for questions about the report, with address, telephone and postcode.

use std::sync::LazyLock;

use gongkai_model::{Contact, Paragraph, Source, Span};
use regex::Regex;

use crate::compact_text::CompactText;

/// Maximum number of paragraphs of a clause, one line for each part.
const LINES: usize = 5;

/// A pattern, and words of which every matching text contains one. Most texts contain none, and searching for words is
/// many times faster.
struct ContactPattern {
    words: &'static [&'static str],
    regex: Regex,
}

impl ContactPattern {
    fn new(words: &'static [&'static str], pattern: &'static str) -> Self {
        Self { words, regex: Regex::new(pattern).expect("the pattern is constant") }
    }

    fn fits(&self, text: &str) -> bool {
        self.may_fit(text) && self.regex.is_match(text)
    }

    /// Returns the text of the pattern's first group.
    fn part(&self, text: &str) -> Option<String> {
        let found = self.may_fit(text).then(|| self.regex.captures(text)).flatten()?;
        Some(found.get(1)?.as_str().to_owned())
    }

    fn may_fit(&self, text: &str) -> bool {
        self.words.iter().any(|word| text.contains(word))
    }
}

static ADDRESS: LazyLock<ContactPattern> = LazyLock::new(|| {
    ContactPattern::new(&["地址"], r"(?:通讯|通信|联系|办公)?地址(?:为|是)?[：:]?([^，,；;。）)：:、]{4,60})")
});
static TELEPHONE: LazyLock<ContactPattern> = LazyLock::new(|| {
    ContactPattern::new(
        &["电话", "传真"],
        r"(?:联系)?(?:电话|传真)(?:号码)?(?:为|是)?(?:/传真)?[：:]?([（(]?[0-9０-９][0-9０-９\-—－–()（）*]{5,18}[0-9０-９])",
    )
});
static POSTCODE: LazyLock<ContactPattern> = LazyLock::new(|| {
    ContactPattern::new(&["邮政编码", "邮编"], r"(?:邮政编码|邮编)(?:为|是)?[：:]?([0-9０-９]{6})")
});
static EMAIL: LazyLock<ContactPattern> = LazyLock::new(|| {
    ContactPattern::new(&["@"], r"([A-Za-z0-9._%+\-]{1,64}@[A-Za-z0-9.\-]{1,64}\.[A-Za-z]{2,12})")
});

/// Reads the first contact clause of the paragraphs. `body` returns the agency that a sentence names as the contact.
pub(crate) fn read<'p>(
    paragraphs: impl Iterator<Item = &'p Paragraph>,
    body: impl Fn(&str) -> Option<String>,
) -> Option<Contact> {
    let paragraphs: Vec<&Paragraph> = paragraphs.collect();
    let told = paragraphs.iter().position(|paragraph| is_clause(&paragraph.text))?;
    let address = |at: &usize| {
        let text = paragraphs.get(*at).map_or("", |paragraph| paragraph.text.as_str());
        text.contains("地址") && !text.contains('。')
    };
    let first = told.checked_sub(1).filter(address).unwrap_or(told);
    let mut contact = Contact::default();
    for paragraph in paragraphs.iter().skip(first).take(LINES) {
        let text = CompactText::new(paragraph);
        let sentence = sentence(&text.text);
        let clause = text.text.get(sentence.clone()).unwrap_or_default();
        let part = |slot: &Option<String>, pattern: &ContactPattern| match slot {
            Some(_) => None,
            None => pattern.part(clause),
        };
        let parts = [
            part(&contact.address, &ADDRESS),
            part(&contact.telephone, &TELEPHONE),
            part(&contact.postcode, &POSTCODE),
            part(&contact.email, &EMAIL),
        ];
        let adds = parts.iter().any(Option::is_some);
        if !adds && contact != Contact::default() {
            break;
        }
        let [address, telephone, postcode, email] = parts;
        contact.address = contact.address.or(address);
        contact.telephone = contact.telephone.or(telephone);
        contact.postcode = contact.postcode.or(postcode);
        contact.email = contact.email.or(email);
        contact.body = contact.body.or_else(|| body(clause));
        contact.source = joined(&contact.source, &text.source(sentence));
    }
    Some(contact)
}

/// Returns true for a sentence that names a contact and how to reach it.
fn is_clause(text: &str) -> bool {
    if !["联系", "咨询", "地址", "电话"].iter().any(|word| text.contains(word)) {
        return false;
    }
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    TELEPHONE.fits(&text) || POSTCODE.fits(&text) || EMAIL.fits(&text)
}

/// Returns the byte range of the contact's sentence, or the whole paragraph if several sentences name a contact.
fn sentence(text: &str) -> std::ops::Range<usize> {
    let tells =
        |part: &str| TELEPHONE.fits(part) || POSTCODE.fits(part) || EMAIL.fits(part) || ADDRESS.fits(part);
    let mut found: Option<std::ops::Range<usize>> = None;
    let mut start = 0;
    for part in text.split_inclusive('。') {
        let end = start + part.len();
        if tells(part) {
            found = Some(found.map_or(start, |range| range.start)..end);
        }
        start = end;
    }
    found.unwrap_or(0..text.len())
}

fn joined(a: &Source, b: &Source) -> Source {
    if *a == Source::default() {
        return b.clone();
    }
    let span = Span::of_both(a.span, b.span);
    Source { text: format!("{}\n{}", a.text, b.text), page: a.page, span, ..Source::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::contact_body;

    fn contact(lines: &[&str]) -> Option<Contact> {
        let paragraphs: Vec<Paragraph> =
            lines.iter().map(|line| Paragraph { text: (*line).to_owned(), ..Paragraph::default() }).collect();
        read(paragraphs.iter(), contact_body)
    }

    #[test]
    fn a_clause_is_read_part_by_part() {
        let text = "统计期限为全年。如有疑问，请与云川市水务局办公室联系（地址：云川市盐城南大道 66 号，电话：0795-7370013，邮编：331200）。";
        let contact = contact(&[text]).unwrap();
        assert_eq!(contact.body.as_deref(), Some("云川市水务局办公室"));
        assert_eq!(contact.address.as_deref(), Some("云川市盐城南大道66号"));
        assert_eq!(contact.telephone.as_deref(), Some("0795-7370013"));
        assert_eq!(contact.postcode.as_deref(), Some("331200"));
        assert_eq!(contact.email, None);
        assert!(contact.source.text.starts_with("如有疑问") && contact.source.text.ends_with("）。"));
    }

    #[test]
    fn a_clause_may_take_a_line_a_part() {
        let lines = [
            "其他",
            "联系地址：云川市桥东路7号",
            "联系电话：(0795)7370013",
            "电子邮箱：a.b@yc.gov.cn",
            "二、",
        ];
        let contact = contact(&lines).unwrap();
        assert_eq!(contact.telephone.as_deref(), Some("(0795)7370013"));
        assert_eq!(contact.email.as_deref(), Some("a.b@yc.gov.cn"));
        assert_eq!(contact.address.as_deref(), Some("云川市桥东路7号"));
        assert_eq!(contact.source.text.lines().count(), 3);
    }

    #[test]
    fn telephone_consulting_is_no_contact() {
        assert_eq!(contact(&["全年接受电话咨询 320 人次，现场咨询17人次。"]), None);
    }
}
