//! Joins signing in to the Web API client: access tokens in memory, refreshed for all tables at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use salesmirror_auth::{
    ClientKind, Endpoints, Registration, Secret, Tokens, client_credentials, discover, refresh,
};
use salesmirror_dataverse::{TokenError, TokenSource};
use salesmirror_store::AppDb;
use secrecy::ExposeSecret as _;
use tokio::sync::Mutex;
use url::Url;
use uuid::Uuid;

use crate::error::{Category, Error, Result, blocking};

/// A token is renewed so long before it ends, so that it does not end on its way.
const MARGIN: Duration = Duration::from_secs(120);

/// The tokens of one connection.
pub struct ConnectionTokens {
    http: reqwest::Client,
    registration: Registration,
    resource: Url,
    unattended: bool,
    /// Where refresh tokens are kept; `None` while a connection is being made.
    kept: Option<(AppDb, Uuid)>,
    current: Mutex<Current>,
}

#[derive(Default)]
struct Current {
    access: Option<(Secret, Instant)>,
    refresh: Option<Secret>,
    endpoints: Option<Endpoints>,
    /// Why the sign-in ended: every table hears the reason, not only the one that met it.
    ended: Option<Error>,
}

impl ConnectionTokens {
    /// Tokens of a connection that is being made.
    pub fn fresh(
        http: reqwest::Client,
        registration: Registration,
        resource: Url,
        unattended: bool,
        endpoints: Endpoints,
        tokens: Tokens,
    ) -> Arc<Self> {
        let current = Current {
            access: Some((tokens.access, Instant::now() + tokens.expires_in)),
            refresh: tokens.refresh,
            endpoints: Some(endpoints),
            ended: None,
        };
        Arc::new(Self {
            http,
            registration,
            resource,
            unattended,
            kept: None,
            current: Mutex::new(current),
        })
    }

    /// Tokens of a kept connection.
    pub fn kept(
        http: reqwest::Client,
        registration: Registration,
        resource: Url,
        unattended: bool,
        db: AppDb,
        connection: Uuid,
    ) -> Arc<Self> {
        let kept = Some((db, connection));
        Arc::new(Self {
            http,
            registration,
            resource,
            unattended,
            kept,
            current: Mutex::default(),
        })
    }

    /// The refresh token to keep with a new connection.
    pub async fn refresh_token(&self) -> Option<Secret> {
        self.current.lock().await.refresh.clone()
    }

    async fn renewed(&self, rejected: Option<&Secret>) -> Result<Secret> {
        let mut current = self.current.lock().await;
        if let Some((access, until)) = &current.access {
            let is_rejected =
                rejected.is_some_and(|token| token.expose_secret() == access.expose_secret());
            if !is_rejected && *until > Instant::now() + MARGIN {
                return Ok(access.clone());
            }
        }
        if let Some(reason) = &current.ended {
            return Err(reason.clone());
        }
        let endpoints = match &current.endpoints {
            Some(endpoints) => endpoints.clone(),
            None => {
                discover(
                    &self.http,
                    &self.registration.authority,
                    &self.registration.tenant,
                )
                .await?
            }
        };
        current.endpoints = Some(endpoints.clone());
        let tokens = if self.unattended {
            client_credentials(&self.http, &endpoints, &self.registration, &self.resource).await?
        } else {
            let token = self.stored_refresh_token(&current).await?;
            match refresh(
                &self.http,
                &endpoints,
                &self.registration,
                &token,
                &self.resource,
            )
            .await
            {
                Ok(tokens) => tokens,
                Err(error) => {
                    let is_over = error.needs_sign_in();
                    let error = Error::from(error);
                    if is_over {
                        self.keep(None).await?;
                        current.access = None;
                        current.ended = Some(error.clone());
                    }
                    return Err(error);
                }
            }
        };
        if let Some(new) = &tokens.refresh {
            // A refresh mostly gives a new refresh token: it is kept in the same step.
            self.keep(Some(new.clone())).await?;
            current.refresh = Some(new.clone());
        }
        current.access = Some((tokens.access.clone(), Instant::now() + tokens.expires_in));
        Ok(tokens.access)
    }

    async fn stored_refresh_token(&self, current: &Current) -> Result<Secret> {
        let token = match (&current.refresh, &self.kept) {
            (Some(token), _) => Some(token.clone()),
            (None, Some((db, connection))) => {
                let (db, connection) = (db.clone(), *connection);
                blocking(move || Ok(db.refresh_token(connection)?)).await?
            }
            (None, None) => None,
        };
        token.ok_or_else(signed_out)
    }

    async fn keep(&self, token: Option<Secret>) -> Result<()> {
        let Some((db, connection)) = self.kept.clone() else {
            return Ok(());
        };
        blocking(move || Ok(db.set_refresh_token(connection, token.as_ref())?)).await
    }
}

/// The answer where there is no sign-in to go on with.
pub fn signed_out() -> Error {
    Error::new(
        Category::SignIn,
        "signed_out",
        "This connection is signed out.",
        "Sign in again to keep syncing. Nothing is lost.",
    )
}

#[async_trait]
impl TokenSource for ConnectionTokens {
    async fn token(&self, rejected: Option<&Secret>) -> Result<Secret, TokenError> {
        self.renewed(rejected).await.map_err(|error| TokenError {
            source: Box::new(error),
        })
    }
}

/// The registration of a connection with the secret from the keychain.
pub fn registration(
    authority: &Url,
    tenant: &str,
    client_id: &str,
    secret: Option<Secret>,
) -> Registration {
    Registration {
        authority: authority.clone(),
        tenant: tenant.to_owned(),
        client_id: client_id.to_owned(),
        client: secret.map_or(ClientKind::Public, ClientKind::Confidential),
    }
}
