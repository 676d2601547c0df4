//! `sample-org`: runs until it is interrupted.

use std::io::Write as _;
use std::time::Duration;

use salesmirror_core::{Category, Error, Result};
use salesmirror_sample_org::{Config, SampleOrg, parse_rows, yesterday};
use tokio_util::sync::CancellationToken;

use crate::arguments;

pub async fn run(options: arguments::SampleOrg, cancel: &CancellationToken) -> Result<u8> {
    let rows = parse_rows(options.rows.as_deref().unwrap_or_default()).map_err(|message| {
        Error::usage(
            "bad_rows",
            message,
            "Write --rows account=N,contact=N,lead=N,opportunity=N,systemuser=N.",
        )
    })?;
    let usual = Config::default();
    let present = match options.recent {
        true => yesterday(jiff::Timestamp::now().as_second()),
        false => usual.present,
    };
    let config = Config {
        port: options.port,
        seed: options.seed,
        rows,
        latency: Duration::from_millis(options.latency_ms),
        tls: options.tls,
        present,
        ..usual
    };
    let organization = SampleOrg::start(config).await.map_err(|error| {
        Error::new(
            Category::Failed,
            "port_taken",
            format!(
                "The sample organisation cannot listen on port {}: {error}.",
                options.port
            ),
            "Choose another --port, or leave it out.",
        )
    })?;
    // The first line is all that scripts need.
    let mut out = std::io::stdout().lock();
    let line = serde_json::to_string(organization.description()).unwrap_or_default();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    drop(out);
    cancel.cancelled().await;
    Ok(0)
}
