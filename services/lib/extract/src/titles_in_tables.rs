//! Chapters' titles in rows of their own inside one large table. The table ends there, and the title is a paragraph.

use gongkai_model::{Block, Cell, Grid, Paragraph};

use crate::text::lines;

/// Cuts tables with geometry at the rows that contain nothing but a chapter's title.
pub(crate) fn cut(blocks: Vec<Block>) -> Vec<Block> {
    blocks
        .into_iter()
        .flat_map(|block| match block {
            Block::Table(grid) if grid.spans_known => pieces(grid),
            other => vec![other],
        })
        .collect()
}

fn pieces(grid: Grid) -> Vec<Block> {
    let titles: Vec<Cell> =
        grid.by_row().iter().filter_map(|row| title(row)).filter(|cell| cell.row_span < 2).cloned().collect();
    if titles.is_empty() {
        return vec![Block::Table(grid)];
    }
    let mut blocks = Vec::new();
    let mut first = 0;
    for title in titles {
        blocks.extend(part(&grid, first..title.row));
        first = title.row + 1;
        blocks.push(Block::Paragraph(Paragraph { text: title.text, span: title.span, page: title.page }));
    }
    blocks.extend(part(&grid, first..grid.rows));
    blocks
}

/// Returns the only filled cell of a row, if it is a chapter's title.
fn title<'c>(row: &[&'c Cell]) -> Option<&'c Cell> {
    let mut filled = row.iter().filter(|cell| !cell.text.is_empty());
    filled.next().filter(|cell| filled.next().is_none() && lines::is_title(&cell.text)).copied()
}

/// Returns some rows of a table as a table of their own, or nothing if they have no text.
fn part(grid: &Grid, rows: std::ops::Range<u32>) -> Option<Block> {
    let own = |cell: &&Cell| rows.contains(&cell.row);
    let cells: Vec<Cell> = grid
        .cells
        .iter()
        .filter(own)
        .map(|cell| Cell {
            row: cell.row - rows.start,
            row_span: cell.row_span.min(rows.end - cell.row),
            ..cell.clone()
        })
        .collect();
    let has_text = cells.iter().any(|cell| !cell.text.is_empty());
    let rows = rows.end - rows.start;
    has_text.then(|| Block::Table(Grid { rows, cells, ..Grid { cells: Vec::new(), ..*grid } }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(row: u32, column: u32, column_span: u32, text: &str) -> Cell {
        let text = text.to_owned();
        Cell { row, column, row_span: 1, column_span, text, span: None, page: None, area: None }
    }

    fn table(rows: u32, cells: Vec<Cell>) -> Block {
        Block::Table(Grid { rows, columns: 3, cells, spans_known: true, ends_unsure: false })
    }

    #[test]
    fn a_table_ends_at_a_chapters_title() {
        let blocks = cut(vec![table(
            4,
            vec![
                cell(0, 0, 3, "二、主动公开政府信息情况"),
                cell(1, 0, 1, "规章"),
                cell(1, 1, 2, "7"),
                cell(2, 0, 3, "三、收到和处理政府信息公开申请情况"),
                cell(3, 0, 1, "三、本年度办理结果"),
                cell(3, 1, 2, "9"),
            ],
        )]);
        let title =
            |text: &str| Block::Paragraph(Paragraph { text: text.to_owned(), span: None, page: None });
        assert_eq!(
            blocks,
            [
                title("二、主动公开政府信息情况"),
                table(1, vec![cell(0, 0, 1, "规章"), cell(0, 1, 2, "7")]),
                title("三、收到和处理政府信息公开申请情况"),
                table(1, vec![cell(0, 0, 1, "三、本年度办理结果"), cell(0, 1, 2, "9")]),
            ]
        );
    }
}
