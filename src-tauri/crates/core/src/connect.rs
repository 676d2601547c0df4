//! Making a connection: nothing is kept before the sign-in has worked.

use std::time::Duration;

use salesmirror_auth::{
    Endpoints, Registration, Secret, SignIn, SignInOptions, Tokens, client_credentials, discover,
};
use salesmirror_dataverse::Client;
use salesmirror_model::Place;
use salesmirror_model::urls::{parse_environment, parse_secure};
use salesmirror_store::ConnectionRow;
use secrecy::ExposeSecret as _;
use tokio_util::sync::CancellationToken;
use url::Url;
use uuid::Uuid;

use crate::app::{App, check_day, now_ms};
use crate::error::{Category, Error, Result, blocking};
use crate::examine::{Check, examine};
use crate::form::Form;
use crate::tokens::{self, ConnectionTokens, registration};
use crate::whereabouts::locate;

/// How a connection signs in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Flow {
    /// A user, through the browser.
    #[default]
    Browser,
    /// The app itself (application user).
    ClientCredentials,
}

/// A connection to be made.
#[derive(Clone, Default)]
pub struct Request {
    /// A name for it.
    pub name: String,
    /// Environment URL.
    pub environment: String,
    /// Tenant; where there is none the environment is asked.
    pub tenant: Option<String>,
    /// Application (client) id.
    pub client_id: String,
    /// Client secret; `None` for a public client.
    pub client_secret: Option<Secret>,
    /// Authority; where there is none the environment is asked.
    pub authority: Option<String>,
    /// How it signs in.
    pub flow: Flow,
    /// Fixed port of the redirect URI.
    pub redirect_port: Option<u16>,
    /// How long to wait for the browser.
    pub timeout: Duration,
    /// What kind of environment it is, where the caller knows: `sample`.
    pub kind: Option<String>,
    /// Whether the browser offers other accounts than the one that is signed in there.
    pub another_user: bool,
    /// The last day of the secret, as `YYYY-MM-DD`, where it is known.
    pub secret_expires: Option<String>,
    /// The connection that this one takes the place of.
    pub replaces: Option<Uuid>,
}

/// A sign-in that waits for the browser.
#[derive(Debug, Clone)]
pub struct PendingSignIn {
    /// The page to open.
    pub authorization_url: String,
    /// Where the browser comes back to.
    pub redirect_uri: String,
    /// How long is waited.
    pub timeout: Duration,
}

/// A connection that was made.
#[derive(Debug, Clone)]
pub struct Connected {
    /// The connection.
    pub row: ConnectionRow,
    /// What was checked.
    pub checks: Vec<Check>,
}

/// How somebody is asked to sign in.
pub(crate) struct Asking<'a> {
    pub timeout: Duration,
    /// What conditional access wants to see.
    pub claims: Option<String>,
    /// Whether the browser offers other accounts than the one that is signed in there.
    pub another_user: bool,
    pub open: &'a (dyn Fn(&PendingSignIn) + Send + Sync),
    pub cancel: &'a CancellationToken,
}

impl Asking<'_> {
    /// Opens the page and waits for the browser.
    pub async fn answered(
        &self,
        http: &reqwest::Client,
        endpoints: &Endpoints,
        registration: &Registration,
        resource: &Url,
        options: &SignInOptions,
    ) -> Result<Tokens> {
        let attempt = SignIn::begin(endpoints, registration, resource, options).await?;
        (self.open)(&PendingSignIn {
            authorization_url: attempt.authorization_url().to_string(),
            redirect_uri: attempt.redirect_uri().to_owned(),
            timeout: self.timeout,
        });
        Ok(attempt.finish(http, self.timeout, self.cancel).await?)
    }
}

impl App {
    /// Signs in, checks, and keeps a connection. `open` is called with the page for the browser.
    ///
    /// # Errors
    /// Bad input, a refused sign-in, an environment that cannot be reached: then nothing is kept.
    pub async fn connect(
        &self,
        request: &Request,
        open: &(dyn Fn(&PendingSignIn) + Send + Sync),
        cancel: &CancellationToken,
    ) -> Result<Connected> {
        self.check_request(request).await?;
        let missing = self.data_dir().missing();
        let connected = self.try_connect(request, open, cancel).await;
        if let (Err(_), Some(missing)) = (&connected, missing) {
            self.data_dir().remove_made(&missing);
        }
        tell(connected.as_ref().err(), "a connection was made");
        connected
    }

    async fn try_connect(
        &self,
        request: &Request,
        open: &(dyn Fn(&PendingSignIn) + Send + Sync),
        cancel: &CancellationToken,
    ) -> Result<Connected> {
        let environment = parse_environment(&request.environment)?;
        // The sign-in is not worth asking for where its result cannot be kept.
        self.check_keychain().await?;
        self.check_room().await?;
        let client_id = request.client_id.trim();
        let place = Place {
            authority: request.authority.as_deref().unwrap_or_default(),
            environment: environment.as_str(),
            tenant: request.tenant.as_deref().unwrap_or_default(),
            client_id,
        };
        let found = locate(
            &self.http(),
            &environment,
            request.authority.as_deref(),
            request.tenant.as_deref(),
        )
        .await
        .map_err(|error| error.at(place))?;
        let mut row = ConnectionRow {
            id: Uuid::new_v4(),
            name: request.name.trim().to_owned(),
            environment: environment.to_string(),
            other_origins: Vec::new(),
            authority: found.authority.to_string(),
            tenant: found.tenant,
            client_id: client_id.to_owned(),
            flow: match request.flow {
                Flow::Browser => "browser",
                Flow::ClientCredentials => "client-credentials",
            }
            .to_owned(),
            public_client: request.client_secret.is_none(),
            redirect_port: request.redirect_port,
            user: None,
            organization: None,
            organization_version: None,
            environment_kind: request.kind.clone().unwrap_or_else(|| "other".to_owned()),
            created_at: now_ms(),
            signed_in: true,
            secret_expires: request.secret_expires.clone(),
        };
        let asking = Asking {
            timeout: request.timeout,
            claims: None,
            another_user: request.another_user,
            open,
            cancel,
        };
        let secret = request.client_secret.clone();
        let (client, tokens) = self
            .sign_in_to(&row, found.endpoints, secret.clone(), asking)
            .await
            .map_err(|error| error.at(tokens::place(&row)))?;
        let checks = examine(&client, &mut row, request.kind.is_none(), &|_| ()).await;
        let checks = checks.map_err(|error| error.at(tokens::place(&row)))?;
        let refresh = tokens.refresh_token().await;
        if let Some(before) = self.replaced(request).await? {
            self.forget(&before).await?;
        }
        // The rows of a connection that was left to the same place are there at once, and are brought
        // up to date by the next sync.
        if let Some(left) = self.left_behind(&row).await? {
            row.id = left;
        }
        let app = self.clone();
        let kept = row.clone();
        blocking(move || app.keep(&kept, secret.as_ref(), refresh.as_ref())).await?;
        Ok(Connected { row, checks })
    }

