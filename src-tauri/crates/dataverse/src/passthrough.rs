//! Requests of the caller's own making, with our sign-in: whatever leaves the Web API of the
//! environment, or changes who asks, is refused before anything is sent.

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
use reqwest::{Method, StatusCode};
use url::Url;

use crate::call::Call;
use crate::client::{API_PATH, Client};
use crate::link::exact;
use crate::{Error, Result};

/// Headers that the caller may set, beside those of [`CALLER_PREFIX`].
const CALLER_HEADERS: [&str; 4] = ["prefer", "if-match", "if-none-match", "content-type"];
/// Dataverse's own headers, such as `MSCRM.SuppressDuplicateDetection`. Those without the dot say who asks.
const CALLER_PREFIX: &str = "mscrm.";
/// A path that is still encoded after so many decodings hides something.
const DECODINGS: usize = 8;

/// A request of the caller's.
#[derive(Debug, Clone, Default)]
pub struct Passthrough {
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// Relative to `/api/data/v9.2/`; may carry a query.
    pub path: String,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Further parameters of the query, not encoded yet.
    pub query: Vec<(String, String)>,
    /// The body; JSON where no `Content-Type` says otherwise.
    pub body: Option<Vec<u8>>,
}

/// What the service answered, whatever it was.
#[derive(Debug, Clone)]
pub struct PassthroughReply {
    /// The address that was asked.
    pub url: String,
    /// HTTP status.
    pub status: u16,
    /// Headers in lower case; cookies are left out.
    pub headers: Vec<(String, String)>,
    /// The body, decompressed.
    pub body: Bytes,
}

impl Client {
    /// Whether a request of the caller's would be sent.
    ///
    /// # Errors
    /// [`Error::NotSent`] where it would not.
    pub fn check_passthrough(&self, request: &Passthrough) -> Result<()> {
        method(&request.method)?;
        address(self.base(), request)?;
        headers(&request.headers).map(drop)
    }

    /// Sends a request of the caller's. Waits where the service asks for it, and renews the sign-in
    /// once; every other answer is given as it is.
    ///
    /// # Errors
    /// [`Error::NotSent`] where the request is refused here; else what the network says.
    pub async fn passthrough(&self, request: Passthrough) -> Result<PassthroughReply> {
        let method = method(&request.method)?;
        let url = address(self.base(), &request)?;
        let mut headers = headers(&request.headers)?;
        if request.body.is_some() && !headers.contains_key(CONTENT_TYPE) {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let call = Call {
            headers,
            body: request.body.map(Bytes::from),
            // A write whose answer was lost may have happened.
            is_repeatable: method == Method::GET,
            method,
            takes_any_status: true,
            ..Call::get(&url, None)
        };
        let answer = self.send(&call).await?;
        let names = answer.headers.keys().filter(|name| **name != SET_COOKIE);
        let headers = names
            .map(|name| {
                let values = answer.headers.get_all(name).iter();
                let texts: Vec<_> = values
                    .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
                    .collect();
                (name.to_string(), texts.join(", "))
            })
            .collect();
        Ok(PassthroughReply {
            url: url.to_string(),
            status: answer.status.as_u16(),
            headers,
            body: answer.body,
        })
    }

    /// What a reply to a request of the caller's says where it is a refusal; `None` where it is none.
    #[must_use]
    pub fn explain(&self, reply: &PassthroughReply) -> Option<Error> {
        let status = StatusCode::from_u16(reply.status).ok()?;
        if status.is_success() || status == StatusCode::NOT_MODIFIED {
            return None;
        }
        let headers = reply.headers.iter().filter_map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            Some((name, HeaderValue::from_str(value).ok()?))
        });
        Some(self.refusal(status, &headers.collect(), &reply.body))
    }
}

fn refused(sentence: impl Into<String>) -> Error {
    Error::NotSent(sentence.into())
}

