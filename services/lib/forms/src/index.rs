//! An index of the labels of chapter 三.

use std::collections::HashMap;

use gongkai_model::Variant;

use crate::{
    form::Form,
    label::{Spelling, norm},
    label_match::LabelEvidence,
    rows::Row,
    value::CellValue,
};

/// Columns of chapter 三.
const COLUMNS: usize = 7;

/// Minimum likeness of a misprinted label to a row's label, and minimum difference to the likeness of the next row's
/// label.
const LIKE: f64 = 0.75;
const MARGIN: f64 = 0.15;

/// Minimum likeness of an altered label to the label of the row in whose place it is.
const ALTERED: f64 = 0.5;

/// Maximum number of digits in a label, such as those of a note.
const MOST_DIGITS: usize = 4;

/// Maximum number of lines over which a label can be broken.
const JOINED: usize = 4;

/// Maximum number of lines before a row that are searched for parts of its label.
const NEAR: usize = 64;

/// A label below this likeness is neither that of the row nor a competitor.
const TOLD_APART: f64 = LIKE - MARGIN;

/// The labels of chapter 三 of one form.
#[derive(Debug, Clone, Default)]
pub(crate) struct RequestIndex {
    /// Ordinal of chapter 三's first cell.
    pub first_cell: usize,
    exact: HashMap<String, usize>,
    /// The labels and aliases of each row.
    names: Vec<Vec<Spelling<String>>>,
    /// All labels and aliases, sorted.
    sorted: Vec<String>,
    misprints: Vec<String>,
    groups: Vec<String>,
    applicants: HashMap<String, usize>,
}

impl RequestIndex {
    pub(crate) fn of(form: &Form) -> Self {
        let first_cell = form.bands.iter().map(|band| band.rows.len() * band.columns.len()).sum();
        let mut index = Self { first_cell, ..Self::default() };
        for (at, row) in form.rows.iter().enumerate() {
            // A name as short as 其他 must not match the group 其他处理 beside it.
            let names: Vec<Spelling<String>> = row
                .label
                .all()
                .map(|name| Spelling::of(norm(name)))
                .enumerate()
                .filter(|(alias, name)| *alias == 0 || form.variant == Variant::Standard || name.scalars > 2)
                .map(|(_, name)| name)
                .collect();
            for name in &names {
                index.exact.entry(name.text.clone()).or_insert(at);
            }
            index.names.push(names);
            index.misprints.extend(row.label.misprints.iter().map(|misprint| norm(misprint)));
            index.groups.extend(row.group.iter().map(|group| norm(group)));
        }
        index.sorted = index.names.iter().flatten().map(|name| name.text.clone()).collect();
        index.sorted.sort_unstable();
        index.groups.push("本年度办理结果".to_owned());
        index.groups.dedup();
        index.groups.retain(|group| !index.exact.contains_key(group));
        for (at, column) in form.applicants.iter().enumerate() {
            index.applicants.extend(column.label.all().map(|name| (norm(name), at)));
        }
        index
    }

    /// Returns the number of rows of the form.
    pub(crate) fn rows(&self) -> usize {
        self.names.len()
    }

    /// Returns true if a row's label is not the form's: a known misprint, or similar to the row's name but neither that
    /// name with words added nor a part of it, as a line or page break leaves one.
    pub(crate) fn is_altered(&self, row: usize, label: &str) -> bool {
        let own = Spelling::of(label);
        let Some(names) = self.names.get(row).filter(|_| own.scalars >= 4) else { return false };
        let is_known = |name: &Spelling<String>| holds(label, &name.text) || name.text.contains(label);
        self.misprints.iter().any(|misprint| misprint == label)
            || (!names.iter().any(is_known)
                && names.iter().any(|name| own.likeness_from(ALTERED, name) >= ALTERED))
    }

    /// Returns true if a column has a name of the row.
    pub(crate) fn is_named_like_column(&self, row: usize) -> bool {
        let is_column = |name: &Spelling<String>| self.applicants.contains_key(&name.text);
        self.names.get(row).is_some_and(|names| names.iter().any(is_column))
    }

    /// Returns the first cell of a row and the number of its cells.
    pub(crate) fn cells_of(&self, row: usize) -> (usize, usize) {
        (self.first_cell + row * COLUMNS, COLUMNS)
    }

    /// Returns true if labels name every row.
    pub(crate) fn are_all_in(&self, labels: &[&str]) -> bool {
        (0..self.rows()).all(|row| labels.iter().any(|label| self.names(row, label)))
    }

    /// Returns true if `label` is a name of the row.
    pub(crate) fn names(&self, row: usize, label: &str) -> bool {
        self.names.get(row).is_some_and(|names| names.iter().any(|name| name.text == label))
    }

    /// Returns true for the label of a row that the other form does not have, or for the beginning of such a label.
    /// 其他 is not evidence, because a column has this name too.
    pub(crate) fn is_only_here(&self, label: &str, other: &Self) -> bool {
        let length = label.chars().count();
        let is_own = |index: &Self| {
            if length >= 5 { index.begins_name(label) } else { index.exact.contains_key(label) }
        };
        length >= 4 && is_own(self) && !is_own(other)
    }

