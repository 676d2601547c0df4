//! `records --unified`, `show --unified`.

use salesmirror_core::unified::{Delivered, Object};
use salesmirror_core::{Result, Session, grouped, unified_object};
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::Context;
use crate::arguments::{DeletedName, Records};
use crate::output::{line, table};
use crate::records::{cut, selectors};

/// Fields that people see of each object; numbers are right-aligned.
const fn shown(object: Object) -> &'static [&'static str] {
    match object {
        Object::Account => &[
            "name",
            "industry",
            "email_addresses",
            "phone_numbers",
            "addresses",
            ">annual_revenue",
            "currency",
        ],
        Object::Contact => &[
            "first_name",
            "last_name",
            "title",
            "email_addresses",
            "phone_numbers",
            "addresses",
        ],
        Object::Lead => &[
            "first_name",
            "last_name",
            "company",
            "lead_source",
            "email_addresses",
            "status",
        ],
        Object::Opportunity => &[
            "name",
            "stage",
            "pipeline",
            ">amount",
            "currency",
            "status",
            "close_date",
        ],
        Object::User => &["name", "email", "title", "is_active"],
    }
}

/// Prints the objects of some records.
pub async fn records(
    context: &Context,
    session: &Session,
    name: &str,
    options: &Records,
) -> Result<u8> {
    let object = unified_object(name)?;
    let view = session
        .open_view(name, &selectors(&options.selection), None)
        .await?;
    let objects = session
        .unified_window(&view, options.offset, options.limit, false)
        .await?;
    let total = view.total();
    let rows: Vec<String> = objects.iter().map(|object| object.json()).collect();
    if context.output.json {
        line(&format!(
            "{{\"total\":{total},\"rows\":[{}]}}",
            rows.join(",")
        ));
        return Ok(0);
    }
    let mut names = shown(object).to_vec();
    if !matches!(options.selection.deleted, DeletedName::Exclude) {
        names.push("is_deleted");
    }
    let lines: Vec<Vec<String>> = rows.iter().map(|row| readable(&names, row)).collect();
    let heads: Vec<String> = names.iter().map(|name| name.to_uppercase()).collect();
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let text = format!(
        "{}{} of {} records",
        table(&heads, &lines),
        grouped(rows.len() as u64),
        grouped(total)
    );
    context.output.result(&Value::Null, &text);
    Ok(0)
}

/// The object of a record as JSON; `None` where the mirror never saw it.
pub async fn record(session: &Session, name: &str, id: Uuid) -> Result<Option<String>> {
    let found = session.unified_record(name, id, false).await?;
    Ok(found.map(|object| object.json()))
}

/// The fields of an object as people read them, with all digits.
fn readable(names: &[&str], row: &str) -> Vec<String> {
    let fields = Delivered::parse(row.as_bytes()).unwrap_or_default();
    let text = |name: &&str| {
        let name = name.trim_start_matches('>');
        let value = fields.value(name);
        let text = match value {
            Some(list) if list.get().starts_with('[') => listed(list),
            _ => fields.text(name).unwrap_or_default(),
        };
        cut(&text)
    };
    names.iter().map(text).collect()
}

/// The first entry of a list, and how many more there are.
fn listed(list: &RawValue) -> String {
    let entries: Vec<Value> = serde_json::from_str(list.get()).unwrap_or_default();
    let Some(first) = entries.first() else {
        return String::new();
    };
    let part = |name: &str| first.get(name).and_then(Value::as_str);
    let address = || {
        let parts = ["street_1", "postal_code", "city", "country"];
        let parts: Vec<&str> = parts.into_iter().filter_map(part).collect();
        parts.join(", ")
    };
    let first = part("email_address")
        .or_else(|| part("phone_number"))
        .map_or_else(address, str::to_owned);
    match entries.len() - 1 {
        0 => first,
        more => format!("{first} (+{more})"),
    }
}
