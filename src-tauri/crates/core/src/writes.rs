//! Changing the organisation's records, and reading back what became of them: the mirror has it
//! before the caller gets an answer.

use std::future::Future;
use std::time::Duration;

use salesmirror_dataverse::{Attributes, Client, Error as ServiceError, RetryPolicy};
use salesmirror_model::{Change, Collect as _, TableMetadata};
use salesmirror_store::Row;
use uuid::Uuid;

use crate::app::now_ms;
use crate::error::{Category, Error, Result};
use crate::session::Session;

/// How long a write is tried: somebody waits for its answer.
pub(crate) const WRITE_PATIENCE: Duration = Duration::from_secs(60);
/// How long its reading back is tried. What is not read then, the next sync reads.
const READ_BACK_PATIENCE: Duration = Duration::from_secs(15);
/// How often a record is read back that others write at the same time.
const READ_BACKS: u32 = 4;

/// What became of a write.
#[derive(Debug, Clone)]
pub struct Written {
    /// The record's id.
    pub id: Uuid,
    /// The record as the mirror has it now, with all columns and as it was delivered; `None` where the
    /// mirror never had it.
    pub row: Option<Row>,
    /// The record that was to be created was there before, as after a repeated request.
    pub existed: bool,
    /// Why the record could not be read back, although the write was done: the mirror has it as it
    /// was, marked as stale, until the next sync reads it.
    pub stale: Option<Error>,
}

/// What to do where somebody may not write; the usual hint is for who may not read.
const WRITE_PRIVILEGES: &str = "Give the user a security role that may do this on the table: Create, Write or Delete, at \
    the level that the record's owner needs.";

impl Session {
    /// Creates a record with an id that the caller chose (a random GUID): the same request once more
    /// creates nothing, and gives the record that is there. Users (`systemuser`) can be created
    /// neither here nor there.
    ///
    /// # Errors
    /// A table that was never synced. `write_unanswered` where it is not known whether the record was
    /// created: repeat it with the same id. Else what the service or the network says; then nothing
    /// was created.
    pub async fn create_record(
        &self,
        table: &str,
        id: Uuid,
        attributes: Attributes,
    ) -> Result<Written> {
        let (session, table) = (self.clone(), table.to_owned());
        uninterrupted(async move {
            let metadata = session.metadata(&table).await?;
            let client = session.patient_for(WRITE_PATIENCE);
            match client.create_record(&metadata, id, &attributes).await {
                Ok(made) => Ok(Written {
                    existed: made.existed,
                    ..session.read_back(&table, made.id, !made.existed).await
                }),
                Err(error) => Err(session.not_written(&table, id, error).await),
            }
        })
        .await
    }

    /// Changes a record; attributes that are not named stay. With `if_match` only the version with
    /// this ETag is changed.
    ///
    /// # Errors
    /// A table that was never synced. `not_found` where the organisation has no such record (none is
    /// created), `version_conflict` where it has another version; the mirror knows of both afterwards.
    /// `write_unanswered` where it is not known whether it was changed. Else what the service or the
    /// network says; then nothing was changed.
    pub async fn update_record(
        &self,
        table: &str,
        id: Uuid,
        attributes: Attributes,
        if_match: Option<&str>,
    ) -> Result<Written> {
        let (session, table) = (self.clone(), table.to_owned());
        let if_match = if_match.map(str::to_owned);
        uninterrupted(async move {
            let metadata = session.metadata(&table).await?;
            let client = session.patient_for(WRITE_PATIENCE);
            let done = client
                .update_record(&metadata, id, &attributes, if_match.as_deref())
                .await;
            match done {
                Ok(()) => Ok(session.read_back(&table, id, false).await),
                Err(error) => Err(session.not_written(&table, id, error).await),
            }
        })
        .await
    }

    /// Deletes a record. It stays in the mirror as a deleted one. `if_match` as in
    /// [`Session::update_record`].
    ///
    /// # Errors
    /// Those of [`Session::update_record`]; `not_found` where it was gone before.
    pub async fn delete_record(
        &self,
        table: &str,
        id: Uuid,
        if_match: Option<&str>,
    ) -> Result<Written> {
        let (session, table) = (self.clone(), table.to_owned());
        let if_match = if_match.map(str::to_owned);
        uninterrupted(async move {
            let metadata = session.metadata(&table).await?;
            let client = session.patient_for(WRITE_PATIENCE);
            let done = client
                .delete_record(&metadata, id, if_match.as_deref())
                .await;
            if let Err(error) = done {
                return Err(session.not_written(&table, id, error).await);
            }
            match session.keep(&table, id, metadata, None, false).await {
                Ok(true) => Ok(session.written(&table, id, None).await),
                // Somebody made another of the same id meanwhile.
                Ok(false) => Ok(session.read_back(&table, id, false).await),
                Err(error) => Ok(session.unread(&table, id, error).await),
            }
        })
        .await
    }

