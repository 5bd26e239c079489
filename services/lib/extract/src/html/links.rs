//! The links of a page.

use html5gum::{Token, Tokenizer};

/// Returns the addresses that the page links (`<a href>`), as written, in order and without duplicates. Links that
/// a script writes count too, those in comments do not.
pub(crate) fn read(source: &str) -> Vec<String> {
    let mut links: Vec<String> = Vec::new();
    for Ok(token) in Tokenizer::new(source) {
        let Token::StartTag(tag) = token else { continue };
        let address = tag.attributes.get(b"href".as_slice()).filter(|_| tag.name.as_slice() == b"a");
        let Some(Ok(address)) = address.map(|address| std::str::from_utf8(address)) else { continue };
        let address = address.trim();
        if !address.is_empty() && !links.iter().any(|known| known == address) {
            links.push(address.to_owned());
        }
    }
    links
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_links_of_anchors_are_read_once_and_in_order() {
        let page = "<link href=style.css><A HREF=' ./P020240115.docx '>附件</A><!-- <a href=no.pdf> -->\
                    <script>'<a href=script.doc>'</script><p><a href=\"a%20b.pdf?v=1&amp;w=2\">x</a>\
                    <a href=./P020240115.docx>又</a><a name=top></a><a href=>空</a>";
        assert_eq!(read(page), ["./P020240115.docx", "script.doc", "a%20b.pdf?v=1&w=2"]);
    }
}
