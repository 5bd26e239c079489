//! Decodes bytes to text. The declaration of a page is not trusted.
//!
//! The charset is determined in this order: a byte order mark; bytes that are UTF-8; the legacy charset in which the
//! bytes are common characters; if both fit, the result of a detector and then the declaration. Pages often declare
//! the wrong charset, so a declaration alone decides nothing. Positions count from the first scalar after a byte
//! order mark.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{BIG5, Encoding, GB18030, GBK, UTF_8};
use gongkai_model::{Note, Rejection, RejectionCode};

use crate::hints::Hints;

/// Maximum position of a page's charset declaration, in bytes from its beginning.
const DECLARATION_WITHIN: usize = 4096;

/// Number of bytes that the detector reads, from the first that is not ASCII. It is slow: it reads a megabyte per
/// second.
const DETECTED: usize = 1024;

/// Text may have one undecodable character in this many.
const REPLACEMENT_SHARE: usize = 20;

/// Minimum share of common characters, in tenths. Decoding with a wrong charset results in mostly rare characters.
const EVERYDAY_TENTHS: usize = 5;

/// Text decoded from bytes, with its charset.
#[derive(Debug)]
pub(crate) struct DecodedText {
    pub(crate) text: String,
    /// WHATWG name of the charset, in lower case.
    pub(crate) charset: &'static str,
    pub(crate) notes: Vec<Note>,
}

/// Detects the charset of a text document and decodes it.
pub(crate) fn decode(bytes: &[u8], hints: &Hints<'_>) -> Result<DecodedText, Rejection> {
    let declared = DeclaredCharsets::of(bytes, hints);
    let (encoding, text) = best(bytes, &declared)?;
    let mut notes = Vec::new();
    let ascii = bytes.is_ascii();
    if !ascii && declared.contradicts(encoding) {
        notes.push(Note::CharsetMismatch);
    }
    let replaced = replacements(&text);
    if replaced > 0 {
        notes.push(Note::ReplacementCharacters(u32::try_from(replaced).unwrap_or(u32::MAX)));
    }
    Ok(DecodedText { text, charset: name(encoding), notes })
}

fn best(bytes: &[u8], declared: &DeclaredCharsets) -> Result<(&'static Encoding, String), Rejection> {
    if let Some((encoding, length)) = Encoding::for_bom(bytes) {
        return decoded(encoding, &bytes[length..]).ok_or_else(rejection);
    }
    // This is several times as fast as the standard library on Han characters.
    if let Some(text) = UTF_8.decode_without_bom_handling_and_without_replacement(bytes) {
        return Ok((UTF_8, text.into_owned()));
    }
    if !is_broken_beyond_reading(bytes)
        && let Some(found) = decoded(UTF_8, bytes)
    {
        return Ok(found);
    }
    let order = candidates(bytes, declared);
    let found = order.into_iter().find_map(|encoding| decoded(encoding, bytes));
    found.ok_or_else(rejection)
}

/// Returns true if so many bytes are invalid UTF-8 that [`decoded`] would reject them. For a page in another charset,
/// a few hundred bytes show this.
fn is_broken_beyond_reading(bytes: &[u8]) -> bool {
    let most_characters = bytes.iter().filter(|byte| !byte.is_ascii()).count() / 2;
    let broken = bytes.utf8_chunks().filter(|chunk| !chunk.invalid().is_empty());
    broken.take(most_characters / REPLACEMENT_SHARE + 1).count() > most_characters / REPLACEMENT_SHARE
}

/// Returns the legacy charsets of Chinese pages that the bytes may be in, likeliest first.
fn candidates(bytes: &[u8], declared: &DeclaredCharsets) -> Vec<&'static Encoding> {
    let (gb18030, big5) = (everyday_tenths(GB18030, bytes), everyday_tenths(BIG5, bytes));
    let mut order = vec![(gb18030, GB18030), (big5, BIG5)];
    if gb18030 < big5 || (gb18030 == big5 && opinion(bytes, declared) == BIG5) {
        order.reverse();
    }
    order.into_iter().filter(|(tenths, _)| *tenths >= EVERYDAY_TENTHS).map(|(_, encoding)| encoding).collect()
}

