//! What a list is asked for.

use axum::http::StatusCode;
use salesmirror_core::unified::Object;
use salesmirror_core::{Deleted, Selectors};
use utoipa::IntoParams;

use crate::cursor::{Cursor, Position};
use crate::error::{ApiError, Result};
use crate::fields;
use crate::parameters::Parameters;
use crate::records::expired;
use crate::state::Api;
use crate::time::moment;

/// Records of a page at most.
const LARGEST_PAGE: u16 = 1_000;
const USUAL_PAGE: u16 = 100;
/// Conditions at most, and characters of each.
const MOST_FILTERS: usize = 10;
const LONGEST_TEXT: usize = 400;

/// What is listed, and in which order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    pub filter: Vec<String>,
    pub sort: Option<String>,
    pub search: Option<String>,
    /// ms since 1970.
    pub modified_after: Option<i64>,
    /// ms since 1970.
    pub created_after: Option<i64>,
    pub include_deleted: bool,
    pub live: bool,
}

/// Parameters of a list, for the document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "the document is made of it; `ListQuery` reads the parameters"
)]
pub struct ListParameters {
    /// Records of a page.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    page_size: Option<u16>,
    /// Where to go on: `pagination.next` or `pagination.previous` of a reply, as it came.
    #[param(max_length = 1000, pattern = "^[A-Za-z0-9_-]*$")]
    cursor: Option<String>,
    /// Records that were changed at this moment or later; in that order, where no other is named.
    #[param(format = DateTime, example = "2026-03-11T08:30:00Z")]
    modified_after: Option<String>,
    /// Records that were created at this moment or later; in that order, where no other is named.
    #[param(format = DateTime, example = "2026-03-11T08:30:00Z")]
    created_after: Option<String>,
    /// Whether deleted records that are still kept are listed too.
    #[param(default = false)]
    include_deleted: Option<bool>,
    /// Whether `raw_data` holds each record as Dataverse gave it.
    #[param(default = false)]
    include_raw_data: Option<bool>,
    /// `COLUMN OP VALUE` with a field of the object or a column of the table; OP is one of `= != < <= > >=`,
    /// `contains not-contains starts-with in not-in within is-null is-not-null`. Several are joined by and.
    /// A field whose value is in no single column, such as `amount`, is refused with the columns to use.
    #[param(max_items = 10, max_length = 400, explode, example = json!(["address1_city = Bergen"]))]
    filter: Option<Vec<String>>,
    /// A field or a column; with `:desc` the largest first. A field that no single column gives the order
    /// of is refused with the columns to use.
    #[param(max_length = 400, example = "updated_at:desc")]
    sort: Option<String>,
    /// Text to search for in all text columns.
    #[param(max_length = 400)]
    search: Option<String>,
    /// Whether the mirror answers. Else Dynamics 365 does, which takes neither `filter`, `search` nor
    /// `include_deleted`.
    #[param(default = true)]
    read_from_cache: Option<bool>,
}

/// A list as it is asked for.
pub struct ListQuery {
    pub query: Query,
    pub page_size: u16,
    pub raw: bool,
    pub at: Option<Position>,
}

