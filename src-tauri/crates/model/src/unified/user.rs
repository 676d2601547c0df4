//! Users.

use serde::Serialize;

use super::Head;
use super::projection::Reading;

/// A person, or an application, that works with Dynamics 365.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct User {
    /// What every object has. A user has no owner.
    #[serde(flatten)]
    pub head: Head,
    /// Name.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub name: Option<String>,
    /// E-mail address; applications have none.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub email: Option<String>,
    /// Whether they can sign in.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub is_active: Option<bool>,
    /// What they do.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub title: Option<String>,
}

impl User {
    pub(super) fn read(reading: &Reading<'_>, head: Head) -> Self {
        let record = reading.record;
        Self {
            head,
            name: record.text("fullname"),
            email: record.filled("internalemailaddress"),
            is_active: record.boolean("isdisabled").map(|is_disabled| !is_disabled),
            title: record.filled("title").or_else(|| record.text("jobtitle")),
        }
    }
}
