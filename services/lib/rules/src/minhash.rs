//! MinHash signatures of a report's prose, from which the similarity of two reports is estimated.
//!
//! Chapters 一 and 五 are masked (numbers, white space and punctuation are removed, the agency's name becomes one
//! character), cut into shingles of five characters, and hashed. The smallest [`KEPT`] hashes estimate the Jaccard
//! similarity of two texts; the estimate is exact if neither text has more. [`Bands`] find similar texts without
//! comparing all pairs (locality-sensitive hashing).

use gongkai_model::{Report, normalized_name};

/// Number of hashes kept. The standard error at a similarity of 0.9 is 0.013.
const KEPT: usize = 512;
/// Length of a shingle, in characters.
const SHINGLE: usize = 5;
/// Number of bands.
const BANDS: usize = 3;
/// Number of minima in a band.
const ROWS: usize = 4;
/// Minimum length of a paragraph, in characters. Shorter ones are headings and not compared.
const SHORTEST: usize = 12;
/// Sentences that name the Regulations (条例) are prescribed by law and not compared.
const LAW: &str = "中华人民共和国政府信息公开条例";
/// The chapters compared.
const CHAPTERS: [u32; 2] = [1, 5];

/// A signature: the smallest hashes of the shingles, ascending and distinct.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MinHash {
    /// Number of characters of the masked prose.
    pub chars: u32,
    /// The hashes, at most 512.
    pub hashes: Vec<u32>,
}

/// Keys of a locality-sensitive index. Texts that share a key are candidates for comparison. Of the pairs with
/// similarity 0.9, 96 % share one.
pub type Bands = [u64; BANDS];

impl MinHash {
    /// Returns the signature and bands of a report.
    #[must_use]
    pub fn of(report: &Report) -> (Self, Bands) {
        let masked = masked(report);
        let mut minima = [u64::MAX; BANDS * ROWS];
        let mut hashes = Vec::with_capacity(masked.len());
        for shingle in masked.windows(SHINGLE) {
            let hash = hash(shingle);
            for (row, minimum) in (0..).zip(&mut minima) {
                *minimum = (*minimum).min(mix(hash ^ mix(row)));
            }
            hashes.push(high_half(hash));
        }
        hashes.sort_unstable();
        hashes.dedup();
        hashes.truncate(KEPT);
        let mut bands = [0; BANDS];
        for (band, rows) in bands.iter_mut().zip(minima.chunks(ROWS)) {
            *band = rows.iter().fold(0, |sum, minimum| mix(sum ^ minimum));
        }
        let chars = u32::try_from(masked.len()).unwrap_or(u32::MAX);
        (Self { chars, hashes }, bands)
    }

    /// Returns the estimated Jaccard similarity of two texts, from 0 to 1; 0 if either is empty.
    #[must_use]
    pub fn similarity(&self, other: &Self) -> f64 {
        let (mut a, mut b) = (self.hashes.iter().peekable(), other.hashes.iter().peekable());
        // If both are complete the whole union counts. Otherwise only its smallest hashes do: both contain all of
        // those.
        let is_whole = self.hashes.len() < KEPT && other.hashes.len() < KEPT;
        let limit = if is_whole { usize::MAX } else { KEPT };
        let (mut union, mut shared) = (0_u32, 0_u32);
        while (union as usize) < limit {
            let order = match (a.peek(), b.peek()) {
                (None, None) => break,
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (Some(a), Some(b)) => a.cmp(b),
            };
            if order.is_le() {
                a.next();
            }
            if order.is_ge() {
                b.next();
            }
            shared += u32::from(order.is_eq());
            union += 1;
        }
        if union == 0 { 0.0 } else { f64::from(shared) / f64::from(union) }
    }
}

/// Returns the prose without the parts that differ between copies of one text.
fn masked(report: &Report) -> Vec<char> {
    let name = normalized_name(&report.agency);
    let mut masked = Vec::new();
    let chapters = report.sections.iter().filter(|section| CHAPTERS.contains(&section.number));
    for paragraph in chapters.flat_map(|section| &section.paragraphs) {
        if paragraph.text.chars().count() < SHORTEST {
            continue;
        }
        let text = normalized_name(&paragraph.text);
        let text = if name.is_empty() { text } else { text.replace(&name, "@") };
        for sentence in text.split(['。', ';', '；']).filter(|sentence| !sentence.contains(LAW)) {
            masked.extend(sentence.chars().filter(|c| *c == '@' || (c.is_alphabetic() && !c.is_numeric())));
        }
    }
    masked
}

