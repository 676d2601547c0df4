//! The page that the browser lands on after the sign-in. No scripts; styled by a hash-listed style.

use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION, REFERRER_POLICY};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

const STYLE: &str = "body{margin:0;min-height:100vh;display:grid;place-items:center;\
font:16px/24px 'Segoe UI',system-ui,sans-serif;color:#242424;background:#f3f3f3}\
main{max-width:440px;margin:24px;padding:40px;background:#fff;border:1px solid #e0e0e0;border-radius:8px}\
h1{margin:0 0 8px;font-size:20px;line-height:28px}p{margin:0}p+p{margin-top:16px;font-size:12px;line-height:16px;color:#707070;overflow-wrap:anywhere}.mark{display:flex;gap:2px;margin-bottom:24px}\
.mark i{width:10px;height:22px;border-radius:2px;background:#0f6cbd}.mark i+i{background:#9cc7ee}\
@media (prefers-color-scheme:dark){body{color:#fff;background:#141414}main{background:#1f1f1f;border-color:#333}}";

/// A page with a heading, a sentence, and a reference to copy.
pub fn page(status: StatusCode, heading: &str, text: &str, reference: Option<&str>) -> Response {
    let (heading, text) = (escaped(heading), escaped(text));
    let reference = reference
        .map(|reference| format!("<p>{}</p>", escaped(reference)))
        .unwrap_or_default();
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Salesmirror</title>\
         <style>{STYLE}</style></head><body><main><div class=\"mark\" aria-hidden=\"true\"><i></i><i></i></div>\
         <h1>{heading}</h1><p>{text}</p>{reference}</main></body></html>"
    );
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!("default-src 'none'; style-src 'sha256-{hash}'; frame-ancestors 'none'");
    let headers: [(HeaderName, HeaderValue); 3] = [
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (
            CONTENT_SECURITY_POLICY,
            HeaderValue::from_str(&policy)
                .unwrap_or(HeaderValue::from_static("default-src 'none'")),
        ),
    ];
    (status, headers, Html(html)).into_response()
}

/// A reply without a page.
pub fn empty(status: StatusCode) -> Response {
    (
        status,
        [(CACHE_CONTROL, HeaderValue::from_static("no-store"))],
    )
        .into_response()
}

/// Sends the browser on. The address that it comes from stays with us: it may hold a code.
pub fn redirect(target: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(target) else {
        return empty(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let headers = [
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (LOCATION, location),
    ];
    (StatusCode::FOUND, headers).into_response()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
