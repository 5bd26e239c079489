//! The targets of a package's links: relationships of the main part, and HYPERLINK fields.

use gongkai_model::{Field, FieldName, Rejection, Source};

use super::xml::{self, Node};
use crate::limits::Limits;

/// Maximum number of links that are kept.
const MOST_LINKS: usize = 256;

/// Returns the addresses on other hosts or on somebody's computer that `text` links to, each once.
pub(super) fn read(text: &str, relations: Option<&str>, limits: &Limits) -> Result<Vec<Field>, Rejection> {
    let mut addresses: Vec<String> = fields(text).map(str::to_owned).collect();
    xml::walk(relations.unwrap_or_default(), limits, |node| {
        if let Node::Start(tag, _) = node
            && xml::attribute(tag, "Type").is_some_and(|kind| kind.ends_with("/hyperlink"))
            && let (Some(id), Some(target)) = (xml::attribute(tag, "Id"), xml::attribute(tag, "Target"))
            && text.contains(&format!("\"{id}\""))
        {
            addresses.push(target);
        }
        Ok(())
    })?;
    addresses.retain(|address| ["http", "//", "file:"].iter().any(|start| address.starts_with(start)));
    addresses.sort();
    addresses.dedup();
    addresses.truncate(MOST_LINKS);
    Ok(addresses.into_iter().map(field).collect())
}

/// Returns the addresses of HYPERLINK fields, which are in quotation marks in their instructions.
fn fields(text: &str) -> impl Iterator<Item = &str> {
    text.split("HYPERLINK").skip(1).filter_map(|rest| {
        let rest = rest.trim_start();
        let rest = rest.strip_prefix("&quot;").or_else(|| rest.strip_prefix('"'))?;
        rest.split(['"', '&', '<']).next()
    })
}

fn field(address: String) -> Field {
    let source = Source { text: address.clone(), ..Source::default() };
    Field { name: FieldName::Link, is_tag: false, value: address, source }
}
