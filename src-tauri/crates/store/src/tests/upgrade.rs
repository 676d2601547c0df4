//! Databases that earlier versions wrote are opened, migrated, and go on.

use super::*;
use crate::database::{PageHmac, migrate, open_writable, version};
use crate::{app_db, schema};

const KEY: [u8; 32] = [7; 32];

#[test]
fn a_mirror_of_an_earlier_version_keeps_its_rows_and_goes_on_from_its_link() {
    let newest = schema::MIGRATIONS.len();
    for earlier in 1..newest {
        let folder = tempfile::tempdir().unwrap();
        let (path, key) = (
            folder.path().join("mirror.db"),
            DatabaseKey::from_bytes(KEY),
        );
        {
            let mut connection = open_writable(&path, &key, PageHmac::Sha256).unwrap();
            migrate(&mut connection, &schema::MIGRATIONS[..earlier]).unwrap();
            write_as_it_was(&connection);
        }
        let mirror = Mirror::open(&path, &key).unwrap();
        let connection = open_writable(&path, &key, PageHmac::Sha256).unwrap();
        assert_eq!(version(&connection).unwrap(), newest as i64);
        drop(connection);
        let state = mirror.tables().unwrap().remove(0);
        assert_eq!(
            (state.live, state.deleted, state.last_sync),
            (3, 1, Some(11))
        );
        let idle = Checkpoint::Idle {
            delta_link: Some("d1".into()),
            mark: None,
            needs_full: false,
        };
        assert_eq!(state.checkpoint, idle, "from version {earlier}");
        // The next sync follows the link that was kept, and notes what it changes.
        mirror.begin("contact", Begin::Following, 20).unwrap();
        let mut batch = mirror.batch("contact");
        batch.take(Change::Upsert(record(1, 9, "Renamed")));
        batch.take(Change::Delete(id(2)));
        let outcome = mirror
            .apply_page(&table("contact"), batch, end(None, Some("d2")), 21)
            .unwrap();
        assert_eq!((outcome.updated, outcome.deleted), (1, 1));
        let told = mirror.history("contact", id(1), 9).unwrap();
        assert_eq!(
            told[0].fields[0].from.as_ref().unwrap().json,
            "\"Person 001\""
        );
        let row = mirror.record("contact", id(3), true).unwrap().unwrap();
        assert_eq!(
            row.raw.as_deref(),
            Some(record(3, 5, "Person 003").raw.as_bytes())
        );
        let gone = mirror.record("contact", id(0), false).unwrap().unwrap();
        assert_eq!(gone.deleted_at, Some(7));
        mirror.index_search("contact", 100).unwrap();
        let found = ViewSpec {
            table: "contact".into(),
            search: Some("renamed".into()),
            ..ViewSpec::default()
        };
        assert_eq!(mirror.open_view(&found).unwrap().rowids.len(), 1);
    }
}

/// Contacts 0 to 3, the first of them deleted, as every version has written them.
fn write_as_it_was(connection: &rusqlite::Connection) {
    let contact = table("contact");
    schema::create(connection, &contact).unwrap();
    connection
        .execute(
            "INSERT INTO mirrored (name, position, metadata, phase, run, delta_link, needs_full, \
             live, dead, last_sync) VALUES ('contact', 0, ?, 'idle', 4, 'd1', 0, 3, 1, 11)",
            [serde_json::to_string(&contact).unwrap()],
        )
        .unwrap();
    for number in 0..4 {
        let name = format!("Person {number:03}");
        connection
            .execute(
                "INSERT INTO data_contact (_id, _version, _deleted_at, fullname) VALUES (?, 5, ?, ?)",
                rusqlite::params![
                    ids::StoredId::from(id(number)),
                    (number == 0).then_some(7),
                    name
                ],
            )
            .unwrap();
        let bytes = codec::compressor(None)
            .unwrap()
            .compress(record(number, 5, &name).raw.as_bytes())
            .unwrap();
        connection
            .execute(
                "INSERT INTO raw_contact VALUES (?, ?, ?)",
                rusqlite::params![connection.last_insert_rowid(), codec::NO_DICTIONARY, bytes],
            )
            .unwrap();
    }
}

