//! Errors in the documented shape.

use axum::http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::reply::Reply;
use super::variants::{CodeForm, PrivilegeText};
use crate::data::row::Row;
use crate::state::State;

/// An error body.
pub fn error(status: StatusCode, code: &str, message: &str) -> Reply {
    Reply::json(&json!({"error": {"code": code, "message": message}})).status(status)
}

pub fn bad_request(message: &str) -> Reply {
    error(StatusCode::BAD_REQUEST, "0x80060888", message)
}

/// A body that cannot be taken.
pub fn bad_payload(set: &str, message: &str) -> Reply {
    error(
        StatusCode::BAD_REQUEST,
        "0x80048d19",
        &format!(
            "Error identified in Payload provided by the user for Entity :'{set}', For more \
             information on this error please follow this help link \
             https://go.microsoft.com/fwlink/?linkid=2195293  ---->  InnerException : \
             Microsoft.OData.ODataException: {message}"
        ),
    )
}

pub fn unknown_set(state: &State, name: &str) -> Reply {
    let status = StatusCode::from_u16(state.variants.data.unknown_set_status);
    error(
        status.unwrap_or(StatusCode::BAD_REQUEST),
        "0x80060888",
        &format!("Resource not found for the segment '{name}'."),
    )
}

pub fn unknown_column(name: &str, table: &str) -> Reply {
    bad_request(&format!(
        "Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{table}'."
    ))
}

pub fn not_found(table: &str, id: &str) -> Reply {
    error(
        StatusCode::NOT_FOUND,
        "0x80040217",
        &format!("Entity '{table}' With Id = {id} Does Not Exist"),
    )
}

/// What a user may do with a table's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    Read,
    Write,
    Create,
    Delete,
}

impl Right {
    fn name(self) -> &'static str {
        match self {
            Self::Read => "Read",
            Self::Write => "Write",
            Self::Create => "Create",
            Self::Delete => "Delete",
        }
    }
}

/// The privilege is missing altogether, in one of the three texts that were seen.
pub fn missing_privilege(state: &State, right: Right, table: usize, user: Uuid) -> Reply {
    let (name, code) = (state.tables[table].name, state.tables[table].type_code);
    let right = right.name();
    let message = match state.variants.data.privilege_text {
        PrivilegeText::Principal => format!(
            "Principal user (Id={user}, type=8, roleCount=1, privilegeCount=420, accessMode=0), is \
             missing prv{right}{name} privilege (Id=886b280c-6396-4d56-a0a3-2c1b0a50ceb0) on \
             OTC={code} for entity '{name}'. context.Caller={user}"
        ),
        PrivilegeText::AccessCheck => return no_access(state, right, None, table, user),
        PrivilegeText::CheckPrivilege => format!(
            "SecLib::CheckPrivilege failed. User: {user}, PrivilegeName: prv{right}{}, PrivilegeId: \
             886b280c-6396-4d56-a0a3-2c1b0a50ceb0, Required Depth: Basic, BusinessUnitId: {}, \
             MetadataCache Privileges Count: 7356, User Privileges Count: 420",
            state.tables[table].schema,
            state.id(crate::data::schema::UNIT, 0)
        ),
    };
    error(StatusCode::FORBIDDEN, "0x80040220", &message)
}

/// The privilege is there, but does not reach this row.
pub fn out_of_reach(state: &State, right: Right, row: Row, user: Uuid) -> Reply {
    no_access(state, right.name(), Some(row), row.table, user)
}

fn no_access(state: &State, right: &str, row: Option<Row>, table: usize, user: Uuid) -> Reply {
    let id = row
        .map(|row| state.id(row.table, row.index))
        .unwrap_or_default();
    let owner = row
        .and_then(|row| state.target(&state.cell(row, "ownerid")))
        .map(|(_, id)| id)
        .unwrap_or_default();
    error(
        StatusCode::FORBIDDEN,
        "0x80040220",
        &format!(
            "SecLib::AccessCheckEx failed. Returned hr = -2147187962, ObjectID: {id}, OwnerId: \
             {owner}, OwnerIdType: 8 and CallingUser: {user}. ObjectTypeCode: {}, \
             objectBusinessUnitId: {}, AccessRights: {right}Access ",
            state.tables[table].type_code,
            state.id(crate::data::schema::UNIT, 0)
        ),
    )
}

