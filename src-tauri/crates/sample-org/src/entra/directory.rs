//! The directory: tenants, app registrations, accounts, and what has been granted. A request is
//! judged by these and by the authority's clock.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;

use crate::data::id;
use crate::data::row::World;

/// The password of every account until it is changed.
pub const PASSWORD: &str = "Norrvale-2026!";
/// A secret lives at most 24 months, in s.
pub const SECRET_LIFE: i64 = 63_072_000;
/// The row of systemusers that stands for apps.
pub const APPLICATION_USER: u64 = 3;
/// Rows of systemusers that can sign in; the first is an administrator.
const SIGNED_IN: [u64; 3] = [0, 1, 2];

/// A tenant.
#[derive(Clone, Serialize)]
pub struct Tenant {
    pub id: Uuid,
    pub name: String,
    pub domains: Vec<String>,
    /// Whether it has Dynamics 365.
    pub dynamics: bool,
    pub user_consent: UserConsent,
}

/// Whether users may consent for themselves.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserConsent {
    Allowed,
    AdminOnly,
}

/// Under which platform a redirect URI is registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    Web,
    Public,
    Spa,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedirectUri {
    pub uri: String,
    pub platform: Platform,
}

#[derive(Clone, Serialize)]
pub struct Secret {
    pub id: Uuid,
    pub value: String,
    /// Seconds since 1970.
    pub expires_at: i64,
}

/// Whose users may sign in to an app.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppAudience {
    Multi,
    Single,
}

/// An API that a registration asks for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    Dynamics,
    Graph,
}

/// Who has consented to an app.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Granted {
    /// Each user for themselves.
    Users,
    /// An administrator for everybody.
    Admin,
    /// Nobody any more: sign-ins that were good have ended.
    Withdrawn,
}

/// An app registration.
#[derive(Clone, Serialize)]
pub struct App {
    pub client_id: String,
    pub name: String,
    pub audience: AppAudience,
    pub public_flows: bool,
    pub redirect_uris: Vec<RedirectUri>,
    pub secrets: Vec<Secret>,
    pub permissions: BTreeSet<Permission>,
    pub consent: Granted,
    pub assignment_required: bool,
    /// Whether the organisation has an application user for it.
    pub application_user: bool,
    pub deleted: bool,
    /// Accounts that have consented.
    #[serde(skip)]
    pub consented: BTreeSet<usize>,
}

impl App {
    /// The registered URI that fits: loopback addresses fit whatever their port is, their path has
    /// to be the same.
    pub fn redirect(&self, uri: &str) -> Option<(Url, Platform)> {
        let wanted = Url::parse(uri).ok()?;
        let fits = |registered: &RedirectUri| {
            if registered.uri == uri {
                return true;
            }
            let Ok(known) = Url::parse(&registered.uri) else {
                return false;
            };
            let is_loopback = matches!(known.host_str(), Some("localhost" | "127.0.0.1"));
            is_loopback
                && known.scheme() == wanted.scheme()
                && known.host_str() == wanted.host_str()
                && known.path() == wanted.path()
                && wanted.query() == known.query()
        };
        let found = self.redirect_uris.iter().find(|known| fits(known))?;
        Some((wanted, found.platform))
    }
}

/// What stands between an account and a token.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    #[default]
    None,
    Mfa,
    MfaRegistration,
    External,
    DeviceNotCompliant,
    DeviceNotJoined,
    AppNotApproved,
    Blocked,
    SecurityDefaults,
}

impl Condition {
    /// The code of its refusal.
    pub fn code(self) -> Option<u32> {
        Some(match self {
            Self::None => return None,
            Self::Mfa => 50_076,
            Self::MfaRegistration => 50_079,
            Self::External => 50_158,
            Self::DeviceNotCompliant => 53_000,
            Self::DeviceNotJoined => 53_001,
            Self::AppNotApproved => 53_002,
            Self::Blocked => 53_003,
            Self::SecurityDefaults => 530_035,
        })
    }

    /// Whether a person at the browser can meet it.
    pub fn yields_to_sign_in(self) -> bool {
        matches!(
            self,
            Self::None | Self::Mfa | Self::MfaRegistration | Self::External
        )
    }
}

