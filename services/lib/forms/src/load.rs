//! Forms from TOML: reading, checking, and the compiled-in set.
//!
//! A form file that is misspelt or incomplete must not load: with a missing row, a number would be skipped without
//! notice. Therefore unknown keys are errors, every concept is unique, and every identity has its rows and columns.

use std::{collections::HashMap, sync::LazyLock};

use gongkai_model::{Applicant, Concept, FormId, Variant};
use serde::Deserialize;

use crate::{
    band_names::BandNames,
    chapter_titles::ChapterTitles,
    form::{
        ApplicantColumn, Band, BandColumn, BandRow, Chapter, DisputeBlock, DisputeColumn, Disputes, Form,
        Label, RequestRow, RowKind, Unit,
    },
    index::RequestIndex,
    marks::Marks,
    vocabulary::Vocabulary,
};

static EMBEDDED: LazyLock<Forms> = LazyLock::new(|| {
    Forms::parse(&[
        ("forms/2021.toml", include_str!("../forms/2021.toml")),
        ("forms/2019.toml", include_str!("../forms/2019.toml")),
    ])
    .expect("the compiled-in forms load: a unit test loads them")
});

/// A set of forms, with look-ups over all of them.
#[derive(Debug, Clone)]
pub struct Forms {
    forms: Vec<Form>,
    /// Look-ups over all forms, built once.
    chapter_titles: ChapterTitles,
    vocabulary: Vocabulary,
    indexes: Vec<RequestIndex>,
    proactive: Vec<BandNames>,
    marks: Marks,
}

/// Error: a form file cannot be used. The operator has to correct the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("form file {name}: {reason}")]
pub struct FormError {
    /// Name of the file.
    pub name: String,
    /// What is wrong in the file.
    pub reason: String,
}

impl Forms {
    /// Returns the forms compiled into the program.
    #[must_use]
    pub fn embedded() -> Self {
        EMBEDDED.clone()
    }

    /// Reads forms from TOML, each with the name of its file for messages.
    ///
    /// # Errors
    /// A file is not TOML, has unknown or missing keys, names a concept twice, or lacks a row or column that an
    /// equation needs; or two files describe one form. The operator has to correct the file.
    pub fn parse(files: &[(&str, &str)]) -> Result<Self, FormError> {
        let mut forms: Vec<Form> = Vec::new();
        for (name, text) in files {
            let fail = |reason: String| FormError { name: (*name).to_owned(), reason };
            let raw: RawForm = toml::from_str(text).map_err(|e| fail(e.to_string()))?;
            for form in raw.build().map_err(fail)? {
                if forms.iter().any(|f| f.id == form.id && f.variant == form.variant) {
                    return Err(fail(format!("form {} stands in another file too", form.id)));
                }
                forms.push(form);
            }
        }
        let indexes = forms.iter().map(RequestIndex::of).collect();
        let proactive = forms.iter().map(BandNames::of).collect();
        let (chapter_titles, vocabulary) = (ChapterTitles::of(forms.iter()), Vocabulary::of(forms.iter()));
        Ok(Self { chapter_titles, vocabulary, indexes, proactive, marks: Marks::of(&forms), forms })
    }

    /// Returns one form in one variant, or `None` if it is unknown.
    #[must_use]
    pub fn get(&self, id: FormId, variant: Variant) -> Option<&Form> {
        self.forms.iter().find(|form| form.id == id && form.variant == variant)
    }

    /// Returns all forms, each variant separately.
    pub fn iter(&self) -> impl Iterator<Item = &Form> {
        self.forms.iter()
    }

    pub(crate) fn chapter_titles(&self) -> &ChapterTitles {
        &self.chapter_titles
    }

    pub(crate) fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    pub(crate) fn marks(&self) -> &Marks {
        &self.marks
    }

    /// Returns the look-ups of one of these forms.
    pub(crate) fn index(&self, form: &Form) -> &RequestIndex {
        self.indexes.get(self.form_index(form)).expect("an index is made with every form")
    }

    /// Returns the labels of chapter 二 of one of these forms.
    pub(crate) fn proactive(&self, form: &Form) -> &BandNames {
        self.proactive.get(self.form_index(form)).expect("the labels are listed with every form")
    }

    fn form_index(&self, form: &Form) -> usize {
        let is_it = |own: &Form| own.id == form.id && own.variant == form.variant;
        self.forms.iter().position(is_it).unwrap_or(usize::MAX)
    }
}

