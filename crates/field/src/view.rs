//! What lists and pages show: plain types, made from a record and what the phone knows around it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use yaoguan_model::deletion::{self, Deletion};
use yaoguan_model::{Kind, Position, Record, RecordId, Value};
use yaoguan_store::Stored;

use crate::error::FieldError;
use crate::phone::Phone;

/// A position in degrees, as screens and maps take it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts"))]
pub struct Point {
    pub lat: f64,
    pub lon: f64,
}

impl From<Position> for Point {
    fn from(at: Position) -> Self {
        Self { lat: at.lat(), lon: at.lon() }
    }
}

impl Point {
    pub fn position(self) -> Option<Position> {
        Position::from_degrees(self.lat, self.lon)
    }
}

/// Where a record stands, in one word; the screen has an icon and words for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts"))]
pub enum State {
    /// Saved here, not confirmed by the town.
    OnPhone,
    Received,
    /// A supervisor has taken it up.
    UnderReview,
    Returned,
    /// Two people wrote different things; a person has to settle it.
    Conflict,
    /// The town did not take a save; it is kept with its reason.
    Rejected,
    /// The town keeps a save until a supervisor decides.
    Held,
    Deleted,
}

/// A record in a list. Words that a kind has not are left out.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts"))]
pub struct Row {
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub id: RecordId,
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub kind: Kind,
    pub state: State,
    /// Its own words: title, address, what a task asks, a note; may be empty.
    pub title: String,
    pub address: String,
    /// Category, severity, status, team, outcome, sort of task: a word of a closed list, or empty.
    pub category: String,
    pub severity: String,
    pub status: String,
    pub grid_name: String,
    /// Seconds since 1970: seen, started, checked.
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub at: Option<i64>,
    pub due_on: String,
    pub position: Option<Point>,
    /// From where the person is.
    pub distance_m: Option<f64>,
    pub mine: bool,
    /// The household of a check, the subject of a task.
    #[cfg_attr(feature = "ts", ts(type = "string | null"))]
    pub about: Option<RecordId>,
    /// The latest words of a reviewer, for what was returned.
    pub reason: String,
    /// Length of a patrol.
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub distance_cm: Option<i64>,
    /// Photos that this phone has to send, and those of them that the town has received.
    pub photos: u32,
    pub photos_received: u32,
}

/// What rows need to know beside their record; read once for a list.
pub(crate) struct Surroundings {
    grids: BTreeMap<String, String>,
    rejected: BTreeSet<RecordId>,
    held: BTreeSet<RecordId>,
    me: yaoguan_model::AccountId,
}

impl Phone {
    pub(crate) fn surroundings(&self) -> Result<Surroundings, FieldError> {
        let (mut rejected, mut held) = (BTreeSet::new(), BTreeSet::new());
        for entry in self.store.quarantined()? {
            let id = entry.save.kept.about.id;
            if entry.save.hold.is_some() {
                held.insert(id)
            } else {
                rejected.insert(id)
            };
        }
        let grids = self.store.grid_names()?.into_iter().collect();
        Ok(Surroundings { grids, rejected, held, me: self.identity()?.account })
    }

    pub(crate) fn rows(&self, stored: &[Stored]) -> Result<Vec<Row>, FieldError> {
        let around = self.surroundings()?;
        stored.iter().map(|one| self.whole_row(around.row(one))).collect()
    }

    /// What a row says beside its record.
    pub(crate) fn whole_row(&self, row: Row) -> Result<Row, FieldError> {
        let row = self.with_household(row)?;
        let receipts = self.store.receipts(row.id, self.store.state()?.epoch)?;
        Ok(Row { photos: receipts.photos, photos_received: receipts.received, ..row })
    }

    /// A check is known by the address of its household.
    fn with_household(&self, mut row: Row) -> Result<Row, FieldError> {
        if row.kind == Kind::HouseholdCheck
            && let Some(household) = row.about
            && let Some(found) = self.store.get(household)?
        {
            row.title = found.record.shown_text("address").unwrap_or_default().to_owned();
        }
        Ok(row)
    }
}

impl Surroundings {
    pub(crate) fn row(&self, stored: &Stored) -> Row {
        let record = &stored.record;
        let text = |path| record.shown_text(path).unwrap_or_default().to_owned();
        let int = |path| record.shown(path).and_then(Value::as_int);
        let [category, title, at] = columns(&record.kind);
        let grid = text("grid");
        let about = if record.kind == Kind::Task { "about" } else { "household" };
        Row {
            id: record.id,
            kind: record.kind.clone(),
            state: self.state(stored),
            title: text(title),
            address: text("address"),
            category: text(category),
            severity: text("severity"),
            status: text("status"),
            grid_name: self.grids.get(&grid).cloned().unwrap_or(grid),
            at: int(at),
            due_on: text("due_on"),
            position: record.shown("position").and_then(Position::of).map(Point::from),
            distance_m: None,
            mine: record.created_by == self.me,
            about: record.shown_text(about).and_then(|id| id.parse().ok()),
            reason: last_words(record),
            distance_cm: int("distance_cm"),
            photos: 0,
            photos_received: 0,
        }
    }

    pub(crate) fn state(&self, stored: &Stored) -> State {
        let record = &stored.record;
        let contested = match deletion::state(record) {
            Deletion::Deleted => return State::Deleted,
            Deletion::Contested => true,
            Deletion::Live => false,
        };
        let status = record.shown_text("status").unwrap_or_default();
        if self.rejected.contains(&record.id) {
            State::Rejected
        } else if self.held.contains(&record.id) {
            State::Held
        } else if contested || record.conflicts().next().is_some() {
            State::Conflict
        } else if stored.unsent {
            State::OnPhone
        } else if status == "returned" {
            State::Returned
        } else if status == "verified" || record.shown("claimed_by").is_some() {
            State::UnderReview
        } else {
            State::Received
        }
    }

    pub(crate) fn grid_name(&self, code: &str) -> String {
        self.grids.get(code).cloned().unwrap_or_else(|| code.to_owned())
    }
}

/// Paths of the sort, the words and the time of a kind.
fn columns(kind: &Kind) -> [&'static str; 3] {
    match kind {
        Kind::Hazard => ["category", "title", "seen_at"],
        Kind::Patrol => ["team", "note", "started_at"],
        Kind::Household => ["occupants", "address", "recorded_at"],
        Kind::HouseholdCheck => ["outcome", "note", "checked_at"],
        Kind::Task => ["what", "words", "due_on"],
        Kind::Notice => ["category", "title", "valid_until"],
        Kind::Grid => ["village", "name", "recorded_at"],
        Kind::Template | Kind::Unknown(_) => ["code", "title_zh", "recorded_at"],
    }
}

/// The note of the latest step.
fn last_words(record: &Record) -> String {
    let at = |entry: &Value| entry.get("at").and_then(Value::as_int).unwrap_or(0);
    let with_note = record.elements("timeline").filter(|(_, e)| e.get("note").is_some());
    let latest = with_note.max_by_key(|(_, entry)| at(entry));
    let note = latest.and_then(|(_, entry)| entry.get("note")).and_then(Value::as_text);
    note.unwrap_or_default().to_owned()
}
