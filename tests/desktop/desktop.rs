//! A desktop for one test: a display, a session bus with an unlocked keyring, and the driver of the
//! app's web view.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

/// On a busy machine without a graphics card a first paint takes seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whether the session has a keychain.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Keychain {
    Unlocked,
    Absent,
}

/// The rules of accessibility, as a script.
const AXE: &str = include_str!("../../ui/node_modules/axe-core/axe.min.js");

/// What the rules find once nothing moves any more. Left out are two ways of the component library:
/// its sentinels that keep the focus inside a menu, and menus and tooltips at the end of the page.
const LOOK_FOR_BARRIERS: &str = "
    const done = arguments[0];
    const ends = (animation) => animation.effect?.getComputedTiming().iterations !== Infinity;
    const outside = (node) => document.querySelector(node.target[0])?.closest('[data-portal-node]');
    const said = (node) => node.html.slice(0, 300) + ' ' + node.failureSummary;
    Promise.all(document.getAnimations().filter(ends).map((one) => one.finished.catch(() => 0)))
        .then(() => window.axe.run(
            { exclude: [['[data-tabster-dummy]']] }, { resultTypes: ['violations'] }))
        .then((found) => found.violations.flatMap((rule) => rule.nodes
            .filter((node) => rule.id !== 'region' || !outside(node))
            .map((node) => rule.id + ': ' + said(node))))
        .catch(String)
        .then(done);
";

/// Sizes of the window, in pixels: as it opens, and at its least.
const USUAL: (u32, u32) = (1280, 800);
const NARROW: (u32, u32) = (900, 600);

/// What the desktop asks its programs to look like.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Look {
    Light,
    Dark,
}

/// A display with a driver on it. All of it ends with this.
pub struct Desktop {
    display: Child,
    driver: Child,
    number: String,
    address: String,
    pub folder: PathBuf,
}

impl Drop for Desktop {
    fn drop(&mut self) {
        // The driver's group has the bus, the keyring and the app in it.
        let _ = Command::new("kill")
            .args(["-KILL", "--", &format!("-{}", self.driver.id())])
            .status();
        let _ = self.driver.wait();
        let _ = self.display.kill();
        let _ = self.display.wait();
    }
}

