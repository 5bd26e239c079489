//! Tables of chapter 三 without geometry whose header has columns that the form does not have.
//!
//! Such a header has all names of the form's columns, each once, and the titles of the others among them. A row with as
//! many values as the header has columns is read column by column. It must add up, as its place in the text is the only
//! other evidence.

use crate::{
    columns, foreign_titles,
    header::{self, ORGANIZATIONS, TOTAL},
    index::RequestIndex,
    percentages,
    read_cell::ReadCell,
    request_sums,
    rows::{Item, Row},
    value::CellValue,
};

/// Columns of chapter 三.
const COLUMNS: usize = 7;

/// The columns of a header, left to right, each with its column of the form if it has one.
type Columns = Vec<Option<usize>>;

/// Keeps only the values of the form's columns in the rows of a range. Rows that may have the values of others are made
/// unreadable.
pub(crate) fn take(range: &mut [Item<'_>], index: &RequestIndex) {
    if range.iter().any(|item| matches!(item, Item::Row(row) if row.spans_known)) {
        return;
    }
    let lines = header::lines(range);
    let titles = titles(&lines, index);
    let is_joined = |title: &str| is_joined(title) && foreign_titles::are_joined_in(title);
    // 本年 alone may be the first line of a row's label.
    let is_other = |title: &str| is_foreign(title, index) && foreign_titles::year(title) != Some(i32::MAX);
    if !titles.iter().any(|title| is_other(title) || is_joined(title)) {
        return;
    }
    let has_years = titles.iter().any(|title| foreign_titles::year(title).is_some());
    let wider = columns(&titles, index);
    if wider.is_none() {
        percentages::drop(range);
    }
    for item in range {
        let Item::Row(row) = item else { continue };
        if row.filled().next().is_none() {
            continue;
        }
        let own = wider.as_ref().and_then(|wider| own_values(row, wider));
        match own {
            Some(values) => row.values = values,
            None if !has_years && is_sum(&row.values, &in_order()) => {}
            None => row.values.iter_mut().for_each(|piece| piece.value = CellValue::Text),
        }
    }
}

/// Returns the titles of the columns: those behind 申请人情况 and before the first row.
fn titles<'t>(lines: &[Vec<&'t str>], index: &RequestIndex) -> Vec<&'t str> {
    let all = || lines.iter().flatten().copied();
    let is_row = |title: &str| index.applicant(title).is_none() && index.is_in_name(title);
    let end = all().position(is_row).unwrap_or(usize::MAX);
    let first = all().take(end).collect::<Vec<_>>().iter().rposition(|title| is_group(title));
    all().take(end).skip(first.map_or(0, |at| at + 1)).collect()
}

/// Returns true for the title above all columns.
fn is_group(title: &str) -> bool {
    title.ends_with("申请人情况")
}

/// Returns true for names of columns in one text.
fn is_joined(title: &str) -> bool {
    (title.starts_with("自然人") || title.ends_with("总计")) && title.chars().nth(3).is_some()
}

fn is_foreign(title: &str, index: &RequestIndex) -> bool {
    foreign_titles::is_one(title) && index.applicant(title).is_none() && !index.is_in_name(title)
}

fn in_order() -> Columns {
    (0..COLUMNS).map(Some).collect()
}

/// Returns the columns of a header, or `None` unless each of the form's columns has one name and every other column a title.
fn columns(titles: &[&str], index: &RequestIndex) -> Option<Columns> {
    let is_known = |title: &&&str| is_organizations(title) || index.applicant(title).is_some();
    let is_column =
        |title: &&&str| is_known(title) || is_foreign(title, index) && !foreign_titles::is_ordinal(title);
    let first = titles.iter().position(|title| is_column(&title))?;
    let titles: Vec<&str> =
        titles.get(first..)?.iter().copied().filter(|title| !foreign_titles::is_ordinal(title)).collect();
    if !titles.iter().all(|title| is_column(&title)) {
        return None;
    }
    let columns = if titles.iter().any(|title| is_organizations(title)) {
        of_two_rows(&titles, index)?
    } else {
        let one = |title: &&str| index.applicant(title);
        let (names, years) = split_years(&titles, COLUMNS);
        in_years(names.iter().map(one).collect(), years)?
    };
    let mut known: Vec<usize> = columns.iter().flatten().copied().collect();
    known.sort_unstable();
    known.into_iter().eq(0..COLUMNS).then_some(columns)
}

