//! The codes that core and the command line make themselves.

use salesmirror_model::{Explanation, Page};

/// A row of [`OWN`].
pub(super) const fn row(
    code: &'static str,
    meaning: &'static str,
    cause: &'static str,
    fix: &'static str,
) -> Explanation {
    Explanation {
        code,
        numbers: &[],
        meaning,
        cause,
        fix,
        page: None,
    }
}

/// What core and the command line find themselves.
pub static OWN: &[Explanation] = &[
    row(
        "usage",
        "The command line makes no sense.",
        "A flag or a value was mistyped, or a flag that is needed is missing.",
        "`salesmirror --help` and `salesmirror COMMAND --help` list what there is.",
    ),
    row(
        "bad_name",
        "A connection needs a name.",
        "The name is empty.",
        "Give the connection a name, such as the organisation's.",
    ),
    row(
        "bad_environment",
        "This is not the address of an environment.",
        "It is no web address, or a plain http address of another computer.",
        "Paste the environment's address, such as https://contoso.crm4.dynamics.com.",
    ),
    row(
        "bad_tenant",
        "This is not a tenant.",
        "A tenant is a GUID, one of its domains, or \"organizations\".",
        "Leave it out: the environment says which tenant it belongs to.",
    ),
    row(
        "bad_secret_expires",
        "This is no date.",
        "The last day of the client secret was mistyped.",
        "Enter it as 2028-03-11, or leave it empty.",
    ),
    row(
        "bad_proxy",
        "This is not the address of a proxy.",
        "It was mistyped, holds a user name, or is of a kind that is not supported.",
        "Enter \"system\", \"none\", or an address such as http://proxy.contoso.com:8080.",
    ),
    row(
        "bad_log_level",
        "This is no level of the log.",
        "It was mistyped.",
        "There are error, warn, info and debug.",
    ),
    row(
        "view_closed",
        "This view of records is closed.",
        "It was replaced by another one.",
        "Open the table again.",
    ),
    row(
        "bad_link",
        "This address is not opened from here.",
        "It is no page of Microsoft's or of a connected organisation; records hold what anybody wrote.",
        "Copy it, and open it by hand where you trust it.",
    ),
    row(
        "not_exported",
        "This file is not opened from here.",
        "Only files that were exported since the start are.",
        "Open it in the file manager.",
    ),
    row(
        "too_much",
        "This is too much to remember.",
        "The saved views of a table take more than a megabyte.",
        "Remove some of the saved views.",
    ),
    row(
        "no_setup",
        "No set-up of a connection is under way.",
        "It was ended or given up in another window.",
        "Begin one with Connect.",
    ),
    row(
        "not_signed_in_yet",
        "Nobody has signed in for this connection yet.",
        "The set-up was left before its sign-in.",
        "Go back one step and sign in.",
    ),
    Explanation {
        page: Some(Page::Environments),
        ..row(
            "read_not_global",
            "The security role reads a part of the table's rows.",
            "Its access level on Read is below Organization.",
            "The mirror would hold those rows only, and every sync would read all of them. For all rows, set Read to Organization in the security role; it takes effect within a minute.",
        )
    },
    Explanation {
        page: Some(Page::Environments),
        ..row(
            "tracking_days_none",
            "The organisation does not keep what changed.",
            "Its setting expirechangetrackingindays is 0.",
            "Set it to 7 or more; until then every sync reads all rows.",
        )
    },
    Explanation {
        page: Some(Page::Registrations),
        ..row(
            "bad_client_id",
            "This is not an application (client) ID.",
            "Another value of the app registration was pasted.",
            "Copy it from the app registration's Overview page. It is a GUID.",
        )
    },
    Explanation {
        page: Some(Page::Credentials),
        ..row(
            "bad_client_secret",
            "This is not a client secret.",
            "Mostly the secret's ID was pasted instead of its value, or there is white space around it.",
            "Copy the Value column on the app's Certificates & secrets page; it is readable only right after the secret is made.",
        )
    },
    row(
        "bad_authority",
        "This is not the address of a sign-in service.",
        "It is no web address, or a plain http address of another computer.",
        "Leave it out for Microsoft's own.",
    ),
    row(
        "bad_url",
        "This is not an address that Salesmirror goes to.",
        "It is no https address, or carries a user name or password.",
        "Check the address. Plain http is accepted on this computer only.",
    ),
    row(
        "bad_discovery",
        "This is not a Global Discovery Service.",
        "Only Microsoft's own may see the token, or one on this computer for an environment that is here too.",
        "Leave the address out, or name the cloud.",
    ),
    row(
        "tenant_unknown",
        "The environment does not say which tenant it belongs to.",
        "Something between answers in its place.",
        "Name the tenant with --tenant: its GUID or one of its domains.",
    ),
    Explanation {
        page: Some(Page::Tenant),
        ..row(
            "other_tenant",
            "The environment belongs to another tenant than the one that was entered.",
            "The tenant or the environment was mixed up with another one.",
            "Leave the tenant out, or enter the one that owns the environment.",
        )
    },
    row(
        "unknown_authority",
        "The environment names a sign-in service that is none of Microsoft's. Nothing was sent there.",
        "The address is that of some other web site, or something between changed the reply.",
        "Check the environment's address. If the sign-in service is your own, name it with --authority.",
    ),
    row(
        "name_taken",
        "There is a connection of this name already.",
        "Names tell connections apart, whatever their case.",
        "Choose another name, or disconnect that one first.",
    ),
    row(
        "signed_out",
        "This connection is signed out.",
        "The sign-in has expired or was revoked.",
        "Sign in again to keep syncing. Nothing is lost.",
    ),
    row(
        "sign_in_needed",
        "There is no sign-in to go on with.",
        "The sign-in has expired or was revoked.",
        "Sign in again to keep syncing. Nothing is lost.",
    ),
    row(
        "needs_user",
        "This needs a signed-in user.",
        "The connection signs in as the app itself, which Global Discovery does not know.",
        "Use a connection that signs in through the browser, or type the environment's address.",
    ),
    row(
        "no_connection",
        "There is no connection yet.",
        "None was made in this data directory.",
        "Make one with `salesmirror connect`.",
    ),
    row(
        "bad_pair",
        "A header or a parameter of a request cannot be read.",
        "The sign between its name and its value is missing.",
        "Write --header 'Name: value' and --query name=value.",
    ),
    row(
        "bad_body",
        "The body of a request cannot be read.",
        "The file behind the @ is not there, or may not be read.",
        "Name a file after the @, or write the JSON itself.",
    ),
    row(
        "bad_request_name",
        "This is no name for a request.",
        "It is empty, has more than one line, or more than 80 letters.",
        "Write one line of up to 80 letters.",
    ),
    row(
        "request_name_taken",
        "There is a saved request of this name already.",
        "Names tell saved requests apart, whatever their case.",
        "Choose another name, or delete that request first.",
    ),
    row(
        "request_stopped",
        "Nobody waits for the answer to this request any more.",
        "Somebody stopped waiting.",
        "A change may have been made all the same. Read the record before you send it again.",
    ),
    row(
        "no_reply",
        "There is no reply to save.",
        "No request was answered since the app was started.",
        "Send a request first.",
    ),
    row(
        "unknown_connection",
        "There is no connection of this name.",
        "It was mistyped, or is in another data directory.",
        "`salesmirror connections` lists them.",
    ),
    row(
        "which_connection",
        "There is more than one connection.",
        "None was named.",
        "Choose one with --connection.",
    ),
    row(
        "key_missing",
        "The keychain has no key for the data in this folder.",
        "The data directory comes from another account or computer, or the entry was deleted.",
        "Unlock the keychain of the account that made it, or disconnect with its data and connect again.",
    ),
    row(
        "no_data_dir",
        "This account has no home directory to keep data in.",
        "The program runs as a service.",
        "Name a folder with --data-dir or SALESMIRROR_DATA_DIR.",
    ),
    row(
        "file_failed",
        "A file cannot be used.",
        "The system's own words are shown with it.",
        "Check the path, then try again.",
    ),
    row(
        "no_randomness",
        "The system gave no random numbers.",
        "The system is starting or broken.",
        "Restart the machine, then try again.",
    ),
    row(
        "busy",
        "Another Salesmirror process is syncing this connection.",
        "One process at a time syncs a connection.",
        "Wait until it is done, or stop it, then try again.",
    ),
    row(
        "interrupted",
        "Stopped before it was finished.",
        "Somebody stopped it.",
        "Nothing is lost: the next sync goes on from the last page.",
    ),
    row(
        "killed",
        "The program ended before the sync did.",
        "It was killed, it crashed, or the computer was switched off.",
        "Nothing is lost: the next sync goes on from the last page.",
    ),
    row(
        "mass_delete",
        "Many rows of the mirror were not in what Dynamics 365 sent.",
        "They were deleted, or the user may no longer see them.",
        "If they were really deleted, run the sync again with --yes. If not, check the user's security role, then run it with --full.",
    ),
    row(
        "clock_wrong",
        "This computer's clock is wrong.",
        "Tokens are good from one moment to another; a clock that is off breaks sign-ins.",
        "Set the clock, then try again.",
    ),
    row(
        "app_data_damaged",
        "The file app.db, with the connections, cannot be read.",
        "It was copied from another computer, or the disk has a fault.",
        "Bring it back from a backup. Without one, move the data directory aside and connect again.",
    ),
    row(
        "unknown_setting",
        "There is no such setting.",
        "It was mistyped.",
        "`salesmirror settings` lists them.",
    ),
    row(
        "bad_setting",
        "A setting cannot have this value.",
        "A number or a word was expected that it is not, or the number is out of range.",
        "`salesmirror settings` says what each setting means; \"default\" gives it its default back.",
    ),
    row(
        "unknown_table",
        "The table is not mirrored.",
        "It was mistyped, or never added.",
        "`salesmirror status` lists the mirrored tables.",
    ),
    row(
        "unknown_record",
        "The mirror has no record with this ID.",
        "It is newer than the last sync, of another table, or was never there.",
        "Sync the table, then look again.",
    ),
    row(
        "not_unified",
        "The table has no unified object.",
        "Unified objects are those of accounts, contacts, leads, opportunities and users.",
        "Leave --unified out: `salesmirror records TABLE` lists the columns of any mirrored table.",
    ),
    row(
        "bad_record",
        "A record in the mirror cannot be read as JSON.",
        "The service delivered it so, or the file is damaged.",
        "Invalidate the record, so that it is read again.",
    ),
    row(
        "unknown_code",
        "The table of errors has no such code.",
        "It was mistyped, or the service is newer than this program.",
        "Copy the code as it was shown: AADSTS50011, 0x80040220, or a word such as `secret_expired`.",
    ),
    row(
        "unknown_column",
        "The table has no such column.",
        "It was mistyped, or the mirror has not seen it yet.",
        "`salesmirror records TABLE --limit 1 --json` lists them.",
    ),
    row(
        "never_synced",
        "The table was never synced.",
        "Its first sync has not run yet.",
        "Run `salesmirror sync` first.",
    ),
    row(
        "bad_certificate",
        "The further root certificate cannot be read.",
        "The file is missing, or holds no certificate in PEM.",
        "Check --ca-file or SALESMIRROR_CA_FILE.",
    ),
    row(
        "bad_id",
        "This is no record id.",
        "Ids are GUIDs.",
        "`salesmirror records TABLE --json` lists them.",
    ),
    row(
        "bad_interval",
        "This is no interval of a schedule.",
        "It has no unit, or is shorter than 5 seconds or longer than a year.",
        "Write 15m, 2h or 1d, or off, or default.",
    ),
    row(
        "bad_filter",
        "A filter cannot be read.",
        "It is not of the form COLUMN OP VALUE.",
        "Write it as in --filter 'statecode = Open'.",
    ),
    row(
        "bad_value",
        "A value does not fit the column of the filter.",
        "A number, a date or a choice was expected.",
        "`salesmirror records TABLE --limit 1 --json` shows what the column holds.",
    ),
    row(
        "changed_meanwhile",
        "A record was changed again and again while it was read back after a change.",
        "Several programs or people change the same record at the same time.",
        "The change was made. The next sync reads the record.",
    ),
    row(
        "bad_sort",
        "A sort order cannot be read.",
        "The direction was mistyped.",
        "Write --sort COLUMN or --sort COLUMN:desc.",
    ),
    row(
        "bad_path",
        "This is no file that can be written.",
        "The path is that of a folder, or has no name.",
        "Name a file with --output.",
    ),
    row(
        "bad_rows",
        "The sample organisation's rows cannot be read.",
        "A table's name or a number was mistyped.",
        "Write --rows account=N,contact=N,lead=N,opportunity=N,systemuser=N.",
    ),
];
