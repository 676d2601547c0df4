//! Whatever happens to the organisation's rows, a sync leaves the mirror equal to it: texts byte by
//! byte, decimals digit by digit.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use salesmirror_core::{RunStatus, Selectors, Session, SyncOptions, What};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::bench::{Bench, sync};

/// Each case signs in and syncs a small organisation three times: so many take some 20 s.
const CASES: u32 = 12;
/// Columns of every kind that can be selected, beside those that accounts have.
const COLUMNS: [(&str, &str, &str); 16] = [
    ("nrv_text", "text", ""),
    ("nrv_memo", "memo", ""),
    ("nrv_integer", "integer", ""),
    ("nrv_bigint", "bigint", ""),
    ("nrv_decimal", "decimal", ""),
    ("nrv_double", "double", ""),
    ("nrv_money", "money", ""),
    ("nrv_boolean", "boolean", "0:No,1:Yes"),
    ("nrv_choice", "choice", "1:One,2:Two"),
    ("nrv_several", "multiselect", "1:One,2:Two,3:Three"),
    ("nrv_moment", "datetime", ""),
    ("nrv_fixed", "fixeddatetime", ""),
    ("nrv_day", "dateonly", ""),
    ("nrv_lookup", "lookup", "lead"),
    ("nrv_customer", "customer", "account,contact"),
    ("nrv_key", "id", ""),
];

/// Values by property, as JSON whose digits nobody has touched.
type Cells = BTreeMap<&'static str, String>;

#[derive(Debug, Clone)]
enum Step {
    /// The Web API creates it, or the control interface where `exact`.
    Create {
        cells: Cells,
        exact: bool,
    },
    Update {
        row: prop::sample::Index,
        cells: Cells,
        exact: bool,
    },
    Delete {
        row: prop::sample::Index,
    },
    Sync,
}

/// Texts of every plane, with NUL and what a database or JSON might trip over.
fn texts() -> impl Strategy<Value = String> {
    let strange = prop::sample::select(vec![
        "\0",
        "a\0b",
        "",
        " ",
        "\u{feff}x",
        "e\u{301}",
        "\u{202e}",
        "\u{fffd}",
        "\u{ffff}",
        "𝄞",
        "\u{10ffff}",
        "\"; drop table account; --",
        "\r\n\t",
        "\u{7f}\u{85}\u{2028}",
        "\\u0000",
    ]);
    prop_oneof![
        2 => prop::collection::vec(any::<char>(), 0..40).prop_map(String::from_iter),
        1 => strange.prop_map(str::to_owned),
    ]
}

fn json_texts() -> impl Strategy<Value = String> {
    texts().prop_map(|text| json!(text).to_string())
}

/// Up to twelve digits before the point and ten behind it: more than a double holds.
fn decimals() -> impl Strategy<Value = String> {
    (
        any::<bool>(),
        0..100_000_000_000_u64,
        0..10_000_000_000_u64,
        1..=10_usize,
    )
        .prop_map(|(negative, whole, part, digits)| {
            let sign = if negative { "-" } else { "" };
            format!("{sign}{whole}.{}", &format!("{part:010}")[..digits])
        })
}

fn moments() -> impl Strategy<Value = String> {
    (
        1_753..=9_999_u32,
        1..=12_u32,
        1..=28_u32,
        0..24_u32,
        0..60_u32,
        0..60_u32,
    )
        .prop_map(|(year, month, day, hour, minute, second)| {
            format!("\"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z\"")
        })
}

