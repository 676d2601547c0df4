//! Records that are created, changed and deleted through the product: read back into the mirror
//! before the answer, whatever breaks in between, and whatever syncs at the same time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use salesmirror_core::{
    App, Attributes, Error, Result, Row, Selectors, Session, SyncOptions, VerifyOptions, What,
    Written,
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::bench::{Bench, succeed, sync};

const FEW: &str = "account=30,contact=120,lead=20,opportunity=20,systemuser=10";

fn attributes(object: Value) -> Attributes {
    match object {
        Value::Object(object) => object.into(),
        other => panic!("{other}"),
    }
}

async fn create(session: &Session, id: Uuid, object: Value) -> Result<Written> {
    session
        .create_record("contact", id, attributes(object))
        .await
}

async fn update(session: &Session, id: Uuid, object: Value, etag: Option<&str>) -> Result<Written> {
    session
        .update_record("contact", id, attributes(object), etag)
        .await
}

fn raw(row: &Row) -> Value {
    serde_json::from_slice(row.raw.as_deref().expect("a record")).expect("JSON")
}

/// A property of the mirror's record; null where it has none.
async fn mirrored(session: &Session, id: Uuid, name: &str) -> Value {
    let row = session
        .mirror()
        .record("contact", id, true)
        .expect("a mirror");
    row.map_or(Value::Null, |row| raw(&row)[name].clone())
}

async fn told(session: &Session, id: Uuid) -> Vec<What> {
    let found = session
        .history("contact", id, 100)
        .await
        .expect("a history");
    found.iter().map(|one| one.what).collect()
}

async fn some_id(bench: &Bench) -> Uuid {
    let truth = bench.truth("contact").await;
    truth
        .keys()
        .next()
        .expect("a contact")
        .parse()
        .expect("an id")
}

/// The rows of the table as they are shown and delivered, by id.
async fn shown(session: &Session) -> Vec<(String, Option<Vec<u8>>)> {
    let (_, rows) = session
        .records_json("contact", &Selectors::default(), &[], 0, usize::MAX)
        .await
        .expect("records");
    let mut all: Vec<_> = rows
        .into_iter()
        .map(|row| {
            let json: Value = serde_json::from_str(&row).expect("a row");
            let id = json["contactid"]
                .as_str()
                .expect("an id")
                .parse()
                .expect("an id");
            let kept = session
                .mirror()
                .record("contact", id, true)
                .expect("a mirror");
            (row, kept.and_then(|kept| kept.raw))
        })
        .collect();
    all.sort();
    all
}

