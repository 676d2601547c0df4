//! The document, and a page that shows it: made here, without scripts and without anything from
//! elsewhere.

use std::fmt::Write as _;
use std::sync::OnceLock;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_SECURITY_POLICY, HeaderValue};
use axum::response::Response;
use axum::routing::get;
use serde_json::{Value, json};

use crate::body::{json as json_reply, reply};
use crate::document::document;
use crate::state::Api;

/// The page takes its own style sheet, and nothing else.
const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];
/// Schemas in schemas are shown down to here.
const DEEPEST: usize = 6;
/// What references to schemas begin with.
const SCHEMAS: &str = "#/components/schemas/";

pub fn routes() -> Router<Api> {
    Router::new()
        .route("/", get(page))
        .route("/reference.css", get(style))
        .route("/openapi.json", get(openapi))
}

fn made() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(document)
}

async fn openapi(State(api): State<Api>) -> Response {
    let mut document = made().clone();
    document["servers"] = json!([{"url": format!("http://127.0.0.1:{}", api.port)}]);
    json_reply(StatusCode::OK, &document)
}

async fn style() -> Response {
    let sheet = include_str!("reference.css");
    reply(StatusCode::OK, "text/css; charset=utf-8", sheet)
}

async fn page(State(api): State<Api>) -> Response {
    let url = format!("http://127.0.0.1:{}", api.port);
    let html = render(&flat(made().clone()), &url);
    let mut response = reply(StatusCode::OK, "text/html; charset=utf-8", html);
    let policy = HeaderValue::from_static(POLICY);
    response
        .headers_mut()
        .insert(CONTENT_SECURITY_POLICY, policy);
    response
}

/// The document with schemas that are put together of several made one.
fn flat(mut document: Value) -> Value {
    let schemas = document["components"]["schemas"].clone();
    let names = schemas.as_object().into_iter().flatten();
    for (name, schema) in names {
        let Some(parts) = schema["allOf"].as_array() else {
            continue;
        };
        let mut whole = json!({"type": "object", "properties": {}, "required": []});
        for part in parts {
            let part = match text(&part["$ref"]).strip_prefix(SCHEMAS) {
                Some(name) => &schemas[name],
                None => part,
            };
            for (field, said) in part["properties"].as_object().into_iter().flatten() {
                whole["properties"][field] = said.clone();
            }
        }
        document["components"]["schemas"][name] = whole;
    }
    document
}

/// An operation of the document.
struct Operation<'d> {
    method: &'d str,
    path: &'d str,
    said: &'d Value,
}

impl Operation<'_> {
    fn id(&self) -> &str {
        text(&self.said["operationId"])
    }

    fn tag(&self) -> &str {
        text(&self.said["tags"][0])
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn operations(document: &Value) -> Vec<Operation<'_>> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let all = paths.flat_map(|(path, item)| {
        METHODS.into_iter().filter_map(move |method| {
            let said = item.get(method)?;
            Some(Operation { method, path, said })
        })
    });
    all.collect()
}

fn render(document: &Value, url: &str) -> String {
    let operations = operations(document);
    let tags = document["tags"].as_array();
    let tags: Vec<&Value> = tags.into_iter().flatten().collect();
    let mut menu = String::new();
    let mut main = String::new();
    for tag in &tags {
        let name = text(&tag["name"]);
        let _ = write!(menu, "<h2>{}</h2><ul>", escaped(name));
        let _ = write!(
            main,
            "<section><h2>{}</h2><p class=\"lead\">{}</p>",
            escaped(name),
            prose(text(&tag["description"]))
        );
        for operation in operations
            .iter()
            .filter(|operation| operation.tag() == name)
        {
            let _ = write!(
                menu,
                "<li><a href=\"#{id}\"><span class=\"method {method}\">{method}</span> {summary}</a></li>",
                id = escaped(operation.id()),
                method = operation.method,
                summary = escaped(text(&operation.said["summary"])),
            );
            article(&mut main, document, operation, url);
        }
        menu.push_str("</ul>");
        main.push_str("</section>");
    }
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <title>Salesmirror API</title><link rel=\"stylesheet\" href=\"/reference.css\"></head><body>\
         <a class=\"skip\" href=\"#main\">Skip to the content</a>\
         <nav aria-label=\"Operations\"><p class=\"brand\">Salesmirror API</p>{menu}\
         <p class=\"small\"><a href=\"/openapi.json\">OpenAPI document</a></p></nav>\
         <main id=\"main\"><header><h1>Salesmirror API</h1><p class=\"lead\">{description}</p>\
         <dl class=\"facts\"><dt>Address</dt><dd><code>{url}</code></dd>\
         <dt>Version</dt><dd>{version}</dd></dl>\
         <h2 id=\"keys\">Keys</h2><p>Every call carries an API key, as <code>Authorization: Bearer KEY</code> or in the \
         header <code>x-api-key</code>. Keys are made in the app or with <code>salesmirror api-keys make NAME</code>, \
         shown once, and can be revoked. The examples read the key from the variable <code>KEY</code>:</p>\
         <pre><code>read -rs KEY\ncurl -H \"Authorization: Bearer $KEY\" {url}/mgmt/v2/syncs</code></pre>\
         <h2 id=\"errors\">Errors</h2><p>Every refusal is the same document: a stable code, what happened, what to do, and \
         what Dynamics 365 itself said where it was asked.</p><pre><code>{error}</code></pre></header>{main}</main></body></html>",
        description = prose(text(&document["info"]["description"])),
        url = escaped(url),
        version = escaped(text(&document["info"]["version"])),
        error = escaped(&pretty(&error_example())),
    )
}

