//! One attempt to sign in through the system browser.

use std::time::Duration;

use oauth2::{CsrfToken, PkceCodeChallenge};
use secrecy::{ExposeSecret as _, SecretString};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::callback::{Callback, PATH};
use crate::token::{self, Tokens, user_scope};
use crate::{AuthError, Endpoints, Registration};

/// What an attempt may ask for.
#[derive(Debug, Clone, Default)]
pub struct SignInOptions {
    /// Fixed port of the redirect URI; any free one where there is none.
    pub redirect_port: Option<u16>,
    /// `select_account`, `login`, `consent` or `none`.
    pub prompt: Option<String>,
    /// The account to offer.
    pub login_hint: Option<String>,
}

/// An attempt: its reply server listens, its `state` and verifier are made, and are used once.
pub struct SignIn {
    endpoints: Endpoints,
    registration: Registration,
    scope: String,
    callback: Callback,
    verifier: SecretString,
    redirect_uri: String,
    authorization_url: Url,
}

impl SignIn {
    /// Begins an attempt for access to an environment (`resource`).
    ///
    /// # Errors
    /// [`AuthError::PortTaken`] where the fixed port is in use.
    pub async fn begin(
        endpoints: &Endpoints,
        registration: &Registration,
        resource: &Url,
        options: &SignInOptions,
    ) -> Result<Self, AuthError> {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let state = CsrfToken::new_random();
        let callback = Callback::listen(options.redirect_port, state.secret().clone()).await?;
        let redirect_uri = format!("http://localhost:{}{PATH}", callback.port);
        let scope = user_scope(resource);
        let mut authorization_url = endpoints.authorization.clone();
        {
            let mut query = authorization_url.query_pairs_mut();
            query
                .append_pair("client_id", &registration.client_id)
                .append_pair("response_type", "code")
                .append_pair("redirect_uri", &redirect_uri)
                .append_pair("response_mode", "query")
                .append_pair("scope", &scope)
                .append_pair("state", state.secret())
                .append_pair("code_challenge", challenge.as_str())
                .append_pair("code_challenge_method", "S256");
            if let Some(prompt) = &options.prompt {
                query.append_pair("prompt", prompt);
            }
            if let Some(hint) = &options.login_hint {
                query.append_pair("login_hint", hint);
            }
        }
        Ok(Self {
            endpoints: endpoints.clone(),
            registration: registration.clone(),
            scope,
            callback,
            verifier: SecretString::from(verifier.secret().clone()),
            redirect_uri,
            authorization_url,
        })
    }

    /// The page to open in the browser.
    #[must_use]
    pub fn authorization_url(&self) -> &Url {
        &self.authorization_url
    }

    /// Where the browser comes back to.
    #[must_use]
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// Waits for the browser and exchanges its code for tokens.
    ///
    /// # Errors
    /// [`AuthError::TimedOut`], [`AuthError::Cancelled`], or whatever Entra ID says.
    pub async fn finish(
        mut self,
        http: &reqwest::Client,
        timeout: Duration,
        cancel: &CancellationToken,
    ) -> Result<Tokens, AuthError> {
        let code = tokio::select! {
            answer = self.callback.code() => answer?,
            () = tokio::time::sleep(timeout) => return Err(AuthError::TimedOut),
            () = cancel.cancelled() => return Err(AuthError::Cancelled),
        };
        let grant = [
            ("grant_type", "authorization_code"),
            ("code", code.expose_secret()),
            ("redirect_uri", self.redirect_uri.as_str()),
            ("code_verifier", self.verifier.expose_secret()),
        ];
        token::request(
            http,
            &self.endpoints,
            &self.registration,
            &grant,
            &self.scope,
        )
        .await
    }
}
