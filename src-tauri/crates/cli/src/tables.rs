//! `tables`, `tables add`, `tables remove`.

use salesmirror_core::{AvailableTable, Result, grouped};
use serde_json::{Value, json};

use crate::Context;
use crate::arguments::{Tables, TablesAction};
use crate::output::table;

pub async fn tables(context: &Context, options: Tables) -> Result<u8> {
    match options.action {
        Some(TablesAction::Add { name }) => add(context, &name).await,
        Some(TablesAction::Remove { name }) => remove(context, &name).await,
        None if options.available => available(context).await,
        None => mirrored(context).await,
    }
}

async fn mirrored(context: &Context) -> Result<u8> {
    let tables = context.session().await?.status().await?;
    let documents: Vec<Value> = tables
        .iter()
        .map(|found| {
            let metadata = found.metadata.as_ref();
            json!({
                "table": found.table,
                "entity_set": metadata.map(|metadata| &metadata.entity_set_name),
                "display_name": found.labels.1,
                "rows": found.rows,
                "change_tracking": metadata.map(|metadata| metadata.change_tracking),
                "mirrored": true,
            })
        })
        .collect();
    let lines: Vec<Vec<String>> = tables
        .iter()
        .map(|found| {
            vec![
                found.table.clone(),
                found.labels.1.clone(),
                grouped(found.rows),
            ]
        })
        .collect();
    let text = table(&["TABLE", "NAME", ">ROWS"], &lines);
    context.output.result(&Value::Array(documents), &text);
    Ok(0)
}

async fn available(context: &Context) -> Result<u8> {
    let tables = context.session().await?.available_tables().await?;
    let documents: Vec<Value> = tables
        .iter()
        .map(|found| {
            json!({
                "table": found.table, "entity_set": found.entity_set,
                "display_name": found.display_name, "rows": found.rows,
                "change_tracking": found.change_tracking, "readable": found.readable,
                "mirrored": found.mirrored,
            })
        })
        .collect();
    let head = [
        "TABLE", "SET NAME", "NAME", ">ROWS", "TRACKED", "READABLE", "MIRRORED",
    ];
    let lines: Vec<Vec<String>> = tables.iter().map(available_line).collect();
    let text = table(&head, &lines);
    context.output.result(&Value::Array(documents), &text);
    Ok(0)
}

fn available_line(found: &AvailableTable) -> Vec<String> {
    let yes = |is_so: bool| if is_so { "yes" } else { "no" }.to_owned();
    vec![
        found.table.clone(),
        found.entity_set.clone(),
        found.display_name.clone(),
        found.rows.map_or_else(|| "–".to_owned(), grouped),
        yes(found.change_tracking),
        yes(found.readable),
        yes(found.mirrored),
    ]
}

async fn add(context: &Context, name: &str) -> Result<u8> {
    let added = context.session().await?.add_table(name).await?;
    let text = format!("\"{added}\" is mirrored from now on. `salesmirror sync` reads its rows.");
    context.output.result(&json!({"added": added}), &text);
    Ok(0)
}

async fn remove(context: &Context, name: &str) -> Result<u8> {
    let removed = context.session().await?.remove_table(name).await?;
    let text = format!("\"{removed}\" is mirrored no more, and its rows are gone from the mirror.");
    context.output.result(&json!({"removed": removed}), &text);
    Ok(0)
}