/// An account.
#[derive(Clone, Serialize)]
pub struct Account {
    pub mail: String,
    pub name: String,
    pub object_id: Uuid,
    #[serde(skip)]
    pub tenant: usize,
    /// The row of systemusers, where the organisation knows them.
    pub row: Option<u64>,
    pub member: bool,
    pub admin: bool,
    pub password: String,
    pub enabled: bool,
    pub password_expired: bool,
    /// Assigned to the apps that require it.
    pub assigned: bool,
    pub condition: Condition,
    /// Sign-ins from before this epoch have not met the condition.
    #[serde(skip)]
    pub condition_since: u64,
}

/// Sign-ins that have been ended.
pub struct Revocation {
    pub account: Option<usize>,
    /// Those from before this epoch.
    pub before: u64,
    pub code: u32,
}

/// What an access token is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    Environment,
    Discovery,
    Graph,
}

/// Who a token was issued to.
#[derive(Clone, PartialEq, Eq)]
pub enum Subject {
    Account(usize),
    App(String),
}

/// An access token.
#[derive(Clone)]
pub struct Access {
    pub audience: Audience,
    pub subject: Subject,
    /// Seconds since 1970.
    pub until: i64,
}

/// How the browser's user answers.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    #[default]
    Page,
    Accept,
    Decline,
}

/// Who sits at the browser.
#[derive(Clone, Default, Serialize)]
pub struct Visitor {
    pub mode: Answer,
    pub user: Option<String>,
}

/// Everything Entra ID knows.
pub struct Directory {
    pub seed: u64,
    pub tenants: Vec<Tenant>,
    pub apps: Vec<App>,
    pub accounts: Vec<Account>,
    pub visitor: Visitor,
    pub refusals: Vec<super::refusal::Rule>,
    pub codes: HashMap<String, super::token::Code>,
    pub devices: HashMap<String, super::device::Device>,
    pub access: HashMap<String, Access>,
    /// Refresh tokens that were good once.
    pub spent: HashSet<String>,
    pub revocations: Vec<Revocation>,
    /// Moves with every revocation and policy: a sign-in knows from which it is. It grows from one
    /// process to the next, since refresh tokens outlive them.
    pub epoch: u64,
    /// How far the authority's clock is ahead.
    pub ahead: Duration,
}

impl Directory {
    pub fn new(world: &World) -> Self {
        let seed = world.seed;
        let tenants = vec![
            Tenant {
                id: id(seed, 801, 0),
                name: "Norrvale Group".to_owned(),
                domains: vec![
                    "norrvale.example".to_owned(),
                    "norrvale.onmicrosoft.example".to_owned(),
                ],
                dynamics: true,
                user_consent: UserConsent::Allowed,
            },
            Tenant {
                id: id(seed, 801, 1),
                name: "Lykke Consulting".to_owned(),
                domains: vec!["lykke.example".to_owned()],
                dynamics: false,
                user_consent: UserConsent::Allowed,
            },
        ];
        let mut accounts: Vec<Account> = SIGNED_IN
            .iter()
            .map(|row| {
                let name = world
                    .name(crate::data::schema::USER, *row)
                    .unwrap_or_default();
                let mut account = Account::new(world.user_mail(*row), name, 0, id(seed, 805, *row));
                account.row = Some(*row);
                account.member = true;
                account.admin = *row == 0;
                account
            })
            .collect();
        accounts.push(Account::new(
            "anna.berg@lykke.example".to_owned(),
            "Anna Berg".to_owned(),
            1,
            id(seed, 805, 99),
        ));
        let mut directory = Self {
            seed,
            tenants,
            apps: Vec::new(),
            accounts,
            visitor: Visitor::default(),
            refusals: Vec::new(),
            codes: HashMap::new(),
            devices: HashMap::new(),
            access: HashMap::new(),
            spent: HashSet::new(),
            revocations: Vec::new(),
            epoch: milliseconds(),
            ahead: Duration::ZERO,
        };
        let confidential = App {
            secrets: vec![Secret {
                id: id(seed, 806, 0),
                value: format!("smp8Q~{}", id(seed, 803, 0).simple()),
                expires_at: directory.now() + SECRET_LIFE,
            }],
            ..registration(id(seed, 802, 0).to_string(), Platform::Web)
        };
        let public = App {
            public_flows: true,
            ..registration(id(seed, 804, 0).to_string(), Platform::Public)
        };
        directory.apps = vec![confidential, public];
        directory
    }