fn is_organizations(title: &str) -> bool {
    title == "法人或其他组织"
}

/// Splits the titles of columns from those of years below all of them: two for each of at least `fewest` columns.
fn split_years<'t>(titles: &'t [&'t str], fewest: usize) -> (&'t [&'t str], &'t [&'t str]) {
    let years = titles.iter().rev().take_while(|title| foreign_titles::year(title).is_some()).count();
    let is_row = years >= 2 * fewest;
    titles.split_at(titles.len() - if is_row { years } else { 0 })
}

/// Puts the organisations, which have a row of the header of their own, in the place of their common title.
fn of_two_rows(titles: &[&str], index: &RequestIndex) -> Option<Columns> {
    let (titles, years) = split_years(titles, COLUMNS);
    let is_one = |title: &&str| index.applicant(title).is_some_and(|column| ORGANIZATIONS.contains(&column));
    let first = titles.iter().position(&is_one)?;
    let below = titles.get(first..)?;
    let organizations: Vec<Option<usize>> =
        below.iter().take_while(|title| is_one(title)).map(|title| index.applicant(title)).collect();
    let rest = below.get(organizations.len()..)?;
    let mut columns = Vec::new();
    for title in titles.get(..first)? {
        match index.applicant(title) {
            _ if is_organizations(title) => columns.extend(&organizations),
            Some(TOTAL) if !rest.is_empty() => columns.extend(of_latest(Some(TOTAL), rest)?),
            column => columns.push(column),
        }
    }
    in_years(columns, years)
}

/// Returns one column for each of these years. Only that of the latest is the form's.
fn of_latest(column: Option<usize>, titles: &[&str]) -> Option<Columns> {
    let years: Vec<i32> = titles.iter().map(|title| foreign_titles::year(title)).collect::<Option<_>>()?;
    let latest = years.iter().max()?;
    let is_told_apart = years.iter().filter(|year| *year == latest).count() == 1;
    is_told_apart.then(|| years.iter().map(|year| column.filter(|_| year == latest)).collect())
}

/// Divides each column into those of the years below it.
fn in_years(columns: Columns, years: &[&str]) -> Option<Columns> {
    if years.is_empty() {
        return Some(columns);
    }
    let each = years.len().checked_div(columns.len()).filter(|each| *each > 0)?;
    if each * columns.len() != years.len() {
        return None;
    }
    let divided = columns.iter().zip(years.chunks(each)).map(|(column, own)| of_latest(*column, own));
    divided.collect::<Option<Vec<Columns>>>().map(|divided| divided.concat())
}

fn chosen<'a>(cut: &[ReadCell<'a>], columns: &Columns) -> Vec<ReadCell<'a>> {
    cut.iter().zip(columns).filter(|(_, column)| column.is_some()).map(|(piece, _)| piece.clone()).collect()
}

/// Returns true if the values of the form's columns are numbers or blanks that add up.
fn is_sum(cut: &[ReadCell<'_>], columns: &Columns) -> bool {
    let order: Vec<usize> = columns.iter().flatten().copied().collect();
    cut.len() == columns.len() && request_sums::hold(&chosen(cut, columns), &order) == Some(true)
}

/// Returns the values of the form's columns, if the row has a value for each column of the header and adds up.
fn own_values<'a>(row: &Row<'a>, columns: &Columns) -> Option<Vec<ReadCell<'a>>> {
    let cut = |offset: usize| row.values.get(offset..offset + columns.len());
    let offsets = columns::offsets(&row.values, columns.len());
    let mut holding = offsets.into_iter().filter_map(cut).filter(|cut| is_sum(cut, columns));
    let only = holding.next().filter(|_| holding.next().is_none());
    only.map(|cut| chosen(cut, columns))
}