pub fn needs_global_read(state: &State, table: usize, user: Uuid) -> Reply {
    let status = StatusCode::from_u16(state.variants.data.tracking_depth_status);
    error(
        status.unwrap_or(StatusCode::FORBIDDEN),
        "0x80040220",
        &format!(
            "SecLib::CheckPrivilege failed. User: {user}, PrivilegeName: prvRead{}, PrivilegeId: \
             886b280c-6396-4d56-a0a3-2c1b0a50ceb0, Required Depth: Global, BusinessUnitId: {}, \
             MetadataCache Privileges Count: 7356, User Privileges Count: 586",
            state.tables[table].schema,
            state.id(crate::data::schema::UNIT, 0)
        ),
    )
}

pub fn tracking_disabled(state: &State, table: usize) -> Reply {
    let status = StatusCode::from_u16(state.variants.data.untracked_status);
    error(
        status.unwrap_or(StatusCode::BAD_REQUEST),
        "0x80072491",
        &format!(
            "Entity {} isn't enabled for change tracking.",
            state.tables[table].name
        ),
    )
}

pub fn expired_version_stamp(state: &State) -> Reply {
    let status = StatusCode::from_u16(state.variants.data.expired_status);
    error(
        status.unwrap_or(StatusCode::BAD_REQUEST),
        "0x80044352",
        "Version stamp associated with the client has expired. Please perform a full sync.",
    )
}

pub fn version_mismatch() -> Reply {
    error(
        StatusCode::PRECONDITION_FAILED,
        "0x80060882",
        "The version of the existing record doesn't match the RowVersion property provided.",
    )
}

pub fn duplicate_key(label: &str) -> Reply {
    error(
        StatusCode::PRECONDITION_FAILED,
        "0x80060892",
        &format!(
            "Entity Key {label} violated. A record with the same value for {label} already exists. \
             A duplicate record cannot be created. Select one or more unique values and try again."
        ),
    )
}

pub fn duplicate_id() -> Reply {
    error(
        StatusCode::PRECONDITION_FAILED,
        "0x80040237",
        "A record with matching key values already exists.",
    )
}

/// Names by which the annotations of an error tell its code.
const NAMES: [(&str, &str); 14] = [
    ("0x80040217", "ObjectDoesNotExist"),
    ("0x80040220", "PrivilegeDenied"),
    ("0x80060888", "BadRequest"),
    ("0x80060891", "RecordNotFoundByEntityKey"),
    ("0x80060892", "DuplicateRecordEntityKey"),
    ("0x80060882", "ConcurrencyVersionMismatch"),
    ("0x80040333", "DuplicateRecordsFound"),
    ("0x80040237", "DuplicateRecord"),
    ("0x80040203", "InvalidArgument"),
    ("0x80048d19", "BadRequest"),
    ("0x80040265", "IsvAborted"),
    ("0x80044352", "ExpiredVersionStamp"),
    ("0x80072491", "ChangeTrackingNotEnabledForEntity"),
    ("0x8004431a", "PicklistValueOutOfRange"),
];

/// An error as this organisation spells it: with the annotations that were asked for.
pub fn dress(state: &State, reply: Reply, is_annotated: bool) -> Reply {
    let form = state.variants.data.error_code;
    if form == CodeForm::Hex && !is_annotated {
        return reply;
    }
    let Ok(mut body) = serde_json::from_slice::<Value>(&reply.body) else {
        return reply;
    };
    let code = body["error"]["code"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let number = u32::from_str_radix(code.trim_start_matches("0x"), 16).map(u32::cast_signed);
    match (form, number) {
        (CodeForm::Decimal, Ok(number)) => body["error"]["code"] = json!(number.to_string()),
        (CodeForm::Empty, _) => body["error"]["code"] = json!(""),
        _ => {}
    }
    if is_annotated {
        let name = NAMES.iter().find(|(of, _)| *of == code.to_lowercase());
        let prefix = "@Microsoft.PowerApps.CDS";
        body["error"][format!("{prefix}.ErrorDetails.ApiExceptionSourceKey")] = json!("Unknown");
        body["error"][format!("{prefix}.ErrorDetails.ApiExceptionHttpStatusCode")] =
            json!(reply.status.as_u16().to_string());
        body["error"][format!("{prefix}.ErrorDetails.ApiExceptionMessageName")] =
            json!(name.map_or("UnExpected", |(_, name)| name));
        body["error"][format!("{prefix}.HelpLink")] = json!(format!(
            "http://go.microsoft.com/fwlink/?LinkID=398563&error=Microsoft.Crm.CrmException%3a{}&client=platform",
            code.trim_start_matches("0x")
        ));
        let message = body["error"]["message"].clone();
        body["error"][format!("{prefix}.InnerError.Message")] = message;
    }
    Reply {
        body: body.to_string().into(),
        ..reply
    }
}
