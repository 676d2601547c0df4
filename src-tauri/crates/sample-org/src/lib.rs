//! A complete simulated organisation, Norrvale Group: Entra ID and Dataverse behind real HTTP on
//! loopback. It shares nothing with the product but the protocol, so that one misreading of it
//! cannot be made twice and then agree with itself.

// The metadata of a table is one `json!` of some eighty properties.
#![recursion_limit = "256"]

mod breakage;
mod control;
mod data;
mod dataverse;
mod discovery;
mod entra;
mod exchange;
mod faults;
mod limits;
mod network;
mod rows;
mod server;
mod state;
#[cfg(test)]
mod tests;
mod tls;
mod variants;
mod wire;

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::data::id;
use crate::data::row::World;
use crate::data::schema::TABLES;
use crate::server::{Organization, Site};
use crate::state::State;
use crate::wire::{Door, Orders};

pub use crate::state::Activity;

/// What to simulate.
#[derive(Debug, Clone)]
pub struct Config {
    /// Port on loopback; 0 for any.
    pub port: u16,
    /// The same seed gives the same organisation.
    pub seed: u64,
    /// Rows by logical name; the other tables have their usual number.
    pub rows: BTreeMap<String, u64>,
    /// Time before each answer of the Web API.
    pub latency: Duration,
    /// When its records end, in seconds since 1970. The same moment gives the same organisation.
    pub present: i64,
    /// https with a certificate of its own.
    pub tls: bool,
    /// The name under which it is reached, where that is not `localhost`: whoever asks has to find
    /// this computer behind it.
    pub host: String,
}

/// 2026-03-12 14:30, in seconds since 1970.
const PRESENT: i64 = 1_773_325_800;

/// The midnight before the last one, in seconds since 1970 (UTC): records that end here, and what
/// is changed in them within a day from it, are of the past.
#[must_use]
pub const fn yesterday(now: i64) -> i64 {
    now.div_euclid(86_400) * 86_400 - 86_400
}

impl Default for Config {
    fn default() -> Self {
        Self {
            port: 0,
            seed: 1,
            rows: BTreeMap::new(),
            latency: Duration::ZERO,
            present: PRESENT,
            tls: false,
            host: "localhost".to_owned(),
        }
    }
}

/// Where the organisation is and how to sign in.
#[derive(Debug, Clone, Serialize)]
pub struct Description {
    /// Environment URL.
    pub environment_url: String,
    /// The environment's other origin, its ApiUrl.
    pub api_url: String,
    /// Global Discovery.
    pub discovery_url: String,
    /// An address that belongs to nobody; the log shows what was sent to it.
    pub foreign_url: String,
    /// Authority URL.
    pub authority_url: String,
    /// Tenant.
    pub tenant_id: String,
    /// Its domain.
    pub tenant_domain: String,
    /// A registration with a secret.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// A registration without a secret.
    pub public_client_id: String,
    /// The control interface.
    pub control_url: String,
    /// The certificate, with TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_certificate: Option<String>,
}

/// A running organisation. It ends when it is dropped.
pub struct SampleOrg {
    organization: Arc<Organization>,
    _stop: tokio_util::sync::DropGuard,
}

