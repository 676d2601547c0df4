//! Commands of the page on the local API.

use salesmirror_wire::{Api, ApiChange};

use super::convert;
use crate::commands::Reply;
use crate::desk::OnDesk;

#[tauri::command]
pub async fn api(desk: OnDesk<'_>, connection: String, change: Option<ApiChange>) -> Reply<Api> {
    let (app, session) = (desk.app().await?, desk.session(&connection).await?);
    let made = match change {
        Some(change) => desk.apis.change(app, &session, change).await?,
        None => None,
    };
    let standing = desk.apis.standing(&session).await?;
    Ok(convert::api(standing, app.api_keys().await?, made))
}