    /// Returns a row's last label, together with the lines before it as far as they are part of the same name.
    pub(crate) fn grown(&self, before: &[&str], own: &[&str]) -> String {
        let mut lines = before.iter().chain(own).rev();
        let mut label = lines.next().map(|last| (*last).to_owned()).unwrap_or_default();
        for line in lines {
            let joined = format!("{line}{label}");
            if !self.is_in_name(&joined) {
                break;
            }
            label = joined;
        }
        label
    }

    /// Returns true for a part of a name.
    pub(crate) fn is_in_name(&self, label: &str) -> bool {
        !self.fragments(label).is_empty()
    }

    /// Returns true for a name, or the beginning of one.
    fn begins_name(&self, label: &str) -> bool {
        let at = self.sorted.partition_point(|name| name.as_str() < label);
        self.sorted.get(at).is_some_and(|name| name.starts_with(label))
    }

    /// Returns the row with exactly this name.
    pub(crate) fn exact(&self, label: &str) -> Option<usize> {
        self.exact.get(label).copied()
    }

    /// Returns the applicant column with exactly this name, or whose name begins with it (`商业` over `企业`).
    pub(crate) fn applicant(&self, label: &str) -> Option<usize> {
        if let Some(at) = self.applicants.get(label) {
            return Some(*at);
        }
        if label.chars().count() < 2 {
            return None;
        }
        let mut found = self.applicants.iter().filter(|(name, _)| name.starts_with(label)).map(|(_, at)| *at);
        let first = found.next()?;
        found.all(|at| at == first).then_some(first)
    }

    /// Returns true for a row of the table's header: names of applicants, and no number.
    pub(crate) fn is_header(&self, row: &Row<'_>) -> bool {
        let blank = row.values.iter().all(|piece| piece.value == CellValue::Blank);
        let head = |label: &str| {
            matches!(
                label,
                "法人或其他组织" | "申请人情况" | "自然人" | "商业企业" | "科研机构" | "法律服务机构"
            ) || (label == "总计" && row.labels.len() > 1)
        };
        blank && row.labels.iter().any(|piece| head(&piece.label)) && {
            let own = row.labels.last().map_or("", |piece| piece.label.as_str());
            self.applicant(own).is_some() || head(own) || self.exact(own).is_none()
        }
    }

    /// Returns the evidence of a row's labels, and of the lines before it, for its position in the form.
    pub(crate) fn evidence(&self, row: &Row<'_>, before: &[&str]) -> LabelEvidence {
        let own: Vec<&str> = row.labels.iter().map(|piece| piece.label.as_str()).collect();
        let raw = row.labels.last().map_or("", |piece| piece.cell.text.as_str());
        if let Some(evidence) = self.whole(&own, raw) {
            return evidence;
        }
        let nearest = before.get(before.len().saturating_sub(JOINED)..).unwrap_or_default();
        let all: Vec<&str> = nearest.iter().chain(&own).copied().collect();
        for lines in 1..=all.len().min(JOINED) {
            let joined = tail(&all, lines);
            if let Some(row) =
                self.exact(&joined).filter(|_| lines > own.len() && joined.chars().count() >= 4)
            {
                return LabelEvidence::Named(row);
            }
        }
        let near = self.nearby(before.get(before.len().saturating_sub(NEAR)..).unwrap_or_default());
        let own = self.fragments(own.last().copied().unwrap_or_default());
        match (own.is_empty(), near.is_empty()) {
            (false, _) => LabelEvidence::Few(own),
            (true, false) => LabelEvidence::Few(near),
            (true, true) => LabelEvidence::None,
        }
    }

    /// Returns the position that the row's own labels name.
    fn whole(&self, own: &[&str], raw: &str) -> Option<LabelEvidence> {
        for cells in 1..=own.len().min(4) {
            let joined = tail(own, cells);
            let group_of_its_own = joined == "其他" && raw.trim_start().starts_with(['（', '(']);
            if let Some(row) = self.exact(&joined).filter(|_| !group_of_its_own) {
                return Some(LabelEvidence::Named(row));
            }
            if group_of_its_own || self.groups.contains(&joined) {
                return Some(LabelEvidence::Group);
            }
        }
        let last = own.last()?;
        // A label with numbers inside is that of several rows.
        if last.bytes().filter(u8::is_ascii_digit).nth(MOST_DIGITS).is_some() {
            return None;
        }
        self.part(last)
            .or_else(|| self.part(&tail(own, 2)))
            .or_else(|| self.alike(last))
            .map(LabelEvidence::Named)
    }

