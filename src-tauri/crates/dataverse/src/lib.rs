//! Client of the Dataverse Web API v9.2: requests, metadata, pages as typed rows, delta links,
//! service protection limits, errors.

mod attributes;
mod batch;
mod body;
mod call;
mod challenge;
mod client;
mod discovery;
mod error;
pub mod explain;
mod http;
mod increments;
mod limits;
mod link;
mod metadata;
mod meter;
mod organization;
mod page;
mod passthrough;
mod privileges;
mod records;
mod text;
mod value;
mod writes;

#[cfg(test)]
mod tests;

pub use attributes::Attributes;
pub use challenge::{Challenge, challenge};
pub use client::{Client, RetryPolicy, TokenError, TokenSource};
pub use discovery::{Instance, environments};
pub use error::{Error, Result, ServiceError};
pub use http::{HttpConfig, Proxy, http_client};
pub use increments::{IdRows, ids_of};
pub use link::{PageRequest, ScanOptions, selected};
pub use metadata::{Relationship, TableSummary};
pub use meter::Meter;
pub use organization::{Organization, WhoAmI};
pub use page::{read_page, read_record};
pub use passthrough::{Passthrough, PassthroughReply};
pub use privileges::Depth;
pub use records::FetchedPage;
pub use writes::Creation;
