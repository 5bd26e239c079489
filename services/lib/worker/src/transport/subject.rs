//! Subjects and subject filters: dot-separated tokens, `*` for one token, `>` for one or more at the end.

/// Returns true if `filter` matches `subject`.
#[must_use]
pub fn matches(filter: &str, subject: &str) -> bool {
    let mut tokens = subject.split('.');
    for wanted in filter.split('.') {
        let token = tokens.next();
        match (wanted, token) {
            (_, None) => return false,
            (">", Some(_)) => return true,
            ("*", Some(_)) => {}
            (wanted, Some(token)) if wanted == token => {}
            _ => return false,
        }
    }
    tokens.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn wildcards_take_whole_tokens() {
        let check =
            |filter, subject, expected| assert_eq!(matches(filter, subject), expected, "{filter} {subject}");
        check("a.b", "a.b", true);
        check("a.b", "a.b.c", false);
        check("a.b.c", "a.b", false);
        check("a.*.c", "a.b.c", true);
        check("a.*", "a", false);
        check("a.*", "a.b.c", false);
        check("a.>", "a.b.c", true);
        check("a.>", "a", false);
        check(">", "a", true);
        check("a.b*", "a.bc", false);
    }
}
