//! Opportunities.

use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::projection::Reading;
use super::{Decimal, Delivered, Head};

/// A deal.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Opportunity {
    /// What every object has.
    #[serde(flatten)]
    pub head: Head,
    /// What it is about.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub name: Option<String>,
    /// What is noted of it.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub description: Option<String>,
    /// The stage of its sales process.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub stage: Option<String>,
    /// The name of its sales process.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub pipeline: Option<String>,
    /// What it brought, where it is closed and that is known, else what it may bring; in `currency`.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub amount: Option<Decimal>,
    /// ISO 4217 code of its amounts' currency.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub currency: Option<String>,
    /// Its state, whatever status reasons the organisation has.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub status: Option<OpportunityStatus>,
    /// When it was closed, where that is known, else when it may be. A day.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub close_date: Option<String>,
    /// How likely it is to be won, in percent.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub probability: Option<i64>,
    /// The account that may buy.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub account_id: Option<Uuid>,
    /// The contact who may buy.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub contact_id: Option<Uuid>,
    /// The last activity; null while activities are not mirrored.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub last_activity_at: Option<String>,
}

/// The state of an opportunity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum OpportunityStatus {
    /// Being worked on.
    Open,
    /// Brought something.
    Won,
    /// Came to nothing.
    Lost,
}

impl OpportunityStatus {
    /// The status of a `statecode`.
    #[must_use]
    pub const fn of_state(state: Option<i64>) -> Option<Self> {
        match state {
            Some(0) => Some(Self::Open),
            Some(1) => Some(Self::Won),
            Some(2) => Some(Self::Lost),
            _ => None,
        }
    }

    /// Whether nothing comes any more.
    #[must_use]
    pub const fn is_closed(self) -> bool {
        matches!(self, Self::Won | Self::Lost)
    }
}

/// How far a record's business process has come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// Name of the active stage.
    pub stage: Option<String>,
    /// Name of the process.
    pub pipeline: Option<String>,
}

impl Progress {
    /// What is missing here, from there.
    fn or(self, other: Self) -> Self {
        Self {
            stage: self.stage.or(other.stage),
            pipeline: self.pipeline.or(other.pipeline),
        }
    }
}

impl Opportunity {
    pub(super) fn read(reading: &Reading<'_>, head: Head) -> Self {
        let record = reading.record;
        let status = OpportunityStatus::of_state(record.integer("statecode"));
        let is_closed = status.is_some_and(OpportunityStatus::is_closed);
        let actual_amount = record.decimal("actualvalue").filter(|_| is_closed);
        let actual_date = record.filled("actualclosedate").filter(|_| is_closed);
        let progress = progress(reading, head.id);
        Self {
            head,
            name: record.text("name"),
            description: record.text("description"),
            stage: progress.stage,
            pipeline: progress.pipeline,
            amount: actual_amount.or_else(|| record.decimal("estimatedvalue")),
            currency: reading.currency(),
            status,
            close_date: actual_date.or_else(|| record.filled("estimatedclosedate")),
            probability: record.integer("closeprobability"),
            account_id: reading
                .id_of("parentaccountid", "account")
                .or_else(|| reading.id_of("customerid", "account")),
            contact_id: reading
                .id_of("parentcontactid", "contact")
                .or_else(|| reading.id_of("customerid", "contact")),
            last_activity_at: None,
        }
    }
}

/// The active stage and the process: of the process instance that came along or that the mirror has,
/// else of the opportunity's own columns, which older organisations fill.
fn progress(reading: &Reading<'_>, id: Uuid) -> Progress {
    let record = reading.record;
    let named = |column: &str| {
        let of_id = |id| reading.known.names.get(&id).cloned();
        record
            .reference_name(column)
            .or_else(|| of_id(record.reference(column)?.id))
            .or_else(|| of_id(record.id(column)?))
    };
    let own = Progress {
        stage: named("stageid").or_else(|| record.filled("stepname")),
        pipeline: named("processid"),
    };
    let mirrored = reading.known.progress.get(&id).cloned();
    expanded(record)
        .unwrap_or_default()
        .or(mirrored.unwrap_or_default())
        .or(own)
}

/// What an expanded relation to process instances says: an array, of which one is active.
fn expanded(record: &Delivered<'_>) -> Option<Progress> {
    let is_instance = |value: &RawValue| {
        let json = value.get();
        json.starts_with(['[', '{']) && json.contains("activestageid")
    };
    let (_, value) = record.properties().find(|(_, value)| is_instance(value))?;
    let instances: Vec<&RawValue> = match value.get().starts_with('[') {
        true => serde_json::from_str(value.get()).ok()?,
        false => vec![value],
    };
    let instances: Vec<Delivered<'_>> = instances
        .into_iter()
        .filter_map(|instance| Delivered::parse(instance.get().as_bytes()).ok())
        .collect();
    // The one that is under way, else the one that ended last.
    let rank = |instance: &&Delivered<'_>| {
        let is_active = instance.integer("statecode") == Some(0);
        (is_active, instance.text("modifiedon"))
    };
    instances.iter().max_by_key(rank).map(instance)
}

/// What a process instance says.
fn instance(record: &Delivered<'_>) -> Progress {
    // Names come with the lookup's annotation, or in a record that was expanded too.
    let inner = |relation: &str, column: &str| {
        let value = record.value(relation)?.get();
        Delivered::parse(value.as_bytes()).ok()?.filled(column)
    };
    Progress {
        stage: record
            .reference_name("activestageid")
            .or_else(|| inner("activestageid", "stagename")),
        pipeline: record
            .reference_name("processid")
            .or_else(|| inner("processid", "name")),
    }
}