fn error_example() -> Value {
    json!({"errors": [{
        "id": "7b0c2f6e-3a51-4c1d-9d53-6f1f0f9f2c11",
        "title": "A parameter of the request cannot be used.",
        "detail": "The parameter page_size has to be a whole number from 1 to 1000.",
        "code": "bad_parameter",
        "status": 400,
        "meta": {"origin": "salesmirror", "cause": null, "hint": "The page at / lists the parameters of each address."},
    }]})
}

fn article(html: &mut String, document: &Value, operation: &Operation<'_>, url: &str) {
    let said = operation.said;
    let _ = write!(
        html,
        "<article id=\"{id}\"><h3><span class=\"method {method}\">{method}</span> <code>{path}</code></h3>\
         <p><strong>{summary}.</strong> {description}</p>",
        id = escaped(operation.id()),
        method = operation.method,
        path = escaped(operation.path),
        summary = escaped(text(&said["summary"])),
        description = prose(text(&said["description"])),
    );
    let parameters: Vec<&Value> = said["parameters"]
        .as_array()
        .into_iter()
        .flatten()
        .collect();
    if !parameters.is_empty() {
        html.push_str("<h4>Parameters</h4><table><thead><tr><th>Name</th><th>Type</th><th>Meaning</th></tr></thead><tbody>");
        for parameter in parameters {
            let is_required = parameter["required"] == true;
            row(
                html,
                text(&parameter["name"]),
                is_required,
                &kind(&parameter["schema"]),
                text(&parameter["description"]),
            );
        }
        html.push_str("</tbody></table>");
    }
    let body = &said["requestBody"]["content"]["application/json"]["schema"];
    if !body.is_null() {
        html.push_str("<h4>Body</h4>");
        fields(html, document, resolved(document, body));
    }
    let _ = write!(
        html,
        "<h4>Example</h4><pre><code>{}</code></pre>",
        escaped(&curl(document, operation, url))
    );
    html.push_str("<details><summary>Answers</summary>");
    for (status, answer) in said["responses"].as_object().into_iter().flatten() {
        let _ = write!(
            html,
            "<p><span class=\"status\">{}</span> {}</p>",
            escaped(status),
            prose(text(&answer["description"]))
        );
        let schema = &answer["content"]["application/json"]["schema"];
        if status.starts_with('2') && !schema.is_null() {
            let example = example(document, schema, 0);
            let _ = write!(
                html,
                "<pre><code>{}</code></pre>",
                escaped(&pretty(&example))
            );
        }
    }
    html.push_str("</details></article>");
}

fn row(html: &mut String, name: &str, is_required: bool, kind: &str, meaning: &str) {
    let required = if is_required {
        " <em>required</em>"
    } else {
        ""
    };
    let _ = write!(
        html,
        "<tr><td><code>{}</code>{required}</td><td>{}</td><td>{}</td></tr>",
        escaped(name),
        escaped(kind),
        prose(meaning)
    );
}

/// The fields of a body; those of the objects in it are indented by their path.
fn fields(html: &mut String, document: &Value, schema: &Value) {
    html.push_str(
        "<table><thead><tr><th>Field</th><th>Type</th><th>Meaning</th></tr></thead><tbody>",
    );
    let mut rows = Vec::new();
    gather(document, schema, "", 0, &mut rows);
    for (name, is_required, kind, meaning) in rows {
        row(html, &name, is_required, &kind, &meaning);
    }
    html.push_str("</tbody></table>");
}

type Field = (String, bool, String, String);

fn gather(document: &Value, schema: &Value, path: &str, depth: usize, rows: &mut Vec<Field>) {
    if depth > DEEPEST {
        return;
    }
    let required: Vec<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .map(text)
        .collect();
    for (name, said) in schema["properties"].as_object().into_iter().flatten() {
        let found = resolved(document, said);
        let path = format!("{path}{name}");
        let meaning = [said, found]
            .into_iter()
            .map(|said| text(&said["description"]));
        let meaning = meaning.into_iter().find(|meaning| !meaning.is_empty());
        let is_required = required.contains(&name.as_str());
        rows.push((
            path.clone(),
            is_required,
            kind(found),
            meaning.unwrap_or_default().to_owned(),
        ));
        let items = resolved(document, &found["items"]);
        if found["properties"].is_object() {
            gather(document, found, &format!("{path}."), depth + 1, rows);
        } else if items["properties"].is_object() {
            gather(document, items, &format!("{path}[]."), depth + 1, rows);
        }
    }
}

