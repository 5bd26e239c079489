//! Tables of LaTeX, wikis and forums, rewritten with bars.

use std::ops::Range;

use super::delimited_rows::lines_of;
use crate::source_text::SourceText;

/// Returns the text with bars between the cells of such tables, or `None` if it has none.
pub(super) fn barred(source: &SourceText) -> Option<SourceText> {
    let text = source.as_str();
    // A search for one sign costs a fraction of one for a word, and most texts have none of the signs.
    let changes = if text.contains('\\') && text.contains("\\begin{tabular}") {
        lines_of(text).flat_map(|line| of_latex(text, line)).collect()
    } else if text.contains('[') && text.contains("[td]") {
        of_forum(text)
    } else if text.contains('{') && (text.starts_with("{|") || text.contains("\n{|")) {
        of_wiki(text)
    } else {
        return None;
    };
    Some(source.replaced(changes))
}

type Changes = Vec<(Range<usize>, String)>;

fn gone(range: Range<usize>) -> (Range<usize>, String) {
    (range, String::new())
}

/// Rows such as `a & b \\ \hline`.
fn of_latex(text: &str, line: Range<usize>) -> Changes {
    let body = text.get(line.clone()).unwrap_or_default();
    if ["\\begin{", "\\end{", "\\hline"].iter().any(|command| body.trim_start().starts_with(command)) {
        return vec![gone(line)];
    }
    let Some(end) = body.rfind("\\\\") else { return Vec::new() };
    let bar = |range: Range<usize>| (range, "|".to_owned());
    let cells = body.get(..end).unwrap_or_default().match_indices('&');
    let mut changes = vec![bar(line.start..line.start)];
    changes.extend(cells.map(|(at, _)| bar(line.start + at..line.start + at + 1)));
    changes.push(bar(line.start + end..line.end));
    changes
}

/// Rows such as `[tr][td]a[/td][td]b[/td][/tr]`.
fn of_forum(text: &str) -> Changes {
    let mut changes = Vec::new();
    for (at, _) in text.match_indices('[') {
        let rest = text.get(at..).unwrap_or_default();
        let tags =
            [("[td]", "|"), ("[/tr]", "|"), ("[/td]", ""), ("[tr]", ""), ("[table]", ""), ("[/table]", "")];
        let tag = tags.iter().find(|(tag, _)| rest.starts_with(tag));
        changes.extend(tag.map(|(tag, new)| (at..at + tag.len(), (*new).to_owned())));
    }
    changes
}

/// Rows such as `| a || b` with `|-` between them, or with a cell to a line.
fn of_wiki(text: &str) -> Changes {
    let has_rows = text.contains(" || ");
    let mut changes = Vec::new();
    for line in lines_of(text) {
        let body = text.get(line.clone()).unwrap_or_default();
        if body.starts_with("{|") || body == "|}" || has_rows && body.starts_with("|-") {
            changes.push(gone(line));
        } else if has_rows && body.starts_with(['|', '!']) {
            let bars = body.match_indices("||").map(|(at, _)| line.start + at);
            changes.extend(bars.map(|at| gone(at..at + 1)));
            changes.push((line.end..line.end, "|".to_owned()));
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        let source = SourceText::verbatim(text.to_owned());
        assert_eq!(barred(&source).as_ref().map_or(text, SourceText::as_str), expect, "{text}");
    }

    #[test]
    fn tables_of_other_markup_have_bars() {
        check(
            "\\begin{tabular}{ll}\n\\hline\n规章 & 7 \\\\ \\hline\n许可 & 19 \\\\\n\\end{tabular}",
            "\n\n|规章 | 7 |\n|许可 | 19 |\n",
        );
        check("[table]\n[tr][td]规章[/td][td]7[/td][/tr]\n[/table]", "\n|规章|7|\n");
        check("{| class=\"t\"\n|-\n| 规章 || 7\n|}", "\n\n| 规章 | 7|\n");
        check("{|\n|-\n| 规章\n| 7\n|}", "\n|-\n| 规章\n| 7\n");
        check("a || b", "a || b");
    }
}
