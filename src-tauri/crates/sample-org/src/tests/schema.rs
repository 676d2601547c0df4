//! What the control interface does to the schema and to single records.

use super::Bench;
use super::desk::Desk;

#[tokio::test]
async fn the_schema_changes_and_says_so() {
    let bench = Bench::new().await;
    let desk = Desk::new(&bench).await;
    let version = async || {
        let prefer = "odata.include-annotations=\"Microsoft.Dynamics.CRM.globalmetadataversion\"";
        let (_, page) = desk
            .prefer("contacts?$select=fullname&$top=1", prefer)
            .await;
        let version = page["@Microsoft.Dynamics.CRM.globalmetadataversion"].as_str();
        version.expect("a version").to_owned()
    };
    let path = "RetrieveMetadataChanges(Query=@q,ClientVersionStamp=@s)";
    let query = "%7B%22Criteria%22%3A%7B%22Conditions%22%3A%5B%5D%7D%7D";
    let (_, first) = desk.fetch(&format!("{path}?@q={query}&@s=null")).await;
    assert!(first["EntityMetadata"].as_array().expect("tables").len() > 10);
    let stamp = first["ServerVersionStamp"]
        .as_str()
        .expect("a stamp")
        .replace(' ', "%20");
    let mut seen = vec![version().await];
    for (path, body, column, type_name) in [
        (
            "columns",
            r#"{"table":"account","column":"nrv_new","action":"add","type":"choice","of":"1:One,2:Two","label":"New"}"#,
            "nrv_new",
            Some("PicklistType"),
        ),
        (
            "columns",
            r#"{"table":"account","column":"nrv_new","action":"retype","type":"decimal"}"#,
            "nrv_new",
            Some("DecimalType"),
        ),
        (
            "columns",
            r#"{"table":"account","column":"nrv_new","action":"drop"}"#,
            "nrv_new",
            None,
        ),
        (
            "columns",
            r#"{"table":"account","hidden":["fax"]}"#,
            "fax",
            None,
        ),
        (
            "columns",
            r#"{"table":"account","hidden":[]}"#,
            "fax",
            Some("StringType"),
        ),
        (
            "columns",
            r#"{"table":"account","column":"a; drop","action":"add","type":"text"}"#,
            "a; drop",
            Some("StringType"),
        ),
    ] {
        bench.control(path, body).await;
        let now = version().await;
        assert!(!seen.contains(&now), "{body}");
        seen.push(now);
        let (_, list) = desk
            .fetch("EntityDefinitions(LogicalName='account')/Attributes")
            .await;
        let found = list["value"]
            .as_array()
            .expect("a list")
            .iter()
            .find(|found| found["LogicalName"] == column);
        assert_eq!(
            found.map(|found| found["AttributeTypeName"]["Value"].as_str()),
            type_name.map(Some),
            "{body}"
        );
        let (_, page) = desk.fetch("accounts?$top=1").await;
        assert_eq!(
            page["value"][0].get(column).is_some(),
            type_name.is_some(),
            "{body}"
        );
    }
    let (_, changed) = desk.fetch(&format!("{path}?@q={query}&@s='{stamp}'")).await;
    let names: Vec<&str> = changed["EntityMetadata"]
        .as_array()
        .expect("tables")
        .iter()
        .filter_map(|found| found["LogicalName"].as_str())
        .collect();
    assert_eq!(names, ["account"]);
    bench.control("metadata-stamps/expire", "").await;
    let (_, expired) = desk.fetch(&format!("{path}?@q={query}&@s='{stamp}'")).await;
    assert_eq!(expired["error"]["code"], "0x80044352");
    bench
        .control("tables", r#"{"table":"lead","present":false}"#)
        .await;
    for path in [
        "leads",
        "EntityDefinitions(LogicalName='lead')",
        "accounts?$expand=originatingleadid",
    ] {
        let (status, _) = desk.fetch(path).await;
        assert!((400..405).contains(&status), "{path}: {status}");
    }
    bench
        .control("tables", r#"{"table":"lead","present":true}"#)
        .await;
    assert_eq!(desk.fetch("leads").await.0, 200);
    for body in [
        r#"{"table":"account","column":"name","action":"drop"}"#,
        r#"{"table":"account","column":"fax","action":"add"}"#,
        r#"{"table":"account","column":"nope","action":"drop"}"#,
        r#"{"table":"account","column":"nrv_x","action":"add","type":"dragon"}"#,
        r#"{"table":"account","column":"nrv_x","action":"add","type":"lookup"}"#,
        r#"{"table":"account","hidden":["nope"]}"#,
    ] {
        let (status, answer) = bench.control_reply("POST", "columns", body).await;
        assert_eq!(status, 400, "{body}: {answer}");
    }
}

#[tokio::test]
async fn records_are_put_byte_by_byte() {
    let bench = Bench::new().await;
    let desk = Desk::new(&bench).await;
    let values = r#"{"name":"\u0041\u0000","revenue":1.10e3,"industrycode":4711,"createdon":"0001-01-01T00:00:00Z",
        "_primarycontactid_value":"00000000-0000-0000-0000-000000000000",
        "_ownerid_value":"11111111-2222-3333-4444-555555555555","_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname":"team"}"#;
    let answer = bench
        .control(
            "records",
            &format!(r#"{{"table":"account","values":{values}}}"#),
        )
        .await;
    let id = answer["id"].as_str().expect("an id");
    let prefer = [("prefer", "odata.include-annotations=\"*\"")];
    let read = desk
        .send("GET", &format!("accounts({id})"), "", &prefer)
        .await;
    for part in [
        r#""name":"\u0041\u0000""#,
        r#""revenue":1.10e3"#,
        r#""industrycode":4711"#,
        r#""createdon":"0001-01-01T00:00:00Z""#,
        r#""_primarycontactid_value":"00000000-0000-0000-0000-000000000000""#,
        r#""_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname":"team""#,
        r#""fax":null"#,
    ] {
        assert!(read.text.contains(part), "{part}: {}", read.text);
    }
    let url = format!(
        "{}/records/account/{id}",
        bench.org.description().control_url
    );
    let told = bench
        .http
        .get(url)
        .send()
        .await
        .expect("a row")
        .text()
        .await
        .expect("a text");
    assert!(told.contains(r#""revenue":1.10e3"#), "{told}");
    let (status, _) = bench
        .control_reply(
            "DELETE",
            "records",
            &format!(r#"{{"table":"account","id":"{id}"}}"#),
        )
        .await;
    assert_eq!(status, 200);
    assert_eq!(desk.fetch(&format!("accounts({id})")).await.0, 404);
}
