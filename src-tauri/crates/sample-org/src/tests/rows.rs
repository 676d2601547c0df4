//! Queries over rows: filters, orders, counts, expansions, pages.

use serde_json::{Value, json};

use super::Bench;
use super::desk::Desk;

/// Rows of every kind that a filter may meet, put there byte by byte.
async fn furnished(desk: &Desk<'_>) {
    for (id, values) in [
        (
            "11111111-0000-0000-0000-000000000001",
            r#"{"nrv_title":"O'Neill & Söhne","nrv_units":5,"nrv_share":0.30000000000000000001,"nrv_fee":220.0,
               "nrv_isactive":true,"nrv_visitedon":"2026-03-01T10:00:00Z","nrv_validfrom":"2026-03-01","nrv_channels":"1,3",
               "nrv_notes":null,"statecode":0}"#,
        ),
        (
            "11111111-0000-0000-0000-000000000002",
            r#"{"nrv_title":"o'neill","nrv_units":-12,"nrv_share":0.3,"nrv_fee":220.0000000000,"nrv_isactive":false,
               "nrv_visitedon":"2026-03-02T10:00:00Z","nrv_validfrom":"2026-03-02","nrv_notes":"x","statecode":1}"#,
        ),
        (
            "11111111-0000-0000-0000-000000000003",
            r#"{"nrv_title":"100% (sure)","nrv_units":null,"nrv_share":-7.5,"nrv_isactive":true,
               "nrv_processid":"c0ffee00-0000-0000-0000-000000000000","statecode":0}"#,
        ),
    ] {
        let body = format!(r#"{{"table":"nrv_serviceline","id":"{id}","values":{values}}}"#);
        desk.bench.control("records", &body).await;
    }
}

#[tokio::test]
async fn filters_find_what_they_say() {
    let bench = Bench::new().await;
    let desk = Desk::new(&bench).await;
    furnished(&desk).await;
    for (filter, wanted) in [
        ("nrv_title eq 'O''Neill & Söhne'", "1"),
        ("nrv_title eq 'O''NEILL'", "2"),
        ("startswith(nrv_title,'o''n')", "12"),
        ("endswith(nrv_title,'(SURE)')", "3"),
        ("contains(nrv_title,'%')", "3"),
        ("not contains(nrv_title,'neill')", "3"),
        ("contains(nrv_title,'neill') eq false", "3"),
        ("nrv_units eq 5", "1"),
        ("nrv_units ne 5", "23"),
        ("nrv_units lt 0", "2"),
        ("nrv_units eq null", "3"),
        ("nrv_notes ne null", "2"),
        ("nrv_units in (5,-12)", "12"),
        // Two numbers that a double cannot tell apart.
        ("nrv_share gt 0.3", "1"),
        ("nrv_share ge 0.3", "12"),
        ("nrv_share le -7.50", "3"),
        ("nrv_fee eq 220", "12"),
        ("nrv_isactive eq true and statecode eq 0", "13"),
        ("nrv_isactive", "13"),
        ("nrv_visitedon ge 2026-03-02T11:00:00+01:00", "2"),
        ("nrv_visitedon lt 2026-03-02", "1"),
        ("nrv_validfrom eq 2026-03-01", "1"),
        ("nrv_processid eq c0ffee00-0000-0000-0000-000000000000", "3"),
        (
            "(nrv_units eq 5 or nrv_units eq -12) and not (statecode eq 1)",
            "1",
        ),
        ("nrv_units eq 5 or nrv_units eq -12 and statecode eq 0", "1"),
        (
            "Microsoft.Dynamics.CRM.In(PropertyName='nrv_units',PropertyValues=['5','7'])",
            "1",
        ),
        (
            "Microsoft.Dynamics.CRM.Between(PropertyName='nrv_units',PropertyValues=['-20','5'])",
            "12",
        ),
        (
            "Microsoft.Dynamics.CRM.On(PropertyName='nrv_visitedon',PropertyValue='2026-03-02')",
            "2",
        ),
        (
            "Microsoft.Dynamics.CRM.ContainValues(PropertyName='nrv_channels',PropertyValues=['3'])",
            "1",
        ),
        (
            "nrv_servicelineid eq 11111111-0000-0000-0000-000000000002",
            "2",
        ),
        ("_nrv_accountid_value ne null", ""),
    ] {
        // The generated rows are left out by their own codes.
        let filter = format!("nrv_code eq null and ({filter})");
        let (status, page) = desk
            .get(
                "nrv_servicelineset",
                &[("$select", "nrv_title"), ("$filter", &filter)],
            )
            .await;
        assert_eq!(status, 200, "{filter}: {page}");
        let found: String = ids(&page, "nrv_servicelineid")
            .iter()
            .filter_map(|id| id.chars().last())
            .collect();
        assert_eq!(found, wanted, "{filter}");
    }
}

