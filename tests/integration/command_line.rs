//! The program as scripts run it, with a real keychain.

use std::process::{Command, Output};

use crate::bench::Bench;

/// Runs a shell script in a session with an unlocked keyring. `$SM` is the program.
pub async fn in_session(bench: &Bench, script: &str) -> Output {
    let org = bench.org.description().clone();
    let data_dir = bench.data_dir();
    let script = format!(
        "printf '\\n' | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1\n{script}"
    );
    let home = bench.folder.path().to_owned();
    tokio::task::spawn_blocking(move || {
        Command::new("dbus-run-session")
            .args(["--", "sh", "-c", &script])
            .env("SM", tests::program("salesmirror"))
            .env("HOME", &home)
            .env("XDG_DATA_HOME", home.join("share"))
            .env("XDG_RUNTIME_DIR", &home)
            .env("SALESMIRROR_DATA_DIR", data_dir)
            .env("ENVIRONMENT", org.environment_url)
            .env("AUTHORITY", org.authority_url)
            .env("TENANT", org.tenant_id)
            .env("CLIENT", org.client_id)
            .env("SECRET", org.client_secret)
            .output()
            .expect("dbus-run-session runs")
    })
    .await
    .expect("a result")
}

pub const CONNECT: &str = r#"printf '%s' "$SECRET" | "$SM" connect --json --name demo --environment "$ENVIRONMENT" \
  --authority "$AUTHORITY" --tenant "$TENANT" --client-id "$CLIENT" --client-secret-stdin --flow client-credentials"#;

pub fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn the_main_job_in_a_shell() {
    let bench = Bench::new("account=30,contact=60,lead=20,opportunity=20,systemuser=10").await;
    let script = format!(
        r#"set -e
        {CONNECT} > /dev/null
        "$SM" sync --json
        "$SM" records contacts --columns fullname,ownerid --limit 2 --json
        "$SM" export accounts --format csv --output - | head -1
        set +e
        "$SM" records contacts --filter 'nothing = 1' --json; echo "exit $?"
        "$SM" disconnect demo --purge --json
        "$SM" status --json; echo "exit $?""#
    );
    let output = in_session(&bench, &script).await;
    let text = text(&output);
    for part in [
        "\"strategy\":\"full\",\"status\":\"success\",\"inserted\":60",
        "{\"total\":60,\"rows\":[{\"fullname\":",
        "\"_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname\"",
        "accountid,name,accountnumber",
        "\"code\":\"unknown_column\"",
        "exit 2",
        "{\"disconnected\":\"demo\",\"purged\":true}",
        "\"code\":\"no_connection\"",
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_credentials_exit_with_3_and_a_missing_keychain_with_6() {
    let bench = Bench::new("account=3,contact=3,lead=3,opportunity=3,systemuser=3").await;
    let wrong = CONNECT.replace("\"$SECRET\"", "wrong");
    let output = in_session(&bench, &wrong).await;
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    assert!(text(&output).contains("invalid_client_secret"));
    // The same without a keyring in the session.
    let alone = format!("export DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent; {CONNECT}");
    let output = in_session(&bench, &alone).await;
    assert_eq!(output.status.code(), Some(6), "{}", text(&output));
    assert!(
        text(&output).contains("keychain_absent"),
        "{}",
        text(&output)
    );
    assert!(!bench.data_dir().join("app.db").exists());
}