impl SampleOrg {
    /// Starts an organisation on 127.0.0.1, and on ::1 where that is to be had.
    ///
    /// # Errors
    /// Where the port is taken.
    pub async fn start(config: Config) -> io::Result<Self> {
        let (port, organization_listeners) = listen(config.port).await?;
        let (discovery_port, discovery_listeners) = listen(0).await?;
        let (foreign_port, foreign_listeners) = listen(0).await?;
        let tls = if config.tls {
            Some(tls::certificate(&config.host)?)
        } else {
            None
        };
        let scheme = if config.tls { "https" } else { "http" };
        let (seed, host) = (config.seed, &config.host);
        let description = Description {
            environment_url: format!("{scheme}://{host}:{port}"),
            api_url: format!("{scheme}://127.0.0.1:{port}"),
            discovery_url: format!("{scheme}://{host}:{discovery_port}"),
            foreign_url: format!("{scheme}://{host}:{foreign_port}"),
            authority_url: format!("{scheme}://{host}:{port}/"),
            tenant_id: id(seed, 801, 0).to_string(),
            tenant_domain: "norrvale.example".to_owned(),
            client_id: id(seed, 802, 0).to_string(),
            client_secret: format!("smp8Q~{}", id(seed, 803, 0).simple()),
            public_client_id: id(seed, 804, 0).to_string(),
            control_url: format!(
                "{scheme}://localhost:{port}{}",
                server::CONTROL.trim_end_matches('/')
            ),
            ca_certificate: tls.as_ref().map(|(_, pem)| pem.clone()),
        };
        let rows = TABLES
            .iter()
            .map(|table| config.rows.get(table.name).copied().unwrap_or(table.rows))
            .collect();
        let world = World {
            seed,
            rows,
            first_version: FIRST_VERSION,
            present: config.present,
        };
        let state = State::new(world, version_now());
        let organization = Arc::new(Organization::new(state, description, config.latency));
        let stop = CancellationToken::new();
        let acceptor = tls.map(|(acceptor, _)| acceptor);
        let sites = [
            (Site::Organization, organization_listeners),
            (Site::Discovery, discovery_listeners),
            (Site::Foreign, foreign_listeners),
        ];
        for (site, listeners) in sites {
            for listener in listeners {
                let shared = Arc::clone(&organization);
                let refuse = move || {
                    let is_ours = site == Site::Organization;
                    is_ours && faults::meet_connection(&mut shared.lock().net.faults)
                };
                let door = Door::open(listener, acceptor.clone(), stop.clone(), refuse)?;
                let router = Router::new()
                    .fallback(server::handle)
                    .with_state((Arc::clone(&organization), site))
                    .into_make_service_with_connect_info::<Orders>();
                let stopped = stop.clone().cancelled_owned();
                tokio::spawn(async move {
                    axum::serve(door, router)
                        .with_graceful_shutdown(stopped)
                        .await
                });
            }
        }
        Ok(Self {
            organization,
            _stop: stop.drop_guard(),
        })
    }

    /// Where it is and how to sign in.
    #[must_use]
    pub fn description(&self) -> &Description {
        &self.organization.description
    }

    /// Creates, updates and deletes random rows of the five tables, as a living organisation would.
    pub fn activity(&self, wanted: Activity) -> Activity {
        self.organization.lock().act(wanted, &[0, 1, 2, 3, 4])
    }
}

impl SampleOrg {
    /// Lets its people work: so much changes again and again, until the task is aborted, and the
    /// organisation ends with it.
    pub fn live(self, every: Duration, activity: Activity) -> tokio::task::JoinHandle<()> {
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(every).await;
                self.activity(activity);
            }
        })
    }
}

/// Listens on 127.0.0.1, and on ::1 where that is to be had: browsers may take `localhost` for
/// either.
async fn listen(port: u16) -> io::Result<(u16, Vec<TcpListener>)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let port = listener.local_addr()?.port();
    let mut listeners = vec![listener];
    if let Ok(second) = TcpListener::bind(SocketAddr::from((Ipv6Addr::LOCALHOST, port))).await {
        listeners.push(second);
    }
    Ok((port, listeners))
}

/// Rows that nobody has changed have the same version in every process, so that a mirror of an
/// earlier one finds them unchanged.
const FIRST_VERSION: u64 = 1_000_000;

/// Versions of changes go on growing from one process to the next, so that a mirror of an earlier
/// one notices that its changes are gone, and its delta links are answered as expired.
fn version_now() -> u64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    now.as_secs().saturating_sub(1_700_000_000) * 1_000
}

/// Reads `account=10,contact=20`; set names are taken too.
///
/// # Errors
/// A sentence, where a part is not that or names an unknown table.
pub fn parse_rows(text: &str) -> Result<BTreeMap<String, u64>, String> {
    let mut rows = BTreeMap::new();
    for part in text
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
    {
        let (name, count) = part
            .split_once('=')
            .ok_or_else(|| format!("\"{part}\" is not TABLE=NUMBER."))?;
        let name = if name.trim() == "users" {
            "systemuser"
        } else {
            name.trim()
        };
        let table = data::schema::number(name)
            .ok_or_else(|| format!("There is no table \"{name}\" in the sample organisation."))?;
        let count = count.trim().replace('_', "");
        let count = count
            .parse()
            .map_err(|_| format!("\"{count}\" is not a number of rows."))?;
        rows.insert(TABLES[table].name.to_owned(), count);
    }
    Ok(rows)
}
