//! `explain`.

use salesmirror_core::explanations::look_up;
use salesmirror_core::{Category, Error, Result};
use serde_json::json;

use crate::output::Output;

/// Prints what the table of errors says of a code or number.
pub fn explain(output: Output, code: &str) -> Result<u8> {
    let Some(row) = look_up(code) else {
        return Err(Error::explained(
            Category::Usage,
            "unknown_code",
            format!("The table of errors has no {code}."),
        ));
    };
    let document = json!({
        "code": row.code, "numbers": row.numbers, "meaning": row.meaning, "cause": row.cause,
        "hint": row.fix,
    });
    let text = format!(
        "{}: {}\nwhy: {}\nhint: {}",
        row.code, row.meaning, row.cause, row.fix
    );
    output.result(&document, &text);
    Ok(0)
}
