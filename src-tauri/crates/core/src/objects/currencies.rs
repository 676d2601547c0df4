//! Which currency an id means. Records hold the id alone; the ISO codes of all currencies come with
//! one request after a sync, and are kept, so that they are known offline.

use std::collections::HashMap;

use salesmirror_dataverse::RetryPolicy;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::app::now_ms;
use crate::error::{Result, blocking};
use crate::session::Session;

/// Logical name of the table of currencies.
pub(super) const CURRENCY: &str = "transactioncurrency";
/// Its column of ISO 4217 codes.
pub(super) const CODE: &str = "isocurrencycode";
/// Codes are read again after a day, in ms: they hardly ever change.
const KEPT_MS: i64 = 24 * 60 * 60 * 1_000;
/// A currency that is not known is asked for after so long, in ms: it may be one that may not be read.
const UNKNOWN_MS: i64 = 15 * 60 * 1_000;
/// A sync waits so long for them.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

/// What the organisation said last.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    /// When it was asked, ms since 1970.
    asked: i64,
    codes: HashMap<Uuid, String>,
}

impl Kept {
    /// Whether to ask again.
    fn is_due(&self, now: i64, seen: &[Uuid]) -> bool {
        let knows_all = seen.iter().all(|id| self.codes.contains_key(id));
        let lasts = match knows_all {
            true => KEPT_MS,
            false => UNKNOWN_MS,
        };
        !(self.asked..self.asked.saturating_add(lasts)).contains(&now)
    }
}

impl Session {
    fn currency_key(&self) -> String {
        format!("currencies/{}", self.row().id)
    }

    fn kept(&self) -> Result<Kept> {
        let text = self.db().setting(&self.currency_key())?;
        // What cannot be read is asked for again.
        Ok(text
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default())
    }

    /// The ISO codes of currencies that were kept, where waiting holds nothing up.
    pub(super) fn kept_currencies(&self) -> Result<HashMap<Uuid, String>> {
        Ok(self.kept()?.codes)
    }

    /// Asks the organisation for its currencies, once a day, or where rows have one that is not known.
    /// Whoever may not read them sees amounts without a currency.
    pub(crate) async fn note_currencies(&self) {
        let session = self.clone();
        let found = blocking(move || {
            let seen = session.mirror().named_targets(CURRENCY)?;
            Ok((session.kept()?, seen))
        });
        let Ok((mut kept, seen)) = found.await else {
            return;
        };
        let now = now_ms();
        if !kept.is_due(now, &seen) {
            return;
        }
        let client = self.client().metered().with_policy(RetryPolicy {
            max_wait: PATIENCE,
            ..RetryPolicy::default()
        });
        match client.currency_codes().await {
            // A currency that was deleted still stands in old records.
            Ok(codes) => kept.codes.extend(codes),
            Err(error) => tracing::info!(%error, "the currencies were not told"),
        }
        kept.asked = now;
        let session = self.clone();
        let noted = blocking(move || {
            let text = serde_json::to_string(&kept).unwrap_or_default();
            Ok(session.db().set_setting(&session.currency_key(), &text)?)
        });
        if let Err(error) = noted.await {
            tracing::debug!(%error, "the currencies were not noted");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn currencies_are_asked_for_daily_and_sooner_where_one_is_unknown() {
        let [known, other] = [1, 2].map(Uuid::from_u128);
        let kept = Kept {
            asked: 1_000_000_000,
            codes: HashMap::from([(known, "EUR".to_owned())]),
        };
        let hour = 60 * 60 * 1_000;
        for (after, seen, is_due) in [
            (0, vec![], false),
            (hour, vec![known], false),
            (23 * hour, vec![known], false),
            (24 * hour, vec![known], true),
            (hour / 5, vec![known, other], false),
            (hour / 4, vec![known, other], true),
            // A clock that was set back.
            (-1, vec![known], true),
        ] {
            assert_eq!(kept.is_due(kept.asked + after, &seen), is_due, "{after}");
        }
        assert!(Kept::default().is_due(kept.asked, &[]));
    }
}
