//! The codes of the local API.

use salesmirror_model::Explanation;

use super::own::row;

/// What the local API refuses, and why.
pub static API: &[Explanation] = &[
    row(
        "foreign_host",
        "The local API was called by a name that is not its own.",
        "The Host header names another host or port, as when a web page lets its name point to this computer.",
        "Call http://127.0.0.1 or http://localhost with the port that `salesmirror serve` printed.",
    ),
    row(
        "foreign_origin",
        "A web page of another origin called the local API.",
        "The Origin or Sec-Fetch-Site header says so. The API is for programs, and lets no page in.",
        "Call it from a program.",
    ),
    row(
        "no_api_key",
        "The request has no API key.",
        "Neither the Authorization nor the x-api-key header carries one.",
        "Send `Authorization: Bearer KEY`. `salesmirror api-keys make NAME` makes a key.",
    ),
    row(
        "wrong_api_key",
        "There is no such API key.",
        "The key was mistyped, cut off or revoked, or belongs to another data directory.",
        "`salesmirror api-keys` lists the keys by their beginnings; make a new one where yours is gone.",
    ),
    row(
        "missing_scope",
        "The API key may not do this.",
        "It was made without the scope that this request needs.",
        "Make a key with that scope, and revoke this one where nothing uses it any more.",
    ),
    row(
        "no_such_path",
        "The API has nothing at this address.",
        "The path was mistyped.",
        "The page at / lists all addresses, and so does /openapi.json.",
    ),
    row(
        "method_not_allowed",
        "This address does not take this method.",
        "It can be read only, or written only.",
        "The Allow header lists what it takes.",
    ),
    row(
        "body_too_large",
        "The request is larger than the API takes.",
        "Its body has more bytes than the limit that the message names.",
        "Send less in one request.",
    ),
    row(
        "body_not_json",
        "The request's body is not JSON.",
        "The Content-Type header says something else, or there is none.",
        "Send `Content-Type: application/json` with a JSON body.",
    ),
    row(
        "bad_request_body",
        "The request's body is not what this address takes.",
        "It is no JSON, lacks a field, or has one that does not belong there.",
        "The page at / shows what each address takes.",
    ),
    row(
        "bad_parameter",
        "A parameter of the request cannot be used.",
        "It is unknown, given twice, or outside of what it may be.",
        "The page at / lists the parameters of each address.",
    ),
    row(
        "request_too_slow",
        "The request did not arrive in time.",
        "Its body was announced and did not come.",
        "Send it again.",
    ),
    row(
        "api_busy",
        "The API has more to do than it can.",
        "Many requests that read whole tables came at once, or as many lists as are held are being paged through.",
        "Send fewer at the same time, read lists to their end, and try again.",
    ),
    row(
        "bad_cursor",
        "This is no cursor of this list.",
        "It was changed, cut off, or belongs to a list with other parameters.",
        "Give the cursor of a reply as it came, with the same parameters; or begin without one.",
    ),
    row(
        "cursor_expired",
        "This cursor is no longer valid.",
        "A list that is sorted or searched is kept for some minutes after its last page, and the program was not restarted.",
        "Begin again without a cursor. Lists without sort and search have cursors that do not expire.",
    ),
    row(
        "read_only_object",
        "This object cannot be written.",
        "Users are kept by the organisation's administrators.",
        "Change users in the Power Platform admin center.",
    ),
    row(
        "bad_scope",
        "This is no scope of an API key.",
        "It was mistyped, or none was given.",
        "Choose among read, write, passthrough and manage.",
    ),
    row(
        "bad_api_key",
        "This cannot be an API key.",
        "It is too short to be safe, too long, or holds blanks or letters that a header cannot carry.",
        "Leave it out: Salesmirror makes a random one.",
    ),
    row(
        "bad_api_key_name",
        "An API key needs a name.",
        "The name is empty.",
        "Name it after the program that uses it.",
    ),
    row(
        "api_key_name_taken",
        "An API key has this name already.",
        "Names are unique, so that a key in the log says whose it is.",
        "Choose another name, or revoke the other key first.",
    ),
    row(
        "unknown_api_key",
        "There is no such API key.",
        "It was revoked already, or its name was mistyped.",
        "`salesmirror api-keys` lists the keys.",
    ),
    row(
        "unknown_field",
        "The object has no such field.",
        "It was mistyped, or is a column of your own.",
        "Write columns of the table, your own ones too, into custom_fields.",
    ),
    row(
        "read_only_field",
        "This field cannot be written.",
        "It follows from other fields, or Dynamics 365 sets it.",
        "Leave it out.",
    ),
    row(
        "wrong_type",
        "A field got a value of another type.",
        "A text was given for a number, or the like.",
        "The page at / shows the type of each field.",
    ),
    row(
        "unknown_label",
        "A choice has no such value.",
        "The label was mistyped, or the organisation has it in another language.",
        "Take one of the labels that the message lists, or its number.",
    ),
    row(
        "no_column",
        "The organisation has no column for this field.",
        "It was removed, or all columns of this kind are taken.",
        "Leave it out, or use custom_fields.",
    ),
    row(
        "lookup_field",
        "A lookup in custom_fields cannot be written as it was given.",
        "It can point to several tables, or the table is unknown.",
        "Write {\"id\", \"table\"}, or the navigation property with @odata.bind.",
    ),
    row(
        "needs_action",
        "A state cannot be set by writing a field.",
        "Dynamics 365 has an action for it, which does more than set a field.",
        "Call the action that the message names through /actions/v2/passthrough.",
    ),
];