fn ids(page: &Value, name: &str) -> Vec<String> {
    let rows = page["value"].as_array().unwrap_or_else(|| panic!("{page}"));
    rows.iter()
        .map(|row| row[name].as_str().expect("an id").to_owned())
        .collect()
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_with_its_code() {
    let bench = Bench::new().await;
    let desk = Desk::new(&bench).await;
    for (path, code, part) in [
        (
            "accounts?$select=bogus",
            "0x80060888",
            "Could not find a property named 'bogus' on type 'Microsoft.Dynamics.CRM.account'.",
        ),
        ("accounts?$filter=bogus eq 1", "0x80060888", "named 'bogus'"),
        ("accounts?$orderby=bogus", "0x80060888", "named 'bogus'"),
        ("accounts?$expand=bogus", "0x80060888", "named 'bogus'"),
        ("accounts?$select=ownerid", "0x80060888", "named 'ownerid'"),
        (
            "accounts?$select=primarycontactidname",
            "0x80060888",
            "named 'primarycontactidname'",
        ),
        (
            "accounts?$filter=name eq 1",
            "0x80060888",
            "incompatible types",
        ),
        (
            "accounts?$filter=numberofemployees eq '1'",
            "0x80060888",
            "incompatible types",
        ),
        ("accounts?$filter=name eq 'x", "0x80060888", "unterminated"),
        ("accounts?$filter=name eq", "0x80060888", "Syntax error"),
        (
            "accounts?$filter=(name eq 'x'",
            "0x80060888",
            "Syntax error",
        ),
        (
            "accounts?$filter=Microsoft.Dynamics.CRM.Under(PropertyName='name',PropertyValue='x')",
            "0x80060888",
            "unknown function",
        ),
        ("accounts?$skip=5", "0x80060888", "Skip Clause"),
        ("accounts?$skiptoken=nonsense", "0x80060888", "malformed"),
        (
            "conacs",
            "0x80060888",
            "Resource not found for the segment 'conacs'.",
        ),
        (
            "accounts(5b4ced1c-88e1-ee11-904c-6045bd05e9d4)",
            "0x80040217",
            "Entity 'account' With Id = 5b4ced1c-88e1-ee11-904c-6045bd05e9d4 Does Not Exist",
        ),
        (
            "accounts(accountnumber='none')",
            "0x80060891",
            "specified key values",
        ),
        ("accounts(name='x')", "0x80060888", "not a key"),
        (
            "RetrieveTotalRecordCount(EntityNames=@p1)?@p1=[\"account\",\"zzz\"]",
            "0x80040203",
            "Entity zzz was not found in the CRM system. Check the entity name.",
        ),
    ] {
        let (status, answer) = desk.fetch(path).await;
        assert!((400..500).contains(&status), "{path}: {status}");
        assert_eq!(answer["error"]["code"], code, "{path}: {answer}");
        let message = answer["error"]["message"].as_str().expect("a message");
        assert!(message.contains(part), "{path}: {message}");
    }
}

#[tokio::test]
async fn orders_are_those_of_the_service_and_pages_keep_them() {
    let bench = Bench::new().await;
    let desk = Desk::new(&bench).await;
    // SQL Server compares the last six bytes of a GUID first.
    for id in [
        "ffffffff-ffff-ffff-ffff-000000000001",
        "00000000-0000-0000-0000-ffffffffffff",
        "00000000-0000-0000-0100-000000000001",
    ] {
        let body = format!(
            r#"{{"table":"account","id":"{id}","values":{{"name":"chosen","revenue":7}}}}"#
        );
        bench.control("records", &body).await;
    }
    for (order, wanted) in [
        (
            "",
            vec![
                "0100-000000000001",
                "ffff-000000000001",
                "0000-ffffffffffff",
            ],
        ),
        (
            "name,accountid desc",
            vec![
                "0000-ffffffffffff",
                "ffff-000000000001",
                "0100-000000000001",
            ],
        ),
        (
            "accountid",
            vec![
                "0100-000000000001",
                "ffff-000000000001",
                "0000-ffffffffffff",
            ],
        ),
    ] {
        let mut query = vec![("$select", "name"), ("$filter", "name eq 'chosen'")];
        if !order.is_empty() {
            query.push(("$orderby", order));
        }
        let (_, page) = desk.get("accounts", &query).await;
        let found: Vec<String> = ids(&page, "accountid")
            .iter()
            .map(|id| id[19..].to_owned())
            .collect();
        assert_eq!(found, wanted, "{order}");
    }
    for order in [
        "",
        "&$orderby=name desc",
        "&$orderby=numberofemployees,name",
        "&$orderby=_primarycontactid_value desc",
        "&$orderby=createdon",
    ] {
        let whole = desk.all(&format!("accounts?$select=name{order}"), "").await;
        let paged = desk
            .all(
                &format!("accounts?$select=name{order}"),
                "odata.maxpagesize=7",
            )
            .await;
        assert_eq!(whole.len(), 33, "{order}");
        assert_eq!(whole, paged, "{order}");
    }
}

#[tokio::test]
async fn a_paging_cookie_is_the_recorded_one_and_comes_back_as_it_went() {
    let bench = Bench::new().await;
    let desk = Desk::new(&bench).await;
    let prefer = "odata.maxpagesize=2";
    let (_, first) = desk.prefer("contacts?$select=fullname", prefer).await;
    let link = first["@odata.nextLink"]
        .as_str()
        .expect("a link")
        .to_owned();
    let upper = |row: &Value| row["contactid"].as_str().expect("an id").to_uppercase();
    let rows = first["value"].as_array().expect("rows");
    let expected = format!(
        "/api/data/v9.2/contacts?$select=fullname&$skiptoken=%3Ccookie%20pagenumber=%222%22%20pagingcookie=%22\
         %253ccookie%2520page%253d%25221%2522%253e%253ccontactid%2520last%253d%2522%257b{}%257d%2522%2520first%253d%2522\
         %257b{}%257d%2522%2520%252f%253e%253c%252fcookie%253e%22%20istracking=%22False%22%20/%3E",
        upper(&rows[1]),
        upper(&rows[0])
    );
    assert!(link.ends_with(&expected), "{link}\n{expected}");
    // One decoding and encoding anew is not to be noticed, two are.
    let token = link.split_once("$skiptoken=").expect("a token").1;
    let decoded = percent_encoding::percent_decode_str(token).decode_utf8_lossy();
    let anew: String = url::form_urlencoded::byte_serialize(decoded.as_bytes()).collect();
    let twice = percent_encoding::percent_decode_str(&decoded).decode_utf8_lossy();
    let twice: String = url::form_urlencoded::byte_serialize(twice.as_bytes()).collect();
    for (is_strict, token, status) in [
        (false, token, 200),
        (false, anew.as_str(), 200),
        (false, twice.as_str(), 400),
        (true, token, 200),
        (true, anew.as_str(), 400),
    ] {
        let change = json!({"data": {"strict_cookies": is_strict}}).to_string();
        bench.control("variants", &change).await;
        let (got, page) = desk
            .fetch(&format!("contacts?$select=fullname&$skiptoken={token}"))
            .await;
        assert_eq!(got, status, "strict {is_strict}: {token}");
        if status == 200 {
            // The link keeps the size of its pages without the preference.
            assert_eq!(page["value"].as_array().expect("rows").len(), 2);
        }
    }
}

#[tokio::test]
async fn counts_stop_at_five_thousand() {
    let bench = Bench::with_rows("account=30,contact=5300,lead=5,opportunity=5,systemuser=6").await;
    let desk = Desk::new(&bench).await;
    let star = "odata.include-annotations=\"*\"";
    let (_, page) = desk
        .prefer("contacts?$select=fullname&$top=1&$count=true", star)
        .await;
    assert_eq!(page["@odata.count"], 5_000, "{page}");
    assert_eq!(
        page["@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"],
        true
    );
    let (_, page) = desk
        .prefer(
            "accounts?$select=name&$top=1&$count=true&$filter=statecode eq 0",
            star,
        )
        .await;
    let count = page["@odata.count"].as_u64().expect("a count");
    assert!(count > 20 && count <= 30, "{page}");
    assert_eq!(page["@Microsoft.Dynamics.CRM.totalrecordcount"], count);
    let (_, page) = desk.prefer("accounts?$select=name&$top=0", star).await;
    assert_eq!(page["@Microsoft.Dynamics.CRM.totalrecordcount"], -1);
    for (path, wanted) in [
        ("contacts/$count", "5000"),
        ("accounts/$count", "30"),
        ("accounts/$count?$filter=accountnumber eq 'NV-000003'", "1"),
    ] {
        let reply = desk.send("GET", path, "", &[]).await;
        assert_eq!(reply.headers["content-type"], "text/plain", "{path}");
        assert_eq!(reply.text, wanted, "{path}");
    }
    bench
        .control("variants", r#"{"data":{"count_mark":true}}"#)
        .await;
    let reply = desk.send("GET", "accounts/$count", "", &[]).await;
    assert_eq!(reply.text, "\u{feff}30");
    bench
        .control("variants", r#"{"data":{"not_counted":true}}"#)
        .await;
    let path = "RetrieveTotalRecordCount(EntityNames=@p1)?@p1=[\"account\",\"contact\"]";
    let (_, answer) = desk.fetch(path).await;
    assert_eq!(
        answer["EntityRecordCountCollection"]["Values"],
        json!([0, 0])
    );
}

#[tokio::test]
async fn expansions_follow_lookups_and_collections() {
    let bench = Bench::new().await;
    let desk = Desk::new(&bench).await;
    let (_, page) = desk
        .fetch("contacts?$select=fullname&$expand=parentcustomerid_account($select=name)&$top=30")
        .await;
    let mut found = 0;
    for row in page["value"].as_array().expect("rows") {
        let account = &row["parentcustomerid_account"];
        if let Some(id) = account["accountid"].as_str() {
            found += 1;
            let (_, read) = desk.fetch(&format!("accounts({id})?$select=name")).await;
            assert_eq!(read["name"], account["name"]);
            assert!(account.get("@odata.etag").is_none(), "{account}");
        }
    }
    assert!(found > 10, "{found} accounts");
    let (_, page) = desk
        .fetch("accounts?$select=name&$expand=contact_customer_accounts($select=fullname,_parentcustomerid_value;$orderby=fullname;$top=2)")
        .await;
    let mut found = 0;
    for row in page["value"].as_array().expect("rows") {
        let contacts = row["contact_customer_accounts"].as_array().expect("a list");
        assert!(contacts.len() <= 2);
        for contact in contacts {
            found += 1;
            assert_eq!(contact["_parentcustomerid_value"], row["accountid"]);
        }
        if let [first, second] = contacts.as_slice() {
            let name = |row: &Value| row["fullname"].as_str().unwrap_or_default().to_lowercase();
            assert!(name(first) <= name(second));
        }
        let id = row["accountid"].as_str().expect("an id");
        let (_, below) = desk
            .fetch(&format!(
                "accounts({id})/contact_customer_accounts?$select=fullname"
            ))
            .await;
        let below = below["value"].as_array().expect("rows").len();
        assert_eq!(below.min(2), contacts.len());
    }
    assert!(found > 10, "{found} contacts");
    let (_, page) = desk
        .fetch("opportunities?$select=name&$expand=opportunity_opportunitysalesprocess($select=name;$expand=activestageid($select=stagename))")
        .await;
    for row in page["value"].as_array().expect("rows") {
        let process = &row["opportunity_opportunitysalesprocess"][0];
        assert!(process["activestageid"]["stagename"].is_string(), "{row}");
    }
    let (_, page) = desk
        .fetch("accounts?$select=name&$filter=primarycontactid/lastname ne null&$orderby=primarycontactid/lastname")
        .await;
    assert!(page["value"].as_array().expect("rows").len() > 5);
}

#[tokio::test]
async fn annotations_come_as_they_are_asked_for() {
    let bench = Bench::new().await;
    let desk = Desk::new(&bench).await;
    const FORMATTED: &str = "revenue@OData.Community.Display.V1.FormattedValue";
    const TABLE: &str = "_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname";
    const NAVIGATION: &str = "_ownerid_value@Microsoft.Dynamics.CRM.associatednavigationproperty";
    for (wanted, present) in [
        ("", [false, false, false]),
        ("\"*\"", [true, true, true]),
        ("*", [true, true, true]),
        (
            "\"OData.Community.Display.V1.FormattedValue\"",
            [true, false, false],
        ),
        (
            "OData.Community.Display.V1.FormattedValue",
            [true, false, false],
        ),
        ("\"Microsoft.Dynamics.CRM.*\"", [false, true, true]),
        (
            "\"Microsoft.Dynamics.CRM.lookuplogicalname,OData.Community.Display.V1.FormattedValue\"",
            [true, true, false],
        ),
        ("\"*,-Microsoft.Dynamics.CRM.*\"", [true, false, false]),
    ] {
        let prefer = if wanted.is_empty() {
            String::new()
        } else {
            format!("odata.include-annotations={wanted},odata.maxpagesize=5")
        };
        let reply = desk
            .send(
                "GET",
                "accounts?$select=revenue,_ownerid_value",
                "",
                &[("prefer", &prefer)],
            )
            .await;
        let row = &reply.json()["value"][0];
        let found = [FORMATTED, TABLE, NAVIGATION].map(|name| row.get(name).is_some());
        assert_eq!(found, present, "{wanted}: {row}");
        // Money brings its currency along.
        assert!(row.get("_transactioncurrencyid_value").is_some(), "{row}");
        let applied = reply.headers.get("preference-applied");
        assert_eq!(applied.is_some(), !prefer.is_empty(), "{wanted}");
    }
}

#[tokio::test]
async fn an_elastic_table_gives_short_pages_and_goes_on() {
    let bench = Bench::new().await;
    let desk = Desk::new(&bench).await;
    let (_, page) = desk
        .prefer("nrv_readings?$select=nrv_name", "odata.maxpagesize=5000")
        .await;
    assert_eq!(page["value"].as_array().expect("rows").len(), 500);
    let all = desk
        .all("nrv_readings?$select=nrv_name", "odata.maxpagesize=5000")
        .await;
    assert_eq!(all.len(), 1_200);
}

#[tokio::test]
async fn unchanged_rows_are_answered_in_brief() {
    let bench = Bench::new().await;
    let desk = Desk::new(&bench).await;
    let (_, first) = desk.fetch("accounts?$select=name&$top=1").await;
    let row = &first["value"][0];
    let path = format!(
        "accounts({})?$select=name",
        row["accountid"].as_str().expect("an id")
    );
    let tag = row["@odata.etag"].as_str().expect("a tag");
    let star = "odata.include-annotations=\"*\"";
    for (tag, prefer, status) in [
        (tag, "", 304),
        ("W/\"1\"", "", 200),
        ("null", "", 200),
        (tag, star, 200),
    ] {
        let reply = desk
            .send(
                "GET",
                &path,
                "",
                &[("if-none-match", tag), ("prefer", prefer)],
            )
            .await;
        assert_eq!(reply.status, status, "{tag} {prefer}");
    }
}
