//! Real processes: killed at any moment, and behind a certificate of their own.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::bench::Bench;
use crate::command_line::{CONNECT, in_session, text};

pub const TABLES: [(&str, &str); 5] = [
    ("account", "accountid"),
    ("contact", "contactid"),
    ("lead", "leadid"),
    ("opportunity", "opportunityid"),
    ("systemuser", "systemuserid"),
];

/// Seconds after which one sync after the other is killed: early ones hit the metadata and the
/// first pages, later ones the last pages and the incremental syncs.
const MOMENTS: [&str; 12] = [
    "0.12", "0.35", "0.2", "0.6", "0.9", "0.45", "1.3", "0.25", "0.7", "0.3", "0.55", "0.16",
];

#[tokio::test(flavor = "multi_thread")]
async fn syncs_killed_at_any_moment_while_records_change_lose_nothing() {
    let rows = "account=1500,contact=17000,lead=1200,opportunity=900,systemuser=60";
    let bench = Bench::new(rows).await;
    let mut script = format!("{CONNECT} > /dev/null || exit 1\n");
    for moment in MOMENTS {
        script.push_str(&format!(
            "\"$SM\" sync --quiet > /dev/null 2>&1 & pid=$!\nsleep {moment}\nkill -KILL $pid\nwait $pid 2> /dev/null\n"
        ));
    }
    script.push_str(
        "touch \"$HOME/last\"\nwhile [ ! -e \"$HOME/stopped\" ]; do sleep 0.05; done\n\
         \"$SM\" sync --json || exit 2\n",
    );
    for (table, id) in TABLES {
        script.push_str(&format!(
            "\"$SM\" export {table} --format csv --output \"$HOME/{table}.csv\" --columns {id},versionnumber || exit 3\n"
        ));
    }
    let home = bench.folder.path().to_owned();
    let living = async {
        while !home.join("last").exists() {
            bench.act(3, 20, 2);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        fs::write(home.join("stopped"), "").expect("a file");
    };
    let (output, ()) = tokio::join!(in_session(&bench, &script), living);
    assert!(output.status.success(), "{}", text(&output));
    for (table, _) in TABLES {
        let mirrored = versions(&home.join(format!("{table}.csv")));
        let truth: Vec<String> = bench
            .truth(table)
            .await
            .into_iter()
            .map(|(id, row)| format!("{id},{}", row["versionnumber"]))
            .collect();
        assert_eq!(mirrored.len(), truth.len(), "rows of {table}");
        assert_eq!(mirrored, truth, "{table}");
    }
}

/// The lines of a file below its head, in order.
pub fn versions(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).expect("a file");
    let mut lines: Vec<String> = text.lines().skip(1).map(str::to_owned).collect();
    lines.sort();
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_the_organisations_own_is_trusted_only_when_it_is_named() {
    let bench = Bench::with_tls("account=5,contact=5,lead=5,opportunity=5,systemuser=5").await;
    let certificate = bench.org.description().ca_certificate.clone();
    fs::write(
        bench.folder.path().join("root.pem"),
        certificate.expect("a certificate"),
    )
    .expect("a file");
    let output = in_session(&bench, CONNECT).await;
    assert_eq!(output.status.code(), Some(4), "{}", text(&output));
    assert!(text(&output).contains("certificate"), "{}", text(&output));
    assert!(!bench.data_dir().join("app.db").exists());

    let script = format!(
        "export SALESMIRROR_CA_FILE=\"$HOME/root.pem\"\n{CONNECT} > /dev/null && \"$SM\" sync --json"
    );
    let output = in_session(&bench, &script).await;
    assert!(output.status.success(), "{}", text(&output));
    assert!(
        text(&output).contains("\"inserted\":5"),
        "{}",
        text(&output)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_keychain_is_said_and_nothing_half_made_is_left() {
    let bench = Bench::new("account=3,contact=3,lead=3,opportunity=3,systemuser=3").await;
    // A second keyring daemon takes the first one's place and knows no password. Nobody can be
    // asked for one without a display.
    let second = CONNECT.replace("--name demo", "--name second");
    let script = format!(
        "unset DISPLAY WAYLAND_DISPLAY\n{CONNECT} > /dev/null || exit 1\n\
         gnome-keyring-daemon --replace --components=secrets > /dev/null 2>&1\n\
         \"$SM\" sync --json; echo \"exit $?\"\n{second}; echo \"exit $?\"\n\
         printf '\\n' | gnome-keyring-daemon --replace --components=secrets --unlock > /dev/null 2>&1\n\
         \"$SM\" sync --json; echo \"exit $?\"\n\"$SM\" connections --json"
    );
    let output = in_session(&bench, &script).await;
    let text = text(&output);
    assert_eq!(
        text.matches("\"reference\":\"locked\"").count(),
        2,
        "{text}"
    );
    assert_eq!(text.matches("exit 6").count(), 2, "{text}");
    // What was there works again as soon as the keychain is unlocked, and there is no more of it.
    assert!(
        text.contains("\"inserted\":3") && text.contains("exit 0"),
        "{text}"
    );
    assert!(!text.contains("second"), "{text}");
}
