//! Errors in the documented shape.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

/// An error body.
pub fn error(status: StatusCode, code: &str, message: &str) -> Response {
    let body = json!({"error": {"code": code, "message": message}}).to_string();
    let mut response = (status, body).into_response();
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json; odata.metadata=minimal"),
    );
    response
}

pub fn bad_request(message: &str) -> Response {
    error(StatusCode::BAD_REQUEST, "0x80060888", message)
}

pub fn unknown_set(name: &str) -> Response {
    error(
        StatusCode::NOT_FOUND,
        "0x80060888",
        &format!("Resource not found for the segment '{name}'."),
    )
}

pub fn unknown_column(name: &str, table: &str) -> Response {
    bad_request(&format!(
        "Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{table}'."
    ))
}

pub fn not_found(table: &str, id: &str) -> Response {
    error(
        StatusCode::NOT_FOUND,
        "0x80040217",
        &format!("Entity '{table}' With Id = {id} Does Not Exist"),
    )
}

pub fn missing_privilege(table: &str, user: &str) -> Response {
    error(
        StatusCode::FORBIDDEN,
        "0x80040220",
        &format!(
            "Principal user (Id={user}, type=8, roleCount=1, privilegeCount=420, accessMode=0), is \
             missing prvRead{table} privilege (Id=886b280c-6396-4d56-a0a3-2c1b0a50ceb0) for entity '{table}'."
        ),
    )
}

pub fn needs_global_read(table: &str) -> Response {
    error(
        StatusCode::FORBIDDEN,
        "0x80040220",
        &format!(
            "SecLib::CheckPrivilege failed. User does not have the privilege. PrivilegeName: \
             prvRead{table}, Required Depth: Global, Actual Depth: Basic"
        ),
    )
}

pub fn tracking_disabled(table: &str) -> Response {
    error(
        StatusCode::BAD_REQUEST,
        "0x80072491",
        &format!("Entity {table} isn't enabled for change tracking."),
    )
}

pub fn expired_version_stamp() -> Response {
    error(
        StatusCode::GONE,
        "0x80044352",
        "Version stamp associated with the client has expired. Please perform a full sync.",
    )
}
