//! `$batch`: many requests in one, change sets among them.

use std::collections::BTreeMap;

use axum::http::header::{HeaderName, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use uuid::Uuid;

use super::reply::Reply;
use super::{Call, answer_one, errors, rest};
use crate::state::State;

/// Operations that one batch holds at most.
const LARGEST_BATCH: usize = 1_000;

/// A request inside a batch.
struct Part {
    method: String,
    target: String,
    headers: HeaderMap,
    body: Bytes,
    content_id: Option<String>,
}

enum Item {
    One(Part),
    Set(Vec<Part>),
}

/// Answers a batch.
pub fn answer(state: &mut State, call: &Call<'_>) -> Reply {
    let items = match read(call) {
        Ok(items) => items,
        Err(message) => return errors::bad_request(&message),
    };
    let operations: usize = items
        .iter()
        .map(|item| match item {
            Item::One(_) => 1,
            Item::Set(parts) => parts.len(),
        })
        .sum();
    if operations > LARGEST_BATCH {
        return errors::bad_request(&format!(
            "The number of operations in the batch, {operations}, exceeds the maximum of {LARGEST_BATCH}."
        ));
    }
    let goes_on = call.prefers("odata.continue-on-error");
    let boundary = format!("batchresponse_{}", Uuid::new_v4());
    let (mut text, mut status) = (Vec::new(), StatusCode::OK);
    for item in items {
        text.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        let failed = match item {
            Item::One(part) => {
                let reply = run(state, call, &part, &BTreeMap::new());
                write(&reply, part.content_id.as_deref(), &mut text);
                reply.is_error().then_some(reply.status)
            }
            Item::Set(parts) => change_set(state, call, &parts, &mut text),
        };
        if let Some(failed) = failed.filter(|_| !goes_on) {
            status = failed;
            break;
        }
    }
    text.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Reply {
        status,
        headers: vec![
            (
                "content-type",
                format!("multipart/mixed; boundary={boundary}"),
            ),
            ("odata-version", "4.0".to_owned()),
        ],
        body: text.into(),
    }
}

/// A change set succeeds as a whole, or nothing of it has happened and its one error is told.
fn change_set(
    state: &mut State,
    call: &Call<'_>,
    parts: &[Part],
    text: &mut Vec<u8>,
) -> Option<StatusCode> {
    let before = state.changes.clone();
    let mut known = BTreeMap::new();
    let mut replies = Vec::new();
    for part in parts {
        let reply = if part.method == "GET" {
            errors::bad_request("A GET request is not allowed in a change set.")
        } else {
            run(state, call, part, &known)
        };
        if reply.is_error() {
            state.restore(before);
            write(&reply, part.content_id.as_deref(), text);
            return Some(reply.status);
        }
        if let Some(id) = &part.content_id {
            let address = reply
                .headers
                .iter()
                .find(|(name, _)| *name == "odata-entityid");
            if let Some((_, address)) = address {
                known.insert(id.clone(), address.clone());
            }
        }
        replies.push((reply, part.content_id.clone()));
    }
    let boundary = format!("changesetresponse_{}", Uuid::new_v4());
    text.extend_from_slice(
        format!("Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n").as_bytes(),
    );
    for (reply, content_id) in replies {
        text.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        write(&reply, content_id.as_deref(), text);
    }
    text.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    None
}

fn run(state: &mut State, call: &Call<'_>, part: &Part, known: &BTreeMap<String, String>) -> Reply {
    let target = refer(&part.target, known);
    let target = behind(&target);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let body = match std::str::from_utf8(&part.body) {
        Ok(text) if !known.is_empty() => Bytes::from(refer_in_body(text, known)),
        _ => part.body.clone(),
    };
    let inner = Call {
        method: &part.method,
        path: percent_decode_str(path.trim_start_matches('/'))
            .decode_utf8_lossy()
            .into_owned(),
        query,
        headers: &part.headers,
        body: &body,
        prefer: part
            .headers
            .get("prefer")
            .and_then(|value| value.to_str().ok()),
        origin: call.origin.clone(),
        environment: call.environment.clone(),
        api: call.api.clone(),
        link_origin: call.link_origin.clone(),
        user: call.user,
        tenant: call.tenant,
    };
    let reply = answer_one(state, &inner);
    if reply.is_error() {
        let is_annotated =
            inner.asks_for("Microsoft.PowerApps.CDS.ErrorDetails.ApiExceptionMessageName");
        return errors::dress(state, reply, is_annotated);
    }
    reply
}

/// What stands behind the Web API's path, where the target is a whole address.
fn behind(target: &str) -> &str {
    let path = target
        .split_once("/api/data/")
        .map_or(target, |(before, _)| &target[before.len()..]);
    rest(path).unwrap_or(target)
}

/// `$1/…` stands for the row that the part with this Content-ID has made.
fn refer(target: &str, known: &BTreeMap<String, String>) -> String {
    let trimmed = target.trim_start_matches('/');
    let Some(rest) = trimmed.strip_prefix('$') else {
        return target.to_owned();
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    match known.get(&rest[..end]) {
        Some(address) => format!("{address}{}", &rest[end..]),
        None => target.to_owned(),
    }
}

fn refer_in_body(text: &str, known: &BTreeMap<String, String>) -> String {
    known.iter().fold(text.to_owned(), |text, (id, address)| {
        text.replace(&format!("\"${id}\""), &format!("\"{address}\""))
            .replace(&format!("\"/${id}\""), &format!("\"{address}\""))
    })
}

/// A part of the reply, in the shape that was recorded: no Content-Length, two empty lines behind
/// a 204.
fn write(reply: &Reply, content_id: Option<&str>, text: &mut Vec<u8>) {
    let mut head =
        String::from("Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n");
    if let Some(id) = content_id {
        head.push_str(&format!("Content-ID: {id}\r\n"));
    }
    head.push_str(&format!(
        "\r\nHTTP/1.1 {} {}\r\n",
        reply.status.as_u16(),
        reply.status.canonical_reason().unwrap_or_default()
    ));
    for (name, value) in &reply.headers {
        let (name, value) = match *name {
            "content-type" if reply.body.is_empty() => continue,
            "content-type" if value.starts_with("application/json") => {
                ("Content-Type", format!("{value}; odata.streaming=true"))
            }
            "content-type" => ("Content-Type", value.clone()),
            "odata-version" => ("OData-Version", value.clone()),
            "odata-entityid" => ("OData-EntityId", value.clone()),
            "location" => ("Location", value.clone()),
            "preference-applied" => ("Preference-Applied", value.clone()),
            "etag" => ("ETag", value.clone()),
            name => (name, value.clone()),
        };
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    text.extend_from_slice(head.as_bytes());
    text.extend_from_slice(&reply.body);
    text.extend_from_slice(b"\r\n");
}

fn read(call: &Call<'_>) -> Result<Vec<Item>, String> {
    let content_type = call.header("content-type").unwrap_or_default();
    let boundary = boundary(content_type).ok_or(
        "The batch request must have a content type of 'multipart/mixed' with a boundary.",
    )?;
    let text = std::str::from_utf8(call.body).map_err(|_| "The batch is not UTF-8.")?;
    let mut items = Vec::new();
    for section in sections(text, &boundary) {
        let (head, body) = split_head(section);
        let headers = headers(head);
        let inner = headers
            .get("content-type")
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        if inner.starts_with("multipart/mixed") {
            let inner = self::boundary(inner).ok_or("A change set needs a boundary.")?;
            let parts = sections(body, &inner)
                .into_iter()
                .map(part)
                .collect::<Result<Vec<_>, _>>()?;
            items.push(Item::Set(parts));
        } else {
            items.push(Item::One(part(section)?));
        }
    }
    Ok(items)
}

fn boundary(content_type: &str) -> Option<String> {
    let (_, rest) = content_type.split_once("boundary=")?;
    let value = rest.split(';').next()?.trim().trim_matches('"');
    (!value.is_empty()).then(|| value.to_owned())
}

/// The text between boundaries; line ends may be CRLF or LF.
fn sections<'t>(text: &'t str, boundary: &str) -> Vec<&'t str> {
    let mark = format!("--{boundary}");
    let mut sections: Vec<&str> = text.split(mark.as_str()).skip(1).collect();
    if let Some(end) = sections
        .iter()
        .position(|section| section.starts_with("--"))
    {
        sections.truncate(end);
    }
    sections
        .into_iter()
        .map(|section| section.trim_start_matches('\r').trim_start_matches('\n'))
        .collect()
}

fn split_head(text: &str) -> (&str, &str) {
    match (text.find("\r\n\r\n"), text.find("\n\n")) {
        (Some(place), other) if other.is_none_or(|other| place < other) => {
            (&text[..place], &text[place + 4..])
        }
        (_, Some(place)) => (&text[..place], &text[place + 2..]),
        _ => (text.trim_end(), ""),
    }
}

fn headers(text: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in text.lines() {
        if let Some((name, value)) = line.split_once(':')
            && let (Ok(name), Ok(value)) = (
                HeaderName::try_from(name.trim()),
                HeaderValue::from_str(value.trim()),
            )
        {
            headers.insert(name, value);
        }
    }
    headers
}

fn part(section: &str) -> Result<Part, String> {
    let (head, request) = split_head(section);
    let outer = headers(head);
    let request = request.trim_start_matches(['\r', '\n']);
    let (head, body) = split_head(request);
    let (line, head) = head.split_once('\n').unwrap_or((head, ""));
    let line = line.trim();
    let (method, rest) = line
        .split_once(' ')
        .ok_or_else(|| format!("'{line}' is no request line."))?;
    let target = rest
        .rsplit_once(" HTTP/")
        .map_or(rest, |(target, _)| target);
    let mut headers = headers(head);
    let id = outer
        .get("content-id")
        .or_else(|| headers.get("content-id"))
        .cloned();
    headers.remove("content-id");
    // The line end before the next boundary belongs to the boundary.
    let body = body
        .strip_suffix("\r\n")
        .or_else(|| body.strip_suffix('\n'))
        .unwrap_or(body);
    Ok(Part {
        method: method.to_owned(),
        target: target.trim().to_owned(),
        headers,
        body: Bytes::copy_from_slice(body.as_bytes()),
        content_id: id.and_then(|id| id.to_str().ok().map(str::to_owned)),
    })
}
