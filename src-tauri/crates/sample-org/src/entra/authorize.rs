//! The authorisation endpoint: what a browser sees, and what the app hears of it.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use url::Url;
use uuid::Uuid;

use super::directory::{Answer, App, Directory, Granted, Platform};
use super::refusal::{Place, Refusal, Step, meet};
use super::token::Code;
use super::{Call, Named, checks, documents, pages, scope};

/// The cookie that knows who signed in before.
const SESSION: &str = "ESTSAUTHPERSISTENT=";

/// Where the answer goes.
pub struct Callback {
    target: Url,
    mode: String,
    state: Option<String>,
}

impl Callback {
    pub fn new(target: Url, call: &Call<'_>) -> Self {
        Self {
            target,
            mode: call.get("response_mode").to_owned(),
            state: call.parameters.get("state").cloned(),
        }
    }

    /// Sends the browser back with these.
    pub fn send(mut self, mut pairs: Vec<(&'static str, String)>) -> Response {
        if let Some(state) = self.state.take() {
            pairs.push(("state", state));
        }
        match self.mode.as_str() {
            "form_post" => return pages::form_post(self.target.as_str(), &pairs).into_response(),
            "fragment" => {
                let text = url::form_urlencoded::Serializer::new(String::new())
                    .extend_pairs(&pairs)
                    .finish();
                self.target.set_fragment(Some(&text));
            }
            _ => {
                self.target.query_pairs_mut().extend_pairs(&pairs);
            }
        }
        let mut response = StatusCode::FOUND.into_response();
        if let Ok(value) = HeaderValue::from_str(self.target.as_str()) {
            response.headers_mut().insert(header::LOCATION, value);
        }
        response
    }
}

/// Answers an authorisation request.
pub fn answer(directory: &mut Directory, call: &Call<'_>, named: Named) -> Response {
    let now = directory.now();
    let (app, target, platform) = match client(directory, call, named) {
        Ok(found) => found,
        Err(refusal) => return refusal.page(&call.variants, now, ""),
    };
    let callback = Callback::new(target, call);
    match ask(directory, call, named, &app, platform) {
        Ok(Asked::Page(page)) => page,
        Ok(Asked::Code(account, code)) => {
            let mut pairs = vec![("code", code)];
            if call.variants.session_state {
                pairs.push(("session_state", Uuid::new_v4().to_string()));
            }
            if call.variants.callback_iss {
                let tenant = Named::Tenant(directory.accounts[account].tenant);
                pairs.push(("iss", documents::issuer(directory, call, tenant)));
            }
            let mut response = callback.send(pairs);
            let cookie = format!("{SESSION}{account}; Path=/; HttpOnly; SameSite=Lax");
            if let Ok(value) = HeaderValue::from_str(&cookie) {
                response.headers_mut().append(header::SET_COOKIE, value);
            }
            response
        }
        Err(refusal) if refusal.place == Place::Callback => {
            callback.send(refusal.pairs(&call.variants, now))
        }
        Err(refusal) if refusal.code == 90_094 => {
            // The app hears of it only if the user goes back.
            let back = callback.send(refusal.pairs(&call.variants, now));
            let link = back
                .headers()
                .get(header::LOCATION)
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default();
            let further = format!(
                "<p><a href=\"{}\">Return to the application without granting consent</a></p>",
                pages::escaped(link)
            );
            refusal.page(&call.variants, now, &further)
        }
        Err(refusal) => refusal.page(&call.variants, now, ""),
    }
}

/// The app and its redirect URI. Without them there is nowhere safe to send an answer.
fn client(
    directory: &Directory,
    call: &Call<'_>,
    named: Named,
) -> Result<(App, Url, Platform), Refusal> {
    let app = checks::app(directory, call.get("client_id"), named)?;
    let uri = match call.get("redirect_uri") {
        "" => match app.redirect_uris.as_slice() {
            [only] => only.uri.as_str(),
            _ => return Err(Refusal::new(900_971, "")),
        },
        uri => uri,
    };
    let (target, platform) = app.redirect(uri).ok_or_else(|| Refusal::new(50_011, uri))?;
    Ok((app.clone(), target, platform))
}

enum Asked {
    Page(Response),
    Code(usize, String),
}

fn ask(
    directory: &mut Directory,
    call: &Call<'_>,
    named: Named,
    app: &App,
    platform: Platform,
) -> Result<Asked, Refusal> {
    let silent = call.get("prompt") == "none";
    let asked = consult(directory, call, named, app, platform);
    asked.map_err(|mut refusal| {
        // Nothing may be shown: whatever is wrong goes to the app.
        if silent {
            refusal.place = Place::Callback;
        }
        refusal
    })
}

fn consult(
    directory: &mut Directory,
    call: &Call<'_>,
    named: Named,
    app: &App,
    platform: Platform,
) -> Result<Asked, Refusal> {
    let silent = call.get("prompt") == "none";
    match call.get("response_type") {
        "" => return Err(Refusal::new(900_144, "response_type").at_callback()),
        "code" => {}
        other => return Err(Refusal::new(700_054, other)),
    }
    let challenge = call.get("code_challenge");
    if challenge.is_empty() && platform == Platform::Spa {
        return Err(Refusal::new(9_002_325, ""));
    }
    let scope = scope::read(call.get("scope"), &call.resources, &call.variants)
        .map_err(Refusal::at_callback)?;
    meet(&mut directory.refusals, Step::Authorize)?;
    let (answer, account) = visitor(directory, call, named)?;
    let tenant = match named {
        Named::Tenant(tenant) => tenant,
        Named::Any => directory.accounts[account].tenant,
    };
    checks::permission(directory, app, tenant, &scope)?;
    if answer == Answer::Page {
        if silent {
            return Err(Refusal::new(50_058, ""));
        }
        return Ok(Asked::Page(sign_in_page(directory, call, tenant, account)));
    }
    let password = call.get("password");
    if !password.is_empty() && password != directory.accounts[account].password {
        return Err(Refusal::new(50_126, ""));
    }
    checks::account(directory, app, account, tenant)?;
    let epoch = (!silent).then_some(directory.epoch);
    checks::condition(&directory.accounts[account], &scope.resource, epoch)?;
    if answer == Answer::Decline {
        return Err(Refusal::new(65_004, ""));
    }
    if !checks::has_consent(app, account) {
        if silent {
            return Err(Refusal::new(65_001, &app.client_id));
        }
        if !checks::may_consent(directory, account) {
            return Err(Refusal::new(90_094, ""));
        }
        if let Some(app) = directory.app_mut(&app.client_id) {
            app.consented.insert(account);
            if app.consent == Granted::Withdrawn {
                app.consent = Granted::Users;
            }
        }
    }
    let code = format!("0.A{}", Uuid::new_v4().simple());
    directory.codes.insert(
        code.clone(),
        Code {
            client_id: app.client_id.clone(),
            redirect_uri: call.get("redirect_uri").to_owned(),
            platform,
            challenge: challenge.to_owned(),
            is_plain: call.get("code_challenge_method") != "S256",
            nonce: call.parameters.get("nonce").cloned(),
            scope,
            account,
            epoch: directory.epoch,
            issued: directory.now(),
            used: false,
        },
    );
    Ok(Asked::Code(account, code))
}

/// Who answers, and how.
fn visitor(
    directory: &Directory,
    call: &Call<'_>,
    named: Named,
) -> Result<(Answer, usize), Refusal> {
    let hint = call.get("login_hint");
    let find = |mail: &str| {
        directory
            .account(mail)
            .ok_or_else(|| Refusal::new(50_034, mail))
    };
    let hinted = if hint.is_empty() {
        None
    } else {
        Some(find(hint)?)
    };
    let first = directory
        .accounts
        .iter()
        .position(|account| match named {
            Named::Tenant(tenant) => account.tenant == tenant,
            Named::Any => true,
        })
        .unwrap_or_default();
    if directory.visitor.mode != Answer::Page {
        let account = match &directory.visitor.user {
            Some(mail) => find(mail)?,
            None => hinted.unwrap_or(first),
        };
        return Ok((directory.visitor.mode, account));
    }
    let known = call
        .cookie
        .and_then(|text| text.split("; ").find_map(|pair| pair.strip_prefix(SESSION)))
        .and_then(|number| number.parse().ok())
        .filter(|number: &usize| *number < directory.accounts.len());
    let chosen = match call.get("user") {
        "" => None,
        text => match text.parse::<usize>() {
            Ok(number) if number < directory.accounts.len() => Some(number),
            _ => Some(find(text)?),
        },
    };
    let text = match call.get("sample_consent") {
        "" => call.get("answer"),
        text => text,
    };
    let answer = match text {
        "accept" => Answer::Accept,
        "cancel" => Answer::Decline,
        _ if call.get("prompt") == "none" && known.is_some() => Answer::Accept,
        _ => Answer::Page,
    };
    Ok((answer, chosen.or(hinted).or(known).unwrap_or(first)))
}

fn sign_in_page(directory: &Directory, call: &Call<'_>, tenant: usize, chosen: usize) -> Response {
    let password = if call.get("prompt") == "login" {
        "<label>Password <input type=\"password\" name=\"password\"></label>"
    } else {
        ""
    };
    pages::question(
        "Sign in to Norrvale Group (sample)",
        &format!(
            "<p>Salesmirror asks to access Dynamics 365 as you.</p>{}{password}",
            pages::accounts(directory, tenant, chosen)
        ),
        call.parameters
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "user" | "answer" | "password")),
    )
    .into_response()
}
