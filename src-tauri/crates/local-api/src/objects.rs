//! The addresses of the unified objects: the same operations for each of them, described one by one.

/// The operations that change an object.
macro_rules! writable {
    ($module:ident, $record:ident, $new:ident, $changed:ident, $list:literal, $one:literal, $tag:literal, $create_id:literal, $create_summary:literal, $update_id:literal, $update_summary:literal, $delete_id:literal, $delete_summary:literal) => {
        pub mod $module {
            use axum::extract::State;
            use axum::response::Response;
            use salesmirror_core::unified::{Object, $record};

            use crate::bodies::{$changed, $new};
            use crate::body::Json;
            use crate::document::Refusals;
            use crate::error::Result;
            use crate::parameters::{Parameters, RecordId};
            use crate::state::Api;
            use crate::writing::{self, ChangedRecord, Conditions, Done, NewRecord};

            #[utoipa::path(
                post, path = $list, tag = $tag, operation_id = $create_id, summary = $create_summary,
                description = "Only the fields that are there are written. With an `id`, or an `Idempotency-Key` that stands for one, a repeated request makes no second record; the answer is 200 then.",
                params(("Idempotency-Key" = Option<String>, Header, description = "Any text that is the same in a repeated request", pattern = "^[!-~]{1,255}$")),
                request_body = $new,
                responses(
                    (status = 201, description = "The record was made", body = Done<$record>),
                    (status = 200, description = "The record was there: it was made by the same request before", body = Done<$record>),
                    Refusals
                )
            )]
            pub async fn create(
                State(api): State<Api>,
                given: Parameters,
                conditions: Conditions,
                Json(body): Json<NewRecord>,
            ) -> Result<Response> {
                given.end()?;
                writing::create(api, Object::$record, conditions, body).await
            }

            #[utoipa::path(
                patch, path = $one, tag = $tag, operation_id = $update_id, summary = $update_summary,
                description = "Only the fields that are there are written; null empties one. An id that is unknown is 404 and makes no record.",
                params(
                    ("id" = uuid::Uuid, Path, description = "The record's id"),
                    ("If-Match" = Option<String>, Header, description = "The version that is to be changed: the `ETag` of an answer", min_length = 1, max_length = 255, example = json!("W/\"1234567\"")),
                ),
                request_body = $changed,
                responses((status = 200, description = "The record as it was read back", body = Done<$record>), Refusals)
            )]
            pub async fn update(
                State(api): State<Api>,
                RecordId(id): RecordId,
                given: Parameters,
                conditions: Conditions,
                Json(body): Json<ChangedRecord>,
            ) -> Result<Response> {
                given.end()?;
                writing::update(api, Object::$record, id, conditions, body).await
            }

            #[utoipa::path(
                delete, path = $one, tag = $tag, operation_id = $delete_id, summary = $delete_summary,
                description = "The mirror keeps it as a deleted record.",
                params(
                    ("id" = uuid::Uuid, Path, description = "The record's id"),
                    ("If-Match" = Option<String>, Header, description = "The version that is to be deleted: the `ETag` of an answer", min_length = 1, max_length = 255, example = json!("W/\"1234567\"")),
                ),
                responses((status = 200, description = "The record as it was", body = Done<$record>), Refusals)
            )]
            pub async fn delete(
                State(api): State<Api>,
                RecordId(id): RecordId,
                given: Parameters,
                conditions: Conditions,
            ) -> Result<Response> {
                given.end()?;
                writing::delete(api, Object::$record, id, conditions).await
            }
        }
    };
}

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
                description = "A page of the mirror. Without `sort`, `search` and conditions it is in the order of ids, and paging through it loses no record and gives none twice, whatever changes meanwhile; any other list is held for 15 minutes after the page that was read last, and for one minute after its end.",
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

writable!(
    account,
    Account,
    NewAccount,
    ChangedAccount,
    "/crm/v2/accounts",
    "/crm/v2/accounts/{id}",
    "Accounts",
    "create_account",
    "Create an account",
    "update_account",
    "Update an account",
    "delete_account",
    "Delete an account"
);

writable!(
    contact,
    Contact,
    NewContact,
    ChangedContact,
    "/crm/v2/contacts",
    "/crm/v2/contacts/{id}",
    "Contacts",
    "create_contact",
    "Create a contact",
    "update_contact",
    "Update a contact",
    "delete_contact",
    "Delete a contact"
);

writable!(
    lead,
    Lead,
    NewLead,
    ChangedLead,
    "/crm/v2/leads",
    "/crm/v2/leads/{id}",
    "Leads",
    "create_lead",
    "Create a lead",
    "update_lead",
    "Update a lead",
    "delete_lead",
    "Delete a lead"
);

writable!(
    opportunity,
    Opportunity,
    NewOpportunity,
    ChangedOpportunity,
    "/crm/v2/opportunities",
    "/crm/v2/opportunities/{id}",
    "Opportunities",
    "create_opportunity",
    "Create an opportunity",
    "update_opportunity",
    "Update an opportunity",
    "delete_opportunity",
    "Delete an opportunity"
);
