//! `query`, `passthrough`, `completions`.

use std::io::Write as _;
use std::time::Duration;

use clap::CommandFactory as _;
use salesmirror_core::{
    Error, Passthrough, QueryLimits, QueryResult, QueryValue, Result, base64_text, csv_line,
    grouped,
};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::Context;
use crate::arguments::{self, Arguments, QueryFormat};
use crate::output::{self, table};

pub async fn query(context: &Context, options: arguments::Query) -> Result<u8> {
    let limits = QueryLimits {
        time: Duration::from_secs(options.timeout),
        rows: options.limit,
    };
    let session = context.session().await?;
    let result = session.query(&options.sql, limits).await?;
    let format = match context.output.json {
        true => QueryFormat::Json,
        false => options.format,
    };
    if result.truncated && format != QueryFormat::Json {
        context.output.message(&format!(
            "There are more rows than the {} that are shown: use --limit.",
            grouped(options.limit as u64)
        ));
    }
    match format {
        QueryFormat::Json => {
            let rows = result.rows.iter();
            let rows: Vec<Vec<Value>> = rows
                .map(|row| row.iter().map(json_value).collect())
                .collect();
            let document = json!({
                "columns": result.columns, "rows": rows, "truncated": result.truncated,
            });
            output::line(&document.to_string());
        }
        QueryFormat::Csv => write_csv(&result)?,
        QueryFormat::Table => {
            let head: Vec<&str> = result.columns.iter().map(String::as_str).collect();
            let lines: Vec<Vec<String>> = result
                .rows
                .iter()
                .map(|row| row.iter().map(readable).collect())
                .collect();
            output::line(table(&head, &lines).trim_end());
        }
    }
    Ok(0)
}

fn json_value(value: &QueryValue) -> Value {
    match value {
        QueryValue::Null => Value::Null,
        QueryValue::Integer(number) => json!(number),
        QueryValue::Real(number) => json!(number),
        QueryValue::Text(text) => json!(text),
        QueryValue::Bytes(bytes) => json!(base64_text(bytes)),
    }
}

fn readable(value: &QueryValue) -> String {
    match value {
        QueryValue::Null => String::new(),
        QueryValue::Integer(number) => number.to_string(),
        QueryValue::Real(number) => number.to_string(),
        QueryValue::Text(text) => text.replace(['\n', '\r', '\t'], " "),
        QueryValue::Bytes(bytes) => base64_text(bytes),
    }
}

fn write_csv(result: &QueryResult) -> Result<()> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let head: Vec<QueryValue> = result
        .columns
        .iter()
        .cloned()
        .map(QueryValue::Text)
        .collect();
    for row in std::iter::once(&head).chain(&result.rows) {
        out.write_all(csv_line(row).as_bytes())
            .map_err(|source| Error::file(std::path::Path::new("The output"), &source))?;
    }
    out.flush()
        .map_err(|source| Error::file(std::path::Path::new("The output"), &source))
}

pub async fn passthrough(context: &Context, options: arguments::Passthrough) -> Result<u8> {
    let request = Passthrough {
        method: options.method,
        path: options.path,
        headers: pairs(&options.header, ':', "--header", "'Name: value'")?,
        query: pairs(&options.query, '=', "--query", "name=value")?,
        body: options.body.map(|text| body(&text)).transpose()?,
    };
    let reply = context.session().await?.passthrough(request).await?;
    let headers: serde_json::Map<String, Value> = reply
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect();
    let (body, encoding) = body_json(&reply.body);
    // The body is put in as it came, with its own digits.
    output::line(&format!(
        "{{\"url\":{},\"status\":{},\"headers\":{},\"body\":{body},\"body_encoding\":{encoding}}}",
        json!(reply.url),
        reply.status,
        Value::Object(headers),
    ));
    Ok(0)
}

/// A body as JSON where it is JSON, else in base64; and which of the two it is.
fn body_json(body: &[u8]) -> (String, Value) {
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    if body.is_empty() {
        return ("null".to_owned(), Value::Null);
    }
    match serde_json::from_slice::<&RawValue>(body) {
        Ok(text) => (text.get().replace(['\r', '\n'], " "), json!("json")),
        Err(_) => (json!(base64_text(body)).to_string(), json!("base64")),
    }
}

fn pairs(texts: &[String], sign: char, flag: &str, example: &str) -> Result<Vec<(String, String)>> {
    let pair = |text: &String| {
        let (name, value) = text.split_once(sign).ok_or_else(|| {
            Error::usage(
                "bad_pair",
                format!("{flag} {text:?} cannot be read."),
                format!("Write {flag} {example}."),
            )
        })?;
        let value = if sign == ':' {
            value.trim_start_matches(' ')
        } else {
            value
        };
        Ok((name.to_owned(), value.to_owned()))
    };
    texts.iter().map(pair).collect()
}

/// The body itself, or the content of the file behind an `@`.
fn body(text: &str) -> Result<Vec<u8>> {
    let Some(file) = text.strip_prefix('@') else {
        return Ok(text.as_bytes().to_vec());
    };
    std::fs::read(file).map_err(|error| {
        Error::usage(
            "bad_body",
            format!("{file} cannot be read: {error}."),
            "Name a file after the @, or write the JSON itself.",
        )
    })
}

/// Writes what a shell needs to complete commands and flags.
pub fn completions(shell: clap_complete::Shell) -> Result<u8> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "salesmirror", &mut text);
    std::io::stdout()
        .write_all(&text)
        .map_err(|source| Error::file(std::path::Path::new("The output"), &source))?;
    Ok(0)
}
