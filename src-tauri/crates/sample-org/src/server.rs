//! HTTP: every request passes here, is logged, meets faults, and is answered.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{Request, State as Extract};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::StreamExt as _;
use percent_encoding::percent_decode_str;
use url::form_urlencoded;
use uuid::Uuid;

use crate::faults::{Action, meet};
use crate::state::{Logged, State};
use crate::{Description, control, dataverse, entra};

/// Where the control interface lies.
pub const CONTROL: &str = "/control/";
/// Bodies of requests are small; a larger one is refused.
const LARGEST_REQUEST: usize = 1 << 20;
/// Compressed pages that are kept, in bytes.
const CACHE_BYTES: usize = 1_500 << 20;
/// The log keeps no more requests.
const LOGGED: usize = 100_000;

/// A running organisation, as its handlers share it.
pub struct Organization {
    pub state: Mutex<State>,
    pub description: Description,
    pub latency: Duration,
    cache: Mutex<Cache>,
}

#[derive(Default)]
struct Cache {
    pages: HashMap<(String, String), (u64, Bytes)>,
    bytes: usize,
}

impl Organization {
    pub fn new(state: State, description: Description, latency: Duration) -> Self {
        Self {
            state: Mutex::new(state),
            description,
            latency,
            cache: Mutex::default(),
        }
    }

    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers a request.
pub async fn handle(
    Extract(organization): Extract<Arc<Organization>>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, LARGEST_REQUEST).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let method = parts.method.as_str().to_owned();
    let path = parts.uri.path().to_owned();
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let text = |name: &str| {
        parts
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    if let Some(rest) = path.strip_prefix(CONTROL) {
        return control::answer(&mut organization.lock(), &method, rest, &body);
    }
    let action = meet(&mut organization.lock().faults, &method, &path, &query).unwrap_or_default();
    tokio::time::sleep(Duration::from_millis(action.delay_ms)).await;
    if action.stall {
        std::future::pending::<()>().await;
    }
    let prefer = text("prefer");
    let exchange = Exchange {
        method: &method,
        path: &path,
        query: &query,
        prefer: prefer.as_deref(),
        token: text("authorization")
            .and_then(|value| value.strip_prefix("Bearer ").map(str::to_owned)),
        gzip: text("accept-encoding").is_some_and(|value| value.contains("gzip")),
        body: &body,
    };
    let response = match broken(&action) {
        Some(response) => response,
        None => {
            if path.starts_with(dataverse::PATH) && !organization.latency.is_zero() {
                tokio::time::sleep(organization.latency).await;
            }
            exchange
                .answer(&organization, action.link_origin.clone())
                .await
        }
    };
    organization.log(Logged {
        method,
        path,
        query: (!query.is_empty()).then_some(query),
        status: response.status().as_u16(),
        prefer,
    });
    match action.cut_body_at {
        Some(length) => cut(response, length).await,
        None => response,
    }
}

/// The answer that a fault gives instead.
fn broken(action: &Action) -> Option<Response> {
    if action.html {
        return Some(
            (
                [("content-type", "text/html")],
                "<!DOCTYPE html><html><body>We'll be right back</body></html>",
            )
                .into_response(),
        );
    }
    let status = action
        .status
        .and_then(|status| StatusCode::from_u16(status).ok());
    if status.is_none() && action.error_code.is_none() {
        return None;
    }
    let status = status.unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = match &action.error_code {
        Some(code) => dataverse::errors::error(
            status,
            code,
            action
                .message
                .as_deref()
                .unwrap_or("A fault that was asked for."),
        ),
        None => (status, action.body.clone().unwrap_or_default()).into_response(),
    };
    for (name, value) in &action.headers {
        if let (Ok(name), Ok(value)) = (
            header::HeaderName::try_from(name),
            HeaderValue::from_str(value),
        ) {
            response.headers_mut().insert(name, value);
        }
    }
    Some(response)
}

/// Sends the first bytes of the body and breaks the connection.
async fn cut(response: Response, length: usize) -> Response {
    let (mut parts, body) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    let body = axum::body::to_bytes(body, usize::MAX)
        .await
        .unwrap_or_default();
    let head = body.slice(..length.min(body.len()));
    let broken = futures::stream::once(async { Err(std::io::Error::other("cut off")) });
    let stream = futures::stream::once(async { Ok(head) }).chain(broken);
    Response::from_parts(parts, Body::from_stream(stream))
}

struct Exchange<'a> {
    method: &'a str,
    path: &'a str,
    query: &'a str,
    prefer: Option<&'a str>,
    token: Option<String>,
    gzip: bool,
    body: &'a Bytes,
}

