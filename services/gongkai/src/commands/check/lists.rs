//! `--lists DIR`: one file per 整改清单, named after its agency.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Write as _},
    path::Path,
};

use anyhow::Context as _;
use gongkai_worker::inert;

use super::{
    tables::{ActionList, LIST_HEADS},
    workbook,
};
use crate::csv_writer::{BYTE_ORDER_MARK, CsvWriter};

/// Writes each list to a file in the folder, as a workbook or as CSV. Creates the folder if it is missing and
/// replaces files of the same name.
///
/// # Errors
/// A file could not be written. The error names it.
pub(super) fn write(folder: &Path, as_workbooks: bool, lists: &[ActionList]) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("couldn't make {}", folder.display()))?;
    let mut names = BTreeSet::new();
    for list in lists {
        let (extension, bytes) =
            if as_workbooks { ("xlsx", workbook::list_bytes(list)?) } else { ("csv", csv_bytes(list)?) };
        let path = folder.join(format!("{}.{extension}", free_name(&list.agency, &mut names)));
        fs::write(&path, bytes).with_context(|| format!("couldn't write {}", path.display()))?;
    }
    Ok(())
}

fn csv_bytes(list: &ActionList) -> io::Result<Vec<u8>> {
    let mut bytes = BYTE_ORDER_MARK.to_vec();
    {
        let mut writer = CsvWriter::new(&mut bytes);
        writer.write([&list.title])?;
        for line in &list.address {
            writer.write([line])?;
        }
        writer.write(LIST_HEADS)?;
        for row in &list.rows {
            writer.write(row)?;
        }
        writer.flush()?;
    }
    bytes.flush()?;
    Ok(bytes)
}

/// Returns an unused file name derived from an agency's name.
fn free_name(agency: &str, names: &mut BTreeSet<String>) -> String {
    let plain: String = agency
        .chars()
        .map(|c| if inert::is_active(c) || "/\\:*?\"<>|.".contains(c) { '_' } else { c })
        .take(60)
        .collect();
    let plain = if plain.is_empty() { "未识别机关".to_owned() } else { plain };
    let numbered = |n: u32| if n == 1 { plain.clone() } else { format!("{plain}（{n}）") };
    let free = (1..).map(numbered).find(|name| names.insert(name.to_lowercase()));
    free.unwrap_or(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_harmless_and_used_once() {
        let mut names = BTreeSet::new();
        let free: Vec<_> =
            ["甲局", "甲局", "../乙", ""].iter().map(|agency| free_name(agency, &mut names)).collect();
        assert_eq!(free, ["甲局", "甲局（2）", "___乙", "未识别机关"]);
    }
}