    /// The client for a request that somebody waits for.
    pub(crate) fn patient_for(&self, most: Duration) -> Client {
        let client = self.client().metered();
        let policy = client.policy();
        client.with_policy(RetryPolicy {
            max_wait: policy.max_wait.min(most),
            ..policy
        })
    }

    /// Lets the mirror know what a write that was not done says of its record.
    async fn not_written(&self, table: &str, id: Uuid, error: ServiceError) -> Error {
        match error.code() {
            "not_found" | "version_conflict" => {
                let read = self.read_back(table, id, false).await;
                if let Some(error) = read.stale {
                    tracing::debug!(%error, table, "a record was not read again");
                }
            }
            "write_unanswered" => self.note_unread(table, id).await,
            _ => {}
        }
        let mut error = Error::from(error);
        if error.code == "missing_privilege" {
            WRITE_PRIVILEGES.clone_into(&mut error.hint);
        }
        error
    }

    /// Reads a record that was written, and keeps it. That it cannot be read is no error of the write.
    async fn read_back(&self, table: &str, id: Uuid, is_new: bool) -> Written {
        let client = self.patient_for(READ_BACK_PATIENCE);
        for _ in 0..READ_BACKS {
            match self.try_read_back(&client, table, id, is_new).await {
                Ok(true) => return self.written(table, id, None).await,
                Ok(false) => {}
                Err(error) => return self.unread(table, id, error).await,
            }
        }
        let error = Error::explained(
            Category::Failed,
            "changed_meanwhile",
            "The record was changed again and again while it was read back.",
        );
        self.unread(table, id, error).await
    }

    /// Gives `false` where another write came between.
    async fn try_read_back(
        &self,
        client: &Client,
        table: &str,
        id: Uuid,
        is_new: bool,
    ) -> Result<bool> {
        let metadata = self.metadata(table).await?;
        let mut batch = self
            .on_mirror(table, |mirror, table| Ok(mirror.batch(table)))
            .await?;
        let is_there = client.fetch_record(&metadata, id, &mut batch).await?;
        if !is_there {
            if is_new {
                // It was made a moment ago: the user may not see it.
                return Err(Error::explained(
                    Category::Failed,
                    "not_found",
                    "Dynamics 365 made the record, and then had no record of this id to read.",
                ));
            }
            batch.take(Change::Delete(id));
        }
        self.keep(table, id, metadata, Some(batch), is_new).await
    }

    /// Keeps what was read of a record, or that it is deleted.
    async fn keep(
        &self,
        table: &str,
        id: Uuid,
        metadata: TableMetadata,
        read: Option<salesmirror_store::Batch>,
        is_new: bool,
    ) -> Result<bool> {
        let kept = self
            .on_mirror(table, move |mirror, table| {
                let batch = read.unwrap_or_else(|| {
                    let mut batch = mirror.batch(table);
                    batch.take(Change::Delete(id));
                    batch
                });
                mirror.apply_written(&metadata, batch, is_new, now_ms())
            })
            .await;
        self.touch();
        kept
    }

    async fn unread(&self, table: &str, id: Uuid, error: Error) -> Written {
        tracing::warn!(
            code = error.code,
            table,
            "a record was written and not read back"
        );
        self.note_unread(table, id).await;
        self.written(table, id, Some(error)).await
    }

    /// Marks a record as stale, so that the next sync reads it.
    async fn note_unread(&self, table: &str, id: Uuid) {
        let noted = self
            .on_mirror(table, move |mirror, table| {
                mirror.note_unread(table, id, now_ms())
            })
            .await;
        if let Err(error) = noted {
            tracing::warn!(%error, table, "a record that was not read back is not marked as stale");
        }
        self.touch();
    }

    async fn written(&self, table: &str, id: Uuid, stale: Option<Error>) -> Written {
        let row = self
            .on_mirror(table, move |mirror, table| mirror.record(table, id, true))
            .await;
        let (row, problem) = match row {
            Ok(row) => (row, None),
            Err(error) => (None, Some(error)),
        };
        Written {
            id,
            row,
            existed: false,
            stale: stale.or(problem),
        }
    }
}

/// Goes on to its end although nobody may wait for it any more: what was written is to be read back.
async fn uninterrupted<T: Send + 'static>(
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    match tokio::spawn(work).await {
        Ok(result) => result,
        Err(join) => match join.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(Error::interrupted()),
        },
    }
}
