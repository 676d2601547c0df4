//! Requests of the admin's own are kept as long as they should be, and no longer.

use super::*;

fn database(folder: &TempDir) -> AppDb {
    let key = DatabaseKey::from_bytes([7; 32]);
    let db = AppDb::open(&folder.path().join("app.db"), &key).unwrap();
    for number in [1, 2] {
        let connection = ConnectionRow {
            id: id(number),
            name: format!("Connection {number}"),
            ..ConnectionRow::default()
        };
        db.put_connection(&connection).unwrap();
    }
    db
}

fn request(path: &str) -> OwnRequest {
    OwnRequest {
        method: "PATCH".into(),
        path: path.into(),
        query: vec![("$select".into(), "name, \"quoted\"".into())],
        headers: vec![("If-Match".into(), "*".into())],
        body: Some("{\"name\":\"Ærø\"}".into()),
    }
}

#[test]
fn the_last_200_requests_of_a_connection_are_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let db = database(&folder);
    let other = db.begin_request(id(2), &request("other"), 1).unwrap();
    let mut last = 0;
    for number in 0..203 {
        let wanted = request(&format!("accounts({number})"));
        last = db.begin_request(id(1), &wanted, number).unwrap();
    }
    let sent = db.sent_requests(id(1)).unwrap();
    let ends = (&sent[0], &sent[199]);
    assert_eq!((sent.len(), ends.0.sent_at, ends.1.sent_at), (200, 202, 3));
    assert_eq!(ends.0.request, request("accounts(202)"));
    assert_eq!((ends.0.status, ends.0.duration_ms), (None, None));

    db.end_request(last, 84, Some(204), None).unwrap();
    db.end_request(last - 1, 9_000, None, Some("unreachable"))
        .unwrap();
    let sent = db.sent_requests(id(1)).unwrap();
    assert_eq!((sent[0].status, sent[0].duration_ms), (Some(204), Some(84)));
    assert_eq!(sent[1].error.as_deref(), Some("unreachable"));

    // A number is never given again: a request that is under way keeps its own.
    db.forget_requests(id(1), None).unwrap();
    assert!(db.sent_requests(id(1)).unwrap().is_empty());
    let next = db.begin_request(id(1), &request("x"), 1).unwrap();
    assert!(next > last);
    let kept = db.begin_request(id(1), &request("y"), 2).unwrap();
    db.forget_requests(id(1), Some(next)).unwrap();
    db.forget_requests(id(1), Some(other)).unwrap();
    let left = |connection| -> Vec<i64> {
        let sent = db.sent_requests(connection).unwrap();
        sent.iter().map(|sent| sent.id).collect()
    };
    assert_eq!((left(id(1)), left(id(2))), (vec![kept], vec![other]));
}

#[test]
fn of_a_body_that_is_too_long_only_the_size_is_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let db = database(&folder);
    for (bytes, is_kept) in [(1 << 20, true), ((1 << 20) + 1, false)] {
        let long = OwnRequest {
            body: Some("x".repeat(bytes)),
            ..request("accounts")
        };
        db.begin_request(id(1), &long, 1).unwrap();
        let sent = db.sent_requests(id(1)).unwrap().remove(0);
        assert_eq!(
            (sent.body_bytes, sent.request.body.is_some()),
            (bytes as u64, is_kept)
        );
    }
}

#[test]
fn requests_with_a_name_are_changed_renamed_removed_and_go_with_their_connection() {
    let folder = tempfile::tempdir().unwrap();
    let db = database(&folder);
    let names = |connection| -> Vec<String> {
        let saved = db.saved_requests(connection).unwrap();
        saved.into_iter().map(|saved| saved.name).collect()
    };
    db.save_request(id(1), "Who am I", &request("WhoAmI"))
        .unwrap();
    db.save_request(id(1), "accounts", &request("accounts"))
        .unwrap();
    db.save_request(id(2), "Who am I", &request("other"))
        .unwrap();
    // The same name, whatever its case, is the same request.
    db.save_request(id(1), "Accounts", &request("accounts?$top=1"))
        .unwrap();
    assert_eq!(names(id(1)), ["Accounts", "Who am I"]);
    let accounts = db.saved_requests(id(1)).unwrap().remove(0);
    assert_eq!(accounts.request, request("accounts?$top=1"));

    let rename = |name: &str| db.rename_request(id(1), accounts.id, name).unwrap();
    assert!(!rename("WHO AM I") && rename("ACCOUNTS") && rename("Zebra"));
    assert!(db.rename_request(id(2), accounts.id, "Mine").unwrap());
    assert_eq!(names(id(1)), ["Who am I", "Zebra"]);
    db.remove_request(id(2), accounts.id).unwrap();
    db.remove_request(id(1), accounts.id).unwrap();
    assert_eq!(names(id(1)), ["Who am I"]);

    db.begin_request(id(1), &request("x"), 1).unwrap();
    db.delete_connection(id(1)).unwrap();
    assert!(names(id(1)).is_empty() && db.sent_requests(id(1)).unwrap().is_empty());
    assert_eq!(names(id(2)), ["Who am I"]);
    assert!(db.begin_request(id(1), &request("x"), 1).is_err());
}
