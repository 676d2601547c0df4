//! How far a role reaches, and how that is told.

use serde_json::{Value, json};

use super::Bench;
use super::desk::Desk;

#[tokio::test]
async fn roles_reach_as_far_as_they_are_set() {
    let bench = Bench::new().await;
    let desk = Desk::new(&bench).await;
    let all = desk
        .all(
            "accounts?$select=_ownerid_value,_owningbusinessunit_value",
            "",
        )
        .await;
    let (_, me) = desk.fetch("WhoAmI").await;
    let (_, user) = desk
        .fetch(&format!(
            "systemusers({})?$select=_businessunitid_value",
            me["UserId"].as_str().expect("an id")
        ))
        .await;
    for (reach, column, wanted) in [
        ("all", "", &Value::Null),
        ("user", "_ownerid_value", &me["UserId"]),
        (
            "unit",
            "_owningbusinessunit_value",
            &user["_businessunitid_value"],
        ),
    ] {
        let change = json!({"table": "account", "read": reach}).to_string();
        bench.control("privileges", &change).await;
        let seen = desk
            .all(
                "accounts?$select=_ownerid_value,_owningbusinessunit_value",
                "",
            )
            .await;
        let expected: Vec<Value> = all
            .iter()
            .filter(|row| column.is_empty() || row[column] == *wanted)
            .cloned()
            .collect();
        assert_eq!(seen, expected, "{reach}");
        let (_, count) = desk.fetch("accounts?$select=name&$count=true&$top=1").await;
        assert_eq!(count["@odata.count"], expected.len(), "{reach}");
        let hidden = all.iter().find(|row| !expected.contains(row));
        if let Some(row) = hidden {
            let (status, refused) = desk
                .fetch(&format!(
                    "accounts({})",
                    row["accountid"].as_str().expect("an id")
                ))
                .await;
            assert_eq!(
                (status, &refused["error"]["code"]),
                (403, &json!("0x80040220")),
                "{reach}"
            );
        }
    }
    for (text, part) in [
        ("principal", "is missing prvReadaccount privilege"),
        (
            "access_check",
            "SecLib::AccessCheckEx failed. Returned hr = -2147187962",
        ),
        ("check_privilege", "PrivilegeName: prvReadAccount"),
    ] {
        bench
            .control("privileges", r#"{"table":"account","read":"none"}"#)
            .await;
        let change = json!({"data": {"privilege_text": text}}).to_string();
        bench.control("variants", &change).await;
        let (status, refused) = desk.fetch("accounts").await;
        let message = refused["error"]["message"].as_str().expect("a message");
        assert!(status == 403 && message.contains(part), "{text}: {message}");
    }
    for (form, code) in [
        ("hex", "0x80040220"),
        ("decimal", "-2147220960"),
        ("empty", ""),
    ] {
        let change = json!({"data": {"error_code": form}}).to_string();
        bench.control("variants", &change).await;
        let (_, refused) = desk.fetch("accounts").await;
        assert_eq!(refused["error"]["code"], code, "{form}");
    }
    bench
        .control(
            "privileges",
            r#"{"table":"contact","columns":{"fullname":false}}"#,
        )
        .await;
    let rows = desk.all("contacts?$select=fullname,lastname", "").await;
    assert!(
        rows.iter()
            .all(|row| row["fullname"].is_null() && row["lastname"].is_string())
    );
}