    /// Signs a connection in again; its mirror stays.
    ///
    /// # Errors
    /// A refused sign-in; then the connection stays as it was.
    pub async fn sign_in_again(
        &self,
        row: &ConnectionRow,
        timeout: Duration,
        another_user: bool,
        open: &(dyn Fn(&PendingSignIn) + Send + Sync),
        cancel: &CancellationToken,
    ) -> Result<Connected> {
        let secret = self.client_secret(row.id).await?;
        let mut row = row.clone();
        let claims = self.claims(row.id).await?;
        let had_claims = claims.is_some();
        let asking = Asking {
            timeout,
            claims,
            another_user,
            open,
            cancel,
        };
        let signed_in = async {
            let endpoints =
                discover(&self.http(), &parse_secure(&row.authority)?, &row.tenant).await?;
            self.sign_in_to(&row, endpoints, secret, asking).await
        };
        let signed_in = signed_in.await;
        tell(signed_in.as_ref().err(), "a connection signed in again");
        let (client, tokens) = signed_in.map_err(|error| error.at(tokens::place(&row)))?;
        if another_user {
            row.user = None;
        }
        let checks = examine(&client, &mut row, false, &|_| ()).await;
        let checks = checks.map_err(|error| error.at(tokens::place(&row)))?;
        row.signed_in = true;
        self.update(&row, tokens.refresh_token().await).await?;
        if had_claims {
            self.forget_claims(row.id).await?;
        }
        Ok(Connected { row, checks })
    }

    async fn check_request(&self, request: &Request) -> Result<()> {
        let form = Form {
            name: &request.name,
            environment: &request.environment,
            tenant: request.tenant.as_deref(),
            client_id: &request.client_id,
            client_secret: request
                .client_secret
                .as_ref()
                .map(|secret| secret.expose_secret()),
            authority: request.authority.as_deref(),
        };
        if let Some(problem) = form.problems().into_iter().next() {
            return Err(Error::explained(
                Category::Usage,
                &format!("bad_{}", problem.field),
                problem.message,
            ));
        }
        if request.flow == Flow::ClientCredentials && request.client_secret.is_none() {
            return Err(Error::usage(
                "bad_client_secret",
                "An unattended connection needs a client secret.",
                "Enter the secret, or sign in through the browser.",
            ));
        }
        if let Some(day) = &request.secret_expires {
            check_day(day)?;
        }
        self.check_name(&request.name, request.replaces).await
    }

    async fn replaced(&self, request: &Request) -> Result<Option<ConnectionRow>> {
        let Some(id) = request.replaces else {
            return Ok(None);
        };
        let rows = self.connections().await?;
        Ok(rows.into_iter().find(|row| row.id == id))
    }

    async fn sign_in_to(
        &self,
        row: &ConnectionRow,
        endpoints: Endpoints,
        secret: Option<Secret>,
        asking: Asking<'_>,
    ) -> Result<(Client, std::sync::Arc<ConnectionTokens>)> {
        let authority = parse_secure(&row.authority)?;
        let environment = parse_secure(&row.environment)?;
        let http = &self.http();
        let registration = registration(&authority, &row.tenant, &row.client_id, secret);
        let unattended = row.flow == "client-credentials";
        let tokens: Tokens = if unattended {
            client_credentials(http, &endpoints, &registration, &environment).await?
        } else {
            let options = SignInOptions {
                redirect_port: row.redirect_port,
                // Only a sign-in name is a hint; where it was not known an id stands in its place.
                login_hint: row
                    .user
                    .clone()
                    .filter(|user| !asking.another_user && user.contains('@')),
                prompt: asking.another_user.then(|| "select_account".to_owned()),
                claims: asking.claims.clone(),
            };
            asking
                .answered(http, &endpoints, &registration, &environment, &options)
                .await?
        };
        let tokens = ConnectionTokens::fresh(
            http.clone(),
            registration,
            environment.clone(),
            unattended,
            endpoints,
            tokens,
        );
        let client = Client::new(http.clone(), &environment, &[], tokens.clone())?
            .with_policy(self.patience());
        Ok((client, tokens))
    }
}

/// Tells the log how a sign-in ended: an error by its code and reference, since its sentence may name
/// people.
fn tell(error: Option<&Error>, done: &str) {
    match error {
        None => tracing::info!("{done}"),
        Some(error) => tracing::warn!(
            code = error.code,
            reference = error.reference,
            "a sign-in failed"
        ),
    }
}