fn method(name: &str) -> Result<Method> {
    Ok(match name.to_ascii_uppercase().as_str() {
        "GET" => Method::GET,
        "POST" => Method::POST,
        "PUT" => Method::PUT,
        "PATCH" => Method::PATCH,
        "DELETE" => Method::DELETE,
        _ => return Err(refused(format!("{name:?} is no method that is passed on."))),
    })
}

fn headers(wanted: &[(String, String)]) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in wanted {
        let lower = name.trim().to_ascii_lowercase();
        let allowed = CALLER_HEADERS.contains(&lower.as_str()) || lower.starts_with(CALLER_PREFIX);
        let name = HeaderName::from_bytes(lower.as_bytes())
            .ok()
            .filter(|_| allowed)
            .ok_or_else(|| refused(format!("The header {name:?} is not passed on.")))?;
        if value.chars().any(char::is_control) {
            return Err(refused(format!(
                "The header {name} holds a line end or another control character."
            )));
        }
        let value = HeaderValue::from_str(value.trim()).map_err(|_| {
            refused(format!(
                "The header {name} has a value that cannot be sent."
            ))
        })?;
        headers.append(name, value);
    }
    Ok(headers)
}

/// The address of a request, below the Web API's path by construction.
fn address(base: &Url, request: &Passthrough) -> Result<Url> {
    let (path, query) = match request.path.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (request.path.as_str(), None),
    };
    // A slash before it, or the whole path below the host, means the same.
    let path = match path
        .strip_prefix(API_PATH)
        .or_else(|| path.strip_prefix('/'))
    {
        Some(rest) if !rest.starts_with(['/', '\\']) => rest,
        _ => path,
    };
    check_path(path)?;
    let mut parts: Vec<String> = Vec::new();
    if let Some(query) = query.filter(|query| !query.is_empty()) {
        if query.contains(|letter: char| letter.is_control() || letter == '#') {
            return Err(refused("The query holds a character that cannot be sent."));
        }
        parts.push(query.replace(' ', "%20"));
    }
    for (name, value) in &request.query {
        parts.push(format!("{}={}", encoded(name), encoded(value)));
    }
    let mut address = format!("{base}{}", path.replace(' ', "%20"));
    if !parts.is_empty() {
        address = format!("{address}?{}", parts.join("&"));
    }
    let url = exact(&address).map_err(|_| refused("The path makes no address."))?;
    // Whatever a parser makes of the path, it must still be where it seemed to be.
    if url.origin() == base.origin() && url.path().starts_with(base.path()) {
        Ok(url)
    } else {
        Err(refused("The path leads out of the Web API."))
    }
}

fn check_path(path: &str) -> Result<()> {
    let mut text = path.to_owned();
    for _ in 0..DECODINGS {
        if text.starts_with(['/', '\\']) {
            return Err(refused(
                "The path begins with a slash: it has to be relative.",
            ));
        }
        // A scheme is letters up to a colon, before anything that only a path has.
        let head = text.split(['/', '(', '\'']).next().unwrap_or_default();
        if head.contains(':') {
            return Err(refused(
                "The path is an address of its own: it has to be relative.",
            ));
        }
        if text.contains(|letter: char| letter.is_control() || matches!(letter, '\\' | '#')) {
            return Err(refused("The path holds a character that cannot be sent."));
        }
        let mut segments = text.split(['/', ';', '?']).map(str::trim);
        if segments.any(|segment| matches!(segment, "." | "..")) {
            return Err(refused("The path holds dot segments."));
        }
        let decoded = decoded(&text);
        if decoded == text {
            return Ok(());
        }
        text = decoded;
    }
    Err(refused("The path is encoded many times over."))
}

