//! Agencies (机关) and the key of a report.
//!
//! No code is printed in a report, so an agency that the registry does not know gets a provisional key from its
//! normalised name and region: the same on every machine, in every order of arrival.

use std::{fmt, str::FromStr};

use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

use crate::fact::ParseError;

/// First six digits of the agency's administrative division code (行政区划代码); `000000` if unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Region([u8; 6]);

impl Region {
    /// The region of an agency without a known division.
    pub const UNKNOWN: Self = Self(*b"000000");

    /// Returns the six digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a region holds ASCII digits only: both constructors see to it")
    }

    /// Returns the region of a longer code (a site code, a 12-digit division code): its first six characters, if they
    /// are digits.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        let head: [u8; 6] = code.as_bytes().get(..6)?.try_into().ok()?;
        head.iter().all(u8::is_ascii_digit).then_some(Self(head))
    }
}

impl Default for Region {
    fn default() -> Self {
        Self::UNKNOWN
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Region {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        if text.len() == 6 { Self::from_code(text).ok_or(ParseError) } else { Err(ParseError) }
    }
}

/// The `{agency}` of a report's name: the registry's code, else a provisional `p-…`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AgencyKey(String);

impl AgencyKey {
    /// Creates a key from a registry's code: 1 to 64 ASCII letters, digits, `-`, `_`.
    ///
    /// # Errors
    /// The text does not have that form.
    pub fn from_code(code: &str) -> Result<Self, ParseError> {
        let fits = (1..=64).contains(&code.len())
            && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if fits { Ok(Self(code.to_owned())) } else { Err(ParseError) }
    }

    /// Creates the key of an agency that is not in the registry: `p-` and 16 hex digits of SHA-256 over normalised
    /// name and region.
    #[must_use]
    pub fn provisional(name: &str, region: Region) -> Self {
        let mut hash = Sha256::new();
        hash.update(normalized_name(name));
        hash.update(region.as_str());
        Self(format!("p-{}", hex::encode(&hash.finalize()[..8])))
    }

    /// Returns the key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AgencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns a name as it is compared: NFKC, no white space.
#[must_use]
pub fn normalized_name(name: &str) -> String {
    name.nfkc().filter(|c| !c.is_whitespace()).collect()
}

/// Words by which a body refers to itself after 本, as in 本机关 or 本街道; other words after 本 begin the name of a
/// place (本溪市).
const SELF: [&str; 30] = [
    "机关", "行政", "单位", "部门", "级", "局", "委", "办", "厅", "处", "科", "中心", "院", "所", "站", "馆",
    "街道", "镇", "乡", "县", "市", "区", "省", "州", "盟", "旗", "地", "校", "府", "辖",
];
/// Generic names of bodies of any place.
const KINDS: [&str; 15] = [
    "机关",
    "行政机关",
    "单位",
    "部门",
    "政府",
    "人民政府",
    "办公室",
    "办公厅",
    "政府办公室",
    "人民政府办公室",
    "委员会",
    "街道",
    "街道办事处",
    "局",
    "委",
];

/// Returns true for words that replace a name without naming a body: 本机关, 我局, 该单位, 人民政府; and for an empty
/// text.
#[must_use]
pub fn names_nobody(name: &str) -> bool {
    let name = normalized_name(name);
    let is_self = |rest: &str| SELF.iter().any(|word| rest.starts_with(word));
    name.is_empty()
        || KINDS.contains(&name.as_str())
        || name.starts_with(['我', '各', '该'])
        || name.strip_prefix("本").is_some_and(is_self)
        || ["有关", "相关"].iter().any(|word| name.starts_with(word))
}

/// Returns true if all characters of the short name occur in the long one in order: 沭阳县发改局 in
/// 沭阳县发展和改革局.
#[must_use]
pub fn is_short_for(short: &str, long: &str) -> bool {
    let mut rest = long.chars();
    short.chars().all(|c| rest.any(|other| other == c))
}

/// `agencies/{agency}/reports/{year}`: the name of a report over all its revisions.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReportKey {
    /// Agency that issued the report.
    pub agency: AgencyKey,
    /// Year that the report is about.
    pub year: i32,
}

impl fmt::Display for ReportKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "agencies/{}/reports/{}", self.agency, self.year)
    }
}

impl FromStr for ReportKey {
    type Err = ParseError;

    fn from_str(name: &str) -> Result<Self, ParseError> {
        let (agency, year) =
            name.strip_prefix("agencies/").and_then(|rest| rest.split_once("/reports/")).ok_or(ParseError)?;
        Ok(Self { agency: AgencyKey::from_code(agency)?, year: year.parse().map_err(|_| ParseError)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provisional_key_ignores_white_space_and_width_but_not_the_region() {
        let a = AgencyKey::provisional("樟树市 鹿江街道办事处", Region::UNKNOWN);
        assert_eq!(a, AgencyKey::provisional("樟树市鹿江街道办事处", Region::UNKNOWN));
        assert_ne!(a, AgencyKey::provisional("樟树市鹿江街道办事处", "360982".parse().unwrap()));
        assert_eq!(a.as_str().len(), 18);
    }

    #[test]
    fn generic_words_name_nobody() {
        for name in [
            "本机关",
            "我局",
            "本单位",
            "我 委",
            "本街道办事处",
            "我县财政局",
            "该单位",
            "人民政府",
            "机关",
            " ",
        ] {
            assert!(names_nobody(name), "{name}");
        }
        for name in ["本溪市水务局", "本溪满族自治县人民政府", "水务局", "鹿江街道办事处", "云溪县人民政府"]
        {
            assert!(!names_nobody(name), "{name}");
        }
    }

    #[test]
    fn report_names_read_back_as_written() {
        let key: ReportKey = "agencies/p-0123456789abcdef/reports/2023".parse().unwrap();
        assert_eq!((key.agency.as_str(), key.year), ("p-0123456789abcdef", 2023));
        assert_eq!(key.to_string(), "agencies/p-0123456789abcdef/reports/2023");
        for bad in [
            "",
            "agencies/x",
            "agencies//reports/2023",
            "agencies/x/reports/abc",
            "agencies/a b/reports/2023",
        ] {
            assert!(bad.parse::<ReportKey>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_site_code_gives_its_region() {
        assert_eq!(Region::from_code("3609820001").unwrap().as_str(), "360982");
        assert_eq!(Region::from_code("bm12345678"), None);
        assert_eq!(Region::from_code("3609"), None);
    }
}
