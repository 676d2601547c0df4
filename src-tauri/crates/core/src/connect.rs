//! Making a connection: nothing is kept before the sign-in has worked.

use std::time::Duration;

use salesmirror_auth::{Secret, SignIn, SignInOptions, Tokens, client_credentials, discover};
use salesmirror_dataverse::{Client, RetryPolicy};
use salesmirror_model::tables::DEFAULT_TABLES;
use salesmirror_model::urls::{is_loopback, parse_environment, parse_secure};
use salesmirror_store::ConnectionRow;
use secrecy::ExposeSecret as _;
use tokio_util::sync::CancellationToken;
use url::Url;
use uuid::Uuid;

use crate::app::{App, now_ms};
use crate::error::{Error, Result, blocking};
use crate::form::Form;
use crate::tokens::{ConnectionTokens, registration};

/// The commercial cloud's authority.
const COMMERCIAL: &str = "https://login.microsoftonline.com/";
/// Somebody waits in front of the screen: a broken network is told soon.
const PATIENCE: RetryPolicy = RetryPolicy {
    max_wait: Duration::from_secs(10),
    backoff: Duration::from_millis(500),
};

/// How a connection signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// A user, through the browser.
    Browser,
    /// The app itself (application user).
    ClientCredentials,
}

/// A connection to be made.
#[derive(Clone)]
pub struct Request {
    /// A name for it.
    pub name: String,
    /// Environment URL.
    pub environment: String,
    /// Tenant.
    pub tenant: String,
    /// Application (client) id.
    pub client_id: String,
    /// Client secret; `None` for a public client.
    pub client_secret: Option<Secret>,
    /// Authority; the commercial cloud's where there is none.
    pub authority: Option<String>,
    /// How it signs in.
    pub flow: Flow,
    /// Fixed port of the redirect URI.
    pub redirect_port: Option<u16>,
    /// How long to wait for the browser.
    pub timeout: Duration,
    /// What kind of environment it is, where the caller knows: `sample`.
    pub kind: Option<String>,
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

/// One check of a new connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was checked.
    pub name: String,
    /// Whether it passed.
    pub ok: bool,
    /// What was found.
    pub detail: String,
    /// What to do, where it did not pass.
    pub hint: String,
}

/// A connection that was made.
#[derive(Debug, Clone)]
pub struct Connected {
    /// The connection.
    pub row: ConnectionRow,
    /// What was checked.
    pub checks: Vec<Check>,
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
        let environment = parse_environment(&request.environment)?;
        let authority = parse_secure(request.authority.as_deref().unwrap_or(COMMERCIAL))?;
        // The sign-in is not worth asking for where its result cannot be kept.
        self.check_keychain().await?;
        let mut row = ConnectionRow {
            id: Uuid::new_v4(),
            name: request.name.trim().to_owned(),
            environment: environment.to_string(),
            other_origins: Vec::new(),
            authority: authority.to_string(),
            tenant: request.tenant.trim().to_owned(),
            client_id: request.client_id.trim().to_owned(),
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
        };
        let secret = request.client_secret.clone();
        let (client, tokens) = self
            .sign_in_to(&row, secret.clone(), request.timeout, open, cancel)
            .await?;
        let checks = examine(&client, &mut row, request.kind.is_none()).await?;
        let refresh = tokens.refresh_token().await;
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
        open: &(dyn Fn(&PendingSignIn) + Send + Sync),
        cancel: &CancellationToken,
    ) -> Result<ConnectionRow> {
        let secret = self.client_secret(row.id).await?;
        let mut row = row.clone();
        let (client, tokens) = self.sign_in_to(&row, secret, timeout, open, cancel).await?;
        examine(&client, &mut row, false).await?;
        row.signed_in = true;
        self.update(&row, tokens.refresh_token().await).await?;
        Ok(row)
    }

    async fn check_request(&self, request: &Request) -> Result<()> {
        let form = Form {
            name: &request.name,
            environment: &request.environment,
            tenant: &request.tenant,
            client_id: &request.client_id,
            client_secret: request
                .client_secret
                .as_ref()
                .map(|secret| secret.expose_secret()),
            authority: request.authority.as_deref(),
        };
        if let Some(problem) = form.problems().into_iter().next() {
            return Err(Error::usage(
                &format!("bad_{}", problem.field),
                problem.message,
                "",
            ));
        }
        if request.flow == Flow::ClientCredentials && request.client_secret.is_none() {
            return Err(Error::usage(
                "bad_client_secret",
                "An unattended connection needs a client secret.",
                "Enter the secret, or sign in through the browser.",
            ));
        }
        let name = request.name.trim();
        if self
            .connections()
            .await?
            .iter()
            .any(|row| row.name.eq_ignore_ascii_case(name))
        {
            return Err(Error::usage(
                "name_taken",
                format!("There is a connection \"{name}\" already."),
                "Choose another name, or disconnect that one first.",
            ));
        }
        Ok(())
    }

    async fn sign_in_to(
        &self,
        row: &ConnectionRow,
        secret: Option<Secret>,
        timeout: Duration,
        open: &(dyn Fn(&PendingSignIn) + Send + Sync),
        cancel: &CancellationToken,
    ) -> Result<(Client, std::sync::Arc<ConnectionTokens>)> {
        let authority = parse_secure(&row.authority)?;
        let environment = parse_secure(&row.environment)?;
        let http = self.http();
        let registration = registration(&authority, &row.tenant, &row.client_id, secret);
        let endpoints = discover(http, &authority, &row.tenant).await?;
        let unattended = row.flow == "client-credentials";
        let tokens: Tokens = if unattended {
            client_credentials(http, &endpoints, &registration, &environment).await?
        } else {
            let options = SignInOptions {
                redirect_port: row.redirect_port,
                login_hint: row.user.clone(),
                prompt: None,
            };
            let attempt = SignIn::begin(&endpoints, &registration, &environment, &options).await?;
            open(&PendingSignIn {
                authorization_url: attempt.authorization_url().to_string(),
                redirect_uri: attempt.redirect_uri().to_owned(),
                timeout,
            });
            attempt.finish(http, timeout, cancel).await?
        };
        let tokens = ConnectionTokens::fresh(
            http.clone(),
            registration,
            environment.clone(),
            unattended,
            endpoints,
            tokens,
        );
        let patience = if self.retry().max_wait < PATIENCE.max_wait {
            self.retry()
        } else {
            PATIENCE
        };
        let client =
            Client::new(http.clone(), &environment, &[], tokens.clone())?.with_policy(patience);
        Ok((client, tokens))
    }
}

