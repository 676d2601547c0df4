//! One attempt to sign in through the system browser.

use std::time::Duration;

use oauth2::{CsrfToken, PkceCodeChallenge};
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::callback::{Callback, Doors, PATH, Round};
use crate::token::{self, Grant, Scope, Tokens};
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
    /// What conditional access asked to see, from [`AuthError::claims`].
    pub claims: Option<String>,
}

/// An attempt: its reply server listens, its `state` and verifier are made, and are used once.
pub struct SignIn {
    endpoints: Endpoints,
    registration: Registration,
    resource: Url,
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
        let doors = Doors::open(options.redirect_port).await?;
        let redirect_uri = format!("http://localhost:{}{PATH}", doors.port);
        // No code is issued where a scope is refused, so that the verifier serves both rounds.
        let round = |scope: Scope| {
            let state = CsrfToken::new_random().secret().clone();
            let mut url = endpoints.authorization.clone();
            {
                let mut query = url.query_pairs_mut();
                query
                    .append_pair("client_id", &registration.client_id)
                    .append_pair("response_type", "code")
                    .append_pair("redirect_uri", &redirect_uri)
                    .append_pair("response_mode", "query")
                    .append_pair("scope", &scope.text(resource))
                    .append_pair("state", &state)
                    .append_pair("code_challenge", challenge.as_str())
                    .append_pair("code_challenge_method", "S256");
                for (name, value) in [
                    ("prompt", &options.prompt),
                    ("login_hint", &options.login_hint),
                    ("claims", &options.claims),
                ] {
                    if let Some(value) = value {
                        query.append_pair(name, value);
                    }
                }
            }
            Round { scope, state, url }
        };
        let rounds = [round(Scope::Impersonation), round(Scope::Default)];
        let authorization_url = rounds[0].url.clone();
        Ok(Self {
            endpoints: endpoints.clone(),
            registration: registration.clone(),
            resource: resource.clone(),
            callback: doors.wait_for(rounds),
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
        let (code, scope) = tokio::select! {
            answer = self.callback.code() => answer?,
            () = tokio::time::sleep(timeout) => return Err(AuthError::TimedOut),
            () = cancel.cancelled() => return Err(AuthError::Cancelled),
        };
        use secrecy::ExposeSecret as _;
        let grant = Grant {
            kind: "authorization_code",
            secret: Some(("code", &code)),
            more: &[
                ("redirect_uri", self.redirect_uri.as_str()),
                ("code_verifier", self.verifier.expose_secret()),
            ],
        };
        let exchange = token::for_user(
            http,
            &self.endpoints,
            &self.registration,
            &grant,
            scope,
            &self.resource,
        );
        tokio::select! {
            tokens = exchange => tokens,
            () = cancel.cancelled() => Err(AuthError::Cancelled),
        }
    }
}