/// Percent-decoded once. What is no valid encoding stays.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let pair = text.get(at + 1..at + 3);
        let byte = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match byte.filter(|_| bytes[at] == b'%') {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// A name or value of a query. What OData writes often stays readable.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~$@,'()*:;/!".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(path: &str, query: &[(&str, &str)]) -> Result<String> {
        let base = Url::parse("https://o.crm.dynamics.com/api/data/v9.2/").expect("a base");
        let query = query
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let request = Passthrough {
            path: path.to_owned(),
            query,
            ..Passthrough::default()
        };
        address(&base, &request).map(|url| url.as_str().to_owned())
    }

    #[test]
    fn paths_stay_below_the_web_api() {
        for (path, query, expect) in [
            ("WhoAmI", vec![], "WhoAmI"),
            ("/WhoAmI", vec![], "WhoAmI"),
            ("/api/data/v9.2/WhoAmI", vec![], "WhoAmI"),
            ("", vec![], ""),
            (
                "accounts(60c4e274-0d87-e711-80e5-00155db19e6d)?$select=name",
                vec![],
                "accounts(60c4e274-0d87-e711-80e5-00155db19e6d)?$select=name",
            ),
            (
                "accounts",
                vec![("$filter", "name eq 'A & B=C'"), ("$top", "1")],
                "accounts?$filter=name%20eq%20'A%20%26%20B%3DC'&$top=1",
            ),
            (
                "accounts?$top=1",
                vec![("$select", "name")],
                "accounts?$top=1&$select=name",
            ),
            ("accounts(name='a:b')", vec![], "accounts(name='a:b')"),
        ] {
            let expect = format!("https://o.crm.dynamics.com/api/data/v9.2/{expect}");
            assert_eq!(url(path, &query).expect(path), expect);
        }
        for path in [
            "https://evil.example/",
            "HTTPS:evil.example",
            "https%3A//evil.example",
            "//evil.example/x",
            "%2f%2fevil.example/x",
            "%255c%255cevil.example/x",
            "https%253a%252f%252fevil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/../x",
            "/api/data/v9.2/../x",
            "/api/data/v9.2//evil.example",
            "..",
            "../../../x",
            "accounts/../../x",
            "accounts/./x",
            "accounts/%2e%2e/%2E%2e/x",
            "accounts/.%2e/x",
            "accounts%2f..%2fx",
            "accounts/%252e%252e/x",
            "accounts/..;/x",
            "accounts\\..\\x",
            "accounts%5c..%5cx",
            "accounts\r\nHost: evil.example",
            "accounts%0d%0aHost: evil.example",
            "accounts#x",
            "accounts?$top=1\r\nX: y",
        ] {
            let error = url(path, &[]).expect_err(path);
            assert_eq!(error.code(), "not_sent", "{path}");
        }
    }

    #[test]
    fn headers_that_say_who_asks_are_refused() {
        let one = |name: &str, value: &str| headers(&[(name.to_owned(), value.to_owned())]);
        for name in [
            "Prefer",
            "if-match",
            "MSCRM.SuppressDuplicateDetection",
            "Content-Type",
        ] {
            assert!(one(name, "x").is_ok(), "{name}");
        }
        for (name, value) in [
            ("Authorization", "Bearer x"),
            ("authorization ", "Bearer x"),
            ("Host", "evil.example"),
            ("Cookie", "a=b"),
            ("MSCRMCallerID", "60c4e274-0d87-e711-80e5-00155db19e6d"),
            ("CallerObjectId", "60c4e274-0d87-e711-80e5-00155db19e6d"),
            ("Transfer-Encoding", "chunked"),
            ("Content-Length", "0"),
            ("Prefer\r\nHost", "x"),
            ("MSCRM.A\r\nCookie", "x"),
            ("MSCRM A", "x"),
            ("Prefer", "x\r\nAuthorization: Bearer y"),
            ("Prefer", "x\nCookie: y"),
            ("Prefer", "x\0"),
            ("", "x"),
        ] {
            let error = one(name, value).expect_err(name);
            assert_eq!(error.code(), "not_sent", "{name}");
        }
        assert!(method("TRACE").is_err() && method("get").is_ok());
    }
}
