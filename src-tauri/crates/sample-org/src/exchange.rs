//! A call of the Web API: the environment's mode, the token, the limits, the answer, compression.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use percent_encoding::percent_decode_str;
use uuid::Uuid;

use crate::entra::directory::Audience;
use crate::network::Mode;
use crate::server::Organization;
use crate::{breakage, dataverse};

/// Compressed pages that are kept, in bytes.
const CACHE_BYTES: usize = 1_500 << 20;
/// Smaller answers are not worth compressing, in bytes.
const WORTH_PACKING: usize = 1_024;

/// Pages that were compressed before.
#[derive(Default)]
pub struct Cache {
    pages: HashMap<Key, (u64, Page)>,
    bytes: usize,
}

/// Whatever an answer depends on besides the rows.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    address: String,
    origin: String,
    prefer: String,
    user: u64,
}

#[derive(Clone)]
struct Page {
    headers: HeaderMap,
    body: Bytes,
}

/// A call.
pub struct Exchange<'a> {
    pub method: &'a str,
    pub path: &'a str,
    /// The path behind the Web API's own.
    pub rest: &'a str,
    pub query: &'a str,
    pub headers: &'a HeaderMap,
    pub token: Option<&'a str>,
    pub body: &'a Bytes,
    pub link_origin: Option<&'a str>,
    /// Time before the answer, which counts as execution time.
    pub delay: Duration,
}

impl Exchange<'_> {
    pub async fn answer(&self, organization: &Arc<Organization>) -> Response {
        let now = Instant::now();
        let description = &organization.description;
        let user = {
            let mut state = organization.lock();
            if state.net.mode != Mode::Normal {
                return breakage::html(StatusCode::SERVICE_UNAVAILABLE);
            }
            if let Some(refused) = state.net.limits.pass_door(now) {
                return refused;
            }
            let access = self
                .token
                .and_then(|token| state.entra.access(token))
                .filter(|access| access.audience == Audience::Environment);
            let Some(access) = access else {
                return dataverse::challenge(&state.variants.challenge(
                    &description.authority_url,
                    organization.tenant(),
                    organization.environment(),
                ));
            };
            let Some(user) = state.entra.row(&access.subject) else {
                return dataverse::errors::error(
                    StatusCode::FORBIDDEN,
                    "0x80072560",
                    "The user is not a member of the organization.",
                )
                .into_response();
            };
            user
        };
        let entered = organization.lock().net.limits.enter(user, now);
        let mut response = match entered {
            Some(refused) => refused,
            None => {
                let _visit = Visit {
                    organization,
                    user,
                    began: now,
                };
                tokio::time::sleep(self.delay).await;
                self.serve(organization, user).await
            }
        };
        let mut state = organization.lock();
        let headers = response.headers_mut();
        state.net.limits.headers(user, Instant::now(), headers);
        let ids = if state.variants.two_request_ids { 2 } else { 1 };
        let ids: Vec<String> = (0..ids).map(|_| Uuid::new_v4().to_string()).collect();
        if let Ok(value) = HeaderValue::from_str(&ids.join(",")) {
            headers.insert("req_id", value.clone());
            headers.insert("x-ms-service-request-id", value);
        }
        response
    }

    async fn serve(&self, organization: &Arc<Organization>, user: u64) -> Response {
        let text = |name: &str| {
            self.headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
        };
        let packs = text("accept-encoding").contains("gzip");
        let origin = self.origin(organization);
        let key = Key {
            address: format!("{}?{}", self.path, self.query),
            origin: origin.clone(),
            prefer: text("prefer").to_owned(),
            user,
        };
        let is_kept = packs
            && self.method == "GET"
            && self.link_origin.is_none()
            && matches!(text("if-none-match"), "" | "null");
        let generation = organization
            .lock()
            .changes
            .iter()
            .map(|changes| changes.generation)
            .sum();
        if is_kept && let Some(page) = kept(organization, &key, generation) {
            return packed_response(page);
        }
        let owned = Arc::clone(organization);
        let (method, query, headers, body) = (
            self.method.to_owned(),
            self.query.to_owned(),
            self.headers.clone(),
            self.body.clone(),
        );
        let path = percent_decode_str(self.rest)
            .decode_utf8_lossy()
            .into_owned();
        let link_origin = self.link_origin.map(str::to_owned);
        let answered = tokio::task::spawn_blocking(move || {
            // A page of a large table takes a while: others read on a copy of nothing, so the lock
            // is held only as long as one page is written.
            let mut state = owned.lock();
            let call = dataverse::Call {
                method: &method,
                path,
                query: &query,
                headers: &headers,
                body: &body,
                prefer: headers.get("prefer").and_then(|value| value.to_str().ok()),
                origin,
                environment: owned.environment().to_owned(),
                api: owned.description.api_url.clone(),
                link_origin,
                user: dataverse::user(&state, user),
                tenant: owned.tenant(),
            };
            dataverse::answer(&mut state, &call)
        })
        .await;
        let response = answered.map_or_else(
            |_| StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            dataverse::Reply::into_response,
        );
        if !packs || response.status() != StatusCode::OK {
            return response;
        }
        let (mut parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX)
            .await
            .unwrap_or_default();
        if body.len() < WORTH_PACKING {
            return Response::from_parts(parts, Body::from(body));
        }
        let packed = tokio::task::spawn_blocking(move || gzip(&body))
            .await
            .unwrap_or_default();
        parts.headers.remove(header::CONTENT_LENGTH);
        parts
            .headers
            .insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        if is_kept {
            let page = Page {
                headers: parts.headers.clone(),
                body: packed.clone(),
            };
            keep(organization, key, generation, page);
        }
        Response::from_parts(parts, Body::from(packed))
    }

    /// The origin that was called, if it is one of the environment's.
    fn origin(&self, organization: &Organization) -> String {
        let host = self
            .headers
            .get(header::HOST)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let api = &organization.description.api_url;
        let is_api = api
            .split_once("://")
            .is_some_and(|(_, authority)| authority == host);
        if is_api {
            api.clone()
        } else {
            organization.environment().to_owned()
        }
    }
}

/// A request that runs. It is booked when it ends, also where the client went away.
struct Visit<'a> {
    organization: &'a Organization,
    user: u64,
    began: Instant,
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        let mut state = self.organization.lock();
        let took = self.began.elapsed();
        state.net.limits.leave(self.user, self.began, took);
    }
}

fn kept(organization: &Organization, key: &Key, generation: u64) -> Option<Page> {
    let cache = organization
        .cache
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    cache
        .pages
        .get(key)
        .filter(|(of, _)| *of == generation)
        .map(|(_, page)| page.clone())
}

fn keep(organization: &Organization, key: Key, generation: u64, page: Page) {
    let mut cache = organization
        .cache
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    if cache.bytes + page.body.len() > CACHE_BYTES {
        *cache = Cache::default();
    }
    cache.bytes += page.body.len();
    if let Some((_, old)) = cache.pages.insert(key, (generation, page)) {
        cache.bytes -= old.body.len();
    }
}

/// Compresses as the service does: quickly.
pub fn gzip(body: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 6), Compression::fast());
    // Writing into memory does not fail.
    let _ = encoder.write_all(body);
    encoder.finish().unwrap_or_default().into()
}

fn packed_response(page: Page) -> Response {
    let mut response = Response::new(Body::from(page.body));
    *response.headers_mut() = page.headers;
    response
}
