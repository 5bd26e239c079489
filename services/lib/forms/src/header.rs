//! Table headers: the applicant of each column, by name and by geometry.

use crate::{
    column_sums::ColumnSums,
    columns::{Header, Heading},
    index::RequestIndex,
    request_headings::{self, NamedColumns, TableHeadings},
    rows::{Item, Row},
};

/// Number of columns of chapter 三, and the positions of 自然人, the five organisations and 总计 among them.
const COLUMNS: usize = 7;
const PERSON: usize = 0;
pub(crate) const ORGANIZATIONS: std::ops::Range<usize> = 1..6;
pub(crate) const TOTAL: usize = 6;

/// The columns of chapter 三's tables that their headers name.
#[derive(Debug)]
pub(crate) struct RequestHeader {
    /// The columns in the order in which their names are read.
    pub header: Header,
    tables: Vec<TableHeadings>,
}

impl RequestHeader {
    /// Returns the names above the columns of one table, or `None` if it has no geometry.
    pub(crate) fn table(&self, table: u32) -> Option<&TableHeadings> {
        self.tables.iter().find(|own| own.table == table)
    }

    /// Returns the names above the columns of one table. Empty unless it has geometry and names all columns.
    pub(crate) fn over(&self, table: u32) -> &[Heading] {
        self.table(table).filter(|own| own.named == NamedColumns::All).map_or(&[], |own| &own.headings)
    }

    /// Notes what the sums of a table's rows say about the names above its columns.
    pub(crate) fn note_sums(&mut self, table: u32, sums: &ColumnSums<'_, '_>) {
        for own in self.tables.iter_mut().filter(|own| own.table == table) {
            own.adds_up = !sums.allow_failing();
            if sums.contradict() {
                own.named = NamedColumns::Unclear;
            }
        }
    }

    /// Returns the order of the columns in one table.
    pub(crate) fn order(&self, table: u32) -> Option<Vec<usize>> {
        match (self.table(table).map(|own| own.named), self.over(table)) {
            (Some(NamedColumns::Unclear), _) => None,
            (_, []) => self.header.order(COLUMNS),
            (_, headings) => Some(headings.iter().map(|heading| heading.column).collect()),
        }
    }
}

