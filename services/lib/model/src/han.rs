//! Han characters (汉字) of all planes, as GB 18030-2022 requires: names of places and people use rare ones, such as 㙍,
//! 䶮 and 𬭚.

/// Returns true for a Han character: an ideograph, a compatibility ideograph, a radical, or 〇.
#[must_use]
pub fn is_han(c: char) -> bool {
    is_ideograph(c)
        || matches!(c,
            '\u{3007}' // 〇
            | '\u{2e80}'..='\u{2fdf}' // radicals
            | '\u{f900}'..='\u{faff}' // compatibility ideographs
            | '\u{2f800}'..='\u{2fa1f}')
}

/// Returns true for a unified ideograph of any extension. NFKC leaves these as they are.
#[must_use]
pub fn is_ideograph(c: char) -> bool {
    matches!(c,
        '\u{4e00}'..='\u{9fff}'
        | '\u{3400}'..='\u{4dbf}' // extension A
        | '\u{20000}'..='\u{2f7ff}' // extensions B to F and I
        | '\u{30000}'..='\u{3fffd}') // extensions G and H, and the rest of their plane
}

#[cfg(test)]
mod tests {
    use unicode_normalization::UnicodeNormalization;

    use super::*;

    #[test]
    fn characters_of_every_plane_are_han() {
        let (a, b, c, d, e, f) = ('㙍', '𠮷', '𪩘', '𫍽', '𬭚', '\u{2ceb0}');
        let (g, h, i, tail) = ('\u{30000}', '\u{323af}', '\u{2ebf0}', '䶮');
        for c in ['一', '\u{9fff}', a, b, c, d, e, f, g, h, i, tail] {
            assert!(is_han(c) && is_ideograph(c), "{c}");
            assert!(std::iter::once(c).nfkc().eq([c]), "{c}");
        }
        for c in ['〇', '⼀', '⺁', '\u{f900}', '\u{2f800}'] {
            assert!(is_han(c) && !is_ideograph(c), "{c}");
        }
        for c in ['a', '1', '①', '、', '（', 'あ', '\u{ac00}', 'ａ', '\u{e000}'] {
            assert!(!is_han(c), "{c}");
        }
    }
}
