//! HTTP: every request passes here, is logged, meets faults, and is answered.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State as Extract};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use url::form_urlencoded;
use uuid::Uuid;

use crate::entra::directory::{Audience, Subject};
use crate::exchange::{Cache, Exchange};
use crate::faults::{Action, Met, meet};
use crate::network::{Logged, Mode};
use crate::state::State;
use crate::wire::Orders;
use crate::{Description, breakage, control, dataverse, discovery, entra};

/// Where the control interface lies.
pub const CONTROL: &str = "/control/";
/// A batch of 1,000 operations, in bytes, with room.
const LARGEST_REQUEST: usize = 16 << 20;

/// A running organisation, as its handlers share it.
pub struct Organization {
    pub state: Mutex<State>,
    pub description: Description,
    pub latency: Duration,
    pub cache: Mutex<Cache>,
}

impl Organization {
    pub fn new(state: State, description: Description, latency: Duration) -> Self {
        Self {
            state: Mutex::new(state),
            description,
            latency,
            cache: Mutex::default(),
        }
    }

    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything is as it was at the start.
    pub fn reset(&self) {
        self.lock().reset();
        *self.cache.lock().unwrap_or_else(PoisonError::into_inner) = Cache::default();
    }

    /// Without a slash at the end.
    pub fn environment(&self) -> &str {
        self.description.environment_url.trim_end_matches('/')
    }

    pub fn tenant(&self) -> Uuid {
        Uuid::try_parse(&self.description.tenant_id).unwrap_or_default()
    }
}

/// Which server a listener is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Site {
    /// The environment's two origins, Entra ID and the control interface.
    Organization,
    Discovery,
    /// Nobody's.
    Foreign,
}

/// What a request says in its head.
struct Head {
    method: String,
    path: String,
    query: String,
    headers: HeaderMap,
}

impl Head {
    fn new(parts: Parts) -> Self {
        Self {
            method: parts.method.as_str().to_owned(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: parts.headers,
        }
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    fn token(&self) -> Option<&str> {
        let value = self.text("authorization")?;
        let (kind, token) = value.split_once(' ')?;
        kind.eq_ignore_ascii_case("bearer").then_some(token.trim())
    }
}

/// Answers a request.
pub async fn handle(
    Extract((organization, site)): Extract<(Arc<Organization>, Site)>,
    ConnectInfo(orders): ConnectInfo<Orders>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, LARGEST_REQUEST).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let head = Head::new(parts);
    if site == Site::Organization
        && let Some(rest) = head.path.strip_prefix(CONTROL)
    {
        return control::answer(&organization, &head.method, rest, &body);
    }
    let (action, mut logged) = receive(&organization, &head, &body);
    if action.stall {
        organization.lock().net.log(logged);
        std::future::pending::<()>().await;
        return StatusCode::OK.into_response();
    }
    let response = match breakage::instead(&action) {
        Some(response) => {
            tokio::time::sleep(Duration::from_millis(action.delay_ms)).await;
            response
        }
        None => answer(&organization, site, &head, &body, &action).await,
    };
    logged.status = if action.reset {
        0
    } else {
        response.status().as_u16()
    };
    organization.lock().net.log(logged);
    tokio::time::sleep(Duration::from_millis(action.late_ms)).await;
    breakage::spoil(response, &action, &orders).await
}

/// What happens to a request, and how it is remembered.
fn receive(organization: &Organization, head: &Head, body: &Bytes) -> (Action, Logged) {
    let own = |name: &str| head.text(name).map(str::to_owned);
    let mut state = organization.lock();
    let host = head.text("host").unwrap_or_default();
    let request = Met {
        method: &head.method,
        host,
        path: &head.path,
        query: &head.query,
    };
    let action = meet(&mut state.net.faults, &request).unwrap_or_default();
    let access = head.token().and_then(|token| state.entra.access(token));
    let logged = Logged {
        at_ms: state.net.elapsed_ms(),
        method: head.method.clone(),
        host: host.to_owned(),
        path: head.path.clone(),
        query: (!head.query.is_empty()).then(|| head.query.clone()),
        prefer: own("prefer"),
        authorization: head.text("authorization").is_some(),
        audience: access.map(|access| access.audience),
        user: access.map(|access| match &access.subject {
            Subject::Account(account) => state.entra.accounts[*account].mail.clone(),
            Subject::App(client_id) => client_id.clone(),
        }),
        if_match: own("if-match"),
        client_request_id: own("x-ms-client-request-id"),
        user_agent: own("user-agent"),
        body_bytes: body.len(),
        status: 0,
    };
    (action, logged)
}

async fn answer(
    organization: &Arc<Organization>,
    site: Site,
    head: &Head,
    body: &Bytes,
    action: &Action,
) -> Response {
    let delay = Duration::from_millis(action.delay_ms);
    if site == Site::Organization
        && let Some(rest) = dataverse::rest(&head.path)
    {
        let exchange = Exchange {
            method: &head.method,
            path: &head.path,
            rest,
            query: &head.query,
            headers: &head.headers,
            token: head.token(),
            body,
            link_origin: action.link_origin.as_deref(),
            delay: delay + organization.latency,
        };
        return exchange.answer(organization).await;
    }
    tokio::time::sleep(delay).await;
    match site {
        Site::Foreign => axum::Json(serde_json::json!({})).into_response(),
        Site::Discovery => environments(organization, head),
        Site::Organization => authority(organization, head, body),
    }
}

fn authority(organization: &Organization, head: &Head, body: &Bytes) -> Response {
    let Some((tenant, rest)) = head.path.trim_start_matches('/').split_once('/') else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let parameters: HashMap<String, String> = form_urlencoded::parse(head.query.as_bytes())
        .chain(form_urlencoded::parse(body))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    let description = &organization.description;
    let mut state = organization.lock();
    let call = entra::Call {
        authority: &description.authority_url,
        resources: entra::Resources {
            environment: organization.environment(),
            api: &description.api_url,
            discovery: &description.discovery_url,
        },
        variants: state.variants.clone(),
        method: &head.method,
        tenant,
        rest,
        parameters,
        authorization: head.text("authorization"),
        origin: head.text("origin"),
        cookie: head.text("cookie"),
    };
    entra::answer(&mut state.entra, &call).unwrap_or_else(|| StatusCode::NOT_FOUND.into_response())
}

fn environments(organization: &Organization, head: &Head) -> Response {
    let description = &organization.description;
    if head.path.trim_end_matches('/') != discovery::PATH || head.method != "GET" {
        return StatusCode::NOT_FOUND.into_response();
    }
    let state = organization.lock();
    let account = head
        .token()
        .and_then(|token| state.entra.access(token))
        .filter(|access| access.audience == Audience::Discovery)
        .and_then(|access| match access.subject {
            Subject::Account(account) => Some(account),
            // Only users have environments.
            Subject::App(_) => None,
        });
    let Some(account) = account else {
        return dataverse::challenge(&state.variants.challenge(
            &description.authority_url,
            organization.tenant(),
            &description.discovery_url,
        ));
    };
    let account = &state.entra.accounts[account];
    let own = discovery::Own {
        seed: state.world.seed,
        id: state.id(crate::data::schema::ORGANIZATION, 0),
        environment_id: state.id(crate::data::schema::ORGANIZATION, 1),
        environment: organization.environment(),
        api: &description.api_url,
        tenant: organization.tenant(),
        is_disabled: state.net.mode == Mode::Disabled,
        is_administrator: account.admin,
    };
    let mut listing = state.net.listing.clone();
    listing.own &= account.member;
    discovery::answer(&listing, &own, &head.query)
}
