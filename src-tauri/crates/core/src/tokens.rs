//! Joins signing in to the Web API client: access tokens in memory, refreshed for all tables at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use salesmirror_auth::{
    AuthError, ClientKind, Endpoints, Registration, Secret, Tokens, client_credentials, discover,
    refresh,
};
use salesmirror_dataverse::{RetryPolicy, TokenError, TokenSource};
use salesmirror_model::Place;
use salesmirror_store::{AppDb, ConnectionRow};
use secrecy::ExposeSecret as _;
use tokio::sync::Mutex;
use url::Url;
use uuid::Uuid;

use crate::error::{Category, Error, Result, blocking};

/// A token is renewed so long before it ends, so that it does not end on its way.
const MARGIN: Duration = Duration::from_secs(120);
/// So long a refused secret is not sent again: every table would get the same answer.
const REFUSAL_LIFE: Duration = Duration::from_secs(60);
/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The tokens of one connection.
pub struct ConnectionTokens {
    http: reqwest::Client,
    registration: Registration,
    resource: Url,
    unattended: bool,
    policy: RetryPolicy,
    /// Where refresh tokens are kept; `None` while a connection is being made.
    kept: Option<(AppDb, Uuid)>,
    current: Mutex<Current>,
}

#[derive(Default)]
struct Current {
    access: Option<Access>,
    /// While a connection is being made; later the database has it.
    refresh: Option<Secret>,
    endpoints: Option<Endpoints>,
    ended: Option<Ended>,
}

struct Access {
    token: Secret,
    /// From then on it is renewed.
    renew_at: Instant,
}

/// Why the sign-in ended: every table hears the reason, not only the one that met it.
struct Ended {
    error: Error,
    at: Instant,
    /// The refresh token that was refused; another process may have a better one by now.
    refused: Option<Secret>,
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
            access: Some(Access::new(&tokens)),
            refresh: tokens.refresh,
            endpoints: Some(endpoints),
            ended: None,
        };
        Arc::new(Self {
            http,
            registration,
            resource,
            unattended,
            policy: RetryPolicy::default(),
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
        policy: RetryPolicy,
        db: AppDb,
        connection: Uuid,
    ) -> Arc<Self> {
        Arc::new(Self {
            http,
            registration,
            resource,
            unattended,
            policy,
            kept: Some((db, connection)),
            current: Mutex::default(),
        })
    }

    /// The refresh token to keep with a new connection.
    pub async fn refresh_token(&self) -> Option<Secret> {
        self.current.lock().await.refresh.clone()
    }

    /// An access token of the same user for another resource. It is not kept.
    ///
    /// # Errors
    /// Where no user is signed in, or the sign-in has ended.
    pub async fn for_resource(&self, resource: &Url) -> Result<Secret> {
        if self.unattended {
            return Err(Error::explained(
                Category::Usage,
                "needs_user",
                "This connection signs in as the app itself, and Global Discovery lists the environments of users only.",
            ));
        }
        let mut current = self.current.lock().await;
        let endpoints = self.endpoints(&mut current).await?;
        Ok(self
            .refreshed(&mut current, &endpoints, resource)
            .await?
            .access)
    }

    /// Makes sure that there is a token that is good now.
    ///
    /// # Errors
    /// Where the sign-in has ended, or the sign-in service does not answer.
    pub async fn ready(&self) -> Result<()> {
        self.renewed(None).await.map(drop)
    }

    async fn renewed(&self, rejected: Option<&Secret>) -> Result<Secret> {
        let mut current = self.current.lock().await;
        if let Some(access) = &current.access {
            let is_rejected =
                rejected.is_some_and(|token| token.expose_secret() == access.token.expose_secret());
            if !is_rejected && Instant::now() < access.renew_at {
                return Ok(access.token.clone());
            }
        }
        let endpoints = self.endpoints(&mut current).await?;
        let tokens = if self.unattended {
            self.app_tokens(&mut current, &endpoints).await?
        } else {
            self.refreshed(&mut current, &endpoints, &self.resource)
                .await?
        };
        current.access = Some(Access::new(&tokens));
        Ok(tokens.access)
    }

    async fn endpoints(&self, current: &mut Current) -> Result<Endpoints> {
        if let Some(endpoints) = &current.endpoints {
            return Ok(endpoints.clone());
        }
        let registration = &self.registration;
        let mut patience = self.patience();
        let asked = loop {
            match discover(&self.http, &registration.authority, &registration.tenant).await {
                Err(error) if patience.allows(&error).await => {}
                asked => break asked,
            }
        };
        let endpoints = asked.map_err(|error| self.explained(error))?;
        Ok(current.endpoints.insert(endpoints).clone())
    }

    async fn app_tokens(&self, current: &mut Current, endpoints: &Endpoints) -> Result<Tokens> {
        if let Some(ended) = &current.ended
            && ended.at.elapsed() < REFUSAL_LIFE
        {
            return Err(ended.error.clone());
        }
        let mut patience = self.patience();
        let asked = loop {
            match client_credentials(&self.http, endpoints, &self.registration, &self.resource)
                .await
            {
                Err(error) if patience.allows(&error).await => {}
                asked => break asked,
            }
        };
        asked.map_err(|error| {
            let is_refused = matches!(error, AuthError::Refused(_)) && !error.is_transient();
            let error = self.explained(error);
            if is_refused {
                current.ended = Some(Ended::new(&error, None));
            }
            error
        })
    }

    /// Tokens for the refresh token, which is mostly replaced by a new one: it is kept in the same
    /// step.
    async fn refreshed(
        &self,
        current: &mut Current,
        endpoints: &Endpoints,
        resource: &Url,
    ) -> Result<Tokens> {
        let mut refused: Option<Secret> = None;
        loop {
            let token = self.stored_refresh_token(current).await?;
            if let Some(ended) = &current.ended
                && is_same(ended.refused.as_ref(), token.as_ref())
            {
                return Err(ended.error.clone());
            }
            let token = token.ok_or_else(signed_out)?;
            let mut patience = self.patience();
            let asked = loop {
                match refresh(&self.http, endpoints, &self.registration, &token, resource).await {
                    Err(error) if patience.allows(&error).await => {}
                    asked => break asked,
                }
            };
            let error = match asked {
                Ok(tokens) => {
                    current.ended = None;
                    if let Some(new) = &tokens.refresh {
                        self.keep(Some(new.clone())).await?;
                        if self.kept.is_none() {
                            current.refresh = Some(new.clone());
                        }
                    }
                    return Ok(tokens);
                }
                Err(error) => error,
            };
            if !error.needs_sign_in() {
                return Err(self.explained(error));
            }
            // Another process may have signed in or renewed meanwhile; its token is tried once.
            let now = self.stored_refresh_token(current).await?;
            if refused.is_none() && now.is_some() && !is_same(now.as_ref(), Some(&token)) {
                refused = Some(token);
                continue;
            }
            let claims = error.claims().map(str::to_owned);
            let error = self.explained(error);
            self.keep_claims(claims).await?;
            self.keep(None).await?;
            current.access = None;
            current.ended = Some(Ended::new(&error, None));
            return Err(error);
        }
    }

    fn patience(&self) -> Patience {
        // Somebody waits while a connection is being made.
        let max_wait = match self.kept {
            Some(_) => self.policy.max_wait,
            None => Duration::ZERO,
        };
        Patience {
            until: Instant::now() + max_wait,
            pause: self.policy.backoff,
        }
    }

    fn explained(&self, error: AuthError) -> Error {
        Error::from(error).at(Place {
            authority: self.registration.authority.as_str(),
            environment: self.resource.as_str(),
            tenant: &self.registration.tenant,
            client_id: &self.registration.client_id,
        })
    }

    async fn stored_refresh_token(&self, current: &Current) -> Result<Option<Secret>> {
        match self.kept.clone() {
            Some((db, connection)) => blocking(move || Ok(db.refresh_token(connection)?)).await,
            None => Ok(current.refresh.clone()),
        }
    }

    async fn keep(&self, token: Option<Secret>) -> Result<()> {
        let Some((db, connection)) = self.kept.clone() else {
            return Ok(());
        };
        blocking(move || Ok(db.set_refresh_token(connection, token.as_ref())?)).await
    }

    /// Keeps what conditional access asked for until the next interactive sign-in.
    async fn keep_claims(&self, claims: Option<String>) -> Result<()> {
        let (Some((db, connection)), Some(claims)) = (self.kept.clone(), claims) else {
            return Ok(());
        };
        blocking(move || Ok(db.set_setting(&claims_setting(connection), &claims)?)).await
    }
}

