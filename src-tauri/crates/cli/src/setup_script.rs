//! `setup-script`.

use salesmirror_core::{CLOUDS, Category, Error, Result, Wanted, scripts};
use serde_json::json;

use crate::arguments::{SetupScript, SetupShell};
use crate::output::Output;

/// Prints the script for this registration.
pub fn print(output: Output, options: &SetupScript) -> Result<u8> {
    let Some(cloud) = CLOUDS.iter().find(|cloud| cloud.id == options.cloud) else {
        return Err(Error::explained(
            Category::Usage,
            "usage",
            format!("There is no cloud \"{}\".", options.cloud),
        ));
    };
    let found = scripts(&Wanted {
        name: &options.name,
        cloud,
        tenant: options.tenant.as_deref(),
        public_client: options.public_client,
        redirect_port: options.redirect_port,
    });
    let script = match options.shell {
        SetupShell::AzureCli => found.azure_cli,
        SetupShell::Powershell => found.graph,
    };
    output.result(&json!({"script": script}), script.trim_end());
    Ok(0)
}
