//! Settings of the whole product that are needed before the keychain is open: they are in a file of
//! their own. A proxy's password is in the keychain.

use std::fs;

use salesmirror_auth::Secret;
use salesmirror_dataverse::Proxy;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{App, SecretName};
use crate::data_dir::write_whole;
use crate::error::{Category, Error, Result, blocking};
use crate::log;

/// The settings as they stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AppSettings {
    /// `system`, `none`, or the proxy's address.
    pub proxy: String,
    /// The user name that the proxy wants; empty where it wants none.
    pub proxy_user: String,
    /// Whether the keychain has the proxy's password.
    pub has_proxy_password: bool,
    /// `error`, `warn`, `info` or `debug`.
    pub log_level: String,
}

impl Default for AppSettings {
    fn default() -> Self {
        Self {
            proxy: SYSTEM.to_owned(),
            proxy_user: String::new(),
            has_proxy_password: false,
            log_level: log::USUAL_LEVEL.to_owned(),
        }
    }
}

/// What is changed; `None` leaves it as it is.
#[derive(Clone, Default)]
pub struct AppSettingsChange {
    /// `system`, `none`, or the proxy's address.
    pub proxy: Option<String>,
    /// The user name that the proxy wants.
    pub proxy_user: Option<String>,
    /// The password that the proxy wants; an empty one is forgotten.
    pub proxy_password: Option<Secret>,
    /// `error`, `warn`, `info` or `debug`.
    pub log_level: Option<String>,
}

const SYSTEM: &str = "system";
const NONE: &str = "none";

/// A proxy's address: host and port, with http or https before them.
fn proxy_address(text: &str) -> Result<Url> {
    let with_scheme = match text.contains("://") {
        true => text.to_owned(),
        false => format!("http://{text}"),
    };
    let refused = |sentence: String| {
        Error::usage(
            "bad_proxy",
            sentence,
            "Enter \"system\", \"none\", or an address such as http://proxy.contoso.com:8080.",
        )
    };
    let url = Url::parse(&with_scheme)
        .ok()
        .filter(|url| url.has_host() && matches!(url.scheme(), "http" | "https"))
        .ok_or_else(|| refused(format!("\"{text}\" is not the address of a proxy.")))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused(
            "User name and password do not belong into the proxy's address: they have fields of their own."
                .to_owned(),
        ));
    }
    Ok(url)
}

impl App {
    /// The settings of the whole product.
    #[must_use]
    pub fn app_settings(&self) -> AppSettings {
        AppSettings::read(self.data_dir())
    }

    /// Changes them; the network is reached by them from the next request on.
    ///
    /// # Errors
    /// Where one makes no sense, or the disk or the keychain refuses.
    pub async fn set_app_settings(&self, change: AppSettingsChange) -> Result<AppSettings> {
        let app = self.clone();
        let (settings, is_other_way) = blocking(move || app.keep_app_settings(change)).await?;
        if is_other_way {
            for session in self.open_sessions() {
                self.close(session.row().id).await;
            }
        }
        Ok(settings)
    }

    fn keep_app_settings(&self, change: AppSettingsChange) -> Result<(AppSettings, bool)> {
        use secrecy::ExposeSecret as _;
        let mut settings = self.app_settings();
        let is_other_way = change.proxy.is_some()
            || change.proxy_user.is_some()
            || change.proxy_password.is_some();
        if let Some(proxy) = &change.proxy {
            let proxy = proxy.trim();
            settings.proxy = match proxy {
                "" | SYSTEM => SYSTEM.to_owned(),
                NONE => NONE.to_owned(),
                address => proxy_address(address)?.to_string(),
            };
        }
        if let Some(user) = change.proxy_user {
            user.trim().clone_into(&mut settings.proxy_user);
        }
        if let Some(level) = change.log_level {
            settings.log_level = log::level(&level)?.to_owned();
        }
        self.data_dir().create()?;
        if let Some(password) = change.proxy_password {
            settings.has_proxy_password = !password.expose_secret().is_empty();
            match settings.has_proxy_password {
                true => self.set_secret(&SecretName::ProxyPassword, &password)?,
                false => self.delete_secret(&SecretName::ProxyPassword)?,
            }
        }
        let path = self.data_dir().app_settings();
        let text = serde_json::to_string_pretty(&settings)
            .map_err(|error| Error::file(&path, &error.into()))?;
        write_whole(&path, &text)?;
        log::set_level(&settings.log_level);
        if is_other_way {
            self.renew_http()?;
        }
        Ok((settings, is_other_way))
    }

    /// The way through a proxy, and whether its password could not be had.
    pub(super) fn proxy(&self) -> Result<(Proxy, bool)> {
        let settings = self.app_settings();
        let url = match settings.proxy.as_str() {
            SYSTEM => return Ok((Proxy::System, false)),
            NONE => return Ok((Proxy::None, false)),
            address => proxy_address(address)?,
        };
        if settings.proxy_user.is_empty() {
            return Ok((Proxy::Manual { url, user: None }, false));
        }
        let (password, is_missing) = match settings.has_proxy_password {
            false => (Secret::default(), false),
            true => match self.secret(&SecretName::ProxyPassword) {
                Ok(password) => (password.unwrap_or_default(), false),
                Err(error) if error.category == Category::Keychain => (Secret::default(), true),
                Err(error) => return Err(error),
            },
        };
        let user = Some((settings.proxy_user, password));
        Ok((Proxy::Manual { url, user }, is_missing))
    }
}

impl AppSettings {
    /// Those that are kept in a folder; the usual ones where there are none, or none that can be read:
    /// nothing would start, and the commands that mend them neither.
    pub(crate) fn read(data_dir: &crate::DataDir) -> Self {
        let text = fs::read_to_string(data_dir.app_settings()).unwrap_or_default();
        let mut settings: Self = serde_json::from_str(&text).unwrap_or_default();
        let is_word = matches!(settings.proxy.as_str(), SYSTEM | NONE);
        if !is_word && proxy_address(&settings.proxy).is_err() {
            SYSTEM.clone_into(&mut settings.proxy);
        }
        if log::level(&settings.log_level).is_err() {
            log::USUAL_LEVEL.clone_into(&mut settings.log_level);
        }
        settings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_an_address_without_a_password() {
        for (text, taken) in [
            (
                "proxy.contoso.com:8080",
                Some("http://proxy.contoso.com:8080/"),
            ),
            ("http://10.0.0.1:3128", Some("http://10.0.0.1:3128/")),
            (
                "https://proxy.contoso.com",
                Some("https://proxy.contoso.com/"),
            ),
            ("socks5://proxy:1080", None),
            ("http://user:secret@proxy:8080", None),
            ("two words", None),
            ("http://", None),
        ] {
            let found = proxy_address(text);
            assert_eq!(found.as_ref().ok().map(Url::as_str), taken, "{text}");
            if let Err(error) = found {
                assert!(!error.message.contains("secret"), "{error}");
            }
        }
    }
}
