//! The way through a proxy, with a real one (Squid), and what the log and the diagnostics tell.

use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use salesmirror_core::{
    App, AppSettingsChange, Flow, HttpConfig, Request, RetryPolicy, RunStatus, SecretStore,
    Settings, SyncOptions,
};
use salesmirror_sample_org::{Config, SampleOrg, parse_rows};
use tokio_util::sync::CancellationToken;

use crate::bench::sync;
use crate::desk::Desk;

/// A name that only the proxy knows.
const HOST: &str = "org.norrvale.example";
const USER: &str = "dana";
const PASSWORD: &str = "pass~word 7";

/// What the proxy lets through.
#[derive(Clone, Copy)]
enum Rule {
    Everybody,
    WithPassword,
    Nobody,
}

struct Squid {
    process: Child,
    port: u16,
    folder: tempfile::TempDir,
}

impl Drop for Squid {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

impl Squid {
    fn start(rule: Rule) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path();
        // Squid gives up being root, and writes here all the same.
        std::fs::set_permissions(place, std::fs::Permissions::from_mode(0o777)).expect("rights");
        let port = free_port();
        std::fs::write(place.join("hosts"), format!("127.0.0.1 {HOST}\n")).expect("room");
        let hash = Command::new("openssl")
            .args(["passwd", "-apr1", PASSWORD])
            .output()
            .expect("openssl runs");
        let hash = String::from_utf8(hash.stdout).expect("a text");
        std::fs::write(place.join("users"), format!("{USER}:{}\n", hash.trim())).expect("room");
        let access = match rule {
            Rule::Everybody => "http_access allow all",
            Rule::Nobody => "http_access deny all",
            Rule::WithPassword => {
                "auth_param basic program /usr/lib/squid/basic_ncsa_auth FOLDER/users\n\
                 acl known proxy_auth REQUIRED\nhttp_access allow known\nhttp_access deny all"
            }
        };
        let configuration = format!(
            "http_port 127.0.0.1:{port}\nhosts_file FOLDER/hosts\n{access}\n\
             access_log stdio:FOLDER/access.log\ncache_log FOLDER/cache.log\n\
             pid_filename FOLDER/squid.pid\ncoredump_dir FOLDER\ncache deny all\n\
             shutdown_lifetime 0 seconds\nnetdb_filename none\npinger_enable off\n"
        )
        .replace("FOLDER", &place.display().to_string());
        let file = place.join("squid.conf");
        std::fs::write(&file, configuration).expect("room");
        let process = Command::new("squid")
            .args(["-N", "-n", &format!("t{port}"), "-f"])
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("squid is installed");
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                begun.elapsed() < Duration::from_secs(30),
                "no proxy: {}",
                std::fs::read_to_string(place.join("cache.log")).unwrap_or_default()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        Self {
            process,
            port,
            folder,
        }
    }

    fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A tunnel is noted when it has ended.
    async fn expect_log(&self, part: &str) {
        let file = self.folder.path().join("access.log");
        let begun = Instant::now();
        loop {
            let log = std::fs::read_to_string(&file).unwrap_or_default();
            if log.contains(part) {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "{part}: {log}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// An organisation far away, and an app here.
struct Away {
    org: SampleOrg,
    folder: tempfile::TempDir,
    secrets: SecretStore,
}

impl Away {
    async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = Config {
            rows: parse_rows("account=5,contact=20,lead=5,opportunity=5,systemuser=5")
                .expect("rows"),
            tls: true,
            host: HOST.to_owned(),
            ..Config::default()
        };
        Self {
            org: SampleOrg::start(config).await.expect("an organisation"),
            folder: tempfile::tempdir().expect("a folder"),
            secrets: SecretStore::in_memory(),
        }
    }

    fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn app(&self) -> App {
        let certificate = self.org.description().ca_certificate.clone();
        App::open(Settings {
            data_dir: Some(self.data_dir()),
            secrets: self.secrets.clone(),
            http: HttpConfig {
                user_agent: "test".into(),
                extra_root_pem: certificate.map(String::into_bytes),
                ..HttpConfig::default()
            },
            retry: RetryPolicy {
                max_wait: Duration::from_secs(1),
                backoff: Duration::from_millis(5),
            },
        })
        .expect("an app")
    }

    /// Connects as the app itself, which needs no browser; gives the code of what went wrong.
    async fn connect(&self, app: &App) -> Result<(), String> {
        let org = self.org.description();
        let request = Request {
            name: "Norrvale".into(),
            environment: org.environment_url.clone(),
            tenant: Some(org.tenant_id.clone()),
            client_id: org.client_id.clone(),
            client_secret: Some(org.client_secret.clone().into()),
            authority: Some(org.authority_url.clone()),
            flow: Flow::ClientCredentials,
            ..Request::default()
        };
        let connected = app
            .connect(&request, &|_| (), &CancellationToken::new())
            .await;
        connected.map(drop).map_err(|error| error.code)
    }
}

async fn set(app: &App, proxy: &str, user: Option<(&str, &str)>) {
    let change = AppSettingsChange {
        proxy: Some(proxy.to_owned()),
        proxy_user: Some(user.map_or("", |user| user.0).to_owned()),
        proxy_password: Some(user.map_or("", |user| user.1).to_owned().into()),
        ..AppSettingsChange::default()
    };
    app.set_app_settings(change).await.expect("settings");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organisation_behind_a_proxy_is_reached_by_what_is_set_and_by_nothing_else() {
    let away = Away::start().await;
    let app = away.app();
    // Without the proxy nobody knows the name.
    set(&app, "none", None).await;
    assert_eq!(away.connect(&app).await, Err("unreachable".to_owned()));

    let open = Squid::start(Rule::Everybody);
    set(&app, &open.address(), None).await;
    assert_eq!(away.connect(&app).await, Ok(()));
    let row = app.find(None).await.expect("a connection");
    let session = app.session(&row).await.expect("a session");
    let runs = sync(&session, SyncOptions::default()).await;
    assert!(
        runs.iter().all(|run| run.status == RunStatus::Success),
        "{runs:?}"
    );
    // What is set holds at once, for connections that are open too.
    let strict = Squid::start(Rule::WithPassword);
    for (user, code) in [
        (None, Some("proxy_password")),
        (Some((USER, "another")), Some("proxy_password")),
        (Some((USER, PASSWORD)), None),
    ] {
        set(&app, &strict.address(), user).await;
        let session = app.session(&row).await.expect("a session");
        let runs = sync(&session, SyncOptions::default()).await;
        let error = runs[0].error.as_ref().map(|error| error.code.as_str());
        assert_eq!(error, code, "{user:?}");
    }
    // The password is in the keychain and nowhere else, and there again after a restart.
    let kept = std::fs::read_to_string(away.data_dir().join("app-settings.json")).expect("a file");
    assert!(!kept.contains(PASSWORD) && kept.contains(USER), "{kept}");
    drop((session, app));
    open.expect_log(&format!("CONNECT {HOST}:")).await;
    strict.expect_log(&format!(" {USER} ")).await;
    let app = away.app();
    let session = app.session(&row).await.expect("a session");
    let runs = sync(&session, SyncOptions::default()).await;
    assert!(runs[0].error.is_none(), "{runs:?}");
    let told = app.diagnostics("test").await;
    assert!(told.contains("Proxy: manual, with a user name"), "{told}");
    assert!(!told.contains(PASSWORD) && !told.contains(USER), "{told}");

    let shut = Squid::start(Rule::Nobody);
    for (proxy, code) in [
        (shut.address(), "proxy_refused"),
        (
            format!("http://127.0.0.1:{}", free_port()),
            "proxy_unreachable",
        ),
    ] {
        set(&app, &proxy, None).await;
        let session = app.session(&row).await.expect("a session");
        let runs = sync(&session, SyncOptions::default()).await;
        let error = runs[0].error.as_ref().expect("an error");
        assert_eq!(error.code, code, "{error:?}");
        assert!(!error.hint.is_empty(), "{error:?}");
    }
}

/// The command line in a session of its own, as somebody types it.
#[tokio::test(flavor = "multi_thread")]
async fn the_log_and_the_diagnostics_hold_no_record_no_secret_and_no_person() {
    let desk = Desk::new().await;
    let level = desk.run(&["app-settings", "--log-level", "debug"]);
    assert_eq!(level.exit, 0);
    let refused = desk.run(&["app-settings", "--proxy", "http://user:secret@proxy"]);
    assert_eq!((refused.exit, refused.code()), (2, "bad_proxy"));
    let mut wrong = desk.good();
    wrong.secret = Some("not~the.secret".to_owned());
    assert_eq!(desk.connect(&wrong).await.exit, 3);
    assert_eq!(desk.connect(&desk.good()).await.exit, 0);
    assert_eq!(desk.run(&["sync"]).exit, 0);
    let told = desk.run(&["doctor", "--diagnostics"]);
    assert_eq!(told.exit, 0);
    let told = told.document["diagnostics"]
        .as_str()
        .expect("a text")
        .to_owned();
    assert!(
        told.contains("contact: 5 rows") && told.contains("run ") && told.contains("Keychain"),
        "{told}"
    );

    let mut log = String::new();
    let folder = desk.bench.data_dir().join("logs");
    for file in std::fs::read_dir(folder).expect("a log") {
        log += &std::fs::read_to_string(file.expect("a file").path()).expect("a text");
    }
    assert!(log.lines().count() > 3, "{log}");
    let org = desk.bench.org.description();
    let truth = desk.bench.truth("contact").await;
    let names = truth.values().flat_map(|record| {
        ["fullname", "emailaddress1", "telephone1"]
            .iter()
            .filter_map(|name| record[*name].as_str().map(str::to_owned))
            .collect::<Vec<_>>()
    });
    let mut secrets: Vec<String> = names.collect();
    secrets.extend([
        org.client_secret.clone(),
        "not~the.secret".to_owned(),
        "d.ashgrove".to_owned(),
        "?code=".to_owned(),
        "Bearer ".to_owned(),
        "user:secret".to_owned(),
    ]);
    assert!(secrets.len() > 12, "the truth was read");
    for secret in &secrets {
        assert!(!told.contains(secret.as_str()), "{secret} is in {told}");
        assert!(!log.contains(secret.as_str()), "{secret} is in {log}");
    }
}
