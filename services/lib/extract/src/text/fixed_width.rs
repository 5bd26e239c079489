//! Joins the lines of a text that a program broke at a fixed width.
//!
//! Such a text has lost its own line breaks: words and numbers are cut wherever the width was reached.

use crate::source_text::SourceText;

/// Minimum number of lines that are broken at one width.
const LINES: usize = 8;

/// Minimum length of a line, in scalars.
const SHORTEST: usize = 20;

/// Returns the text as one line, or `None` unless all lines but the last are equally long or equally wide.
pub(super) fn joined(source: &SourceText) -> Option<SourceText> {
    let text = source.as_str();
    let mut lines: Vec<&str> = text.trim_end().split('\n').collect();
    lines.pop()?;
    let is_short = |line: &&str| line.chars().nth(SHORTEST - 1).is_none();
    // A character that is two wide may not fit into the last column.
    let is_broken =
        spread(&lines, |_| 1) == Some(0) || spread(&lines, width).is_some_and(|spread| spread < 2);
    if lines.len() < LINES || lines.iter().any(is_short) || !is_broken {
        return None;
    }
    let breaks = text.trim_end().match_indices('\n').map(|(at, _)| (at..at + 1, String::new()));
    Some(source.replaced(breaks))
}

/// Returns the difference between the longest and the shortest line.
fn spread(lines: &[&str], size: impl Fn(char) -> usize) -> Option<usize> {
    let lengths = || lines.iter().map(|line| line.trim_end_matches('\r').chars().map(&size).sum::<usize>());
    Some(lengths().max()? - lengths().min()?)
}

/// Returns the columns that a character takes.
fn width(c: char) -> usize {
    if c.is_ascii() { 1 } else { 2 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_one_width_are_joined() {
        let whole = "2023年全年公开信息317条，".repeat(20);
        let chars: Vec<char> = whole.chars().collect();
        let folded = |width: usize| {
            let mut lines = vec![String::new()];
            for c in &chars {
                let next: usize = lines.last().unwrap().chars().chain([*c]).map(super::width).sum();
                if next > width {
                    lines.push(String::new());
                }
                lines.last_mut().unwrap().push(*c);
            }
            lines.join("\n")
        };
        let joined = |text: String| joined(&SourceText::verbatim(text)).map(|text| text.as_str().to_owned());
        assert_eq!(joined(folded(43)).as_deref(), Some(whole.as_str()));
        assert_eq!(joined(folded(30)), None, "too narrow");
        assert_eq!(joined(format!("一、总体情况\n{}", folded(43))), None);
    }
}
