//! `status`, `sync`, `invalidate`.

use salesmirror_core::{
    Category, Error, Preview, Rescue, Result, RunReport, RunStatus, Session, SyncOptions, grouped,
};
use serde_json::{Value, json};

use crate::Context;
use crate::arguments;
use crate::output::{self, error_json, moment, table};
use crate::progress::{self, Bars};
use crate::schedule;

pub async fn status(context: &Context) -> Result<u8> {
    let session = context.session().await?;
    let tables = session.status().await?;
    let documents: Vec<Value> = tables
        .iter()
        .map(|table| {
            let error: Value = table
                .last_error
                .as_deref()
                .and_then(|text| serde_json::from_str(text).ok())
                .unwrap_or(Value::Null);
            json!({
                "table": table.table, "rows": table.rows, "deleted": table.deleted, "stale": table.stale,
                "state": table.state, "strategy": table.strategy,
                "last_sync": table.last_sync.map(moment), "next_sync": table.plan.next.map(moment), "last_error": error,
                "reason": table.reason, "verified": table.verified.map(moment),
                "guard": table.guard.as_ref().map(guard_json),
                "delta_expires": table.delta_expires.map(moment),
            })
        })
        .collect();
    let row = session.row();
    let (requests, requests_text) = schedule::requests(&session, &tables).await?;
    let warnings = session.warnings(&tables).await?;
    let document = json!({
        "connection": row.name, "environment": row.environment, "signed_in": row.signed_in, "tables": documents,
        "rescued": session.last_rescue().await?.as_ref().map(rescue_json),
        "requests": requests, "warnings": schedule::warnings_json(&warnings),
    });
    let lines: Vec<Vec<String>> = tables
        .iter()
        .map(|table| {
            vec![
                table.table.clone(),
                grouped(table.rows),
                grouped(table.deleted),
                grouped(table.stale),
                table.state.replace('_', " "),
                table.last_sync.map_or_else(|| "–".to_owned(), moment),
                table
                    .plan
                    .next
                    .map_or_else(|| "–".to_owned(), schedule::due),
            ]
        })
        .collect();
    let text = table(
        &[
            "TABLE",
            ">ROWS",
            ">DELETED",
            ">STALE",
            "STATE",
            "LAST SYNC",
            "NEXT SYNC",
        ],
        &lines,
    );
    context.output.result(
        &document,
        &format!(
            "{} ({})\n{text}\n{requests_text}",
            row.name, row.environment
        ),
    );
    schedule::say_warnings(context, &warnings);
    Ok(0)
}

pub async fn sync(context: &Context, options: arguments::Sync) -> Result<u8> {
    if options.watch {
        return schedule::watch(context, &options).await;
    }
    let session = context.session().await?;
    let mut tables = Vec::new();
    for name in &options.table {
        tables.push(session.table(name).await?);
    }
    let with_search = !options.no_search;
    let options = SyncOptions {
        tables,
        full: options.full,
        yes: options.yes,
        no_join: options.no_join,
    };
    let mut runs = run(context, &session, &options, with_search).await;
    let mut rescue = session.rescue().cloned();
    context.app.note_damage()?;
    if context.app.is_damaged(session.row()) {
        let row = session.row().clone();
        drop(session);
        let session = context.app.reopen(&row).await?;
        context.say(&session);
        rescue = session.rescue().cloned();
        runs = run(context, &session, &options, with_search).await;
    }
    let runs = runs?;
    let mut document = json!({"runs": runs.iter().map(run_json).collect::<Vec<_>>()});
    if let Some(rescue) = &rescue {
        document["rescued"] = rescue_json(rescue);
    }
    let lines: Vec<Vec<String>> = runs
        .iter()
        .map(|run| {
            vec![
                run.table.clone(),
                run.strategy.as_str().to_owned(),
                run.status.as_str().replace('_', " "),
                grouped(run.inserted),
                grouped(run.updated),
                grouped(run.deleted),
                grouped(run.unchanged),
                grouped(run.requests),
                format!("{:.1} s", run.duration_ms as f64 / 1_000.0),
            ]
        })
        .collect();
    let head = [
        "TABLE",
        "STRATEGY",
        "STATUS",
        ">NEW",
        ">UPDATED",
        ">DELETED",
        ">UNCHANGED",
        ">REQUESTS",
        ">TIME",
    ];
    context.output.result(&document, &table(&head, &lines));
    for run in &runs {
        if let (false, Some(error)) = (context.output.json, &run.error) {
            context.output.message(&format!(
                "{}: {}\nhint: {}",
                run.table, error.message, error.hint
            ));
        }
    }
    Ok(exit_code(&runs))
}

