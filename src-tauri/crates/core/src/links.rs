//! Which addresses a window may hand to the system: records hold what anybody wrote.

use url::Url;

use crate::app::App;
use crate::error::{Error, Result};

/// Microsoft's own, with all that is below them.
const KNOWN: [&str; 15] = [
    "microsoft.com",
    "microsoft.us",
    "microsoftonline.com",
    "microsoftonline.us",
    "partner.microsoftonline.cn",
    "azure.com",
    "azure.us",
    "azure.cn",
    "powerapps.com",
    "powerapps.us",
    "powerapps.cn",
    "dynamics.com",
    "dynamics.cn",
    "microsoftdynamics.us",
    "appsplatform.us",
];

impl App {
    /// An address that may be opened: a page of Microsoft's, of a connection's own services, or
    /// somebody's mail address or telephone number.
    ///
    /// # Errors
    /// Anything else.
    pub async fn openable(&self, address: &str) -> Result<String> {
        let refused = || {
            Error::usage(
                "bad_link",
                format!("{address} is no page of Microsoft's or of a connected organisation."),
                "Copy it, and open it by hand where you trust it.",
            )
        };
        let url = Url::parse(address).map_err(|_| refused())?;
        if is_known(&url) {
            return Ok(url.into());
        }
        let connections = self.connections().await.unwrap_or_default();
        let is_own = connections
            .iter()
            .flat_map(|row| [&row.environment, &row.authority])
            .filter_map(|own| Url::parse(own).ok())
            .any(|own| own.origin() == url.origin());
        match is_own {
            true => Ok(url.into()),
            false => Err(refused()),
        }
    }
}

/// Somebody's mail address or telephone number, or a page of Microsoft's.
fn is_known(url: &Url) -> bool {
    if matches!(url.scheme(), "mailto" | "tel") {
        return true;
    }
    let host = url.host_str().unwrap_or_default();
    let is_below = |known: &str| {
        let above = host.strip_suffix(known);
        above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
    };
    url.scheme() == "https" && KNOWN.iter().any(|known| is_below(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_hosts_are_opened() {
        let known = |address: &str| Url::parse(address).is_ok_and(|url| is_known(&url));
        for address in [
            "https://entra.microsoft.com/#view/x",
            "https://contoso.crm4.dynamics.com/main.aspx?id=1",
            "mailto:dana@contoso.com",
            "tel:+4755550135",
        ] {
            assert!(known(address), "{address}");
        }
        for address in [
            "http://entra.microsoft.com/",
            "https://evilmicrosoft.com/",
            "https://microsoft.com.evil.example/",
            "https://user@evil.example/?microsoft.com",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "ms-settings:",
            "microsoft.com",
            "",
        ] {
            assert!(!known(address), "{address}");
        }
    }
}
