//! The registry as CSV, in UTF-8 or GB18030, as supervising offices keep it.
//!
//! Columns are identified by their titles, Chinese or English, in any order. Unknown columns are ignored. Aliases are
//! separated by `;` or `；`, each followed by `@` and its days if they are known: `大数据局@2019-01-01..2023-12-31`.

use gongkai_model::{AgencyKey, Region};
use time::{Date, macros::format_description};

use crate::{
    agency::{Agency, Alias},
    registry::{Registry, RegistryError},
};

/// Error: a list cannot be used. No part of it is imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// A line is invalid.
    #[error("line {line}: {message}")]
    Line {
        /// Line number from 1; the line of titles counts.
        line: u64,
        /// Describes the mistake.
        message: String,
    },
    /// The lines contradict each other.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

/// A column: its public name and its accepted titles.
type Column = (&'static str, &'static [&'static str]);

/// Maximum number of characters of a contact.
const LONGEST_CONTACT: usize = 200;
/// Maximum number of characters of a subscription's name.
const LONGEST_CHANNEL: usize = 32;

const COLUMNS: [Column; 11] = [
    ("code", &["代码", "机构代码", "编码", "机构编码", "统一社会信用代码"]),
    ("name", &["名称", "机构名称", "单位名称", "机关名称", "全称"]),
    ("aliases", &["别名", "曾用名", "简称", "其他名称"]),
    ("parent", &["上级", "上级代码", "上级机构", "主管单位代码"]),
    ("level", &["层级", "级别"]),
    ("kind", &["类型", "机构类型", "类别"]),
    ("region", &["区划", "区划代码", "行政区划代码"]),
    ("site_domain", &["域名", "网站域名", "网站"]),
    ("deadline", &["期限", "公布期限", "报送期限", "截止日期"]),
    ("contact", &["联系人", "联系方式"]),
    ("channel", &["通知渠道", "渠道", "订阅"]),
];

/// Reads a list.
///
/// # Errors
/// A column or a value is missing, or a value does not fit its column; the error names the line. Or the lines
/// contradict each other.
pub fn read_csv(bytes: &[u8]) -> Result<Registry, TableError> {
    let text = decode(bytes);
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let titles = reader.headers().map_err(|error| broken(&error))?.clone();
    let places: Vec<Option<usize>> = COLUMNS.iter().map(|column| column_index(&titles, column)).collect();
    for (at, (column, _)) in COLUMNS.iter().enumerate().take(2) {
        if places[at].is_none() {
            return Err(TableError::Line { line: 1, message: format!("there is no column {column}") });
        }
    }
    let mut list = Vec::new();
    for row in reader.records() {
        let row = row.map_err(|error| broken(&error))?;
        let line = row.position().map_or(0, csv::Position::line);
        let field = |at: usize| places[at].and_then(|place| row.get(place)).unwrap_or_default();
        if row.iter().all(str::is_empty) {
            continue;
        }
        list.push(agency(&field).map_err(|message| TableError::Line { line, message })?);
    }
    Ok(Registry::new(list)?)
}

/// Writes a list in the form that [`read_csv`] reads, in UTF-8.
#[must_use]
pub fn write_csv(registry: &Registry) -> String {
    let mut text = COLUMNS.map(|(name, _)| name).join(",") + "\n";
    for agency in registry.iter() {
        let aliases: Vec<String> = agency.aliases.iter().map(alias_text).collect();
        let fields = [
            agency.code.to_string(),
            agency.name.clone(),
            aliases.join(";"),
            agency.parent.as_ref().map(ToString::to_string).unwrap_or_default(),
            agency.level.map(|level| level.as_str().to_owned()).unwrap_or_default(),
            agency.kind.map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
            if agency.region == Region::UNKNOWN { String::new() } else { agency.region.to_string() },
            agency.site_domain.clone().unwrap_or_default(),
            agency.deadline.map(|day| day.to_string()).unwrap_or_default(),
            agency.contact.clone().unwrap_or_default(),
            agency.channel.clone().unwrap_or_default(),
        ];
        text += &fields.map(|field| quoted(&field)).join(",");
        text.push('\n');
    }
    text
}

fn decode(bytes: &[u8]) -> String {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => encoding_rs::GB18030.decode_without_bom_handling(bytes).0.into_owned(),
    }
}

fn column_index(titles: &csv::StringRecord, (name, others): &Column) -> Option<usize> {
    titles.iter().position(|title| title.eq_ignore_ascii_case(name) || others.contains(&title))
}

fn broken(error: &csv::Error) -> TableError {
    let line = error.position().map_or(0, csv::Position::line);
    TableError::Line { line, message: format!("no CSV: {error}") }
}

fn agency<'a>(field: &dyn Fn(usize) -> &'a str) -> Result<Agency, String> {
    let code = |text: &str| {
        AgencyKey::from_code(text)
            .map_err(|_| format!("code {text:?} is not 1 to 64 letters, digits, - or _"))
    };
    let optional = |at: usize| Some(field(at)).filter(|text| !text.is_empty());
    let name = optional(1).ok_or("the name is missing")?;
    let unknown = |column: &str, text: &str| format!("{column} {text:?} is not known");
    let region = |text: &str| Region::from_code(text).ok_or_else(|| unknown("region", text));
    Ok(Agency {
        code: code(field(0))?,
        name: name.to_owned(),
        aliases: field(2)
            .split([';', '；', '|'])
            .map(str::trim)
            .filter(|t| !t.is_empty())
            .map(alias)
            .collect::<Result<_, _>>()?,
        parent: optional(3).map(code).transpose()?,
        level: optional(4).map(|t| t.parse().map_err(|_| unknown("level", t))).transpose()?,
        kind: optional(5).map(|t| t.parse().map_err(|_| unknown("kind", t))).transpose()?,
        region: optional(6).map(region).transpose()?.unwrap_or_default(),
        site_domain: optional(7).map(domain),
        deadline: optional(8).map(|t| t.parse().map_err(|error| format!("deadline {error}"))).transpose()?,
        contact: optional(9).map(contact).transpose()?,
        channel: optional(10).map(channel).transpose()?,
    })
}

