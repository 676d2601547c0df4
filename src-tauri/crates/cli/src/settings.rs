//! `settings`, `purge`.

use salesmirror_core::{Preference, Result};
use serde_json::{Value, json};

use crate::Context;
use crate::arguments::{Purge, SettingsArguments};
use crate::output::{grouped, table};

pub async fn settings(context: &Context, options: SettingsArguments) -> Result<u8> {
    let session = context.session().await?;
    let Some(key) = options.key else {
        let all = session.preferences().await?;
        let document = json!({"settings": all.iter().map(in_json).collect::<Vec<_>>()});
        let lines: Vec<Vec<String>> = all
            .iter()
            .map(|found| {
                vec![
                    found.key.to_owned(),
                    found.value.clone(),
                    found.default.to_owned(),
                    found.meaning.to_owned(),
                ]
            })
            .collect();
        let text = table(&["SETTING", "VALUE", "DEFAULT", "MEANING"], &lines);
        context.output.result(&document, &text);
        return Ok(0);
    };
    let found = match options.value {
        Some(value) => session.set_preference(&key, &value).await?,
        None => session.preference(&key).await?,
    };
    context.output.result(&in_json(&found), &found.value);
    Ok(0)
}

fn in_json(found: &Preference) -> Value {
    json!({
        "key": found.key, "value": found.value, "default": found.default, "meaning": found.meaning,
    })
}

pub async fn purge(context: &Context, options: Purge) -> Result<u8> {
    let session = context.session().await?;
    let mut tables = Vec::new();
    for name in &options.tables {
        let table = session.table(name).await?;
        session.metadata(&table).await?;
        tables.push(table);
    }
    let rows = session
        .purge_deleted(&tables, options.older_than, &context.cancel)
        .await?;
    let text = format!("Let go of {} deleted rows.", grouped(rows));
    context.output.result(&json!({"purged": rows}), &text);
    Ok(0)
}
