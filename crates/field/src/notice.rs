//! Notices of the town on the first screen, until their day is over or the person has put them away. That stays on
//! this phone: nobody is told who has read what.

use std::collections::BTreeSet;

use serde::Serialize;
use yaoguan_model::{RecordId, Value};

use crate::error::FieldError;
use crate::phone::Phone;

/// Notices that the first screen shows.
pub const MAX_NOTICES: u32 = 20;
const PUT_AWAY: &str = "notices_put_away";

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts"))]
pub struct NoticeShown {
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub id: RecordId,
    pub title: String,
    pub text: String,
    /// By the town's clock, in seconds; none: until it is withdrawn.
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub until: Option<i64>,
}

impl Phone {
    /// Notices that hold now and were not put away, those that end first on top.
    pub fn notices(&self) -> Result<Vec<NoticeShown>, FieldError> {
        let now = self.store.state()?.town_now_s(self.env.as_ref());
        let away = self.put_away()?;
        let holding = self.store.notices_at(now, MAX_NOTICES + away.len() as u32)?;
        let shown = holding.into_iter().map(|stored| stored.record);
        let shown = shown.filter(|record| !away.contains(&record.id)).map(|record| {
            let text = |path: &str| record.shown_text(path).unwrap_or_default().to_owned();
            let until = record.shown("valid_until").and_then(Value::as_int);
            NoticeShown { id: record.id, title: text("title"), text: text("text"), until }
        });
        Ok(shown.take(MAX_NOTICES as usize).collect())
    }

    /// Puts a notice away on this phone.
    pub fn put_notice_away(&mut self, id: RecordId) -> Result<(), FieldError> {
        let mut away = self.put_away()?;
        away.insert(id);
        // Those that are gone need no mark.
        away.retain(|id| self.store.get(*id).is_ok_and(|found| found.is_some()));
        let text = serde_json::to_string(&away).map_err(|e| FieldError::Protocol(e.to_string()))?;
        self.transact(|tx| Ok::<_, FieldError>(tx.set_setting(PUT_AWAY, &text)?))
    }

    fn put_away(&self) -> Result<BTreeSet<RecordId>, FieldError> {
        let stored = self.store.setting(PUT_AWAY)?;
        Ok(stored.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }
}
