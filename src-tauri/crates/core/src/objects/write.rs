//! From a body with unified fields to Dataverse's attributes.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use salesmirror_model::parse_guid;
use salesmirror_model::unified::Delivered;
use salesmirror_model::unified::write::{
    Attributes, Navigation, Problem, Purpose, Surroundings, Writing, custom_columns,
    depends_on_current,
};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::currencies::{CODE, CURRENCY};
use super::current::current_record;
use super::{Ways, unified_object};
use crate::error::{Result, blocking};
use crate::session::Session;
use crate::writes::WRITE_PATIENCE;

impl Session {
    /// The attributes of a body for a new record, or for the record of this id; else everything that
    /// keeps it from being written. Lookups of `custom_fields` may need a request or two for the
    /// table's relationships; they are remembered. Fields that go to where they are now, such as
    /// addresses, need one for the record where the mirror has none, or has it stale.
    ///
    /// # Errors
    /// A table that has no unified object or was never synced, a database that cannot be read, or
    /// whatever the service or the network says of the relationships and the record.
    pub async fn unified_attributes(
        &self,
        table: &str,
        id: Option<Uuid>,
        body: &RawValue,
    ) -> Result<Result<Attributes, Vec<Problem>>> {
        let object = unified_object(table)?;
        let metadata = {
            let (session, table) = (self.clone(), table.to_owned());
            blocking(move || session.shared_metadata(&table)).await?
        };
        let custom = custom_columns(body);
        let lookups: Vec<String> = custom
            .iter()
            .filter_map(|name| metadata.column(name))
            .filter(|column| column.kind.is_lookup())
            .map(|column| column.logical_name.clone())
            .collect();
        let ways = match lookups.is_empty() {
            true => Arc::default(),
            false => self.ways(table).await?,
        };
        let current = match id {
            Some(id) => {
                let client = self.patient_for(WRITE_PATIENCE);
                let is_needed = depends_on_current(object, body);
                current_record(self.mirror(), &client, &metadata, id, is_needed).await?
            }
            None => None,
        };
        let (session, body) = (self.clone(), body.to_owned());
        blocking(move || {
            let around = Surroundings {
                currencies: session.all_currencies()?,
                tables: session.tables_in(&body, &lookups, &ways)?,
                navigation: (*ways).clone(),
            };
            let current = current.as_ref().map(|json| Delivered::parse(json));
            let current = current.transpose().unwrap_or_default();
            let purpose = match id {
                Some(_) => Purpose::Update,
                None => Purpose::Create,
            };
            let writing = Writing::new(&metadata, purpose, current.as_ref(), &around);
            Ok(match writing {
                Some(writing) => writing.attributes(&body),
                None => Ok(Attributes::default()),
            })
        })
        .await
    }

    /// All currencies that are known: ISO code and id.
    fn all_currencies(&self) -> Result<Vec<(String, Uuid)>> {
        let mirrored = match self.mirror().column_of_all(CURRENCY, CODE) {
            Err(salesmirror_store::StoreError::UnknownTable(_)) => Vec::new(),
            found => found?,
        };
        let mut all: HashMap<Uuid, String> = self.kept_currencies()?;
        all.extend(mirrored);
        let mut all: Vec<(String, Uuid)> = all.into_iter().map(|(id, code)| (code, id)).collect();
        all.sort();
        Ok(all)
    }

    /// The tables of records that a body refers to without saying of which table they are.
    fn tables_in(
        &self,
        body: &RawValue,
        lookups: &[String],
        ways: &Ways,
    ) -> Result<HashMap<Uuid, String>> {
        let body = Delivered::parse(body.get().as_bytes()).unwrap_or_default();
        let mut wanted: HashMap<Uuid, Vec<String>> = HashMap::new();
        if let Some(owner) = body.id("owner_id") {
            wanted.insert(owner, ["team", "systemuser"].map(str::to_owned).to_vec());
        }
        let custom = body.value("custom_fields");
        let custom = custom.and_then(|value| Delivered::parse(value.get().as_bytes()).ok());
        for (name, value) in custom.iter().flat_map(Delivered::properties) {
            let column = name
                .strip_prefix('_')
                .and_then(|name| name.strip_suffix("_value"))
                .unwrap_or(name);
            let text = serde_json::from_str::<String>(value.get()).ok();
            let id = text.as_deref().and_then(parse_guid);
            let is_lookup = lookups.iter().any(|lookup| lookup == column);
            if let Some(id) = id.filter(|_| is_lookup) {
                let targets = ways.keys().filter(|(own, _)| own == column);
                let targets = targets.map(|(_, table)| table.clone());
                wanted.entry(id).or_default().extend(targets);
            }
        }
        match wanted.is_empty() {
            true => Ok(HashMap::new()),
            false => Ok(self.mirror().tables_of(&wanted)?),
        }
    }

    /// Where a table's lookups lead, as its relationships say.
    async fn ways(&self, table: &str) -> Result<Arc<Ways>> {
        let kept = || {
            let memory = &self.objects_memory().navigation;
            memory.lock().unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(ways) = kept().get(table) {
            return Ok(Arc::clone(ways));
        }
        let relationships = self.client().relationships(table).await?;
        let mut sets: HashMap<String, String> = HashMap::new();
        // Every table's set name in one request.
        if !relationships.is_empty() {
            let tables = self.client().tables().await?;
            sets.extend(
                tables
                    .into_iter()
                    .map(|table| (table.logical_name, table.entity_set_name)),
            );
        }
        let ways: Ways = relationships
            .into_iter()
            .filter_map(|found| {
                let set = sets.get(&found.target)?.clone();
                let property = found.property;
                Some(((found.column, found.target), Navigation { property, set }))
            })
            .collect();
        let ways = Arc::new(ways);
        kept().insert(table.to_owned(), Arc::clone(&ways));
        Ok(ways)
    }
}
