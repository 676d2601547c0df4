//! Unpack, call core, return.

use salesmirror_core::{Check, PendingSignIn, Secret, Work, explanations};
use salesmirror_wire::{
    Checks, Connection, ErrorReply, Event, FoundEnvironment, FoundTenant, ListedEnvironment, Setup,
    SetupDraft,
};
use tauri::AppHandle;

use super::{convert, show};
use crate::commands::{Reply, bring_to_front, finish_connection, wait_for_browser};
use crate::desk::OnDesk;
use crate::events;

#[tauri::command]
pub async fn begin_setup(desk: OnDesk<'_>) -> Reply<Setup> {
    let app = desk.app().await?;
    Ok(show(app, app.begin_setup().await?).await)
}

#[tauri::command]
pub async fn change_setup(desk: OnDesk<'_>, draft: SetupDraft) -> Reply<Setup> {
    let app = desk.app().await?;
    let draft = app.change_setup(convert::draft(draft)).await?;
    Ok(show(app, draft).await)
}

#[tauri::command]
pub async fn keep_setup_secret(desk: OnDesk<'_>, secret: String) -> Reply<Setup> {
    let app = desk.app().await?;
    let draft = app.keep_setup_secret(Secret::from(secret)).await?;
    Ok(show(app, draft).await)
}

#[tauri::command]
pub async fn find_tenant(desk: OnDesk<'_>) -> Reply<Option<FoundTenant>> {
    let found = desk.app().await?.find_tenant().await?;
    Ok(found.map(convert::tenant))
}

#[tauri::command]
pub async fn find_environment(desk: OnDesk<'_>) -> Reply<FoundEnvironment> {
    let found = desk.app().await?.find_environment().await?;
    Ok(convert::environment(found))
}

#[tauri::command]
pub async fn setup_environments(
    handle: AppHandle,
    desk: OnDesk<'_>,
) -> Reply<Vec<ListedEnvironment>> {
    let cancel = desk.ongoing.begin(Work::SignIn);
    let open = |pending: &PendingSignIn| wait_for_browser(&handle, pending);
    let found = desk.app().await?.setup_environments(&open, &cancel).await;
    events::tell(&handle, &Event::SignIn { sign_in: None });
    let found = found?;
    bring_to_front(&handle);
    Ok(found.into_iter().map(convert::listed).collect())
}

#[tauri::command]
pub async fn sign_in_setup(handle: AppHandle, desk: OnDesk<'_>, other: bool) -> Reply<Setup> {
    let app = desk.app().await?;
    let cancel = desk.ongoing.begin(Work::SignIn);
    let open = |pending: &PendingSignIn| wait_for_browser(&handle, pending);
    let draft = app.sign_in_setup(other, &open, &cancel).await;
    events::tell(&handle, &Event::SignIn { sign_in: None });
    let draft = draft?;
    bring_to_front(&handle);
    Ok(show(app, draft).await)
}

#[tauri::command]
pub async fn check_setup(handle: AppHandle, desk: OnDesk<'_>) -> Reply<Checks> {
    let cancel = desk.ongoing.begin(Work::Check);
    let tell = |checks: &[Check]| {
        let checks = convert::checks(checks);
        events::tell(&handle, &Event::Checks { checks });
    };
    let checks = desk.app().await?.check_setup(&tell, &cancel).await?;
    Ok(convert::checks(&checks))
}

#[tauri::command]
pub async fn finish_setup(
    handle: AppHandle,
    desk: OnDesk<'_>,
    without: Vec<String>,
) -> Reply<Connection> {
    let row = desk.app().await?.finish_setup(without).await?;
    finish_connection(&handle, &desk, &row.id.to_string()).await
}

#[tauri::command]
pub async fn discard_setup(handle: AppHandle, desk: OnDesk<'_>) -> Reply<()> {
    desk.app().await?.discard_setup().await?;
    events::tell_all(&handle).await;
    Ok(())
}

#[tauri::command]
pub async fn explain_error(desk: OnDesk<'_>, text: String) -> Reply<Option<ErrorReply>> {
    let setup = desk.app().await?.setup().await?;
    Ok(explanations::look_up(&text).map(|row| convert::explanation(row, setup.as_ref())))
}
