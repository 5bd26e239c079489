//! The layout of a form: its cells by index, and the equations that its rows, columns and blocks imply.

use std::{collections::HashMap, sync::Arc};

use gongkai_forms::{
    Form, Forms, RowKind, Unit,
    form::{DisputeBlock, RequestRow},
};
use gongkai_model::{Applicant, Concept, FactId, FormId, Variant};

/// The rule that an equation belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum EquationKind {
    /// A row of chapter 三: the six applicants add up to 总计.
    Row,
    /// A column of chapter 三: the results add up to （七）总计.
    Sum,
    /// A column of chapter 三: 一 + 二 = （七） + 四.
    Balance,
    /// A block of chapter 四: the parts add up to 总计.
    Dispute,
}

/// Two sums of cells that must be equal. Cells are named by their number in the form's order.
#[derive(Debug, Clone)]
pub(crate) struct Equation {
    pub(crate) kind: EquationKind,
    /// The addends.
    pub(crate) left: Vec<usize>,
    /// The printed side. Its first cell is the one that an editor would examine first.
    pub(crate) right: Vec<usize>,
    /// Name of the row, column or block, in Chinese.
    pub(crate) place: String,
    /// Name of the row, column or block, by public names.
    pub(crate) place_en: String,
    /// The concept of findings about the equation.
    pub(crate) concept: Concept,
}

impl Equation {
    /// Returns all cells of the equation, the printed side first.
    pub(crate) fn cells(&self) -> impl Iterator<Item = usize> {
        self.right.iter().chain(&self.left).copied()
    }
}

/// A cell in the form for the rules.
#[derive(Debug, Clone)]
pub(crate) struct LayoutCell {
    pub(crate) id: FactId,
    pub(crate) chapter: u32,
    pub(crate) unit: Unit,
    pub(crate) position: String,
    /// Column of the cell in chapter 三 or its block in chapter 四; empty in chapter 二.
    pub(crate) column: String,
}

/// A row of chapter 三: its six applicants' cells and its total.
#[derive(Debug, Clone)]
pub(crate) struct LayoutRow {
    pub(crate) concept: Concept,
    pub(crate) kind: RowKind,
    /// The row's title, as the form prints it.
    pub(crate) label: String,
    pub(crate) parts: Vec<usize>,
    pub(crate) total: usize,
}

/// A cell by its public name, over all forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedCell {
    /// The name that packs use.
    pub id: FactId,
    /// The forms that have the cell.
    pub forms: Vec<(FormId, Variant)>,
    /// The cell's position for an editor, such as 第三部分表格「（一）予以公开」行「自然人」列, in the first of `forms`.
    pub position: String,
}

/// One form and variant, ready for the rules.
#[derive(Debug, Clone)]
pub(crate) struct FormLayout {
    pub(crate) form: FormId,
    pub(crate) variant: Variant,
    pub(crate) cells: Arc<[LayoutCell]>,
    pub(crate) rows: Vec<LayoutRow>,
    pub(crate) equations: Vec<Equation>,
    /// For each cell, its equations.
    pub(crate) member_of: Vec<Vec<usize>>,
    /// The cells' numbers by their public names.
    pub(crate) numbers: Arc<HashMap<String, usize>>,
}

impl FormLayout {
    /// Creates the layouts of all forms of a set.
    pub(crate) fn all(forms: &Forms) -> Vec<Self> {
        forms.iter().map(Self::new).collect()
    }

    fn new(form: &Form) -> Self {
        let numbers: HashMap<FactId, usize> = form.cells().enumerate().map(|(at, id)| (id, at)).collect();
        let by_name = numbers.iter().map(|(id, at)| (id.to_string(), *at)).collect();
        let builder = LayoutBuilder { form, numbers };
        let equations = builder.equations();
        let cells: Vec<LayoutCell> = builder.cells();
        let mut member_of = vec![Vec::new(); cells.len()];
        for (at, equation) in equations.iter().enumerate() {
            for cell in equation.cells() {
                member_of[cell].push(at);
            }
        }
        let rows = form.rows.iter().map(|row| builder.row(row)).collect();

        Self {
            form: form.id,
            variant: form.variant,
            cells: cells.into(),
            rows,
            equations,
            member_of,
            numbers: Arc::new(by_name),
        }
    }
}

impl FormLayout {
    /// Returns the cells of some forms, each once, in the forms' order.
    pub(crate) fn named_cells(layouts: &[Self]) -> Vec<NamedCell> {
        let mut named: Vec<NamedCell> = Vec::new();
        let mut known: HashMap<&FactId, usize> = HashMap::new();
        for layout in layouts {
            for cell in layout.cells.iter() {
                let at = *known.entry(&cell.id).or_insert_with(|| {
                    let (id, position) = (cell.id.clone(), cell.position.clone());
                    named.push(NamedCell { id, forms: Vec::new(), position });
                    named.len() - 1
                });
                named[at].forms.push((layout.form, layout.variant));
            }
        }
        named
    }

    /// Returns a cell's number by its public name.
    pub(crate) fn number(&self, name: &str) -> Option<usize> {
        self.numbers.get(name).copied()
    }
}

struct LayoutBuilder<'a> {
    form: &'a Form,
    numbers: HashMap<FactId, usize>,
}

