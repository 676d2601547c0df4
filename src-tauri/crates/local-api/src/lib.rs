//! The unified REST API on loopback: for programs on this computer, with keys that the admin makes.
//!
//! Everything goes through one gate (`gate`), which knows who may call and notes each call; the
//! handlers below it turn requests into operations of core. The document at `/openapi.json` and the
//! page at `/` are made from the handlers themselves.

mod bodies;
mod body;
mod calls;
mod cursor;
mod document;
mod error;
mod events;
mod fields;
mod gate;
mod held;
mod live;
mod management;
mod objects;
mod parameters;
mod passthrough;
mod query;
mod records;
mod reference;
mod served;
mod server;
mod state;
mod time;
mod writing;

pub use calls::Call;
pub use document::document;
pub use served::{Served, Standing};
pub use server::{Running, Server};
