//! The pages of a link that acknowledges an alert. They load and run nothing, and have no more personal data than the
//! notice: the name that somebody typed is shown to who uses the link again.

use std::sync::Arc;

use axum::{
    body::Body,
    response::{IntoResponse as _, Response},
};
use gongkai_acknowledgements::{Recorded, link::Claims};
use gongkai_proto::convert::timestamp;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use quick_xml::escape::escape;
use time::macros::format_description;

use crate::{error::Problem, language::Language};

const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; \
                      base-uri 'none'";
const STYLE: &str = "body{font:1.1rem/1.6 system-ui,sans-serif;max-width:36rem;margin:2rem auto;padding:0 1rem;color:#111;background:#fff}\
                     label{display:block;margin-top:1rem}input{font:inherit;width:100%;box-sizing:border-box;padding:.4rem}\
                     button{font:inherit;margin-top:1.5rem;padding:.6rem 1.5rem}";

/// Asks whether somebody takes care of the alert.
pub(super) fn ask(claims: &Claims, is_used: bool, language: Language) -> Response {
    let text = |zh, en| said(language, zh, en);
    let mut body = about(claims, language);
    if is_used {
        paragraph(
            &mut body,
            text("此告警已用本链接确认收到。", "This link has been used: the alert is acknowledged."),
        );
        return page(language, text("已确认收到", "Acknowledged"), &body);
    }
    paragraph(
        &mut body,
        text(
            "确认表示已有人处理，不解除告警；问题改正后告警自动解除。",
            "To acknowledge says that somebody takes care. The alert ends once the problem is corrected.",
        ),
    );
    let (person, comment, button) = (
        text("姓名（可不填）", "Name (optional)"),
        text("说明（可不填）", "Comment (optional)"),
        text("确认收到", "Acknowledge"),
    );
    let form = format!(
        "<form method=\"post\"><label for=\"person\">{person}</label>\
         <input id=\"person\" name=\"person\" maxlength=\"100\" autocomplete=\"name\">\
         <label for=\"comment\">{comment}</label><input id=\"comment\" name=\"comment\" maxlength=\"500\">\
         <button type=\"submit\">{button}</button></form>"
    );
    body.push_str(&form);
    page(language, text("确认收到告警", "Acknowledge an alert"), &body)
}

/// Says who has acknowledged the alert, and when.
pub(super) fn done(claims: &Claims, recorded: &Recorded, language: Language) -> Response {
    let one = &recorded.acknowledgement;
    let mut body = about(claims, language);
    let at = timestamp::optional(one.acknowledged_at, "acknowledged_at").ok().flatten();
    let at = at.map(|at| at.to_offset(timestamp::CHINA));
    // Fails for no time that the format has.
    let at = at.and_then(|at| at.format(format_description!("[year]-[month]-[day] [hour]:[minute]")).ok());
    let (at, person) = (at.unwrap_or_default(), escape(&one.person));
    let line = match (language, recorded.is_new) {
        (Language::Chinese, true) => format!("{person} 已于 {at} 确认收到。"),
        (Language::Chinese, false) => format!("{person} 此前已于 {at} 确认收到，本次没有新增记录。"),
        (Language::English, true) => format!("Acknowledged by {person} at {at} (China time)."),
        (Language::English, false) => {
            format!("Acknowledged before by {person} at {at} (China time); nothing was added.")
        }
    };
    paragraph(&mut body, &line);
    page(language, said(language, "已确认收到", "Acknowledged"), &body)
}

/// Shows a problem with its code, its status and its headers.
pub(super) fn refused(problem: Problem, language: Language) -> Response {
    let mut body = String::new();
    paragraph(&mut body, &escape(said(language, &problem.detail, &problem.detail_en)));
    let code = problem.code.as_str();
    paragraph(&mut body, &format!("<code>{code}</code>"));
    let page = page(language, said(language, "未能确认", "Not acknowledged"), &body);
    let mut response = problem.into_response();
    // Else the JSON would replace the page.
    response.extensions_mut().remove::<Arc<Problem>>();
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response.headers_mut().extend(page.headers().clone());
    *response.body_mut() = page.into_body();
    response
}

fn about(claims: &Claims, language: Language) -> String {
    let (agency, year) = (escape(&claims.agency_name), claims.year);
    let line = match language {
        Language::Chinese => format!("{agency} {year} 年度政府信息公开工作年度报告"),
        Language::English => {
            format!("{agency}, annual report of {year} on government information disclosure")
        }
    };
    let mut body = String::new();
    paragraph(&mut body, &line);
    body
}

fn paragraph(body: &mut String, html: &str) {
    body.push_str("<p>");
    body.push_str(html);
    body.push_str("</p>");
}

fn page(language: Language, title: &str, body: &str) -> Response {
    let lang = language.tag();
    let html = format!(
        "<!doctype html><html lang=\"{lang}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>{title}</title>\
         <style>{STYLE}</style></head><body><main><h1>{title}</h1>{body}</main></body></html>"
    );
    let mut response = Response::new(Body::from(html));
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_LANGUAGE, lang),
        (header::VARY, "accept-language"),
        (HeaderName::from_static("x-robots-tag"), "noindex"),
    ];
    let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
    *response.headers_mut() = HeaderMap::from_iter(headers);
    response
}

fn said<'a>(language: Language, zh: &'a str, en: &'a str) -> &'a str {
    match language {
        Language::Chinese => zh,
        Language::English => en,
    }
}
