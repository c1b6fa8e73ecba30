//! Reporting a hazard: what the phone fills in by itself, and "already reported?".

use serde::Deserialize;
use yaoguan_model::deletion::{self, Deletion};
use yaoguan_model::hazard::{NEARBY_M, START};
use yaoguan_model::{Kind, Position, Record, Value};
use yaoguan_store::Stored;

use crate::edit::{Edit, set};
use crate::error::FieldError;
use crate::phone::Phone;
use crate::view::{Point, Row};

/// Where something is about to be reported.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts"))]
pub struct Nearby {
    pub category: String,
    pub at: Point,
}

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

    /// The same as rows, for the form.
    pub fn already_reported_rows(&self, nearby: &Nearby) -> Result<Vec<Row>, FieldError> {
        let Some(at) = nearby.at.position() else { return Ok(Vec::new()) };
        let around = self.surroundings()?;
        let found = self.already_reported(&nearby.category, at)?;
        let row = |(record, distance_m): (Record, f64)| Row {
            distance_m: Some(distance_m),
            ..around.row(&Stored { record, unsent: false })
        };
        Ok(found.into_iter().map(row).collect())
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
