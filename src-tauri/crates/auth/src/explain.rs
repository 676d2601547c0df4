//! What each `AADSTS` code means and where it is mended. One table for the command line, the window
//! and the documentation.

/// The explanation of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explanation {
    /// Stable code of our own.
    pub code: &'static str,
    /// What happened, one sentence.
    pub meaning: &'static str,
    /// What to do, with the place.
    pub fix: &'static str,
    /// Whether the stored sign-in has ended.
    pub ends_sign_in: bool,
}

/// Codes that share an explanation. From Microsoft's list of AADSTS error codes.
const TABLE: &[(&[u32], &str, &str, &str, bool)] = &[
    (
        &[7_000_215],
        "invalid_client_secret",
        "Entra ID did not accept the client secret.",
        "Mostly the secret's ID was pasted. Copy the Value column on the app's Certificates & secrets page; it is readable only right after the secret is made, so make a new one.",
        false,
    ),
    (
        &[7_000_222],
        "secret_expired",
        "The client secret has expired.",
        "Make a new secret on the app's Certificates & secrets page and enter its value here.",
        false,
    ),
    (
        &[7_000_218],
        "secret_missing",
        "The app registration expects a client secret, and none was sent.",
        "Enter the secret, or allow public client flows on the app's Authentication page.",
        false,
    ),
    (
        &[700_025, 90_023],
        "public_client_with_secret",
        "The app registration is a public client, which has no secret.",
        "Connect without a secret, or register the redirect URI under the platform Web.",
        false,
    ),
    (
        &[50_011],
        "redirect_uri_not_registered",
        "The redirect URI is not registered for this app.",
        "On the app's Authentication page add http://localhost/oauth/callback under the right platform (Web with a secret, Mobile and desktop without).",
        false,
    ),
    (
        &[9_002_326, 9_002_327],
        "redirect_uri_single_page",
        "The redirect URI is registered as a single-page application.",
        "On the app's Authentication page remove it there and add it under the platform Web.",
        false,
    ),
    (
        &[700_016],
        "client_not_found",
        "There is no app registration with this client ID in the tenant.",
        "Compare the client ID and the tenant ID with the app's Overview page.",
        false,
    ),
    (
        &[90_002, 900_023],
        "tenant_not_found",
        "Entra ID does not know this tenant.",
        "Enter the tenant's GUID (Overview page of Entra ID) or one of its domains.",
        false,
    ),
    (
        &[65_001, 90_094, 90_008],
        "consent_needed",
        "Nobody has consented to this app's access yet.",
        "An administrator grants consent on the app's API permissions page (Dynamics CRM, user_impersonation).",
        false,
    ),
    (
        &[65_004],
        "declined",
        "The consent was declined, so the sign-in ended.",
        "Sign in again and accept, or ask an administrator to grant consent.",
        false,
    ),
    (
        &[500_011],
        "resource_not_found",
        "The tenant does not know this environment.",
        "Check the environment's address, the tenant and the cloud.",
        false,
    ),
    (
        &[650_057, 650_052],
        "permission_missing",
        "The app registration lacks the permission for Dynamics CRM, or the tenant has no Dynamics 365.",
        "Add Dynamics CRM, user_impersonation on the app's API permissions page; check the licences.",
        false,
    ),
    (
        &[50_020, 50_034],
        "user_not_in_tenant",
        "This account does not belong to the tenant.",
        "Sign in with an account of the tenant, or have it invited.",
        false,
    ),
    (
        &[50_076, 50_079, 50_158, 53_000, 53_001, 53_002, 53_003],
        "conditional_access",
        "The organisation's security rules ask for more (another factor, or a managed device).",
        "Sign in again in the browser. If it stays, talk to the security administrator.",
        true,
    ),
    (
        &[50_105],
        "user_not_assigned",
        "This account is not assigned to the app.",
        "Assign it under Enterprise applications, Users and groups.",
        false,
    ),
    (
        &[50_173, 50_133],
        "sign_in_revoked",
        "The sign-in was ended, mostly by a changed password.",
        "Sign in again. Nothing is lost.",
        true,
    ),
    (
        &[70_008, 700_082, 700_084],
        "sign_in_expired",
        "The sign-in has expired.",
        "Sign in again. Nothing is lost.",
        true,
    ),
    (
        &[54_005, 70_000, 501_481, 70_002],
        "grant_refused",
        "Entra ID did not accept this sign-in (its code was used already, or belongs to another attempt).",
        "Sign in again.",
        true,
    ),
    (
        &[50_126],
        "wrong_password",
        "The user name or the password is wrong.",
        "Sign in again.",
        false,
    ),
    (
        &[530_035],
        "blocked_by_defaults",
        "The tenant's security defaults block this sign-in.",
        "Talk to the security administrator.",
        true,
    ),
    (
        &[50_055],
        "password_expired",
        "The account's password has expired.",
        "Change it at the sign-in page, then sign in again.",
        true,
    ),
    (
        &[50_057],
        "account_disabled",
        "The account is disabled.",
        "Use another account, or ask an administrator to enable it.",
        true,
    ),
    (
        &[70_011],
        "invalid_scope",
        "Entra ID does not know the requested access to this environment.",
        "Check the environment's address and the API permission Dynamics CRM, user_impersonation.",
        false,
    ),
];

/// The explanation of an `AADSTS` code, where there is one.
#[must_use]
pub fn explain(aadsts: u32) -> Option<Explanation> {
    TABLE
        .iter()
        .find(|(codes, ..)| codes.contains(&aadsts))
        .map(|&(_, code, meaning, fix, ends_sign_in)| Explanation {
            code,
            meaning,
            fix,
            ends_sign_in,
        })
}

/// All codes with their explanations, for the documentation.
pub fn all() -> impl Iterator<Item = (&'static [u32], Explanation)> {
    TABLE
        .iter()
        .map(|&(codes, code, meaning, fix, ends_sign_in)| {
            (
                codes,
                Explanation {
                    code,
                    meaning,
                    fix,
                    ends_sign_in,
                },
            )
        })
}