impl Exchange<'_> {
    async fn answer(
        &self,
        organization: &Arc<Organization>,
        link_origin: Option<String>,
    ) -> Response {
        if let Some(rest) = self.path.strip_prefix(dataverse::PATH) {
            return self.web_api(organization, rest, link_origin).await;
        }
        let Some((tenant, rest)) = self.path.trim_start_matches('/').split_once('/') else {
            return StatusCode::NOT_FOUND.into_response();
        };
        let parameters = form_urlencoded::parse(self.query.as_bytes())
            .chain(form_urlencoded::parse(self.body))
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        let call = entra::Call {
            description: &organization.description,
            method: self.method,
            tenant,
            rest,
            parameters,
        };
        entra::answer(&mut organization.lock(), &call)
    }

    async fn web_api(
        &self,
        organization: &Arc<Organization>,
        rest: &str,
        link_origin: Option<String>,
    ) -> Response {
        let description = &organization.description;
        let environment = description.environment_url.trim_end_matches('/').to_owned();
        let tenant = Uuid::try_parse(&description.tenant_id).unwrap_or_default();
        let signed_in = {
            let mut state = organization.lock();
            state.access.retain(|_, (_, until)| *until > Instant::now());
            self.token
                .as_ref()
                .and_then(|token| state.access.get(token))
                .map(|(user, _)| *user)
        };
        let Some(user) = signed_in else {
            return dataverse::challenge(&description.authority_url, tenant, &environment);
        };
        if self.method != "GET" {
            return dataverse::errors::error(
                StatusCode::METHOD_NOT_ALLOWED,
                "0x80060888",
                "The HTTP verb is not supported here.",
            );
        }
        let path = percent_decode_str(rest).decode_utf8_lossy().into_owned();
        let key = (
            format!("{}?{}", self.path, self.query),
            self.prefer.unwrap_or_default().to_owned(),
        );
        let generation = organization
            .lock()
            .changes
            .iter()
            .map(|changes| changes.generation)
            .sum();
        if self.gzip
            && link_origin.is_none()
            && let Some(page) = organization.kept(&key, generation)
        {
            return zipped(page);
        }
        let (owned, query, prefer) = (
            Arc::clone(organization),
            self.query.to_owned(),
            self.prefer.map(str::to_owned),
        );
        let foreign = link_origin.is_some();
        let answered = tokio::task::spawn_blocking(move || {
            // A page of a large table takes a while: others read on a copy of nothing, so the lock
            // is held only as long as one page is written.
            let state = owned.lock();
            let call = dataverse::Call {
                path,
                query: &query,
                prefer: prefer.as_deref(),
                origin: environment,
                link_origin,
                user: dataverse::user(&state, user),
                tenant,
            };
            dataverse::answer(&state, &call)
        })
        .await;
        let mut response =
            answered.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response());
        if self.gzip && response.status() == StatusCode::OK {
            let (parts, body) = response.into_parts();
            let body = axum::body::to_bytes(body, usize::MAX)
                .await
                .unwrap_or_default();
            if body.len() < 1_024 {
                response = Response::from_parts(parts, Body::from(body));
            } else {
                let packed = tokio::task::spawn_blocking(move || gzip(&body))
                    .await
                    .unwrap_or_default();
                if !foreign {
                    organization.keep(key, generation, packed.clone());
                }
                response = zipped(packed);
            }
        }
        let headers = response.headers_mut();
        if let Ok(id) = HeaderValue::from_str(&Uuid::new_v4().to_string()) {
            headers.insert("req_id", id.clone());
            headers.insert("x-ms-service-request-id", id);
        }
        headers.insert(
            "x-ms-ratelimit-burst-remaining-xrm-requests",
            HeaderValue::from_static("5998"),
        );
        headers.insert(
            "x-ms-ratelimit-time-remaining-xrm-requests",
            HeaderValue::from_static("1,200.00"),
        );
        headers.insert("x-ms-dop-hint", HeaderValue::from_static("4"));
        response
    }
}

impl Organization {
    fn log(&self, request: Logged) {
        let mut state = self.lock();
        if state.requests.len() < LOGGED {
            state.requests.push(request);
        }
    }

    fn kept(&self, key: &(String, String), generation: u64) -> Option<Bytes> {
        let cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache
            .pages
            .get(key)
            .filter(|(of, _)| *of == generation)
            .map(|(_, page)| page.clone())
    }

    fn keep(&self, key: (String, String), generation: u64, page: Bytes) {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.bytes + page.len() > CACHE_BYTES {
            *cache = Cache::default();
        }
        cache.bytes += page.len();
        if let Some((_, old)) = cache.pages.insert(key, (generation, page)) {
            cache.bytes -= old.len();
        }
    }
}

fn gzip(body: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 6), Compression::fast());
    // Writing into memory does not fail.
    let _ = encoder.write_all(body);
    encoder.finish().unwrap_or_default().into()
}

fn zipped(page: Bytes) -> Response {
    let mut response = dataverse::raw_json(page);
    response
        .headers_mut()
        .insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    response
}
