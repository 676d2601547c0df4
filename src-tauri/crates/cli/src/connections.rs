//! `connect`, `connections`, `disconnect`, `doctor`.

use std::io::{Read as _, Write as _};
use std::time::Duration;

use salesmirror_core::{
    Category, Check, Connected, ConnectionChange, DiscoveryRequest, Error, Flow, PendingSignIn,
    Request, Result, Secret,
};
use serde_json::{Value, json};

use crate::Context;
use crate::arguments::{Change, Connect, Environments, FlowName, SignIn};
use crate::output::{self, table};

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
        secret_expires: options.secret_expires,
        ..Request::default()
    };
    let open = browser(context, options.no_browser);
    let connected = context
        .app
        .connect(&request, &open, &context.cancel)
        .await?;
    tell(context, &connected, "Connected");
    Ok(0)
}

pub async fn change(context: &Context, options: Change) -> Result<u8> {
    let row = context.app.find(context.connection.as_deref()).await?;
    let secret = options.client_secret_stdin.then(read_secret).transpose()?;
    let change = ConnectionChange {
        name: options.name,
        client_secret: secret,
        secret_expires: options.secret_expires,
        redirect_port: options.redirect_port.map(|port| (port > 0).then_some(port)),
    };
    let changed = context.app.change_connection(&row, change).await?;
    let document = json!({
        "changed": changed.name,
        "redirect_port": changed.redirect_port,
        "secret_expires": changed.secret_expires,
    });
    let text = format!("Changed \"{}\".", changed.name);
    context.output.result(&document, &text);
    Ok(0)
}

pub async fn sign_in(context: &Context, options: SignIn) -> Result<u8> {
    let name = options.name.as_deref().or(context.connection.as_deref());
    let row = context.app.find(name).await?;
    let open = browser(context, options.no_browser);
    let timeout = Duration::from_secs(options.timeout);
    let connected = context
        .app
        .sign_in_again(&row, timeout, options.another_user, &open, &context.cancel)
        .await?;
    tell(context, &connected, "Signed in again:");
    Ok(0)
}

/// Opens the page, or prints its address: with `--json` as a line of its own.
fn browser(context: &Context, no_browser: bool) -> impl Fn(&PendingSignIn) + Send + Sync {
    let output = context.output;
    move |sign_in: &PendingSignIn| {
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
            // Without this line nobody could sign in, however quiet it shall be.
            output::notice(&format!(
                "Open this address to sign in:\n{}",
                sign_in.authorization_url
            ));
        } else {
            output.message("The browser is open. Sign in there.");
        }
    }
}

fn tell(context: &Context, connected: &Connected, done: &str) {
    let row = &connected.row;
    let document = json!({
        "connection": row.name,
        "user": row.user,
        "organization": row.organization,
        "checks": connected.checks.iter().map(check_json).collect::<Vec<_>>(),
    });
    let text = format!(
        "{done} \"{}\" to {} as {}.\n{}",
        row.name,
        row.organization.as_deref().unwrap_or(&row.environment),
        row.user.as_deref().unwrap_or("the app"),
        checks_text(&connected.checks),
    );
    context.output.result(&document, &text);
}

pub async fn environments(context: &Context, options: Environments) -> Result<u8> {
    let found = match options.client_id {
        None => {
            let row = context.app.find(context.connection.as_deref()).await?;
            let discovery = options.discovery.as_deref();
            context.app.environments(&row, discovery).await?
        }
        Some(client_id) => {
            let client_secret = options.client_secret_stdin.then(read_secret).transpose()?;
            let request = DiscoveryRequest {
                cloud: options.cloud,
                tenant: options.tenant,
                client_id,
                client_secret,
                authority: options.authority,
                discovery: options.discovery,
                redirect_port: options.redirect_port,
                timeout: Duration::from_secs(options.timeout),
            };
            let open = browser(context, options.no_browser);
            let discovered = context.app.discover(&request, &open, &context.cancel);
            discovered.await?
        }
    };
    let documents: Vec<Value> = found
        .iter()
        .map(|environment| {
            json!({
                "name": environment.name, "url": environment.url, "api_url": environment.api_url,
                "enabled": environment.is_enabled, "region": environment.region,
                "version": environment.version, "tenant": environment.tenant,
            })
        })
        .collect();
    let lines: Vec<Vec<String>> = found
        .iter()
        .map(|environment| {
            let state = if environment.is_enabled {
                ""
            } else {
                "disabled"
            };
            [
                &environment.name,
                &environment.url,
                &environment.region,
                state,
            ]
            .map(ToOwned::to_owned)
            .to_vec()
        })
        .collect();
    let text = if lines.is_empty() {
        "Global Discovery lists no environment for this user. That happens with delegated administrators: \
         `salesmirror connect --environment URL` takes any address."
            .to_owned()
    } else {
        table(&["NAME", "ENVIRONMENT", "REGION", "STATE"], &lines)
    };
    context
        .output
        .result(&json!({"environments": documents}), &text);
    Ok(0)
}

pub fn read_secret() -> Result<Secret> {
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| {
            Error::explained(
                Category::Usage,
                "bad_client_secret",
                format!("The secret cannot be read from stdin: {error}."),
            )
        })?;
    // A line's end is the shell's, not the secret's.
    Ok(Secret::from(text.trim_end_matches(['\r', '\n']).to_owned()))
}

fn check_json(check: &Check) -> Value {
    json!({"name": check.name, "ok": check.ok(), "detail": check.detail, "hint": check.hint})
}

fn checks_text(checks: &[Check]) -> String {
    let mut text = String::new();
    for check in checks {
        text.push_str(&format!(
            "{} {}: {}\n",
            if check.ok() { "✓" } else { "✗" },
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
    let rows = context.app.settled_connections().await?;
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
            "Disconnected \"{}\". Its data is still there, encrypted, and is taken up again when the same user connects to the same environment.",
            row.name
        )
    };
    context.output.result(&document, &text);
    Ok(0)
}

pub async fn doctor(context: &Context) -> Result<u8> {
    let found = context.app.diagnose().await;
    let checks: Vec<Check> = found.iter().map(|found| found.check.clone()).collect();
    let document = json!({"checks": checks.iter().map(check_json).collect::<Vec<_>>()});
    context.output.result(&document, &checks_text(&checks));
    // The first that failed is mostly why the others did.
    Ok(found
        .iter()
        .find_map(|found| found.category)
        .map_or(0, |category| match category {
            Category::Keychain => output::exit_code(category),
            _ => 1,
        }))
}