/// Computes FNV-1a over the characters, and mixes the result.
fn hash(shingle: &[char]) -> u64 {
    let step = |sum: u64, c: &char| (sum ^ u64::from(u32::from(*c))).wrapping_mul(0x0000_0100_0000_01b3);
    mix(shingle.iter().fold(0xcbf2_9ce4_8422_2325, step))
}

/// Applies the finisher of `SplitMix64`: every bit of the result depends on every bit of the input.
fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

fn high_half(hash: u64) -> u32 {
    u32::try_from(hash >> 32).expect("32 of 64 bits are left")
}

#[cfg(test)]
mod tests {
    use gongkai_model::{FormId, Paragraph, Section, Variant};

    use super::*;

    fn report(agency: &str, sentences: &[String]) -> Report {
        let paragraph = |text: &String| Paragraph { text: text.clone(), ..Paragraph::default() };
        let section = Section {
            number: 1,
            title: "总体情况".into(),
            title_span: None,
            paragraphs: sentences.iter().map(paragraph).collect(),
            has_table: false,
        };
        Report {
            agency: agency.into(),
            year: 2023,
            title_year: None,
            period: None,
            form: FormId::Form2021,
            variant: Variant::Standard,
            title: String::new(),
            preamble: Vec::new(),
            sections: vec![section],
            facts: Vec::new(),
            notes: Vec::new(),
            parts: Vec::new(),
            identity: gongkai_model::Identity::default(),
            metadata: gongkai_model::Metadata::default(),
        }
    }

    /// Returns sentences that differ for each number.
    fn sentences(numbers: std::ops::Range<u32>) -> Vec<String> {
        let word = |n: u32| char::from_u32(0x4e00 + n * 37 % 5000).unwrap();
        numbers.map(|n| (0..40).map(|at| word(n * 40 + at)).collect::<String>() + "。").collect()
    }

    #[test]
    fn numbers_years_spaces_and_the_agencys_name_do_not_count() {
        let of = |agency: &str, text: &str| MinHash::of(&report(agency, &[text.to_owned()]));
        let a = of("云溪县档案局", "云溪县档案局2022年共主动公开政府信息 135 条，其中网站公开 97 条。");
        let b = of("石门县教育局", "石门县教育局2023年共主动公开政府信息24条,其中网站公开3条。");
        assert_eq!(a, b);
        assert!(a.0.chars > 15);
        assert!((a.0.similarity(&b.0) - 1.0).abs() < f64::EPSILON);
    }

    #[test]
    fn similarity_is_the_shared_part_also_where_only_part_of_the_hashes_is_kept() {
        for (whole, shared) in [(8, 6), (40, 30), (40, 39), (40, 0)] {
            let a = MinHash::of(&report("甲", &sentences(0..whole))).0;
            let b = MinHash::of(&report("甲", &sentences(whole - shared..2 * whole - shared))).0;
            let truth = f64::from(shared) / f64::from(2 * whole - shared);
            assert!((a.similarity(&b) - truth).abs() < 0.06, "{} for {truth}", a.similarity(&b));
            assert!((a.similarity(&b) - b.similarity(&a)).abs() < f64::EPSILON);
        }
    }

    #[test]
    fn near_copies_share_a_band_and_strangers_do_not() {
        let bands = |range| MinHash::of(&report("甲", &sentences(range))).1;
        let shared = |a: Bands, b: Bands| a.iter().zip(&b).any(|(a, b)| a == b);
        assert!(shared(bands(0..60), bands(0..61)));
        assert!(!shared(bands(0..60), bands(60..120)));
    }

    #[test]
    fn what_the_law_dictates_and_headings_do_not_count() {
        let none = MinHash::of(&report(
            "甲",
            &["根据《中华人民共和国政府信息公开条例》的规定编制本报告。".into(), "（一）主动公开".into()],
        ));
        assert_eq!(none.0, MinHash::default());
        assert!(none.0.similarity(&none.0) < f64::EPSILON);
    }
}
