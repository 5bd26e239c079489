//! The grammar.
//!
//! ```text
//! filter = [ term { "AND" term } ]
//! term   = field op value
//! op     = "=" | "!=" | "<" | "<=" | ">" | ">=" | ":"
//! value  = word | '"' { any | '\"' | '\\' } '"'
//! ```

use gongkai_store::query::Op;

use crate::error::QueryError;

/// Maximum length of a filter in characters.
const MAX_LENGTH: usize = 2000;
/// Maximum number of terms.
const MAX_TERMS: usize = 20;

/// One parsed comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Name of the field.
    pub field: String,
    /// Position of the field, from 1.
    pub field_at: usize,
    /// The operator.
    pub op: Op,
    /// Position of the operator.
    pub op_at: usize,
    /// The value, unquoted.
    pub value: String,
    /// Position of the value.
    pub value_at: usize,
}

/// Parses a filter into terms; none if it is empty.
///
/// # Errors
/// The filter does not follow the grammar above.
pub fn parse(filter: &str) -> Result<Vec<Term>, QueryError> {
    let chars: Vec<char> = filter.chars().collect();
    if chars.len() > MAX_LENGTH {
        return Err(invalid_filter(MAX_LENGTH, format!("it is longer than {MAX_LENGTH} characters")));
    }
    let mut reader = FilterReader { chars: &chars, at: 0 };
    let mut terms = Vec::new();
    reader.skip_space();
    while !reader.is_at_end() {
        if !terms.is_empty() {
            reader.and()?;
        }
        if terms.len() == MAX_TERMS {
            return Err(reader.refuse(format!("it has more than {MAX_TERMS} terms")));
        }
        terms.push(reader.term()?);
        reader.skip_space();
    }
    Ok(terms)
}

/// Creates the error at a character, counted from 0.
pub(super) fn invalid_filter(at: usize, what: impl Into<String>) -> QueryError {
    QueryError::InvalidFilter { position: at + 1, what: what.into() }
}

struct FilterReader<'a> {
    chars: &'a [char],
    at: usize,
}

impl FilterReader<'_> {
    fn is_at_end(&self) -> bool {
        self.at >= self.chars.len()
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn refuse(&self, what: impl Into<String>) -> QueryError {
        invalid_filter(self.at, what)
    }

    fn skip_space(&mut self) {
        self.take_while(char::is_whitespace);
    }

    fn take_while(&mut self, take: impl Fn(char) -> bool) -> String {
        let start = self.at;
        while self.peek().is_some_and(&take) {
            self.at += 1;
        }
        self.chars[start..self.at].iter().collect()
    }

    fn and(&mut self) -> Result<(), QueryError> {
        let start = self.at;
        if self.take_while(char::is_alphanumeric) == "AND" {
            self.skip_space();
            return Ok(());
        }
        Err(invalid_filter(start, "expected AND (OR, NOT and brackets are not supported)"))
    }

    fn term(&mut self) -> Result<Term, QueryError> {
        let field_at = self.at;
        let field = self.take_while(|c| c.is_ascii_alphanumeric() || c == '_');
        if field.is_empty() {
            return Err(self.refuse("expected a field's name"));
        }
        self.skip_space();
        let op_at = self.at;
        let op = self.op()?;
        self.skip_space();
        let value_at = self.at;
        let value = self.value()?;
        Ok(Term { field, field_at, op, op_at, value, value_at })
    }

    fn op(&mut self) -> Result<Op, QueryError> {
        let start = self.at;
        Ok(match self.take_while(|c| "=!<>:".contains(c)).as_str() {
            "=" => Op::Eq,
            "!=" => Op::Ne,
            "<" => Op::Lt,
            "<=" => Op::Le,
            ">" => Op::Gt,
            ">=" => Op::Ge,
            ":" => Op::Has,
            _ => return Err(invalid_filter(start, "expected one of = != < <= > >= :")),
        })
    }

    fn value(&mut self) -> Result<String, QueryError> {
        if self.peek() == Some('"') {
            return self.quoted();
        }
        let word = self.take_while(|c| !c.is_whitespace() && !"\"()=<>".contains(c));
        if word.is_empty() { Err(self.refuse("expected a value")) } else { Ok(word) }
    }

    fn quoted(&mut self) -> Result<String, QueryError> {
        let start = self.at;
        let mut text = String::new();
        loop {
            self.at += 1;
            match self.peek() {
                None => return Err(invalid_filter(start, "the quotation mark is not closed")),
                Some('"') => break,
                Some('\\') => {
                    self.at += 1;
                    match self.peek() {
                        Some(c @ ('"' | '\\')) => text.push(c),
                        _ => return Err(self.refuse("expected \" or \\ behind \\")),
                    }
                }
                Some(c) => text.push(c),
            }
        }
        self.at += 1;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_and_their_places() {
        let terms = parse(r#" year >= 2023 AND agency_name:"办\"公\\室"AND rule = T3-ROW "#).unwrap();
        let seen: Vec<_> = terms.iter().map(|t| (t.field.as_str(), t.op, t.value.as_str())).collect();
        assert_eq!(
            seen,
            [("year", Op::Ge, "2023"), ("agency_name", Op::Has, r#"办"公\室"#), ("rule", Op::Eq, "T3-ROW")]
        );
        assert_eq!((terms[0].field_at, terms[0].op_at, terms[0].value_at), (1, 6, 9));
        assert_eq!(parse("").unwrap(), []);
        assert_eq!(parse(" \t").unwrap(), []);
        let ops =
            ["=", "!=", "<", "<=", ">", ">=", ":"].map(|op| parse(&format!("a{op}-1.5")).unwrap()[0].op);
        assert_eq!(ops, [Op::Eq, Op::Ne, Op::Lt, Op::Le, Op::Gt, Op::Ge, Op::Has]);
    }

    #[test]
    fn what_is_not_of_the_grammar_is_refused_with_its_place() {
        let cases = [
            ("year", 5),
            ("year =", 7),
            ("= 2023", 1),
            ("year == 2023", 6),
            ("year = 2023 OR form = 2021", 13),
            ("year = 2023 AND", 16),
            ("year = 2023 year = 2022", 13),
            ("(year = 2023)", 1),
            ("NOT year = 2023", 5),
            ("年份 = 2023", 1),
            (r#"title : "open"#, 9),
            (r#"title : "a\n""#, 12),
            ("title : \"", 9),
        ];
        for (filter, expected) in cases {
            match parse(filter) {
                Err(QueryError::InvalidFilter { position, .. }) => assert_eq!(position, expected, "{filter}"),
                other => panic!("{filter}: {other:?}"),
            }
        }
        assert!(parse(&"x".repeat(2001)).is_err());
        assert!(parse(&vec!["year = 2023"; 21].join(" AND ")).is_err());
        assert_eq!(parse(&vec!["year = 2023"; 20].join(" AND ")).unwrap().len(), 20);
    }
}
