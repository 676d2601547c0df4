//! `custom_fields`: columns by their logical names.

use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::values::{self, Found};
use super::{Problem, Writer};
use crate::{ColumnMetadata, parse_guid};

/// The field that holds them.
pub(super) const FIELD: &str = "custom_fields";
const BIND: &str = "@odata.bind";
/// Columns that Dataverse alone sets, beside the primary id.
const BY_THE_SERVICE: [&str; 8] = [
    "createdon",
    "modifiedon",
    "createdby",
    "modifiedby",
    "createdonbehalfby",
    "modifiedonbehalfby",
    "versionnumber",
    "exchangerate",
];

impl Writer<'_> {
    pub(super) fn custom_fields(&mut self, value: &RawValue) {
        let fields = match values::found(value) {
            Found::Null => return,
            Found::Object(object) => values::object(object).unwrap_or_default(),
            other => return self.problems.push(other.wrong(FIELD, "an object")),
        };
        for (name, value) in fields {
            if let Err(problem) = self.custom_field(&name, value) {
                self.problems.push(problem);
            }
        }
    }

    fn custom_field(&mut self, name: &str, value: &RawValue) -> Result<(), Problem> {
        if let Some(property) = name.strip_suffix(BIND) {
            return self.custom_binding(property, name, value);
        }
        let table = self.writing.table;
        let column = table.column(name).ok_or_else(|| self.unknown(name))?;
        let path = format!("{FIELD}.{name}");
        if column.logical_name == table.primary_id
            || BY_THE_SERVICE.contains(&column.logical_name.as_str())
        {
            return Err(Problem::ReadOnly {
                field: path,
                why: "Dataverse sets it",
            });
        }
        if column.kind.is_lookup() {
            return self.custom_lookup(column, value);
        }
        self.put_value(&path, column, value)
    }

    fn unknown(&self, name: &str) -> Problem {
        let table = self.writing.table;
        let own = table.columns.iter().find(|column| column.is_custom);
        let example = own.or_else(|| {
            table
                .columns
                .iter()
                .find(|column| column.kind.is_searchable())
        });
        Problem::UnknownColumn {
            column: name.to_owned(),
            table: table.logical_name.clone(),
            example: example.map_or_else(String::new, |column| column.logical_name.clone()),
        }
    }

    /// A lookup by its navigation property, as Dataverse takes it.
    fn custom_binding(
        &mut self,
        property: &str,
        name: &str,
        value: &RawValue,
    ) -> Result<(), Problem> {
        let lower = property.to_lowercase();
        // The property of a lookup to several tables ends in the table's name.
        let is_of = |column: &&ColumnMetadata| {
            let own = column.logical_name.as_str();
            let rest = lower.strip_prefix(own);
            column.kind.is_lookup()
                && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
        };
        let is_lookup = self
            .writing
            .table
            .columns
            .iter()
            .any(|column| is_of(&column));
        if !is_lookup {
            return Err(self.unknown(name));
        }
        match values::text(&format!("{FIELD}.{name}"), value)? {
            Some(address) => self.attributes.put(name, address),
            None => self.attributes.put(name, Value::Null),
        }
        Ok(())
    }

    /// A lookup by its column: an id, or `{"id", "table"}`.
    fn custom_lookup(&mut self, column: &ColumnMetadata, value: &RawValue) -> Result<(), Problem> {
        let name = &column.logical_name;
        let path = format!("{FIELD}.{name}");
        let (id, given) = match values::found(value) {
            Found::Null => (None, None),
            Found::Object(object) => {
                let fields = values::object(object).unwrap_or_default();
                let text = |wanted: &str| match fields.iter().find(|(name, _)| name == wanted) {
                    Some((_, value)) => values::text(&format!("{path}.{wanted}"), value),
                    None => Ok(None),
                };
                let (id, table) = (text("id")?, text("table")?);
                (Some(read_id(&path, id.as_deref())?), table)
            }
            Found::Text(text) => (Some(read_id(&path, Some(&text))?), None),
            other => return Err(other.wrong(&path, "an id, or {\"id\", \"table\"}")),
        };
        let hint = |hint: String| Problem::Lookup {
            column: name.clone(),
            hint,
        };
        let around = self.writing.around;
        let known = id.and_then(|id| around.tables.get(&id).cloned());
        let only = match column.targets.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        };
        let current = self.current_table(name).filter(|_| id.is_none());
        let target = given.or(known).or(only).or(current).ok_or_else(|| {
            let tables = column.targets.join(", ");
            hint(format!(
                "say to which table, as {{\"id\": …, \"table\": …}} with one of {tables}"
            ))
        })?;
        let way = around.navigation.get(&(name.clone(), target.clone()));
        let way = way.ok_or_else(|| {
            hint(format!(
                "no relationship of it to the table {target} is known; give its navigation property, \
                 as {{\"Property@odata.bind\": \"/set(id)\"}}"
            ))
        })?;
        self.bind(&way.property, &way.set, id);
        Ok(())
    }
}

fn read_id(path: &str, text: Option<&str>) -> Result<Uuid, Problem> {
    let text = text.unwrap_or_default();
    parse_guid(text).ok_or_else(|| Problem::BadValue {
        field: path.to_owned(),
        expected: "the id of a record (a GUID)",
        value: text.to_owned(),
    })
}
