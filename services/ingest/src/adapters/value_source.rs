//! The place of a field in the bodies of an adapter.

use anyhow::ensure;

use super::settings::{BodyForm, Field};

/// The place of a field, or its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ValueSource {
    /// The value for every body.
    Fixed(String),
    /// A place in the body or in an attachment.
    At(String),
}

// === impl ValueSource ===

impl ValueSource {
    /// Reads a place in bodies of a form.
    ///
    /// # Errors
    /// The text is no place. The error describes one.
    pub(super) fn parse(form: BodyForm, field: Field, text: &str) -> anyhow::Result<Self> {
        if let Some(fixed) = text.strip_prefix('=') {
            let varies = matches!(field, Field::Id | Field::Time | Field::SentAt | Field::Attachments);
            ensure!(!varies, "{} cannot have a fixed value", field.as_str());
            return Ok(Self::Fixed(fixed.to_owned()));
        }
        match form {
            BodyForm::Json => ensure!(
                is_pointer(text),
                "a JSON pointer is /a/b/0, with ~1 for / and ~0 for ~ in a name; a fixed value begins with ="
            ),
            BodyForm::Form if field.is_of_attachment() => {
                ensure!(text.is_empty(), "an attachment of a form is one value: its place is \"\"");
            }
            BodyForm::Form => ensure!(!text.is_empty(), "a place in a form is the name of a field"),
            BodyForm::Xml if field.is_of_attachment() => ensure!(
                text.is_empty() || is_path(text),
                "a place in an attachment is a path from it, such as a/b, @c, or \"\" for its own text"
            ),
            BodyForm::Xml => ensure!(
                text.strip_prefix('/').is_some_and(is_path)
                    && (field != Field::Attachments || !text.contains('@')),
                "a path of XML elements is /a/b or /a/b/@c, from the root on, without prefixes"
            ),
        }
        Ok(Self::At(text.to_owned()))
    }
}

fn is_pointer(text: &str) -> bool {
    let is_escaped = |rest: &str| rest.starts_with('0') || rest.starts_with('1');
    (text.is_empty() || text.starts_with('/')) && text.split('~').skip(1).all(is_escaped)
}

/// Returns true for names of elements separated by `/`. The last may be `@` and the name of an attribute.
fn is_path(text: &str) -> bool {
    let is_name = |name: &str| !name.is_empty() && !name.contains(['@', ':', '[', ']', '*', ' ', '(']);
    let (elements, last) =
        text.rsplit_once('/').map_or((None, text), |(elements, last)| (Some(elements), last));
    elements.is_none_or(|elements| elements.split('/').all(is_name))
        && is_name(last.strip_prefix('@').unwrap_or(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_a_place_is_a_mistake() {
        use BodyForm::{Form, Json, Xml};
        let is_place = |form, field, text: &str| ValueSource::parse(form, field, text).is_ok();
        for (form, field, text) in [
            (Json, Field::Id, ""),
            (Json, Field::Id, "/a~1b/~0/0/"),
            (Json, Field::AttachmentName, "/x"),
            (Form, Field::Id, "doc.id"),
            (Form, Field::AttachmentBase64, ""),
            (Xml, Field::Id, "/a"),
            (Xml, Field::Id, "/a/b/@c"),
            (Xml, Field::Attachments, "/a/文件"),
            (Xml, Field::AttachmentName, "@name"),
            (Xml, Field::AttachmentBase64, ""),
            (Xml, Field::AttachmentBase64, "a/b"),
            (Xml, Field::MediaType, "=text/html"),
        ] {
            assert!(is_place(form, field, text), "{form:?} {field:?} {text}");
        }
        for (form, field, text) in [
            (Json, Field::Id, "a"),
            (Json, Field::Id, "$.a.b"),
            (Json, Field::Id, "/a~2"),
            (Json, Field::Id, "/a~"),
            (Form, Field::Id, ""),
            (Form, Field::AttachmentName, "name"),
            (Xml, Field::Id, ""),
            (Xml, Field::Id, "a/b"),
            (Xml, Field::Id, "//a"),
            (Xml, Field::Id, "/a/"),
            (Xml, Field::Id, "/a/@b/c"),
            (Xml, Field::Id, "/x:a"),
            (Xml, Field::Id, "/a[1]"),
            (Xml, Field::Id, "/a/@"),
            (Xml, Field::Attachments, "/a/@b"),
            (Xml, Field::AttachmentName, "/a"),
            (Json, Field::Attachments, "=x"),
            (Json, Field::Id, "=7"),
            (Json, Field::SentAt, "=1705284720"),
        ] {
            assert!(!is_place(form, field, text), "{form:?} {field:?} {text}");
        }
    }
}
