//! What the browser shows.

use axum::response::Html;

use super::directory::Directory;

/// A page in the look of the real one.
pub fn page(heading: &str, content: &str) -> Html<String> {
    Html(format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{heading}</title><style>\
         body{{font:15px/20px 'Segoe UI',system-ui,sans-serif;background:#f2f2f2;display:grid;place-items:center;min-height:95vh}}\
         main{{background:#fff;width:440px;padding:44px;box-sizing:border-box;box-shadow:0 2px 6px #0003}}\
         h1{{font-size:24px;line-height:28px;font-weight:600;margin:0 0 12px}}label{{display:flex;gap:12px;padding:10px 0}}\
         p{{overflow-wrap:anywhere}}\
         small{{display:block;color:#616161}}footer{{display:flex;gap:8px;justify-content:end;margin-top:24px}}\
         button{{font:inherit;padding:6px 24px;border:0;background:#ccc}}.primary{{background:#0067b8;color:#fff}}</style>\
         <main><h1>{heading}</h1>{content}</main></html>"
    ))
}

/// A page that asks: what came with the request goes back with the answer.
pub fn question<'a>(
    heading: &str,
    content: &str,
    parameters: impl Iterator<Item = (&'a String, &'a String)>,
) -> Html<String> {
    let hidden: String = parameters
        .map(|(name, value)| {
            format!(
                "<input type=\"hidden\" name=\"{}\" value=\"{}\">",
                escaped(name),
                escaped(value)
            )
        })
        .collect();
    page(
        heading,
        &format!(
            "<form method=\"post\">{hidden}{content}\
             <footer><button name=\"answer\" value=\"cancel\">Cancel</button>\
             <button class=\"primary\" name=\"answer\" value=\"accept\">Accept</button></footer></form>"
        ),
    )
}

/// The accounts of a tenant as radio buttons.
pub fn accounts(directory: &Directory, tenant: usize, chosen: usize) -> String {
    directory
        .accounts
        .iter()
        .enumerate()
        .filter(|(_, account)| account.tenant == tenant)
        .map(|(number, account)| {
            let checked = if number == chosen { " checked" } else { "" };
            format!(
                "<label><input type=\"radio\" name=\"user\" value=\"{number}\"{checked}><span>{}<small>{}</small></span></label>",
                escaped(&account.name),
                escaped(&account.mail)
            )
        })
        .collect()
}

/// A form that posts itself to the redirect URI (`response_mode=form_post`).
pub fn form_post(target: &str, pairs: &[(&str, String)]) -> Html<String> {
    let fields: String = pairs
        .iter()
        .map(|(name, value)| {
            format!(
                "<input type=\"hidden\" name=\"{}\" value=\"{}\">",
                escaped(name),
                escaped(value)
            )
        })
        .collect();
    Html(format!(
        "<html><head><title>Working...</title></head><body><form method=\"POST\" name=\"hiddenform\" action=\"{}\">{fields}\
         <noscript><p>Script is disabled. Click Submit to continue.</p><input type=\"submit\" value=\"Submit\"></noscript></form>\
         <script language=\"javascript\">window.setTimeout('document.forms[0].submit()', 0);</script></body></html>",
        escaped(target)
    ))
}

pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
