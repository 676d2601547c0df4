//! The rules on addresses: which are taken, and which may see a token.

use std::net::IpAddr;

use url::{Host, Url};

/// Why an address is refused. The text is a sentence for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Not an absolute URL.
    #[error("“{0}” is not a web address.")]
    Malformed(String),
    /// Not https, and not http on loopback.
    #[error("“{0}” is not an https address. Plain http is accepted on this computer only.")]
    Insecure(String),
    /// Carries a user name or password.
    #[error("“{0}” carries a user name or password, which an environment address never does.")]
    Credentials(String),
    /// Points to another origin than the one a token was issued for.
    #[error(
        "The link leads to {link}, which does not belong to {environment}. It was not followed."
    )]
    ForeignOrigin {
        /// Origin of the refused link.
        link: String,
        /// Origin of the environment.
        environment: String,
    },
    /// Points outside the Web API of its origin.
    #[error("The link leads outside the Web API ({0}). It was not followed.")]
    ForeignPath(String),
}

/// Whether a host is this computer: `localhost`, 127.0.0.0/8 or `::1`.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

/// Parses an address and refuses what is neither https nor http on loopback.
///
/// # Errors
/// [`UrlError`] with a sentence that says what is wrong.
pub fn parse_secure(text: &str) -> Result<Url, UrlError> {
    let text = text.trim();
    let url = Url::parse(text).map_err(|_| UrlError::Malformed(text.to_owned()))?;
    if !url.has_host() {
        return Err(UrlError::Malformed(text.to_owned()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlError::Credentials(url.origin().ascii_serialization()));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        _ => Err(UrlError::Insecure(text.to_owned())),
    }
}

/// The origin of an environment from what an admin pastes: a bare host, the address of a page
/// of the app, with or without a path. Everything after the host is dropped.
///
/// # Errors
/// [`UrlError`] with a sentence that says what is wrong.
pub fn parse_environment(text: &str) -> Result<Url, UrlError> {
    let text = text.trim();
    let with_scheme = if text.contains("://") {
        text.to_owned()
    } else {
        format!("https://{text}")
    };
    let mut url = parse_secure(&with_scheme)?;
    url.set_path("/");
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

/// The one function that decides whether a token may go to an address: the link must be on one of
/// the origins that belong to the environment, under the Web API's path.
///
/// Only scheme, host, port and path prefix are looked at; the caller sends the link byte for byte.
///
/// # Errors
/// [`UrlError::ForeignOrigin`] or [`UrlError::ForeignPath`].
pub fn check_token_target(link: &Url, origins: &[Url], path_prefix: &str) -> Result<(), UrlError> {
    let environment = origins
        .first()
        .map(|origin| origin.origin().ascii_serialization())
        .unwrap_or_default();
    let allowed = link.username().is_empty()
        && link.password().is_none()
        && origins
            .iter()
            .any(|origin| origin.origin() == link.origin());
    if !allowed {
        return Err(UrlError::ForeignOrigin {
            link: link.origin().ascii_serialization(),
            environment,
        });
    }
    if link.path().starts_with(path_prefix) {
        Ok(())
    } else {
        Err(UrlError::ForeignPath(link.path().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environment_addresses() {
        for (given, expect) in [
            (
                "contoso.crm4.dynamics.com",
                "https://contoso.crm4.dynamics.com/",
            ),
            (
                " https://contoso.crm.dynamics.com/main.aspx?appid=1#x ",
                "https://contoso.crm.dynamics.com/",
            ),
            (
                "http://localhost:8080/api/data/v9.2",
                "http://localhost:8080/",
            ),
            ("http://[::1]:99", "http://[::1]:99/"),
        ] {
            assert_eq!(parse_environment(given).expect(given).as_str(), expect);
        }
        for refused in [
            "",
            "http://contoso.crm.dynamics.com",
            "ftp://x",
            "https://a:b@c.example",
            "not a url",
            "http://127.0.0.1.evil.example",
        ] {
            assert!(parse_environment(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn tokens_stay_at_home() {
        let origins = [
            Url::parse("https://org.crm.dynamics.com/").expect("url"),
            Url::parse("https://org.api.crm.dynamics.com/").expect("url"),
        ];
        let check =
            |link: &str| check_token_target(&Url::parse(link).expect(link), &origins, "/api/data/");
        for fine in [
            "https://org.crm.dynamics.com/api/data/v9.2/accounts",
            "https://org.api.crm.dynamics.com:443/api/data/v9.2/accounts?$skiptoken=x",
        ] {
            assert_eq!(check(fine), Ok(()), "{fine}");
        }
        for refused in [
            "https://org.crm.dynamics.com.evil.example/api/data/v9.2/a",
            "http://org.crm.dynamics.com/api/data/v9.2/a",
            "https://org.crm.dynamics.com:444/api/data/v9.2/a",
            "https://org.crm.dynamics.com@evil.example/api/data/",
            "https://u@org.crm.dynamics.com/api/data/",
            "https://org.crm.dynamics.com/other",
            "https://org.crm.dynamics.com/api/data/../../x",
        ] {
            assert!(check(refused).is_err(), "{refused}");
        }
    }
}
