//! The wizard's commands.

pub mod commands;
mod convert;

use salesmirror_core::{App, Result};
use salesmirror_wire::Setup;

/// The set-up that is under way, as the window shows it.
pub async fn shown(app: &App) -> Result<Option<Setup>> {
    match app.setup().await? {
        Some(draft) => Ok(Some(show(app, draft).await)),
        None => Ok(None),
    }
}

async fn show(app: &App, draft: salesmirror_core::Draft) -> Setup {
    let user = app.setup_connection().await.ok().and_then(|row| row.user);
    convert::setup(draft, user)
}
