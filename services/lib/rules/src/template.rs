//! Message templates: text with named placeholders in braces, checked when the pack loads.

use std::fmt::Write as _;

/// A message with `{name}` placeholders. There is no escape: messages have no braces of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    pieces: Vec<TemplatePart>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum TemplatePart {
    Text(String),
    Value(String),
}

impl Template {
    /// Reads a template whose placeholders must be among `known`.
    ///
    /// # Errors
    /// A brace is not closed, or a placeholder is unknown; the text names it. The author of the pack has to correct
    /// it.
    pub(crate) fn parse(text: &str, known: &[&str]) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find(['{', '}']) {
            let (before, after) = rest.split_at(open);
            let name = after
                .strip_prefix('{')
                .and_then(|inner| inner.split_once('}'))
                .ok_or_else(|| format!("unbalanced brace in message {text:?}"))?;
            if !known.contains(&name.0) {
                return Err(format!("unknown placeholder {{{}}}; known are {}", name.0, known.join(", ")));
            }
            pieces.push(TemplatePart::Text(before.to_owned()));
            pieces.push(TemplatePart::Value(name.0.to_owned()));
            rest = name.1;
        }
        pieces.push(TemplatePart::Text(rest.to_owned()));
        Ok(Self { pieces })
    }

    /// Returns the message with its values filled in. A placeholder without a value stays as its name in braces.
    pub(crate) fn render<'a>(&self, value: impl Fn(&str) -> Option<&'a str>) -> String {
        let mut out = String::new();
        for piece in &self.pieces {
            match piece {
                TemplatePart::Text(text) => out.push_str(text),
                TemplatePart::Value(name) => match value(name) {
                    Some(text) => out.push_str(text),
                    None => write!(out, "{{{name}}}").expect("writing to a String does not fail"),
                },
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_in() {
        let template = Template::parse("「{row}」行之和为 {sum}。", &["row", "sum"]).unwrap();
        let text = template.render(|name| match name {
            "row" => Some("（一）"),
            "sum" => Some("7"),
            _ => None,
        });
        assert_eq!(text, "「（一）」行之和为 7。");
    }

    #[test]
    fn a_broken_template_is_refused() {
        for (text, expect) in [("{x", "unbalanced"), ("x}", "unbalanced"), ("{z}", "unknown placeholder {z}")]
        {
            let error = Template::parse(text, &["x"]).unwrap_err();
            assert!(error.contains(expect), "{error}");
        }
    }
}
