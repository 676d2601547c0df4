//! A record as it is now, for a change that goes to where its fields are.

use salesmirror_dataverse::Client;
use salesmirror_model::{Change, Collect, TableMetadata};
use salesmirror_store::Mirror;
use uuid::Uuid;

use crate::error::{Result, blocking};

/// The JSON text of one record.
#[derive(Default)]
struct Text(Option<String>);

impl Collect for Text {
    fn take(&mut self, change: Change<'_>) {
        self.0 = match change {
            Change::Upsert(record) => Some(record.raw.to_owned()),
            Change::Delete(_) => None,
        };
    }
}

/// A record as it was delivered: from the mirror, or just now where the mirror has none, or none that
/// counts, and `has_to_be_known`. `None` where there is none.
///
/// # Errors
/// A database that cannot be read, or whatever the service or the network says.
pub(super) async fn current_record(
    mirror: &Mirror,
    client: &Client,
    metadata: &TableMetadata,
    id: Uuid,
    has_to_be_known: bool,
) -> Result<Option<Vec<u8>>> {
    let kept = {
        let (mirror, table) = (mirror.clone(), metadata.logical_name.clone());
        blocking(move || Ok(mirror.delivered_record(&table, id)?)).await?
    };
    // What was deleted may have been restored since.
    let counts = kept
        .as_ref()
        .is_some_and(|row| row.stale_at.is_none() && row.deleted_at.is_none());
    if counts || !has_to_be_known {
        return Ok(kept.map(|row| row.json));
    }
    let mut live = Text::default();
    client.fetch_record(metadata, id, &mut live).await?;
    Ok(live.0.map(String::into_bytes))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex};

    use async_trait::async_trait;
    use salesmirror_dataverse::{HttpConfig, RetryPolicy, TokenError, TokenSource, http_client};
    use salesmirror_model::unified::Delivered;
    use salesmirror_model::unified::write::{Purpose, Surroundings, Writing};
    use salesmirror_model::{ColumnKind, ColumnMetadata, PageEnd, Record};
    use salesmirror_store::{Begin, DatabaseKey};
    use secrecy::SecretString;
    use serde_json::value::RawValue;
    use serde_json::{Value, json};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use url::Url;

    use super::*;

    const ID: Uuid = Uuid::from_u128(0xaa);

    struct Tokens;

    #[async_trait]
    impl TokenSource for Tokens {
        async fn token(&self, _: Option<&SecretString>) -> Result<SecretString, TokenError> {
            Ok("token".to_owned().into())
        }
    }

    fn table(name: &str) -> TableMetadata {
        let text = [
            "address1_line1",
            "address1_city",
            "address2_line1",
            "address2_city",
            "telephone2",
            "telephone3",
        ];
        let whole = [
            "address1_addresstypecode",
            "address2_addresstypecode",
            "statecode",
        ];
        let money = ["actualvalue", "estimatedvalue"];
        let dates = ["actualclosedate", "estimatedclosedate"];
        let columns = [
            (&text[..], ColumnKind::Text),
            (&whole[..], ColumnKind::Choice),
            (&money[..], ColumnKind::Money),
            (&dates[..], ColumnKind::DateOnly),
        ];
        let column = |name: &str, kind| ColumnMetadata {
            logical_name: name.to_owned(),
            display_name: name.to_owned(),
            kind,
            targets: Vec::new(),
            choices: Vec::new(),
            is_custom: false,
        };
        let columns = columns.into_iter();
        TableMetadata {
            logical_name: name.to_owned(),
            entity_set_name: format!("{name}s"),
            primary_id: format!("{name}id"),
            primary_name: None,
            display_name: name.to_owned(),
            display_collection_name: name.to_owned(),
            is_custom: false,
            object_type_code: None,
            change_tracking: true,
            columns: columns
                .flat_map(|(names, kind)| names.iter().map(move |name| column(name, kind)))
                .chain([column(&format!("{name}id"), ColumnKind::UniqueId)])
                .collect(),
        }
    }

    /// A service that has one record, or none; and how often it was asked.
    async fn serve(record: Option<Value>) -> (Client, Arc<AtomicUsize>, Arc<Mutex<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let environment =
            Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let (asked, path) = (
            Arc::<AtomicUsize>::default(),
            Arc::<Mutex<String>>::default(),
        );
        let (count, seen) = (Arc::clone(&asked), Arc::clone(&path));
        let (status, body) = match record {
            Some(record) => ("200 OK", record.to_string()),
            None => (
                "404 Not Found",
                json!({"error": {"code": "0x80040217", "message": "Does Not Exist"}}).to_string(),
            ),
        };
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    request.push(stream.read_u8().await.unwrap());
                }
                count.fetch_add(1, Ordering::Relaxed);
                let line = String::from_utf8(request).unwrap();
                *seen.lock().unwrap() = line.lines().next().unwrap_or_default().to_owned();
                let reply = format!(
                    "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
                     connection: close\r\n\r\n{body}",
                    body.len()
                );
                stream.write_all(reply.as_bytes()).await.unwrap();
            }
        });
        let http = http_client(&HttpConfig::default()).unwrap();
        let client = Client::new(http, &environment, &[], Arc::new(Tokens)).unwrap();
        let client = client.with_policy(RetryPolicy {
            max_wait: std::time::Duration::from_secs(5),
            backoff: std::time::Duration::from_millis(1),
        });
        (client, asked, path)
    }

    /// What the mirror has of the record.
    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Kept {
        Nothing,
        Fresh,
        Stale,
        Deleted,
    }

    fn mirror(folder: &std::path::Path, metadata: &TableMetadata, kept: Kept, raw: &str) -> Mirror {
        let name = &metadata.logical_name;
        let key = DatabaseKey::from_bytes([7; 32]);
        let mirror = Mirror::open(&folder.join("mirror.db"), &key).unwrap();
        mirror.define_table(metadata).unwrap();
        let begin = Begin::Full {
            tracked: true,
            mark: None,
        };
        mirror.begin(name, begin, 1).unwrap();
        let apply = |change| {
            let mut batch = mirror.batch(name);
            batch.take(change);
            let end = PageEnd {
                delta_link: Some("d".to_owned()),
                rows: 1,
                ..PageEnd::default()
            };
            mirror.apply_page(metadata, batch, end, 1).unwrap();
        };
        if kept != Kept::Nothing {
            apply(Change::Upsert(Record {
                id: ID,
                version: Some(1),
                values: Vec::new(),
                raw,
            }));
        }
        match kept {
            Kept::Stale => drop(mirror.invalidate_records(name, &[ID], 2).unwrap()),
            Kept::Deleted => apply(Change::Delete(ID)),
            Kept::Nothing | Kept::Fresh => {}
        }
        mirror
    }

    #[tokio::test]
    async fn a_record_that_the_mirror_lacks_is_read_before_it_is_decided_by() {
        let account = (
            "account",
            // As it was once, and as it is.
            json!({"address1_city": "a", "address1_addresstypecode": 1}),
            json!({"address1_city": "a", "address1_addresstypecode": 3}),
            json!({"addresses": [{"address_type": "billing", "city": "b"}]}),
        );
        let new = json!({"address2_city": "b", "address2_addresstypecode": 1});
        let old = json!({"address1_city": "b"});
        let deal = (
            "opportunity",
            json!({"statecode": 0, "estimatedvalue": 1}),
            json!({"statecode": 1, "actualvalue": 2, "actualclosedate": "2026-01-01"}),
            json!({"amount": 3, "close_date": "2026-02-02"}),
        );
        let closed = json!({"actualvalue": 3, "actualclosedate": "2026-02-02"});
        let open = json!({"estimatedvalue": 3, "estimatedclosedate": "2026-02-02"});
        let phones = (
            "account",
            json!({"telephone2": "2"}),
            json!({"telephone3": "2"}),
            json!({"phone_numbers": [{"phone_number": "2", "phone_number_type": "other"}]}),
        );
        let stays = json!({"telephone2": null, "telephone3": "2"});
        for ((name, once, now, body), kept, expected, requests) in [
            (&account, Kept::Nothing, &new, 1),
            (&account, Kept::Stale, &new, 1),
            (&account, Kept::Deleted, &new, 1),
            (&account, Kept::Fresh, &old, 0),
            (&deal, Kept::Nothing, &closed, 1),
            (&deal, Kept::Stale, &closed, 1),
            (&deal, Kept::Fresh, &open, 0),
            (&phones, Kept::Nothing, &stays, 1),
            (&phones, Kept::Stale, &stays, 1),
        ] {
            let metadata = table(name);
            let folder = tempfile::tempdir().unwrap();
            let mut live = now.clone();
            live[&metadata.primary_id] = json!(ID);
            let mirror = mirror(folder.path(), &metadata, kept, &once.to_string());
            let (client, asked, path) = serve(Some(live)).await;
            let current = current_record(&mirror, &client, &metadata, ID, true).await;
            let current = current.unwrap().unwrap();
            let current = Delivered::parse(&current).unwrap();
            let around = Surroundings::default();
            let writing = Writing::new(&metadata, Purpose::Update, Some(&current), &around);
            let raw = RawValue::from_string(body.to_string()).unwrap();
            let found = writing.unwrap().attributes(&raw).unwrap().json();
            let found: Value = serde_json::from_str(&found).unwrap();
            assert_eq!(&found, expected, "{name} {kept:?}");
            assert_eq!(asked.load(Ordering::Relaxed), requests, "{name} {kept:?}");
            if requests > 0 {
                let begin = format!("GET /api/data/v9.2/{name}s({ID})");
                let path = path.lock().unwrap();
                assert!(path.starts_with(&begin), "{path}");
            }
        }
    }

    #[tokio::test]
    async fn nothing_is_asked_for_in_vain_and_what_is_gone_is_none() {
        let metadata = table("account");
        let raw = json!({"address1_city": "a"}).to_string();
        for (kept, has_to_be_known, is_found, requests) in [
            (Kept::Nothing, false, false, 0),
            (Kept::Stale, false, true, 0),
            (Kept::Fresh, true, true, 0),
            (Kept::Nothing, true, false, 1),
            (Kept::Stale, true, false, 1),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let mirror = mirror(folder.path(), &metadata, kept, &raw);
            let (client, asked, _) = serve(None).await;
            let found = current_record(&mirror, &client, &metadata, ID, has_to_be_known).await;
            assert_eq!(found.unwrap().is_some(), is_found, "{kept:?}");
            assert_eq!(asked.load(Ordering::Relaxed), requests, "{kept:?}");
        }
    }
}
