//! Parts that stand in the text as a whole (`altChunk`): HTML, alone or in MIME's envelope. Word takes them in when it
//! opens the file.

use gongkai_model::{Block, Rejection};

use super::{
    body::Chunk,
    mime,
    package::Package,
    xml::{self, Node},
};
use crate::{charset, hints::Hints, html, limits::Limits, reject};

/// Maximum number of chunks that are read.
const MOST: usize = 16;

/// Returns the blocks with those of the chunks in their places. A chunk that is not HTML is left out.
pub(super) fn insert(
    mut blocks: Vec<Block>,
    chunks: &[Chunk],
    relations: &str,
    (package, folder): (&mut Package<'_>, &str),
    limits: &Limits,
) -> Result<Vec<Block>, Rejection> {
    for chunk in chunks.iter().take(MOST).rev() {
        let Some(target) = target(relations, &chunk.relation, limits)? else { continue };
        let name = match target.strip_prefix('/') {
            Some(absolute) => absolute.to_owned(),
            None => format!("{folder}/{target}").trim_start_matches('/').to_owned(),
        };
        let Some(bytes) = package.bytes(&name)? else { continue };
        let own = read(&bytes, limits)?;
        let at = chunk.at.min(blocks.len());
        blocks.splice(at..at, own);
    }
    if blocks.len() > limits.paragraphs { Err(reject::too_many_paragraphs(limits)) } else { Ok(blocks) }
}

/// Returns the target of a relation.
fn target(relations: &str, id: &str, limits: &Limits) -> Result<Option<String>, Rejection> {
    let mut found = None;
    xml::walk(relations, limits, |node| {
        if let Node::Start(tag, _) = node
            && xml::attribute(tag, "Id").as_deref() == Some(id)
        {
            found = xml::attribute(tag, "Target");
        }
        Ok(())
    })?;
    Ok(found)
}

/// Reads a page. Its blocks have no positions in the document.
fn read(bytes: &[u8], limits: &Limits) -> Result<Vec<Block>, Rejection> {
    let page = mime::html(bytes);
    let bytes = page.as_deref().unwrap_or(bytes);
    let start = bytes.get(..bytes.len().min(1024)).unwrap_or_default();
    if !start.contains(&b'<') {
        return Ok(Vec::new());
    }
    let decoded = charset::decode(bytes, &Hints::default())?;
    let mut blocks = html::read(&decoded.text, limits)?.blocks;
    blocks.iter_mut().for_each(Block::forget_spans);
    Ok(blocks)
}
