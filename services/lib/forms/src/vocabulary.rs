//! Every label of the known forms, for quick look-ups while reading rows.

use std::collections::HashSet;

use crate::{form::Form, label::norm};

/// Labels of rows, bands and groups: what begins a row.
#[derive(Debug, Clone, Default)]
pub(crate) struct Vocabulary {
    structural: HashSet<String>,
}

impl Vocabulary {
    /// The labels of some forms.
    pub(crate) fn of<'f>(forms: impl Iterator<Item = &'f Form>) -> Self {
        let mut structural: HashSet<String> =
            ["信息内容", "行政复议", "行政诉讼", "申请人情况", "本年度办理结果"].map(str::to_owned).into();
        for form in forms {
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
        Self { structural }
    }

    /// True for the label of a row, a band or a group.
    pub(crate) fn is_structural(&self, label: &str) -> bool {
        self.structural.contains(label) || (label.starts_with("第二十条第") && label.ends_with('项'))
    }
}