    /// Returns the one row whose name is contained in the label (joined to a group's title, or followed by a note),
    /// or whose name begins or ends with the label (cut by a page break).
    fn part(&self, label: &str) -> Option<usize> {
        let length = label.chars().count();
        let mut longest: Option<(usize, usize)> = None;
        let mut tied = false;
        for (row, Spelling { text: name, scalars: size, .. }) in self.all_names() {
            let size = *size;
            let inside = (size >= 4 && label.ends_with(name.as_str()))
                || (size >= 6 && label.starts_with(name.as_str()));
            let cut = length >= 5 && (name.starts_with(label) || name.ends_with(label));
            let weight = if inside {
                size
            } else if cut {
                length
            } else {
                0
            };
            if weight == 0 {
                continue;
            }
            match longest {
                Some((_, best)) if best > weight => {}
                Some((other, best)) if best == weight => tied |= other != row,
                _ => (longest, tied) = (Some((row, weight)), false),
            }
        }
        longest.filter(|_| !tied).map(|(row, _)| row)
    }

    /// Returns the one row whose name is similar to the label.
    fn alike(&self, label: &str) -> Option<usize> {
        let label = Spelling::of(label);
        if label.scalars < 4 {
            return None;
        }
        let mut best = (0.0, 0);
        let mut next = 0.0f64;
        for (row, names) in self.names.iter().enumerate() {
            let like = names.iter().map(|name| label.likeness_from(TOLD_APART, name)).fold(0.0, f64::max);
            if like > best.0 {
                (next, best) = (best.0, (like, row));
            } else {
                next = next.max(like);
            }
        }
        (best.0 >= LIKE && best.0 - next >= MARGIN).then_some(best.1)
    }

    /// Returns the rows whose labels can contain this piece.
    fn fragments(&self, label: &str) -> Vec<usize> {
        if label.chars().count() < 4 {
            return Vec::new();
        }
        let mut rows: Vec<usize> =
            self.all_names().filter(|(_, name)| name.text.contains(label)).map(|(row, _)| row).collect();
        rows.dedup();
        rows
    }

    /// Returns the rows that lines name, each name on up to four of them. Lines between names are passed over.
    pub(crate) fn named_in(&self, lines: &[&str]) -> Vec<usize> {
        let mut rows = Vec::new();
        let mut rest = lines;
        while !rest.is_empty() {
            let whole = (1..=rest.len().min(JOINED))
                .find_map(|count| Some((self.exact(&rest.get(..count)?.concat())?, count)));
            rows.extend(whole.map(|(row, _)| row));
            rest = rest.get(whole.map_or(1, |(_, count)| count)..).unwrap_or_default();
        }
        rows
    }

    /// Returns the rows whose names begin or end on the surrounding lines.
    pub(crate) fn nearby(&self, lines: &[&str]) -> Vec<usize> {
        let mut rows: Vec<usize> = lines.iter().flat_map(|line| self.fragments(line)).collect();
        rows.sort_unstable();
        rows.dedup();
        rows
    }

    fn all_names(&self) -> impl Iterator<Item = (usize, &Spelling<String>)> {
        self.names.iter().enumerate().flat_map(|(row, names)| names.iter().map(move |name| (row, name)))
    }
}

/// Returns true if a label has all characters of a name, in order.
fn holds(label: &str, name: &str) -> bool {
    let mut rest = label.chars();
    name.chars().all(|c| rest.any(|other| other == c))
}

fn tail(labels: &[&str], count: usize) -> String {
    labels.get(labels.len().saturating_sub(count)..).unwrap_or_default().concat()
}

#[cfg(test)]
mod tests {
    use gongkai_model::FormId;

    use super::*;
    use crate::load::Forms;

    #[test]
    fn an_altered_label_is_told_from_one_in_other_dress() {
        let forms = Forms::embedded();
        let form = forms.get(FormId::Form2021, Variant::Standard).unwrap();
        let index = forms.index(form);
        let row = |label: &str| form.rows.iter().position(|row| row.label.text == label).unwrap();
        let check = |own: &str, printed: &str| index.is_altered(row(own), &norm(printed));
        for (own, printed) in [
            ("2.其他法律行政法规禁止公开", "2.其他法律行政止公开"),
            ("2.其他法律行政法规禁止公开", "2.其他法律法规禁止公开"),
            ("4.保护第三方合法权益", "4.保护第三方合法利益"),
            ("（一）予以公开", "（一）子以公开"),
        ] {
            assert!(check(own, printed), "{printed}");
        }
        for (own, printed) in [
            ("2.其他法律行政法规禁止公开", "2．其他法律、行政法规禁止公开"),
            ("2.其他法律行政法规禁止公开", "（2）其他 法律 行政法规禁止公开"),
            ("2.其他法律行政法规禁止公开", "②其他法律行政法规禁止公开"),
            ("2.其他法律行政法规禁止公开", "法规禁止公开"),
            ("二、上年结转政府信息公开申请数量", "二、上年度结转政府信息公开申请数量"),
            ("（二）部分公开（区分处理的，只计这一情形，不计其他情形）", "（二）部分公开"),
            ("3.危及“三安全一稳定”", "3.危及\"三安全一稳定\""),
            ("1.属于国家秘密", "国家秘密"),
            ("3.其他", "3.其它"),
        ] {
            assert!(!check(own, printed), "{printed}");
        }
    }
}
