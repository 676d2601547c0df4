//! What the organisation remembers: changes, privileges, and what Entra ID and the network remember.

use serde::Serialize;

use crate::data::row::World;
use crate::data::schema::{TABLES, Table};
use crate::dataverse::settings::Settings;
use crate::entra::Directory;
use crate::network::Network;
use crate::rows::Changes;
use crate::variants::Variants;

/// How far the signed-in users may read a table.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    None,
    User,
    Unit,
    Global,
}

/// Everything that changes while the organisation runs.
pub struct State {
    pub world: World,
    pub changes: Vec<Changes>,
    pub version: u64,
    /// Tables and columns as they are now.
    pub tables: Vec<Table>,
    /// Moves with every change of the schema.
    pub metadata_version: u64,
    pub entra: Directory,
    pub net: Network,
    pub variants: Variants,
    /// What was set about rows and columns.
    pub web: Settings,
    pub activity: u64,
}

/// What one call of activity did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Activity {
    /// Rows created.
    pub creates: u64,
    /// Rows updated.
    pub updates: u64,
    /// Rows deleted.
    pub deletes: u64,
}

/// `globalmetadataversion` of an organisation whose schema nobody has changed.
const FIRST_METADATA_VERSION: u64 = 2_341_840;

impl State {
    /// `version` is that of the first change, unless there are more rows than that.
    pub fn new(world: World, version: u64) -> Self {
        let version = version.max(world.first_version + world.rows.iter().sum::<u64>() + 1);
        let changes = world
            .rows
            .iter()
            .map(|rows| Changes {
                end: *rows,
                live: *rows,
                oldest_token: version,
                ..Changes::default()
            })
            .collect();
        Self {
            entra: Directory::new(&world),
            net: Network::default(),
            variants: Variants::default(),
            world,
            changes,
            version,
            tables: TABLES.clone(),
            metadata_version: FIRST_METADATA_VERSION,
            web: Settings::default(),
            activity: 0,
        }
    }

    /// Everything is as it was in the beginning; versions go on growing, those of the schema too.
    pub fn reset(&mut self) {
        let metadata_version = self.metadata_version;
        *self = Self::new(self.world.clone(), self.version + 1);
        if metadata_version > FIRST_METADATA_VERSION {
            self.metadata_version = metadata_version + 1;
        }
    }
}
