//! `schedule`, and `sync --watch`.

use salesmirror_core::{
    Every, Requests, Result, ScheduleChange, Session, TableSchedule, TableStatus, Warning, Watched,
    Watching, grouped,
};
use serde_json::{Value, json};

use crate::Context;
use crate::arguments;
use crate::output::{self, error_json, moment, table};
use crate::progress::{self, Bars};
use crate::sync::run_json;

pub async fn schedule(context: &Context, options: arguments::Schedule) -> Result<u8> {
    let every = options.every.as_deref().map(Every::parse).transpose()?;
    let session = context.session().await?;
    let name = match &options.table {
        Some(name) => Some(session.table(name).await?),
        None => None,
    };
    let change = ScheduleChange {
        every,
        paused: match (options.pause, options.resume) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        },
    };
    if change.every.is_some() || change.paused.is_some() {
        session.set_schedule(name.as_deref(), change).await?;
    }
    let own = session.schedule().await?;
    let mut plans = session.table_schedules().await?;
    if let Some(name) = &name {
        plans.retain(|plan| plan.table == *name);
    }
    let warnings = session.warnings(&session.status().await?).await?;
    let document = json!({
        "connection": session.row().name, "every": every_text(own.every), "paused": own.is_paused,
        "tables": plans.iter().map(plan_json).collect::<Vec<_>>(),
        "warnings": warnings_json(&warnings),
    });
    let lines: Vec<Vec<String>> = plans
        .iter()
        .map(|plan| {
            let own = if plan.is_own {
                "its own"
            } else {
                "the connection's"
            };
            let state = if plan.schedule.is_paused {
                "paused"
            } else {
                ""
            };
            vec![
                plan.table.clone(),
                every_text(plan.schedule.every),
                own.to_owned(),
                state.to_owned(),
                plan.next.map_or_else(|| "–".to_owned(), due),
            ]
        })
        .collect();
    let head = ["TABLE", "EVERY", "BY", "STATE", "NEXT SYNC"];
    context.output.result(&document, &table(&head, &lines));
    say_warnings(context, &warnings);
    Ok(0)
}

fn every_text(every: Option<std::time::Duration>) -> String {
    every.map_or(Every::Off, Every::Interval).text()
}

fn plan_json(plan: &TableSchedule) -> Value {
    json!({
        "table": plan.table, "every": every_text(plan.schedule.every), "own": plan.is_own,
        "paused": plan.schedule.is_paused, "next_sync": plan.next.map(moment),
    })
}

/// A time that may have come.
pub fn due(at: i64) -> String {
    let now = jiff::Timestamp::now().as_millisecond();
    if at <= now {
        "now".to_owned()
    } else {
        moment(at)
    }
}

pub fn warnings_json(warnings: &[Warning]) -> Vec<Value> {
    let document = |warning: &Warning| {
        json!({
            "code": warning.code, "table": warning.table, "message": warning.message, "hint": warning.hint,
        })
    };
    warnings.iter().map(document).collect()
}

pub fn say_warnings(context: &Context, warnings: &[Warning]) {
    for warning in warnings.iter().filter(|_| !context.output.json) {
        let text = format!("warning: {}\nhint: {}", warning.message, warning.hint);
        context.output.message(&text);
    }
}

pub async fn requests(session: &Session, tables: &[TableStatus]) -> Result<(Value, String)> {
    let Requests {
        day,
        today,
        entitlement,
        full_sync,
        scheduled,
    } = session.requests(tables).await?;
    let document = json!({
        "day": moment(day * 86_400_000).chars().take(10).collect::<String>(), "today": today,
        "entitlement": entitlement, "full_sync": full_sync, "scheduled": scheduled,
    });
    let text = format!(
        "Requests today (UTC): {} of the {} that a user usually has. A full sync takes about {}; the schedule at least {} a day.",
        grouped(today),
        grouped(entitlement),
        grouped(full_sync),
        grouped(scheduled)
    );
    Ok((document, text))
}

/// Syncs what is due until it is interrupted; one line of JSON a round.
pub async fn watch(context: &Context, options: &arguments::Sync) -> Result<u8> {
    let mut session = context.session().await?;
    let mut tables = Vec::new();
    for name in &options.table {
        tables.push(session.table(name).await?);
    }
    loop {
        let bars = Bars::new(context.output.quiet);
        let showing = progress::follow(&session, &bars);
        let watched = session
            .watch(&tables, !options.no_search, &context.cancel, |told| {
                bars.clear();
                tell(context, &told);
            })
            .await;
        showing.abort();
        bars.clear();
        match watched? {
            Watching::Stopped => {
                return Ok(output::exit_code(salesmirror_core::Category::Interrupted));
            }
            Watching::Damaged => {
                let row = session.row().clone();
                drop(session);
                context.app.note_damage()?;
                session = context.app.reopen(&row).await?;
                context.say(&session);
            }
        }
    }
}

fn tell(context: &Context, told: &Watched<'_>) {
    match told {
        Watched::Waiting { next, tables } => {
            let text = match next {
                Some(next) => format!("Waiting until {} for {}.", moment(*next), tables.join(", ")),
                None if tables.is_empty() => {
                    "Nothing is due: the schedule is off or paused, or a sync waits for you (see `salesmirror status`).".to_owned()
                }
                None => format!("Trying {} again in a moment.", tables.join(", ")),
            };
            context.output.message(&text);
        }
        Watched::Busy => context
            .output
            .message("Another Salesmirror process is syncing this connection; waiting for it."),
        Watched::Round(Ok(runs)) => {
            let document = json!({"runs": runs.iter().map(run_json).collect::<Vec<_>>()});
            let said: Vec<String> = runs.iter().map(run_text).collect();
            context.output.result(&document, &said.join("\n"));
        }
        Watched::Round(Err(error)) => {
            context
                .output
                .result(&json!({"error": error_json(error)}), "");
            if !context.output.json {
                let text = format!("{}\nhint: {}", error.message, error.hint);
                context.output.message(&text);
            }
        }
    }
}

fn run_text(run: &salesmirror_core::RunReport) -> String {
    let now = moment(jiff::Timestamp::now().as_millisecond());
    let error = run.error.as_ref().map_or_else(String::new, |error| {
        format!(": {} {}", error.message, error.hint)
    });
    format!(
        "{now} {} {} {}: {} new, {} updated, {} deleted{error}",
        run.table,
        run.strategy.as_str(),
        run.status.as_str().replace('_', " "),
        grouped(run.inserted),
        grouped(run.updated),
        grouped(run.deleted)
    )
}
