//! Text at twice its size, as people set it who do not see well.

use serde_json::json;

use crate::desktop::{Desktop, Keychain, Look, Window};
use crate::wizard::{self, Registration, control, folder, small_organization};

/// The driver's code for the key.
const CONTROL: char = '\u{e009}';
/// Steps of 20 % from 100 % to 200 %.
const STEPS: usize = 5;

/// What reaches over the window's edge and cannot be scrolled to: buttons, links and fields.
const CUT_OFF: &str = r"
const scrolls = (element) => {
  for (let at = element.parentElement; at; at = at.parentElement) {
    const { overflowX, overflowY } = getComputedStyle(at);
    if (/auto|scroll/.test(overflowX + overflowY)) return true;
  }
  return document.documentElement.scrollHeight > innerHeight;
};
return [...document.querySelectorAll('button, a[href], input, [role=tab], [role=menuitem]')]
  .filter((element) => element.checkVisibility() && !element.closest('.offscreen'))
  .filter((element) => {
    const { left, right, top, bottom, width } = element.getBoundingClientRect();
    const isOutside = right > innerWidth + 1 || bottom > innerHeight + 1 || left < -1 || top < -1;
    return width > 1 && isOutside && !scrolls(element);
  })
  .map((element) => element.dataset.testid ?? element.textContent);
";

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_in_reach_at_twice_the_size() {
    let (folder, org) = (folder(), small_organization().await);
    let desktop = Desktop::start(folder.path(), Keychain::Unlocked, Look::Light);
    let window = desktop.open().await;
    window.see("welcome-connect").await;
    look(&window, "welcome").await;

    window.click("welcome-connect").await;
    wizard::choose(&window, &org).await;
    look(&window, "choose").await;
    for step in ["register", "redirect", "permission", "credentials"] {
        wizard::next(&window, step).await;
        look(&window, step).await;
    }
    wizard::credentials(&window, &org, Registration::Web).await;
    wizard::next(&window, "environment").await;
    wizard::environment(&window, &org).await;
    look(&window, "environment").await;
    wizard::next(&window, "sign_in").await;
    look(&window, "sign-in").await;
    control(&org, "consent", r#"{"mode":"accept"}"#).await;
    wizard::sign_in(&window, &desktop).await;
    window.see("start-first-sync").await;
    look(&window, "check").await;
    window.click("start-first-sync").await;
    window.expect_text("table-state-contact", "In sync").await;
    look(&window, "home").await;

    window.click("nav-contact").await;
    window.expect_text("status-total", "60 contacts").await;
    look(&window, "records").await;
    window.click_css(".ag-row[row-index='0'] .cell-name").await;
    window.see("panel").await;
    look(&window, "panel").await;
    window.press("\u{e00c}").await;
    window.click("nav-settings").await;
    window.see("preference-schedule").await;
    look(&window, "settings").await;
    window.close().await;
}

/// Makes everything twice as large, looks at it, and goes back: the driver's clicks miss what is enlarged.
async fn look(window: &Window, name: &str) {
    let usual = window.js("return innerWidth").await;
    zoom(window, '+', usual.as_f64().expect("a width") / 2.0).await;
    window.expect_js(CUT_OFF, &json!([])).await;
    window.picture(&format!("enlarged-{name}"));
    zoom(window, '-', usual.as_f64().expect("a width")).await;
}

async fn zoom(window: &Window, key: char, width: f64) {
    // The web view gives no keys to a button that was clicked and cannot be clicked any more.
    window.js("document.activeElement.blur()").await;
    for _ in 0..STEPS {
        window.press(&format!("{CONTROL}{key}")).await;
    }
    let script = format!("return Math.abs(innerWidth - {width}) < 2");
    window.expect_js(&script, &json!(true)).await;
}
