//! What each code of this crate means. Part of the one table of errors that the command line, the
//! window and the documentation share.

use salesmirror_model::Explanation;

/// The codes of the local databases.
pub static DATABASE: &[Explanation] = &[
    Explanation {
        code: "database_damaged",
        numbers: &[],
        meaning: "The database cannot be read: it is damaged, or its key is another one.",
        cause: "The file was copied from another computer, or the disk has a fault.",
        fix: "Run `salesmirror sync`: the damaged copy is moved aside, and everything is fetched anew.",
        page: None,
    },
    Explanation {
        code: "database_unreadable",
        numbers: &[],
        meaning: "The database holds something that this version cannot read.",
        cause: "The file was changed by another program.",
        fix: "Disconnect with its data, then connect again: everything is fetched anew.",
        page: None,
    },
    Explanation {
        code: "database_newer",
        numbers: &[],
        meaning: "The database was written by a newer version of Salesmirror.",
        cause: "An older version was started on the same data directory.",
        fix: "Update Salesmirror, or choose another data directory.",
        page: None,
    },
    Explanation {
        code: "database_busy",
        numbers: &[],
        meaning: "The database is in use by another program.",
        cause: "Another program holds the file open for writing.",
        fix: "Close the other program, then try again.",
        page: None,
    },
    Explanation {
        code: "database_failed",
        numbers: &[],
        meaning: "The database reported an error.",
        cause: "SQLite's own words are shown with it.",
        fix: "Try again.",
        page: None,
    },
    Explanation {
        code: "disk_full",
        numbers: &[],
        meaning: "The disk is full.",
        cause: "A mirror takes about as much room as the records as JSON, compressed.",
        fix: "Free some space. The next sync goes on where this one stopped.",
        page: None,
    },
    Explanation {
        code: "not_writable",
        numbers: &[],
        meaning: "A file or its folder cannot be written.",
        cause: "It belongs to another account, or the disk is mounted for reading only.",
        fix: "Change its permissions, or choose another place (for the data directory with --data-dir).",
        page: None,
    },
    Explanation {
        code: "query_refused",
        numbers: &[],
        meaning: "A statement does more than read the mirrored tables. It was not run.",
        cause: "It writes, names a table of the mirror's own, or calls a function that does more than compute.",
        fix: "Write one SELECT over mirrored tables; `salesmirror tables` lists them.",
        page: None,
    },
    Explanation {
        code: "bad_query",
        numbers: &[],
        meaning: "A statement is no SQL that SQLite understands.",
        cause: "A name was mistyped, or the SQL is that of another database.",
        fix: "Tables go by logical name or set name, columns by logical name: SELECT name, statecode_label FROM account.",
        page: None,
    },
    Explanation {
        code: "query_too_long",
        numbers: &[],
        meaning: "A statement ran longer than it may.",
        cause: "It joins or sorts a great many rows.",
        fix: "Ask for less at once, or allow more time with --timeout.",
        page: None,
    },
];
