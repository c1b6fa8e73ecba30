//! Reporting a hazard: what the phone fills in by itself, and "already reported?".

use yaoguan_model::deletion::{self, Deletion};
use yaoguan_model::hazard::{NEARBY_M, START};
use yaoguan_model::{Kind, Position, Record, Value};

use crate::edit::{Edit, set};
use crate::error::FieldError;
use crate::phone::Phone;

impl Phone {
    pub(crate) fn hazard_defaults(&self, edit: &mut Edit) -> Result<(), FieldError> {
        self.fill_grid(edit)?;
        set(edit, "severity", Value::text("general"))?;
        set(edit, "status", Value::text(START))?;
        set(edit, "seen_at", Value::Int(self.env.now_s()))
    }

    /// The grid that a person left open: the one that the position lies in, else the only own one.
    pub(crate) fn fill_grid(&self, edit: &mut Edit) -> Result<(), FieldError> {
        if edit.contains_key("grid") {
            return Ok(());
        }
        let position = edit.get("position").and_then(Option::as_ref).and_then(Position::of);
        let by_position = match position {
            Some(position) => self.boundaries()?.find(position).cloned(),
            None => None,
        };
        let own = self.identity()?.grids;
        let only_own = if let [grid] = own.as_slice() { Some(grid.clone()) } else { None };
        let grid = by_position.or(only_own).ok_or(FieldError::GridMissing)?;
        set(edit, "grid", Value::text(grid.as_str()))
    }

    /// Open hazards of the same category close by, nearest first, with their distance in metres.
    pub fn already_reported(
        &self,
        category: &str,
        at: Position,
    ) -> Result<Vec<(Record, f64)>, FieldError> {
        let mut found = self.store.nearby(&Kind::Hazard, at, NEARBY_M)?;
        found.retain(|(record, _)| {
            let status = record.shown_text("status").unwrap_or_default();
            let open = !matches!(status, "closed" | "merged" | "unfounded");
            let live = deletion::state(record) != Deletion::Deleted;
            open && live && record.shown_text("category") == Some(category)
        });
        Ok(found)
    }
}
