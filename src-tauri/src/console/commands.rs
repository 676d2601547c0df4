//! Commands of the page that sends requests.

use salesmirror_core::Work;
use salesmirror_wire::{Console, ConsoleChange, ConsoleReply, ConsoleRequest};

use super::convert;
use crate::commands::Reply;
use crate::desk::OnDesk;

#[tauri::command]
pub async fn console(
    desk: OnDesk<'_>,
    connection: String,
    change: Option<ConsoleChange>,
) -> Reply<Console> {
    let session = desk.session(&connection).await?;
    let kept = session.console(change.map(convert::change)).await?;
    Ok(convert::console(kept))
}

#[tauri::command]
pub async fn send_request(
    desk: OnDesk<'_>,
    connection: String,
    request: ConsoleRequest,
) -> Reply<ConsoleReply> {
    let session = desk.session(&connection).await?;
    let cancel = desk.ongoing.begin(Work::Request);
    let request = convert::request(request);
    let reply = session.send_request(request, &cancel).await?;
    Ok(convert::reply(reply))
}

#[tauri::command]
pub async fn save_reply(desk: OnDesk<'_>, connection: String, path: String) -> Reply<()> {
    let session = desk.session(&connection).await?;
    Ok(session.save_reply(path.into()).await?)
}
