//! Who is signed in, and to which organisation.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;
use uuid::Uuid;

use crate::client::Client;
use crate::link::exact;
use crate::page::without_mark;
use crate::{Error, Result};

/// Tables in one request for row counts: their names fit well into an address.
const TABLES_A_COUNT: usize = 200;
/// Requests that counting takes at most: what is in doubt by then stays without a count.
const MOST_COUNTS: usize = 64;

/// The reply to `WhoAmI`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct WhoAmI {
    /// The signed-in user's record.
    pub user_id: Uuid,
    /// Their business unit.
    pub business_unit_id: Uuid,
    /// The organisation.
    pub organization_id: Uuid,
}

/// What `RetrieveCurrentOrganization` says.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Organization {
    /// Name as people know it.
    pub friendly_name: String,
    /// Version of the organisation.
    pub organization_version: String,
    /// Tenant.
    pub tenant_id: Option<String>,
    /// `Customer`, `CustomerTest` (sandbox) and others.
    pub organization_type: Option<Value>,
    /// Addresses of its services.
    pub endpoints: Option<Value>,
}

#[derive(Deserialize)]
struct Detail {
    #[serde(rename = "Detail")]
    detail: Organization,
}

impl Organization {
    /// The addresses of its services, which tell its other origin. They come as a pair of arrays;
    /// a list of pairs is taken too.
    #[must_use]
    pub fn addresses(&self) -> Vec<Url> {
        let Some(endpoints) = &self.endpoints else {
            return Vec::new();
        };
        let values = endpoints.get("Values").unwrap_or(endpoints);
        let texts = values.as_array().into_iter().flatten();
        texts
            .filter_map(|entry| entry.as_str().or_else(|| entry.get("Value")?.as_str()))
            .filter_map(|text| Url::parse(text).ok())
            .collect()
    }
}

impl Client {
    /// `GET` below the Web API's path, as JSON.
    ///
    /// # Errors
    /// Whatever the service or the network says.
    pub async fn get_json<T: DeserializeOwned>(&self, path_and_query: &str) -> Result<T> {
        let url = exact(&format!("{}{path_and_query}", self.base()))?;
        let body = self.get(&url, None).await?;
        let body = without_mark(&body);
        serde_json::from_slice(body).map_err(|error| {
            if body.trim_ascii_start().starts_with(b"<") {
                Error::NotDataverse(self.host())
            } else {
                Error::BadReply(error.to_string())
            }
        })
    }

    /// Who is signed in.
    ///
    /// # Errors
    /// Whatever the service or the network says.
    pub async fn who_am_i(&self) -> Result<WhoAmI> {
        self.get_json("WhoAmI").await
    }

    /// For how many days the organisation keeps what a delta link needs; `None` where it does not say.
    ///
    /// # Errors
    /// Whatever the service or the network says.
    pub async fn change_tracking_days(&self) -> Result<Option<u32>> {
        #[derive(Deserialize)]
        struct Found {
            expirechangetrackingindays: Option<u32>,
        }
        #[derive(Deserialize)]
        struct Reply {
            #[serde(default)]
            value: Vec<Found>,
        }
        let reply: Reply = self
            .get_json("organizations?$select=expirechangetrackingindays")
            .await?;
        let found = reply.value.into_iter().next();
        Ok(found.and_then(|row| row.expirechangetrackingindays))
    }

    /// The ISO 4217 codes of all currencies, by their ids.
    ///
    /// # Errors
    /// Whatever the service or the network says.
    pub async fn currency_codes(&self) -> Result<Vec<(Uuid, String)>> {
        #[derive(Deserialize)]
        struct Found {
            transactioncurrencyid: Uuid,
            isocurrencycode: Option<String>,
        }
        #[derive(Deserialize)]
        struct Reply {
            #[serde(default)]
            value: Vec<Found>,
        }
        // There are fewer than a page holds.
        let reply: Reply = self
            .get_json("transactioncurrencies?$select=transactioncurrencyid,isocurrencycode")
            .await?;
        let codes = reply
            .value
            .into_iter()
            .filter_map(|row| Some((row.transactioncurrencyid, row.isocurrencycode?)));
        Ok(codes.collect())
    }

    /// The organisation.
    ///
    /// # Errors
    /// Whatever the service or the network says.
    pub async fn organization(&self) -> Result<Organization> {
        let reply: Detail = self
            .get_json(
                "RetrieveCurrentOrganization(AccessType=Microsoft.Dynamics.CRM.EndpointAccessType'Default')",
            )
            .await?;
        Ok(reply.detail)
    }

    /// A user's name, by which people know them.
    ///
    /// # Errors
    /// Whatever the service or the network says.
    pub async fn user_name(&self, user: Uuid) -> Result<Option<String>> {
        let record: Value = self
            .get_json(&format!(
                "systemusers({user})?$select=fullname,internalemailaddress,domainname"
            ))
            .await?;
        let name = ["domainname", "internalemailaddress", "fullname"]
            .iter()
            .find_map(|column| record.get(*column).and_then(Value::as_str))
            .filter(|name| !name.is_empty());
        Ok(name.map(str::to_owned))
    }

    /// Row counts, up to a day old: for progress only. A table that the service does not know is
    /// left out, and where it does not know many some of those beside them too; where all counts are zero
    /// none was made yet, and none is given.
    ///
    /// # Errors
    /// Whatever the network says; not that a table is unknown.
    pub async fn record_counts(&self, tables: &[&str]) -> Result<BTreeMap<String, u64>> {
        let mut counts = BTreeMap::new();
        let mut waiting: Vec<&[&str]> = tables.chunks(TABLES_A_COUNT).collect();
        let mut left = MOST_COUNTS;
        while !waiting.is_empty() && left > 0 {
            waiting.truncate(left);
            left -= waiting.len();
            let asked = waiting
                .drain(..)
                .map(async |some| (some, self.count(some).await));
            for (some, answer) in futures::future::join_all(asked).await {
                match answer {
                    Ok(found) => counts.extend(found),
                    // One unknown name fails the call for all: then each half is asked for by itself.
                    Err(Error::Service(_)) if some.len() > 1 => {
                        let (one, other) = some.split_at(some.len() / 2);
                        waiting.extend([one, other]);
                    }
                    Err(Error::Service(_)) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        if counts.values().all(|count| *count == 0) {
            counts.clear();
        }
        Ok(counts)
    }

    async fn count(&self, tables: &[&str]) -> Result<BTreeMap<String, u64>> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Counts {
            keys: Vec<String>,
            values: Vec<u64>,
        }
        #[derive(Deserialize)]
        struct Reply {
            #[serde(rename = "EntityRecordCountCollection")]
            counts: Counts,
        }
        let names: Vec<String> = tables
            .iter()
            .map(|table| format!("%22{table}%22"))
            .collect();
        let path = format!(
            "RetrieveTotalRecordCount(EntityNames=@p1)?@p1=[{}]",
            names.join(",")
        );
        let reply: Reply = self.get_json(&path).await?;
        let pairs = reply.counts.keys.into_iter().zip(reply.counts.values);
        Ok(pairs.collect())
    }
}
