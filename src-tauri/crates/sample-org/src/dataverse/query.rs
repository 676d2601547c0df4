//! `$filter` and `$orderby`, as far as a client needs them where there is no change tracking.
#![expect(
    clippy::result_large_err,
    reason = "a refusal is a whole reply, and there is one a request"
)]

use axum::response::Response;
use uuid::Uuid;

use super::errors;
use crate::data::json::moment;
use crate::data::row::Row;
use crate::data::schema::TABLES;
use crate::state::State;

/// What rows are sorted by; ties are in the order of ids.
#[derive(Clone, Copy)]
pub struct Order {
    by_version: bool,
    descending: bool,
}

impl Order {
    pub fn read(text: &str) -> Result<Self, Response> {
        let first = text.split(',').next().unwrap_or_default().trim();
        let (name, direction) = first.split_once(' ').unwrap_or((first, "asc"));
        let by_version = match name {
            "versionnumber" => true,
            "modifiedon" => false,
            _ => {
                return Err(errors::bad_request(&format!(
                    "The order '{text}' is not supported."
                )));
            }
        };
        Ok(Self {
            by_version,
            descending: direction.trim() == "desc",
        })
    }

    pub fn value(self, state: &State, row: Row) -> i64 {
        let value = match self.by_version {
            true => row.version as i64,
            false => state.world.modified(row),
        };
        if self.descending { -value } else { value }
    }
}

/// The filters that a client of change tracking's fallbacks needs.
pub enum Filter {
    All,
    Newer {
        than: u64,
        or_equal: bool,
    },
    /// Times sort as they are written.
    ModifiedSince(String),
    Ids(Vec<Uuid>),
}

impl Filter {
    pub fn read(text: &str, table: usize) -> Result<Self, Response> {
        let words: Vec<&str> = text.split_whitespace().collect();
        if let ["versionnumber", operator @ ("gt" | "ge"), number] = words.as_slice()
            && let Ok(than) = number.parse()
        {
            return Ok(Self::Newer {
                than,
                or_equal: *operator == "ge",
            });
        }
        if let ["modifiedon", "ge", time] = words.as_slice() {
            return Ok(Self::ModifiedSince((*time).to_owned()));
        }
        let primary = TABLES[table].primary_id;
        let ids = text.split(" or ").map(|part| {
            let (name, id) = part.trim().split_once(" eq ")?;
            (name == primary).then(|| Uuid::try_parse(id.trim()).ok())?
        });
        ids.collect::<Option<Vec<_>>>()
            .map(Self::Ids)
            .ok_or_else(|| errors::bad_request(&format!("The filter '{text}' is not supported.")))
    }

    pub fn holds(&self, state: &State, row: &Row) -> bool {
        match self {
            Self::All => true,
            Self::Newer { than, or_equal } => {
                row.version > *than || (*or_equal && row.version == *than)
            }
            Self::ModifiedSince(time) => moment(state.world.modified(*row)) >= *time,
            Self::Ids(ids) => ids.contains(&state.id(row.table, row.index)),
        }
    }
}