#[test]
fn app_data_of_an_earlier_version_is_copied_before_it_is_migrated() {
    let newest = app_db::MIGRATIONS.len();
    for earlier in 1..newest {
        let folder = tempfile::tempdir().unwrap();
        let (path, key) = (folder.path().join("app.db"), DatabaseKey::from_bytes(KEY));
        let connection = id(1);
        {
            let mut database = open_writable(&path, &key, PageHmac::Sha512).unwrap();
            migrate(&mut database, &app_db::MIGRATIONS[..earlier]).unwrap();
            database
                .execute(
                    "INSERT INTO connection (id, name, environment, other_origins, authority, \
                     tenant, client_id, flow, public_client, redirect_port, user, organization, \
                     organization_version, environment_kind, created_at, signed_in, refresh_token) \
                     VALUES (?, 'Norrvale', 'https://norrvale.example/', '[]', \
                     'https://login.example/', 'tenant', 'client', 'browser', 0, NULL, NULL, NULL, \
                     NULL, 'other', 5, 1, 'token')",
                    [connection],
                )
                .unwrap();
            database
                .execute(
                    "INSERT INTO run VALUES (8, ?, 'lead', 'full', 'why', 'success', 1, 2, 3, 0, 0, \
                     0, 1, 2, 0, 0, NULL)",
                    [connection],
                )
                .unwrap();
            database
                .execute("INSERT INTO setting VALUES ('theme', 'dark')", [])
                .unwrap();
        }
        let db = AppDb::open(&path, &key).unwrap();
        let row = db.connection("norrvale").unwrap().unwrap();
        assert!(row.id == connection && row.signed_in);
        assert!(db.refresh_token(connection).unwrap().is_some());
        assert_eq!(db.setting("theme").unwrap().as_deref(), Some("dark"));
        let run = db.runs(connection, Some("lead"), 5).unwrap().remove(0);
        assert_eq!((run.id, run.inserted, run.reason.as_str()), (8, 3, "why"));
        // A mirror may still name a run that went with its connection: no other gets its number.
        db.delete_connection(connection).unwrap();
        assert!(db.runs(connection, None, 5).unwrap().is_empty());
        db.put_connection(&row).unwrap();
        assert_eq!(db.put_run(&RunRow { id: 0, ..run }).unwrap(), 9);
        // The copy is of the earlier version, whole, and encrypted with the same key.
        let copy = folder.path().join(format!("app.v{earlier}.db"));
        let copy = open_writable(&copy, &key, PageHmac::Sha512).unwrap();
        assert_eq!(version(&copy).unwrap(), earlier as i64);
        let kept: i64 = copy
            .query_row("SELECT count(*) FROM run", [], |row| row.get(0))
            .unwrap();
        assert_eq!(kept, 1);
    }
}

#[test]
fn runs_are_bounded_and_the_newest_of_each_table_stays() {
    let folder = tempfile::tempdir().unwrap();
    let key = DatabaseKey::from_bytes(KEY);
    let db = AppDb::open(&folder.path().join("app.db"), &key).unwrap();
    let connection = ConnectionRow {
        id: id(1),
        name: "Norrvale".into(),
        environment: String::new(),
        other_origins: vec![],
        authority: String::new(),
        tenant: String::new(),
        client_id: String::new(),
        flow: "browser".into(),
        public_client: false,
        redirect_port: None,
        user: None,
        organization: None,
        organization_version: None,
        environment_kind: "other".into(),
        created_at: 5,
        signed_in: true,
        secret_expires: None,
    };
    db.put_connection(&connection).unwrap();
    let put = |table: &str, started_at| {
        let run = RunRow {
            connection: connection.id,
            table: table.into(),
            status: "running".into(),
            started_at,
            ..RunRow::default()
        };
        db.put_run(&run).unwrap()
    };
    put("lead", 1);
    for started_at in 2..=10 {
        put("contact", started_at);
    }
    let left = || -> Vec<i64> {
        let runs = db.runs(connection.id, None, 99).unwrap();
        runs.iter().map(|run| run.started_at).collect()
    };
    assert_eq!(db.purge_runs(connection.id, None, 99).unwrap(), 0);
    assert_eq!(db.purge_runs(connection.id, Some(5), 99).unwrap(), 3);
    assert_eq!(left(), [10, 9, 8, 7, 6, 5, 1]);
    assert_eq!(db.purge_runs(connection.id, None, 3).unwrap(), 3);
    assert_eq!(left(), [10, 9, 8, 1]);
    assert_eq!(db.last_runs(connection.id).unwrap().len(), 2);
    // A number that the history names is never given again.
    assert_eq!(db.purge_runs(connection.id, Some(999), 1).unwrap(), 2);
    assert_eq!(put("contact", 11), 11);
    assert_eq!(
        db.end_runs(connection.id, "interrupted", "{}")
            .unwrap()
            .len(),
        3
    );
    assert!(
        db.end_runs(connection.id, "interrupted", "{}")
            .unwrap()
            .is_empty()
    );
    // Another connection's settings stay.
    db.set_setting(&AppDb::tables_key(connection.id), "[]")
        .unwrap();
    db.set_setting(&AppDb::tables_key(id(2)), "[]").unwrap();
    db.delete_connection(connection.id).unwrap();
    assert_eq!(db.setting(&AppDb::tables_key(connection.id)).unwrap(), None);
    assert!(db.setting(&AppDb::tables_key(id(2))).unwrap().is_some());
}