/// A value of a column, as a service would send it.
fn value(kind: &str) -> BoxedStrategy<String> {
    let some = match kind {
        "memo" => prop_oneof![
            12 => json_texts(),
            1 => any::<char>().prop_map(|letter| {
                json!(letter.to_string().repeat(1 << 20 >> letter.len_utf8().ilog2())).to_string()
            }),
        ]
        .boxed(),
        "integer" => any::<i32>().prop_map(|number| number.to_string()).boxed(),
        "bigint" => any::<i64>().prop_map(|number| number.to_string()).boxed(),
        "decimal" | "money" => decimals().boxed(),
        "double" => (-1.0e11..1.0e11_f64)
            .prop_map(|number| format!("{number:?}"))
            .boxed(),
        "boolean" => any::<bool>().prop_map(|truth| truth.to_string()).boxed(),
        "choice" => (1..=2_u8).prop_map(|number| number.to_string()).boxed(),
        "multiselect" => prop::sample::subsequence(vec!["1", "2", "3"], 1..=3)
            .prop_map(|chosen| json!(chosen.join(",")).to_string())
            .boxed(),
        "datetime" | "fixeddatetime" => moments().boxed(),
        "dateonly" => moments()
            .prop_map(|text| format!("{}\"", &text[..11]))
            .boxed(),
        "lookup" | "customer" | "id" => any::<u128>()
            .prop_map(|bits| json!(uuid::Uuid::from_u128(bits | 1).to_string()).to_string())
            .boxed(),
        _ => json_texts().boxed(),
    };
    prop_oneof![1 => Just("null".to_owned()), 6 => some].boxed()
}

fn cells() -> impl Strategy<Value = Cells> {
    let kinds: Vec<_> = COLUMNS
        .into_iter()
        .map(|(name, kind, _)| {
            let name = match kind {
                "lookup" | "customer" => &*format!("_{name}_value").leak(),
                _ => name,
            };
            (prop::option::of(value(kind))).prop_map(move |value| (name, value))
        })
        .collect();
    (kinds, prop::option::of(json_texts())).prop_map(|(cells, name)| {
        let mut all: Cells = cells
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect();
        all.extend(name.map(|name| ("name", name)));
        all
    })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let row = any::<prop::sample::Index>;
    let step = prop_oneof![
        4 => (cells(), any::<bool>()).prop_map(|(cells, exact)| Step::Create { cells, exact }),
        6 => (row(), cells(), any::<bool>())
            .prop_map(|(row, cells, exact)| Step::Update { row, cells, exact }),
        3 => row().prop_map(|row| Step::Delete { row }),
        1 => Just(Step::Sync),
    ];
    prop::collection::vec(step, 1..40)
}

#[test]
fn after_any_sequence_of_writes_a_sync_leaves_the_mirror_equal_to_the_organisation() {
    let seed = std::env::var("SALESMIRROR_SEED")
        .ok()
        .and_then(|text| u128::from_str_radix(&text, 16).ok())
        .unwrap_or_else(|| uuid::Uuid::new_v4().as_u128());
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(&seed.to_be_bytes());
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        // Each attempt is an organisation of its own.
        max_shrink_iters: 60,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let outcome = TestRunner::new_with_rng(config, rng)
        .run(&steps(), |steps| runtime.block_on(replay(&steps)));
    if let Err(failure) = outcome {
        panic!("again with SALESMIRROR_SEED={seed:032x}\n{failure}");
    }
}

async fn replay(steps: &[Step]) -> Result<(), TestCaseError> {
    let bench = Bench::new("account=4,contact=3,lead=3,opportunity=2,systemuser=4").await;
    for (column, kind, of) in COLUMNS {
        let body =
            json!({"table": "account", "action": "add", "column": column, "type": kind, "of": of});
        control(&bench, "POST", "columns", &body.to_string()).await?;
    }
    let session = bench.session().await;
    let mut writer = Writer::new(&bench).await;
    writer.compare(&session).await?;
    for step in steps {
        writer.take(step, &session).await?;
    }
    writer.compare(&session).await?;
    retell(&session, &writer.first).await
}