/// How long a sign-in service that cannot be reached or is out of order is asked again.
struct Patience {
    until: Instant,
    pause: Duration,
}

impl Patience {
    /// Whether to ask again after this error; waits first.
    async fn allows(&mut self, error: &AuthError) -> bool {
        if !error.is_transient() || Instant::now() + self.pause > self.until {
            return false;
        }
        tracing::debug!(%error, "asking the sign-in service again");
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        true
    }
}

impl Access {
    fn new(tokens: &Tokens) -> Self {
        // A token that lives for minutes only must not be renewed with every request.
        let margin = MARGIN.min(tokens.expires_in / 4);
        Self {
            token: tokens.access.clone(),
            renew_at: Instant::now() + tokens.expires_in.saturating_sub(margin),
        }
    }
}

impl Ended {
    fn new(error: &Error, refused: Option<Secret>) -> Self {
        Self {
            error: error.clone(),
            at: Instant::now(),
            refused,
        }
    }
}

fn is_same(one: Option<&Secret>, other: Option<&Secret>) -> bool {
    one.map(|secret| secret.expose_secret()) == other.map(|secret| secret.expose_secret())
}

/// The setting that holds what conditional access asked for.
pub fn claims_setting(connection: Uuid) -> String {
    format!("claims/{connection}")
}

/// The answer where there is no sign-in to go on with.
pub fn signed_out() -> Error {
    Error::explained(
        Category::SignIn,
        "signed_out",
        "This connection is signed out.",
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

/// Where a connection's errors are mended.
pub fn place(row: &ConnectionRow) -> Place<'_> {
    Place {
        authority: &row.authority,
        environment: &row.environment,
        tenant: &row.tenant,
        client_id: &row.client_id,
    }
}
