//! What each `AADSTS` number means and where it is mended, and what can go wrong on this side of a
//! sign-in. One table for the command line, the window and the documentation.

use salesmirror_model::network::NETWORK;
use salesmirror_model::{Explanation, Page};

/// Entra ID's numbers, from Microsoft's list of AADSTS error codes. Numbers that mean the same for
/// the admin share a row.
pub static ENTRA: &[Explanation] = &[
    Explanation {
        code: "invalid_client_secret",
        numbers: &[7_000_215],
        meaning: "Entra ID did not accept the client secret.",
        cause: "Mostly the secret's ID was pasted instead of its value.",
        fix: "Copy the Value column on the app's Certificates & secrets page. It is readable only right after the secret is made, so make a new one.",
        page: Some(Page::Credentials),
    },
    Explanation {
        code: "secret_expired",
        numbers: &[7_000_222],
        meaning: "The client secret has expired.",
        cause: "A secret lives for at most 24 months.",
        fix: "Make a new secret on the app's Certificates & secrets page and enter its value here.",
        page: Some(Page::Credentials),
    },
    Explanation {
        code: "secret_missing",
        numbers: &[7_000_218],
        meaning: "The app registration expects a client secret, and none was sent.",
        cause: "The redirect URI is registered under the platform Web, or public client flows are off.",
        fix: "Enter the secret, or allow public client flows on the app's Authentication page.",
        page: Some(Page::Authentication),
    },
    Explanation {
        code: "public_client_with_secret",
        numbers: &[700_025, 90_023],
        meaning: "The app registration is a public client, which has no secret.",
        cause: "The redirect URI is registered under the platform Mobile and desktop applications.",
        fix: "Connect without a secret, or register the redirect URI under the platform Web.",
        page: Some(Page::Authentication),
    },
    Explanation {
        code: "redirect_uri_not_registered",
        numbers: &[50_011],
        meaning: "The redirect URI is not registered for this app.",
        cause: "The address on the app's Authentication page differs in its path, or is missing. The port does not matter.",
        fix: "On the app's Authentication page add http://localhost/oauth/callback under the right platform (Web with a secret, Mobile and desktop without).",
        page: Some(Page::Authentication),
    },
    Explanation {
        code: "redirect_uri_single_page",
        numbers: &[9_002_326, 9_002_327],
        meaning: "The redirect URI is registered as a single-page application.",
        cause: "The platform was chosen wrongly when the redirect URI was added.",
        fix: "On the app's Authentication page remove it there and add it under the platform Web.",
        page: Some(Page::Authentication),
    },
    Explanation {
        code: "client_not_found",
        numbers: &[700_016],
        meaning: "There is no app registration with this client ID in the tenant.",
        cause: "The client ID was mistyped, it is another object's ID, or the app is in another tenant.",
        fix: "Compare the client ID and the tenant ID with the app's Overview page.",
        page: Some(Page::Registrations),
    },
    Explanation {
        code: "tenant_not_found",
        numbers: &[90_002, 900_023],
        meaning: "Entra ID does not know this tenant.",
        cause: "The tenant was mistyped, or it lives in another cloud.",
        fix: "Enter the tenant's GUID (Overview page of Entra ID) or one of its domains.",
        page: Some(Page::Tenant),
    },
    Explanation {
        code: "consent_needed",
        numbers: &[65_001, 90_094, 90_008],
        meaning: "Nobody has consented to this app's access yet.",
        cause: "The tenant lets only administrators consent, or the permission was not asked for.",
        fix: "An administrator opens the link and accepts, or grants consent on the app's API permissions page (Dynamics CRM, user_impersonation).",
        page: Some(Page::AdminConsent),
    },
    Explanation {
        code: "declined",
        numbers: &[65_004],
        meaning: "The consent was declined, so the sign-in ended.",
        cause: "Somebody chose Cancel on the page that asks for consent.",
        fix: "Sign in again and accept, or ask an administrator to grant consent.",
        page: None,
    },
    Explanation {
        code: "resource_not_found",
        numbers: &[500_011],
        meaning: "The tenant does not know this environment.",
        cause: "The environment belongs to another tenant or cloud, or its address was mistyped.",
        fix: "Check the environment's address, the tenant and the cloud.",
        page: Some(Page::Environments),
    },
    Explanation {
        code: "permission_missing",
        numbers: &[650_057, 650_052],
        meaning: "The app registration lacks the permission for Dynamics CRM, or the tenant has no Dynamics 365.",
        cause: "The API permission was not added, or nobody in the tenant has a licence.",
        fix: "Add Dynamics CRM, user_impersonation on the app's API permissions page; check the licences.",
        page: Some(Page::Permissions),
    },
    Explanation {
        code: "user_not_in_tenant",
        numbers: &[50_020, 50_034],
        meaning: "This account does not belong to the tenant.",
        cause: "The browser signed in with another account than the one meant.",
        fix: "Sign in with an account of the tenant, or have it invited.",
        page: Some(Page::Tenant),
    },
    Explanation {
        code: "conditional_access",
        numbers: &[50_076, 50_079, 50_158, 53_000, 53_001, 53_002, 53_003],
        meaning: "The organisation's security rules ask for more (another factor, or a managed device).",
        cause: "Multi-factor authentication or a rule of conditional access applies to this app.",
        fix: "Sign in again in the browser. If it stays, talk to the security administrator.",
        page: Some(Page::ConditionalAccess),
    },
    Explanation {
        code: "user_not_assigned",
        numbers: &[50_105],
        meaning: "This account is not assigned to the app.",
        cause: "The app's registration lets only assigned users in.",
        fix: "Assign it under Enterprise applications, Users and groups.",
        page: Some(Page::EnterpriseApplications),
    },
    Explanation {
        code: "sign_in_revoked",
        numbers: &[50_173, 50_133],
        meaning: "The sign-in was ended, mostly by a changed password.",
        cause: "The password was changed, or an administrator revoked the sessions.",
        fix: "Sign in again. Nothing is lost.",
        page: None,
    },
    Explanation {
        code: "sign_in_expired",
        numbers: &[70_008, 700_082, 700_084],
        meaning: "The sign-in has expired.",
        cause: "It was not used for 90 days, or the tenant ends sign-ins sooner.",
        fix: "Sign in again. Nothing is lost.",
        page: None,
    },
    Explanation {
        code: "grant_refused",
        numbers: &[54_005, 70_000, 501_481, 70_002],
        meaning: "Entra ID did not accept this sign-in (its code was used already, or belongs to another attempt).",
        cause: "The browser came back twice, or with the code of another attempt.",
        fix: "Sign in again.",
        page: None,
    },
    Explanation {
        code: "wrong_password",
        numbers: &[50_126],
        meaning: "The user name or the password is wrong.",
        cause: "A typing mistake, or a password that was changed.",
        fix: "Sign in again.",
        page: None,
    },
    Explanation {
        code: "blocked_by_defaults",
        numbers: &[530_035],
        meaning: "The tenant's security defaults block this sign-in.",
        cause: "Security defaults are on, and the sign-in does not meet them.",
        fix: "Talk to the security administrator.",
        page: Some(Page::ConditionalAccess),
    },
    Explanation {
        code: "password_expired",
        numbers: &[50_055],
        meaning: "The account's password has expired.",
        cause: "The tenant lets passwords expire.",
        fix: "Change it at the sign-in page, then sign in again.",
        page: None,
    },
    Explanation {
        code: "account_disabled",
        numbers: &[50_057],
        meaning: "The account is disabled.",
        cause: "An administrator disabled it.",
        fix: "Use another account, or ask an administrator to enable it.",
        page: None,
    },
    Explanation {
        code: "invalid_scope",
        numbers: &[70_011],
        meaning: "Entra ID does not know the requested access to this environment.",
        cause: "The environment's address or the app's API permission is not what Entra ID knows.",
        fix: "Check the environment's address and the API permission Dynamics CRM, user_impersonation.",
        page: Some(Page::Permissions),
    },
    Explanation {
        code: "sign_in_unavailable",
        numbers: &[90_033, 90_006],
        meaning: "Entra ID is out of order at the moment.",
        cause: "The sign-in service is overloaded or being repaired.",
        fix: "Try again in some minutes. Nothing is lost.",
        page: None,
    },
    Explanation {
        code: "sign_in_refused",
        numbers: &[],
        meaning: "Entra ID refused the sign-in for a reason that is not in this table.",
        cause: "Entra ID's own words are shown with it.",
        fix: "Sign in again. If it stays, the reference helps Microsoft's support.",
        page: None,
    },
];

