//! All labels of the known forms, indexed for the reading of rows.

use std::collections::HashSet;

use crate::{form::Form, label::norm};

/// Labels of rows, bands and groups. A row begins with one of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Vocabulary {
    structural: HashSet<String>,
    /// Titles over columns by their first characters, longest first.
    titles: Vec<(char, String)>,
}

impl Vocabulary {
    /// Creates the vocabulary of some forms.
    pub(crate) fn of<'f>(forms: impl Iterator<Item = &'f Form>) -> Self {
        let mut structural: HashSet<String> =
            ["信息内容", "行政复议", "行政诉讼", "申请人情况", "本年度办理结果"].map(str::to_owned).into();
        let mut titles: HashSet<String> =
            ["信息内容", "行政复议", "行政诉讼", "申请人情况", "法人或其他组织"].map(str::to_owned).into();
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
        let with_first = |title: String| Some((title.chars().next()?, title));
        let mut titles: Vec<(char, String)> = titles.into_iter().filter_map(with_first).collect();
        titles.sort_by(|(a_first, a), (b_first, b)| {
            a_first.cmp(b_first).then(b.len().cmp(&a.len())).then(a.cmp(b))
        });
        Self { structural, titles }
    }

    /// Returns the column titles that a text joins: `自然人 法人或其他组织 总计`, `行政复议行政诉讼`. Empty if the
    /// text contains anything else, or only one title.
    pub(crate) fn run_together(&self, label: &str) -> Vec<&str> {
        let mut found = Vec::new();
        let mut rest = label;
        while let Some(first) = rest.chars().next() {
            let from = self.titles.partition_point(|(c, _)| *c < first);
            let alike = self.titles.iter().skip(from).take_while(|(c, _)| *c == first);
            let Some((_, title)) = alike.into_iter().find(|(_, title)| rest.starts_with(title.as_str()))
            else {
                return Vec::new();
            };
            found.push(title.as_str());
            rest = rest.get(title.len()..).unwrap_or_default();
        }
        if found.len() > 1 { found } else { Vec::new() }
    }

    /// Returns true for the label of a row, a band or a group.
    pub(crate) fn is_structural(&self, label: &str) -> bool {
        self.structural.contains(label) || (label.starts_with("第二十条第") && label.ends_with('项'))
    }
}
