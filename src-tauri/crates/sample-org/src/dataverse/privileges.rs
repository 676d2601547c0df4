//! Privileges: those that guard a table, and those that a user's roles give.

use serde_json::{Value, json};
use uuid::Uuid;

use super::errors::Right;
use crate::data::schema::UNIT;
use crate::state::{Depth, State};

const RIGHTS: [Right; 4] = [Right::Read, Right::Write, Right::Create, Right::Delete];

fn id(table: usize, right: Right) -> Uuid {
    crate::data::id(u64::from(right as u8), 600, table as u64)
}

fn name(state: &State, table: usize, right: Right) -> String {
    format!("prv{right:?}{}", state.tables[table].schema)
}

/// What the user's roles and teams give (`RolePrivilege`).
pub fn of_user(state: &State) -> Vec<Value> {
    let mut list = Vec::new();
    for table in 0..state.tables.len() {
        for right in RIGHTS {
            let depth = match state.right(table, right) {
                Depth::None => continue,
                Depth::User => "Basic",
                Depth::Unit => "Local",
                Depth::Global => "Global",
            };
            list.push(json!({
                "Depth": depth,
                "PrivilegeId": id(table, right),
                "BusinessUnitId": state.id(UNIT, 0),
                "PrivilegeName": name(state, table, right),
                "RecordFilterId": Uuid::nil(),
                "RecordFilterUniqueName": "",
            }));
        }
    }
    list
}

/// What guards a table (`SecurityPrivilegeMetadata`).
pub fn of_table(state: &State, table: usize) -> Vec<Value> {
    let is_owned = state.tables[table].column("ownerid").is_some();
    let list = RIGHTS.map(|right| {
        json!({
            "CanBeBasic": is_owned,
            "CanBeDeep": is_owned,
            "CanBeGlobal": true,
            "CanBeLocal": is_owned,
            "CanBeEntityReference": false,
            "CanBeParentEntityReference": false,
            "Name": name(state, table, right),
            "PrivilegeId": id(table, right),
            "PrivilegeType": format!("{right:?}"),
        })
    });
    list.into()
}
