//! Which tables a connection mirrors: the mission's five, until the admin says otherwise.

use std::collections::{BTreeMap, HashMap};

use salesmirror_dataverse::{Client, Depth, TableSummary};
use salesmirror_model::tables::{DEFAULT_TABLES, default_table};
use salesmirror_store::{AppDb, StoreError, TableState};
use uuid::Uuid;

use crate::app::PATIENCE;
use crate::error::{Category, Error, Result, blocking};
use crate::session::Session;
use crate::sync::SyncOptions;

/// A table that the organisation has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AvailableTable {
    /// Logical name.
    pub table: String,
    /// Entity set name.
    pub entity_set: String,
    /// Plural label.
    pub display_name: String,
    /// Rows as the service counted them last; `None` where it does not say.
    pub rows: Option<u64>,
    /// Whether change tracking is switched on.
    pub change_tracking: bool,
    /// Whether the signed-in user may read it, as far as the service tells.
    pub readable: bool,
    /// Whether this connection mirrors it.
    pub mirrored: bool,
}

/// All tables of a connection, in the order in which they were chosen.
pub(crate) fn chosen_tables(
    db: &AppDb,
    connection: Uuid,
    states: &[TableState],
) -> Result<Vec<String>> {
    if let Some(text) = db.setting(&AppDb::tables_key(connection))?
        && let Ok(names) = serde_json::from_str(&text)
    {
        return Ok(names);
    }
    let mut names: Vec<String> = DEFAULT_TABLES.map(str::to_owned).to_vec();
    for state in states {
        if !names.contains(&state.metadata.logical_name) {
            names.push(state.metadata.logical_name.clone());
        }
    }
    Ok(names)
}

impl Session {
    /// Logical names of the mirrored tables.
    ///
    /// # Errors
    /// Where a database cannot be read.
    pub async fn mirrored_tables(&self) -> Result<Vec<String>> {
        let session = self.clone();
        blocking(move || {
            let states = session.mirror().tables()?;
            chosen_tables(session.db(), session.row().id, &states)
        })
        .await
    }

    /// The logical name of a mirrored table, by logical name, set name or `users`.
    ///
    /// # Errors
    /// Where no such table is mirrored.
    pub async fn table(&self, name: &str) -> Result<String> {
        let (session, wanted) = (self.clone(), name.trim().to_owned());
        blocking(move || {
            let states = session.mirror().tables()?;
            let names = chosen_tables(session.db(), session.row().id, &states)?;
            let by_set = || {
                let mut tables = states.iter().map(|state| &state.metadata);
                tables.find(|table| table.entity_set_name.eq_ignore_ascii_case(&wanted))
            };
            let found = names
                .iter()
                .find(|name| name.eq_ignore_ascii_case(&wanted))
                .cloned()
                .or_else(|| default_table(&wanted).map(str::to_owned))
                .or_else(|| by_set().map(|table| table.logical_name.clone()));
            found.filter(|found| names.contains(found)).ok_or_else(|| {
                Error::usage(
                    "unknown_table",
                    format!("The table \"{wanted}\" is not mirrored."),
                    "`salesmirror tables` lists the mirrored tables, `salesmirror tables add NAME` \
                     mirrors another one.",
                )
            })
        })
        .await
    }

    /// Everything that the organisation's metadata offers, sorted by logical name.
    ///
    /// # Errors
    /// Whatever the service or the network says.
    pub async fn available_tables(&self) -> Result<Vec<AvailableTable>> {
        self.listed(self.client()).await
    }

    /// The same for somebody in front of the screen: a network or a sign-in service that does not answer
    /// is told soon.
    ///
    /// # Errors
    /// As [`Session::available_tables`].
    pub async fn offered_tables(&self) -> Result<Vec<AvailableTable>> {
        self.be_ready().await?;
        self.listed(&self.impatient()).await
    }

    fn impatient(&self) -> Client {
        self.client().clone().impatient(PATIENCE.max_wait)
    }

    async fn listed(&self, client: &Client) -> Result<Vec<AvailableTable>> {
        let (tables, mirrored) = tokio::join!(client.tables(), self.mirrored_tables());
        let (mut tables, mirrored) = (tables?, mirrored?);
        tables.sort_by(|one, other| one.logical_name.cmp(&other.logical_name));
        let names: Vec<&str> = tables
            .iter()
            .map(|table| table.logical_name.as_str())
            .collect();
        let (counts, privileges) = tokio::join!(client.record_counts(&names), own(client));
        // Counts are a service to the reader; without them the list is as good.
        let counts: BTreeMap<String, u64> = counts.unwrap_or_default();
        let privileges = privileges?;
        Ok(tables
            .into_iter()
            .map(|table| AvailableTable {
                rows: counts.get(&table.logical_name).copied(),
                change_tracking: table.change_tracking,
                readable: is_readable(&table, privileges.as_ref()),
                mirrored: mirrored.contains(&table.logical_name),
                table: table.logical_name,
                entity_set: table.entity_set_name,
                display_name: table.display_name,
            })
            .collect())
    }