/// What goes wrong on the way to Entra ID, or on this computer.
pub static SIGN_IN: &[Explanation] = &[
    Explanation {
        code: "not_an_authority",
        numbers: &[],
        meaning: "What answers is no sign-in service.",
        cause: "The authority's address was mistyped, or a proxy answers in its place.",
        fix: "Check the authority's address; leave it out for the commercial cloud.",
        page: None,
    },
    Explanation {
        code: "foreign_endpoint",
        numbers: &[],
        meaning: "The sign-in service sends credentials to another host. Nothing was sent.",
        cause: "The authority is not the one it says it is.",
        fix: "Check the authority's address; leave it out for the commercial cloud.",
        page: None,
    },
    Explanation {
        code: "port_taken",
        numbers: &[],
        meaning: "The port of the redirect URI is in use by another program.",
        cause: "Another sign-in waits, or another program listens there.",
        fix: "Close that program, or leave the port out: any port will do.",
        page: None,
    },
    Explanation {
        code: "timed_out",
        numbers: &[],
        meaning: "Nobody finished the sign-in in the browser in time.",
        cause: "The browser was closed, or it showed an error that it did not bring back.",
        fix: "Sign in again. If Microsoft's page showed an error, `salesmirror explain` with its number (AADSTS50011) says what to do; 50011 means that http://localhost/oauth/callback is missing on the app's Authentication page.",
        page: Some(Page::Authentication),
    },
    Explanation {
        code: "cancelled",
        numbers: &[],
        meaning: "The sign-in was stopped.",
        cause: "Somebody stopped it.",
        fix: "Nothing was kept. Sign in again when you are ready.",
        page: None,
    },
    Explanation {
        code: "local_failure",
        numbers: &[],
        meaning: "The sign-in cannot begin on this computer.",
        cause: "The system gave no port to come back to.",
        fix: "Try again.",
        page: None,
    },
];

