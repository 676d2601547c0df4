//! What each code of this crate means, with the numbers of Dataverse behind it. Part of the one
//! table of errors that the command line, the window and the documentation share.

use salesmirror_model::{Explanation, Page};

/// The codes of the Web API and of the way to it.
pub static DATAVERSE: &[Explanation] = &[
    Explanation {
        code: "not_a_member",
        numbers: &[0x8007_2560],
        meaning: "The signed-in user is not a member of this organisation.",
        cause: "The account was never added to the environment, or the app has no application user there.",
        fix: "Sign in as a user of this environment, or add the user (or the app as an application user) in the Power Platform admin center.",
        page: Some(Page::Environments),
    },
    Explanation {
        code: "missing_privilege",
        numbers: &[0x8004_0220],
        meaning: "The signed-in user's security role does not allow this.",
        cause: "The role does not let the user read the table, or only a part of its rows.",
        fix: "Give the user a security role with Read on this table at Organization level.",
        page: Some(Page::Environments),
    },
    Explanation {
        code: "not_found",
        numbers: &[0x8004_0217],
        meaning: "Dynamics 365 has no such record.",
        cause: "It was deleted, or its id belongs to another table.",
        fix: "Check the id.",
        page: None,
    },
    Explanation {
        code: "delta_expired",
        numbers: &[0x8004_4352],
        meaning: "The mark of the last sync has expired in Dynamics 365.",
        cause: "The last sync is more than a week ago, or the table's definition changed.",
        fix: "A full sync follows by itself.",
        page: None,
    },
    Explanation {
        code: "tracking_unavailable",
        numbers: &[0x8007_2491, 0x8007_2492],
        meaning: "Change tracking is off for this table.",
        cause: "It is switched on table by table.",
        fix: "Switch on \"Track changes\" in the table's properties; until then every sync reads all rows.",
        page: Some(Page::Environments),
    },
    Explanation {
        code: "throttled",
        numbers: &[0x8007_2322, 0x8007_2321, 0x8007_2326],
        meaning: "Dynamics 365 limits the requests of this user, and did not let up in time.",
        cause: "Service protection limits: requests, execution time or requests at once.",
        fix: "Nothing is lost. Try again in some minutes, or wait longer (--max-wait).",
        page: None,
    },
    Explanation {
        code: "not_signed_in",
        numbers: &[],
        meaning: "Dynamics 365 did not accept the sign-in.",
        cause: "The sign-in was for another environment, or has ended.",
        fix: "Sign in again.",
        page: None,
    },
    Explanation {
        code: "service_unavailable",
        numbers: &[0x8004_4150, 0x8004_4151, 0x8004_0216],
        meaning: "Dynamics 365 is not available at the moment.",
        cause: "The service is overloaded, or the environment is in administration mode, disabled or being copied.",
        fix: "Try again later. An environment in administration mode stays away for hours.",
        page: Some(Page::Environments),
    },
    Explanation {
        code: "not_dataverse",
        numbers: &[],
        meaning: "What answers is not Dynamics 365.",
        cause: "The address is that of some other web site, or of a proxy.",
        fix: "Paste the environment's address, such as https://contoso.crm4.dynamics.com.",
        page: Some(Page::Environments),
    },
    Explanation {
        code: "foreign_link",
        numbers: &[],
        meaning: "A link leads away from the environment. It was not followed.",
        cause: "Whoever runs the environment, or something between, changed a reply.",
        fix: "Nothing was sent there. Report this to whoever runs the environment.",
        page: None,
    },
    Explanation {
        code: "bad_reply",
        numbers: &[],
        meaning: "Dynamics 365 sent a reply that cannot be read.",
        cause: "The reply was cut off, or something between changed it.",
        fix: "Try again. If it stays, the reference helps Microsoft's support.",
        page: None,
    },
    Explanation {
        code: "refused",
        numbers: &[],
        meaning: "Dynamics 365 refused for a reason that is not in this table.",
        cause: "Dynamics 365's own words are shown with it.",
        fix: "Try again. If it stays, the reference helps Microsoft's support.",
        page: None,
    },
];
