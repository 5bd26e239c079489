//! Tables drawn with characters. A label is wrapped in a narrow column, and its values stand beside one of its lines.

/// Width of a column of labels, in characters.
const WIDTH: usize = 7;

/// The characters of a drawn table: a bar between cells, a rule, and a crossing of both.
pub(super) type Pen = (&'static str, &'static str, &'static str);

pub(super) const BOX: Pen = ("│", "─", "┼");
pub(super) const GRID: Pen = ("|", "-", "+");

/// Draws a table. Without `ruled`, there are rules only above and below.
pub(super) fn table(grid: &[Vec<String>], pen: Pen, ruled: bool) -> String {
    let columns = grid.first().map_or(0, Vec::len);
    let rule = format!("{1}{0}{1}\n", vec![pen.1.repeat(4); columns].join(pen.2), pen.2);
    let mut out = rule.clone();
    for (at, row) in grid.iter().enumerate() {
        out += &lines(row, at, pen);
        if ruled {
            out += &rule;
        }
    }
    if ruled { out + "\n" } else { out + &rule + "\n" }
}

/// Draws the lines of a row. The values are beside another line of the label in each row.
fn lines(row: &[String], at: usize, (bar, ..): Pen) -> String {
    let cells: Vec<Vec<String>> = row.iter().map(|text| wrapped(text)).collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or(1);
    let line = |n: usize| {
        let text = |cell: &Vec<String>| {
            let above = (height - cell.len()) * (at % 3) / 2;
            n.checked_sub(above).and_then(|n| cell.get(n)).map_or("", String::as_str).to_owned()
        };
        let texts: Vec<String> = cells.iter().map(|cell| format!(" {} ", text(cell))).collect();
        format!("{bar}{}{bar}\n", texts.join(bar))
    };
    (0..height).map(line).collect()
}

fn wrapped(text: &str) -> Vec<String> {
    if text.is_empty() {
        return vec![String::new()];
    }
    text.chars().collect::<Vec<char>>().chunks(WIDTH).map(|line| line.iter().collect()).collect()
}
