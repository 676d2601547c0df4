//! Read-only SQL, and requests that are passed on.

use std::time::Duration;

use salesmirror_dataverse::{Passthrough, PassthroughReply};
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

    /// Passes a request on to the organisation, with this connection's sign-in.
    ///
    /// # Errors
    /// Where it is refused before it is sent, or the network does not answer.
    pub async fn passthrough(&self, request: Passthrough) -> Result<PassthroughReply> {
        Ok(self.client().passthrough(request).await?)
    }

    /// The same for somebody who waits: a network that does not answer is told within a minute. What a
    /// write has changed of the mirror is marked as stale, and read again beside the caller.
    ///
    /// # Errors
    /// As [`Session::passthrough`].
    pub async fn passthrough_soon(&self, request: Passthrough) -> Result<PassthroughReply> {
        let client = self.client().clone().impatient(SOON);
        let is_write = !request.method.eq_ignore_ascii_case("GET");
        let path = request.path.clone();
        let reply = client.passthrough(request).await?;
        if is_write && client.explain(&reply).is_none() {
            self.refresh(&path, &reply).await;
        }
        Ok(reply)
    }

    /// Why the service refused, where a reply is a refusal.
    #[must_use]
    pub fn refusal_of(&self, reply: &PassthroughReply) -> Option<Error> {
        self.client().explain(reply).map(Error::from)
    }
}