    /// Mirrors a table from now on, by logical name or set name; gives its logical name. Its rows
    /// come with the next sync.
    ///
    /// # Errors
    /// Where the organisation has no such table, or another process syncs this connection. A sync that
    /// was started here goes on as it is.
    pub async fn add_table(&self, name: &str) -> Result<String> {
        self.added(self.client(), name).await
    }

    async fn added(&self, client: &Client, name: &str) -> Result<String> {
        let wanted = name.trim();
        let unknown = || {
            Error::usage(
                "unknown_table",
                format!("The organisation has no table \"{wanted}\"."),
                "`salesmirror tables --available` lists all tables.",
            )
        };
        let listed = client.tables().await?;
        let by =
            |matches: &dyn Fn(&TableSummary) -> bool| listed.iter().find(|table| matches(table));
        let wanted_name = default_table(wanted).unwrap_or(wanted);
        let table = by(&|table| table.logical_name.eq_ignore_ascii_case(wanted_name))
            .or_else(|| by(&|table| table.entity_set_name.eq_ignore_ascii_case(wanted)))
            .ok_or_else(unknown)?;
        let metadata = client.table_metadata(&table.logical_name).await?.mirrored();
        let name = metadata.logical_name.clone();
        // A sync that runs here knows its tables, and the new one is none of them.
        self.choose(true, move |session, names| {
            session.mirror().define_table(&metadata)?;
            if !names.contains(&metadata.logical_name) {
                names.push(metadata.logical_name);
            }
            Ok(())
        })
        .await?;
        Ok(name)
    }

    /// Mirrors a table from now on, and begins to read its rows; for somebody in front of the screen.
    ///
    /// # Errors
    /// As [`Session::add_table`].
    pub async fn mirror_table(&self, name: &str) -> Result<()> {
        self.be_ready().await?;
        let table = self.added(&self.impatient(), name).await?;
        self.start_sync(SyncOptions {
            tables: vec![table],
            ..SyncOptions::default()
        });
        Ok(())
    }

    /// Mirrors a table no more: its rows, tombstones and index go. Gives its logical name.
    ///
    /// # Errors
    /// Where it is not mirrored, or another process syncs this connection.
    pub async fn remove_table(&self, name: &str) -> Result<String> {
        let table = self.table(name).await?;
        let gone = table.clone();
        self.choose(false, move |session, names| {
            names.retain(|name| *name != gone);
            match session.mirror().drop_table(&gone) {
                // It was chosen, and never synced.
                Ok(()) | Err(StoreError::UnknownTable(_)) => session.drop_copied(&gone),
                Err(error) => Err(error.into()),
            }
        })
        .await?;
        Ok(table)
    }

    /// Changes the choice while nobody syncs, or beside the sync that runs here.
    async fn choose<F>(&self, may_be_beside: bool, change: F) -> Result<()>
    where
        F: FnOnce(&Self, &mut Vec<String>) -> Result<()> + Send + 'static,
    {
        let session = self.clone();
        blocking(move || {
            let id = session.row().id;
            let _one_at_a_time = session.background().choice();
            let queue = session.background().queue();
            let turn = queue.try_lock();
            let is_beside = turn.is_err();
            let lock = session.data_dir().try_lock(id)?;
            if lock.is_none() && !(is_beside && may_be_beside) {
                return Err(Error::new(
                    Category::Busy,
                    "busy",
                    "This connection is syncing right now.",
                    "Wait until the sync has ended, then try again.",
                ));
            }
            let states = session.mirror().tables()?;
            let mut names = chosen_tables(session.db(), id, &states)?;
            change(&session, &mut names)?;
            let text = serde_json::Value::from(names).to_string();
            session.db().set_setting(&AppDb::tables_key(id), &text)?;
            Ok(())
        })
        .await?;
        self.touch();
        Ok(())
    }
}

/// The user's privileges; `None` where the service does not tell them.
async fn own(client: &Client) -> Result<Option<HashMap<String, Depth>>> {
    match client.user_privileges().await {
        Ok(privileges) => Ok(Some(privileges)),
        Err(error) if error.is_transient() || error.code() == "not_signed_in" => Err(error.into()),
        Err(error) => {
            tracing::info!(%error, "the service does not tell the user's privileges");
            Ok(None)
        }
    }
}

/// Whether one of the table's read privileges is the user's. What the service does not tell is
/// taken for readable: a sync that is refused says why.
fn is_readable(table: &TableSummary, own: Option<&HashMap<String, Depth>>) -> bool {
    let Some(own) = own else { return true };
    table.read_privileges.is_empty() || table.read_privileges.iter().any(|id| own.contains_key(id))
}
