//! What came back, as somebody reads it.

use std::path::PathBuf;

use salesmirror_dataverse::Error as Refusal;
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

const PATH: &str = "Check the path. Entity set names are plural, such as accounts, IDs have to exist, and capital letters count.";

/// What a refusal means to somebody who wrote the request: the table's hints are mostly for syncs.
pub fn explained(error: Refusal, status: u16, is_write: bool) -> Error {
    let by_code = match &error {
        Refusal::Service(said) => hint_of(said.code, &said.message),
        _ => None,
    };
    let by_status = match status {
        400 => Some(
            "Its own words say what is wrong. Mostly a column, a parameter or a value is not as the table has it.",
        ),
        403 if is_write => Some(
            "Give the user a security role with this privilege on the table, at the level that the record's owner needs.",
        ),
        404 => Some(PATH),
        405 => Some(
            "The path does not take this method. POST goes to an entity set, PATCH and DELETE go to a record.",
        ),
        412 => Some(
            "The record is not as the request expects it: it has changed, exists already, or is gone. Read it again, then decide.",
        ),
        413 => Some("Send less at once."),
        415 => Some("Say with Content-Type what the body is."),
        428 => Some(
            "Send If-Match with the record's @odata.etag, or with * whatever the record is now.",
        ),
        _ => None,
    };
    let is_uncoded = matches!(&error, Refusal::Service(said) if said.code.is_none());
    // The service takes back what it could not finish; what stands before it may have lost its answer.
    let is_lost = is_write && status >= 500 && !matches!(error, Refusal::Service(_));
    let mut error = Error::from(error);
    // A code of the service's says more than the status does, but for those that many refusals share.
    let is_plain = is_uncoded
        || matches!(
            error.code.as_str(),
            "not_found" | "missing_privilege" | "refused"
        );
    if let Some(hint) = by_code.or(by_status.filter(|_| is_plain)) {
        hint.clone_into(&mut error.hint);
    }
    match is_lost {
        true => doubtful(error),
        false => error,
    }
}

/// What to do about codes of which several come with one status.
fn hint_of(code: Option<u32>, message: &str) -> Option<&'static str> {
    Some(match code? {
        // A bad request of any kind: only the text tells an unknown set from the others.
        0x8006_0888 | 0x8006_088a if message.contains("segment") => PATH,
        0x8006_0891 => "No record has these key values. Check them.",
        0x8006_0892 => "Another record has these key values. Change them, or update that record.",
        0x8004_0333 => {
            "A duplicate detection rule found one like it. Leave MSCRM.SuppressDuplicateDetection out, or send true, to write it all the same."
        }
        0x8006_0882 => {
            "The record is not the one that If-Match or If-None-Match names. Read it again, then decide."
        }
        0x8004_0265 => {
            "A plug-in of the organisation refused it; its words say why. Whoever runs the organisation knows more."
        }
        0x8004_8d19 => {
            "The body is not as the table has it: a name is mistyped, a value is of another type, or a lookup lacks @odata.bind."
        }
        _ => return None,
    })
}

/// The same error of a write that may have been done before it was lost.
pub fn doubtful(mut error: Error) -> Error {
    "The change may have been made all the same. Read the record before you send it again."
        .clone_into(&mut error.hint);
    error
}

#[cfg(test)]
mod tests {
    use salesmirror_dataverse::ServiceError;

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
        let privilege = Some(0x8004_0220);
        for (code, message, status, is_write, hint) in [
            (
                Some(0x8006_0888),
                "Could not find a property",
                400,
                false,
                "Its own words",
            ),
            (
                Some(0x8006_0888),
                "Resource not found for the segment 'x'.",
                400,
                false,
                "Check the path.",
            ),
            (None, "", 404, false, "Check the path."),
            (
                privilege,
                "",
                403,
                true,
                "Give the user a security role with this",
            ),
            (
                privilege,
                "",
                403,
                false,
                "Give the user a security role with Read",
            ),
            (
                Some(0x8007_2560),
                "",
                403,
                true,
                "Sign in as a user of this environment",
            ),
            (
                Some(0x8006_0882),
                "",
                412,
                true,
                "The record is not the one that If-Match",
            ),
            (
                Some(0x8006_0892),
                "",
                412,
                true,
                "Another record has these key values",
            ),
            (
                Some(0x8004_0333),
                "",
                412,
                true,
                "A duplicate detection rule",
            ),
            (
                None,
                "",
                412,
                true,
                "The record is not as the request expects it",
            ),
            (Some(0x8004_0265), "", 400, true, "A plug-in"),
            (Some(0x8004_0265), "", 500, true, "A plug-in"),
        ] {
            let said = ServiceError {
                status,
                code,
                message: message.to_owned(),
                request: None,
            };
            let told = explained(Refusal::Service(Box::new(said)), status, is_write).hint;
            assert!(told.starts_with(hint), "{code:?} {status}: {told}");
        }
        let down = |is_write| {
            let door = Refusal::FrontDoor {
                status: 503,
                request: None,
            };
            explained(door, 503, is_write).hint
        };
        assert!(down(false).starts_with("Try again later."));
        assert!(down(true).starts_with("The change may have been made"));
    }
}
