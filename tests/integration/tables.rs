//! The choice of tables, while syncs run and wait for each other.

use std::time::Duration;

use salesmirror_core::{Category, RunStatus, Session, SyncOptions};
use serde_json::json;

use crate::bench::{Bench, succeed, sync};
use crate::desk::Desk;

const FEW: &str = "account=20,contact=20,lead=20,opportunity=20,systemuser=5";

fn only(table: &str) -> SyncOptions {
    SyncOptions {
        tables: vec![table.to_owned()],
        ..SyncOptions::default()
    }
}

async fn rows_of(session: &Session, table: &str) -> u64 {
    let tables = session.status().await.expect("tables");
    let found = tables.iter().find(|status| status.table == table);
    found.map_or(0, |status| status.rows)
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_added_at_once_beside_a_sync_are_all_mirrored_and_read_in_their_turn() {
    let bench = Bench::new(FEW).await;
    let session = bench.session().await;
    let slow = json!({"match": {"path_contains": "/accounts"}, "action": {"delay_ms": 1_500}});
    bench.control("faults", slow).await;
    // What connecting asked is no sign of a sync.
    bench.requests().await;
    session.start_sync(SyncOptions::default());
    while bench.requests().await.is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Who does not want to wait is told, also where the other one is in the same process.
    let hasty = SyncOptions {
        no_join: true,
        ..SyncOptions::default()
    };
    let refused = session.sync(&hasty, &Default::default()).await;
    let refused = refused.expect_err("somebody syncs");
    assert_eq!(refused.category, Category::Busy, "{refused:?}");
    let added = ["transactioncurrency", "workflow", "team", "businessunit"];
    let adding = added.map(|table| session.mirror_table(table));
    for added in futures::future::join_all(adding).await {
        added.expect("a table");
    }
    let mut changes = session.changes();
    while session.is_syncing() {
        changes.changed().await.expect("an end");
    }
    let mirrored = session.mirrored_tables().await.expect("tables");
    for table in added {
        let names = mirrored.iter().filter(|name| *name == table);
        assert_eq!(names.count(), 1, "{mirrored:?}");
        let truth = bench.truth(table).await.len() as u64;
        assert_eq!(rows_of(&session, table).await, truth, "{table}");
    }
    assert_eq!(rows_of(&session, "account").await, 20);
    assert!(session.problem().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_waited_does_not_bring_back_a_table_that_was_removed() {
    let bench = Bench::new(FEW).await;
    let session = bench.session().await;
    succeed(&session, SyncOptions::default()).await;
    session.remove_table("lead").await.expect("a table");
    let runs = sync(&session, only("lead")).await;
    assert!(runs.is_empty(), "{runs:?}");
    let tables = session.status().await.expect("tables");
    assert!(tables.iter().all(|status| status.table != "lead"));
    let runs = succeed(&session, only("account")).await;
    assert_eq!(runs[0].status, RunStatus::Success);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_request_of_the_command_line_changed_is_stale_until_the_next_sync() {
    let desk = Desk::new().await;
    assert_eq!(desk.connect(&desk.good()).await.exit, 0);
    assert_eq!(desk.run(&["sync"]).exit, 0);
    let truth = desk.bench.truth("account").await;
    let id = truth.keys().next().expect("an account");
    let path = format!("accounts({id})");
    let stale = || {
        let list = ["records", "account", "--stale", "only"];
        let columns = ["--columns", "accountid"];
        desk.run(&[list.as_slice(), &columns].concat()).document["rows"].clone()
    };
    assert_eq!(stale(), json!([]));
    let body = r#"{"name":"Renamed by hand"}"#;
    let reply = desk.run(&["passthrough", "PATCH", &path, "--body", body]);
    assert_eq!(reply.document["status"], 204, "{}", reply.document);
    assert_eq!(stale()[0]["accountid"], **id);
    assert_eq!(desk.run(&["sync"]).exit, 0);
    assert_eq!(stale(), json!([]));
    let shown = desk.run(&["show", "account", id]).document;
    assert!(shown.to_string().contains("Renamed by hand"), "{shown}");
}
