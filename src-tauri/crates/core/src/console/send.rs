//! Sending a request while somebody waits in front of the screen.

use std::time::{Duration, Instant};

use salesmirror_dataverse::{Client, Passthrough, PassthroughReply};
use salesmirror_store::OwnRequest;
use tokio_util::sync::CancellationToken;

use super::affected::{Affected, affected};
use super::reply::{ConsoleReply, doubtful, explained, readable};
use crate::app::{PATIENCE, now_ms};
use crate::error::{Category, Error, Result, blocking};
use crate::session::Session;
use crate::sync::SyncOptions;

impl Session {
    /// Sends a request of the admin's own, and remembers it. A service that asks to wait is waited
    /// for, a network that does not answer is told soon. What a write has changed of the mirror is
    /// marked as stale, and read again beside the caller.
    ///
    /// # Errors
    /// Where it is refused before it is sent, the sign-in has ended, the network does not answer, or
    /// somebody stops it. A refusal of the service is a reply like any other.
    pub async fn send_request(
        &self,
        request: OwnRequest,
        cancel: &CancellationToken,
    ) -> Result<ConsoleReply> {
        // The reply before may be large.
        *self.last_reply() = None;
        let wanted = passthrough(&request);
        let client = self.client().metered().impatient(PATIENCE.max_wait);
        client.check_passthrough(&wanted)?;
        let is_write = !request.method.eq_ignore_ascii_case("GET");
        let path = request.path.clone();

        let (db, connection) = (self.db().clone(), self.row().id);
        let id = blocking(move || Ok(db.begin_request(connection, &request, now_ms())?)).await?;
        let begun = Instant::now();
        let mut waited = Duration::ZERO;
        let sent = tokio::select! {
            sent = self.deliver(&client, &wanted, &mut waited) => sent,
            () = cancel.cancelled() => Err(Error::explained(
                Category::Interrupted,
                "request_stopped",
                "You stopped waiting for the answer.",
            )),
        };
        let duration_ms = milliseconds(begun.elapsed());
        // The answer counts, whether it can be remembered or not.
        if let Err(error) = self.note(id, duration_ms, &sent).await {
            tracing::warn!(%error, "how a request ended was not remembered");
        }
        // What was sent is counted, and the sign-in may have ended.
        self.touch();
        let reply = sent.map_err(|error| match error.code.as_str() {
            "answer_broken" if is_write => doubtful(error),
            "request_stopped" if !is_write => Error {
                hint: String::new(),
                ..error
            },
            _ => error,
        })?;

        let refusal = client.explain(&reply);
        let affected = match is_write && refusal.is_none() {
            true => self.refresh(&path, &reply).await,
            false => None,
        };
        *self.last_reply() = Some(reply.clone());
        let (kind, text) = blocking({
            let body = reply.body.clone();
            move || Ok(readable(&body))
        })
        .await?;
        Ok(ConsoleReply {
            problem: refusal.map(|error| explained(error, reply.status, is_write)),
            url: reply.url,
            status: reply.status,
            headers: reply.headers,
            kind,
            text,
            bytes: reply.body.len() as u64,
            duration_ms,
            waited_ms: milliseconds(waited) + client.meter().throttled_ms(),
            affected,
        })
    }

    async fn deliver(
        &self,
        client: &Client,
        request: &Passthrough,
        waited: &mut Duration,
    ) -> Result<PassthroughReply> {
        self.be_ready().await?;
        let begun = Instant::now();
        loop {
            let error = match client.passthrough(request.clone()).await {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            // A request that is turned away for the moment was not done.
            let left = client.throttled_for().unwrap_or_default();
            let is_throttled = matches!(error, salesmirror_dataverse::Error::Throttled(_));
            if !is_throttled || begun.elapsed() + left > self.client().policy().max_wait {
                return Err(error.into());
            }
            tokio::time::sleep(left).await;
            *waited += left;
        }
    }

    /// Sees to it that there is a token, which a sync may wait for long: the sign-in service is given
    /// the same time as the organisation.
    pub(crate) async fn be_ready(&self) -> Result<()> {
        let session = self.clone();
        // On its own, since it must not end halfway: a refresh token that was just used up is replaced
        // by the one that comes with the answer.
        let asked = tokio::spawn(async move { session.tokens().ready().await });
        let patience = PATIENCE.max_wait.min(self.client().policy().max_wait);
        match tokio::time::timeout(patience, asked).await {
            Ok(Ok(asked)) => asked,
            Ok(Err(_)) => Err(Error::interrupted()),
            Err(_) => Err(Error::explained(
                Category::GaveUp,
                "unreachable",
                "The sign-in service does not answer.",
            )),
        }
    }

    /// Remembers how a request ended.
    async fn note(&self, id: i64, duration_ms: u64, sent: &Result<PassthroughReply>) -> Result<()> {
        let status = sent.as_ref().ok().map(|reply| reply.status);
        let code = sent.as_ref().err().map(|error| error.code.clone());
        match &code {
            None => tracing::info!(
                status,
                ms = duration_ms,
                "a request of the admin's own ended"
            ),
            Some(code) => tracing::warn!(code, "a request of the admin's own failed"),
        }
        let db = self.db().clone();
        blocking(move || Ok(db.end_request(id, duration_ms, status, code.as_deref())?)).await
    }

    /// Marks what a write has changed as stale, and has it read again beside the caller.
    pub(crate) async fn refresh(&self, path: &str, reply: &PassthroughReply) -> Option<Affected> {
        let found = self.mark_changed(path, reply).await?;
        self.start_sync(SyncOptions {
            tables: vec![found.table.clone()],
            ..SyncOptions::default()
        });
        Some(found)
    }

    /// Marks what a write has changed as stale: the next sync reads it again. The write is done whatever
    /// comes of this.
    pub(crate) async fn mark_changed(
        &self,
        path: &str,
        reply: &PassthroughReply,
    ) -> Option<Affected> {
        let mirror = self.mirror().clone();
        let tables = blocking(move || Ok(mirror.tables()?)).await;
        let tables = tables.unwrap_or_default().into_iter();
        let tables: Vec<_> = tables.map(|state| state.metadata).collect();
        let mut headers = reply.headers.iter();
        let entity = headers.find(|(name, _)| name == "odata-entityid");
        let found = affected(&tables, path, entity.map(|(_, address)| address.as_str()))?;
        if let Some(id) = found.id
            && let Err(error) = self.invalidate(&found.table, &[id]).await
        {
            tracing::warn!(%error, "what a request changed was not marked as stale");
        }
        Some(found)
    }
}

fn passthrough(request: &OwnRequest) -> Passthrough {
    Passthrough {
        method: request.method.clone(),
        path: request.path.clone(),
        headers: request.headers.clone(),
        query: request.query.clone(),
        body: request.body.as_ref().map(|body| body.as_bytes().to_vec()),
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
