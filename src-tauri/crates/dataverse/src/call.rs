//! A request to the service, and what came back.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, RequestBuilder, StatusCode};
use tokio::sync::OwnedSemaphorePermit;
use url::Url;
use uuid::Uuid;

/// A request to send.
pub(crate) struct Call<'a> {
    pub method: Method,
    pub url: &'a Url,
    pub prefer: Option<&'a str>,
    /// Further headers, which stand for ours of the same name.
    pub headers: HeaderMap,
    pub body: Option<Bytes>,
    /// A page of records: takes room in memory, and is not repeated where it breaks.
    pub is_page: bool,
    /// Whether it does no harm to send it twice.
    pub is_repeatable: bool,
    /// Whether a refusal is an answer like any other.
    pub takes_any_status: bool,
    /// Of a write: set where an answer was lost, so that it may have been done.
    pub lost: Option<&'a AtomicBool>,
}

impl<'a> Call<'a> {
    pub fn get(url: &'a Url, prefer: Option<&'a str>) -> Self {
        Self {
            method: Method::GET,
            url,
            prefer,
            headers: HeaderMap::new(),
            body: None,
            is_page: false,
            is_repeatable: true,
            takes_any_status: false,
            lost: None,
        }
    }

    /// The request with the headers that Dataverse asks for, and with its body.
    pub fn with_headers(&self, mut request: RequestBuilder) -> RequestBuilder {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("odata-maxversion", "4.0"),
            ("odata-version", "4.0"),
            ("accept", "application/json"),
            ("accept-encoding", "gzip"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        if self.method == Method::GET {
            headers.insert("if-none-match", HeaderValue::from_static("null"));
        }
        if let Ok(id) = HeaderValue::from_str(&Uuid::new_v4().to_string()) {
            headers.insert("x-ms-client-request-id", id);
        }
        if let Some(prefer) = self
            .prefer
            .and_then(|text| HeaderValue::from_str(text).ok())
        {
            headers.insert(HeaderName::from_static("prefer"), prefer);
        }
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
        if let Some(body) = &self.body {
            request = request.body(body.clone());
        }
        request.headers(headers)
    }

    pub fn note_lost(&self, is_lost: bool) {
        if let Some(lost) = self.lost.filter(|_| is_lost) {
            lost.store(true, Relaxed);
        }
    }
}

/// What came back.
pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub room: Option<OwnedSemaphorePermit>,
}
