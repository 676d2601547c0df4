//! Commands of the page that sends requests.

use salesmirror_core::Work;
use salesmirror_wire::{Console, ConsoleChange, ConsoleReply, ConsoleRequest};
use tauri::State;

use super::convert;
use crate::commands::Reply;
use crate::desk::Desk;

#[tauri::command]
pub async fn console(
    desk: State<'_, Desk>,
    connection: String,
    change: Option<ConsoleChange>,
) -> Reply<Console> {
    let session = desk.session(&connection).await?;
    let kept = session.console(change.map(convert::change)).await?;
    Ok(convert::console(kept))
}

#[tauri::command]
pub async fn send_request(
    desk: State<'_, Desk>,
    connection: String,
    request: ConsoleRequest,
) -> Reply<ConsoleReply> {
    let session = desk.session(&connection).await?;
    let cancel = desk.ongoing.begin(Work::Request);
    let request = convert::request(request);
    Ok(convert::reply(
        session.send_request(request, &cancel).await?,
    ))
}

#[tauri::command]
pub async fn save_reply(desk: State<'_, Desk>, connection: String, path: String) -> Reply<()> {
    let session = desk.session(&connection).await?;
    Ok(session.save_reply(path.into()).await?)
}