async fn stale(session: &Session) -> u64 {
    let status = session.status().await.expect("a status");
    let contacts = status.iter().find(|status| status.table == "contact");
    contacts.expect("contacts").stale
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_is_in_the_mirror_before_it_is_answered_and_equal_to_what_a_sync_brings() {
    let bench = Bench::new(FEW).await;
    let session = bench.session().await;
    let id = Uuid::new_v4();
    let early = create(&session, id, json!({"lastname": "Early"})).await;
    assert_eq!(early.unwrap_err().code, "never_synced");
    succeed(&session, SyncOptions::default()).await;
    let account = bench
        .truth("account")
        .await
        .keys()
        .next()
        .expect("an account")
        .clone();
    let made = create(
        &session,
        id,
        json!({
            "firstname": "Åse", "lastname": "Lunde", "jobtitle": "Buyer",
            "parentcustomerid_account@odata.bind": format!("/accounts({account})"),
        }),
    )
    .await
    .expect("a contact");
    assert!(!made.existed && made.stale.is_none());
    let record = raw(made.row.as_ref().expect("a row"));
    assert_eq!(record["fullname"], "Åse Lunde");
    assert_eq!(record["_parentcustomerid_value"], account.as_str());
    assert_eq!(told(&session, id).await, [What::Created]);
    let etag = record["@odata.etag"].as_str().expect("an ETag");
    let changed = update(&session, id, json!({"jobtitle": "Head buyer"}), Some(etag)).await;
    let changed = raw(&changed.expect("a change").row.expect("a row"));
    assert_eq!(changed["jobtitle"], "Head buyer");
    assert_eq!(changed["firstname"], "Åse", "what is not named stays");
    assert_eq!(told(&session, id).await, [What::Changed, What::Created]);
    let history = session.history("contact", id, 1).await.expect("a history");
    assert_eq!(history[0].run, None);
    assert!(
        history[0]
            .fields
            .iter()
            .any(|field| field.column == "jobtitle")
    );
    bench.assert_equal(&session).await;
    // A sync finds nothing new, and one that reads everything anew finds the same to the byte.
    let runs = succeed(&session, SyncOptions::default()).await;
    assert!(
        runs.iter()
            .all(|run| run.inserted + run.updated + run.deleted == 0),
        "{runs:?}"
    );
    let before = shown(&session).await;
    session
        .invalidate("contact", &[])
        .await
        .expect("stale rows");
    let full = SyncOptions {
        full: true,
        ..SyncOptions::default()
    };
    succeed(&session, full).await;
    assert_eq!(before, shown(&session).await);
    let gone = session
        .delete_record("contact", id, None)
        .await
        .expect("a deletion");
    assert!(gone.row.expect("a row").deleted_at.is_some() && gone.stale.is_none());
    assert_eq!(
        told(&session, id).await,
        [What::Deleted, What::Changed, What::Created]
    );
    bench.assert_equal(&session).await;
    let again = session.delete_record("contact", id, None).await;
    assert_eq!(again.unwrap_err().code, "not_found");
    succeed(&session, SyncOptions::default()).await;
    assert_eq!(told(&session, id).await.len(), 3);
    bench.assert_equal(&session).await;
}

const READS_OF_ONE: &str = r#""match":{"method":"GET","path_contains":"/contacts("}"#;

async fn break_reads(bench: &Bench, action: &str) {
    bench.end_faults().await;
    let fault = format!("[{{{READS_OF_ONE},\"action\":{{{action}}}}}]");
    bench.control("faults", fault).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_back_is_a_success_and_comes_with_the_next_sync() {
    let bench = Bench::new(FEW).await;
    let session = bench.session().await;
    succeed(&session, SyncOptions::default()).await;
    let refused = r#""status":403,"error_code":"0x80040220","message":"missing prvReadContact""#;
    for (action, code) in [
        (r#""status":503"#, "service_unavailable"),
        (r#""reset":true"#, "answer_broken"),
        (r#""cut_body_at":40"#, "answer_broken"),
        (r#""html":true"#, "bad_reply"),
        (refused, "missing_privilege"),
    ] {
        let (new, old) = (Uuid::new_v4(), some_id(&bench).await);
        break_reads(&bench, action).await;
        let made = create(&session, new, json!({"lastname": "New"}))
            .await
            .expect(action);
        assert_eq!(made.stale.expect("a reason").code, code, "{action}");
        assert!(made.row.is_none() && !made.existed, "{action}");
        let before = mirrored(&session, old, "jobtitle").await;
        let title = format!("Title {action}");
        let changed = update(&session, old, json!({"jobtitle": title}), None).await;
        let changed = changed.expect(action);
        assert_eq!(changed.stale.expect("a reason").code, code, "{action}");
        let row = changed.row.expect("a row");
        assert!(
            row.stale_at.is_some() && row.deleted_at.is_none(),
            "{action}"
        );
        assert_eq!(raw(&row)["jobtitle"], before);
        assert_eq!(stale(&session).await, 1, "{action}");
        bench.end_faults().await;
        succeed(&session, SyncOptions::default()).await;
        assert_eq!(mirrored(&session, new, "lastname").await, "New", "{action}");
        assert_eq!(
            mirrored(&session, old, "jobtitle").await,
            title.as_str(),
            "{action}"
        );
        assert_eq!(stale(&session).await, 0, "{action}");
        assert_eq!(told(&session, new).await, [What::Created], "{action}");
        bench.assert_equal(&session).await;
    }
    // One that is read by id alone, since the delta link is gone and with it what it knew.
    let new = Uuid::new_v4();
    break_reads(
        &bench,
        r#""status":404,"error_code":"0x80040217","message":"x""#,
    )
    .await;
    let made = create(&session, new, json!({"lastname": "New"}))
        .await
        .expect("a contact");
    assert_eq!(made.stale.expect("a reason").code, "not_found");
    // The gate that a 429 shuts is shut for all that comes after it.
    break_reads(&bench, r#""status":429,"retry_after_s":600"#).await;
    let old = some_id(&bench).await;
    let begun = Instant::now();
    let changed = update(&session, old, json!({"jobtitle": "Limited"}), None).await;
    assert_eq!(
        changed.expect("a change").stale.expect("a reason").code,
        "throttled"
    );
    let refused = update(&session, old, json!({"jobtitle": "Never"}), None).await;
    assert_eq!(refused.unwrap_err().code, "throttled");
    assert!(begun.elapsed() < Duration::from_secs(60));
    bench.end_faults().await;
    let later = again(&bench).await;
    succeed(&later, SyncOptions::default()).await;
    assert_eq!(mirrored(&later, new, "lastname").await, "New");
    assert_eq!(mirrored(&later, old, "jobtitle").await, "Limited");
    bench.assert_equal(&later).await;
}

/// The same connection in another process, as far as it can tell.
async fn again(bench: &Bench) -> Session {
    let app: App = bench.app();
    let row = app.find(None).await.expect("the connection");
    app.session(&row).await.expect("a session")
}

async fn named(bench: &Bench, name: &str) -> usize {
    let truth = bench.truth("contact").await;
    truth.values().filter(|row| row["lastname"] == name).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_whose_answer_was_lost_is_done_once() {
    let bench = Bench::new(FEW).await;
    let session = bench.session().await;
    succeed(&session, SyncOptions::default()).await;
    let fault = |method: &str, times: &str| {
        format!(
            r#"[{{"match":{{"method":"{method}","path_contains":"/contacts"{times}}},"action":{{"reset":true}}}}]"#
        )
    };
    let id = Uuid::new_v4();
    let once = r#","times":1"#;
    bench.control("faults", fault("POST", once)).await;
    let made = create(&session, id, json!({"lastname": "Once"}))
        .await
        .expect("a contact");
    assert!(!made.existed && made.stale.is_none());
    assert_eq!(named(&bench, "Once").await, 1);
    let etag = raw(&made.row.expect("a row"))["@odata.etag"].clone();
    for condition in [None, etag.as_str()] {
        bench.control("faults", fault("PATCH", once)).await;
        let title = format!("Under {condition:?}");
        let etag = match condition {
            Some(_) => mirrored(&session, id, "@odata.etag").await,
            None => Value::Null,
        };
        let changed = update(&session, id, json!({"jobtitle": title}), etag.as_str()).await;
        let row = changed.expect("a change").row.expect("a row");
        assert_eq!(raw(&row)["jobtitle"], title.as_str());
    }
    bench.control("faults", fault("DELETE", once)).await;
    let gone = session
        .delete_record("contact", id, None)
        .await
        .expect("a deletion");
    assert!(gone.row.expect("a row").deleted_at.is_some());
    bench.assert_equal(&session).await;
    // No answer ever comes: nobody knows, and whoever asks again, even later, makes no second one.
    let id = Uuid::new_v4();
    bench.control("faults", fault("POST", "")).await;
    let error: Error = create(&session, id, json!({"lastname": "Lost"}))
        .await
        .unwrap_err();
    assert_eq!(error.code, "write_unanswered");
    assert!(error.message.contains("not known") && !error.hint.is_empty());
    assert_eq!(named(&bench, "Lost").await, 1);
    bench.end_faults().await;
    let later = again(&bench).await;
    let repeated = create(&later, id, json!({"lastname": "Lost"}))
        .await
        .expect("the contact");
    assert!(repeated.existed && repeated.stale.is_none());
    assert_eq!(raw(&repeated.row.expect("a row"))["lastname"], "Lost");
    assert_eq!(named(&bench, "Lost").await, 1);
    // Where nobody asks again, the next sync tells what became of it.
    let id = Uuid::new_v4();
    bench.control("faults", fault("POST", "")).await;
    create(&later, id, json!({"lastname": "Left"}))
        .await
        .unwrap_err();
    bench.end_faults().await;
    succeed(&later, SyncOptions::default()).await;
    assert_eq!(mirrored(&later, id, "lastname").await, "Left");
    bench.assert_equal(&later).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_are_kept_and_an_unknown_record_is_not_made() {
    let bench = Bench::new(FEW).await;
    let session = bench.session().await;
    succeed(&session, SyncOptions::default()).await;
    let unknown = Uuid::new_v4();
    for etag in [None, Some("*"), Some("W/\"1\"")] {
        let error = update(&session, unknown, json!({"lastname": "Nobody"}), etag)
            .await
            .unwrap_err();
        assert_eq!(error.code, "not_found", "{etag:?}");
        let error = session
            .delete_record("contact", unknown, etag)
            .await
            .unwrap_err();
        assert_eq!(error.code, "not_found", "{etag:?}");
    }
    assert_eq!(named(&bench, "Nobody").await, 0);
    // Somebody else was quicker: nothing is changed, and the mirror knows what they made of it.
    let id = some_id(&bench).await;
    let etag = mirrored(&session, id, "@odata.etag").await;
    let theirs = json!({"table": "contact", "id": id, "values": {"jobtitle": "Theirs"}});
    bench.control("records", theirs).await;
    for deletes in [false, true] {
        let refused = match deletes {
            false => update(&session, id, json!({"jobtitle": "Ours"}), etag.as_str()).await,
            true => session.delete_record("contact", id, etag.as_str()).await,
        };
        let error = refused.unwrap_err();
        assert_eq!(error.code, "version_conflict");
        assert!(error.reference.expect("a reference").contains("status 412"));
        assert_eq!(mirrored(&session, id, "jobtitle").await, "Theirs");
    }
    let etag = mirrored(&session, id, "@odata.etag").await;
    let changed = update(&session, id, json!({"jobtitle": "Ours"}), etag.as_str()).await;
    assert_eq!(
        raw(&changed.expect("a change").row.expect("a row"))["jobtitle"],
        "Ours"
    );
    // A record that was deleted there, of which the mirror does not know yet.
    let control = &bench.org.description().control_url;
    let body = json!({"table": "contact", "id": id}).to_string();
    let request = bench.http.delete(format!("{control}/records")).body(body);
    assert!(request.send().await.expect("a reply").status().is_success());
    let error = update(&session, id, json!({"jobtitle": "Late"}), None)
        .await
        .unwrap_err();
    assert_eq!(error.code, "not_found");
    assert_eq!(told(&session, id).await[0], What::Deleted);
    bench.assert_equal(&session).await;
    // What the organisation refuses is told in its words.
    let nowhere = format!("/accounts({})", Uuid::new_v4());
    let bound = json!({"lastname": "X", "parentcustomerid_account@odata.bind": nowhere});
    let (new, old) = (Uuid::new_v4(), some_id(&bench).await);
    let made = create(&session, new, bound.clone()).await.unwrap_err();
    let changed = update(&session, old, bound, None).await.unwrap_err();
    assert_eq!(
        (made.code.as_str(), changed.code.as_str()),
        ("unknown_reference", "unknown_reference")
    );
    let error = update(&session, old, json!({"nothing": 1}), None)
        .await
        .unwrap_err();
    assert!(
        error.code == "refused" && error.message.contains("nothing"),
        "{error:?}"
    );
    bench
        .control("privileges", r#"{"table":"contact","write":"none"}"#)
        .await;
    let error = update(&session, old, json!({"jobtitle": "No"}), None)
        .await
        .unwrap_err();
    assert_eq!(error.code, "missing_privilege");
    bench.assert_equal(&session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waiting_any_more_does_not_keep_a_write_from_being_read_back() {
    let bench = Bench::new(FEW).await;
    let session = bench.session().await;
    succeed(&session, SyncOptions::default()).await;
    break_reads(&bench, r#""delay_ms":400"#).await;
    let id = Uuid::new_v4();
    let waited = tokio::time::timeout(
        Duration::from_millis(200),
        create(&session, id, json!({"lastname": "Alone"})),
    );
    assert!(waited.await.is_err());
    let begun = Instant::now();
    while mirrored(&session, id, "lastname").await != "Alone" {
        assert!(begun.elapsed() < Duration::from_secs(20), "it never came");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Pages that were read before a deletion come after it: held back by the organisation, so that each
/// sync meets writes that its pages do not know of.
#[tokio::test(flavor = "multi_thread")]
async fn writes_while_syncs_run_in_two_processes_end_as_the_organisation_has_them() {
    let bench = Bench::new("account=40,contact=1500,lead=20,opportunity=20,systemuser=10").await;
    let (session, other) = (bench.session().await, again(&bench).await);
    session
        .set_preference("page-size", "250")
        .await
        .expect("a setting");
    succeed(&session, SyncOptions::default()).await;
    let late =
        r#"[{"match":{"method":"GET","path":"/api/data/v9.2/contacts"},"action":{"late_ms":120}}]"#;
    bench.control("faults", late).await;
    let stop = Arc::new(AtomicBool::new(false));
    let (writes, deletions) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let mut writers = Vec::new();
    for part in 0..4_usize {
        let ids: Vec<Uuid> = bench
            .truth("contact")
            .await
            .keys()
            .skip(part * 350)
            .take(350)
            .map(|id| id.parse().expect("an id"))
            .collect();
        let (session, stop) = (
            if part % 2 == 0 {
                session.clone()
            } else {
                other.clone()
            },
            Arc::clone(&stop),
        );
        let (writes, deletions) = (Arc::clone(&writes), Arc::clone(&deletions));
        writers.push(tokio::spawn(async move {
            let mut gone = Vec::new();
            let mut ids = ids.into_iter().cycle();
            for turn in 0_u64.. {
                if stop.load(Relaxed) {
                    return gone;
                }
                let id = ids.next().expect("an id");
                let result = match turn % 4 {
                    0 => {
                        create(
                            &session,
                            Uuid::new_v4(),
                            json!({"lastname": format!("New {turn}")}),
                        )
                        .await
                    }
                    1 => {
                        let deleted = session.delete_record("contact", id, None).await;
                        if deleted.is_ok() {
                            gone.push(id);
                            deletions.fetch_add(1, Relaxed);
                        }
                        deleted
                    }
                    _ => {
                        update(
                            &session,
                            id,
                            json!({"jobtitle": format!("Title {turn}")}),
                            None,
                        )
                        .await
                    }
                };
                match result {
                    Ok(written) => assert!(written.stale.is_none(), "{:?}", written.stale),
                    Err(error) => assert_eq!(error.code, "not_found"),
                }
                writes.fetch_add(1, Relaxed);
            }
            gone
        }));
    }
    // Full syncs, incremental ones, and proofs that repair, now here and now there.
    for round in 0..8 {
        let one = if round % 3 == 2 { &other } else { &session };
        let options = SyncOptions {
            full: round % 2 == 0,
            yes: true,
            tables: vec!["contact".into()],
            ..SyncOptions::default()
        };
        succeed(one, options).await;
        if round % 4 == 3 {
            let options = VerifyOptions {
                tables: vec!["contact".into()],
                repair: true,
                yes: true,
            };
            let proofs = one
                .verify(&options, &CancellationToken::new(), &|_, _| {})
                .await;
            assert!(proofs.expect("a proof")[0].error.is_none());
        }
    }
    stop.store(true, Relaxed);
    let mut gone = Vec::new();
    for writer in writers {
        gone.extend(writer.await.expect("a writer"));
    }
    let counts = (writes.load(Relaxed), deletions.load(Relaxed));
    assert!(counts.0 > 150 && counts.1 > 20, "{counts:?}");
    // Nothing that was deleted came back, not even for a while.
    for id in &gone {
        let told = told(&session, *id).await;
        assert_eq!(
            told.iter().filter(|what| **what == What::Deleted).count(),
            1,
            "{id} {told:?}"
        );
        assert_eq!(told[0], What::Deleted, "{id} {told:?}");
    }
    bench.end_faults().await;
    let runs = sync(&session, SyncOptions::default()).await;
    assert!(runs.iter().all(|run| run.error.is_none()), "{runs:?}");
    for session in [&session, &other] {
        bench.assert_equal(session).await;
    }
    let proofs = session
        .verify(
            &VerifyOptions::default(),
            &CancellationToken::new(),
            &|_, _| {},
        )
        .await
        .expect("proofs");
    assert!(proofs.iter().all(|proof| proof.equal), "{proofs:?}");
    assert_eq!(stale(&session).await, 0);
}
