//! `records`, `show`, `export`.

use std::path::Path;

use salesmirror_core::{
    Category, Deleted, Error, ExportFormat, ExportOptions, Result, Selectors, grouped,
};
use serde_json::{Value, json};

use crate::Context;
use crate::arguments::{DeletedName, Export, Format, Records, Selection, Show};
use crate::history;
use crate::output::{line, table};
use crate::progress::Bars;
use crate::unified;

/// Columns shown to people where they named none.
const SHOWN: usize = 5;
/// Longer cells are cut in the text output.
const WIDEST: usize = 40;

pub fn selectors(selection: &Selection) -> Selectors {
    Selectors {
        filters: selection.filter.clone(),
        search: selection.search.clone(),
        sort: selection.sort.clone(),
        deleted: match selection.deleted {
            DeletedName::Exclude => Deleted::Exclude,
            DeletedName::Include => Deleted::Include,
            DeletedName::Only => Deleted::Only,
        },
        stale_only: selection.stale.is_some(),
    }
}

pub async fn records(context: &Context, options: Records) -> Result<u8> {
    let session = context.session().await?;
    let name = session.table(&options.table).await?;
    if options.unified {
        return unified::records(context, &session, &name, &options).await;
    }
    let mut columns = options.selection.columns.clone();
    if columns.is_empty() && !context.output.json {
        let metadata = session.metadata(&name).await?;
        columns = salesmirror_core::usual_columns(&metadata, SHOWN);
    }
    let selectors = selectors(&options.selection);
    let (total, rows) = session
        .records_json(&name, &selectors, &columns, options.offset, options.limit)
        .await?;
    if context.output.json {
        // The rows are JSON already, with the digits that were delivered.
        line(&format!(
            "{{\"total\":{total},\"rows\":[{}]}}",
            rows.join(",")
        ));
        return Ok(0);
    }
    let mut lines: Vec<Vec<String>> = rows.iter().map(|row| readable(&columns, row)).collect();
    let mut head: Vec<String> = columns.iter().map(|name| name.to_uppercase()).collect();
    if !matches!(options.selection.deleted, DeletedName::Exclude) {
        head.push("DELETED".to_owned());
        for (line, row) in lines.iter_mut().zip(&rows) {
            line.extend(readable(&["_deleted_at".to_owned()], row));
        }
    }
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    let text = format!(
        "{}{} of {} records",
        table(&head, &lines),
        grouped(rows.len() as u64),
        grouped(total)
    );
    context.output.result(&Value::Null, &text);
    Ok(0)
}

/// The columns of a row as people read them.
fn readable(columns: &[String], row: &str) -> Vec<String> {
    let row: Value = serde_json::from_str(row).unwrap_or(Value::Null);
    columns
        .iter()
        .map(|name| {
            let wire = format!("_{name}_value");
            let name = if row.get(&wire).is_some() {
                &wire
            } else {
                name
            };
            let formatted = row.get(format!("{name}@OData.Community.Display.V1.FormattedValue"));
            let text = match formatted.or_else(|| row.get(name)) {
                None | Some(Value::Null) => String::new(),
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
            };
            cut(&text)
        })
        .collect()
}

/// A cell on one line, not too wide.
pub fn cut(text: &str) -> String {
    let text = text.replace(['\n', '\r', '\t'], " ");
    if text.chars().count() > WIDEST {
        text.chars().take(WIDEST - 1).chain("…".chars()).collect()
    } else {
        text
    }
}

pub async fn show(context: &Context, options: Show) -> Result<u8> {
    let session = context.session().await?;
    let name = session.table(&options.table).await?;
    let id = salesmirror_core::parse_guid(&options.id).ok_or_else(|| {
        Error::usage(
            "bad_id",
            format!("\"{}\" is no record id.", options.id),
            "Ids are GUIDs.",
        )
    })?;
    let record = match options.unified {
        true => unified::record(&session, &name, id).await?,
        false => session.record_json(&name, id, options.raw).await?,
    };
    let record = record.ok_or_else(|| {
        Error::new(
            Category::Failed,
            "not_found",
            format!("The mirror has no {name} with the id {id}."),
            "Sync, then try again.",
        )
    })?;
    let history = match options.history {
        true => Some(session.history(&name, id, history::MOST).await?),
        false => None,
    };
    match (&history, context.output.json) {
        (Some(history), true) => line(&history::beside(&record, history)),
        _ if context.output.json || options.raw => line(&record),
        _ => line(&salesmirror_core::indented(&record)),
    }
    if let (Some(history), false) = (&history, context.output.json) {
        line(&history::text(history));
    }
    Ok(0)
}

pub async fn export(context: &Context, options: Export) -> Result<u8> {
    let session = context.session().await?;
    let name = session.table(&options.table).await?;
    let spec = selectors(&options.selection).view(&session.metadata(&name).await?)?;
    let how = ExportOptions {
        format: match options.format {
            Format::Csv => ExportFormat::Csv,
            Format::Xlsx => ExportFormat::Xlsx,
            Format::Jsonl => ExportFormat::Jsonl,
            Format::Parquet => ExportFormat::Parquet,
        },
        raw_values: options.raw_values,
        bom: options.bom,
        delimiter: options.delimiter,
        quote_all: options.quote_all,
        local_dates: options.local_dates,
        formula_guard: !options.no_formula_guard,
    };
    let columns = &options.selection.columns;
    let bars = Bars::new(context.output.quiet);
    let progress = {
        let bars = bars.clone();
        move |rows, total| bars.show("export", rows, Some(total))
    };
    if options.output == Path::new("-") {
        let exported = session
            .export_to(
                spec.into(),
                columns,
                std::io::stdout(),
                &how,
                &context.cancel,
                progress,
            )
            .await;
        bars.clear();
        let exported = exported?;
        context.output.message(
            &json!({"rows": exported.rows, "bytes": exported.bytes, "path": "-"}).to_string(),
        );
        return Ok(0);
    }
    let exported = session
        .export(
            spec.into(),
            columns,
            &options.output,
            &how,
            &context.cancel,
            progress,
        )
        .await;
    bars.clear();
    let exported = exported?;
    let path = std::path::absolute(&options.output).unwrap_or(options.output);
    let document = json!({"rows": exported.rows, "bytes": exported.bytes, "path": path});
    let text = format!(
        "Exported {} records to {}.",
        grouped(exported.rows),
        path.display()
    );
    context.output.result(&document, &text);
    Ok(0)
}
