//! `settings`, `purge`.

use salesmirror_core::{AppSettingsChange, Preference, Result, grouped};
use serde_json::{Value, json};

use crate::Context;
use crate::arguments::{AppSettings, Purge, SettingsArguments};
use crate::connections;
use crate::output::table;

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

/// Shows or changes the settings of the whole product.
pub async fn app_settings(context: &Context, options: AppSettings) -> Result<u8> {
    let password = options
        .proxy_password_stdin
        .then(connections::read_secret)
        .transpose()?;
    let change = AppSettingsChange {
        proxy: options.proxy,
        proxy_user: options.proxy_user,
        proxy_password: password,
        log_level: options.log_level,
    };
    let is_changed = change.proxy.is_some()
        || change.proxy_user.is_some()
        || change.proxy_password.is_some()
        || change.log_level.is_some();
    let settings = match is_changed {
        true => context.app.set_app_settings(change).await?,
        false => context.app.app_settings(),
    };
    let document = json!({
        "proxy": settings.proxy, "proxy_user": settings.proxy_user,
        "proxy_password": settings.has_proxy_password, "log_level": settings.log_level,
    });
    let password = match settings.has_proxy_password {
        true => ", with a password",
        false => "",
    };
    let user = match settings.proxy_user.as_str() {
        "" => String::new(),
        name => format!(" as {name}{password}"),
    };
    let text = format!(
        "Proxy: {}{user}\nLog: {}",
        settings.proxy, settings.log_level
    );
    context.output.result(&document, &text);
    Ok(0)
}

/// Prints what somebody who helps needs.
pub async fn diagnostics(context: &Context) -> Result<u8> {
    let text = context.app.diagnostics(env!("CARGO_PKG_VERSION")).await;
    context
        .output
        .result(&json!({"diagnostics": text}), text.trim_end());
    Ok(0)
}