/// Whatever the history tells of a record, one thing after the other, leads from how it first came to
/// how it is now.
async fn retell(session: &Session, first: &Rows) -> Result<(), TestCaseError> {
    let last = mirrored(session).await;
    for (id, row) in first {
        let mut row: BTreeMap<&str, &str> = row
            .iter()
            .map(|(name, raw)| (name.as_str(), raw.get()))
            .collect();
        let guid = salesmirror_core::parse_guid(id).expect("an id");
        let history = session
            .history("account", guid, 1_000)
            .await
            .expect("a history");
        let mut is_deleted = false;
        for (place, happening) in history.iter().rev().enumerate() {
            match happening.what {
                What::Deleted => prop_assert!(!std::mem::replace(&mut is_deleted, true), "{id}"),
                What::Returned => prop_assert!(std::mem::take(&mut is_deleted), "{id}"),
                What::Changed => prop_assert!(!is_deleted, "{id}"),
                What::Created => prop_assert!(place == 0, "{id}"),
            }
            for change in &happening.fields {
                let wire = format!("_{}_value", change.column);
                let name = match row.contains_key(wire.as_str()) {
                    true => wire.as_str(),
                    false => change.column.as_str(),
                };
                let [from, to] = [&change.from, &change.to]
                    .map(|told| told.as_ref().map_or("null", |told| told.json.as_str()));
                let value = row.get_mut(name);
                prop_assert!(value.is_some(), "{id} has no {name}");
                let value = value.expect("a value");
                let (was, from) = (plain(name, value), plain(name, from));
                prop_assert!(
                    was == from,
                    "{id} {name}: it was {}, and changed from {}",
                    shortened(&was),
                    shortened(&from)
                );
                *value = to;
            }
        }
        prop_assert_eq!(is_deleted, !last.contains_key(id), "{}", id);
        let Some(now) = last.get(id) else { continue };
        for (name, raw) in now {
            // Says of every change only that there was one.
            if name == "versionnumber" {
                continue;
            }
            let (told, is) = (plain(name, row[name.as_str()]), plain(name, raw.get()));
            prop_assert!(
                told == is,
                "{id} {name}: the history tells {}, the mirror has {}",
                shortened(&told),
                shortened(&is)
            );
        }
    }
    Ok(())
}

async fn control(bench: &Bench, method: &str, path: &str, body: &str) -> Result<(), TestCaseError> {
    let url = format!("{}/{path}", bench.org.description().control_url);
    let method = method.parse().expect("a method");
    let request = bench.http.request(method, url).body(body.to_owned());
    let reply = request.send().await.expect("a reply");
    let status = reply.status();
    let text = reply.text().await.expect("a text");
    prop_assert!(status.is_success(), "{path}: {status} {text}");
    Ok(())
}

/// A client that is not ours.
struct Writer<'a> {
    bench: &'a Bench,
    token: String,
    /// Each row as a sync first brought it.
    first: Rows,
}

impl<'a> Writer<'a> {
    async fn new(bench: &'a Bench) -> Self {
        let org = bench.org.description();
        let url = format!("{}{}/oauth2/v2.0/token", org.authority_url, org.tenant_id);
        let scope = format!("{}/.default", org.environment_url);
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &org.client_id),
            ("client_secret", &org.client_secret),
            ("scope", &scope),
        ];
        let reply = bench.http.post(url).form(&form).send().await;
        let tokens: Value =
            serde_json::from_str(&reply.expect("a reply").text().await.expect("a text"))
                .expect("JSON");
        let token = tokens["access_token"].as_str().expect("a token").to_owned();
        Self {
            bench,
            token,
            first: Rows::new(),
        }
    }

    async fn take(&mut self, step: &Step, session: &Session) -> Result<(), TestCaseError> {
        match step {
            Step::Create { cells, exact: true } => self.put(None, cells).await,
            Step::Create {
                cells,
                exact: false,
            } => self.send("POST", "", cells).await,
            Step::Update { row, cells, exact } => {
                let Some(id) = self.pick(row).await else {
                    return Ok(());
                };
                if *exact {
                    self.put(Some(&id), cells).await
                } else {
                    self.send("PATCH", &format!("({id})"), cells).await
                }
            }
            Step::Delete { row } => match self.pick(row).await {
                Some(id) => self.send("DELETE", &format!("({id})"), &Cells::new()).await,
                None => Ok(()),
            },
            Step::Sync => self.compare(session).await,
        }
    }

    /// Syncs, and fails where the mirror differs from the organisation.
    async fn compare(&mut self, session: &Session) -> Result<(), TestCaseError> {
        compare(self.bench, session).await?;
        for (id, row) in mirrored(session).await {
            self.first.entry(id).or_insert(row);
        }
        Ok(())
    }

    async fn pick(&self, row: &prop::sample::Index) -> Option<String> {
        let ids: Vec<String> = truth(self.bench).await.into_keys().collect();
        (!ids.is_empty()).then(|| row.get(&ids).clone())
    }

    async fn put(&self, id: Option<&str>, cells: &Cells) -> Result<(), TestCaseError> {
        let id = id.map_or("null".to_owned(), |id| json!(id).to_string());
        let body = format!(
            "{{\"table\":\"account\",\"id\":{id},\"values\":{}}}",
            object(cells)
        );
        control(self.bench, "POST", "records", &body).await
    }

    /// Lookups are bound by navigation properties and to rows that are there: those are put by the
    /// control interface.
    async fn send(&self, method: &str, key: &str, cells: &Cells) -> Result<(), TestCaseError> {
        let mut cells = cells.clone();
        cells.retain(|name, _| !name.starts_with('_'));
        let environment = &self.bench.org.description().environment_url;
        let url = format!("{environment}/api/data/v9.2/accounts{key}");
        let mut request = self
            .bench
            .http
            .request(method.parse().expect("a method"), url)
            .bearer_auth(&self.token);
        if method != "DELETE" {
            request = request
                .header("content-type", "application/json")
                .body(object(&cells));
        }
        let reply = request.send().await.expect("a reply");
        let status = reply.status().as_u16();
        let text = reply.text().await.expect("a text");
        prop_assert_eq!(status, 204, "{} {}", method, text);
        Ok(())
    }
}

