//! Change tracking, its refusals, and each variant of what is not settled.

use serde_json::{Value, json};

use super::Bench;
use super::desk::Desk;

const TRACK: &str = "odata.track-changes";

async fn first(desk: &Desk<'_>, path: &str) -> String {
    let (status, page) = desk.prefer(path, TRACK).await;
    assert_eq!(status, 200, "{page}");
    page["@odata.deltaLink"]
        .as_str()
        .expect("a link")
        .to_owned()
}

fn changes(page: &Value) -> Vec<(String, bool)> {
    let rows = page["value"].as_array().unwrap_or_else(|| panic!("{page}"));
    rows.iter()
        .map(|row| match row["id"].as_str() {
            Some(id) => {
                let context = row["@odata.context"].as_str().expect("a context");
                assert!(context.ends_with("#accounts/$deletedEntity"), "{row}");
                assert_eq!(row["reason"], "deleted");
                (id.to_owned(), true)
            }
            None => (row["accountid"].as_str().expect("an id").to_owned(), false),
        })
        .collect()
}

#[tokio::test]
async fn a_delta_tells_each_change_once_in_its_order_and_deletes_last() {
    let bench = Bench::new().await;
    let desk = Desk::new(&bench).await;
    let link = first(&desk, "accounts?$select=name").await;
    assert!(
        link.contains("accounts?$select=name&$deltatoken=") && link.contains("%2103%2f"),
        "{link}"
    );
    let rows = desk.all("accounts?$select=name", "").await;
    let id = |place: usize| rows[place]["accountid"].as_str().expect("an id").to_owned();
    for (method, place, body) in [
        ("PATCH", 3, r#"{"name":"three"}"#),
        ("PATCH", 1, r#"{"name":"one"}"#),
        ("DELETE", 5, ""),
        ("PATCH", 3, r#"{"name":"three again"}"#),
    ] {
        let reply = desk
            .send(method, &format!("accounts({})", id(place)), body, &[])
            .await;
        assert_eq!(reply.status, 204, "{}", reply.text);
    }
    let made = desk
        .send("POST", "accounts", r#"{"name":"short-lived"}"#, &[])
        .await
        .id();
    desk.send("DELETE", &format!("accounts({made})"), "", &[])
        .await;
    let wanted = [(id(1), false), (id(3), false), (id(5), true), (made, true)];
    let (_, delta) = desk.fetch(&link).await;
    assert_eq!(changes(&delta), wanted);
    assert!(
        delta["@odata.context"]
            .as_str()
            .expect("a context")
            .ends_with("#accounts(name)/$delta")
    );
    // Counted before they are read.
    let (path, token) = link.split_once('?').expect("a query");
    let token = token.split_once("$deltatoken=").expect("a token").1;
    let counted = desk
        .send(
            "GET",
            &format!("{path}/$count?$deltatoken={token}"),
            "",
            &[],
        )
        .await;
    assert_eq!(counted.text, "4");
    // In pages, each with a cookie that says it is tracked.
    let mut paged = Vec::new();
    let mut next = link.clone();
    let last = loop {
        let (_, page) = desk.prefer(&next, "odata.maxpagesize=1").await;
        paged.extend(changes(&page));
        match page["@odata.nextLink"].as_str() {
            Some(link) => {
                assert!(
                    link.contains("maxTimestamp") && link.contains("istracking=%22True%22"),
                    "{link}"
                );
                next = link.to_owned();
            }
            None => {
                break page["@odata.deltaLink"]
                    .as_str()
                    .expect("a link")
                    .to_owned();
            }
        }
    };
    paged.sort();
    let mut wanted = wanted.to_vec();
    wanted.sort();
    assert_eq!(paged, wanted);
    let (_, nothing) = desk.fetch(&last).await;
    assert_eq!(changes(&nothing), []);
}

#[tokio::test]
async fn the_watermark_is_that_of_the_first_page() {
    let bench = Bench::new().await;
    let desk = Desk::new(&bench).await;
    let (_, page) = desk
        .prefer(
            "accounts?$select=name",
            "odata.track-changes,odata.maxpagesize=20",
        )
        .await;
    assert!(page.get("@odata.deltaLink").is_none());
    let last = page["value"][0]["accountid"]
        .as_str()
        .expect("an id")
        .to_owned();
    desk.send(
        "PATCH",
        &format!("accounts({last})"),
        r#"{"name":"meanwhile"}"#,
        &[],
    )
    .await;
    let next = page["@odata.nextLink"].as_str().expect("a link").to_owned();
    let (_, page) = desk.fetch(&next).await;
    let link = page["@odata.deltaLink"]
        .as_str()
        .expect("a link")
        .to_owned();
    let (_, delta) = desk.fetch(&link).await;
    assert_eq!(changes(&delta), [(last, false)], "the change comes again");
}

#[tokio::test]
async fn what_does_not_go_with_tracking_is_refused() {
    let bench = Bench::new().await;
    let desk = Desk::new(&bench).await;
    for option in [
        "$filter=name ne null",
        "$orderby=name",
        "$expand=primarycontactid",
        "$top=5",
    ] {
        let (status, answer) = desk
            .prefer(&format!("accounts?$select=name&{option}"), TRACK)
            .await;
        let name = option.split('=').next().expect("a name");
        let message = format!(
            "The \"{name}\" query parameter isn't supported when Change Tracking is enabled."
        );
        assert_eq!(
            (status, &answer["error"]["message"]),
            (400, &json!(message))
        );
    }
    let link = first(&desk, "accounts?$select=name").await;
    for (path, body, variant, status, code) in [
        (
            "tracking",
            r#"{"table":"account","enabled":false}"#,
            r#"{"untracked_status":400}"#,
            400,
            "0x80072491",
        ),
        (
            "tracking",
            r#"{"table":"account","enabled":false}"#,
            r#"{"untracked_status":403}"#,
            403,
            "0x80072491",
        ),
        (
            "privileges",
            r#"{"table":"account","read":"unit"}"#,
            r#"{"tracking_depth_status":403}"#,
            403,
            "0x80040220",
        ),
        (
            "privileges",
            r#"{"table":"account","read":"user"}"#,
            r#"{"tracking_depth_status":400}"#,
            400,
            "0x80040220",
        ),
        (
            "delta-tokens/expire",
            r#"{"tables":["account"]}"#,
            r#"{"expired_status":400}"#,
            400,
            "0x80044352",
        ),
        (
            "delta-tokens/expire",
            r#"{"tables":["account"]}"#,
            r#"{"expired_status":404}"#,
            404,
            "0x80044352",
        ),
        (
            "delta-tokens/expire",
            r#"{"tables":["account"]}"#,
            r#"{"expired_status":410}"#,
            410,
            "0x80044352",
        ),
        (
            "columns",
            r#"{"table":"account","column":"nrv_new","action":"add","type":"text"}"#,
            "{}",
            400,
            "0x80044352",
        ),
        (
            "columns",
            r#"{"table":"account","column":"fax","action":"drop"}"#,
            "{}",
            400,
            "0x80044352",
        ),
        (
            "columns",
            r#"{"table":"account","column":"fax","action":"retype","type":"integer"}"#,
            "{}",
            400,
            "0x80044352",
        ),
    ] {
        bench.control("reset", "").await;
        let desk = Desk::new(&bench).await;
        let link = first(&desk, "accounts?$select=name").await;
        let other = first(&desk, "contacts?$select=fullname").await;
        bench
            .control("variants", &format!(r#"{{"data":{variant}}}"#))
            .await;
        bench.control(path, body).await;
        let (got, answer) = desk.fetch(&link).await;
        assert_eq!(
            (got, &answer["error"]["code"]),
            (status, &json!(code)),
            "{path} {body}"
        );
        let (got, _) = desk.fetch(&other).await;
        assert_eq!(got, 200, "{path} {body}: the other table goes on");
    }
    let desk = Desk::new(&bench).await;
    let (status, _) = desk.fetch(&link).await;
    assert_eq!(status, 400, "a link of before the reset");
}

#[tokio::test]
async fn every_open_form_of_a_delta_can_be_had() {
    let bench = Bench::new().await;
    let desk = Desk::new(&bench).await;
    let link = first(&desk, "accounts?$select=name").await;
    for (variant, wanted) in [
        (
            r#"{"delta_context":"delta"}"#,
            "/api/data/v9.2/$metadata#accounts(name)/$delta",
        ),
        (
            r#"{"delta_context":"plain"}"#,
            "/api/data/v9.2/$metadata#accounts(name)",
        ),
        (
            r#"{"delta_context":"without_api"}"#,
            "/data/v9.2/$metadata#accounts(name)/$delta",
        ),
    ] {
        bench
            .control("variants", &format!(r#"{{"data":{variant}}}"#))
            .await;
        let (_, delta) = desk.fetch(&link).await;
        let context = delta["@odata.context"].as_str().expect("a context");
        let environment = &bench.org.description().environment_url;
        assert_eq!(context, format!("{environment}{wanted}"));
        assert_eq!(delta["value"], json!([]));
    }
    bench
        .control("variants", r#"{"data":{"delta_without_value":true}}"#)
        .await;
    let (_, delta) = desk.fetch(&link).await;
    assert!(
        delta.get("value").is_none() && delta["@odata.deltaLink"].is_string(),
        "{delta}"
    );
    bench
        .control("variants", r#"{"data":{"delta_link_withheld":true}}"#)
        .await;
    let star = "odata.track-changes,odata.include-annotations=\"*\"";
    let (_, page) = desk.prefer("accounts?$select=name", star).await;
    assert!(page.get("@odata.deltaLink").is_none() && page.get("@odata.nextLink").is_none());
    let (_, page) = desk.prefer("accounts?$select=name", TRACK).await;
    assert!(page["@odata.deltaLink"].is_string());
}
