//! Read-only SQL, and requests that are passed on.

use std::time::Duration;

use salesmirror_dataverse::{Client, Passthrough, PassthroughReply};
use salesmirror_store::{QueryLimits, QueryResult};

use crate::error::{Error, Result, blocking};
use crate::session::Session;

/// How long a request is tried while somebody waits.
const SOON: Duration = Duration::from_secs(60);

impl Session {
    /// Runs one statement that reads the mirror.
    ///
    /// # Errors
    /// Where it would do more than read, is no SQL, or takes too long.
    pub async fn query(&self, sql: &str, limits: QueryLimits) -> Result<QueryResult> {
        let (mirror, sql) = (self.mirror().clone(), sql.to_owned());
        blocking(move || Ok(mirror.query(&sql, limits)?)).await
    }

    /// Passes a request on to the organisation, with this connection's sign-in. What a write has changed of
    /// the mirror is marked as stale.
    ///
    /// # Errors
    /// Where it is refused before it is sent, or the network does not answer.
    pub async fn passthrough(&self, request: Passthrough) -> Result<PassthroughReply> {
        let (reply, written) = self.pass_on(self.client(), request).await?;
        if let Some(path) = written {
            self.mark_changed(&path, &reply).await;
        }
        Ok(reply)
    }

    /// The same for somebody who waits: a network that does not answer is told within a minute. What a
    /// write has changed is read again beside the caller.
    ///
    /// # Errors
    /// As [`Session::passthrough`].
    pub async fn passthrough_soon(&self, request: Passthrough) -> Result<PassthroughReply> {
        let client = self.client().clone().impatient(SOON);
        let (reply, written) = self.pass_on(&client, request).await?;
        if let Some(path) = written {
            self.refresh(&path, &reply).await;
        }
        Ok(reply)
    }

    /// The reply, and the path where it was a write that was done.
    async fn pass_on(
        &self,
        client: &Client,
        request: Passthrough,
    ) -> Result<(PassthroughReply, Option<String>)> {
        let is_write = !request.method.eq_ignore_ascii_case("GET");
        let path = request.path.clone();
        let reply = client.passthrough(request).await?;
        let is_done = is_write && client.explain(&reply).is_none();
        Ok((reply, is_done.then_some(path)))
    }

    /// Why the service refused, where a reply is a refusal.
    #[must_use]
    pub fn refusal_of(&self, reply: &PassthroughReply) -> Option<Error> {
        self.client().explain(reply).map(Error::from)
    }
}
