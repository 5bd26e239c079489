use std::time::Duration;

use gongkai_model::{Block, RejectionCode};
use proptest::prelude::*;

use super::read;
use crate::{cpu::Cpu, limits::Limits};

/// A file that LibreOffice 7.4 wrote from a page with one table.
const SMALL: &[u8] = include_bytes!("../../tests/fixtures/small.doc");

fn shown(block: &Block) -> String {
    match block {
        Block::Paragraph(paragraph) => paragraph.text.clone(),
        Block::Table(grid) => {
            assert!(grid.spans_known);
            let cell = |cell: &gongkai_model::Cell| match (cell.row_span, cell.column_span) {
                (1, 1) => format!("{}@{}", cell.text.replace('\n', "⏎"), cell.column),
                (rows, columns) => format!("{}@{}×{rows},{columns}", cell.text, cell.column),
            };
            let rows = grid
                .by_row()
                .into_iter()
                .map(|row| row.into_iter().map(cell).collect::<Vec<_>>().join(" | "));
            rows.collect::<Vec<_>>().join(" / ")
        }
    }
}

fn code(bytes: &[u8]) -> RejectionCode {
    read(bytes, &Limits::default()).unwrap_err().code
}

/// Returns where the Word stream begins in the file.
fn word() -> usize {
    (512..SMALL.len()).step_by(512).find(|at| SMALL[*at..].starts_with(b"\xec\xa5")).unwrap()
}

#[test]
fn paragraphs_and_merged_cells_are_read() {
    let blocks = read(SMALL, &Limits::default()).unwrap();
    let table = "标题@0×1,2 | 第一列@2 | 第二列@3 / 组@0×2,1 | 规章@1 | 311@2 | 313@3 / 规范性文件@1 | 317@2 | @3 \
                 / 总计@0×1,2 | 331⏎337@2 | 347@3";
    assert_eq!(
        blocks.iter().map(shown).collect::<Vec<_>>(),
        ["甲局2023年政府信息公开工作年度报告", "共收到申请17件。", table, "结束"]
    );
}

#[test]
fn damage_locks_and_age_are_named() {
    for length in [0, 8, 512, 1024, SMALL.len() / 2] {
        assert_eq!(code(&SMALL[..length]), RejectionCode::Corrupt, "{length}");
    }
    let changed = |at: usize, new: &[u8]| {
        let mut bytes = SMALL.to_vec();
        bytes[word() + at..][..new.len()].copy_from_slice(new);
        bytes
    };
    assert_eq!(code(&changed(11, &[SMALL[word() + 11] | 1])), RejectionCode::Encrypted);
    assert_eq!(code(&changed(2, &[0x65, 0])), RejectionCode::UnsupportedFormat);
    assert_eq!(code(&changed(0, &[0])), RejectionCode::Corrupt);
}

#[test]
fn a_chain_of_sectors_that_bites_its_tail_ends() {
    let number = |at: usize| u32::from_le_bytes(SMALL[at..at + 4].try_into().unwrap());
    let size = 1 << SMALL[30];
    // The first sector of the allocation table, and the first sector of the directory.
    let (table, directory) = ((number(76) as usize + 1) * size, number(48));
    let entry = table + directory as usize * 4;
    assert_ne!(number(entry), directory);
    let mut bytes = SMALL.to_vec();
    bytes[entry..entry + 4].copy_from_slice(&directory.to_le_bytes());
    let begun = Cpu::now();
    assert_eq!(code(&bytes), RejectionCode::Corrupt);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[test]
fn limits_end_the_reading() {
    for limits in [
        Limits { cells: 5, ..Limits::default() },
        Limits { rows: 2, ..Limits::default() },
        Limits { columns: 2, ..Limits::default() },
        Limits { paragraphs: 1, ..Limits::default() },
        Limits { line_scalars: 3, ..Limits::default() },
    ] {
        assert_eq!(read(SMALL, &limits).unwrap_err().code, RejectionCode::TooLarge, "{limits:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_damaged_file_panics_or_takes_long(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..16),
        length in any::<prop::sample::Index>(),
    ) {
        let mut bytes = SMALL.to_vec();
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let begun = Cpu::now();
        drop(read(&bytes, &Limits::default()));
        drop(read(&bytes[..length.index(bytes.len())], &Limits::default()));
        prop_assert!(begun.elapsed() < Duration::from_secs(2));
    }
}
