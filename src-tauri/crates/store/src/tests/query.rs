//! Statements that read, and statements that try to do more.

use std::time::Duration;

use super::*;

const LIMITS: QueryLimits = QueryLimits {
    time: Duration::from_secs(20),
    rows: 1_000,
};

fn bench() -> Bench {
    let bench = Bench::new();
    bench.mirror.begin("contact", FULL, 1).unwrap();
    bench.apply(upserts(0..40, 5), None, Some("secret-delta-link"), 1);
    bench.mirror.reconcile("contact", 1).unwrap();
    bench.mirror.begin("contact", Begin::Following, 2).unwrap();
    let gone = vec![Change::Delete(id(39))];
    bench.apply(gone, None, Some("secret-delta-link"), 2);
    bench
}

fn texts(result: &QueryResult) -> Vec<String> {
    let row = |row: &Vec<QueryValue>| {
        let values: Vec<String> = row
            .iter()
            .map(|value| match value {
                QueryValue::Null => "null".to_owned(),
                QueryValue::Integer(number) => number.to_string(),
                QueryValue::Real(number) => number.to_string(),
                QueryValue::Text(text) => text.clone(),
                QueryValue::Bytes(bytes) => format!("{bytes:?}"),
            })
            .collect();
        values.join("|")
    };
    result.rows.iter().map(row).collect()
}

#[test]
fn statements_read_live_rows_under_dataverse_s_names() {
    let bench = bench();
    for (sql, expect) in [
        ("SELECT count(*) FROM contact", "39"),
        ("SELECT count(*) FROM contacts WHERE 1", "39"),
        (
            "SELECT COUNT(*) FROM Contacts c JOIN contact d ON c.fullname = d.fullname",
            "39",
        ),
        (
            "SELECT fullname, rating, rating_label FROM contacts ORDER BY fullname LIMIT 1",
            "Person 000|1|Preferred",
        ),
        (
            "SELECT rating_label, count(*), max(income) FROM contact GROUP BY 1 ORDER BY 1",
            "Blocked|19|55.5\nPreferred|20|57",
        ),
        (
            "WITH big AS (SELECT * FROM contact WHERE income > 50) SELECT count(*) FROM big",
            "5",
        ),
        (
            "SELECT parentcustomerid, parentcustomerid_label, _parentcustomerid_value FROM contact LIMIT 1",
            "null|null|null",
        ),
        ("SELECT value FROM json_each('[1,2]')", "1\n2"),
        (
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i FROM n",
            "1\n2\n3",
        ),
        ("VALUES (1, x'00ff')", "1|[0, 255]"),
        (
            "SELECT moment(-1), moment(1700000000123), day(-1), day(19000)",
            "1969-12-31T23:59:59.999Z|2023-11-14T22:13:20.123Z|1969-12-31|2022-01-08",
        ),
        (
            "SELECT \"odd\"\"; drop table mirrored; --\" FROM contact LIMIT 1",
            "Note 0: grön energi",
        ),
    ] {
        let result = bench
            .mirror
            .query(sql, LIMITS)
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert_eq!(texts(&result).join("\n"), expect, "{sql}");
    }
}

