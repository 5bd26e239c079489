//! The level (层级) and kind (机构类型) of an agency (机关).
//!
//! The law treats bodies by their level and kind: only some may make rules (规章), governments and their departments
//! publish by different days. Unknown values stay unknown, and rules that need them are silent. `gongkai-agencies`
//! reads the level and the kind from a body's name.

use strum::{EnumString, IntoStaticStr, VariantArray};

use crate::{
    agency::{AgencyKey, Region},
    fact::ParseError,
    month_day::MonthDay,
};

/// Level of an agency (层级).
///
/// Parsed from the public name or a Chinese word.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, EnumString, IntoStaticStr, VariantArray,
)]
#[strum(parse_err_ty = ParseError, parse_err_fn = ParseError::of)]
pub enum Level {
    /// 国务院部门
    #[strum(
        to_string = "state",
        serialize = "国家",
        serialize = "国务院",
        serialize = "国务院部门",
        serialize = "中央",
        serialize = "国家级"
    )]
    State,
    /// 省、自治区、直辖市
    #[strum(to_string = "province", serialize = "省", serialize = "省级")]
    Province,
    /// 设区的市、自治州、地区、盟
    #[strum(
        to_string = "prefecture",
        serialize = "市",
        serialize = "市级",
        serialize = "地级",
        serialize = "地市级"
    )]
    Prefecture,
    /// 县、区、县级市、旗
    #[strum(
        to_string = "county",
        serialize = "县",
        serialize = "县级",
        serialize = "区",
        serialize = "区级",
        serialize = "区县",
        serialize = "县区级"
    )]
    County,
    /// 乡、镇、街道
    #[strum(
        to_string = "town",
        serialize = "乡",
        serialize = "镇",
        serialize = "乡镇",
        serialize = "乡级",
        serialize = "乡镇级",
        serialize = "街道",
        serialize = "乡镇街道"
    )]
    Town,
}

impl Level {
    /// All levels, highest first.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// Returns the public name, as in a registry's CSV.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Kind of an agency (机构类型).
///
/// Parsed from the public name or a Chinese word.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, EnumString, IntoStaticStr, VariantArray,
)]
#[strum(parse_err_ty = ParseError, parse_err_fn = ParseError::of)]
pub enum AgencyKind {
    /// 人民政府
    #[strum(to_string = "government", serialize = "政府", serialize = "人民政府")]
    Government,
    /// 政府办公厅（室）: compiles the government's report, and may file one of its own.
    #[strum(
        to_string = "office",
        serialize = "政府办",
        serialize = "办公厅",
        serialize = "办公室",
        serialize = "政府办公厅",
        serialize = "政府办公室"
    )]
    Office,
    /// 工作部门、直属机构
    #[strum(to_string = "department", serialize = "部门", serialize = "工作部门", serialize = "直属机构")]
    Department,
    /// 派出机关: 街道办事处、地区行署
    #[strum(to_string = "outpost", serialize = "派出机关", serialize = "街道办事处")]
    Outpost,
    /// 管委会
    #[strum(to_string = "committee", serialize = "管委会")]
    Committee,
    /// 法律法规授权组织、事业单位
    #[strum(
        to_string = "institution",
        serialize = "事业单位",
        serialize = "授权组织",
        serialize = "法律法规授权组织"
    )]
    Institution,
    /// 垂直管理部门: 税务、海关、气象……
    #[strum(to_string = "vertical", serialize = "垂直管理", serialize = "垂直管理部门")]
    Vertical,
}

impl AgencyKind {
    /// All kinds.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// Returns the public name, as in a registry's CSV.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Returns the last day that the law sets for publishing last year's report (条例 art. 49). It sets none for bodies below
    /// the county and for outposts.
    #[must_use]
    pub fn statutory_deadline(self) -> MonthDay {
        match self {
            // An office compiles the government's report, and often files with it.
            Self::Government | Self::Office => MonthDay::MARCH_31,
            Self::Department | Self::Outpost | Self::Committee | Self::Institution | Self::Vertical => {
                MonthDay::JANUARY_31
            }
        }
    }
}

/// The level and kind of an agency, as far as they are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Nature {
    /// Level of the agency, if known.
    pub level: Option<Level>,
    /// Kind of the agency, if known.
    pub kind: Option<AgencyKind>,
}

/// The known properties of an agency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgencyProfile {
    /// Key of the agency.
    pub key: AgencyKey,
    /// Name of the agency.
    pub name: String,
    /// Level of the agency, if known.
    pub level: Option<Level>,
    /// Kind of the agency, if known.
    pub kind: Option<AgencyKind>,
    /// Region of the agency; `000000` if unknown.
    pub region: Region,
    /// The superior body whose report includes the agency's numbers, if a registry lists it.
    pub parent: Option<AgencyKey>,
    /// Domain of the agency's site, in lower case and without the scheme, if a registry gives one.
    pub site_domain: Option<String>,
}

impl AgencyProfile {
    /// Creates the profile of an agency that no registry lists.
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
            assert_eq!(level.as_str().parse(), Ok(*level));
        }
        for kind in AgencyKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(*kind));
        }
        assert_eq!("市级".parse(), Ok(Level::Prefecture));
        assert_eq!("管委会".parse(), Ok(AgencyKind::Committee));
        assert!("".parse::<Level>().is_err() && "x".parse::<AgencyKind>().is_err());
    }
}
