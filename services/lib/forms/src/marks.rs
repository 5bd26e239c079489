//! Labels that only one form has. They identify the form of a document.

use gongkai_model::{FormId, Variant};

use crate::{form::Form, label::norm};

/// Labels that only one form has, form by form.
#[derive(Debug, Clone)]
pub(crate) struct Marks(Vec<(FormId, Vec<String>)>);

impl Marks {
    pub(crate) fn of(forms: &[Form]) -> Self {
        let labels = |form: &Form| -> Vec<String> {
            let bands = form.bands.iter().flat_map(|band| {
                let columns = band.columns.iter().flat_map(|column| column.label.all());
                columns.chain(band.rows.iter().flat_map(|row| row.label.all()))
            });
            bands.map(norm).collect()
        };
        let standard = || forms.iter().filter(|form| form.variant == Variant::Standard);
        let own = |form: &Form| {
            let others: Vec<String> =
                standard().filter(|other| other.id != form.id).flat_map(labels).collect();
            (form.id, labels(form).into_iter().filter(|label| !others.contains(label)).collect())
        };
        Self(standard().map(own).collect())
    }

    /// Returns the form with the most of its own labels among these, or `None` if there are none or two forms have
    /// equally many.
    pub(crate) fn form(&self, labels: &[&str]) -> Option<FormId> {
        let count = |own: &[String]| own.iter().filter(|mark| labels.contains(&mark.as_str())).count();
        let counts: Vec<(usize, FormId)> = self.0.iter().map(|(id, own)| (count(own), *id)).collect();
        let most = counts.iter().map(|(count, _)| *count).max().filter(|most| *most > 0)?;
        let mut best = counts.iter().filter(|(count, _)| *count == most);
        best.next().filter(|_| best.next().is_none()).map(|(_, id)| *id)
    }
}