/// What goes wrong with the place that keeps secrets.
pub static KEYCHAIN: &[Explanation] = &[
    Explanation {
        code: "keychain_absent",
        numbers: &[],
        meaning: "No keychain is running, so secrets cannot be kept safely.",
        cause: "There is no desktop session, as at night or over SSH.",
        fix: "Run inside a desktop session, or start a keychain: dbus-run-session -- sh -c 'printf \"\\n\" | gnome-keyring-daemon --unlock --components=secrets; exec salesmirror …'. A service hands a key over through SALESMIRROR_SECRETS_FD; `salesmirror doctor` says how.",
        page: None,
    },
    Explanation {
        code: "keychain_locked",
        numbers: &[],
        meaning: "The keychain is locked.",
        cause: "Nobody has unlocked it since the start.",
        fix: "Unlock the keychain (log in to the desktop once), then try again.",
        page: None,
    },
    Explanation {
        code: "keychain_refused",
        numbers: &[],
        meaning: "The keychain refused.",
        cause: "The keychain's own program has a problem.",
        fix: "Try again. If it stays, look at the keychain's own program.",
        page: None,
    },
    Explanation {
        code: "secrets_key_absent",
        numbers: &[],
        meaning: "SALESMIRROR_SECRETS_FD names a file descriptor that gives no key.",
        cause: "The descriptor is closed, empty, or was read already.",
        fix: "Hand over a file with at least 32 random characters: SALESMIRROR_SECRETS_FD=3 salesmirror … 3< key-file.",
        page: None,
    },
    Explanation {
        code: "secrets_key_wrong",
        numbers: &[],
        meaning: "The secrets in the data directory were sealed with another key.",
        cause: "SALESMIRROR_SECRETS_FD hands over another key than before.",
        fix: "Hand over the key that the connection was made with.",
        page: None,
    },
];

/// Codes after which a stored sign-in is good for nothing.
const ENDS_SIGN_IN: [&str; 7] = [
    "conditional_access",
    "sign_in_revoked",
    "sign_in_expired",
    "grant_refused",
    "blocked_by_defaults",
    "password_expired",
    "account_disabled",
];

/// The explanation of an `AADSTS` number, where there is one.
#[must_use]
pub fn explain(aadsts: u32) -> Option<&'static Explanation> {
    ENTRA.iter().find(|row| row.numbers.contains(&aadsts))
}

/// The explanation of a code of this crate.
pub(crate) fn of_code(code: &str) -> Option<&'static Explanation> {
    [ENTRA, SIGN_IN, KEYCHAIN, NETWORK]
        .into_iter()
        .flatten()
        .find(|row| row.code == code)
}

/// Whether a stored sign-in is good for nothing after this.
pub(crate) fn ends_sign_in(explanation: &Explanation) -> bool {
    ENDS_SIGN_IN.contains(&explanation.code)
}