#[test]
fn what_does_more_than_read_published_views_is_refused() {
    let bench = bench();
    let other = bench.folder.path().join("other.db");
    let attach = format!("ATTACH '{}' AS other", other.display());
    let vacuum = format!("VACUUM INTO '{}'", other.display());
    let before = bench.mirror.tables().unwrap();
    for sql in [
        "DELETE FROM contact",
        "DELETE FROM data_contact",
        "UPDATE data_contact SET fullname = 'x'",
        "INSERT INTO mirrored (name, position, metadata) VALUES ('x', 1, '{}')",
        "REPLACE INTO target VALUES (1, 'x')",
        "DROP TABLE data_contact",
        "DROP VIEW contact",
        "CREATE TABLE x (a)",
        "CREATE TEMP TABLE x (a)",
        "CREATE TEMP VIEW account AS SELECT * FROM mirrored",
        "CREATE TEMP TRIGGER t AFTER INSERT ON target BEGIN SELECT 1; END",
        "CREATE INDEX x ON data_contact (fullname)",
        "ALTER TABLE data_contact ADD COLUMN x",
        attach.as_str(),
        vacuum.as_str(),
        "DETACH main",
        "PRAGMA query_only = off",
        "PRAGMA key",
        "PRAGMA table_info(mirrored)",
        "SELECT * FROM pragma_table_info('mirrored')",
        "SELECT * FROM pragma_database_list",
        "SELECT load_extension('/tmp/x.so')",
        "SELECT sqlcipher_export('main')",
        "SELECT fts5_source_id()",
        "BEGIN",
        "SAVEPOINT x",
        "ANALYZE",
        "REINDEX",
        "VACUUM",
        "EXPLAIN SELECT * FROM contact",
        "EXPLAIN QUERY PLAN SELECT * FROM contact",
        "SELECT 1; DROP TABLE mirrored",
        // Internal tables, however they are named.
        "SELECT delta_link FROM mirrored",
        "SELECT * FROM main.mirrored",
        "SELECT count(*) FROM mirrored",
        "SELECT 1 FROM dictionary",
        "SELECT * FROM lookup_name",
        "SELECT * FROM data_contact",
        "SELECT bytes FROM raw_contact",
        "SELECT * FROM search_contact",
        "SELECT sql FROM sqlite_schema",
        "SELECT * FROM sqlite_master",
        "SELECT * FROM sqlite_temp_schema",
        "SELECT * FROM dbstat",
        // Names of a statement's own that stand for a view's.
        "WITH contact AS (SELECT delta_link FROM mirrored) SELECT * FROM contact",
        "SELECT * FROM (SELECT delta_link FROM mirrored) AS contact",
        "WITH contacts AS (SELECT * FROM data_contact) SELECT * FROM contacts",
        "SELECT (SELECT delta_link FROM mirrored LIMIT 1) FROM contact",
        "SELECT 1 FROM contact WHERE EXISTS (SELECT 1 FROM mirrored WHERE delta_link IS NOT NULL)",
        "SELECT 1 FROM contact UNION SELECT delta_link FROM mirrored",
        "SELECT 1 FROM contact ORDER BY (SELECT delta_link FROM mirrored)",
    ] {
        match bench.mirror.query(sql, LIMITS) {
            Err(StoreError::QueryRefused) => {}
            // What is not even there for it cannot be read either.
            Err(StoreError::BadQuery(words)) => {
                assert!(words.starts_with("no such"), "{sql}: {words}");
            }
            other => panic!("{sql}: {other:?}"),
        }
    }
    assert_eq!(bench.mirror.tables().unwrap(), before);
    assert!(!other.exists());
}

#[test]
fn a_statement_is_limited_in_rows_time_and_size() {
    let bench = bench();
    let few = QueryLimits { rows: 10, ..LIMITS };
    let result = bench
        .mirror
        .query("SELECT fullname FROM contact", few)
        .unwrap();
    assert_eq!((result.rows.len(), result.truncated), (10, true));
    let all = QueryLimits { rows: 39, ..LIMITS };
    let result = bench
        .mirror
        .query("SELECT fullname FROM contact", all)
        .unwrap();
    assert_eq!((result.rows.len(), result.truncated), (39, false));
    let quick = QueryLimits {
        time: Duration::from_millis(50),
        ..LIMITS
    };
    let endless =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
    let error = bench.mirror.query(endless, quick).unwrap_err();
    assert_eq!(error.code(), "query_too_long");
    for sql in [
        "SELECT printf('%1000000000d', 1)",
        "SELECT replace(hex(printf('%30000000d', 1)), '2', 'xxxxxxxx')",
        "nonsense",
        "",
        "SELECT nothing FROM contact",
    ] {
        let error = bench.mirror.query(sql, LIMITS).unwrap_err();
        assert!(
            matches!(error.code(), "bad_query" | "query_refused"),
            "{sql}: {error:?}"
        );
    }
}
