//! Addresses of pages: first requests that we make, and links that are sent back byte for byte.

use salesmirror_model::TableMetadata;
use serde_json::Value;
use url::Url;
use uuid::Uuid;

use crate::{Error, Result};

/// The longest `$select` that leaves room below the 32,768 characters of an address, since every
/// link repeats it. With more columns none is sent, and all come.
const LONGEST_SELECT: usize = 24_000;

/// How to read a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanOptions {
    /// Rows a page; the service gives at most 5,000.
    pub page_size: u32,
    /// Ask for a delta link.
    pub track_changes: bool,
    /// Ask for formatted values and lookups' tables.
    pub annotations: bool,
}

/// Rows a page below which smaller pages are of no use: what breaks so few rows is not their size.
const SMALLEST_PAGE: u32 = 50;

impl ScanOptions {
    /// The same with half the page size, for a scan whose pages break; `None` where that is of no
    /// use any more. The scan has to begin again: a next link keeps its page size.
    #[must_use]
    pub fn halved(&self) -> Option<Self> {
        let page_size = self.page_size / 2;
        (page_size >= SMALLEST_PAGE).then(|| Self {
            page_size,
            ..self.clone()
        })
    }
}

impl Default for ScanOptions {
    fn default() -> Self {
        Self {
            page_size: 5_000,
            track_changes: true,
            annotations: true,
        }
    }
}

/// The request of one page.
#[derive(Debug, Clone)]
pub struct PageRequest {
    pub(crate) url: Url,
    pub(crate) prefer: String,
    pub(crate) options: ScanOptions,
}

pub fn first(base: &Url, table: &TableMetadata, options: &ScanOptions) -> Result<PageRequest> {
    query(base, table, options, "")
}

/// The first page of what `query` (`$filter=…&$orderby=…`) finds.
pub fn query(
    base: &Url,
    table: &TableMetadata,
    options: &ScanOptions,
    query: &str,
) -> Result<PageRequest> {
    let select = select(table);
    let joint = match (query.is_empty(), select.is_empty()) {
        (true, _) => "",
        (false, true) => "?",
        (false, false) => "&",
    };
    let address = format!("{base}{}{select}{joint}{query}", table.entity_set_name);
    let mut prefer = format!("odata.maxpagesize={}", options.page_size);
    if options.track_changes {
        prefer.push_str(",odata.track-changes");
    }
    Ok(PageRequest {
        url: exact(&address)?,
        prefer: with_annotations(prefer, options),
        options: options.clone(),
    })
}

/// Names of a table's columns as `$select` takes them; `None` where they would be too long for an address, or
/// there are none, so that nothing is selected and all come. The id comes always.
#[must_use]
pub fn selected(table: &TableMetadata) -> Option<String> {
    let columns: Vec<String> = table
        .columns
        .iter()
        .map(salesmirror_model::ColumnMetadata::wire_name)
        .collect();
    let columns = columns.join(",");
    (!columns.is_empty() && columns.len() <= LONGEST_SELECT).then_some(columns)
}

/// The query that selects a table's columns; empty where it would be too long, and all come.
pub fn select(table: &TableMetadata) -> String {
    selected(table).map_or_else(String::new, |columns| format!("?$select={columns}"))
}

/// The address of one record.
pub fn record(base: &Url, table: &TableMetadata, id: Uuid) -> Result<Url> {
    exact(&format!(
        "{base}{}({id}){}",
        table.entity_set_name,
        select(table)
    ))
}

/// `Prefer` of a read that is no page.
pub fn annotated() -> String {
    with_annotations(String::new(), &ScanOptions::default())
        .trim_start_matches(',')
        .to_owned()
}

pub fn next(base: &Url, link: &str, options: &ScanOptions) -> Result<PageRequest> {
    let url = match Url::parse(link) {
        Ok(_) => exact(link)?,
        Err(url::ParseError::RelativeUrlWithoutBase) => exact(&absolute(base, link))?,
        Err(error) => return Err(Error::BadReply(format!("a link is no address ({error})"))),
    };
    let prefer = format!("odata.maxpagesize={}", options.page_size);
    Ok(PageRequest {
        url,
        prefer: with_annotations(prefer, options),
        options: options.clone(),
    })
}

/// A relative link with what it leaves out, and not a byte of it changed.
fn absolute(base: &Url, link: &str) -> String {
    if link.starts_with("//") {
        format!("{}:{link}", base.scheme())
    } else if link.starts_with('/') {
        format!("{}{link}", base.origin().ascii_serialization())
    } else {
        format!("{base}{link}")
    }
}

fn with_annotations(mut prefer: String, options: &ScanOptions) -> String {
    if options.annotations {
        // By name rather than `*`: a third less to send, and the version of the metadata comes along.
        prefer.push_str(
            ",odata.include-annotations=\"OData.Community.Display.V1.FormattedValue,\
             Microsoft.Dynamics.CRM.lookuplogicalname,Microsoft.Dynamics.CRM.globalmetadataversion\"",
        );
    }
    prefer
}

/// An address whose query goes out as it is written. Parsing alone would turn a bare `'` of a
/// paging cookie into `%27`; the service documents that links come back unchanged.
pub fn exact(address: &str) -> Result<Url> {
    let bad =
        |error: &dyn std::fmt::Display| Error::BadReply(format!("a link is no address ({error})"));
    let parsed = Url::parse(address).map_err(|error| bad(&error))?;
    let Some((head, query)) = address.split_once('?') else {
        return Ok(parsed);
    };
    let head = Url::parse(head).map_err(|error| bad(&error))?;
    // What is no plain ASCII cannot stand in a request line and has to be encoded.
    let plain = query
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'#');
    if parsed.query() == Some(query) || !plain {
        return Ok(parsed);
    }
    let mut parts = match head.serialize_internal(serde_json::value::Serializer) {
        Ok(Value::Array(parts)) if parts.len() == 10 => parts,
        _ => return Ok(parsed),
    };
    let length = head.as_str().len();
    parts[0] = Value::String(format!("{head}?{query}"));
    parts[8] = Value::from(length);
    Url::deserialize_internal(Value::Array(parts)).map_err(|error| bad(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_goes_out_byte_for_byte() {
        for link in [
            "https://o.crm4.dynamics.com/api/data/v9.2/accounts?$select=name&$skiptoken=%3Ccookie%20pagenumber=%222%22%20pagingcookie=%22%253ccookie%2520page%253d%25221%2522%253e'(a,b)%22%20istracking=%22False%22%20/%3E",
            "http://localhost:8400/api/data/v9.2/accounts?$deltatoken=919042%2108%2f22%2f2017%2008%3a10%3a44",
        ] {
            let url = exact(link).expect("a link");
            assert_eq!(url.as_str(), link);
            assert_eq!(url.path(), "/api/data/v9.2/accounts");
            assert_eq!(url.query(), link.split_once('?').map(|(_, query)| query));
        }
        assert!(exact("https://o/x?é").is_ok_and(|url| url.query() == Some("%C3%A9")));
    }
}
