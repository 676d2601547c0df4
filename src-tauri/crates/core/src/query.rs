//! Read-only SQL, and requests that are passed on.

use salesmirror_dataverse::{Passthrough, PassthroughReply};
use salesmirror_store::{QueryLimits, QueryResult};

use crate::error::{Result, blocking};
use crate::session::Session;

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
}
