//! `gongkai rules cells`: prints the names of cells that packs use.

use std::process::ExitCode;

use gongkai_model::{FormId, Variant};
use gongkai_rules::{NamedCell, RuleSet};
use serde::Serialize;

use crate::{
    printer::Printer,
    table::{self, Column, Format, TableRow},
};

/// 单元格名称 / List the names of all cells, for expressions and facts in rule packs
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai rules cells
  gongkai rules cells --format csv")]
pub(super) struct Args {
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// One cell as it is listed.
#[derive(Debug, Serialize)]
struct CellView {
    cell: String,
    forms: Vec<String>,
    position: String,
}

pub(super) fn run(args: &Args, out: &mut Printer) -> anyhow::Result<ExitCode> {
    let views: Vec<CellView> = RuleSet::embedded().cells().into_iter().map(CellView::of).collect();
    table::write(out, args.format, &views)?;
    Ok(ExitCode::SUCCESS)
}

// === impl CellView ===

impl CellView {
    fn of(cell: NamedCell) -> Self {
        let form = |(form, variant): (FormId, Variant)| match variant {
            Variant::Standard => form.as_str().to_owned(),
            variant => format!("{}/{}", form.as_str(), variant.as_str()),
        };
        let forms = cell.forms.into_iter().map(form).collect();
        Self { cell: cell.id.to_string(), forms, position: cell.position }
    }
}

impl TableRow for CellView {
    const COLUMNS: &'static [Column<Self>] = &[
        ("cell", |view| view.cell.clone()),
        ("forms", |view| view.forms.join(" ")),
        ("position", |view| view.position.clone()),
    ];
}