/// Chooses a charset for bytes that fit several: the detector's, else the declared one, else GB 18030.
fn opinion(bytes: &[u8], declared: &DeclaredCharsets) -> &'static Encoding {
    let first = bytes.iter().position(|byte| !byte.is_ascii()).unwrap_or(0);
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(&bytes[first..bytes.len().min(first + DETECTED)], true);
    let guess = detector.guess(Some(b"cn"), Utf8Detection::Deny);
    let opinions = [guess].into_iter().chain(declared.0.iter().copied()).map(family);
    opinions.into_iter().find(|encoding| [GB18030, BIG5].contains(encoding)).unwrap_or(GB18030)
}

fn decoded(encoding: &'static Encoding, bytes: &[u8]) -> Option<(&'static Encoding, String)> {
    let (text, damaged) = encoding.decode_without_bom_handling(bytes);
    let bearable = !damaged || {
        let others = text.chars().filter(|c| !c.is_ascii() && *c != char::REPLACEMENT_CHARACTER).count();
        replacements(&text) * REPLACEMENT_SHARE <= others
    };
    bearable.then(|| (encoding, text.into_owned()))
}

/// Returns the share of everyday characters of that charset among the byte pairs, in tenths. Most pairs of one
/// charset decode in the other, but to rare and private characters; a detector alone mistakes short Big5 texts for
/// GBK.
fn everyday_tenths(encoding: &'static Encoding, bytes: &[u8]) -> usize {
    let everyday = |lead: u8, trail: u8| {
        if encoding == BIG5 {
            (0xa1..=0xc6).contains(&lead) && trail >= 0x40
        } else {
            (0xa1..=0xd7).contains(&lead) && trail >= 0xa1
        }
    };
    let (mut pairs, mut usual, mut rest) = (0, 0, bytes);
    while let Some(at) = rest.iter().position(|byte| *byte >= 0x80) {
        let (lead, trail) = (rest[at], rest.get(at + 1).copied().unwrap_or(0));
        pairs += 1;
        usual += usize::from(everyday(lead, trail));
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    usual * 10 / pairs.max(1)
}

fn replacements(text: &str) -> usize {
    text.matches(char::REPLACEMENT_CHARACTER).count()
}

fn rejection() -> Rejection {
    Rejection::new(
        RejectionCode::BadEncoding,
        "无法识别文字编码：按 UTF-8、GB18030、Big5 均不能解码，请以 UTF-8 重新保存后提交",
        "the bytes are no text in UTF-8, GB18030 or Big5; save the document as UTF-8 and submit it again",
    )
}

/// Returns the charset that includes this one: GB 2312 and GBK are parts of GB 18030.
fn family(encoding: &'static Encoding) -> &'static Encoding {
    if encoding == GBK { GB18030 } else { encoding }
}

fn name(encoding: &'static Encoding) -> &'static str {
    const NAMES: [&str; 5] = ["utf-8", "gb18030", "big5", "utf-16le", "utf-16be"];
    NAMES.into_iter().find(|name| encoding.name().eq_ignore_ascii_case(name)).unwrap_or(encoding.name())
}

// === declarations ===

/// The charsets that the sender and the page itself declare.
struct DeclaredCharsets(Vec<&'static Encoding>);

impl DeclaredCharsets {
    fn of(bytes: &[u8], hints: &Hints<'_>) -> Self {
        let head = &bytes[..bytes.len().min(DECLARATION_WITHIN)];
        let head = if head.contains(&b'<') { String::from_utf8_lossy(head) } else { Cow::default() };
        let head = head.to_ascii_lowercase();
        let media_type = hints.media_type.map(str::to_ascii_lowercase);
        let labels = [
            hints.charset,
            media_type.as_deref().and_then(|text| label_after(text, "charset")),
            head.split("<meta").skip(1).find_map(|tag| label_after(tag.split('>').next()?, "charset")),
            head.strip_prefix("<?xml").and_then(|text| label_after(text.split('>').next()?, "encoding")),
        ];
        Self(labels.into_iter().flatten().filter_map(|label| Encoding::for_label(label.as_bytes())).collect())
    }

    fn contradicts(&self, actual: &'static Encoding) -> bool {
        self.0.iter().any(|declared| family(declared) != family(actual))
    }
}

/// Returns the label in `key = "label"`.
fn label_after<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(key)?;
    let value = rest.trim_start().strip_prefix('=')?.trim_start().trim_start_matches(['"', '\'']);
    value.split(|c: char| c.is_whitespace() || "\"';/>?".contains(c)).next().filter(|label| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use encoding_rs::UTF_16LE;

    use super::*;

    const TEXT: &str =
        "一、总体情况。本机关2023年主动公开政府信息37件，收到政府信息公开申请12件，均已按时办结。";
    const TRADITIONAL: &str =
        "一、總體情況。本機關2023年主動公開政府資訊37件，收到政府資訊公開申請12件，均已按時辦結。";

    fn encoded(encoding: &'static Encoding, text: &str) -> Vec<u8> {
        encoding.encode(text).0.into_owned()
    }

    fn check(bytes: &[u8], declared: Option<&str>, charset: &str, text: &str, notes: &[Note]) {
        let decoded = decode(bytes, &Hints { charset: declared, ..Hints::default() }).unwrap();
        assert_eq!(
            (decoded.charset, decoded.text.as_str(), decoded.notes.as_slice()),
            (charset, text, notes)
        );
    }

    #[test]
    fn bytes_win_over_a_wrong_declaration() {
        check(TEXT.as_bytes(), Some("gb2312"), "utf-8", TEXT, &[Note::CharsetMismatch]);
        check(&encoded(GB18030, TEXT), Some("utf-8"), "gb18030", TEXT, &[Note::CharsetMismatch]);
        check(&encoded(GB18030, TEXT), Some("iso-8859-1"), "gb18030", TEXT, &[Note::CharsetMismatch]);
        check(&encoded(BIG5, TRADITIONAL), Some("utf-8"), "big5", TRADITIONAL, &[Note::CharsetMismatch]);
    }

    #[test]
    fn gb2312_and_gbk_are_gb18030() {
        for label in ["gb2312", "GBK", "gb18030"] {
            check(&encoded(GB18030, TEXT), Some(label), "gb18030", TEXT, &[]);
        }
        check(&encoded(GB18030, TEXT), None, "gb18030", TEXT, &[]);
    }

    #[test]
    fn a_short_text_is_decoded_as_well() {
        check(&encoded(GB18030, "规章 3"), None, "gb18030", "规章 3", &[]);
    }

    #[test]
    fn a_byte_order_mark_decides() {
        let mut bytes = vec![0xff, 0xfe];
        bytes.extend(TEXT.encode_utf16().flat_map(u16::to_le_bytes));
        check(&bytes, Some("gbk"), name(UTF_16LE), TEXT, &[Note::CharsetMismatch]);
        let bytes = [b"\xef\xbb\xbf", TEXT.as_bytes()].concat();
        check(&bytes, None, "utf-8", TEXT, &[]);
    }

    #[test]
    fn the_page_itself_may_declare() {
        for page in
            ["<meta charset=gbk>", "<META content='text/html; charset=\"gb2312\"'>", "<?xml encoding='gbk'?>"]
        {
            let text = format!("{page}{TEXT}");
            check(text.as_bytes(), None, "utf-8", &text, &[Note::CharsetMismatch]);
        }
    }

    #[test]
    fn ascii_contradicts_no_declaration() {
        check(b"report 2023", Some("gbk"), "utf-8", "report 2023", &[]);
    }

    #[test]
    fn a_few_broken_bytes_are_replaced_and_counted() {
        let mut bytes = TEXT.as_bytes().to_vec();
        bytes.truncate(bytes.len() - 1);
        let text = TEXT.trim_end_matches('。').to_owned() + "\u{fffd}";
        check(&bytes, None, "utf-8", &text, &[Note::ReplacementCharacters(1)]);
    }

    #[test]
    fn bytes_of_no_charset_are_rejected() {
        let mojibake: Vec<u8> =
            TEXT.bytes().enumerate().filter(|(i, _)| i % 4 != 0).map(|(_, b)| b).collect();
        let noise: Vec<u8> = (0..4000_u32).map(|i| (i * 7919 % 251) as u8 | 0x80).collect();
        for bytes in [b"\xc3\x28\xa0\xa1\xff".to_vec(), b"abc\xff\xfe\xfd".to_vec(), mojibake, noise] {
            let rejection = decode(&bytes, &Hints::default()).unwrap_err();
            assert_eq!(rejection.code, RejectionCode::BadEncoding, "{bytes:?}");
        }
    }
}
