//! A request, with what every answer needs of it.

use axum::http::HeaderMap;
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use uuid::Uuid;

use super::PATH;
use super::query::Options;
use super::record::Annotations;
use super::reply::Reply;

/// A request, alone or in a batch.
pub struct Call<'a> {
    pub method: &'a str,
    /// The path behind [`PATH`], decoded.
    pub path: String,
    pub query: &'a str,
    pub headers: &'a HeaderMap,
    pub body: &'a Bytes,
    pub prefer: Option<&'a str>,
    /// The origin that was called.
    pub origin: String,
    /// The environment's two origins.
    pub environment: String,
    pub api: String,
    pub link_origin: Option<String>,
    pub user: Uuid,
    pub tenant: Uuid,
}

impl<'a> Call<'a> {
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// A query parameter as it was sent.
    pub fn raw_parameter(&self, name: &str) -> Option<&'a str> {
        self.query.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            let key = percent_decode_str(key).decode_utf8().ok()?;
            (key == name).then_some(value)
        })
    }

    /// A query parameter, decoded.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let raw = self.raw_parameter(name)?.replace('+', " ");
        Some(percent_decode_str(&raw).decode_utf8_lossy().into_owned())
    }

    pub fn options(&self) -> Options {
        Options {
            select: self.parameter("$select"),
            filter: self.parameter("$filter"),
            order: self.parameter("$orderby"),
            top: self.top(),
            expand: self.parameter("$expand"),
        }
    }

    fn preferences(&self) -> impl Iterator<Item = &'a str> {
        // Commas inside quotes part annotation names, not preferences: names are found either way.
        self.prefer
            .unwrap_or_default()
            .split([',', ';'])
            .map(str::trim)
    }

    pub fn prefers(&self, name: &str) -> bool {
        self.preferences().any(|preference| preference == name)
    }

    pub fn page_size(&self) -> Option<usize> {
        self.preferences()
            .find_map(|preference| preference.strip_prefix("odata.maxpagesize=")?.parse().ok())
    }

    /// With a page size, `$top` is ignored.
    pub fn top(&self) -> Option<usize> {
        if self.page_size().is_some() {
            return None;
        }
        self.parameter("$top")?.parse().ok()
    }

    pub fn wants_count(&self) -> bool {
        self.parameter("$count").as_deref() == Some("true")
    }

    pub fn prefers_annotations(&self) -> bool {
        self.prefer
            .is_some_and(|text| text.contains("odata.include-annotations"))
    }

    /// Whether this annotation was asked for: by its name, by the part before a star, or by a star
    /// alone; a minus takes away.
    pub fn asks_for(&self, name: &str) -> bool {
        let Some((_, wanted)) = self
            .prefer
            .unwrap_or_default()
            .split_once("odata.include-annotations=")
        else {
            return false;
        };
        let list = match wanted.strip_prefix('"') {
            Some(rest) => rest.split('"').next().unwrap_or_default(),
            None => wanted.split([',', ';']).next().unwrap_or_default(),
        };
        let fits = |pattern: &str| match pattern.strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix),
            None => pattern == name,
        };
        let mut is_wanted = false;
        for pattern in list.split(',').map(str::trim) {
            match pattern.strip_prefix('-') {
                Some(pattern) if fits(pattern) => is_wanted = false,
                None if fits(pattern) => is_wanted = true,
                _ => {}
            }
        }
        is_wanted
    }

    pub fn annotations(&self) -> Annotations {
        Annotations {
            formatted: self.asks_for("OData.Community.Display.V1.FormattedValue"),
            lookup_table: self.asks_for("Microsoft.Dynamics.CRM.lookuplogicalname"),
            navigation: self.asks_for("Microsoft.Dynamics.CRM.associatednavigationproperty"),
        }
    }

    /// `…/$metadata#accounts(name)`.
    pub fn context(&self, what: &str) -> String {
        format!("{}{PATH}$metadata#{what}", self.origin)
    }

    /// The address of this list again, with these of its options as they were sent.
    pub fn link(&self, options: &[&str]) -> String {
        let origin = self.link_origin.as_deref().unwrap_or(&self.origin);
        let mut link = format!("{origin}{PATH}{}?", self.path.trim_end_matches('/'));
        for option in options {
            if let Some(value) = self.raw_parameter(option) {
                link.push_str(&format!("{option}={value}&"));
            }
        }
        link
    }

    /// Says which preferences were followed.
    pub fn applied(&self, reply: Reply) -> Reply {
        match self.prefer.filter(|text| !text.is_empty()) {
            Some(prefer) => reply.with("preference-applied", prefer.to_owned()),
            None => reply,
        }
    }
}
