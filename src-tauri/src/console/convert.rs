//! Requests of the admin's own, as core and the window have them.

use salesmirror_core::{self as core, OwnRequest, explanations};
use salesmirror_wire as wire;

use crate::convert::error;

/// A request that was written.
pub fn request(written: wire::ConsoleRequest) -> OwnRequest {
    OwnRequest {
        method: written.method,
        path: written.path,
        query: written.query,
        headers: written.headers,
        body: written.body,
    }
}

fn shown(request: OwnRequest) -> wire::ConsoleRequest {
    wire::ConsoleRequest {
        method: request.method,
        path: request.path,
        query: request.query,
        headers: request.headers,
        body: request.body,
    }
}

/// A change of what is kept.
pub fn change(change: wire::ConsoleChange) -> core::ConsoleChange {
    match change {
        wire::ConsoleChange::Save {
            name,
            request: written,
        } => core::ConsoleChange::Save {
            name,
            request: request(written),
        },
        wire::ConsoleChange::Rename { id, name } => core::ConsoleChange::Rename { id, name },
        wire::ConsoleChange::Remove { id } => core::ConsoleChange::Remove { id },
        wire::ConsoleChange::Forget { id } => core::ConsoleChange::Forget { id },
    }
}

/// The requests of a connection.
pub fn console(kept: core::Console) -> wire::Console {
    wire::Console {
        sent: kept.sent.into_iter().map(sent).collect(),
        saved: kept
            .saved
            .into_iter()
            .map(|saved| wire::SavedRequest {
                id: saved.id,
                name: saved.name,
                request: shown(saved.request),
            })
            .collect(),
    }
}

fn sent(sent: core::SentRequest) -> wire::SentRequest {
    let meaning = |code: String| explanations::explain(&code).map(|row| row.meaning.to_owned());
    wire::SentRequest {
        id: sent.id,
        request: shown(sent.request),
        body_bytes: sent.body_bytes,
        sent_at: sent.sent_at,
        duration_ms: sent.duration_ms,
        status: sent.status,
        error: sent.error.map(|code| meaning(code.clone()).unwrap_or(code)),
    }
}

/// What came back.
pub fn reply(reply: core::ConsoleReply) -> wire::ConsoleReply {
    let (table, record) = match reply.affected {
        Some(found) => (Some(found.table), found.id.map(|id| id.to_string())),
        None => (None, None),
    };
    wire::ConsoleReply {
        url: reply.url,
        status: reply.status,
        headers: reply.headers,
        kind: match reply.kind {
            core::BodyKind::Empty => wire::BodyKind::Empty,
            core::BodyKind::Json => wire::BodyKind::Json,
            core::BodyKind::Text => wire::BodyKind::Text,
            core::BodyKind::Bytes => wire::BodyKind::Base64,
        },
        text: reply.text,
        bytes: reply.bytes,
        duration_ms: reply.duration_ms,
        waited_ms: reply.waited_ms,
        problem: reply.problem.as_ref().map(error),
        table,
        record,
    }
}
