//! All labels of the known forms, indexed for the reading of rows.

use std::collections::HashSet;

use crate::{foreign_titles, form::Form, label::norm};

/// Minimum length of a label that is recognised behind the title of its group, in bytes.
const SHORTEST_END: usize = 12;

/// Labels of rows, bands and groups. A row begins with one of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Vocabulary {
    structural: HashSet<String>,
    /// Titles over columns.
    titles: NameList,
    /// Labels of rows, bands and groups, and titles over columns.
    labels: NameList,
}

/// Names by their first characters, longest first.
#[derive(Debug, Clone, Default)]
struct NameList(Vec<(char, String)>);

impl Vocabulary {
    /// Creates the vocabulary of some forms.
    pub(crate) fn of<'f>(forms: impl Iterator<Item = &'f Form>) -> Self {
        let mut structural: HashSet<String> =
            ["信息内容", "行政复议", "行政诉讼", "申请人情况", "本年度办理结果"].map(str::to_owned).into();
        let mut titles: HashSet<String> =
            ["信息内容", "行政复议", "行政诉讼", "申请人情况", "法人或其他组织"].map(str::to_owned).into();
        titles.extend(foreign_titles::USUAL.map(str::to_owned));
        for form in forms {
            titles.extend(
                form.bands.iter().flat_map(|band| &band.columns).flat_map(|c| c.label.all()).map(norm),
            );
            titles.extend(form.applicants.iter().flat_map(|column| column.label.all()).map(norm));
            titles.extend(form.disputes.columns.iter().flat_map(|column| column.label.all()).map(norm));
            titles.extend(form.disputes.blocks.iter().flat_map(|block| block.label.all()).map(norm));
            for band in &form.bands {
                structural.insert(norm(&band.item));
                structural.extend(band.rows.iter().flat_map(|row| row.label.all()).map(norm));
            }
            for row in &form.rows {
                structural.extend(row.label.all().map(norm));
                structural.extend(row.group.iter().map(|group| norm(group)));
            }
            structural.extend(form.disputes.blocks.iter().flat_map(|block| block.label.all()).map(norm));
        }
        let labels = NameList::of(titles.union(&structural).cloned());
        Self { structural, titles: NameList::of(titles.into_iter()), labels }
    }

    /// Returns the column titles that a text joins: `自然人 法人或其他组织 总计`, `行政复议行政诉讼`. Empty if the
    /// text contains anything else, or only one title.
    pub(crate) fn run_together<'s>(&'s self, label: &'s str) -> Vec<&'s str> {
        self.titles.joined_in(label)
    }

    /// Returns the labels and titles that a text joins if the last is the label of a row: `第二十条第一项信息内容规章`.
    /// Empty if the text contains anything else, or only one label.
    pub(crate) fn labels_together<'s>(&'s self, label: &'s str) -> Vec<&'s str> {
        let labels = self.labels.joined_in(label);
        let is_row = labels.last().is_some_and(|last| self.is_structural(last));
        if is_row { labels } else { Vec::new() }
    }

    /// Returns true for a label of a row, a band or a group with a number behind it, in one text: 规章12.
    pub(crate) fn has_number_behind(&self, label: &str) -> bool {
        // The number of the row itself may be left.
        let label = label.trim_start_matches(|c: char| c.is_ascii_digit());
        let Some(at) = label.find(|c: char| c.is_ascii_digit()) else { return false };
        // A bar may be read as a letter.
        let name = label.get(..at).unwrap_or_default().trim_end_matches(['丨', 'l', 'I', '一']);
        let ends = |own: &String| own.len() >= SHORTEST_END && name.ends_with(own.as_str());
        self.structural.contains(name) || self.structural.iter().any(ends)
    }

    /// Returns true for the label of a row, a band or a group.
    pub(crate) fn is_structural(&self, label: &str) -> bool {
        self.structural.contains(label) || (label.starts_with("第二十条第") && label.ends_with('项'))
    }
}

// === impl NameList ===

impl NameList {
    fn of(names: impl Iterator<Item = String>) -> Self {
        let with_first = |name: String| Some((name.chars().next()?, name));
        let mut names: Vec<(char, String)> = names.filter_map(with_first).collect();
        names.sort_by(|(a_first, a), (b_first, b)| {
            a_first.cmp(b_first).then(b.len().cmp(&a.len())).then(a.cmp(b))
        });
        Self(names)
    }

    /// Returns the names that a text joins. Empty if the text contains anything else, or only one name.
    fn joined_in<'s>(&'s self, text: &'s str) -> Vec<&'s str> {
        let mut found = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if let Some(year) = foreign_titles::year_of_list(rest) {
                found.push(year);
                rest = rest.get(year.len()..).unwrap_or_default();
                continue;
            }
            let from = self.0.partition_point(|(c, _)| *c < first);
            let alike = self.0.iter().skip(from).take_while(|(c, _)| *c == first);
            let Some((_, name)) = alike.into_iter().find(|(_, name)| rest.starts_with(name.as_str())) else {
                return Vec::new();
            };
            found.push(name.as_str());
            rest = rest.get(name.len()..).unwrap_or_default();
        }
        if found.len() > 1 { found } else { Vec::new() }
    }
}