impl ListQuery {
    /// Reads the parameters. A cursor brings the ones that it was made with; what is given beside it has
    /// to be the same.
    pub fn read(api: &Api, object: Object, mut given: Parameters) -> Result<Self> {
        let begun = match given.one("cursor")? {
            Some(text) => Some(Self::begun(api, object, &text)?),
            None => None,
        };
        let usual = begun.as_ref();
        let page_size = usual.map_or(USUAL_PAGE, |begun| begun.page_size);
        let page_size = given.number("page_size", 1, LARGEST_PAGE, page_size)?;
        let raw = given.flag("include_raw_data", usual.is_some_and(|begun| begun.raw))?;
        let is_live = usual.is_some_and(|begun| begun.query.live);
        let has_deleted = usual.is_some_and(|begun| begun.query.include_deleted);
        let query = Query {
            filter: given.all("filter"),
            sort: given.one("sort")?,
            search: given.one("search")?,
            modified_after: given.moment("modified_after")?,
            created_after: given.moment("created_after")?,
            include_deleted: given.flag("include_deleted", has_deleted)?,
            live: !given.flag("read_from_cache", !is_live)?,
        };
        given.end()?;
        let texts = query.filter.iter().chain(&query.sort).chain(&query.search);
        let is_long = |text: &String| text.chars().count() > LONGEST_TEXT;
        if query.filter.len() > MOST_FILTERS || texts.into_iter().any(is_long) {
            return Err(ApiError::parameter(format!(
                "A list takes {MOST_FILTERS} filters at most, and texts of {LONGEST_TEXT} characters."
            )));
        }
        let Some(begun) = begun else {
            return Ok(Self {
                query,
                page_size,
                raw,
                at: None,
            });
        };
        // The cursor alone says everything.
        let bare = Query {
            include_deleted: has_deleted,
            live: is_live,
            ..Query::default()
        };
        if query != begun.query && query != bare {
            return Err(forged());
        }
        Ok(Self {
            page_size,
            raw,
            ..begun
        })
    }

    /// The list that a cursor goes on with.
    fn begun(api: &Api, object: Object, text: &str) -> Result<Self> {
        let cursor = api.signer.read(text).ok_or_else(forged)?;
        if cursor.object != object.segment() {
            return Err(forged());
        }
        let query = match cursor.at {
            Position::Held(id, _) => api.held.query(id).ok_or_else(expired)?,
            Position::After(_) | Position::Before(_) => Query {
                include_deleted: cursor.include_deleted,
                ..Query::default()
            },
        };
        Ok(Self {
            query,
            page_size: cursor.page_size,
            raw: cursor.raw,
            at: Some(cursor.at),
        })
    }

    /// Whether it lists a table as it is, in the order of ids.
    pub fn is_plain(&self) -> bool {
        let Query {
            filter,
            sort,
            search,
            modified_after,
            created_after,
            ..
        } = &self.query;
        filter.is_empty()
            && sort.is_none()
            && search.as_ref().is_none_or(|text| text.trim().is_empty())
            && modified_after.is_none()
            && created_after.is_none()
    }

    /// What the mirror is asked.
    ///
    /// # Errors
    /// A condition or an order by a field that is in no single column.
    pub fn selectors(&self, object: Object) -> Result<Selectors> {
        let after =
            |column: &str, at: Option<i64>| at.map(|at| format!("{column} >= {}", moment(at)));
        let mut filters: Vec<String> = self
            .query
            .filter
            .iter()
            .map(|text| fields::filter(object, text))
            .collect::<Result<_, _>>()?;
        let wanted = self.query.sort.as_deref();
        let wanted = wanted.map(|text| fields::sort(object, text)).transpose()?;
        // Who asks for what is new gets it in that order, for which an index is made and kept: the next
        // time no row is read that is not wanted.
        let sort = wanted.as_deref().or(match &self.query {
            Query {
                search: Some(_), ..
            } => None,
            Query {
                modified_after: Some(_),
                ..
            } => Some("modifiedon"),
            Query {
                created_after: Some(_),
                ..
            } => Some("createdon"),
            _ => None,
        });
        filters.extend(after("modifiedon", self.query.modified_after));
        filters.extend(after("createdon", self.query.created_after));
        Ok(Selectors {
            filters,
            search: self.query.search.clone(),
            sort: sort.map(str::to_owned),
            deleted: if self.query.include_deleted {
                Deleted::Include
            } else {
                Deleted::Exclude
            },
            stale_only: false,
        })
    }

    /// The cursor of another place in the same list.
    pub fn cursor(&self, api: &Api, object: Object, at: Position) -> String {
        api.signer.sign(&Cursor {
            object: object.segment().to_owned(),
            include_deleted: self.query.include_deleted,
            page_size: self.page_size,
            raw: self.raw,
            at,
        })
    }
}

fn forged() -> ApiError {
    ApiError::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "bad_cursor",
        "The cursor was not given out for this list with these parameters.",
    )
}
