//! Parses JSON with unique names in each object and a bounded number of values.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::value_limit::{VALUE_LIMIT, too_many};
use crate::error::{Code, Problem, quote};

/// Parses JSON.
///
/// # Errors
/// `MALFORMED_JSON`; `TOO_LARGE` if it has more than [`VALUE_LIMIT`] values.
pub(super) fn parse(text: &str) -> Result<Value, Problem> {
    let mut tree = Tree { values: 0, problem: None };
    let mut source = serde_json::Deserializer::from_str(text);
    let parsed = tree.deserialize(&mut source).and_then(|value| source.end().map(|()| value));
    parsed.map_err(|error| tree.problem.unwrap_or_else(|| malformed(error.line(), error.column())))
}

fn malformed(line: usize, column: usize) -> Problem {
    Problem::new(
        Code::MalformedJson,
        format!("第 {line} 行第 {column} 列处不是合法的 JSON"),
        format!("no JSON at line {line} column {column}"),
    )
}

/// Builds a value as `serde_json` does, and keeps the problem that stopped it.
struct Tree {
    values: usize,
    problem: Option<Problem>,
}

impl Tree {
    fn stop<E: Error>(&mut self, problem: Problem) -> E {
        self.problem = Some(problem);
        E::custom("")
    }
}

impl<'de> DeserializeSeed<'de> for &mut Tree {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Value, D::Error> {
        self.values += 1;
        if self.values > VALUE_LIMIT {
            return Err(self.stop(too_many()));
        }
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Tree {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(flag.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(&mut *self)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.contains_key(&name) {
                let name = quote(&name);
                return Err(self.stop(Problem::new(
                    Code::MalformedJson,
                    format!("同一对象中“{name}”出现了不止一次"),
                    format!("an object has \"{name}\" more than once"),
                )));
            }
            let value = members.next_value_seed(&mut *self)?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_value_that_was_written() {
        let text = r#"{"a": [1, -2, 18446744073709551615, 0.5, null, true, "甲\u4e59"], "b": {"": {}}}"#;
        assert_eq!(parse(text).unwrap(), serde_json::from_str::<Value>(text).unwrap());
    }

    #[test]
    fn what_is_broken_or_said_twice_is_refused() {
        for text in
            ["", "{", "[1,]", "{} {}", "nul", r#"{"a": 1, "a": 1}"#, r#"[{"b": {"a": 1, "\u0061": 2}}]"#]
        {
            assert_eq!(parse(text).unwrap_err().code, Code::MalformedJson, "{text}");
        }
        assert!(parse(r#"{"id": 1, "id": 2}"#).unwrap_err().detail_en.contains("\"id\" more than once"));
        assert!(parse("{\n  x}").unwrap_err().detail_en.contains("line 2"));
        // The parser bounds the depth.
        assert_eq!(parse(&"[".repeat(100_000)).unwrap_err().code, Code::MalformedJson);
    }

    #[test]
    fn the_number_of_values_is_bounded() {
        let list = |items: usize| format!("[{}0]", "0,".repeat(items - 1));
        assert!(parse(&list(VALUE_LIMIT - 1)).is_ok());
        assert_eq!(parse(&list(VALUE_LIMIT)).unwrap_err().code, Code::TooLarge);
    }
}
