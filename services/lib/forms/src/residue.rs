//! Residue of word processors in text, such as `[bookmark: _GoBack]`.

use std::borrow::Cow;

/// Prefix of a bookmark in text.
const MARK: &str = "[bookmark:";

/// Returns the text without bookmarks.
pub(crate) fn without(text: &str) -> Cow<'_, str> {
    if !text.contains(MARK) {
        return Cow::Borrowed(text);
    }
    let mut rest = text;
    let mut out = String::with_capacity(text.len());
    while let Some((before, mark)) = rest.split_once(MARK) {
        out.push_str(before);
        let Some((_, behind)) = mark.split_once(']') else {
            out.push_str(MARK);
            out.push_str(mark);
            return Cow::Owned(out);
        };
        rest = behind;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bookmarks_go_and_nothing_else() {
        assert_eq!(without("规[bookmark: _GoBack]章[bookmark: _Toc1]"), "规章");
        assert_eq!(without("a[bookmark: b"), "a[bookmark: b");
        assert_eq!(without("[2021]30号"), "[2021]30号");
    }
}
