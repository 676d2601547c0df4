//! Setting up a connection step by step: a draft that outlives the app, what is wrong with it, and
//! where in the portal each step is done.

mod cost;
mod draft;
mod finding;
mod guide;
pub mod scripts;

pub use cost::{FirstSync, first_sync};
pub use draft::{Draft, Step, Way};
pub use finding::{FoundEnvironment, FoundTenant};
pub use guide::Guide;

use std::time::Duration;

use salesmirror_auth::Secret;
use salesmirror_model::tables::DEFAULT_TABLES;
use salesmirror_store::{AppDb, ConnectionRow};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::app::{App, SecretName};
use crate::connect::{Flow, PendingSignIn, Request};
use crate::discovery::{DiscoveryRequest, Environment};
use crate::error::{Category, Error, Result, blocking};
use crate::examine::{Check, examine};
use crate::form::{FieldProblem, secret_problem};

/// How long the browser may take.
const PATIENCE: Duration = Duration::from_secs(300);

impl App {
    /// The set-up that was begun and not ended; `None` where there is none.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub async fn setup(&self) -> Result<Option<Draft>> {
        let path = self.data_dir().setup();
        blocking(move || Draft::read(&path)).await
    }

    async fn begun(&self) -> Result<Draft> {
        self.setup().await?.ok_or_else(|| {
            Error::usage(
                "no_setup",
                "No set-up is under way.",
                "Begin one with Connect.",
            )
        })
    }

    /// Begins a set-up, or gives the one that was begun.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub async fn begin_setup(&self) -> Result<Draft> {
        match self.setup().await? {
            Some(draft) => Ok(draft),
            None => self.keep_draft(Draft::new()).await,
        }
    }

    async fn keep_draft(&self, draft: Draft) -> Result<Draft> {
        let app = self.clone();
        blocking(move || {
            app.data_dir().create()?;
            draft.write(&app.data_dir().setup())?;
            Ok(draft)
        })
        .await
    }

    /// Keeps what was typed. What the window may not decide (the draft's id, its secret, its
    /// connection) stays as it was.
    ///
    /// # Errors
    /// Where no set-up is under way, or the disk refuses.
    pub async fn change_setup(&self, typed: Draft) -> Result<Draft> {
        let _one = self.setting_up().await;
        let before = self.begun().await?;
        let draft = Draft {
            id: before.id,
            has_secret: before.has_secret,
            connection: before.connection.filter(|_| before.leads_to(&typed)),
            ..typed
        };
        // A sign-in with other values than those that are shown now is worth nothing.
        if let (Some(id), None) = (before.connection, draft.connection) {
            self.undo(id).await?;
        }
        self.keep_draft(draft).await
    }

    /// Forgets a connection that the set-up made.
    async fn undo(&self, id: Uuid) -> Result<()> {
        let rows = self.connections().await?;
        match rows.iter().find(|row| row.id == id) {
            Some(row) => self.forget(row).await,
            None => Ok(()),
        }
    }

    /// Puts the secret into the keychain; an empty one is taken out.
    ///
    /// # Errors
    /// Where it is not a secret's value, or the keychain refuses.
    pub async fn keep_setup_secret(&self, secret: Secret) -> Result<Draft> {
        use secrecy::ExposeSecret as _;
        let _one = self.setting_up().await;
        let draft = self.begun().await?;
        let is_empty = secret.expose_secret().is_empty();
        if !is_empty && let Some(problem) = secret_problem(secret.expose_secret()) {
            return Err(Error::explained(
                Category::Usage,
                "bad_client_secret",
                problem,
            ));
        }
        let (app, name) = (self.clone(), SecretName::ClientSecret(draft.id));
        blocking(move || match is_empty {
            true => app.delete_secret(&name),
            false => app.set_secret(&name, &secret),
        })
        .await?;
        // The connection that was made with another secret is worth nothing.
        if let Some(id) = draft.connection {
            self.undo(id).await?;
        }
        self.keep_draft(Draft {
            has_secret: !is_empty,
            connection: None,
            ..draft
        })
        .await
    }

    async fn draft_secret(&self, draft: &Draft) -> Result<Option<Secret>> {
        if draft.public_client || !draft.has_secret {
            return Ok(None);
        }
        self.client_secret(draft.id).await
    }

    /// What keeps the draft from being signed in with.
    #[must_use]
    pub fn setup_problems(draft: &Draft) -> Vec<FieldProblem> {
        draft.problems()
    }

    /// The environments of the user who signs in for this. Nothing is kept.
    ///
    /// # Errors
    /// A refused sign-in, or Global Discovery cannot be reached.
    pub async fn setup_environments(
        &self,
        open: &(dyn Fn(&PendingSignIn) + Send + Sync),
        cancel: &CancellationToken,
    ) -> Result<Vec<Environment>> {
        let draft = self.begun().await?;
        let request = DiscoveryRequest {
            cloud: draft.cloud().id.to_owned(),
            tenant: draft.named_tenant(),
            client_id: draft.client_id.trim().to_owned(),
            client_secret: self.draft_secret(&draft).await?,
            authority: draft.own_authority(),
            discovery: draft.own_discovery(),
            redirect_port: draft.redirect_port,
            timeout: PATIENCE,
        };
        self.discover(&request, open, cancel).await
    }

    /// Signs in with the draft. What comes of it is a connection that nothing syncs yet.
    ///
    /// # Errors
    /// Bad input, a refused sign-in: then the draft stays as it was.
    pub async fn sign_in_setup(
        &self,
        another_user: bool,
        open: &(dyn Fn(&PendingSignIn) + Send + Sync),
        cancel: &CancellationToken,
    ) -> Result<Draft> {
        let draft = self.begun().await?;
        let request = Request {
            name: draft.name.trim().to_owned(),
            environment: draft.environment.clone(),
            tenant: draft.named_tenant(),
            client_id: draft.client_id.clone(),
            client_secret: self.draft_secret(&draft).await?,
            authority: draft.own_authority(),
            flow: match draft.unattended {
                true => Flow::ClientCredentials,
                false => Flow::Browser,
            },
            redirect_port: draft.redirect_port,
            timeout: PATIENCE,
            kind: None,
            another_user,
            secret_expires: draft.secret_expires.clone(),
            replaces: draft.connection,
        };
        let connected = self.connect(&request, open, cancel).await?;
        self.keep_draft(Draft {
            connection: Some(connected.row.id),
            step: Step::Check,
            ..draft
        })
        .await
    }

    /// The connection that the set-up made; nothing shows it beside the others before it is ended.
    ///
    /// # Errors
    /// Where there was no sign-in yet.
    pub async fn setup_connection(&self) -> Result<ConnectionRow> {
        let draft = self.begun().await?;
        let rows = self.connections().await?;
        let found = rows
            .into_iter()
            .find(|row| draft.connection == Some(row.id));
        found.ok_or_else(|| {
            Error::usage(
                "not_signed_in_yet",
                "Nobody has signed in for this connection yet.",
                "Go back one step and sign in.",
            )
        })
    }

    /// Checks what the new connection can do; `tell` hears of each check as it ends.
    ///
    /// # Errors
    /// Where there was no sign-in yet, or it is not good any more.
    pub async fn check_setup(
        &self,
        tell: &(dyn Fn(&[Check]) + Send + Sync),
        cancel: &CancellationToken,
    ) -> Result<Vec<Check>> {
        let mut row = self.setup_connection().await?;
        let session = self.session(&row).await?;
        let client = session.client().clone().with_policy(self.patience());
        let checks = tokio::select! {
            checks = examine(&client, &mut row, false, tell) => checks,
            () = cancel.cancelled() => Err(Error::interrupted()),
        };
        checks.map_err(|error| error.at(crate::tokens::place(session.row())))
    }

    /// Ends the set-up: the connection is there with the others, without the tables that are left
    /// out, and its schedule begins the first sync.
    ///
    /// # Errors
    /// Where there was no sign-in yet, or the disk or the keychain refuses.
    pub async fn finish_setup(&self, without: Vec<String>) -> Result<ConnectionRow> {
        let row = self.setup_connection().await?;
        if !without.is_empty() {
            let tables: Vec<&str> = DEFAULT_TABLES
                .into_iter()
                .filter(|table| !without.iter().any(|left_out| left_out == table))
                .collect();
            let (app, id) = (self.clone(), row.id);
            let text = serde_json::Value::from(tables).to_string();
            blocking(move || Ok(app.make_db()?.set_setting(&AppDb::tables_key(id), &text)?))
                .await?;
        }
        self.forget_draft().await?;
        Ok(row)
    }

    /// Gives the set-up up: what was typed, the secret and a connection that it made are forgotten.
    ///
    /// # Errors
    /// Where the disk or the keychain refuses.
    pub async fn discard_setup(&self) -> Result<()> {
        if let Some(Draft {
            connection: Some(id),
            ..
        }) = self.setup().await?
        {
            self.undo(id).await?;
        }
        self.forget_draft().await
    }

    async fn forget_draft(&self) -> Result<()> {
        let Some(draft) = self.setup().await? else {
            return Ok(());
        };
        let app = self.clone();
        blocking(move || {
            if draft.has_secret {
                app.delete_secret(&SecretName::ClientSecret(draft.id))?;
            }
            Draft::remove(&app.data_dir().setup())
        })
        .await
    }

    /// The connections without the one that is still being set up.
    ///
    /// # Errors
    /// Where the keychain or the database cannot be read.
    pub async fn settled_connections(&self) -> Result<Vec<ConnectionRow>> {
        let unsettled = self.setup().await?.and_then(|draft| draft.connection);
        let mut rows = self.connections().await?;
        rows.retain(|row| Some(row.id) != unsettled);
        Ok(rows)
    }
}