    /// The authority's time, in s since 1970.
    pub fn now(&self) -> i64 {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        i64::try_from((now + self.ahead).as_secs()).unwrap_or(i64::MAX)
    }

    pub fn account(&self, mail: &str) -> Option<usize> {
        self.accounts
            .iter()
            .position(|account| account.mail.eq_ignore_ascii_case(mail))
    }

    pub fn app(&self, client_id: &str) -> Option<&App> {
        self.apps
            .iter()
            .find(|app| app.client_id.eq_ignore_ascii_case(client_id))
    }

    pub fn app_mut(&mut self, client_id: &str) -> Option<&mut App> {
        self.apps
            .iter_mut()
            .find(|app| app.client_id.eq_ignore_ascii_case(client_id))
    }

    /// The tenant of this id or domain.
    pub fn tenant(&self, name: &str) -> Option<usize> {
        let wanted = Uuid::try_parse(name).ok();
        self.tenants.iter().position(|tenant| {
            Some(tenant.id) == wanted
                || tenant
                    .domains
                    .iter()
                    .any(|domain| domain.eq_ignore_ascii_case(name))
        })
    }

    /// Begins a new epoch; what was granted before can be told from what comes.
    pub fn turn(&mut self) -> u64 {
        self.epoch = milliseconds().max(self.epoch + 1);
        self.epoch
    }

    /// Ends sign-ins from before now.
    pub fn revoke(&mut self, account: Option<usize>, code: u32) {
        let before = self.turn();
        self.revocations.push(Revocation {
            account,
            before,
            code,
        });
        self.access.retain(|_, access| match account {
            None => false,
            Some(account) => access.subject != Subject::Account(account),
        });
    }

    /// The token, while it is good.
    pub fn access(&self, token: &str) -> Option<&Access> {
        self.access
            .get(token)
            .filter(|access| access.until > self.now())
    }

    /// The row of systemusers that a token speaks for; `None` where the organisation does not know
    /// them.
    pub fn row(&self, subject: &Subject) -> Option<u64> {
        match subject {
            Subject::Account(account) => {
                let account = &self.accounts[*account];
                account.row.filter(|_| account.member)
            }
            Subject::App(client) => self
                .app(client)
                .filter(|app| app.application_user)
                .map(|_| APPLICATION_USER),
        }
    }
}

impl Account {
    pub fn new(mail: String, name: String, tenant: usize, object_id: Uuid) -> Self {
        Self {
            mail,
            name,
            object_id,
            tenant,
            row: None,
            member: false,
            admin: false,
            password: PASSWORD.to_owned(),
            enabled: true,
            password_expired: false,
            assigned: false,
            condition: Condition::None,
            condition_since: 0,
        }
    }
}

/// A registration as the portal makes it, with the redirect URIs of a program on loopback.
pub fn registration(client_id: String, platform: Platform) -> App {
    let uris = [
        "http://localhost/oauth/callback",
        "http://localhost",
        "http://127.0.0.1/oauth/callback",
        "http://127.0.0.1",
    ];
    App {
        client_id,
        name: "Salesmirror".to_owned(),
        audience: AppAudience::Multi,
        public_flows: false,
        redirect_uris: uris
            .into_iter()
            .map(|uri| RedirectUri {
                uri: uri.to_owned(),
                platform,
            })
            .collect(),
        secrets: Vec::new(),
        permissions: BTreeSet::from([Permission::Dynamics]),
        consent: Granted::Users,
        assignment_required: false,
        application_user: true,
        deleted: false,
        consented: BTreeSet::new(),
    }
}

fn milliseconds() -> u64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}
