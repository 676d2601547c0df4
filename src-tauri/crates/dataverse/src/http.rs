//! The one HTTP client of the process.

use std::time::Duration;

use reqwest::redirect::Policy;

use crate::{Error, Result};

/// The service's own limit is 120 s; a shorter one would cut off answers that come.
const READ_TIMEOUT: Duration = Duration::from_secs(150);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// How to reach the network.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// `User-Agent`.
    pub user_agent: String,
    /// A proxy's address; the system's setting where there is none.
    pub proxy: Option<String>,
    /// A further root certificate (PEM), for an organisation's own authority.
    pub extra_root_pem: Option<Vec<u8>>,
    /// How long nothing may come in the middle of an answer, or before it.
    pub read_timeout: Duration,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            user_agent: String::new(),
            proxy: None,
            extra_root_pem: None,
            read_timeout: READ_TIMEOUT,
        }
    }
}

/// Builds the client: redirects off, so that no token follows one; affinity cookies in memory.
///
/// # Errors
/// Where the proxy or the certificate cannot be read.
pub fn http_client(config: &HttpConfig) -> Result<reqwest::Client> {
    // A second call finds the provider in place, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .user_agent(&config.user_agent)
        .redirect(Policy::none())
        .cookie_store(true)
        .gzip(false)
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(config.read_timeout);
    if let Some(proxy) = &config.proxy {
        builder = builder.proxy(reqwest::Proxy::all(proxy).map_err(unusable)?);
    }
    if let Some(pem) = &config.extra_root_pem {
        let certificates = reqwest::Certificate::from_pem_bundle(pem).map_err(unusable)?;
        builder = builder.tls_certs_merge(certificates);
    }
    builder.build().map_err(unusable)
}

fn unusable(error: reqwest::Error) -> Error {
    Error::Unreachable {
        host: "The network".to_owned(),
        reason: error.without_url().to_string(),
    }
}