/// A schema behind its reference; of a choice the first that is not null.
fn resolved<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    let mut schema = schema;
    for _ in 0..DEEPEST {
        if let Some(name) = text(&schema["$ref"]).strip_prefix(SCHEMAS) {
            schema = &document["components"]["schemas"][name];
            continue;
        }
        let choice = ["oneOf", "anyOf", "allOf"]
            .iter()
            .find_map(|word| schema[word].as_array());
        match choice.and_then(|choice| choice.iter().find(|one| one["type"] != "null")) {
            Some(one) => schema = one,
            None => break,
        }
    }
    schema
}

/// A type in words.
fn kind(schema: &Value) -> String {
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<&str> = words.iter().map(text).collect();
        return words.join(" | ");
    }
    let words: Vec<&str> = match &schema["type"] {
        Value::String(word) => vec![word],
        Value::Array(words) => words
            .iter()
            .map(text)
            .filter(|word| *word != "null")
            .collect(),
        _ => vec!["any"],
    };
    let mut said = words.join(" or ");
    if let Some(format) = schema["format"].as_str() {
        said = format!("{said} ({format})");
    }
    let bound = |name: &str| schema[name].as_i64();
    if let (Some(least), Some(most)) = (bound("minimum"), bound("maximum")) {
        said = format!("{said}, {least} to {most}");
    }
    if let Some(default) = schema.get("default") {
        said = format!("{said}, else {default}");
    }
    said
}

/// A value as the schema wants it.
fn example(document: &Value, schema: &Value, depth: usize) -> Value {
    for key in ["example", "const"] {
        if let Some(example) = schema.get(key) {
            return example.clone();
        }
    }
    if let Some(first) = schema["examples"].get(0).or_else(|| schema["enum"].get(0)) {
        return first.clone();
    }
    let found = resolved(document, schema);
    if depth > DEEPEST {
        return Value::Null;
    }
    if !std::ptr::eq(found, schema) {
        return example(document, found, depth + 1);
    }
    let word = match &schema["type"] {
        Value::Array(words) => words
            .iter()
            .map(text)
            .find(|word| *word != "null")
            .unwrap_or_default(),
        word => text(word),
    };
    match (word, text(&schema["format"])) {
        ("object", _) => {
            let fields = schema["properties"].as_object().into_iter().flatten();
            let fields =
                fields.map(|(name, schema)| (name.clone(), example(document, schema, depth + 1)));
            Value::Object(fields.collect())
        }
        ("array", _) => json!([example(document, &schema["items"], depth + 1)]),
        ("boolean", _) => json!(false),
        ("integer" | "number", _) => schema.get("minimum").cloned().unwrap_or(json!(0)),
        ("string", "date-time") => json!("2026-03-11T08:30:00Z"),
        ("string", "date") => json!("2026-03-11"),
        ("string", "uuid") => json!("0a8f5b2c-6d1e-4f3a-9b7c-2e4d6f8a0b1c"),
        ("string", _) => json!("text"),
        _ => Value::Null,
    }
}

fn curl(document: &Value, operation: &Operation<'_>, url: &str) -> String {
    let method = operation.method.to_ascii_uppercase();
    let path = operation
        .path
        .replace("{id}", "0a8f5b2c-6d1e-4f3a-9b7c-2e4d6f8a0b1c");
    let mut lines = vec![match method.as_str() {
        "GET" => format!("curl '{url}{path}'"),
        _ => format!("curl -X {method} '{url}{path}'"),
    }];
    lines.push("  -H \"Authorization: Bearer $KEY\"".to_owned());
    let body = &operation.said["requestBody"]["content"]["application/json"];
    if !body.is_null() {
        lines.push("  -H 'Content-Type: application/json'".to_owned());
        let example = match body.get("example") {
            Some(example) => example.clone(),
            None => {
                let schema = resolved(document, &body["schema"]);
                example(document, schema, 0)
            }
        };
        lines.push(format!(
            "  -d '{}'",
            example.to_string().replace('\'', "'\\''")
        ));
    }
    lines.join(" \\\n")
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// Text with `code` marked.
fn prose(text: &str) -> String {
    let parts = text.split('`').enumerate();
    let marked = parts.map(|(place, part)| match place % 2 {
        0 => escaped(part),
        _ => format!("<code>{}</code>", escaped(part)),
    });
    marked.collect()
}

/// Text as HTML shows it, in attributes too.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_every_operation_and_lets_no_name_become_markup() {
        let document = document();
        let html = render(&flat(document.clone()), "<script>alert('x')</script>");
        assert!(!html.contains("<script") && html.contains("&lt;script&gt;"));
        assert!(
            html.contains("lifecycle_stage"),
            "fields of objects are shown"
        );
        let all = operations(&document);
        assert!(all.len() > 6, "{}", all.len());
        for operation in all {
            let anchor = format!("<article id=\"{}\">", operation.id());
            assert_eq!(html.matches(&anchor).count(), 1, "{anchor}");
            assert!(!text(&operation.said["summary"]).is_empty(), "{anchor}");
        }
        for foreign in ["http-equiv", "style=", "onclick", "https://", "src="] {
            assert!(!html.contains(foreign), "{foreign}");
        }
    }
}
