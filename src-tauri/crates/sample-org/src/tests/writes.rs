//! Create, read, update, upsert and delete.

use serde_json::{Value, json};

use super::Bench;
use super::desk::Desk;

#[tokio::test]
async fn what_is_written_comes_back_digit_by_digit_and_byte_by_byte() {
    let bench = Bench::new().await;
    let desk = Desk::new(&bench).await;
    for (column, json) in [
        ("nrv_title", r#""nul \u0000 inside""#),
        ("nrv_title", r#""planes é𐐀𠀀􏿽 and e\u0301""#),
        ("nrv_title", "\"\\\"; DROP TABLE account; --\""),
        ("nrv_notes", "\"\""),
        ("nrv_share", "12345678901234567890.1234567890"),
        ("nrv_share", "-0.50"),
        ("nrv_fee", "220.0"),
        ("nrv_fee", "4990.0000000000"),
        ("nrv_ratio", "1.5e-7"),
        ("nrv_units", "-2147483648"),
        ("nrv_serial", "9007199254740993"),
        ("nrv_isactive", "true"),
        ("nrv_grade", "100000001"),
        ("nrv_channels", r#""1,4""#),
        ("nrv_visitedon", r#""2026-02-28T23:59:59Z""#),
        ("nrv_validfrom", r#""2024-02-29""#),
        ("nrv_processid", r#""00000000-0000-0000-0000-000000000000""#),
    ] {
        let body = format!(r#"{{"{column}":{json}}}"#);
        let created = desk.send("POST", "nrv_servicelineset", &body, &[]).await;
        assert_eq!(created.status, 204, "{body}: {}", created.text);
        let id = created.id();
        let path = format!("nrv_servicelineset({id})?$select={column}");
        let read = desk.send("GET", &path, "", &[]).await;
        // Texts may be escaped in another way, numbers may not be printed in another way.
        let wanted: Value = serde_json::from_str(json).expect("JSON");
        if wanted.is_number() {
            assert!(
                read.text.contains(&format!("\"{column}\":{json}")),
                "{}",
                read.text
            );
        } else {
            assert_eq!(read.json()[column], wanted, "{body}");
        }
        let truth = format!(
            "{}/table/nrv_serviceline",
            bench.org.description().control_url
        );
        let truth = bench.http.get(truth).send().await.expect("rows");
        let truth = truth.text().await.expect("a text");
        let line = truth
            .lines()
            .find(|line| line.contains(&id))
            .expect("the row");
        let told: Value = serde_json::from_str(line).expect("a row");
        assert_eq!(
            told[column],
            read.json()[column],
            "the truth tells the same"
        );
    }
}

#[tokio::test]
async fn a_row_lives_through_all_its_writes() {
    let bench = Bench::new().await;
    let desk = Desk::new(&bench).await;
    let body = r#"{"name":"Testwerk","revenue":1124.0,"address1_city":"Malmö","address1_line1":"Storgatan 1",
        "primarycontactid":{"firstname":"Deep","lastname":"Insert"}}"#;
    let prefer = [(
        "prefer",
        "return=representation,odata.include-annotations=\"*\"",
    )];
    let created = desk.send("POST", "accounts?$select=name,revenue,revenue_base,address1_composite,statuscode,_ownerid_value,_primarycontactid_value,createdon,_owningbusinessunit_value", body, &prefer).await;
    assert_eq!(created.status, 201, "{}", created.text);
    let row = created.json();
    let id = row["accountid"].as_str().expect("an id").to_owned();
    assert_eq!(created.id(), id);
    assert_eq!(row["statuscode"], 1, "the usual state");
    assert_eq!(row["address1_composite"], "Storgatan 1\nMalmö");
    assert!(
        created.text.contains("\"revenue_base\":1124.0"),
        "{}",
        created.text
    );
    assert!(row["_owningbusinessunit_value"].is_string() && row["createdon"].is_string());
    assert_eq!(
        row["_primarycontactid_value@OData.Community.Display.V1.FormattedValue"],
        "Deep Insert"
    );
    let (_, me) = desk.fetch("WhoAmI").await;
    assert_eq!(row["_ownerid_value"], me["UserId"]);
    let path = format!("accounts({id})");
    let tag = row["@odata.etag"].as_str().expect("a tag").to_owned();

    // An update changes what it names, and no more.
    let updated = desk
        .send(
            "PATCH",
            &path,
            r#"{"name":"Testwerk AB"}"#,
            &[("if-match", &tag)],
        )
        .await;
    assert_eq!(updated.status, 204, "{}", updated.text);
    let (_, read) = desk
        .fetch(&format!("{path}?$select=name,revenue,address1_city"))
        .await;
    assert_eq!(
        (&read["name"], &read["address1_city"]),
        (&json!("Testwerk AB"), &json!("Malmö"))
    );
    assert_ne!(read["@odata.etag"], tag.as_str());
    let conflict = desk
        .send("PATCH", &path, r#"{"name":"late"}"#, &[("if-match", &tag)])
        .await;
    assert_eq!(
        (conflict.status, conflict.code()),
        (412, "0x80060882".to_owned())
    );
    let conflict = desk.send("DELETE", &path, "", &[("if-match", &tag)]).await;
    assert_eq!(conflict.status, 412);
    let taken = desk
        .send(
            "PATCH",
            &path,
            r#"{"name":"new"}"#,
            &[("if-none-match", "*")],
        )
        .await;
    assert_eq!(taken.status, 412);

    // A state and its reason go together.
    let closed = desk
        .send("PATCH", &path, r#"{"statecode":1}"#, &prefer)
        .await;
    assert_eq!(closed.status, 200, "{}", closed.text);
    assert_eq!(closed.json()["statuscode"], 2);
    let wrong = desk
        .send("PATCH", &path, r#"{"statecode":0,"statuscode":2}"#, &[])
        .await;
    assert_eq!(wrong.code(), "0x80048408");

    // Lookups are bound, by key too, and let go.
    let bound = desk
        .send(
            "PATCH",
            &path,
            r#"{"parentaccountid@odata.bind":"/accounts(accountnumber='NV-000001')"}"#,
            &[],
        )
        .await;
    assert_eq!(bound.status, 204, "{}", bound.text);
    let (_, parent) = desk
        .fetch("accounts(accountnumber='NV-000001')?$select=name")
        .await;
    let (_, read) = desk
        .fetch(&format!("{path}?$select=_parentaccountid_value"))
        .await;
    assert_eq!(read["_parentaccountid_value"], parent["accountid"]);
    let loose = desk
        .send("DELETE", &format!("{path}/parentaccountid/$ref"), "", &[])
        .await;
    assert_eq!(loose.status, 204, "{}", loose.text);
    let (_, read) = desk
        .fetch(&format!("{path}?$select=_parentaccountid_value"))
        .await;
    assert_eq!(read["_parentaccountid_value"], Value::Null);
    let put = desk
        .send(
            "PUT",
            &format!("{path}/fax"),
            r#"{"value":"+46 555 0101"}"#,
            &[],
        )
        .await;
    assert_eq!(put.status, 204, "{}", put.text);
    let (_, fax) = desk.fetch(&format!("{path}/fax")).await;
    assert_eq!(fax["value"], "+46 555 0101");

    let gone = desk.send("DELETE", &path, "", &[]).await;
    assert_eq!((gone.status, gone.text.as_str()), (204, ""));
    for (method, body) in [("GET", ""), ("DELETE", "")] {
        let missing = desk.send(method, &path, body, &[]).await;
        assert_eq!(
            (missing.status, missing.code()),
            (404, "0x80040217".to_owned())
        );
    }
    let missing = desk
        .send("PATCH", &path, r#"{"name":"x"}"#, &[("if-match", "*")])
        .await;
    assert_eq!(missing.status, 404, "only an upsert creates");
    let again = desk.send("PATCH", &path, r#"{"name":"Risen"}"#, &[]).await;
    assert_eq!(
        (again.status, again.id()),
        (204, id.clone()),
        "{}",
        again.text
    );
    let (_, read) = desk
        .fetch(&format!("{path}?$select=name,address1_city"))
        .await;
    assert_eq!(
        (&read["name"], &read["address1_city"]),
        (&json!("Risen"), &Value::Null)
    );
}

#[tokio::test]
async fn rows_with_ids_and_keys_of_the_clients_choice_are_there_once() {
    let bench = Bench::new().await;
    let desk = Desk::new(&bench).await;
    let id = "deadbeef-1234-4321-aaaa-00000000000f";
    let body = format!(r#"{{"accountid":"{id}","name":"Mine","accountnumber":"X-1"}}"#);
    let created = desk.send("POST", "accounts", &body, &[]).await;
    assert_eq!((created.status, created.id()), (204, id.to_owned()));
    for (method, path, body, status, code) in [
        ("POST", "accounts", body.as_str(), 412, "0x80040237"),
        (
            "POST",
            "accounts",
            r#"{"name":"x","accountnumber":"x-1"}"#,
            412,
            "0x80060892",
        ),
        (
            "PATCH",
            "accounts(accountnumber='NV-000001')",
            r#"{"accountnumber":"X-1"}"#,
            412,
            "0x80060892",
        ),
    ] {
        let refused = desk.send(method, path, body, &[]).await;
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (status, code),
            "{method} {path}"
        );
    }
    let upsert = desk
        .send(
            "PATCH",
            "accounts(accountnumber='NEW-7')",
            r#"{"name":"By key"}"#,
            &[],
        )
        .await;
    assert_eq!(upsert.status, 204, "{}", upsert.text);
    let (_, read) = desk
        .fetch("accounts(accountnumber='NEW-7')?$select=name,accountnumber")
        .await;
    assert_eq!(
        (&read["name"], &read["accountnumber"]),
        (&json!("By key"), &json!("NEW-7"))
    );
    let all = desk
        .all("accounts?$select=name", "odata.maxpagesize=4")
        .await;
    assert_eq!(all.len(), 32, "each once, in pages too");
    let mail = r#"{"emailaddress1":"twin@norrvale.example"}"#;
    let detect = [("mscrm.suppressduplicatedetection", "false")];
    assert_eq!(
        desk.send("POST", "contacts", mail, &detect).await.status,
        204
    );
    let twin = desk.send("POST", "contacts", mail, &detect).await;
    assert_eq!((twin.status, twin.code()), (412, "0x80040333".to_owned()));
    assert_eq!(desk.send("POST", "contacts", mail, &[]).await.status, 204);
}

#[tokio::test]
async fn a_payload_that_does_not_fit_is_refused_and_leaves_nothing() {
    let bench = Bench::new().await;
    let desk = Desk::new(&bench).await;
    bench
        .control(
            "plugins",
            r#"{"table":"lead","operation":"create","message":"Not on a Sunday."}"#,
        )
        .await;
    bench
        .control(
            "privileges",
            r#"{"table":"opportunity","create":"none","write":"user","delete":"none"}"#,
        )
        .await;
    let long = format!(r#"{{"name":"{}"}}"#, "x".repeat(501));
    for (set, body, status, code) in [
        ("accounts", "{", 400, "0x80048d19"),
        ("accounts", r#"{"bogus":1}"#, 400, "0x80048d19"),
        ("accounts", r#"{"name":7}"#, 400, "0x80048d19"),
        (
            "accounts",
            r#"{"numberofemployees":"7"}"#,
            400,
            "0x80048d19",
        ),
        (
            "accounts",
            r#"{"numberofemployees":7.5}"#,
            400,
            "0x80048d19",
        ),
        ("accounts", r#"{"revenue":"7"}"#, 400, "0x80048d19"),
        (
            "accounts",
            r#"{"_primarycontactid_value":"5b4ced1c-88e1-ee11-904c-6045bd05e9d4"}"#,
            400,
            "0x80048d19",
        ),
        (
            "accounts",
            r#"{"primarycontactid@odata.bind":7}"#,
            400,
            "0x80048d19",
        ),
        (
            "accounts",
            r#"{"bogus@odata.bind":"/contacts(5b4ced1c-88e1-ee11-904c-6045bd05e9d4)"}"#,
            400,
            "0x80048d19",
        ),
        (
            "accounts",
            r#"{"primarycontactid@odata.bind":"/contacts(5b4ced1c-88e1-ee11-904c-6045bd05e9d4)"}"#,
            404,
            "0x80040217",
        ),
        (
            "contacts",
            r#"{"birthdate":"2026-02-30"}"#,
            400,
            "0x80048d19",
        ),
        ("accounts", r#"{"industrycode":4711}"#, 400, "0x8004431a"),
        ("accounts", &long, 400, "0x80044331"),
        ("leads", r#"{"subject":"x"}"#, 400, "0x80040265"),
        ("opportunities", r#"{"name":"x"}"#, 403, "0x80040220"),
    ] {
        let before = desk.all(&format!("{set}?$top=5000"), "").await.len();
        let refused = desk.send("POST", set, body, &[]).await;
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (status, code),
            "{set} {body}"
        );
        assert_eq!(
            desk.all(&format!("{set}?$top=5000"), "").await.len(),
            before,
            "{body}"
        );
    }
    let star = [("prefer", "odata.include-annotations=\"*\"")];
    let refused = desk
        .send("POST", "leads", r#"{"subject":"x"}"#, &star)
        .await;
    let error = &refused.json()["error"];
    assert_eq!(
        error["@Microsoft.PowerApps.CDS.ErrorDetails.ApiExceptionMessageName"],
        "IsvAborted"
    );
    assert_eq!(
        error["@Microsoft.PowerApps.CDS.InnerError.Message"],
        "Not on a Sunday."
    );
    let user = desk
        .send(
            "DELETE",
            "systemusers(00000000-0000-0000-0000-000000000001)",
            "",
            &[],
        )
        .await;
    assert_eq!(user.code(), "0x80040800", "users are disabled, not deleted");
    // What clients may not write is taken and changes nothing.
    let kept = desk
        .send(
            "POST",
            "accounts",
            r#"{"name":"x","createdon":"2001-01-01T00:00:00Z","versionnumber":1}"#,
            &[("prefer", "return=representation")],
        )
        .await;
    assert_eq!(kept.status, 201, "{}", kept.text);
    assert!(!kept.text.contains("2001-01-01"), "{}", kept.text);
    let migrated = desk
        .send(
            "POST",
            "accounts",
            r#"{"name":"x","overriddencreatedon":"2001-01-01T00:00:00Z"}"#,
            &[("prefer", "return=representation")],
        )
        .await;
    assert_eq!(migrated.json()["createdon"], "2001-01-01T00:00:00Z");
}

#[tokio::test]
async fn many_rows_are_written_at_once_or_none() {
    let bench = Bench::new().await;
    let desk = Desk::new(&bench).await;
    let path = "accounts/Microsoft.Dynamics.CRM.CreateMultiple";
    let good =
        r#"{"Targets":[{"@odata.type":"Microsoft.Dynamics.CRM.account","name":"a"},{"name":"b"}]}"#;
    let made = desk.send("POST", path, good, &[]).await;
    let ids = made.json()["Ids"].as_array().expect("ids").clone();
    assert_eq!(ids.len(), 2);
    let bad = r#"{"Targets":[{"name":"c"},{"name":"d","industrycode":4711}]}"#;
    assert_eq!(desk.send("POST", path, bad, &[]).await.code(), "0x8004431a");
    assert_eq!(desk.all("accounts?$select=name", "").await.len(), 32);
    let update = json!({"Targets": [{"accountid": ids[0], "name": "A"}, {"accountid": ids[1], "name": "B"}]});
    let path = "accounts/Microsoft.Dynamics.CRM.UpdateMultiple";
    assert_eq!(
        desk.send("POST", path, &update.to_string(), &[])
            .await
            .status,
        204
    );
    let (_, found) = desk
        .get("accounts", &[("$filter", "name in ('A','B')")])
        .await;
    assert_eq!(found["value"].as_array().expect("rows").len(), 2);
}