/// Looks at what the new connection can do. Only who we are must work.
async fn examine(client: &Client, row: &mut ConnectionRow, judge_kind: bool) -> Result<Vec<Check>> {
    let who = client.who_am_i().await?;
    row.user = client
        .user_name(who.user_id)
        .await
        .ok()
        .flatten()
        .or_else(|| Some(who.user_id.to_string()));
    let mut checks = vec![passed("Signed in", row.user.clone().unwrap_or_default())];
    match client.organization().await {
        Ok(organization) => {
            let version = organization.organization_version;
            checks.push(passed(
                "Organisation",
                format!("{}, version {version}", organization.friendly_name),
            ));
            if judge_kind {
                let kind = organization
                    .organization_type
                    .as_ref()
                    .and_then(|kind| kind.as_str());
                row.environment_kind = match kind {
                    Some("Customer") if !is_loopback_text(&row.environment) => "production",
                    Some("CustomerTest" | "CustomerFreeTest" | "Trial") => "sandbox",
                    _ => "other",
                }
                .to_owned();
            }
            row.organization = Some(organization.friendly_name).filter(|name| !name.is_empty());
            row.organization_version = Some(version).filter(|version| !version.is_empty());
        }
        Err(error) => checks.push(failed("Organisation", &error)),
    }
    let tables =
        futures::future::join_all(DEFAULT_TABLES.map(|table| check_table(client, table))).await;
    checks.extend(tables.into_iter().flatten());
    match client.record_counts(&DEFAULT_TABLES).await {
        Ok(counts) => {
            let total: u64 = counts.values().sum();
            checks.push(passed(
                "Row counts",
                format!("{total} rows in {} tables", counts.len()),
            ));
        }
        Err(error) => checks.push(failed("Row counts", &error)),
    }
    Ok(checks)
}

fn is_loopback_text(environment: &str) -> bool {
    Url::parse(environment).is_ok_and(|url| is_loopback(&url))
}

async fn check_table(client: &Client, table: &str) -> Vec<Check> {
    let read = format!("Read {table}");
    let path = format!(
        "EntityDefinitions(LogicalName='{table}')?$select=EntitySetName,PrimaryIdAttribute,ChangeTrackingEnabled"
    );
    let definition: serde_json::Value = match client.get_json(&path).await {
        Ok(definition) => definition,
        Err(error) => return vec![failed(&read, &error)],
    };
    let text = |name: &str| {
        definition
            .get(name)
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default()
    };
    let first = format!(
        "{}?$select={}&$top=1",
        text("EntitySetName"),
        text("PrimaryIdAttribute")
    );
    let mut checks = vec![match client.get_json::<serde_json::Value>(&first).await {
        Ok(_) => passed(&read, "can be read".to_owned()),
        Err(error) => failed(&read, &error),
    }];
    let tracked = definition
        .get("ChangeTrackingEnabled")
        .and_then(serde_json::Value::as_bool);
    checks.push(Check {
        name: format!("Change tracking {table}"),
        ok: tracked == Some(true),
        detail: if tracked == Some(true) { "on" } else { "off" }.to_owned(),
        hint: if tracked == Some(true) {
            String::new()
        } else {
            "Switch on \"Track changes\" in the table's properties; until then every sync reads all rows.".to_owned()
        },
    });
    checks
}

fn passed(name: &str, detail: String) -> Check {
    Check {
        name: name.to_owned(),
        ok: true,
        detail,
        hint: String::new(),
    }
}

fn failed(name: &str, error: &salesmirror_dataverse::Error) -> Check {
    Check {
        name: name.to_owned(),
        ok: false,
        detail: error.to_string(),
        hint: error.hint(),
    }
}
