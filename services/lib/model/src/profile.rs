//! What kind of body an agency (机关) is.
//!
//! The law treats bodies by level and kind: only some may make rules (规章), governments and their departments publish by
//! different days. What is not known stays unknown, and rules that need it are silent then. What a body's name tells is
//! `gongkai-agencies`' to say.

use crate::{
    agency::{AgencyKey, Region},
    fact::ParseError,
};

/// Level of an agency (层级).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// 国务院部门
    State,
    /// 省、自治区、直辖市
    Province,
    /// 设区的市、自治州、地区、盟
    Prefecture,
    /// 县、区、县级市、旗
    County,
    /// 乡、镇、街道
    Town,
}

impl Level {
    /// All, highest first.
    pub const ALL: [Self; 5] = [Self::State, Self::Province, Self::Prefecture, Self::County, Self::Town];

    /// The public name, as in a registry's CSV.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Province => "province",
            Self::Prefecture => "prefecture",
            Self::County => "county",
            Self::Town => "town",
        }
    }
}

/// Reads the public name or the Chinese word.
impl std::str::FromStr for Level {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let chinese = match text {
            "国家" | "国务院" | "国务院部门" | "中央" | "国家级" => Some(Self::State),
            "省" | "省级" => Some(Self::Province),
            "市" | "市级" | "地级" | "地市级" => Some(Self::Prefecture),
            "县" | "县级" | "区" | "区级" | "区县" | "县区级" => Some(Self::County),
            "乡" | "镇" | "乡镇" | "乡级" | "乡镇级" | "街道" | "乡镇街道" => Some(Self::Town),
            _ => None,
        };
        chinese.or_else(|| Self::ALL.into_iter().find(|level| level.as_str() == text)).ok_or(ParseError)
    }
}

/// Kind of an agency (机构类型).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AgencyKind {
    /// 人民政府
    Government,
    /// 政府办公厅（室）: compiles the government's report, and may file one of its own.
    Office,
    /// 工作部门、直属机构
    Department,
    /// 派出机关: 街道办事处、地区行署
    Outpost,
    /// 管委会
    Committee,
    /// 法律法规授权组织、事业单位
    Institution,
    /// 垂直管理部门: 税务、海关、气象……
    Vertical,
}

impl AgencyKind {
    /// All.
    pub const ALL: [Self; 7] = [
        Self::Government,
        Self::Office,
        Self::Department,
        Self::Outpost,
        Self::Committee,
        Self::Institution,
        Self::Vertical,
    ];

    /// The public name, as in a registry's CSV.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Government => "government",
            Self::Office => "office",
            Self::Department => "department",
            Self::Outpost => "outpost",
            Self::Committee => "committee",
            Self::Institution => "institution",
            Self::Vertical => "vertical",
        }
    }
}

/// Reads the public name or the Chinese word.
impl std::str::FromStr for AgencyKind {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let chinese = match text {
            "政府" | "人民政府" => Some(Self::Government),
            "政府办" | "办公厅" | "办公室" | "政府办公厅" | "政府办公室" => {
                Some(Self::Office)
            }
            "部门" | "工作部门" | "直属机构" => Some(Self::Department),
            "派出机关" | "街道办事处" => Some(Self::Outpost),
            "管委会" => Some(Self::Committee),
            "事业单位" | "授权组织" | "法律法规授权组织" => Some(Self::Institution),
            "垂直管理" | "垂直管理部门" => Some(Self::Vertical),
            _ => None,
        };
        chinese.or_else(|| Self::ALL.into_iter().find(|kind| kind.as_str() == text)).ok_or(ParseError)
    }
}

/// What an agency is, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Nature {
    /// Its level.
    pub level: Option<Level>,
    /// Its kind.
    pub kind: Option<AgencyKind>,
}

/// What is known of an agency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgencyProfile {
    /// Its key.
    pub key: AgencyKey,
    /// Its name.
    pub name: String,
    /// Its level, if known.
    pub level: Option<Level>,
    /// Its kind, if known.
    pub kind: Option<AgencyKind>,
    /// Its region; `000000` if unknown.
    pub region: Region,
    /// The body above it whose report sums up its own, if a registry says so.
    pub parent: Option<AgencyKey>,
    /// Domain of its site, in lower case and without scheme, if a registry gives one.
    pub site_domain: Option<String>,
}

impl AgencyProfile {
    /// What is known of an agency that no registry lists.
    #[must_use]
    pub fn unlisted(key: AgencyKey, name: &str, by_name: Nature, region: Region) -> Self {
        let Nature { level, kind } = by_name;
        Self { key, level, kind, name: name.to_owned(), region, parent: None, site_domain: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_kinds_read_their_own_names_and_the_chinese_words() {
        for level in Level::ALL {
            assert_eq!(level.as_str().parse(), Ok(level));
        }
        for kind in AgencyKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
        assert_eq!("市级".parse(), Ok(Level::Prefecture));
        assert_eq!("管委会".parse(), Ok(AgencyKind::Committee));
        assert!("".parse::<Level>().is_err() && "x".parse::<AgencyKind>().is_err());
    }
}
