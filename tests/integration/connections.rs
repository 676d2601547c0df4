//! Connections that end, come again, or are not finished.

use salesmirror_core::{Draft, Request, RunStatus, Session, Strategy, SyncOptions};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::bench::{Bench, sync};

const SMALL: &str = "account=10,contact=40,lead=5,opportunity=5,systemuser=5";

fn rows(session: &Session) -> u64 {
    let tables = session.mirror().tables().expect("tables");
    tables.iter().map(|table| table.live).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn data_that_was_left_is_taken_up_by_the_same_user_and_by_nobody_else() {
    let bench = Bench::new(SMALL).await;
    let session = bench.session().await;
    sync(&session, SyncOptions::default()).await;
    let before = session.row().id;
    drop(session);
    let app = bench.app();
    let row = app.find(None).await.expect("the connection");
    app.disconnect(&row, false).await.expect("no purge");
    assert!(app.connections().await.expect("a list").is_empty());

    bench.act(3, 2, 1);
    let again = Request {
        name: "Again".into(),
        ..bench.request()
    };
    let app = bench.app();
    let connected = bench.connect(&app, &again).await.expect("a connection");
    assert_eq!(connected.row.id, before);
    let session = app.session(&connected.row).await.expect("a session");
    assert_eq!(rows(&session), 65);
    let runs = sync(&session, SyncOptions::default()).await;
    for run in &runs {
        assert_eq!(run.status, RunStatus::Success, "{run:?}");
        assert_eq!(run.strategy, Strategy::Incremental, "{run:?}");
    }
    assert_eq!(rows(&session), 67);

    // Another user may read other rows.
    app.disconnect(&connected.row, false)
        .await
        .expect("no purge");
    let users = bench.truth("systemuser").await;
    let mails = users
        .values()
        .filter_map(|user| user["domainname"].as_str());
    let another = mails
        .filter(|mail| !mail.starts_with("d.ashgrove"))
        .find(|mail| {
            let first = mail.chars().next();
            first.is_some_and(char::is_alphabetic) && !mail.starts_with("mirror.service")
        });
    let consent = json!({"mode": "accept", "user": another.expect("a user")});
    bench.control("consent", consent).await;
    let other = bench.connect(&app, &again).await.expect("a connection");
    assert_ne!(other.row.id, before);
    // What waits is still known when the last connection goes with its data, until it is erased too.
    app.disconnect(&other.row, true).await.expect("a purge");
    let left = bench.app().left_data().await.expect("a list");
    assert_eq!(
        left.iter().map(|data| data.id).collect::<Vec<_>>(),
        [before]
    );
    app.erase_left(before).await.expect("no data");
    assert!(app.left_data().await.expect("a list").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_being_set_up_is_shown_nowhere_and_ends_with_its_secret() {
    let bench = Bench::new(SMALL).await;
    let (app, place) = (bench.app(), bench.org.description().clone());
    let draft = app.begin_setup().await.expect("a draft");
    let typed = Draft {
        name: "Norrvale".into(),
        cloud: "own".into(),
        authority: place.authority_url.clone(),
        tenant: place.tenant_id.clone(),
        client_id: place.client_id.clone(),
        environment: place.environment_url.clone(),
        ..draft
    };
    app.change_setup(typed).await.expect("a draft");
    app.keep_setup_secret(place.client_secret.clone().into())
        .await
        .expect("a secret");
    let http = bench.http.clone();
    let browse = move |sign_in: &salesmirror_core::PendingSignIn| {
        let (http, url) = (http.clone(), sign_in.authorization_url.clone());
        tokio::spawn(async move { http.get(url).send().await });
    };
    let cancel = CancellationToken::new();
    let signed_in = app
        .sign_in_setup(false, &browse, &cancel)
        .await
        .expect("a sign-in");
    assert!(signed_in.connection.is_some());
    assert!(app.settled_connections().await.expect("a list").is_empty());
    let refused = app.find(None).await.expect_err("it is not finished");
    assert_eq!(refused.code, "no_connection");

    let changed = app
        .keep_setup_secret("another~secret.Value".to_owned().into())
        .await
        .expect("a secret");
    assert_eq!(changed.connection, None);
    assert!(app.connections().await.expect("a list").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_that_is_none_is_refused_before_anybody_signs_in() {
    let bench = Bench::new(SMALL).await;
    let request = Request {
        secret_expires: Some("next year".into()),
        ..bench.request()
    };
    let error = bench
        .connect(&bench.app(), &request)
        .await
        .expect_err("no day");
    assert_eq!(error.code, "bad_secret_expires");
}
