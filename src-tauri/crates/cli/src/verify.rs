//! `verify`.

use std::collections::HashMap;

use salesmirror_core::{Difference, Fix, Result, Verification, VerifyOptions, grouped};
use serde_json::{Value, json};

use crate::Context;
use crate::arguments;
use crate::output::{self, error_json, table};
use crate::progress::Bars;

pub async fn verify(context: &Context, options: arguments::Verify) -> Result<u8> {
    let session = context.session().await?;
    let mut tables = Vec::new();
    for name in &options.table {
        tables.push(session.table(name).await?);
    }
    let options = VerifyOptions {
        tables,
        repair: options.repair,
        yes: options.yes,
    };
    let live: HashMap<String, u64> = session
        .status()
        .await?
        .into_iter()
        .map(|table| (table.table, table.rows))
        .collect();
    let bars = Bars::new(context.output.quiet);
    let compared = |table: &str, rows| bars.show(table, rows, live.get(table).copied());
    let found = session.verify(&options, &context.cancel, &compared).await;
    bars.clear();
    let found = found?;
    let document = json!({"tables": found.iter().map(in_json).collect::<Vec<_>>()});
    let lines: Vec<Vec<String>> = found.iter().map(line).collect();
    let head = ["TABLE", ">ROWS", ">MISSING", ">EXTRA", ">CHANGED", "RESULT"];
    context.output.result(&document, &table(&head, &lines));
    for error in found.iter().filter_map(|table| table.error.as_ref()) {
        context
            .output
            .message(&format!("{}\nhint: {}", error.message, error.hint));
    }
    let failed = found.iter().find_map(|table| table.error.as_ref());
    Ok(match failed {
        Some(error) => output::exit_code(error.category),
        None => u8::from(found.iter().any(|table| !table.equal)),
    })
}

fn in_json(found: &Verification) -> Value {
    let kind = |difference: &Difference| {
        let examples: Vec<String> = difference
            .examples
            .iter()
            .map(ToString::to_string)
            .collect();
        json!({"count": difference.count, "examples": examples})
    };
    json!({
        "table": found.table, "equal": found.equal, "rows": found.rows,
        "missing": kind(&found.missing), "extra": kind(&found.extra),
        "changed": kind(&found.changed), "fix": found.fix.as_str(), "repaired": found.repaired,
        "requests": found.requests, "error": found.error.as_ref().map(error_json),
    })
}

fn line(found: &Verification) -> Vec<String> {
    let result = match found.fix {
        _ if found.error.is_some() => "failed",
        _ if found.repaired => "repaired",
        Fix::None => "equal",
        Fix::Sync => "differs: `sync` brings it",
        Fix::Records => "differs: `verify --repair` mends these rows",
        Fix::Full => "differs: `verify --repair` reads the whole table again",
    };
    vec![
        found.table.clone(),
        grouped(found.rows),
        grouped(found.missing.count),
        grouped(found.extra.count),
        grouped(found.changed.count),
        result.to_owned(),
    ]
}