impl Desktop {
    /// A desktop whose home is `folder`. `SALESMIRROR_LOOK` (`light` or `dark`) has the last word on
    /// how it looks, for pictures of all states in both.
    pub fn start(folder: &Path, keychain: Keychain, look: Look) -> Self {
        let look = match std::env::var("SALESMIRROR_LOOK").as_deref() {
            Ok("dark") => Look::Dark,
            Ok("light") => Look::Light,
            _ => look,
        };
        let theme = match look {
            Look::Light => "Adwaita",
            Look::Dark => "Adwaita:dark",
        };
        let mut display = Command::new("Xvfb")
            .args([
                "-displayfd",
                "1",
                "-screen",
                "0",
                "1400x1000x24",
                "-nolisten",
                "tcp",
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb is installed");
        let mut number = String::new();
        BufReader::new(display.stdout.take().expect("an output"))
            .read_line(&mut number)
            .expect("the display says its number");
        let number = format!(":{}", number.trim());
        let port = free_port();
        let programs = write_browser(folder);
        let (bus, keyring) = match keychain {
            Keychain::Unlocked => (
                // What the bus starts has no display, so that the keyring cannot ask for its password.
                vec!["env", "-u", "DISPLAY", "dbus-run-session", "--"],
                "printf '\\n' | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1;",
            ),
            // A bus with nobody on it would start a keyring by itself.
            Keychain::Absent => (
                vec!["env", "DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent"],
                "",
            ),
        };
        let script = format!(
            "echo \"$DBUS_SESSION_BUS_ADDRESS\" > '{}'; {keyring} DISPLAY={number} exec WebKitWebDriver --port={port}",
            folder.join("bus").display()
        );
        let mut words = bus.into_iter().chain(["sh", "-c", &script]);
        let driver = Command::new(words.next().expect("a word"))
            .args(words)
            .env("DISPLAY", &number)
            .env("HOME", folder)
            .env("XDG_DATA_HOME", folder.join("share"))
            .env("XDG_CONFIG_HOME", folder.join("config"))
            .env("XDG_CACHE_HOME", folder.join("cache"))
            .env("XDG_RUNTIME_DIR", folder)
            .env("SALESMIRROR_DATA_DIR", folder.join("data"))
            .env("PATH", programs)
            .env("GTK_THEME", theme)
            .env("TAURI_AUTOMATION", "true")
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .env_remove("WAYLAND_DISPLAY")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("the driver is installed");
        Self {
            display,
            driver,
            number,
            address: format!("http://127.0.0.1:{port}"),
            folder: folder.to_owned(),
        }
    }

    /// Starts the app.
    pub async fn open(&self) -> Window {
        let capabilities = json!({"webkitgtk:browserOptions": {"binary": tests::program("salesmirror-desktop"), "args": []}});
        let capabilities = capabilities.as_object().expect("an object").clone();
        let begun = Instant::now();
        loop {
            let client = ClientBuilder::new(HttpConnector::new())
                .capabilities(capabilities.clone())
                .connect(&self.address)
                .await;
            match client {
                Ok(client) => {
                    return Window {
                        client,
                        display: self.number.clone(),
                        barriers: Mutex::default(),
                    };
                }
                // The driver takes a moment to listen.
                Err(error) => assert!(begun.elapsed() < PATIENCE, "no window: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Another keyring takes the place of the one that runs: locked, or unlocked again.
    pub fn replace_keyring(&self, is_unlocked: bool) {
        let command = match is_unlocked {
            true => "printf '\\n' | gnome-keyring-daemon --replace --components=secrets --unlock",
            false => "gnome-keyring-daemon --replace --components=secrets",
        };
        let bus = std::fs::read_to_string(self.folder.join("bus")).expect("a bus");
        let done = Command::new("sh")
            .args(["-c", command])
            .env("DBUS_SESSION_BUS_ADDRESS", bus.trim())
            .env("HOME", &self.folder)
            .env("XDG_DATA_HOME", self.folder.join("share"))
            .env("XDG_RUNTIME_DIR", &self.folder)
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY")
            .process_group(0)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert!(done.expect("a keyring").success());
    }

    /// What the keyring holds of the product: the names of its entries.
    pub fn secrets(&self) -> Vec<String> {
        let bus = std::fs::read_to_string(self.folder.join("bus")).expect("a bus");
        let found = Command::new("secret-tool")
            .args(["search", "--all", "service", "Salesmirror"])
            .env("DBUS_SESSION_BUS_ADDRESS", bus.trim())
            .output()
            .expect("secret-tool runs");
        let text = [found.stdout, found.stderr].concat();
        String::from_utf8_lossy(&text)
            .lines()
            .filter_map(|line| line.strip_prefix("attribute.username = "))
            .map(str::to_owned)
            .collect()
    }

    /// The same, without waiting for it to come and without taking it away.
    pub fn visited_last(&self) -> String {
        let file = self.folder.join("visited");
        let begun = Instant::now();
        loop {
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            if text.contains("prompt=") || begun.elapsed() > PATIENCE {
                return text;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The address that the app sent the system's browser to.
    pub async fn visited(&self) -> String {
        let file = self.folder.join("visited");
        let begun = Instant::now();
        loop {
            if let Ok(text) = std::fs::read_to_string(&file)
                && text.ends_with('\n')
            {
                std::fs::remove_file(&file).expect("the file can go");
                return text.trim().to_owned();
            }
            assert!(begun.elapsed() < PATIENCE, "no browser was opened");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// The program that opens the system's browser: it writes down where it was sent, and opens Chromium
/// where a file says at which port that is to be driven. Gives the search path that finds it first.
fn write_browser(folder: &Path) -> String {
    use std::os::unix::fs::PermissionsExt as _;
    let programs = folder.join("bin");
    std::fs::create_dir_all(&programs).expect("a folder");
    let path = programs.join("xdg-open");
    let visited = folder.join("visited");
    let script = format!(
        "#!/bin/sh\nprintf '%s\\n' \"$1\" > '{visited}'\n\
         [ -s '{port}' ] || exit 0\n\
         chromium --no-sandbox --window-position=1300,900 --disable-gpu --disable-quic --no-first-run --disable-sync \\\n\
         --disable-background-networking --disable-component-update --no-default-browser-check \\\n\
         --window-size=900,700 --user-data-dir='{profile}' \\\n\
         --remote-debugging-port=\"$(cat '{port}')\" \"$1\" >/dev/null 2>&1 &\n",
        visited = visited.display(),
        port = folder.join("chromium-port").display(),
        profile = folder.join("chromium").display(),
    );
    std::fs::write(&path, script).expect("a script");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("executable");
    let rest = std::env::var("PATH").unwrap_or_default();
    format!("{}:{rest}", programs.display())
}

/// Chromium as the system's browser, driven by its own driver.
pub struct Browser {
    driver: Child,
    address: String,
    port: u16,
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .port()
}

impl Browser {
    /// From now on the desktop's links open in Chromium.
    pub fn install(desktop: &Desktop) -> Self {
        let (port, driver_port) = (free_port(), free_port());
        std::fs::write(desktop.folder.join("chromium-port"), port.to_string()).expect("room");
        let driver = Command::new("chromedriver")
            .arg(format!("--port={driver_port}"))
            .env("HOME", &desktop.folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is installed");
        Self {
            driver,
            address: format!("http://127.0.0.1:{driver_port}"),
            port,
        }
    }

    /// The running browser at the page that has this in its address.
    pub async fn page(&self, part: &str) -> Client {
        let options =
            json!({"goog:chromeOptions": {"debuggerAddress": format!("127.0.0.1:{}", self.port)}});
        let options = options.as_object().expect("an object").clone();
        let begun = Instant::now();
        loop {
            assert!(
                begun.elapsed() < 2 * PATIENCE,
                "no page {part} in the browser"
            );
            tokio::time::sleep(Duration::from_millis(200)).await;
            // It listens only once it runs.
            if std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
                continue;
            }
            let client = ClientBuilder::new(HttpConnector::new())
                .capabilities(options.clone())
                .connect(&self.address)
                .await;
            let Ok(client) = client else { continue };
            for window in client.windows().await.unwrap_or_default() {
                if client.switch_to_window(window).await.is_ok()
                    && let Ok(address) = client.current_url().await
                    && address.as_str().contains(part)
                {
                    return client;
                }
            }
        }
    }
}

/// The app's window.
pub struct Window {
    client: Client,
    display: String,
    /// What keeps somebody out, in the states looked at.
    barriers: Mutex<Vec<String>>,
}

/// The selector of a `data-testid`.
fn by_id(id: &str) -> String {
    format!("[data-testid=\"{id}\"]")
}

impl Window {
    pub async fn element(&self, css: &str) -> Element {
        let begun = Instant::now();
        loop {
            // Also tried again when the page was drawn anew while the driver looked.
            match self.client.find(Locator::Css(css)).await {
                Ok(found) => return found,
                Err(error) if begun.elapsed() > PATIENCE => {
                    self.picture("failed");
                    panic!("{css} does not appear: {error}")
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    pub async fn see(&self, id: &str) -> Element {
        self.element(&by_id(id)).await
    }

    /// Clicks, once nothing is in front any more.
    pub async fn click(&self, id: &str) {
        self.click_css(&by_id(id)).await;
    }

    pub async fn click_css(&self, css: &str) {
        let begun = Instant::now();
        loop {
            let element = self.element(css).await;
            // The driver clicks a button that is disabled without a word, and nothing happens.
            let clicked = match element.is_enabled().await {
                Ok(false) => Err("is disabled".to_owned()),
                Ok(true) => element.click().await.map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            match clicked {
                Ok(()) => return,
                Err(error) => assert!(begun.elapsed() < PATIENCE, "{css}: {error}"),
            }
            // For the driver what lies half under the page's footer is in sight.
            self.js(&format!(
                "document.querySelector({css:?})?.scrollIntoView({{ block: 'center' }})"
            ))
            .await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    pub async fn write(&self, id: &str, text: &str) {
        let element = self.see(id).await;
        // What is typed replaces what is selected; the driver's own way of clearing a field tells the
        // page nothing.
        self.js(&format!("document.querySelector('{}').select()", by_id(id)))
            .await;
        element.send_keys(text).await.expect("a field");
    }

    /// Presses a key wherever the focus is; the driver's codes for those without a letter.
    pub async fn press(&self, key: &str) {
        let begun = Instant::now();
        loop {
            // What has the focus may be drawn anew before the key arrives.
            let focused = self.client.active_element().await.expect("a focus");
            match focused.send_keys(key).await {
                Ok(()) => return,
                Err(error) => assert!(begun.elapsed() < PATIENCE, "no key: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Clicks with Shift held down.
    pub async fn shift_click(&self, css: &str) {
        self.click_with(css, "click", "shiftKey: true").await;
    }

    /// Asks for the menu of something.
    pub async fn right_click(&self, css: &str) {
        self.click_with(css, "contextmenu", "button: 2").await;
    }

    async fn click_with(&self, css: &str, kind: &str, with: &str) {
        self.element(css).await;
        let script = format!(
            "const found = document.querySelector({css:?}); const place = found.getBoundingClientRect(); \
             found.dispatchEvent(new MouseEvent('{kind}', {{ bubbles: true, cancelable: true, view: window, \
             clientX: place.left + 8, clientY: place.top + 8, {with} }}))"
        );
        self.js(&script).await;
    }

    pub async fn text(&self, id: &str) -> String {
        self.see(id).await.text().await.expect("a text")
    }

    /// Waits until the element's text has this part.
    pub async fn expect_text(&self, id: &str, part: &str) {
        let begun = Instant::now();
        let mut text = String::new();
        // The driver's own way of reading a text takes what is cut off at the end of its line, or lies
        // under the fold, for hidden.
        let script = format!(
            "return document.querySelector('{}')?.innerText ?? ''",
            by_id(id)
        );
        while begun.elapsed() < 2 * PATIENCE {
            self.see(id).await;
            if let Value::String(found) = self.js(&script).await {
                text = found;
                if text.contains(part) {
                    return;
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.picture("failed");
        panic!("{id} is \"{text}\", not \"{part}\"");
    }

    /// The element's text, seen or not.
    pub async fn content(&self, id: &str) -> Value {
        self.js(&format!(
            "return document.querySelector('{}')?.textContent ?? null",
            by_id(id)
        ))
        .await
    }

    /// Waits until that is another one.
    pub async fn expect_other_content(&self, id: &str, before: &Value) {
        let begun = Instant::now();
        while self.content(id).await == *before {
            assert!(begun.elapsed() < PATIENCE, "{id} stays {before}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub async fn js(&self, script: &str) -> Value {
        self.client
            .execute(script, Vec::new())
            .await
            .unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Waits until the script gives this; what it asks for may not be drawn yet.
    pub async fn expect_js(&self, script: &str, value: &Value) {
        let begun = Instant::now();
        let mut found = Value::Null;
        while begun.elapsed() < PATIENCE {
            let given = self.client.execute(script, Vec::new()).await;
            found = given.unwrap_or_else(|error| Value::String(error.to_string()));
            if found == *value {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.picture("failed");
        panic!("{script} gives {found}, not {value}");
    }

    /// The system's save dialog: types a path and confirms it.
    pub async fn save_as(&self, path: &Path) {
        let script = "for i in $(seq 100); do id=$(xdotool search --name '^Save as$' | tail -1); \
             [ -n \"$id\" ] && break; sleep 0.1; done; [ -n \"$id\" ] || exit 1; sleep 0.5; \
             xdotool windowfocus \"$id\"; sleep 0.2; xdotool key ctrl+a; \
             xdotool type --delay 5 \"$1\"; sleep 0.3; xdotool key Return";
        let status = Command::new("sh")
            .args(["-c", script, "sh"])
            .arg(path)
            .env("DISPLAY", &self.display)
            .status()
            .expect("a shell");
        assert!(status.success(), "no save dialog appeared");
    }

    /// Keeps a picture where `SALESMIRROR_PICTURES` names a folder, for looking at.
    /// Looks at what is shown: nothing in it keeps anybody out, and pictures are taken of it where they
    /// are wanted, at the usual width and at the least.
    pub async fn state(&self, name: &str) {
        self.is_accessible(name).await;
        if self.picture(name) {
            self.resize(NARROW).await;
            self.picture(&format!("{name}-900"));
            self.resize(USUAL).await;
        }
    }

    /// Makes the window as small as it gets, or as it was.
    pub async fn narrow(&self, is_narrow: bool) {
        self.resize(if is_narrow { NARROW } else { USUAL }).await;
    }

    async fn resize(&self, (width, height): (u32, u32)) {
        self.client
            .set_window_size(width, height)
            .await
            .expect("a window");
    }

    /// Checks the page by the rules of axe-core, all of them.
    async fn is_accessible(&self, name: &str) {
        if self.js("return window.axe === undefined").await == json!(true) {
            self.js(AXE).await;
        }
        let look = async || {
            let found = self.client.execute_async(LOOK_FOR_BARRIERS, Vec::new());
            found.await.expect("axe-core runs")
        };
        let mut found = look().await;
        if found != json!([]) {
            // What began to change while it was looked at is looked at again.
            tokio::time::sleep(Duration::from_millis(500)).await;
            found = look().await;
        }
        if found != json!([]) {
            let said = format!("{name}: {found:#}");
            self.barriers.lock().expect("no panic").push(said);
        }
    }

    /// Takes a picture of the display where pictures are wanted.
    pub fn picture(&self, name: &str) -> bool {
        let Some(folder) = std::env::var_os("SALESMIRROR_PICTURES") else {
            return false;
        };
        // What was just drawn is on its way to the display.
        std::thread::sleep(Duration::from_millis(300));
        let _ = Command::new("import")
            .args(["-window", "root", "-trim", "+repage"])
            .arg(PathBuf::from(folder).join(format!("{name}.png")))
            .env("DISPLAY", &self.display)
            .status();
        true
    }

    /// Ends the app.
    pub async fn close(self) {
        let barriers = self.barriers.into_inner().expect("no panic");
        assert!(barriers.is_empty(), "{}", barriers.join("\n"));
        self.client.close().await.expect("the app ends");
    }
}
