//! Everything that the admin decides for a connection, in one list: settings and schedules.

use crate::error::Result;
use crate::schedule::{Every, ScheduleChange, USUALLY_EVERY};
use crate::session::Session;

/// Something that is decided, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The key of a setting, `schedule`, or `schedule/TABLE`.
    pub key: String,
    /// What was decided.
    pub value: String,
    /// What holds where nothing was.
    pub default: String,
}

const SCHEDULE: &str = "schedule";

impl Session {
    /// All of them.
    ///
    /// # Errors
    /// Where a database cannot be read.
    pub async fn choices(&self) -> Result<Vec<Choice>> {
        let settings = self.preferences().await?;
        let mut choices: Vec<Choice> = settings
            .into_iter()
            .map(|setting| Choice {
                key: setting.key.to_owned(),
                value: setting.value,
                default: setting.default.to_owned(),
            })
            .collect();
        let every = |every: Option<std::time::Duration>| every.map_or(Every::Off, Every::Interval);
        choices.push(Choice {
            key: SCHEDULE.to_owned(),
            value: every(self.schedule().await?.every).text(),
            default: Every::Interval(USUALLY_EVERY).text(),
        });
        for table in self.table_schedules().await? {
            let own = match table.is_own {
                true => every(table.schedule.every),
                false => Every::Default,
            };
            choices.push(Choice {
                key: format!("{SCHEDULE}/{}", table.table),
                value: own.text(),
                default: Every::Default.text(),
            });
        }
        Ok(choices)
    }

    /// Decides one of them, by its key.
    ///
    /// # Errors
    /// Where there is no such key, the value makes no sense, or the disk refuses.
    pub async fn decide(&self, key: &str, value: &str) -> Result<()> {
        let table = match key.split_once('/') {
            Some((SCHEDULE, table)) => Some(self.table(table).await?),
            _ if key == SCHEDULE => None,
            _ => return self.set_preference(key, value).await.map(drop),
        };
        let change = ScheduleChange {
            every: Some(Every::parse(value)?),
            ..ScheduleChange::default()
        };
        self.set_schedule(table.as_deref(), change).await
    }
}