/// Syncs with progress on stderr, then lets the search index follow.
async fn run(
    context: &Context,
    session: &Session,
    options: &SyncOptions,
    with_search: bool,
) -> Result<Vec<RunReport>> {
    let bars = Bars::new(context.output.quiet);
    let showing = progress::follow(session, &bars);
    let runs = session.sync(options, &context.cancel).await;
    showing.abort();
    bars.clear();
    let runs = runs?;
    if !with_search {
        return Ok(runs);
    }
    session
        .index_search(&context.cancel, |table, done, total| {
            bars.show(&format!("{table} search index"), done, Some(total));
        })
        .await?;
    bars.clear();
    Ok(runs)
}

pub fn run_json(run: &RunReport) -> Value {
    json!({
        "table": run.table, "strategy": run.strategy.as_str(), "status": run.status.as_str(),
        "inserted": run.inserted, "updated": run.updated, "deleted": run.deleted,
        "unchanged": run.unchanged, "pages": run.pages, "requests": run.requests,
        "retries": run.retries, "throttled_ms": run.throttled_ms, "duration_ms": run.duration_ms,
        "error": run.error.as_ref().map(error_json), "reason": run.reason, "id": run.id,
        "started": moment(run.started_at), "guard": run.guard.as_ref().map(guard_json),
    })
}

/// What was saved from a damaged mirror.
fn rescue_json(rescue: &Rescue) -> Value {
    json!({
        "at": moment(rescue.at), "moved_to": rescue.moved_to, "deleted_rows": rescue.deleted_rows,
        "changes": rescue.changes, "lost": rescue.lost, "counted": rescue.counted,
    })
}

/// What the mass-delete guard asks.
fn guard_json(guard: &Preview) -> Value {
    json!({
        "would_delete": guard.would_delete, "live_before": guard.live_before, "seen": guard.seen,
        "examples": guard.examples,
    })
}

/// The first that applies: confirmation, sign-in, gave up, failed, interrupted.
fn exit_code(runs: &[RunReport]) -> u8 {
    let has = |category: Category| {
        runs.iter().any(|run| {
            run.error
                .as_ref()
                .is_some_and(|error| error.category == category)
        })
    };
    for category in [
        Category::Confirmation,
        Category::SignIn,
        Category::GaveUp,
        Category::Keychain,
    ] {
        if has(category) {
            return output::exit_code(category);
        }
    }
    if runs.iter().any(|run| run.status == RunStatus::Failed) {
        1
    } else if has(Category::Interrupted) {
        output::exit_code(Category::Interrupted)
    } else {
        0
    }
}

pub async fn invalidate(context: &Context, options: arguments::Invalidate) -> Result<u8> {
    let session = context.session().await?;
    let tables: Vec<String> = match &options.table {
        Some(name) => vec![session.table(name).await?],
        None => {
            let known = session.status().await?;
            known
                .into_iter()
                .filter(|table| table.metadata.is_some())
                .map(|table| table.table)
                .collect()
        }
    };
    let mut ids = Vec::new();
    for text in &options.ids {
        let id = salesmirror_core::parse_guid(text).ok_or_else(|| {
            Error::usage(
                "bad_id",
                format!("\"{text}\" is no record id."),
                "Ids are GUIDs.",
            )
        })?;
        ids.push(id);
    }
    let mut invalidated = 0;
    for table in &tables {
        invalidated += session.invalidate(table, &ids).await?;
    }
    let mut code = 0;
    if !options.no_sync && invalidated > 0 {
        let options = SyncOptions {
            tables,
            ..SyncOptions::default()
        };
        let runs = run(context, &session, &options, true).await?;
        code = exit_code(&runs);
        for run in &runs {
            if let Some(error) = &run.error {
                context
                    .output
                    .message(&format!("{}: {}", run.table, error.message));
            }
        }
    }
    let text = format!("Invalidated {} records.", grouped(invalidated));
    context
        .output
        .result(&json!({"invalidated": invalidated}), &text);
    Ok(code)
}
