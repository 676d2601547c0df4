//! The addresses of the unified objects: the same operations for each of them, described one by one.

/// An object that can be read.
macro_rules! readable {
    ($module:ident, $record:ident, $list:literal, $one:literal, $tag:literal, $list_id:literal, $list_summary:literal, $one_id:literal, $one_summary:literal) => {
        pub mod $module {
            use axum::extract::State;
            use axum::response::Response;
            use salesmirror_core::unified::{Object, $record};

            use crate::document::Refusals;
            use crate::error::Result;
            use crate::parameters::{Parameters, RecordId};
            use crate::query::ListParameters;
            use crate::records::{self, One, Page, RecordParameters};
            use crate::state::Api;

            #[utoipa::path(
                get, path = $list, tag = $tag, operation_id = $list_id, summary = $list_summary,
                description = "A page of the mirror. Without `sort`, `search` and conditions it is in the order of ids, and paging through it loses no record and gives none twice, whatever changes meanwhile; any other list is held for 15 minutes after its last page.",
                params(ListParameters),
                responses((status = 200, description = "A page", body = Page<$record>), Refusals)
            )]
            pub async fn list(State(api): State<Api>, given: Parameters) -> Result<Response> {
                records::list(api, Object::$record, given).await
            }

            #[utoipa::path(
                get, path = $one, tag = $tag, operation_id = $one_id, summary = $one_summary,
                description = "One record, by its id.",
                params(("id" = uuid::Uuid, Path, description = "The record's id"), RecordParameters),
                responses((status = 200, description = "The record", body = One<$record>), Refusals)
            )]
            pub async fn one(
                State(api): State<Api>,
                RecordId(id): RecordId,
                given: Parameters,
            ) -> Result<Response> {
                records::one(api, Object::$record, id, given).await
            }
        }
    };
}

readable!(
    accounts,
    Account,
    "/crm/v2/accounts",
    "/crm/v2/accounts/{id}",
    "Accounts",
    "list_accounts",
    "List accounts",
    "get_account",
    "Get an account"
);
readable!(
    contacts,
    Contact,
    "/crm/v2/contacts",
    "/crm/v2/contacts/{id}",
    "Contacts",
    "list_contacts",
    "List contacts",
    "get_contact",
    "Get a contact"
);
readable!(
    leads,
    Lead,
    "/crm/v2/leads",
    "/crm/v2/leads/{id}",
    "Leads",
    "list_leads",
    "List leads",
    "get_lead",
    "Get a lead"
);
readable!(
    opportunities,
    Opportunity,
    "/crm/v2/opportunities",
    "/crm/v2/opportunities/{id}",
    "Opportunities",
    "list_opportunities",
    "List opportunities",
    "get_opportunity",
    "Get an opportunity"
);
readable!(
    users,
    User,
    "/crm/v2/users",
    "/crm/v2/users/{id}",
    "Users",
    "list_users",
    "List users",
    "get_user",
    "Get a user"
);
