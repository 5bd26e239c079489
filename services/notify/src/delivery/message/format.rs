//! The formats of a message: plain text, HTML and Markdown.

use std::borrow::Cow;

use super::Message;

/// Returns the message as plain text.
pub(crate) fn plain(message: &Message) -> String {
    let lines = message.lines.iter().map(|line| format!("{} {}", line.label, line.text));
    let links = message.links.iter().map(|link| format!("{}: {}", link.label, link.url));
    let mut text: Vec<String> = vec![message.title.clone(), String::new()];
    text.extend(lines.chain(message.remainder()).chain(message.remark.clone()).chain(links));
    text.extend(traces(message));
    text.push(String::new());
    text.join("\n")
}

/// Returns the message as an HTML document without scripts, styles and outside resources.
pub(crate) fn html(message: &Message) -> String {
    let title = escaped(&message.title);
    let lines = message
        .lines
        .iter()
        .map(|line| format!("<li><strong>{}</strong> {}</li>\n", escaped(&line.label), escaped(&line.text)));
    let rest = message.remainder().map(|rest| format!("<li>{}</li>\n", escaped(&rest)));
    let remark = message.remark.iter().map(|remark| format!("<p>{}</p>\n", escaped(remark)));
    let links = message
        .links
        .iter()
        .map(|link| format!("<p><a href=\"{}\">{}</a></p>\n", escaped(&link.url), escaped(link.label)));
    let traces = traces(message).map(|traces| format!("<p><small>{}</small></p>\n", escaped(&traces)));
    format!(
        "<!DOCTYPE html>\n<html lang=\"{}\">\n<head><meta charset=\"utf-8\"><title>{title}</title></head>\n<body>\n\
         <h3>{title}</h3>\n<ul>\n{}</ul>\n{}</body>\n</html>\n",
        message.language.tag(),
        lines.chain(rest).collect::<String>(),
        remark.chain(links).chain(traces).collect::<String>(),
    )
}

/// Returns the message in the Markdown that 企业微信 and 钉钉 have in common: a heading, quotes, bold text and links.
pub(crate) fn markdown(message: &Message) -> String {
    let lines =
        message.lines.iter().map(|line| format!("> **{}** {}", inert(&line.label), inert(&line.text)));
    let rest = message.remainder().map(|rest| format!("> {rest}"));
    let links = message.links.iter().map(|link| format!("[{}]({})", link.label, link.url));
    let remark = message.remark.as_deref().map(|remark| inert(remark).into_owned());
    let parts = lines.chain(rest).chain(remark).chain(links).chain(traces(message));
    let heading = format!("### {}", inert(&message.title));
    // 钉钉 joins lines that no empty line parts.
    std::iter::once(heading).chain(parts).collect::<Vec<_>>().join("\n\n")
}

/// Returns the line with the ids of the traces, if there are any.
pub(crate) fn traces(message: &Message) -> Option<String> {
    (!message.traces.is_empty()).then(|| format!("trace {}", message.traces.join(" ")))
}

/// Escapes text and attribute values of HTML.
fn escaped(text: &str) -> Cow<'_, str> {
    replaced(text, |c| match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '"' => Some("&quot;"),
        '\'' => Some("&#39;"),
        _ => None,
    })
}

/// Replaces the characters that mean something in Markdown by their full-width forms: the platforms define no escapes.
fn inert(text: &str) -> Cow<'_, str> {
    replaced(text, |c| match c {
        '*' => Some("＊"),
        '_' => Some("＿"),
        '`' => Some("｀"),
        '~' => Some("～"),
        '#' => Some("＃"),
        '[' => Some("［"),
        ']' => Some("］"),
        '<' => Some("＜"),
        '>' => Some("＞"),
        '\\' => Some("＼"),
        '|' => Some("｜"),
        '@' => Some("＠"),
        _ => None,
    })
}

fn replaced(text: &str, replacement: impl Fn(char) -> Option<&'static str>) -> Cow<'_, str> {
    if text.chars().all(|c| replacement(c).is_none()) {
        return Cow::Borrowed(text);
    }
    let mut result = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match replacement(c) {
            Some(other) => result.push_str(other),
            None => result.push(c),
        }
    }
    Cow::Owned(result)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Language, Line, Link},
        *,
    };

    fn hostile() -> Message {
        let text = "<script>alert('1')</script> **b** [x](https://evil.example) # h\n---\n@all & \"q\"";
        Message {
            severity: None,
            title: super::super::plain(text),
            lines: vec![Line::new("请核实", text, 1)],
            left_out: 3,
            remark: Some(super::super::plain(text)),
            links: Link::new("原文", "https://example.gov.cn/a?b=1&c=\"2\"").into_iter().collect(),
            traces: vec!["0af7651916cd43dd8448eb211c80319c".into()],
            language: Language::Zh,
        }
    }

    #[test]
    fn html_holds_no_element_of_a_text() {
        let html = html(&hostile());
        assert!(!html.contains("<script") && !html.contains("alert('1')"), "{html}");
        assert!(html.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;"), "{html}");
        assert!(html.contains("<a href=\"https://example.gov.cn/a?b=1&amp;c=%222%22\">原文</a>"), "{html}");
        assert!(html.contains("<li>另有3项未列出</li>") && html.contains("lang=\"zh-CN\""), "{html}");
    }

    #[test]
    fn markdown_holds_only_our_own_marks() {
        let markdown = markdown(&hostile());
        let marks = |mark: &str| markdown.matches(mark).count();
        assert_eq!(
            (marks("**"), marks("]("), marks("["), marks("<"), marks("@")),
            (2, 1, 1, 0, 0),
            "{markdown}"
        );
        assert!(markdown.lines().all(|line| line != "---"), "{markdown}");
        assert!(
            markdown.starts_with("### ＜script＞")
                && markdown.ends_with("trace 0af7651916cd43dd8448eb211c80319c")
        );
    }

    #[test]
    fn plain_text_says_everything_as_it_is() {
        let plain = plain(&hostile());
        for part in ["<script>alert('1')</script> **b**", "另有3项未列出", "原文: https://", "trace 0af76519"]
        {
            assert!(plain.contains(part), "{part}: {plain}");
        }
    }
}
