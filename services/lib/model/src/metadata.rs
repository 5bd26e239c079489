//! A document's statements about its own publication: the page's fields, the contact, the documents that it cites.
//! Each has its source, so that rules can compare them.

use strum::{EnumString, IntoStaticStr, VariantArray};

use crate::fact::{ParseError, Source};

/// A field of the page, under any of its names.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, EnumString, IntoStaticStr, VariantArray,
)]
#[strum(serialize_all = "snake_case", parse_err_ty = ParseError, parse_err_fn = ParseError::of)]
pub enum FieldName {
    /// `SiteName`, 网站名称
    SiteName,
    /// `SiteDomain`
    SiteDomain,
    /// `SiteIDCode`, 网站标识码
    SiteIdCode,
    /// `ColumnName`, 栏目
    ColumnName,
    /// `ArticleTitle`, 名称, 标题
    ArticleTitle,
    /// `PubDate`, 发布日期, 发布时间
    Published,
    /// `ContentSource`, 来源
    ContentSource,
    /// 索引号
    IndexNumber,
    /// 发布机构, 公开主体
    Publisher,
    /// 成文日期, 生成日期
    Written,
    /// 文号, 发文字号
    DocumentNumber,
    /// The target of a link in the prose, if it leads to another host: the `href`, not the displayed text.
    Link,
}

impl FieldName {
    /// All field names.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// Returns the public name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// One field of a page, verbatim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Name of the field.
    pub name: FieldName,
    /// True for a `<meta>` tag, which readers of the page do not see; false for a visible field.
    pub is_tag: bool,
    /// The value as written, trimmed. May be empty or `null`, which a rule reports.
    pub value: String,
    /// Position of the field.
    pub source: Source,
}

/// The contact for questions about the report (联系方式), from the preamble, chapter 六 or a clause at the end.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Contact {
    /// The named body, if any.
    pub body: Option<String>,
    /// 地址
    pub address: Option<String>,
    /// 电话
    pub telephone: Option<String>,
    /// 邮编
    pub postcode: Option<String>,
    /// 电子邮箱
    pub email: Option<String>,
    /// The sentence or paragraph with the contact.
    pub source: Source,
}

/// A document cited by its number (文号), such as 国办公开办函〔2021〕30号.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Citation {
    /// The number as printed, without white space.
    pub number: String,
    /// The title printed in 《》 right before the number, if there is one.
    pub title: Option<String>,
    /// Position of the number; `text` is the number verbatim.
    pub source: Source,
}

/// All metadata of a document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metadata {
    /// The page's fields, tags first, each in the order of the document. A field may occur twice.
    pub fields: Vec<Field>,
    /// The contact, if the document names one.
    pub contact: Option<Contact>,
    /// The documents cited, in order; one entry for each occurrence.
    pub citations: Vec<Citation>,
}

impl Metadata {
    /// Returns the first field with this name that is not empty. Visible fields take precedence over tags.
    #[must_use]
    pub fn field(&self, name: FieldName) -> Option<&Field> {
        let says = |field: &&Field| field.name == name && !field.value.is_empty() && field.value != "null";
        let mut found = self.fields.iter().filter(says);
        found.clone().find(|field| !field.is_tag).or_else(|| found.next())
    }

    /// Returns the day of publication (year, month, day) in a visible field, else in a tag.
    ///
    /// The time when the page was scraped (采集时间) is not a field and does not count.
    #[must_use]
    pub fn published_on(&self) -> Option<(i32, u8, u8)> {
        self.field(FieldName::Published).and_then(|field| day(&field.value))
    }
}

/// Returns the first day in a text: `2024-01-15 10:12`, `2024年1月15日`, `2024/1/15`, `20240115`.
#[must_use]
pub fn day(text: &str) -> Option<(i32, u8, u8)> {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
    let first = numbers.next()?;
    let (year, month, day): (i32, u8, u8) = if first.len() == 8 {
        (first.get(..4)?.parse().ok()?, first.get(4..6)?.parse().ok()?, first.get(6..)?.parse().ok()?)
    } else {
        (first.parse().ok()?, numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?)
    };
    let real = (1990..2100).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    real.then_some((year, month, day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_as_pages_print_them() {
        for text in ["2024-01-15 10:12", "2024年1月15日", "2024/1/15", "20240115", " 2024.01.15"] {
            assert_eq!(day(text), Some((2024, 1, 15)), "{text}");
        }
        for text in ["", "null", "2024", "2024-13-01", "15-01-2024", "昨天"] {
            assert_eq!(day(text), None, "{text}");
        }
    }

    #[test]
    fn what_the_page_shows_goes_before_its_tags() {
        let field = |is_tag, value: &str| Field {
            name: FieldName::Published,
            is_tag,
            value: value.to_owned(),
            source: Source::default(),
        };
        let metadata = |fields| Metadata { fields, ..Metadata::default() };
        let both = metadata(vec![field(true, "2024-01-15"), field(false, "2024-01-17")]);
        assert_eq!(both.published_on(), Some((2024, 1, 17)));
        let null = metadata(vec![field(true, "2024-01-15"), field(false, "null")]);
        assert_eq!(null.published_on(), Some((2024, 1, 15)));
        assert_eq!(Metadata::default().published_on(), None);
    }

    #[test]
    fn names_read_back_as_written() {
        for name in FieldName::ALL {
            assert_eq!(name.as_str().parse(), Ok(*name));
        }
    }
}
