//! `runs`.

use salesmirror_core::{Result, RunRow, grouped};
use serde_json::{Value, json};

use crate::Context;
use crate::arguments;
use crate::output::{moment, table};

pub async fn runs(context: &Context, options: arguments::Runs) -> Result<u8> {
    let session = context.session().await?;
    let name = match &options.table {
        Some(name) => Some(session.table(name).await?),
        None => None,
    };
    let runs = session.runs(name.as_deref(), options.limit).await?;
    let document = json!({"runs": runs.iter().map(in_json).collect::<Vec<_>>()});
    let head = [
        ">RUN",
        "STARTED",
        "TABLE",
        "STRATEGY",
        "STATUS",
        ">NEW",
        ">UPDATED",
        ">DELETED",
        ">UNCHANGED",
        ">REQUESTS",
        ">TIME",
        "WHY",
    ];
    let lines: Vec<Vec<String>> = runs.iter().map(line).collect();
    context.output.result(&document, &table(&head, &lines));
    Ok(0)
}

fn error(run: &RunRow) -> Value {
    let text = run.error.as_deref();
    text.and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or(Value::Null)
}

/// The keys of `sync`.
fn in_json(run: &RunRow) -> Value {
    json!({
        "id": run.id, "table": run.table, "strategy": run.strategy, "reason": run.reason,
        "status": run.status, "started": moment(run.started_at), "inserted": run.inserted,
        "updated": run.updated, "deleted": run.deleted, "unchanged": run.unchanged,
        "pages": run.pages, "requests": run.requests, "retries": run.retries,
        "throttled_ms": run.throttled_ms, "duration_ms": run.duration_ms(), "error": error(run),
    })
}

fn line(run: &RunRow) -> Vec<String> {
    let error = error(run);
    // What went wrong says more than why the table was read so.
    let why = match error["message"].as_str() {
        Some(message) => format!("{}: {message}", error["code"].as_str().unwrap_or_default()),
        None => run.reason.clone(),
    };
    vec![
        run.id.to_string(),
        moment(run.started_at),
        run.table.clone(),
        run.strategy.clone(),
        run.status.replace('_', " "),
        grouped(run.inserted),
        grouped(run.updated),
        grouped(run.deleted),
        grouped(run.unchanged),
        grouped(run.requests),
        format!("{:.1} s", run.duration_ms() as f64 / 1_000.0),
        why,
    ]
}
