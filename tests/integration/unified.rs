//! Unified objects: through the command line and over real HTTP, of rows as awkward as real ones.

use std::collections::{BTreeMap, BTreeSet};

use salesmirror_core::unified::Unified;
use salesmirror_core::{
    Edge, Passthrough, Selectors, Session, SyncOptions, happening_json, parse_guid,
};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::bench::{Bench, succeed};
use crate::command_line::{CONNECT, in_session, text};

const FEW: &str = "account=40,contact=60,lead=60,opportunity=60,systemuser=20";
const TABLE_OF: &str = "@Microsoft.Dynamics.CRM.lookuplogicalname";

fn id(number: u32) -> String {
    format!("0badc0de-0000-4000-8000-{number:012x}")
}

async fn put(bench: &Bench, table: &str, id: &str, values: &str) {
    let body = format!(r#"{{"table":"{table}","id":"{id}","values":{values}}}"#);
    bench.control("records", body).await;
}

/// Ids of a table's rows.
async fn ids(bench: &Bench, table: &str) -> Vec<String> {
    bench.truth(table).await.into_keys().collect()
}

/// What a script's lines print, line by line.
fn lines(output: &std::process::Output) -> Vec<Value> {
    let text = String::from_utf8_lossy(&output.stdout);
    let read = |line| serde_json::from_str(line).unwrap_or(Value::Null);
    text.lines().map(read).collect()
}

/// A row, its object's fields by their JSON text, and why.
struct Awkward {
    table: &'static str,
    values: String,
    expected: Vec<(&'static str, String)>,
}

fn awkward(
    table: &'static str,
    values: impl Into<String>,
    expected: &[(&'static str, &str)],
) -> Awkward {
    let text = |(field, json): &(&'static str, &str)| (*field, (*json).to_owned());
    Awkward {
        table,
        values: values.into(),
        expected: expected.iter().map(text).collect(),
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn awkward_rows_become_the_objects_that_they_are() {
    let bench = Bench::new(FEW).await;
    let team = ids(&bench, "team").await.remove(0);
    let user = ids(&bench, "systemuser").await.remove(0);
    let currencies: BTreeMap<String, String> = bench
        .truth("transactioncurrency")
        .await
        .into_iter()
        .map(|(id, row)| {
            (
                row["isocurrencycode"].as_str().expect("a code").to_owned(),
                id,
            )
        })
        .collect();
    let sek = &currencies["SEK"];
    // The organisation's own labels.
    bench
        .control(
            "columns",
            json!({"table": "lead", "column": "leadsourcecode", "action": "retype", "type": "choice",
                "of": "1:Messe,100000000:Empfehlung", "label": "Quelle"}),
        )
        .await;
    let rows = [
        awkward(
            "contact",
            format!(
                r#"{{"firstname":"Ærla","lastname":null,"_ownerid_value":"{team}","_ownerid_value{TABLE_OF}":"team",
                "_parentcustomerid_value":"{0}","_parentcustomerid_value{TABLE_OF}":"contact",
                "telephone1":"+47 1","mobilephone":"+47 2","fax":"+47 3","telephone2":"","telephone3":"+47 5",
                "emailaddress1":null,"emailaddress2":"b@x.example","emailaddress3":null,
                "address1_line1":"One","address1_line2":null,"address1_city":"Oslo","address1_addresstypecode":3,
                "address2_line1":"Two","address2_line2":"b","address2_line3":"c","address2_city":"Bergen",
                "address2_addresstypecode":1,"address3_line1":null,"address3_city":"Tromsø",
                "address3_addresstypecode":2,"createdon":"2013-05-06T07:08:09Z",
                "overriddencreatedon":"2026-02-02T02:02:02Z"}}"#,
                id(2)
            ),
            &[
                ("first_name", r#""Ærla""#),
                ("last_name", "null"),
                ("owner_id", &quoted(&team)),
                ("owner_type", r#""team""#),
                ("account_id", "null"),
                ("lifecycle_stage", "null"),
                ("last_activity_at", "null"),
                ("created_at", r#""2013-05-06T07:08:09Z""#),
                ("is_deleted", "false"),
                (
                    "phone_numbers",
                    r#"[{"phone_number":"+47 1","phone_number_type":"primary"},{"phone_number":"+47 2","phone_number_type":"mobile"},{"phone_number":"+47 3","phone_number_type":"fax"},{"phone_number":"+47 5","phone_number_type":"other"}]"#,
                ),
                (
                    "email_addresses",
                    r#"[{"email_address":"b@x.example","email_address_type":"other"}]"#,
                ),
            ],
        ),
        awkward(
            "contact",
            format!(
                r#"{{"_parentcustomerid_value":"{0}","_parentcustomerid_value{TABLE_OF}":"account",
                "_ownerid_value":"{user}","_ownerid_value{TABLE_OF}":"systemuser"}}"#,
                id(3)
            ),
            &[("account_id", &quoted(&id(3))), ("owner_type", r#""user""#)],
        ),
        awkward(
            "account",
            format!(
                r#"{{"name":"Fjord","industrycode":4711,"revenue":922337203685477.5807,"customertypecode":8,
                "_transactioncurrencyid_value":"{sek}","numberofemployees":12}}"#
            ),
            &[
                ("industry", r#""4711""#),
                ("annual_revenue", "922337203685477.5807"),
                ("currency", r#""SEK""#),
                ("lifecycle_stage", r#""lead""#),
                ("number_of_employees", "12"),
            ],
        ),
        awkward(
            "account",
            format!(
                r#"{{"industrycode":null,"revenue":1.2345,"_transactioncurrencyid_value":"{}","customertypecode":11}}"#,
                id(999)
            ),
            &[
                ("industry", "null"),
                ("annual_revenue", "1.2345"),
                ("currency", "null"),
                ("lifecycle_stage", "null"),
            ],
        ),
        awkward(
            "opportunity",
            r#"{"statecode":0,"statuscode":100000001,"estimatedvalue":1250.7501,"actualvalue":9,
            "estimatedclosedate":"2026-12-24","actualclosedate":"2026-01-01","_transactioncurrencyid_value":null,
            "_customerid_value":null,"_parentaccountid_value":null,"_parentcontactid_value":null,
            "closeprobability":35,"stepname":null}"#,
            &[
                ("status", r#""OPEN""#),
                ("amount", "1250.7501"),
                ("close_date", r#""2026-12-24""#),
                ("currency", "null"),
                ("probability", "35"),
                ("stage", "null"),
                ("pipeline", "null"),
                ("account_id", "null"),
            ],
        ),
        awkward(
            "opportunity",
            format!(
                r#"{{"statecode":1,"statuscode":3,"estimatedvalue":10.0,"actualvalue":99999999999999.9999,
                "estimatedclosedate":"2026-12-24","actualclosedate":"2026-01-01","stepname":"3-Propose",
                "_customerid_value":"{0}","_customerid_value{TABLE_OF}":"contact",
                "_parentaccountid_value":"{1}","_parentcontactid_value":null}}"#,
                id(1),
                id(3)
            ),
            &[
                ("status", r#""WON""#),
                ("amount", "99999999999999.9999"),
                ("close_date", r#""2026-01-01""#),
                ("stage", r#""3-Propose""#),
                ("account_id", &quoted(&id(3))),
                ("contact_id", &quoted(&id(1))),
            ],
        ),
        awkward(
            "opportunity",
            format!(
                r#"{{"statecode":2,"statuscode":4,"estimatedvalue":10.0000000000,"actualvalue":null,
                "actualclosedate":null,"estimatedclosedate":"2026-12-24",
                "_customerid_value":"{0}","_customerid_value{TABLE_OF}":"account",
                "_parentaccountid_value":null,"_parentcontactid_value":null}}"#,
                id(3)
            ),
            &[
                ("status", r#""LOST""#),
                ("amount", "10.0000000000"),
                ("close_date", r#""2026-12-24""#),
                ("account_id", &quoted(&id(3))),
                ("contact_id", "null"),
            ],
        ),
        awkward(
            "lead",
            r#"{"statecode":1,"statuscode":3,"_qualifyingopportunityid_value":null,"_parentaccountid_value":null,
            "_parentcontactid_value":null,"leadsourcecode":100000000}"#,
            &[
                ("status", r#""QUALIFIED""#),
                ("converted_date", "null"),
                ("converted_opportunity_id", "null"),
                ("converted_account_id", "null"),
                ("lead_source", r#""Empfehlung""#),
            ],
        ),
        awkward(
            "lead",
            format!(
                r#"{{"statecode":1,"_qualifyingopportunityid_value":"{0}","_parentaccountid_value":"{1}",
                "_parentcontactid_value":"{2}"}}"#,
                id(8),
                id(3),
                id(1)
            ),
            &[
                ("converted_date", r#""2024-03-04T05:06:07Z""#),
                ("converted_opportunity_id", &quoted(&id(8))),
                ("converted_account_id", &quoted(&id(3))),
                ("converted_contact_id", &quoted(&id(1))),
            ],
        ),
        awkward(
            "lead",
            format!(
                r#"{{"statecode":2,"statuscode":4711,"_qualifyingopportunityid_value":"{0}",
                "_parentaccountid_value":"{1}","companyname":"Fjord","jobtitle":"CFO"}}"#,
                id(8),
                id(3)
            ),
            &[
                ("status", r#""DISQUALIFIED""#),
                ("converted_date", "null"),
                ("converted_opportunity_id", "null"),
                ("converted_account_id", "null"),
                ("company", r#""Fjord""#),
                ("title", r#""CFO""#),
            ],
        ),
        awkward(
            "systemuser",
            format!(
                r#"{{"fullname":"\u0023 Bot","internalemailaddress":null,"applicationid":"{}","isdisabled":true,
                "title":null,"jobtitle":null}}"#,
                id(77)
            ),
            &[
                ("name", r##""# Bot""##),
                ("email", "null"),
                ("is_active", "false"),
                ("title", "null"),
                ("owner_id", "null"),
                ("owner_type", "null"),
            ],
        ),
    ];
    put(
        &bench,
        "opportunity",
        &id(8),
        r#"{"createdon":"2024-03-04T05:06:07Z"}"#,
    )
    .await;
    let mut script = format!("set -e\n{CONNECT} > /dev/null\n\"$SM\" sync --json > /dev/null\n");
    for (number, row) in rows.iter().enumerate() {
        // 100 on, so that the ids of the rows themselves meet none of those that they point to.
        let own = id(100 + number as u32);
        put(&bench, row.table, &own, &row.values.replace('\n', " ")).await;
        script.push_str(&format!(
            "\"$SM\" show {} {own} --unified --json\n",
            row.table
        ));
    }
    let output = in_session(&bench, &script).await;
    assert!(output.status.success(), "{}", text(&output));
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let printed: Vec<&str> = printed.lines().collect();
    assert_eq!(printed.len(), rows.len(), "{}", text(&output));
    for (row, printed) in rows.iter().zip(printed) {
        let fields: BTreeMap<String, Box<RawValue>> =
            serde_json::from_str(printed).expect("an object");
        for (field, expected) in &row.expected {
            let found = fields.get(*field).map(|value| value.get());
            assert_eq!(found, Some(expected.as_str()), "{field} of {}", row.values);
        }
    }
    // The three addresses, each with its own type.
    let fields: Value = serde_json::from_slice(
        output
            .stdout
            .split(|byte| *byte == b'\n')
            .next()
            .expect("a line"),
    )
    .expect("an object");
    let address = |field: &str| -> Vec<Value> {
        let all = fields["addresses"].as_array().expect("addresses").iter();
        all.map(|address| address[field].clone()).collect()
    };
    assert_eq!(address("city"), ["Oslo", "Bergen", "Tromsø"]);
    assert_eq!(address("address_type"), ["primary", "billing", "shipping"]);
    assert_eq!(
        address("street_1"),
        [json!("One"), json!("Two"), json!(null)]
    );
    assert_eq!(address("street_2")[1], "b, c");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_lists_objects_and_refuses_what_has_none() {
    let bench = Bench::new(FEW).await;
    let script = format!(
        r#"set -e
        {CONNECT} > /dev/null
        "$SM" tables add nrv_serviceline > /dev/null
        "$SM" sync --json > /dev/null
        "$SM" records opportunities --unified --json --limit 7 --offset 50 --sort name:desc
        "$SM" records users --unified --json --filter 'isdisabled = true'
        "$SM" records accounts --unified --limit 3
        set +e
        "$SM" records nrv_serviceline --unified --json; echo "{{\"exit\": $?}}"
        "$SM" show nrv_serviceline 0badc0de-0000-4000-8000-000000000001 --unified --json; echo "{{\"exit\": $?}}"
        "$SM" records accounts --unified --columns name --json 2> /dev/null; echo "{{\"exit\": $?}}"
        "$SM" show accounts 0badc0de-0000-4000-8000-000000000001 --unified --raw 2> /dev/null; echo "{{\"exit\": $?}}"
        "$SM" show accounts 0badc0de-0000-4000-8000-000000000001 --unified --json; echo "{{\"exit\": $?}}""#
    );
    let output = in_session(&bench, &script).await;
    let lines = lines(&output);
    let all = text(&output);
    assert_eq!(lines[0]["total"], 60, "{all}");
    let rows = lines[0]["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 7, "{all}");
    let names: Vec<&str> = rows.iter().filter_map(|row| row["name"].as_str()).collect();
    assert!(
        names.is_sorted_by(|one, other| one.to_lowercase() >= other.to_lowercase()),
        "{names:?}"
    );
    assert_eq!(lines[1]["rows"][0]["is_active"], false, "{all}");
    assert!(
        all.contains("NAME") && all.contains("ANNUAL_REVENUE"),
        "{all}"
    );
    assert!(all.contains("3 of 40 records"), "{all}");
    let codes: Vec<&Value> = lines.iter().filter_map(|line| line.get("exit")).collect();
    assert_eq!(codes, [2, 2, 2, 2, 1], "{all}");
    assert!(
        all.contains("\"not_unified\"") && all.contains("\"not_found\""),
        "{all}"
    );
}

/// What an object has to say, worked out of the organisation's own rows by other means.
fn oracle(table: &str, row: &Value, currencies: &BTreeMap<String, Value>) -> Value {
    let code = |row: &Value| {
        let id = row["_transactioncurrencyid_value"].as_str()?;
        currencies.get(id).map(|row| row["isocurrencycode"].clone())
    };
    let state = row["statecode"].as_i64();
    match table {
        "account" => json!({
            "name": row["name"], "website": row["websiteurl"], "annual_revenue": row["revenue"],
            "currency": code(row), "parent_account_id": row["_parentaccountid_value"],
            "primary_contact_id": row["_primarycontactid_value"], "owner_id": row["_ownerid_value"],
            "created_at": row["createdon"],
        }),
        "contact" => json!({
            "first_name": row["firstname"], "last_name": row["lastname"], "title": row["jobtitle"],
            "last_modified_at": row["modifiedon"],
        }),
        "lead" => json!({
            "company": row["companyname"],
            "status": state.map(|state| ["OPEN", "QUALIFIED", "DISQUALIFIED"][state as usize]),
            "converted_opportunity_id": if state == Some(1) {
                row["_qualifyingopportunityid_value"].clone()
            } else {
                Value::Null
            },
        }),
        "opportunity" => {
            let is_closed = state != Some(0);
            let or = |closed: &str, usual: &str| match &row[closed] {
                Value::Null => row[usual].clone(),
                value if is_closed => value.clone(),
                _ => row[usual].clone(),
            };
            json!({
                "status": state.map(|state| ["OPEN", "WON", "LOST"][state as usize]),
                "amount": or("actualvalue", "estimatedvalue"),
                "close_date": or("actualclosedate", "estimatedclosedate"),
                "stage": row["stepname"], "currency": code(row), "probability": row["closeprobability"],
            })
        }
        _ => json!({
            "name": row["fullname"], "email": row["internalemailaddress"],
            "is_active": row["isdisabled"] == false,
        }),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_of_the_organisation_has_its_object() {
    let bench = Bench::new("account=300,contact=700,lead=400,opportunity=600,systemuser=60").await;
    let session = bench.session().await;
    succeed(&session, SyncOptions::default()).await;
    let currencies = bench.truth("transactioncurrency").await;
    for table in ["account", "contact", "lead", "opportunity", "systemuser"] {
        let truth = bench.truth(table).await;
        let view = session
            .open_view(table, &Selectors::default(), None)
            .await
            .expect("a view");
        let objects = session
            .unified_window(&view, 0, usize::MAX, true)
            .await
            .expect("objects");
        assert_eq!(objects.len(), truth.len());
        for object in objects {
            let found: Value = serde_json::from_str(&object.json()).expect("an object");
            let row = &truth[found["id"].as_str().expect("an id")];
            let expected = oracle(table, row, &currencies);
            for (field, value) in expected.as_object().expect("fields") {
                assert_eq!(&found[field], value, "{field} of {row}");
            }
            let raw = &found["raw_data"];
            assert_eq!(raw["modifiedon"], row["modifiedon"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stage_and_the_pipeline_are_those_of_the_process_where_it_is_mirrored() {
    let bench = Bench::new(FEW).await;
    let session = bench.session().await;
    session
        .add_table("opportunitysalesprocess")
        .await
        .expect("a table");
    succeed(&session, SyncOptions::default()).await;
    let stages = bench.truth("processstage").await;
    let processes = bench.truth("workflow").await;
    let instances = truth_of(
        &bench,
        "opportunitysalesprocess",
        "businessprocessflowinstanceid",
    )
    .await;
    let view = session
        .open_view("opportunity", &Selectors::default(), None)
        .await
        .expect("a view");
    let objects = session
        .unified_window(&view, 0, 1_000, false)
        .await
        .expect("objects");
    let mut compared = 0;
    for object in objects {
        let found: Value = serde_json::from_str(&object.json()).expect("an object");
        let own: Vec<&Value> = instances
            .iter()
            .filter(|instance| instance["_opportunityid_value"] == found["id"])
            .collect();
        let Some(instance) = own
            .iter()
            .max_by_key(|row| (row["statecode"] == 0, row["modifiedon"].as_str()))
        else {
            continue;
        };
        let name = |rows: &BTreeMap<String, Value>, lookup: &str, column: &str| {
            rows[instance[lookup].as_str().expect("an id")][column].clone()
        };
        assert_eq!(
            found["stage"],
            name(&stages, "_activestageid_value", "stagename")
        );
        assert_eq!(
            found["pipeline"],
            name(&processes, "_processid_value", "name")
        );
        compared += 1;
    }
    assert!(compared >= 60, "{compared}");
}

/// What the organisation holds of a table whose id has a name of its own.
async fn truth_of(bench: &Bench, table: &str, id: &str) -> Vec<Value> {
    let url = format!("{}/table/{table}", bench.org.description().control_url);
    let reply = bench.http.get(url).send().await.expect("a reply");
    let text = reply.text().await.expect("a text");
    let rows: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("a row"))
        .collect();
    assert!(rows.iter().all(|row| row[id].is_string()));
    rows
}

async fn object(session: &Session, table: &str, id: &str) -> Value {
    let found = session
        .unified_record(table, parse_guid(id).expect("an id"), false)
        .await
        .expect("an answer")
        .expect("an object");
    serde_json::from_str(&found.json()).expect("an object")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_was_converted_when_that_was_seen() {
    let bench = Bench::new(FEW).await;
    let session = bench.session().await;
    let lead = ids(&bench, "lead").await.remove(0);
    let opportunity = ids(&bench, "opportunity").await.remove(0);
    put(&bench, "lead", &lead, r#"{"statecode":0,"statuscode":1}"#).await;
    succeed(&session, SyncOptions::default()).await;
    assert_eq!(
        object(&session, "lead", &lead).await["converted_date"],
        Value::Null
    );
    let qualified = format!(
        r#"{{"statecode":1,"statuscode":3,"_qualifyingopportunityid_value":"{opportunity}"}}"#
    );
    put(&bench, "lead", &lead, &qualified).await;
    succeed(&session, SyncOptions::default()).await;
    let found = object(&session, "lead", &lead).await;
    let entries = session
        .history_of("lead", &lead, 10)
        .await
        .expect("a history");
    let newest: Value = serde_json::from_str(&happening_json(&entries[0])).expect("an entry");
    let columns = newest["fields"].as_array().expect("fields").iter();
    let columns: Vec<&Value> = columns.map(|field| &field["column"]).collect();
    assert!(columns.contains(&&json!("statecode")), "{newest}");
    assert_eq!(found["converted_date"], newest["seen"], "{found}");
    // What changes afterwards is another matter.
    put(&bench, "lead", &lead, r#"{"jobtitle":"CFO"}"#).await;
    succeed(&session, SyncOptions::default()).await;
    let later = object(&session, "lead", &lead).await;
    assert_eq!(later["converted_date"], found["converted_date"]);
    // Opened again it is not converted; qualified again it is, later.
    put(&bench, "lead", &lead, r#"{"statecode":0,"statuscode":1}"#).await;
    succeed(&session, SyncOptions::default()).await;
    assert_eq!(
        object(&session, "lead", &lead).await["converted_date"],
        Value::Null
    );
    put(&bench, "lead", &lead, &qualified).await;
    succeed(&session, SyncOptions::default()).await;
    let again = object(&session, "lead", &lead).await;
    assert!(
        again["converted_date"].as_str() > found["converted_date"].as_str(),
        "{again}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn currencies_are_read_once_and_amounts_go_without_them_where_they_may_not_be() {
    let bench = Bench::new(FEW).await;
    let currency_requests = |requests: Vec<String>| {
        let of = |path: &&String| path.contains("transactioncurrencies");
        requests.iter().filter(of).count()
    };
    let session = bench.session().await;
    bench.requests().await;
    succeed(&session, SyncOptions::default()).await;
    assert_eq!(currency_requests(bench.requests().await), 1);
    bench.act(0, 10, 0);
    succeed(&session, SyncOptions::default()).await;
    assert_eq!(currency_requests(bench.requests().await), 0);
    // Nothing is asked where objects are read, and the organisation may be out of reach.
    bench.control("environment", r#"{"mode":"disabled"}"#).await;
    let accounts = ids(&bench, "account").await;
    let found = object(&session, "account", &accounts[0]).await;
    assert!(
        found["currency"]
            .as_str()
            .is_some_and(|code| code.len() == 3),
        "{found}"
    );
    assert!(bench.requests().await.is_empty());

    let bench = Bench::new(FEW).await;
    bench
        .control(
            "privileges",
            r#"{"table":"transactioncurrency","read":"none"}"#,
        )
        .await;
    let session = bench.session().await;
    succeed(&session, SyncOptions::default()).await;
    let accounts = ids(&bench, "account").await;
    let found = object(&session, "account", &accounts[0]).await;
    assert_eq!(found["currency"], Value::Null);
    // Mirrored like any other table they are known too.
    bench
        .control(
            "privileges",
            r#"{"table":"transactioncurrency","read":"all"}"#,
        )
        .await;
    session
        .add_table("transactioncurrency")
        .await
        .expect("a table");
    succeed(&session, SyncOptions::default()).await;
    let found = object(&session, "account", &accounts[0]).await;
    assert!(found["currency"].is_string(), "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_goes_on_from_the_last_id_meets_every_row_once_while_rows_change() {
    let bench = Bench::new("account=10,contact=200,lead=5,opportunity=5,systemuser=5").await;
    let session = bench.session().await;
    succeed(&session, SyncOptions::default()).await;
    let at_first: BTreeSet<String> = ids(&bench, "contact").await.into_iter().collect();
    let selectors = Selectors::default();
    let (mut met, mut edge, mut pages) = (Vec::new(), Edge::Start, 0);
    loop {
        let page = session
            .unified_slice("contact", &selectors, edge, 9, false)
            .await
            .expect("a page");
        let ids: Vec<String> = page
            .objects
            .iter()
            .map(|found| found.head().id.to_string())
            .collect();
        // Backwards from its last row the page is the same.
        if let Some(last) = page.objects.last() {
            let back = session
                .unified_slice(
                    "contact",
                    &selectors,
                    Edge::Before(last.head().id),
                    8,
                    false,
                )
                .await
                .expect("a page");
            let back: Vec<String> = back
                .objects
                .iter()
                .map(|found| found.head().id.to_string())
                .collect();
            assert!(
                ids.len() < 9 || back == ids[..8],
                "{back:?} before the end of {ids:?}"
            );
            edge = Edge::After(last.head().id);
        }
        met.extend(ids);
        pages += 1;
        if !page.has_more {
            break;
        }
        if pages % 4 == 0 {
            let body = json!({"creates": 3, "updates": 20, "deletes": 3, "tables": ["contact"]});
            bench.control("activity", body).await;
            succeed(&session, SyncOptions::default()).await;
        }
    }
    let unique: BTreeSet<String> = met.iter().cloned().collect();
    assert_eq!(unique.len(), met.len(), "a row came twice");
    let at_last: BTreeSet<String> = ids(&bench, "contact").await.into_iter().collect();
    let always: BTreeSet<&String> = at_first.intersection(&at_last).collect();
    assert!(
        pages > 20 && always.len() > 150 && always.len() < 200,
        "{pages} {}",
        always.len()
    );
    assert!(
        always.iter().all(|id| unique.contains(*id)),
        "a row was lost"
    );
    // Selectors count.
    let chosen = Selectors {
        filters: vec!["fullname starts-with A".into()],
        ..Selectors::default()
    };
    let page = session
        .unified_slice("contact", &chosen, Edge::Start, 500, false)
        .await
        .expect("a page");
    let is_chosen = |found: &Unified| {
        matches!(found, Unified::Contact(contact)
        if contact.first_name.as_deref().is_some_and(|name| name.starts_with(['A', 'a'])))
    };
    assert!(!page.objects.is_empty() && page.objects.iter().all(is_chosen));
}

async fn send(session: &Session, method: &str, path: &str, body: String) -> (u16, Value) {
    let reply = session
        .passthrough(Passthrough {
            method: method.into(),
            path: path.into(),
            headers: vec![(
                "Prefer".into(),
                "return=representation,odata.include-annotations=\"*\"".into(),
            )],
            query: vec![],
            body: Some(body.into_bytes()),
        })
        .await
        .expect("a reply");
    (
        reply.status,
        serde_json::from_slice(&reply.body).unwrap_or(Value::Null),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_reads_the_same() {
    let bench = Bench::new(FEW).await;
    let session = bench.session().await;
    succeed(&session, SyncOptions::default()).await;
    let first = |table: &'static str| {
        let bench = &bench;
        async move { ids(bench, table).await.remove(0) }
    };
    let (account, contact, user, team) = (
        first("account").await,
        first("contact").await,
        first("systemuser").await,
        first("team").await,
    );
    let bodies = [
        (
            "account",
            "accounts",
            json!({
                "name": "Fjord", "description": "New\nhere", "industry": "Financial", "website": "https://f.example",
                "number_of_employees": 7, "parent_account_id": account, "primary_contact_id": contact,
                "currency": "SEK", "lifecycle_stage": "customer", "owner_id": team, "owner_type": "team",
                "email_addresses": [
                    {"email_address": "a@f.example", "email_address_type": "primary"},
                    {"email_address": "b@f.example", "email_address_type": "other"},
                ],
                "phone_numbers": [
                    {"phone_number": "+47 1", "phone_number_type": "primary"},
                    {"phone_number": "+47 3", "phone_number_type": "fax"},
                    {"phone_number": "+47 4", "phone_number_type": "other"},
                ],
                "addresses": [{
                    "street_1": "Kaia 1", "street_2": "B", "city": "Oslo", "state": null,
                    "postal_code": "0150", "country": "Norway", "address_type": "billing",
                }],
            }),
        ),
        (
            "contact",
            "contacts",
            json!({
                "first_name": "Ærla", "last_name": "Berg", "title": "CFO", "account_id": account,
                "owner_id": user, "owner_type": "user",
                "phone_numbers": [{"phone_number": "+47 9", "phone_number_type": "mobile"}],
            }),
        ),
        (
            "lead",
            "leads",
            json!({"company": "Fjord", "last_name": "Berg", "lead_source": "Web", "status": "OPEN"}),
        ),
        (
            "opportunity",
            "opportunities",
            json!({
                "name": "Turbines", "close_date": "2026-12-24", "probability": 35, "account_id": account,
                "contact_id": contact, "currency": "EUR",
            }),
        ),
    ];
    for (table, set, body) in bodies {
        let raw = RawValue::from_string(body.to_string()).expect("JSON");
        let attributes = session
            .unified_attributes(table, None, &raw)
            .await
            .expect("an answer")
            .expect("attributes");
        let (status, created) = send(&session, "POST", set, attributes.json()).await;
        assert_eq!(
            status,
            201,
            "{table}: {} gives {created}",
            attributes.json()
        );
        // As it came, and as the mirror has it after a sync.
        let live = session
            .unified_of(table, vec![created.to_string().into_bytes()], false)
            .await
            .expect("objects");
        let live: Value = serde_json::from_str(&live[0].json()).expect("an object");
        succeed(&session, SyncOptions::default()).await;
        let id = live["id"].as_str().expect("an id").to_owned();
        let mirrored = object(&session, table, &id).await;
        for (field, value) in body.as_object().expect("fields") {
            assert_eq!(&live[field], value, "{field} of a new {table}");
            assert_eq!(&mirrored[field], value, "{field} of a mirrored {table}");
        }
        // References are emptied, all else stays.
        let emptied = match table {
            "account" => json!({"parent_account_id": null, "industry": null}),
            "contact" => json!({"account_id": null}),
            "opportunity" => json!({"account_id": null, "contact_id": null}),
            _ => json!({"status": "DISQUALIFIED"}),
        };
        let raw = RawValue::from_string(emptied.to_string()).expect("JSON");
        let attributes = session
            .unified_attributes(table, parse_guid(&id), &raw)
            .await
            .expect("an answer")
            .expect("attributes");
        let (status, changed) = send(
            &session,
            "PATCH",
            &format!("{set}({id})"),
            attributes.json(),
        )
        .await;
        assert_eq!(
            status,
            200,
            "{table}: {} gives {changed}",
            attributes.json()
        );
        succeed(&session, SyncOptions::default()).await;
        let mirrored = object(&session, table, &id).await;
        for (field, value) in body.as_object().expect("fields") {
            let expected = emptied.get(field).unwrap_or(value);
            assert_eq!(&mirrored[field], expected, "{field} of a changed {table}");
        }
    }
    // Digits, and a lookup of the organisation's own.
    let body = r#"{"name": "Digits", "annual_revenue": 922337203685477.5807}"#;
    let raw = RawValue::from_string(body.to_owned()).expect("JSON");
    let attributes = session
        .unified_attributes("account", None, &raw)
        .await
        .expect("an answer");
    let attributes = attributes.expect("attributes").json();
    assert!(attributes.contains("922337203685477.5807"), "{attributes}");
    bench
        .control(
            "columns",
            json!({"table": "account", "column": "nrv_lineid", "action": "add", "type": "lookup",
                "of": "nrv_serviceline"}),
        )
        .await;
    succeed(
        &session,
        SyncOptions {
            full: true,
            ..SyncOptions::default()
        },
    )
    .await;
    let line = ids(&bench, "nrv_serviceline").await.remove(0);
    let body = json!({"custom_fields": {"nrv_lineid": line}}).to_string();
    let raw = RawValue::from_string(body).expect("JSON");
    let attributes = session
        .unified_attributes("account", parse_guid(&account), &raw)
        .await
        .expect("an answer");
    let attributes = attributes.expect("attributes").json();
    let (status, changed) = send(
        &session,
        "PATCH",
        &format!("accounts({account})"),
        attributes.clone(),
    )
    .await;
    assert_eq!(status, 200, "{attributes} gives {changed}");
    assert_eq!(
        changed["_nrv_lineid_value"],
        line.as_str(),
        "{attributes} gives {changed}"
    );
    // What cannot be written is said before anything is sent.
    bench.requests().await;
    let raw =
        RawValue::from_string(r#"{"industry": "Space", "nothing": 1}"#.to_owned()).expect("JSON");
    let problems = session
        .unified_attributes("account", None, &raw)
        .await
        .expect("an answer")
        .expect_err("problems");
    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(texts[0].contains("There are: Accounting,"), "{texts:?}");
    assert!(
        texts[1].contains("nothing is no field of account"),
        "{texts:?}"
    );
    assert!(bench.requests().await.is_empty());
}