// === The file's shape ===

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawForm {
    id: String,
    notice: String,
    chapters: Vec<Chapter>,
    bands: Vec<RawBand>,
    applicants: Vec<RawApplicant>,
    requests: Vec<RawRow>,
    disputes: RawDisputes,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBand {
    item: String,
    columns: Vec<RawBandColumn>,
    rows: Vec<RawBandRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBandColumn {
    name: String,
    label: String,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    unit: Unit,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBandRow {
    concept: String,
    label: String,
    #[serde(default)]
    aliases: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawApplicant {
    name: String,
    label: String,
    #[serde(default)]
    aliases: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRow {
    /// Set if the row exists only in this variant.
    variant: Option<String>,
    group: Option<String>,
    concept: String,
    kind: RowKind,
    label: String,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    misprints: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDisputes {
    blocks: Vec<DisputeBlock>,
    columns: Vec<RawDisputeColumn>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDisputeColumn {
    name: String,
    label: Label,
    kind: RawDisputeKind,
}

#[derive(Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum RawDisputeKind {
    Part,
    Total,
}

// === impl RawForm ===

impl RawForm {
    fn build(&self) -> Result<Vec<Form>, String> {
        let mut variants = vec![Variant::Standard];
        for row in &self.requests {
            if let Some(variant) = row.variant()?
                && !variants.contains(&variant)
            {
                variants.push(variant);
            }
        }
        variants.into_iter().map(|variant| self.build_variant(variant)).collect()
    }

    fn build_variant(&self, variant: Variant) -> Result<Form, String> {
        let id: FormId = self.id.parse().map_err(|_| format!("unknown form id {:?}", self.id))?;
        let mut form = Form {
            id,
            variant,
            notice: self.notice.clone(),
            chapters: self.chapters.clone(),
            bands: self.bands.iter().map(RawBand::build).collect(),
            applicants: self.applicants.iter().map(RawApplicant::build).collect::<Result<_, _>>()?,
            rows: self.rows(variant)?,
            disputes: self.disputes.build(),
            cells: Vec::new(),
            by_id: HashMap::new(),
        };
        form.list_cells();
        check(&form)?;
        Ok(form)
    }

    fn rows(&self, variant: Variant) -> Result<Vec<RequestRow>, String> {
        let mut rows = Vec::new();
        for row in &self.requests {
            if row.variant()?.is_none_or(|only| only == variant) {
                rows.push(row.build());
            }
        }
        Ok(rows)
    }
}

impl RawRow {
    fn variant(&self) -> Result<Option<Variant>, String> {
        match &self.variant {
            None => Ok(None),
            Some(name) => name.parse().map(Some).map_err(|_| format!("unknown variant {name:?}")),
        }
    }

    fn build(&self) -> RequestRow {
        RequestRow {
            concept: Concept::new(&self.concept),
            kind: self.kind,
            group: self.group.clone(),
            label: Label { misprints: self.misprints.clone(), ..label(&self.label, &self.aliases) },
        }
    }
}

impl RawBand {
    fn build(&self) -> Band {
        let columns = self.columns.iter().map(|column| BandColumn {
            name: column.name.clone(),
            label: label(&column.label, &column.aliases),
            unit: column.unit,
        });
        let rows = self
            .rows
            .iter()
            .map(|row| BandRow { concept: row.concept.clone(), label: label(&row.label, &row.aliases) });
        Band { item: self.item.clone(), columns: columns.collect(), rows: rows.collect() }
    }
}

impl RawApplicant {
    fn build(&self) -> Result<ApplicantColumn, String> {
        let applicant: Applicant =
            self.name.parse().map_err(|_| format!("unknown applicant {:?}", self.name))?;
        Ok(ApplicantColumn { applicant, label: label(&self.label, &self.aliases) })
    }
}

impl RawDisputes {
    fn build(&self) -> Disputes {
        let columns = self.columns.iter().map(|column| DisputeColumn {
            name: column.name.clone(),
            label: column.label.clone(),
            total: column.kind == RawDisputeKind::Total,
        });
        Disputes { blocks: self.blocks.clone(), columns: columns.collect() }
    }
}

fn label(text: &str, aliases: &[String]) -> Label {
    Label { text: text.to_owned(), aliases: aliases.to_vec(), misprints: Vec::new() }
}

// === Checks ===

fn check(form: &Form) -> Result<(), String> {
    let numbers: Vec<u32> = form.chapters.iter().map(|chapter| chapter.number).collect();
    require(numbers == [1, 2, 3, 4, 5, 6], || format!("chapters are {numbers:?}, not 1 to 6"))?;
    for kind in [RowKind::Received, RowKind::CarriedIn, RowKind::Total, RowKind::CarriedOut] {
        let count = form.rows.iter().filter(|row| row.kind == kind).count();
        require(count == 1, || format!("{count} rows of kind {kind:?}, one is needed"))?;
    }
    require(form.result_rows().next().is_some(), || "no row of kind result".to_owned())?;
    let applicants: Vec<Applicant> = form.applicants.iter().map(|column| column.applicant).collect();
    require(applicants == Applicant::ALL, || format!("applicants are {applicants:?}"))?;
    let totals: Vec<bool> = form.disputes.columns.iter().map(|column| column.total).collect();
    let one_total_at_the_end =
        totals.last() == Some(&true) && totals.iter().filter(|total| **total).count() == 1;
    require(one_total_at_the_end, || "the disputes' last column must be their one total".to_owned())?;
    require(!form.bands.is_empty() && !form.disputes.blocks.is_empty(), || {
        "a chapter has no cells".to_owned()
    })?;
    for cell in &form.cells {
        let count = form.cells.iter().filter(|other| other.id == cell.id).count();
        require(count == 1, || format!("cell {} stands {count} times", cell.id))?;
    }
    check_labels(form)
}

fn check_labels(form: &Form) -> Result<(), String> {
    let bands = form.bands.iter().flat_map(|band| {
        let columns = band.columns.iter().map(|column| &column.label);
        columns.chain(band.rows.iter().map(|row| &row.label))
    });
    let labels = bands
        .chain(form.applicants.iter().map(|column| &column.label))
        .chain(form.rows.iter().map(|row| &row.label))
        .chain(form.disputes.blocks.iter().map(|block| &block.label))
        .chain(form.disputes.columns.iter().map(|column| &column.label));
    for label in labels {
        require(label.all().all(|name| !name.trim().is_empty()), || {
            format!("an empty name at {:?}", label.text)
        })?;
    }
    Ok(())
}

fn require(holds: bool, reason: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(reason()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM_2021: &str = include_str!("../forms/2021.toml");

    #[test]
    fn forms_have_as_many_cells_as_their_decree() {
        let forms = Forms::embedded();
        let count = |id, variant| forms.get(id, variant).map(|form| form.cells().count());
        assert_eq!(count(FormId::Form2021, Variant::Standard), Some(200));
        assert_eq!(count(FormId::Form2021, Variant::SingleRowOther), Some(186));
        assert_eq!(count(FormId::Form2019, Variant::Standard), Some(198));
        assert_eq!(count(FormId::Form2014, Variant::Standard), None);
    }

    #[test]
    fn a_cell_is_named_as_an_editor_would() {
        let form = Forms::embedded().get(FormId::Form2021, Variant::Standard).unwrap().clone();
        for (id, position) in [
            ("proactive.regulations.issued", "第二部分表格「规章」行「本年制发件数」列"),
            ("requests.outcome.granted[natural_person]", "第三部分表格「（一）予以公开」行「自然人」列"),
            (
                "requests.outcome.refused.state_secret[total]",
                "第三部分表格「（三）不予公开 1.属于国家秘密」行「总计」列",
            ),
            (
                "disputes.litigation_direct.upheld",
                "第四部分表格「行政诉讼·未经复议直接起诉」栏「结果维持」列",
            ),
        ] {
            assert_eq!(form.position(&id.parse().unwrap()), position);
        }
    }

    fn check_error(from: &str, to: &str, expect: &str) {
        let text = FORM_2021.replacen(from, to, 1);
        assert_ne!(text, FORM_2021, "the sample change must change something");
        let error = Forms::parse(&[("x.toml", &text)]).unwrap_err().to_string();
        assert!(error.contains(expect) && error.contains("x.toml"), "{error}");
    }

    #[test]
    fn a_wrong_form_file_is_refused_with_its_reason() {
        check_error("id = \"2021\"", "id = \"2031\"", "2031");
        check_error("notice =", "notize =", "notize");
        check_error("number = 3", "number = 4", "chapters");
        check_error("kind = \"carried_in\"", "kind = \"received\"", "Received");
        check_error("name = \"enterprise\"", "name = \"total\"", "applicants");
        check_error("requests.outcome.granted", "requests.outcome.total", "requests.outcome.total");
        check_error("label = \"（一）予以公开\"", "label = \" \"", "empty name");
        check_error("variant = \"standard\"", "variant = \"other\"", "other");
    }

    #[test]
    fn one_form_in_two_files_is_refused() {
        let error = Forms::parse(&[("a", FORM_2021), ("b", FORM_2021)]).unwrap_err();
        assert_eq!(error.name, "b");
    }
}
