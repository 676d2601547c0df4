//! The one HTTP client of the process.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::header::HeaderValue;
use reqwest::redirect::Policy;
use salesmirror_model::network::Reason;
use salesmirror_model::urls::is_loopback;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::{Error, Result};

/// The service's own limit is 120 s; a shorter one would cut off answers that come.
const READ_TIMEOUT: Duration = Duration::from_secs(150);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// The way through a proxy. This computer's own addresses are never behind one.
#[derive(Debug, Clone, Default)]
pub enum Proxy {
    /// As the system or the environment (`HTTPS_PROXY`, `NO_PROXY`) is set.
    #[default]
    System,
    /// None.
    None,
    /// This one.
    Manual {
        /// Its address, `http://host:port` or `https://host:port`.
        url: Url,
        /// Who we are to it.
        user: Option<(String, SecretString)>,
    },
}

/// How to reach the network.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// `User-Agent`.
    pub user_agent: String,
    /// The way through a proxy.
    pub proxy: Proxy,
    /// A further root certificate (PEM), for an organisation's own authority.
    pub extra_root_pem: Option<Vec<u8>>,
    /// How long nothing may come in the middle of an answer, or before it.
    pub read_timeout: Duration,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            user_agent: String::new(),
            proxy: Proxy::System,
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
    builder = match through(&config.proxy) {
        Some(proxy) => builder.proxy(proxy),
        None => builder.no_proxy(),
    };
    if let Some(pem) = &config.extra_root_pem {
        let certificates = reqwest::Certificate::from_pem_bundle(pem).map_err(unusable)?;
        builder = builder.tls_certs_merge(certificates);
    }
    builder.build().map_err(unusable)
}

/// Decides for each address.
fn through(proxy: &Proxy) -> Option<reqwest::Proxy> {
    match proxy {
        Proxy::None => None,
        Proxy::System => {
            let system = Matcher::from_system();
            Some(reqwest::Proxy::custom(move |url| {
                if is_loopback(url) {
                    return None;
                }
                let found = system.intercept(&url.as_str().parse().ok()?)?;
                let proxy = Url::parse(&found.uri().to_string()).ok()?;
                match found.basic_auth().and_then(credentials) {
                    Some((user, password)) => with_credentials(proxy, &user, &password),
                    None => Some(proxy),
                }
            }))
        }
        Proxy::Manual { url, user } => {
            let address = url.clone();
            let proxy =
                reqwest::Proxy::custom(move |url| (!is_loopback(url)).then(|| address.clone()));
            Some(match user {
                Some((name, password)) => proxy.basic_auth(name, password.expose_secret()),
                None => proxy,
            })
        }
    }
}

/// User and password of a basic authorisation.
fn credentials(header: &HeaderValue) -> Option<(String, String)> {
    let encoded = header.to_str().ok()?.strip_prefix("Basic ")?;
    let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

/// The address with user and password in it, as the client reads them: percent-encoded. A URL leaves a
/// percent sign as it is, which would be read as the beginning of a code.
fn with_credentials(mut proxy: Url, user: &str, password: &str) -> Option<Url> {
    let encoded = |text: &str| text.replace('%', "%25");
    proxy.set_username(&encoded(user)).ok()?;
    proxy.set_password(Some(&encoded(password))).ok()?;
    Some(proxy)
}

fn unusable(error: reqwest::Error) -> Error {
    Error::Unreachable {
        host: "The network".to_owned(),
        reason: Reason::own(error.without_url().to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every sign that a URL could take for its own comes back as it was.
    #[test]
    fn credentials_of_the_system_are_handed_on_as_they_are() {
        let decoded = |text: &str| {
            let pairs = format!("x={}", text.replace('+', "%2B").replace('&', "%26"));
            let (_, value) = url::form_urlencoded::parse(pairs.as_bytes())
                .next()
                .expect("a pair");
            value.into_owned()
        };
        for (user, password) in [
            ("dana", "plain"),
            ("dana", ""),
            ("CONTOSO\\dana", "p@ss:w%20 7"),
            ("da%6ea", "100%"),
            ("d:a", "a/b?c#d&e+f"),
            ("däna", "pässwörd"),
        ] {
            let proxy = Url::parse("http://proxy.contoso.com:8080").expect("a URL");
            let found = with_credentials(proxy, user, password).expect("a URL");
            let read = (
                decoded(found.username()),
                decoded(found.password().unwrap_or_default()),
            );
            assert_eq!(read, (user.to_owned(), password.to_owned()));
        }
    }
}
