//! The place of a field in the bodies of an adapter.

use anyhow::ensure;

use super::settings::{BodyForm, EventField};

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
    pub(super) fn parse(form: BodyForm, field: EventField, text: &str) -> anyhow::Result<Self> {
        if let Some(fixed) = text.strip_prefix('=') {
            let varies = matches!(
                field,
                EventField::Id | EventField::Time | EventField::SentAt | EventField::Attachments
            );
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
                    && (field != EventField::Attachments || !text.contains('@')),
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
            (Json, EventField::Id, ""),
            (Json, EventField::Id, "/a~1b/~0/0/"),
            (Json, EventField::AttachmentName, "/x"),
            (Form, EventField::Id, "doc.id"),
            (Form, EventField::AttachmentBase64, ""),
            (Xml, EventField::Id, "/a"),
            (Xml, EventField::Id, "/a/b/@c"),
            (Xml, EventField::Attachments, "/a/文件"),
            (Xml, EventField::AttachmentName, "@name"),
            (Xml, EventField::AttachmentBase64, ""),
            (Xml, EventField::AttachmentBase64, "a/b"),
            (Xml, EventField::MediaType, "=text/html"),
        ] {
            assert!(is_place(form, field, text), "{form:?} {field:?} {text}");
        }
        for (form, field, text) in [
            (Json, EventField::Id, "a"),
            (Json, EventField::Id, "$.a.b"),
            (Json, EventField::Id, "/a~2"),
            (Json, EventField::Id, "/a~"),
            (Form, EventField::Id, ""),
            (Form, EventField::AttachmentName, "name"),
            (Xml, EventField::Id, ""),
            (Xml, EventField::Id, "a/b"),
            (Xml, EventField::Id, "//a"),
            (Xml, EventField::Id, "/a/"),
            (Xml, EventField::Id, "/a/@b/c"),
            (Xml, EventField::Id, "/x:a"),
            (Xml, EventField::Id, "/a[1]"),
            (Xml, EventField::Id, "/a/@"),
            (Xml, EventField::Attachments, "/a/@b"),
            (Xml, EventField::AttachmentName, "/a"),
            (Json, EventField::Attachments, "=x"),
            (Json, EventField::Id, "=7"),
            (Json, EventField::SentAt, "=1705284720"),
        ] {
            assert!(!is_place(form, field, text), "{form:?} {field:?} {text}");
        }
    }
}
