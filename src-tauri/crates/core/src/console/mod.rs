//! Requests of the admin's own: what was sent, what has a name, and sending.

mod affected;
mod reply;
mod send;

pub use affected::Affected;
pub use reply::{BodyKind, ConsoleReply};

use salesmirror_store::{OwnRequest, SavedRequest, SentRequest};

use crate::error::{Error, Result, blocking};
use crate::session::Session;

/// Letters that a name may have.
const LONGEST_NAME: usize = 80;

/// The requests of a connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Console {
    /// The last that were sent, newest first.
    pub sent: Vec<SentRequest>,
    /// Those with a name, by name.
    pub saved: Vec<SavedRequest>,
}

/// A change of what is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConsoleChange {
    /// Keeps a request under a name, in place of one that has it.
    Save {
        /// The name.
        name: String,
        /// The request.
        request: OwnRequest,
    },
    /// Gives a request another name.
    Rename {
        /// Its number.
        id: i64,
        /// The name.
        name: String,
    },
    /// Forgets a request with a name.
    Remove {
        /// Its number.
        id: i64,
    },
    /// Forgets a request that was sent, or all of them.
    Forget {
        /// Its number.
        id: Option<i64>,
    },
}

impl Session {
    /// The requests of this connection, after a change where there is one.
    ///
    /// # Errors
    /// A name that is none or is taken, or where the disk refuses.
    pub async fn console(&self, change: Option<ConsoleChange>) -> Result<Console> {
        let (db, connection) = (self.db().clone(), self.row().id);
        blocking(move || {
            match change {
                Some(ConsoleChange::Save { name, request }) => {
                    db.save_request(connection, checked(&name)?, &request)?;
                }
                Some(ConsoleChange::Rename { id, name }) => {
                    let name = checked(&name)?;
                    if !db.rename_request(connection, id, name)? {
                        return Err(Error::usage(
                            "request_name_taken",
                            format!("There is a request \"{name}\" already."),
                            "Choose another name, or delete that one first.",
                        ));
                    }
                }
                Some(ConsoleChange::Remove { id }) => db.remove_request(connection, id)?,
                Some(ConsoleChange::Forget { id }) => db.forget_requests(connection, id)?,
                None => {}
            }
            Ok(Console {
                sent: db.sent_requests(connection)?,
                saved: db.saved_requests(connection)?,
            })
        })
        .await
    }
}

fn checked(name: &str) -> Result<&str> {
    let name = name.trim();
    let length = name.chars().count();
    if length == 0 || length > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(Error::usage(
            "bad_request_name",
            "This is no name for a request.",
            format!("Write one line of up to {LONGEST_NAME} letters."),
        ));
    }
    Ok(name)
}
