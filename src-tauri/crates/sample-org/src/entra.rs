//! Entra ID: OpenID configuration, the sign-in page, the token endpoint.

use std::collections::HashMap;
use std::time::Instant;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;
use uuid::Uuid;

use crate::Description;
use crate::data::schema::USER;
use crate::state::{Code, Consent, State, TOKEN_LIFE};

type Parameters = HashMap<String, String>;

/// Users that the sign-in page offers.
const USERS: [u64; 3] = [0, 1, 2];

/// A request to the authority.
pub struct Call<'a> {
    pub description: &'a Description,
    pub method: &'a str,
    pub tenant: &'a str,
    pub rest: &'a str,
    pub parameters: Parameters,
}

/// Answers a request below `/{tenant}/`.
pub fn answer(state: &mut State, call: &Call<'_>) -> Response {
    let tenant_known = [
        call.description.tenant_id.as_str(),
        "organizations",
        "common",
        "norrvale.example",
        "norrvale.onmicrosoft.example",
    ]
    .contains(&call.tenant);
    if !tenant_known {
        let text = format!(
            "AADSTS90002: Tenant '{}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.",
            call.tenant
        );
        return refusal(StatusCode::BAD_REQUEST, "invalid_request", 90_002, &text);
    }
    match (call.method, call.rest) {
        ("GET", "v2.0/.well-known/openid-configuration") => configuration(call),
        ("GET" | "POST", "oauth2/v2.0/authorize") => authorize(state, call),
        ("POST", "oauth2/v2.0/token") => token(state, call),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn configuration(call: &Call<'_>) -> Response {
    let base = format!("{}{}", call.description.authority_url, call.tenant);
    axum::Json(json!({
        "token_endpoint": format!("{base}/oauth2/v2.0/token"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": format!("{base}/discovery/v2.0/keys"),
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": format!("{}{}/v2.0", call.description.authority_url, call.description.tenant_id),
        "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
        "tenant_region_scope": "EU",
        "cloud_instance_name": "microsoftonline.example",
    }))
    .into_response()
}

/// An error body in the documented shape.
fn refusal(status: StatusCode, error: &str, code: u32, text: &str) -> Response {
    let (trace, correlation) = (Uuid::new_v4(), Uuid::new_v4());
    let body = json!({
        "error": error,
        "error_description": format!("{text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: 2026-03-12 14:30:00Z"),
        "error_codes": [code],
        "timestamp": "2026-03-12 14:30:00Z",
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": format!("https://login.microsoftonline.com/error?code={code}"),
    });
    (status, axum::Json(body)).into_response()
}

/// An error that is shown in the browser, since there is nowhere safe to send it.
fn page_error(code: u32, text: &str) -> Response {
    let body = page(
        "Sorry, but we're having trouble signing you in.",
        &format!("<p>AADSTS{code}: {}</p>", escaped(text)),
    );
    (StatusCode::BAD_REQUEST, body).into_response()
}

fn authorize(state: &mut State, call: &Call<'_>) -> Response {
    let get = |name: &str| {
        call.parameters
            .get(name)
            .map(String::as_str)
            .unwrap_or_default()
    };
    let client = get("client_id");
    if client != call.description.client_id && client != call.description.public_client_id {
        return page_error(
            700_016,
            &format!(
                "Application with identifier '{client}' was not found in the directory 'Norrvale Group'."
            ),
        );
    }
    let redirect = get("redirect_uri");
    let Some(mut target) = Url::parse(redirect).ok().filter(is_registered) else {
        return page_error(
            50_011,
            &format!(
                "The redirect URI '{redirect}' specified in the request does not match the redirect URIs configured for the application."
            ),
        );
    };
    let back = |pairs: &[(&str, &str)], target: &mut Url| {
        target
            .query_pairs_mut()
            .extend_pairs(pairs)
            .append_pair("state", get("state"));
        found(target)
    };
    if get("code_challenge").is_empty() || get("code_challenge_method") != "S256" {
        return back(
            &[
                ("error", "invalid_request"),
                (
                    "error_description",
                    "AADSTS9002325: Proof Key for Code Exchange is required for cross-origin authorization code redemption.",
                ),
            ],
            &mut target,
        );
    }
    let scope = get("scope");
    if !scope.contains(call.description.environment_url.trim_end_matches('/')) {
        return back(
            &[
                ("error", "invalid_resource"),
                (
                    "error_description",
                    "AADSTS500011: The resource principal named in the scope was not found in the tenant named Norrvale Group.",
                ),
            ],
            &mut target,
        );
    }
    let (answer, user) = match state.consent {
        Consent::Accept => ("accept", USERS[0]),
        Consent::Decline => ("cancel", USERS[0]),
        Consent::Page => {
            let hinted = USERS
                .iter()
                .find(|user| state.world.user_mail(**user) == get("login_hint"));
            let chosen = USERS.iter().find(|user| get("user") == user.to_string());
            let answer = if get("sample_consent").is_empty() {
                get("answer")
            } else {
                get("sample_consent")
            };
            (answer, *chosen.or(hinted).unwrap_or(&USERS[0]))
        }
    };
    match answer {
        "accept" => {
            let code = format!("0.A{}", Uuid::new_v4().simple());
            state.codes.insert(
                code.clone(),
                Code {
                    redirect_uri: redirect.to_owned(),
                    challenge: get("code_challenge").to_owned(),
                    client_id: client.to_owned(),
                    scope: scope.to_owned(),
                    user,
                    used: false,
                },
            );
            let session = Uuid::new_v4().to_string();
            back(&[("code", &code), ("session_state", &session)], &mut target)
        }
        "cancel" => back(
            &[
                ("error", "access_denied"),
                (
                    "error_description",
                    "AADSTS65004: User declined to consent to access the app.",
                ),
            ],
            &mut target,
        ),
        _ => sign_in_page(state, call).into_response(),
    }
}

/// Loopback addresses match whatever their port is; their path has to fit.
fn is_registered(url: &Url) -> bool {
    url.scheme() == "http"
        && matches!(url.host_str(), Some("localhost" | "127.0.0.1"))
        && matches!(url.path(), "/oauth/callback" | "/" | "")
}

fn found(target: &Url) -> Response {
    let mut response = StatusCode::FOUND.into_response();
    if let Ok(value) = HeaderValue::from_str(target.as_str()) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}

fn sign_in_page(state: &State, call: &Call<'_>) -> Html<String> {
    let mut hidden = String::new();
    for (name, value) in &call.parameters {
        hidden.push_str(&format!(
            "<input type=\"hidden\" name=\"{}\" value=\"{}\">",
            escaped(name),
            escaped(value)
        ));
    }
    let users: String = USERS
        .iter()
        .map(|user| {
            let name = state.world.name(USER, *user).unwrap_or_default();
            let checked = if *user == 0 { " checked" } else { "" };
            format!(
                "<label><input type=\"radio\" name=\"user\" value=\"{user}\"{checked}><span>{}<small>{}</small></span></label>",
                escaped(&name),
                escaped(&state.world.user_mail(*user))
            )
        })
        .collect();
    page(
        "Sign in to Norrvale Group (sample)",
        &format!(
            "<p>Salesmirror asks to access Dynamics 365 as you.</p><form method=\"post\">{hidden}{users}\
             <footer><button name=\"answer\" value=\"cancel\">Cancel</button>\
             <button class=\"primary\" name=\"answer\" value=\"accept\">Accept</button></footer></form>"
        ),
    )
}

fn page(heading: &str, content: &str) -> Html<String> {
    Html(format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{heading}</title><style>\
         body{{font:15px/20px 'Segoe UI',system-ui,sans-serif;background:#f2f2f2;display:grid;place-items:center;min-height:95vh}}\
         main{{background:#fff;width:440px;padding:44px;box-sizing:border-box;box-shadow:0 2px 6px #0003}}\
         h1{{font-size:24px;line-height:28px;font-weight:600;margin:0 0 12px}}label{{display:flex;gap:12px;padding:10px 0}}\
         small{{display:block;color:#616161}}footer{{display:flex;gap:8px;justify-content:end;margin-top:24px}}\
         button{{font:inherit;padding:6px 24px;border:0;background:#ccc}}.primary{{background:#0067b8;color:#fff}}</style>\
         <main><h1>{heading}</h1>{content}</main></html>"
    ))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

fn token(state: &mut State, call: &Call<'_>) -> Response {
    let get = |name: &str| {
        call.parameters
            .get(name)
            .map(String::as_str)
            .unwrap_or_default()
    };
    let bad = |error: &str, code, text: &str| {
        refusal(
            StatusCode::BAD_REQUEST,
            error,
            code,
            &format!("AADSTS{code}: {text}"),
        )
    };
    let client = get("client_id");
    let (secret, is_public) = (
        get("client_secret"),
        client == call.description.public_client_id,
    );
    if client != call.description.client_id && !is_public {
        return bad(
            "unauthorized_client",
            700_016,
            &format!(
                "Application with identifier '{client}' was not found in the directory 'Norrvale Group'."
            ),
        );
    }
    if is_public && !secret.is_empty() {
        return bad(
            "invalid_client",
            700_025,
            "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.",
        );
    }
    if !is_public && secret.is_empty() {
        return bad(
            "invalid_client",
            7_000_218,
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        );
    }
    if !is_public && secret != call.description.client_secret {
        let text = format!(
            "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{client}'."
        );
        return refusal(StatusCode::UNAUTHORIZED, "invalid_client", 7_000_215, &text);
    }
    let environment = call.description.environment_url.trim_end_matches('/');
    let scope = get("scope");
    if !scope.is_empty() && !scope.contains(environment) && scope.contains("://") {
        return bad(
            "invalid_resource",
            500_011,
            "The resource principal named in the scope was not found in the tenant named Norrvale Group.",
        );
    }
    match get("grant_type") {
        "authorization_code" => {
            let Some(code) = state.codes.get_mut(get("code")) else {
                return bad(
                    "invalid_grant",
                    70_000,
                    "The provided value for the 'code' parameter is not valid.",
                );
            };
            if code.used {
                return bad(
                    "invalid_grant",
                    54_005,
                    "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.",
                );
            }
            code.used = true;
            let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(get("code_verifier")));
            if code.challenge != challenge
                || code.client_id != client
                || code.redirect_uri != get("redirect_uri")
            {
                return bad(
                    "invalid_grant",
                    501_481,
                    "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
                );
            }
            let (user, scope) = (code.user, code.scope.clone());
            issue(state, call, user, &scope, true)
        }
        "refresh_token" => {
            let token = get("refresh_token");
            match open_refresh(state, token) {
                Some(user) => issue(state, call, user, scope, true),
                None => bad(
                    "invalid_grant",
                    50_173,
                    "The provided grant has expired due to it being revoked, a fresh auth token is needed.",
                ),
            }
        }
        "client_credentials" if !is_public => issue(state, call, 3, scope, false),
        other => bad(
            "unsupported_grant_type",
            70_003,
            &format!("The app requested an unsupported grant type '{other}'."),
        ),
    }
}

fn issue(
    state: &mut State,
    call: &Call<'_>,
    user: u64,
    scope: &str,
    with_refresh: bool,
) -> Response {
    let access = format!(
        "eyJ0eXAi.{}.{}",
        Uuid::new_v4().simple(),
        Uuid::new_v4().simple()
    );
    state
        .access
        .insert(access.clone(), (user, Instant::now() + TOKEN_LIFE));
    let granted: Vec<&str> = scope
        .split(' ')
        .filter(|part| part.contains("://"))
        .collect();
    let mut body = json!({
        "token_type": "Bearer",
        "scope": granted.join(" "),
        "expires_in": TOKEN_LIFE.as_secs(),
        "ext_expires_in": TOKEN_LIFE.as_secs(),
        "access_token": access,
    });
    if with_refresh {
        body["refresh_token"] = Value::String(seal_refresh(state, user));
        let claims = json!({"aud": call.parameters.get("client_id"), "iss": call.description.authority_url,
            "name": state.world.name(USER, user), "preferred_username": state.world.user_mail(user),
            "tid": call.description.tenant_id, "ver": "2.0"});
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        body["id_token"] = Value::String(format!(
            "{}.{}.sample",
            encode(&json!({"typ": "JWT", "alg": "RS256"})),
            encode(&claims)
        ));
    }
    let mut response = axum::Json(body).into_response();
    response.headers_mut().insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("no-store, no-cache"),
    );
    response
}

/// A refresh token carries what it is good for, signed with a key from the seed: it outlives the
/// process.
fn seal_refresh(state: &State, user: u64) -> String {
    let content = format!(
        "{user}.{}.{}",
        state.refresh_generation,
        Uuid::new_v4().simple()
    );
    format!("1.A{content}.{}", signature(state.world.seed, &content))
}

fn open_refresh(state: &mut State, token: &str) -> Option<u64> {
    let (content, signed) = token.strip_prefix("1.A")?.rsplit_once('.')?;
    if signature(state.world.seed, content) != signed {
        return None;
    }
    let mut parts = content.split('.');
    let user = parts.next()?.parse().ok()?;
    let generation: u64 = parts.next()?.parse().ok()?;
    (generation >= state.refresh_generation).then_some(user)
}

fn signature(seed: u64, content: &str) -> String {
    // A key of any length fits.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&seed.to_be_bytes()) else {
        return String::new();
    };
    mac.update(content.as_bytes());
    URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
}
