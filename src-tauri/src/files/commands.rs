//! Commands that reach out of the window: files that are written, and addresses.

use std::cell::Cell;
use std::path::PathBuf;
use std::time::Instant;

use salesmirror_core::{Error, ExportRows, Work};
use salesmirror_wire::{Event, ExportFormat, ExportRequest};
use tauri::{AppHandle, Manager as _};
use tauri_plugin_dialog::DialogExt as _;
use tauri_plugin_opener::OpenerExt as _;

use super::convert;
use crate::commands::{Refusal, Reply};
use crate::desk::{Desk, OnDesk};
use crate::events;

#[tauri::command]
pub async fn choose_file(
    handle: AppHandle,
    suggested: String,
    format: Option<ExportFormat>,
) -> Option<String> {
    let (send, receive) = tokio::sync::oneshot::channel();
    let mut dialog = handle
        .dialog()
        .file()
        .set_title("Save as")
        .set_file_name(suggested);
    if let Some(format) = format {
        dialog = dialog.add_filter(convert::format_name(format), &[convert::ending(format)]);
    }
    let folders = handle.path();
    if let Ok(folder) = folders.document_dir().or_else(|_| folders.home_dir()) {
        dialog = dialog.set_directory(folder);
    }
    if let Some(window) = handle.get_webview_window("main") {
        dialog = dialog.set_parent(&window);
    }
    dialog.save_file(move |path| {
        let _ = send.send(path);
    });
    let path = receive.await.ok().flatten()?.into_path().ok()?;
    Some(path.to_string_lossy().into_owned())
}

#[tauri::command]
pub async fn export(
    handle: AppHandle,
    desk: OnDesk<'_>,
    connection: String,
    request: ExportRequest,
) -> Reply<()> {
    let session = desk.session(&connection).await?;
    let metadata = session.metadata(&request.view.table).await?;
    let rows = match &request.picked {
        Some(picked) => ExportRows::Of(
            desk.views
                .get(picked.view)?
                .1
                .pick(&convert::places(picked)),
        ),
        None => crate::records::convert::selectors(&request.view)
            .view(&metadata)?
            .into(),
    };
    let cancel = desk.ongoing.begin(Work::Export);
    tauri::async_runtime::spawn(async move {
        let options = convert::export_options(&request);
        let told = Cell::new(Instant::now());
        let telling = handle.clone();
        let on_rows = move |rows, total| {
            if told.get().elapsed() >= events::PACE {
                told.set(Instant::now());
                let progress = convert::exporting(rows, total);
                events::tell(&telling, &Event::Export { progress });
            }
        };
        let path = PathBuf::from(&request.path);
        let ended = session
            .export(rows, &request.columns, &path, &options, &cancel, on_rows)
            .await;
        let desk = handle.state::<Desk>();
        desk.ongoing.note(ended.as_ref().ok());
        let progress = convert::exported(ended, request.path);
        events::tell(&handle, &Event::Export { progress });
    });
    Ok(())
}

#[tauri::command]
pub async fn show_in_folder(handle: AppHandle, path: String) -> Reply<()> {
    opened(&path, handle.opener().reveal_item_in_dir(&path))
}

#[tauri::command]
pub async fn open_file(handle: AppHandle, desk: OnDesk<'_>, path: String) -> Reply<()> {
    desk.ongoing.may_open(&path)?;
    opened(&path, handle.opener().open_path(&path, None::<&str>))
}

#[tauri::command]
pub async fn open_link(handle: AppHandle, desk: OnDesk<'_>, url: String) -> Reply<()> {
    let url = desk.apis.openable(desk.app().await?, &url).await?;
    opened(&url, handle.opener().open_url(&url, None::<&str>))
}

fn opened(what: &str, result: Result<(), tauri_plugin_opener::Error>) -> Reply<()> {
    let refused = |error| {
        Refusal::from(Error::usage(
            "cannot_open",
            format!("The system did not open {what}: {error}."),
            "Copy it and open it by hand.",
        ))
    };
    result.map_err(refused)
}