/// Reads the header of chapter 三's table.
pub(crate) fn applicants(items: &[Item<'_>], index: &RequestIndex) -> RequestHeader {
    let header = in_words(&lines(items), index);
    RequestHeader { header, tables: request_headings::of_tables(items, index) }
}

/// Returns the titles up to the first row of values, line by line.
pub(crate) fn lines<'i>(items: &'i [Item<'_>]) -> Vec<Vec<&'i str>> {
    let mut lines: Vec<Vec<&str>> = Vec::new();
    for item in items {
        let row = match item {
            Item::Row(row) => row,
            Item::Line(text) => {
                lines.push(vec![text]);
                continue;
            }
            Item::Chapter(_) => continue,
        };
        let labels = row.labels.iter().map(|piece| piece.label.as_str());
        let has_values = has_values(row);
        if row.stream {
            lines.extend(labels.map(|label| vec![label]));
        } else if !has_values {
            lines.push(labels.collect());
        } else {
            // The ends of rows are lost, so each title counts as a line.
            let titles = labels.take(row.labels.len().saturating_sub(1));
            lines.extend(titles.map(|label| vec![label]));
        }
        if has_values {
            break;
        }
    }
    lines
}

/// Returns true for the first row of values. Rules of dashes, page numbers and rows whose labels come later do not end a
/// header.
fn has_values(row: &Row<'_>) -> bool {
    !row.labels.is_empty() && row.filled().next().is_some()
}

/// Returns true if a line that is not only names has 总计 before 自然人. No form prints them so.
fn is_total_first(line: &[&str]) -> bool {
    let [text] = line else { return false };
    let place = |name: &str| text.find(name).filter(|_| text.len() > name.len());
    matches!((place("总计"), place("自然人")), (Some(total), Some(person)) if total < person)
}

/// Returns the order of the columns by the reading order of their names, without geometry: 自然人, 法人或其他组织 and
/// 总计 on one line, the five organisations below.
fn in_words(lines: &[Vec<&str>], index: &RequestIndex) -> Header {
    let named =
        |line: &Vec<&str>| -> Vec<usize> { line.iter().filter_map(|piece| index.applicant(piece)).collect() };
    if lines.iter().any(|line| is_total_first(line)) {
        return Header::Conflict;
    }
    let two_rows = |line: &&Vec<&str>| line.contains(&"法人或其他组织");
    if let Some(flat) =
        lines.iter().filter(|line| !two_rows(line)).map(named).find(|line| line.len() >= COLUMNS)
    {
        // 自然人 and 总计 both come before the organisations. Most likely two rows of the header were joined.
        let run_together = matches!(flat.as_slice(), [PERSON | TOTAL, PERSON | TOTAL, ..]);
        return if run_together { Header::Conflict } else { Header::of(flat, COLUMNS) };
    }
    let mut organizations: Vec<usize> = Vec::new();
    let mut ends: Vec<usize> = Vec::new();
    for column in lines.iter().flat_map(named) {
        let seen = if ORGANIZATIONS.contains(&column) { &mut organizations } else { &mut ends };
        if !seen.contains(&column) {
            seen.push(column);
        }
    }
    match Header::of(organizations.clone(), COLUMNS) {
        Header::Conflict if organizations.len() < ORGANIZATIONS.len() => return Header::Conflict,
        _ => {}
    }
    if organizations.len() < ORGANIZATIONS.len() {
        organizations = ORGANIZATIONS.collect();
    }
    let ends = match outer(lines, index) {
        Outer::Torn => return Header::Conflict,
        Outer::TotalFirst => vec![TOTAL, PERSON],
        Outer::PersonFirst => vec![PERSON, TOTAL],
        Outer::AsRead => ends,
    };
    let order = match (ends.as_slice(), place_of_organizations(lines)) {
        ([TOTAL, PERSON], OrganizationsPosition::Unknown) => return Header::Conflict,
        ([TOTAL, PERSON], OrganizationsPosition::Middle) => [vec![TOTAL], organizations, vec![PERSON]],
        ([TOTAL, PERSON], OrganizationsPosition::First) => [organizations, vec![TOTAL], vec![PERSON]],
        ([TOTAL, PERSON], OrganizationsPosition::Last) => [vec![TOTAL], vec![PERSON], organizations],
        (_, OrganizationsPosition::First) => [organizations, vec![PERSON], vec![TOTAL]],
        (_, OrganizationsPosition::Last) => [vec![PERSON], vec![TOTAL], organizations],
        (_, OrganizationsPosition::Middle | OrganizationsPosition::Unknown) => {
            [vec![PERSON], organizations, vec![TOTAL]]
        }
        (_, OrganizationsPosition::Torn) => return Header::Conflict,
    };
    Header::of(order.concat(), COLUMNS)
}

/// Which of 自然人 and 总计 comes first if they are on different lines of several names.
enum Outer {
    PersonFirst,
    TotalFirst,
    /// One line names both, or every line names one. The columns follow the order of reading.
    AsRead,
    /// 总计 is read first, and it is unknown on which side of the applicants it belongs.
    Torn,
}

/// Finds the order of 自然人 and 总计. A 总计 that spans two rows is printed with the first row, beside 申请人情况,
/// and 自然人 is printed below it, so the reading order can be wrong. The side of 申请人情况 on which 总计 is printed
/// decides.
fn outer(lines: &[Vec<&str>], index: &RequestIndex) -> Outer {
    let line_of = |column: usize| {
        lines.iter().position(|line| line.iter().any(|piece| index.applicant(piece) == Some(column)))
    };
    let (Some(person), Some(total)) = (line_of(PERSON), line_of(TOTAL)) else { return Outer::AsRead };
    let Some(line) = lines.get(total).filter(|line| line.len() > 1) else { return Outer::AsRead };
    if person == total {
        return Outer::AsRead;
    }
    let total_at = line.iter().position(|piece| index.applicant(piece) == Some(TOTAL));
    let applicants_at = line.iter().position(|piece| piece.ends_with("申请人情况"));
    match applicants_at {
        Some(at) if Some(at) < total_at => Outer::PersonFirst,
        Some(_) => Outer::TotalFirst,
        None if total < person => Outer::Torn,
        None => Outer::AsRead,
    }
}

/// The position of 法人或其他组织 relative to 自然人 and 总计.
enum OrganizationsPosition {
    First,
    Middle,
    Last,
    /// 法人或其他组织 has a line of its own, so its position is not evidence.
    Unknown,
    /// There is one name per line, and 法人或其他组织 is not between the other two. Either columns or lines were
    /// moved.
    Torn,
}

fn place_of_organizations(lines: &[Vec<&str>]) -> OrganizationsPosition {
    let known = |label: &str| matches!(label, "法人或其他组织" | "自然人" | "总计");
    let is_it = |piece: &&str| *piece == "法人或其他组织";
    let place = |names: &[&str]| match names.iter().position(|name| *name == "法人或其他组织") {
        Some(0) if names.len() > 1 => OrganizationsPosition::First,
        Some(at) if at > 0 && at + 1 == names.len() => OrganizationsPosition::Last,
        Some(at) if at > 0 => OrganizationsPosition::Middle,
        _ => OrganizationsPosition::Unknown,
    };
    let Some(line) = lines.iter().find(|line| line.iter().any(is_it)) else {
        return OrganizationsPosition::Unknown;
    };
    if line.len() > 1 {
        let mut names: Vec<&str> = line.iter().copied().filter(|name| known(name)).collect();
        // A name over several columns may be printed once per column.
        names.dedup();
        // 总计 may be in the row above and span two rows.
        return match place(&names) {
            OrganizationsPosition::Last if !names.contains(&"总计") => OrganizationsPosition::Middle,
            OrganizationsPosition::First if !names.contains(&"自然人") => OrganizationsPosition::Middle,
            other => other,
        };
    }
    let alone = |name: &str| lines.iter().any(|line| line.len() == 1 && line.contains(&name));
    if !(alone("自然人") && alone("总计")) {
        return OrganizationsPosition::Unknown;
    }
    let names: Vec<&str> = lines.iter().flatten().copied().filter(|name| known(name)).collect();
    match place(names.get(..3).unwrap_or(&names)) {
        OrganizationsPosition::Middle => OrganizationsPosition::Middle,
        _ => OrganizationsPosition::Torn,
    }
}
