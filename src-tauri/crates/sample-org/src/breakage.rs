//! What a fault does to an answer.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures::StreamExt as _;

use crate::dataverse::errors;
use crate::entra::refusal::civil;
use crate::exchange::gzip;
use crate::faults::{Action, BrokenGzip};
use crate::wire::Orders;

/// A reset overtakes bytes that the client has not read yet: it gets time to read them.
const READ_FIRST: Duration = Duration::from_millis(50);
/// What a front door shows.
const HTML: &str = "<!DOCTYPE html><html><head><title>We'll be right back</title></head><body><h1>We'll be right back</h1></body></html>";

/// The answer that a fault gives instead.
pub fn instead(action: &Action) -> Option<Response> {
    if action.html && action.status.is_none() {
        return Some(html(StatusCode::OK));
    }
    let status = action
        .status
        .and_then(|status| StatusCode::from_u16(status).ok());
    if let Some(target) = &action.redirect {
        let mut response = status.unwrap_or(StatusCode::FOUND).into_response();
        if let Ok(value) = HeaderValue::from_str(target) {
            response.headers_mut().insert(header::LOCATION, value);
        }
        return Some(headed(response, action));
    }
    if status.is_none() && action.error_code.is_none() && action.body.is_none() {
        return None;
    }
    let response = match (&action.error_code, &action.body) {
        (Some(code), _) => {
            let message = action.message.as_deref();
            errors::error(
                status.unwrap_or(StatusCode::BAD_REQUEST),
                code,
                message.unwrap_or("A fault that was asked for."),
            )
            .into_response()
        }
        (None, _) if action.html => html(status.unwrap_or(StatusCode::OK)),
        (None, body) => {
            let body = body.clone().unwrap_or_default();
            (status.unwrap_or(StatusCode::OK), body).into_response()
        }
    };
    Some(headed(response, action))
}

/// An HTML page, as the front door sends it.
pub fn html(status: StatusCode) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    (status, kind, HTML).into_response()
}

fn headed(mut response: Response, action: &Action) -> Response {
    let headers = response.headers_mut();
    let wait = match (action.retry_after_s, action.retry_after_date_s) {
        (Some(seconds), _) => Some(seconds.to_string()),
        (None, Some(seconds)) => Some(date(Duration::from_secs(seconds))),
        _ => None,
    };
    if let Some(Ok(value)) = wait.map(|text| HeaderValue::from_str(&text)) {
        headers.insert(header::RETRY_AFTER, value);
    }
    for (name, value) in &action.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
    response
}

/// The time so far ahead, as HTTP writes it: `Sun, 06 Nov 1994 08:49:37 GMT`.
fn date(ahead: Duration) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let seconds = (now + ahead).as_secs();
    let (day, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, date) = civil(i64::try_from(day).unwrap_or_default());
    let month = usize::try_from(month - 1)
        .ok()
        .and_then(|month| MONTHS.get(month));
    format!(
        "{}, {date:02} {} {year:04} {:02}:{:02}:{:02} GMT",
        DAYS[(day % 7) as usize],
        month.unwrap_or(&"Jan"),
        second / 3_600,
        second / 60 % 60,
        second % 60
    )
}

/// How the connection goes on after a body's first bytes.
enum After {
    Close,
    Stall,
    Reset(Orders),
}

/// Does to an answer what the fault says.
pub async fn spoil(response: Response, action: &Action, orders: &Orders) -> Response {
    if action.reset {
        orders.reset();
        return response;
    }
    let response = match action.gzip {
        Some(how) => broken_gzip(response, how).await,
        None => response,
    };
    let response = match action.content_length {
        Some(length) => mislabelled(response, length).await,
        None => response,
    };
    let (length, after) = match (
        action.stall_body_at,
        action.cut_body_at,
        action.reset_body_at,
    ) {
        (Some(length), ..) => (length, After::Stall),
        (_, Some(length), _) => (length, After::Close),
        (.., Some(length)) => (length, After::Reset(orders.clone())),
        _ => return response,
    };
    let (mut parts, bytes) = whole(response).await;
    let head = bytes.slice(..length.min(bytes.len()));
    // The length stays that of the whole: the client knows that something is missing.
    parts
        .headers
        .entry(header::CONTENT_LENGTH)
        .or_insert(HeaderValue::from(bytes.len()));
    let end = futures::stream::once(async move {
        match after {
            After::Stall => std::future::pending().await,
            // A pause sends what is there: bytes that wait in a buffer would be dropped with it.
            After::Close => tokio::time::sleep(READ_FIRST).await,
            After::Reset(orders) => {
                tokio::time::sleep(READ_FIRST).await;
                orders.reset();
            }
        }
        Err(std::io::Error::other("a fault that was asked for"))
    });
    let stream = futures::stream::once(async { Ok(head) }).chain(end);
    Response::from_parts(parts, Body::from_stream(stream))
}

async fn broken_gzip(response: Response, how: BrokenGzip) -> Response {
    let is_packed = response.headers().contains_key(header::CONTENT_ENCODING);
    let (mut parts, bytes) = whole(response).await;
    parts.headers.remove(header::CONTENT_LENGTH);
    parts
        .headers
        .insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    let plain = || {
        let mut text = Vec::new();
        let mut reader = flate2::read::GzDecoder::new(bytes.as_ref());
        match std::io::Read::read_to_end(&mut reader, &mut text) {
            Ok(_) => Bytes::from(text),
            Err(_) => bytes.clone(),
        }
    };
    let packed = if is_packed {
        bytes.clone()
    } else {
        gzip(&bytes)
    };
    let body = match how {
        BrokenGzip::None => plain(),
        BrokenGzip::Truncated => packed.slice(..packed.len() / 2),
        BrokenGzip::Corrupt => {
            let mut spoiled = packed.to_vec();
            let middle = spoiled.len() / 2;
            for byte in spoiled.iter_mut().skip(middle).take(8) {
                *byte ^= 0x55;
            }
            // The checksum stands in the last eight bytes: short bodies fail by it.
            for byte in spoiled.iter_mut().rev().take(8) {
                *byte ^= 0x55;
            }
            spoiled.into()
        }
    };
    Response::from_parts(parts, Body::from(body))
}

/// The header tells another length. The body comes as a stream, whose length nobody checks.
async fn mislabelled(response: Response, length: u64) -> Response {
    let (mut parts, bytes) = whole(response).await;
    parts
        .headers
        .insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    let stream = futures::stream::once(async { Ok::<_, std::io::Error>(bytes) });
    // A pause sends what is there: an end that comes too early ends the connection.
    let pause = futures::stream::once(async {
        tokio::time::sleep(READ_FIRST).await;
        Ok(Bytes::new())
    });
    Response::from_parts(parts, Body::from_stream(stream.chain(pause)))
}

async fn whole(response: Response) -> (axum::http::response::Parts, Bytes) {
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX)
        .await
        .unwrap_or_default();
    (parts, bytes)
}
