//! `serve` and `api-keys`: the local API without a window.

use std::io::Write as _;
use std::time::Duration;

use salesmirror_core::{ApiKey, Category, Error, NewApiKey, Result, Scope, Secret};
use salesmirror_local_api::Server;
use serde_json::{Value, json};

use crate::Context;
use crate::arguments::{ApiKeyAction, ApiKeys, Serve};
use crate::output::{moment, table};

/// Name of the key that `serve` makes or takes.
const KEY_NAME: &str = "serve";
/// How often it is looked whether the connection was opened anew, after its mirror was damaged.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Serves until it is interrupted, and syncs by the schedule meanwhile.
pub async fn serve(context: &Context, options: &Serve) -> Result<u8> {
    let app = &context.app;
    let row = app.find(context.connection.as_deref()).await?;
    let session = app.session(&row).await?;
    context.say(&session);
    let mut made = None;
    if options.api_key_stdin {
        app.set_api_key(KEY_NAME, &Scope::ALL, &read_key()?).await?;
    } else if app.api_keys().await?.is_empty() {
        made = Some(app.make_api_key(KEY_NAME, &Scope::ALL).await?);
    }
    session.start_indexing();
    drop(session);
    let running = Server::start(app.clone(), row.clone(), options.port).await?;
    let line = json!({"url": running.url(), "api_key": made.as_ref().map(NewApiKey::text)});
    // The first line is all that scripts need.
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    drop(out);
    context.output.message(&format!(
        "Serving \"{}\"; {}/ describes the API. Ctrl C ends it.",
        row.name,
        running.url()
    ));
    loop {
        match app.session(&row).await {
            Ok(session) => session.start_schedule(),
            Err(error) => context.output.message(&format!("error: {}", error.message)),
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = context.cancel.cancelled() => break,
        }
    }
    tokio::join!(running.stop(), app.end_syncs());
    Ok(0)
}

/// The first line of stdin: whoever starts the program may keep it open.
fn read_key() -> Result<Secret> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(|error| {
        Error::explained(
            Category::Usage,
            "bad_api_key",
            format!("The API key cannot be read from stdin: {error}."),
        )
    })?;
    Ok(Secret::from(line.trim().to_owned()))
}

pub async fn api_keys(context: &Context, options: ApiKeys) -> Result<u8> {
    match options.action {
        None => list(context).await?,
        Some(ApiKeyAction::Make { name, scope }) => {
            let scopes: Vec<Scope> = scope
                .iter()
                .map(|word| Scope::parse(word))
                .collect::<Result<_>>()?;
            let made = context.app.make_api_key(&name, &scopes).await?;
            let mut document = key_json(&made.key);
            let text = made.text();
            document["api_key"] = json!(text);
            context.output.result(&document, text);
            context.output.message("Keep it: it is not shown again.");
        }
        Some(ApiKeyAction::Revoke { key }) => {
            let keys = context.app.api_keys().await?;
            let found = keys
                .iter()
                .find(|known| known.id.to_string() == key || known.name.eq_ignore_ascii_case(&key));
            let found = found.ok_or_else(|| {
                Error::explained(
                    Category::Usage,
                    "unknown_api_key",
                    format!("There is no API key \"{key}\"."),
                )
            })?;
            context.app.revoke_api_key(found.id).await?;
            let text = format!("Revoked \"{}\".", found.name);
            context
                .output
                .result(&json!({"revoked": found.name}), &text);
        }
    }
    Ok(0)
}

async fn list(context: &Context) -> Result<()> {
    let keys = context.app.api_keys().await?;
    let documents: Vec<Value> = keys.iter().map(key_json).collect();
    let lines: Vec<Vec<String>> = keys
        .iter()
        .map(|key| {
            vec![
                key.name.clone(),
                key.hint.clone(),
                scopes(key).join(", "),
                moment(key.created_at),
                key.last_used.map_or_else(|| "–".to_owned(), moment),
            ]
        })
        .collect();
    let text = match lines.is_empty() {
        true => "There is no API key yet: `salesmirror api-keys make NAME` makes one.".to_owned(),
        false => table(&["NAME", "KEY", "SCOPES", "MADE", "LAST USED"], &lines),
    };
    context.output.result(&Value::Array(documents), &text);
    Ok(())
}

fn scopes(key: &ApiKey) -> Vec<&'static str> {
    key.scopes.iter().map(|scope| scope.as_str()).collect()
}

fn key_json(key: &ApiKey) -> Value {
    json!({
        "id": key.id.to_string(), "name": key.name, "hint": key.hint, "scopes": scopes(key),
        "created_at": moment(key.created_at), "last_used": key.last_used.map(moment),
    })
}
