//! What came back, as somebody reads it.

use std::path::PathBuf;

use serde::de::IgnoredAny;

use super::Affected;
use crate::browse::indented;
use crate::error::{Category, Error, Result, blocking};
use crate::export::{base64_text, partial_name};
use crate::session::Session;

/// What a reply came to.
#[derive(Debug, Clone)]
pub struct ConsoleReply {
    /// The address that was asked.
    pub url: String,
    /// HTTP status.
    pub status: u16,
    /// Headers, by name.
    pub headers: Vec<(String, String)>,
    /// What the body is.
    pub kind: BodyKind,
    /// The body as text: JSON over several lines with every digit as it came, base64 where it is no
    /// text.
    pub text: String,
    /// Size of the body, in bytes.
    pub bytes: u64,
    /// How long it took, with all waiting, in ms.
    pub duration_ms: u64,
    /// How long the service made us wait, in ms.
    pub waited_ms: u64,
    /// What the status means, where it is a refusal.
    pub problem: Option<Error>,
    /// What the mirror reads again, where a write has changed it.
    pub affected: Option<Affected>,
}

/// What a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyKind {
    /// There is none.
    Empty,
    /// JSON.
    Json,
    /// Other text.
    Text,
    /// Neither, so that it is shown in base64.
    Bytes,
}

impl Session {
    /// Writes the body of the last reply to a file, byte for byte.
    ///
    /// # Errors
    /// Where nothing came, or the disk refuses.
    pub async fn save_reply(&self, path: PathBuf) -> Result<()> {
        let reply = self.last_reply().clone();
        let Some(reply) = reply else {
            return Err(Error::explained(
                Category::Usage,
                "no_reply",
                "There is no reply to save.",
            ));
        };
        blocking(move || {
            // The file appears only when it is complete.
            let partial = partial_name(&path)?;
            let written = std::fs::write(&partial, &reply.body)
                .and_then(|()| std::fs::rename(&partial, &path));
            written.map_err(|error| {
                let _ = std::fs::remove_file(&partial);
                Error::file(&path, &error)
            })
        })
        .await
    }
}

/// A body as somebody reads it.
pub fn readable(body: &[u8]) -> (BodyKind, String) {
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    if body.is_empty() {
        return (BodyKind::Empty, String::new());
    }
    let Ok(text) = std::str::from_utf8(body) else {
        return (BodyKind::Bytes, base64_text(body));
    };
    if serde_json::from_str::<IgnoredAny>(text).is_ok() {
        return (BodyKind::Json, indented(text.trim()));
    }
    let is_odd = |letter: char| letter.is_control() && !matches!(letter, '\t' | '\n' | '\r');
    match text.contains(is_odd) {
        true => (BodyKind::Bytes, base64_text(body)),
        false => (BodyKind::Text, text.to_owned()),
    }
}

/// What a refusal means to somebody who wrote the request: the table's hints are mostly for syncs.
pub fn explained(mut error: Error, status: u16, is_write: bool) -> Error {
    let hint = match status {
        400 => {
            "Its own words say what is wrong. Mostly a column, a parameter or a value is not as the table has it."
        }
        403 if is_write => {
            "Give the user a security role with this privilege on the table, at the level that the record's owner needs."
        }
        404 => {
            "Check the path. Entity set names are plural, such as accounts, IDs have to exist, and capital letters count."
        }
        405 => {
            "The path does not take this method. POST goes to an entity set, PATCH and DELETE go to a record."
        }
        412 => {
            "The record is not as the request expects it: it has changed, exists already, or is gone. Read it again, then decide."
        }
        413 => "Send less at once.",
        415 => "Say with Content-Type what the body is.",
        428 => "Send If-Match with the record's @odata.etag, or with * whatever the record is now.",
        _ => "",
    };
    // Other codes say more than the status does.
    let is_plain = matches!(
        error.code.as_str(),
        "not_found" | "missing_privilege" | "refused"
    );
    if is_plain && !hint.is_empty() {
        hint.clone_into(&mut error.hint);
    }
    match is_write && status >= 500 {
        true => doubtful(error),
        false => error,
    }
}

/// The same error of a write that may have been done before it was lost.
pub fn doubtful(mut error: Error) -> Error {
    "The change may have been made all the same. Read the record before you send it again."
        .clone_into(&mut error.hint);
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_shown_as_what_it_is() {
        for (body, kind, text) in [
            (&b""[..], BodyKind::Empty, ""),
            (b"\xef\xbb\xbf", BodyKind::Empty, ""),
            (
                b"\xef\xbb\xbf{\"a\":922337203685477.5801,\"b\":1.10}",
                BodyKind::Json,
                "{\n  \"a\": 922337203685477.5801,\n  \"b\": 1.10\n}",
            ),
            (b" \"\xc3\x85\"\r\n", BodyKind::Json, "\"\u{c5}\""),
            (
                b"12345678901234567890123",
                BodyKind::Json,
                "12345678901234567890123",
            ),
            (b"<a>\r\n</a>", BodyKind::Text, "<a>\r\n</a>"),
            (b"{\"a\":", BodyKind::Text, "{\"a\":"),
            (b"\x89PNG\r\n\x1a\n", BodyKind::Bytes, "iVBORw0KGgo="),
            (b"a\0b", BodyKind::Bytes, "YQBi"),
        ] {
            assert_eq!(readable(body), (kind, text.to_owned()), "{body:?}");
        }
    }

    #[test]
    fn a_hint_is_for_whoever_wrote_the_request() {
        let error = |code: &str| Error::explained(Category::Failed, code, "No.");
        for (code, status, is_write, hint) in [
            ("refused", 400, false, "Its own words"),
            (
                "missing_privilege",
                403,
                true,
                "Give the user a security role with this",
            ),
            (
                "missing_privilege",
                403,
                false,
                "Give the user a security role with Read",
            ),
            ("not_found", 404, false, "Check the path."),
            ("refused", 412, true, "The record is not as"),
            (
                "not_a_member",
                403,
                true,
                "Sign in as a user of this environment",
            ),
            ("service_unavailable", 503, false, "Try again later."),
            (
                "service_unavailable",
                503,
                true,
                "The change may have been made",
            ),
        ] {
            let told = explained(error(code), status, is_write).hint;
            assert!(told.starts_with(hint), "{code} {status}: {told}");
        }
    }
}
