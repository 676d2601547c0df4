//! The OpenAPI document, made from the handlers that it describes.

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{OpenApi as Document, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::Errors;
use crate::objects::{
    account, accounts, contact, contacts, lead, leads, opportunities, opportunity, users,
};
use crate::state::Api;
use crate::{events, management, passthrough};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Salesmirror",
        description = "The unified API over the local mirror of a Dynamics 365 organisation. It answers on this computer only, to programs that have an API key.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    tags(
        (name = "Accounts", description = "Firms."),
        (name = "Contacts", description = "People at them."),
        (name = "Leads", description = "Who may become a customer."),
        (name = "Opportunities", description = "Deals."),
        (name = "Users", description = "People who work with Dynamics 365; they can only be read."),
        (name = "Events", description = "What happens to records and in syncs."),
        (name = "Management", description = "Syncs, their runs, and what is to be read again."),
        (name = "Actions", description = "Requests of your own to Dynamics 365."),
    ),
    components(schemas(Errors)),
    security(("key" = []), ("header" = [])),
    modifiers(&Keys)
)]
struct Base;

/// How keys are sent.
struct Keys;

impl Modify for Keys {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_default();
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An API key: `Authorization: Bearer smk_…`."))
            .build();
        components.add_security_scheme("key", SecurityScheme::Http(bearer));
        let header =
            ApiKeyValue::with_description("x-api-key", "The same key in a header of its own.");
        components.add_security_scheme("header", SecurityScheme::ApiKey(ApiKey::Header(header)));
    }
}

/// What every address may answer instead.
pub struct Refusals;

impl IntoResponses for Refusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let refusal = |sentence: &str| {
            let content = utoipa::openapi::ContentBuilder::new()
                .schema(Some(Ref::from_schema_name("Errors")))
                .build();
            let response = ResponseBuilder::new()
                .description(sentence)
                .content("application/json", content)
                .build();
            RefOr::T(response)
        };
        [
            ("400", "The request does not follow this document."),
            ("401", "No API key, or a wrong one."),
            (
                "403",
                "The key lacks the scope, or Dynamics 365 does not allow it.",
            ),
            ("404", "There is no such thing."),
            (
                "422",
                "The request follows this document, and means nothing here.",
            ),
            (
                "4XX",
                "Any other refusal, with the status that Dynamics 365 gave where it was asked.",
            ),
            (
                "5XX",
                "Dynamics 365 or the mirror cannot be used at the moment.",
            ),
        ]
        .map(|(status, sentence)| (status.to_owned(), refusal(sentence)))
        .into()
    }
}

/// All addresses with their description.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::with_openapi(Base::openapi())
        .routes(routes!(accounts::list, account::create))
        .routes(routes!(accounts::one, account::update, account::delete))
        .routes(routes!(contacts::list, contact::create))
        .routes(routes!(contacts::one, contact::update, contact::delete))
        .routes(routes!(leads::list, lead::create))
        .routes(routes!(leads::one, lead::update, lead::delete))
        .routes(routes!(opportunities::list, opportunity::create))
        .routes(routes!(
            opportunities::one,
            opportunity::update,
            opportunity::delete
        ))
        .routes(routes!(users::list))
        .routes(routes!(users::one))
        .routes(routes!(events::events))
        .routes(routes!(management::syncs))
        .routes(routes!(management::trigger))
        .routes(routes!(management::pause))
        .routes(routes!(management::resume))
        .routes(routes!(management::sync_runs))
        .routes(routes!(management::invalidate))
        .routes(routes!(passthrough::passthrough))
}

/// The OpenAPI document as JSON; without the address of a server.
#[must_use]
pub fn document() -> Value {
    let (_, document) = routes().split_for_parts();
    let mut document = serde_json::to_value(document).unwrap_or_default();
    let paths = document["paths"].as_object_mut().into_iter();
    let operations = paths.flat_map(|paths| paths.values_mut());
    let operations = operations.filter_map(Value::as_object_mut);
    for operation in operations.flat_map(|item| item.values_mut()) {
        let parameters = operation
            .get_mut("parameters")
            .and_then(Value::as_array_mut);
        for parameter in parameters.into_iter().flatten() {
            if let Some(schema) = parameter.get_mut("schema") {
                never_null(schema);
            }
        }
    }
    document
}

/// A parameter is there or not: null is nothing that a query or a header can hold.
fn never_null(schema: &mut Value) {
    if let Some(kinds) = schema["type"].as_array() {
        let kind = kinds.iter().find(|kind| *kind != "null").cloned();
        schema["type"] = kind.unwrap_or_default();
    }
}
