//! `connect`, `connections`, `disconnect`, `doctor`.

use std::io::{Read as _, Write as _};
use std::time::Duration;

use salesmirror_core::{Category, Check, Error, Flow, PendingSignIn, Request, Result, Secret};
use serde_json::{Value, json};

use crate::Context;
use crate::arguments::{Connect, FlowName};
use crate::output::table;

pub async fn connect(context: &Context, options: Connect) -> Result<u8> {
    let secret = if options.client_secret_stdin {
        Some(read_secret()?)
    } else {
        None
    };
    let request = Request {
        name: options.name,
        environment: options.environment,
        tenant: options.tenant,
        client_id: options.client_id,
        client_secret: secret,
        authority: options.authority,
        flow: match options.flow {
            FlowName::Browser => Flow::Browser,
            FlowName::ClientCredentials => Flow::ClientCredentials,
        },
        redirect_port: options.redirect_port,
        timeout: Duration::from_secs(options.timeout),
        kind: None,
    };
    let (output, no_browser) = (context.output, options.no_browser);
    let open = move |sign_in: &PendingSignIn| {
        if no_browser && output.json {
            let line = json!({
                "authorization_url": sign_in.authorization_url,
                "redirect_uri": sign_in.redirect_uri,
            });
            let mut out = std::io::stdout().lock();
            let _ = writeln!(out, "{line}").and_then(|()| out.flush());
            return;
        }
        if no_browser || open::that_detached(&sign_in.authorization_url).is_err() {
            output.message(&format!(
                "Open this address to sign in:\n{}",
                sign_in.authorization_url
            ));
        } else {
            output.message("The browser is open. Sign in there.");
        }
    };
    let connected = context
        .app
        .connect(&request, &open, &context.cancel)
        .await?;
    let row = &connected.row;
    let document = json!({
        "connection": row.name,
        "user": row.user,
        "organization": row.organization,
        "checks": connected.checks.iter().map(check_json).collect::<Vec<_>>(),
    });
    let text = format!(
        "Connected \"{}\" to {} as {}.\n{}",
        row.name,
        row.organization.as_deref().unwrap_or(&row.environment),
        row.user.as_deref().unwrap_or("the app"),
        checks_text(&connected.checks),
    );
    context.output.result(&document, &text);
    Ok(0)
}

fn read_secret() -> Result<Secret> {
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| {
            Error::usage(
                "bad_client_secret",
                format!("The secret cannot be read from stdin: {error}."),
                "",
            )
        })?;
    // A line's end is the shell's, not the secret's.
    Ok(Secret::from(text.trim_end_matches(['\r', '\n']).to_owned()))
}

fn check_json(check: &Check) -> Value {
    json!({"name": check.name, "ok": check.ok, "detail": check.detail, "hint": check.hint})
}

fn checks_text(checks: &[Check]) -> String {
    let mut text = String::new();
    for check in checks {
        text.push_str(&format!(
            "{} {}: {}\n",
            if check.ok { "✓" } else { "✗" },
            check.name,
            check.detail
        ));
        if !check.hint.is_empty() {
            text.push_str(&format!("  hint: {}\n", check.hint));
        }
    }
    text
}

pub async fn list(context: &Context) -> Result<u8> {
    let rows = context.app.connections().await?;
    let documents: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "name": row.name, "environment": row.environment, "authority": row.authority,
                "tenant": row.tenant, "client_id": row.client_id, "flow": row.flow, "user": row.user,
                "organization": row.organization, "signed_in": row.signed_in,
            })
        })
        .collect();
    let lines: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "–".to_owned());
            vec![
                row.name.clone(),
                or_dash(&row.organization),
                row.environment.clone(),
                or_dash(&row.user),
            ]
        })
        .collect();
    let text = if lines.is_empty() {
        "There is no connection yet. Make one with `salesmirror connect`.".to_owned()
    } else {
        table(
            &["NAME", "ORGANISATION", "ENVIRONMENT", "SIGNED IN AS"],
            &lines,
        )
    };
    context.output.result(&Value::Array(documents), &text);
    Ok(0)
}

pub async fn disconnect(context: &Context, name: &str, purge: bool) -> Result<u8> {
    let row = context.app.find(Some(name)).await?;
    context.app.disconnect(&row, purge).await?;
    let document = json!({"disconnected": row.name, "purged": purge});
    let text = if purge {
        format!(
            "Disconnected \"{}\"; its data and its keychain entries are gone.",
            row.name
        )
    } else {
        format!(
            "Disconnected \"{}\". Its data is still there, encrypted.",
            row.name
        )
    };
    context.output.result(&document, &text);
    Ok(0)
}

pub async fn doctor(context: &Context) -> Result<u8> {
    let mut checks = Vec::new();
    let mut worst = None;
    let mut add = |name: &str, detail: String, result: Result<()>| {
        checks.push(match result {
            Ok(()) => Check {
                name: name.to_owned(),
                ok: true,
                detail,
                hint: String::new(),
            },
            Err(error) => {
                worst.get_or_insert(error.category);
                Check {
                    name: name.to_owned(),
                    ok: false,
                    detail: error.message,
                    hint: error.hint,
                }
            }
        });
    };
    add(
        "Keychain",
        "keeps and gives back secrets".to_owned(),
        context.app.check_keychain().await,
    );
    let place = context.app.data_dir().root().display().to_string();
    add("Data directory", place, context.app.check_data().await);
    let connections = context.app.connections().await.unwrap_or_default();
    for row in &connections {
        let reached = context.app.reach(row).await;
        add(
            &format!("Network to {}", row.environment),
            "answers".to_owned(),
            reached,
        );
    }
    add("Clock", "is plausible".to_owned(), check_clock());
    let document = json!({"checks": checks.iter().map(check_json).collect::<Vec<_>>()});
    context.output.result(&document, &checks_text(&checks));
    Ok(match worst {
        None => 0,
        Some(Category::Keychain) => 6,
        Some(_) => 1,
    })
}

/// Tokens are good from one moment to another: a clock that is years off breaks every sign-in.
fn check_clock() -> Result<()> {
    let year = jiff::Timestamp::now().strftime("%Y").to_string();
    match year.parse::<u32>() {
        Ok(year) if year >= 2025 => Ok(()),
        _ => Err(Error::new(
            Category::Failed,
            "clock_wrong",
            format!("The clock says it is {year}."),
            "Set the clock, then try again.",
        )),
    }
}