fn contact(text: &str) -> Result<String, String> {
    match text.chars().count() {
        0..=LONGEST_CONTACT => Ok(text.to_owned()),
        length => Err(format!("the contact has {length} characters: use at most {LONGEST_CONTACT}")),
    }
}

/// Returns the name of a subscription, which has the form of `name` in `[[notify.subscriptions]]`.
fn channel(text: &str) -> Result<String, String> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if text.len() <= LONGEST_CHANNEL && text.bytes().all(fits) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "channel {text:?} is no name of a subscription: use 1 to {LONGEST_CHANNEL} of a-z, 0-9 and -"
    ))
}

/// Returns the domain without the scheme, `www.` and the path.
fn domain(text: &str) -> String {
    let text = text.to_ascii_lowercase();
    let bare = text.split_once("://").map_or(text.as_str(), |(_, rest)| rest);
    let host = bare.split(['/', ':']).next().unwrap_or_default();
    host.strip_prefix("www.").unwrap_or(host).to_owned()
}

fn alias(text: &str) -> Result<Alias, String> {
    let Some((name, days)) = text.split_once('@') else {
        return Ok(Alias { name: text.to_owned(), from: None, to: None });
    };
    let (from, to) = days.split_once("..").ok_or_else(|| format!("the days {days:?} lack .."))?;
    let day = |text: &str| {
        let text = text.trim();
        let parse = || Date::parse(text, format_description!("[year]-[month]-[day]"));
        if text.is_empty() { Ok(None) } else { parse().map(Some).map_err(|_| format!("{text:?} is no day")) }
    };
    Ok(Alias { name: name.trim().to_owned(), from: day(from)?, to: day(to)? })
}

fn alias_text(alias: &Alias) -> String {
    let day = |date: Option<Date>| date.map(|date| date.to_string()).unwrap_or_default();
    match (alias.from, alias.to) {
        (None, None) => alias.name.clone(),
        (from, to) => format!("{}@{}..{}", alias.name, day(from), day(to)),
    }
}

fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}
