//! The one HTTP client, which follows the settings.

use std::sync::{MutexGuard, PoisonError};

use salesmirror_dataverse::{HttpConfig, http_client};

use super::{App, Network};
use crate::error::Result;

impl App {
    /// The one HTTP client; clones share its connections.
    #[must_use]
    pub fn http(&self) -> reqwest::Client {
        let is_incomplete = self.network().is_incomplete;
        if is_incomplete && let Err(error) = self.renew_http() {
            tracing::warn!(%error, "the settings of the network were not followed");
        }
        self.network().client.clone()
    }

    fn network(&self) -> MutexGuard<'_, Network> {
        self.inner
            .http
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the client anew, after its settings changed or the keychain was opened.
    pub(crate) fn renew_http(&self) -> Result<()> {
        let (proxy, is_incomplete) = self.proxy()?;
        let client = http_client(&HttpConfig {
            proxy,
            ..self.inner.http_config.clone()
        })?;
        *self.network() = Network {
            client,
            is_incomplete,
        };
        Ok(())
    }
}