impl LayoutBuilder<'_> {
    fn number(&self, id: &FactId) -> usize {
        *self.numbers.get(id).expect("the id was made from the form's own row and column")
    }

    fn request(&self, row: &RequestRow, applicant: Applicant) -> usize {
        self.number(&Form::request_cell(row, applicant))
    }

    fn row(&self, row: &RequestRow) -> LayoutRow {
        let parts = Applicant::ALL.iter().copied().filter(|applicant| *applicant != Applicant::Total);
        LayoutRow {
            concept: row.concept.clone(),
            kind: row.kind,
            label: row.label.text.clone(),
            parts: parts.map(|applicant| self.request(row, applicant)).collect(),
            total: self.request(row, Applicant::Total),
        }
    }

    fn cells(&self) -> Vec<LayoutCell> {
        let disputes = &self.form.disputes;
        let block_of = |id: &FactId| {
            let block = disputes.blocks.iter().find(|block| {
                id.concept.as_str().strip_prefix(&block.concept).is_some_and(|rest| rest.starts_with('.'))
            });
            block.map(block_name)
        };
        let cells = self.form.cells.iter().map(|cell| LayoutCell {
            id: cell.id.clone(),
            chapter: cell.chapter,
            unit: cell.unit,
            position: cell.position.clone(),
            column: match cell.id.applicant {
                Some(applicant) => applicant.label().to_owned(),
                None => block_of(&cell.id).unwrap_or_default(),
            },
        });
        cells.collect()
    }

    fn equations(&self) -> Vec<Equation> {
        let rows = self.form.rows.iter().map(|row| self.row_equation(row));
        let columns = self.form.applicants.iter();
        let sums = columns.clone().map(|column| self.sum_equation(column.applicant));
        let balances = columns.map(|column| self.balance_equation(column.applicant));
        let disputes = self.form.disputes.blocks.iter().filter_map(|block| self.dispute_equation(block));
        rows.chain(sums).chain(balances).chain(disputes).collect()
    }

    fn row_equation(&self, row: &RequestRow) -> Equation {
        let cells = self.row(row);
        Equation {
            kind: EquationKind::Row,
            left: cells.parts,
            right: vec![cells.total],
            place: format!("第三部分表格「{}」行", row.full_label()),
            place_en: row.concept.to_string(),
            concept: row.concept.clone(),
        }
    }

    fn column_equation(
        &self,
        kind: EquationKind,
        applicant: Applicant,
        left: Vec<usize>,
        right: Vec<usize>,
    ) -> Equation {
        Equation {
            kind,
            left,
            right,
            place: format!("第三部分表格「{}」列", applicant.label()),
            place_en: applicant.as_str().to_owned(),
            concept: self.form.row(RowKind::Total).concept.clone(),
        }
    }

    fn sum_equation(&self, applicant: Applicant) -> Equation {
        let results = self.form.result_rows().map(|row| self.request(row, applicant)).collect();
        let total = self.request(self.form.row(RowKind::Total), applicant);
        self.column_equation(EquationKind::Sum, applicant, results, vec![total])
    }

    fn balance_equation(&self, applicant: Applicant) -> Equation {
        let cell = |kind| self.request(self.form.row(kind), applicant);
        let left = vec![cell(RowKind::Received), cell(RowKind::CarriedIn)];
        let right = vec![cell(RowKind::Total), cell(RowKind::CarriedOut)];
        self.column_equation(EquationKind::Balance, applicant, left, right)
    }

    fn dispute_equation(&self, block: &DisputeBlock) -> Option<Equation> {
        let columns = &self.form.disputes.columns;
        let number = |column| self.number(&Form::dispute_cell(block, column));
        let total = columns.iter().find(|column| column.total)?;
        Some(Equation {
            kind: EquationKind::Dispute,
            left: columns.iter().filter(|column| !column.total).map(number).collect(),
            right: vec![number(total)],
            place: format!("第四部分表格「{}」栏", block_name(block)),
            place_en: block.concept.clone(),
            concept: Form::dispute_cell(block, total).concept,
        })
    }
}

fn block_name(block: &DisputeBlock) -> String {
    match &block.group {
        Some(group) => format!("{group}·{}", block.label.text),
        None => block.label.text.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_implies_as_many_equations_as_it_has_rows_columns_and_blocks() {
        let layouts = FormLayout::all(&Forms::embedded());
        for (form, variant, rows) in [
            (FormId::Form2021, Variant::Standard, 25),
            (FormId::Form2021, Variant::SingleRowOther, 23),
            (FormId::Form2019, Variant::Standard, 23),
        ] {
            let layout = layouts.iter().find(|l| l.form == form && l.variant == variant).unwrap();
            let count = |kind| layout.equations.iter().filter(|i| i.kind == kind).count();
            assert_eq!(count(EquationKind::Row), rows);
            assert_eq!(count(EquationKind::Sum), 7);
            assert_eq!(count(EquationKind::Balance), 7);
            assert_eq!(count(EquationKind::Dispute), 3);
            let sum = layout.equations.iter().find(|i| i.kind == EquationKind::Sum).unwrap();
            assert_eq!(sum.left.len(), rows - 4);
        }
    }
}