fn object(cells: &Cells) -> String {
    let pairs: Vec<String> = cells
        .iter()
        .map(|(name, raw)| format!("\"{name}\":{raw}"))
        .collect();
    format!("{{{}}}", pairs.join(","))
}

type Rows = BTreeMap<String, BTreeMap<String, Box<RawValue>>>;

fn rows<'t>(lines: impl Iterator<Item = &'t str>) -> Rows {
    lines
        .map(|line| {
            let mut row: BTreeMap<String, Box<RawValue>> =
                serde_json::from_str(line).expect("a row");
            row.retain(|name, _| !name.contains('@') && !name.starts_with("_deleted"));
            row.retain(|name, _| !name.starts_with("_stale"));
            (
                serde_json::from_str(row["accountid"].get()).expect("an id"),
                row,
            )
        })
        .collect()
}

async fn truth(bench: &Bench) -> Rows {
    let url = format!("{}/table/account", bench.org.description().control_url);
    let reply = bench.http.get(url).send().await.expect("a reply");
    rows(reply.text().await.expect("a text").lines())
}

async fn mirrored(session: &Session) -> Rows {
    let (_, lines) = session
        .records_json("account", &Selectors::default(), &[], 0, usize::MAX)
        .await
        .expect("records");
    rows(lines.iter().map(String::as_str))
}

async fn compare(bench: &Bench, session: &Session) -> Result<(), TestCaseError> {
    for run in sync(session, SyncOptions::default()).await {
        prop_assert_eq!(run.status, RunStatus::Success, "{:?}", run);
    }
    let truth = truth(bench).await;
    let mirror = mirrored(session).await;
    prop_assert_eq!(
        mirror.keys().collect::<Vec<_>>(),
        truth.keys().collect::<Vec<_>>()
    );
    for (id, row) in &truth {
        let copy = &mirror[id];
        prop_assert_eq!(
            copy.keys().collect::<Vec<_>>(),
            row.keys().collect::<Vec<_>>()
        );
        for (name, raw) in row {
            let (one, other) = (plain(name, raw.get()), plain(name, copy[name].get()));
            prop_assert!(
                one == other,
                "{id} {name}: the organisation has {}, the mirror {}",
                shortened(&one),
                shortened(&other)
            );
        }
    }
    Ok(())
}

/// One spelling for each value: a text without its escapes, a number without the zeros at its end.
fn plain(name: &str, raw: &str) -> String {
    if let Ok(text) = serde_json::from_str::<String>(raw) {
        return format!("text {text}");
    }
    if !raw.starts_with(['-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) {
        return raw.to_owned();
    }
    // A double is the number that its digits are nearest to.
    if name == "nrv_double" || name.ends_with("itude") {
        return format!(
            "double {:x}",
            raw.parse::<f64>().expect("a number").to_bits()
        );
    }
    let digits = match raw.split_once('.') {
        Some(_) => raw.trim_end_matches('0').trim_end_matches('.'),
        None => raw,
    };
    if digits == "-0" { "0" } else { digits }.to_owned()
}

fn shortened(text: &str) -> String {
    let short: String = text.chars().take(80).collect();
    format!("{short:?} ({} bytes)", text.len())
}
