//! Lists: records of a kind by page, by status, by distance, by words; what waits and what is contested.

use serde::{Deserialize, Serialize};
use yaoguan_model::Kind;
use yaoguan_store::{Filter, Page};

use crate::error::FieldError;
use crate::phone::Phone;
use crate::view::{Point, Row};

/// Rows of one page.
pub const PAGE_ROWS: u32 = 50;

/// Which records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts"))]
pub enum Which {
    #[default]
    All,
    /// Not confirmed by the town.
    Waiting,
    /// With something to settle.
    Conflicted,
}

/// What a list shows. `near` sorts by distance, else the newest come first.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts", optional_fields))]
pub struct ListQuery {
    pub kind: Option<String>,
    pub which: Option<Which>,
    pub status: Option<String>,
    pub words: Option<String>,
    pub near: Option<Point>,
    pub offset: Option<u32>,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts"))]
pub struct Rows {
    pub rows: Vec<Row>,
    /// There are more behind them.
    pub more: bool,
}

impl Phone {
    pub fn list_rows(&self, query: &ListQuery) -> Result<Rows, FieldError> {
        let limit = PAGE_ROWS + 1;
        let offset = query.offset.unwrap_or(0);
        let kind = query.kind.as_deref().unwrap_or("hazard");
        let kind: Kind = kind.parse().unwrap_or_else(|never| match never {});
        let words = query.words.as_deref().map(str::trim).filter(|words| !words.is_empty());
        let found = match (query.which.unwrap_or_default(), words, query.near) {
            (Which::Waiting, _, _) => self.store.waiting(limit)?,
            (Which::Conflicted, _, _) => self.store.conflicted(limit)?,
            (Which::All, Some(words), _) => self.by_words(&kind, words, limit)?,
            (Which::All, None, Some(near)) => return self.nearest_rows(&kind, near),
            (Which::All, None, None) => {
                let filter = Filter { status: query.status.clone(), ..Filter::default() };
                self.store.list(&kind, &filter, Page { limit, offset })?
            }
        };
        let mut rows = self.rows(&found)?;
        let more = rows.len() > PAGE_ROWS as usize;
        rows.truncate(PAGE_ROWS as usize);
        Ok(Rows { rows, more })
    }

    fn by_words(
        &self,
        kind: &Kind,
        words: &str,
        limit: u32,
    ) -> Result<Vec<yaoguan_store::Stored>, FieldError> {
        let mut found = self.store.search(words, Some(kind), limit)?;
        // The end of a number: the search index knows how words begin.
        if found.is_empty() && *kind == Kind::Household {
            found = self.store.by_address(words, limit)?;
        }
        Ok(found)
    }

    fn nearest_rows(&self, kind: &Kind, near: Point) -> Result<Rows, FieldError> {
        let Some(at) = near.position() else { return Ok(Rows { rows: Vec::new(), more: false }) };
        let around = self.surroundings()?;
        let nearest = self.store.nearest(kind, at, PAGE_ROWS as usize)?;
        let row = |(stored, distance_m): &(yaoguan_store::Stored, f64)| Row {
            distance_m: Some(*distance_m),
            ..around.row(stored)
        };
        Ok(Rows { rows: nearest.iter().map(row).collect(), more: false })
    }
}
