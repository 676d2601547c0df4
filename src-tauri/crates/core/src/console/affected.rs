//! Which record of the mirror a write has changed.

use salesmirror_model::{TableMetadata, parse_guid};
use uuid::Uuid;

/// What a write has changed of the mirror.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Affected {
    /// Logical name of the table.
    pub table: String,
    /// The record, where it is known.
    pub id: Option<Uuid>,
}

/// What a write to this path has changed. `entity` is the address of the record that the service says
/// it made or changed (`OData-EntityId`): it knows better than the path.
pub fn affected(tables: &[TableMetadata], path: &str, entity: Option<&str>) -> Option<Affected> {
    let named = entity.and_then(|address| in_segment(tables, address.rsplit('/').next()?));
    named.or_else(|| {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let path = path.trim_start_matches('/');
        // The whole path below the host means the same, whatever its version.
        let path = match path.strip_prefix("api/data/") {
            Some(rest) => rest.split_once('/').map_or("", |(_, rest)| rest),
            None => path,
        };
        in_segment(tables, path.split('/').next()?)
    })
}

/// The record of `set(key)`, or the table alone where the key is no id.
fn in_segment(tables: &[TableMetadata], segment: &str) -> Option<Affected> {
    let (set, key) = match segment.split_once('(') {
        Some((set, rest)) => (set, rest.trim_end().strip_suffix(')')?),
        None => (segment, ""),
    };
    let set = set.trim();
    let table = tables.iter().find(|table| table.entity_set_name == set)?;
    // Both `(id)` and `(accountid=id)` are written, and some quote the id.
    let value = match key.split_once('=') {
        Some((name, value)) if name.trim() == table.primary_id => value,
        Some(_) => "",
        None => key,
    };
    Some(Affected {
        table: table.logical_name.clone(),
        id: parse_guid(value.trim().trim_matches('\'')),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "60c4e274-0d87-e711-80e5-00155db19e6d";

    fn table(name: &str, set: &str) -> TableMetadata {
        TableMetadata {
            logical_name: name.into(),
            entity_set_name: set.into(),
            primary_id: format!("{name}id"),
            primary_name: None,
            display_name: name.into(),
            display_collection_name: set.into(),
            is_custom: false,
            object_type_code: None,
            change_tracking: true,
            columns: Vec::new(),
        }
    }

    #[test]
    fn the_record_is_found_in_the_path_or_in_what_the_service_says() {
        let tables = [
            table("account", "accounts"),
            table("nrv_visit", "nrv_visites"),
        ];
        let entity = format!("https://o.crm.dynamics.com/api/data/v9.2/nrv_visites({ID})");
        for (path, entity, expected) in [
            (format!("accounts({ID})"), None, Some(("account", true))),
            (
                format!("/accounts({ID})?x=1"),
                None,
                Some(("account", true)),
            ),
            (
                format!("/api/data/v9.2/accounts({ID})/name"),
                None,
                Some(("account", true)),
            ),
            (
                format!("accounts(accountid={ID})"),
                None,
                Some(("account", true)),
            ),
            (
                format!("accounts('{{{ID}}}')"),
                None,
                Some(("account", true)),
            ),
            ("accounts(accountnumber='A/1')".to_owned(), None, None),
            (
                "accounts(accountnumber='A1')".to_owned(),
                None,
                Some(("account", false)),
            ),
            ("accounts".to_owned(), None, Some(("account", false))),
            (
                format!("accounts({ID})/nrv_visits"),
                Some(entity.as_str()),
                Some(("nrv_visit", true)),
            ),
            ("WinOpportunity".to_owned(), None, None),
            ("$batch".to_owned(), None, None),
            (format!("Accounts({ID})"), None, None),
            (format!("accounts({ID}"), None, None),
            (String::new(), None, None),
        ] {
            let found = affected(&tables, &path, entity);
            let found = found.as_ref();
            let found = found.map(|found| (found.table.as_str(), found.id.is_some()));
            assert_eq!(found, expected, "{path}");
        }
    }
}
