//! One error outside core: a code to match on, a sentence, what to do, and the service's words.

use salesmirror_auth::{AuthError, SecretStoreError};
use salesmirror_model::Place;
use salesmirror_model::urls::UrlError;
use salesmirror_store::StoreError;

use crate::explanations::{explain, fix};

/// What an error means for a script's exit code and for what the window offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Category {
    /// Failed, with no further meaning.
    Failed,
    /// What was asked for makes no sense.
    Usage,
    /// The admin has to sign in, or the credentials are wrong.
    SignIn,
    /// The network or the service did not answer for as long as we were told to wait.
    GaveUp,
    /// The mass-delete guard asks.
    Confirmation,
    /// The keychain is absent or locked.
    Keychain,
    /// Another process syncs this connection.
    Busy,
    /// Stopped on request.
    Interrupted,
}

/// An error as people and scripts see it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What it means for a script.
    pub category: Category,
    /// Stable code, such as `secret_expired`.
    pub code: String,
    /// What happened, one sentence.
    pub message: String,
    /// What to do about it; empty where nothing can be said.
    pub hint: String,
    /// The service's error code and request id.
    pub reference: Option<Box<str>>,
    /// The portal page where it is mended, once it is known whose.
    pub link: Option<Box<str>>,
    /// What the service itself answered, where it did.
    pub service: Option<Box<ServiceReply>>,
}

/// An error as the service told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceReply {
    /// HTTP status.
    pub status: u16,
    /// Its code, such as `0x80040220`; empty where it told none.
    pub code: String,
    /// Its words.
    pub message: String,
}

/// The result of core's operations.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error that core itself found.
    #[must_use]
    pub fn new(
        category: Category,
        code: &str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            category,
            code: code.to_owned(),
            message: message.into(),
            hint: hint.into(),
            reference: None,
            link: None,
            service: None,
        }
    }

    /// An error whose hint is the table's.
    #[must_use]
    pub fn explained(category: Category, code: &str, message: impl Into<String>) -> Self {
        Self::new(category, code, message, fix(code))
    }

    /// The same error with the page where it is mended for this app registration.
    #[must_use]
    pub fn at(mut self, place: Place<'_>) -> Self {
        let page = explain(&self.code).and_then(|row| row.page);
        self.link = page.map(|page| page.link(place).into());
        self
    }

    /// Bad input.
    #[must_use]
    pub fn usage(code: &str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(Category::Usage, code, message, hint)
    }

    /// A table that no sync has read.
    #[must_use]
    pub(crate) fn never_synced(table: &str) -> Self {
        Self::usage(
            "never_synced",
            format!("The table \"{table}\" was never synced."),
            "Run `salesmirror sync` first.",
        )
    }

    /// Stopped on request.
    #[must_use]
    pub fn interrupted() -> Self {
        Self::new(
            Category::Interrupted,
            "interrupted",
            "Stopped before it was finished.",
            "Nothing is lost: the next sync goes on from the last page.",
        )
    }

    /// A failed file operation, with the file.
    #[must_use]
    pub fn file(path: &std::path::Path, source: &std::io::Error) -> Self {
        let code = match source.kind() {
            std::io::ErrorKind::StorageFull
            | std::io::ErrorKind::QuotaExceeded
            | std::io::ErrorKind::FileTooLarge => "disk_full",
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                "not_writable"
            }
            _ => "file_failed",
        };
        Self::explained(
            Category::Failed,
            code,
            format!("{} cannot be used: {source}.", path.display()),
        )
    }
}

impl From<UrlError> for Error {
    fn from(error: UrlError) -> Self {
        Self::explained(Category::Usage, "bad_url", error.to_string())
    }
}

impl From<AuthError> for Error {
    fn from(error: AuthError) -> Self {
        let category = match error.code() {
            "cancelled" => Category::Interrupted,
            "unreachable"
            | "proxy_password"
            | "proxy_refused"
            | "proxy_unreachable"
            | "sign_in_unavailable" => Category::GaveUp,
            "port_taken" | "local_failure" => Category::Failed,
            _ => Category::SignIn,
        };
        Self {
            reference: error.reference().map(Into::into),
            ..Self::new(category, error.code(), error.to_string(), error.hint())
        }
    }
}

impl From<SecretStoreError> for Error {
    fn from(error: SecretStoreError) -> Self {
        Self {
            // The contract of the command line: `reference` says which of the two it is.
            reference: Some(error.reference().into()),
            ..Self::new(
                Category::Keychain,
                error.code(),
                error.to_string(),
                error.hint(),
            )
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let category = match error {
            StoreError::QueryRefused | StoreError::BadQuery(_) => Category::Usage,
            _ => Category::Failed,
        };
        Self::new(category, error.code(), error.to_string(), error.hint())
    }
}

impl From<salesmirror_dataverse::Error> for Error {
    fn from(error: salesmirror_dataverse::Error) -> Self {
        // A token that could not be had carries core's own error: unwrap it rather than quote it.
        let error = match error {
            salesmirror_dataverse::Error::Token(token) => match token.source.downcast::<Self>() {
                Ok(own) => return *own,
                Err(source) => {
                    return Self::explained(Category::SignIn, "sign_in_needed", source.to_string());
                }
            },
            other => other,
        };
        let category = match error.code() {
            "interrupted" => Category::Interrupted,
            "not_signed_in" => Category::SignIn,
            "not_sent" => Category::Usage,
            _ if error.is_transient() => Category::GaveUp,
            _ => Category::Failed,
        };
        let service = error.service().map(|reply| ServiceReply {
            status: reply.status,
            code: reply
                .code
                .map_or_else(String::new, |code| format!("0x{code:08x}")),
            message: reply.message.clone(),
        });
        Self {
            reference: error.reference().map(Into::into),
            service: service.map(Box::new),
            ..Self::new(category, error.code(), error.to_string(), error.hint())
        }
    }
}

/// A further root certificate (PEM), for an organisation with an authority of its own.
///
/// # Errors
/// Where the file cannot be read.
pub(crate) fn extra_root(path: Option<&std::path::Path>) -> Result<Option<Vec<u8>>> {
    let read = |path: &std::path::Path| {
        std::fs::read(path).map_err(|error| {
            Error::explained(
                Category::Usage,
                "bad_certificate",
                format!("{} cannot be read: {error}.", path.display()),
            )
        })
    };
    path.map(read).transpose()
}

/// Runs blocking work (the keychain, SQLite) where it holds nothing up.
pub(crate) async fn blocking<T, F>(work: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(join) => match join.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(Error::interrupted()),
        },
    }
}
