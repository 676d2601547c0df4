//! The APIs that the admin switched on: which connections are served, at which ports, and why one is
//! not where it should be. What was switched on is on again when the program starts the next time.

use std::collections::HashMap;
use std::sync::Arc;

use salesmirror_core::{App, Error, NewApiKey, Result, Scope, Session, parse_guid};
use salesmirror_wire::{ApiChange, ApiScope};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::calls::Call;
use crate::server::{Running, Server};

/// The port that is offered first.
const USUAL_PORT: u16 = 7365;
/// Name under which a connection remembers what was switched.
const MEMORY: &str = "local-api";

/// What the admin wants of a connection's API.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Wanted {
    on: bool,
    port: u16,
}

/// How a connection's API stands.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Whether it was switched on.
    pub is_on: bool,
    /// The port that it has, or would have.
    pub port: u16,
    /// Where it answers; `None` where it does not.
    pub url: Option<String>,
    /// Why it does not, though it was switched on.
    pub problem: Option<Error>,
    /// The newest calls, the oldest of them first.
    pub calls: Vec<Call>,
}

/// The APIs of a program's connections; clones share them.
#[derive(Clone, Default)]
pub struct Served {
    served: Arc<Mutex<HashMap<Uuid, Result<Running>>>>,
}

impl Served {
    /// How a connection's API stands.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub async fn standing(&self, session: &Session) -> Result<Standing> {
        let wanted = wanted(session).await?;
        let served = self.served.lock().await;
        let running = served.get(&session.row().id);
        let (url, calls, problem) = match running {
            Some(Ok(running)) => (Some(running.url()), running.calls().0, None),
            Some(Err(error)) => (None, Vec::new(), Some(error.clone())),
            None => (None, Vec::new(), None),
        };
        let is_taken = |port: u16| {
            let mut ports = served.values().flatten().map(Running::port);
            ports.any(|other| other == port)
        };
        let port = match wanted {
            Some(wanted) => wanted.port,
            None => (USUAL_PORT..=u16::MAX)
                .find(|port| !is_taken(*port))
                .unwrap_or(USUAL_PORT),
        };
        Ok(Standing {
            is_on: wanted.is_some_and(|wanted| wanted.on),
            port,
            url,
            problem,
            calls,
        })
    }

    /// Does what the admin asked for; gives the key where one was made. Where a connection cannot be
    /// served, though it was switched on, its standing says why.
    ///
    /// # Errors
    /// A key's name that is taken, a key that is gone, a disk or keychain that refuses.
    pub async fn change(
        &self,
        app: &App,
        session: &Session,
        change: ApiChange,
    ) -> Result<Option<NewApiKey>> {
        match change {
            ApiChange::Switch { on, port } => {
                self.switch(app, session, on, port).await?;
                Ok(None)
            }
            ApiChange::MakeKey { name, scopes } => {
                let scopes: Vec<Scope> = scopes.into_iter().map(scope).collect();
                Ok(Some(app.make_api_key(&name, &scopes).await?))
            }
            ApiChange::RevokeKey { id } => {
                app.revoke_api_key(parse_guid(&id).unwrap_or_default())
                    .await?;
                Ok(None)
            }
        }
    }

    async fn switch(&self, app: &App, session: &Session, on: bool, port: u16) -> Result<()> {
        let wanted = serde_json::json!(Wanted { on, port });
        session.remember(MEMORY, wanted.to_string()).await?;
        self.stop(session.row().id).await;
        self.resume(app, session).await
    }

    /// Serves a connection where that was switched on, and it is not served yet.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub async fn resume(&self, app: &App, session: &Session) -> Result<()> {
        let Some(Wanted { on: true, port }) = wanted(session).await? else {
            return Ok(());
        };
        let row = session.row().clone();
        let mut served = self.served.lock().await;
        if let Some(Ok(_)) = served.get(&row.id) {
            return Ok(());
        }
        let id = row.id;
        let running = Server::start(app.clone(), row, port).await;
        if let Err(error) = &running {
            tracing::warn!(%error, "the local API is not served");
        }
        served.insert(id, running);
        Ok(())
    }

    /// An address that the window may open: a page of a served API, or what [`App::openable`] lets.
    ///
    /// # Errors
    /// Any other address.
    pub async fn openable(&self, app: &App, address: &str) -> Result<String> {
        let is_own = self.served.lock().await.values().flatten().any(|running| {
            let path = address.strip_prefix(&running.url());
            path.is_some_and(|path| path.starts_with('/'))
        });
        match is_own {
            true => Ok(address.to_owned()),
            false => app.openable(address).await,
        }
    }

    /// Serves a connection no more, until it is switched on or the program starts again.
    pub async fn stop(&self, connection: Uuid) {
        let running = self.served.lock().await.remove(&connection);
        if let Some(Ok(running)) = running {
            running.stop().await;
        }
    }
}

const fn scope(scope: ApiScope) -> Scope {
    match scope {
        ApiScope::Read => Scope::Read,
        ApiScope::Write => Scope::Write,
        ApiScope::Passthrough => Scope::Passthrough,
        ApiScope::Manage => Scope::Manage,
    }
}

async fn wanted(session: &Session) -> Result<Option<Wanted>> {
    let kept = session.recall(MEMORY).await?;
    Ok(kept.and_then(|text| serde_json::from_str(&text).ok()))
}
