//! The first screen, and what is to be done: due, returned, assigned; and the line that says where the
//! data is.

use serde::Serialize;
use yaoguan_model::{Kind, Record};

use crate::dates;
use crate::error::FieldError;
use crate::notice::NoticeShown;
use crate::phone::Phone;
use crate::track::PatrolNow;
use crate::view::Row;

/// Rows of each part of the list of things to do.
pub const MAX_TODO: u32 = 100;
/// Checks show up so many days before they are due.
const DUE_AHEAD_DAYS: i64 = 7;

/// Where the data is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts"))]
pub struct Whereabouts {
    /// Records that only this phone has, as they are now.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub waiting: u64,
    /// Photos and tracks that go with the next sync.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub files: u64,
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub rejected: u64,
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub conflicts: u64,
    /// By the town's clock, in seconds; none before the first sync.
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub last_contact: Option<i64>,
}

/// What waits for this person.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts"))]
pub struct Todo {
    /// Own reports that a supervisor sent back, with the reason.
    pub returned: Vec<Row>,
    /// Hazards that this person is to put right.
    pub assigned: Vec<Row>,
    pub tasks: Vec<Row>,
    /// Households to be looked at again.
    pub due: Vec<Row>,
    /// Records to be settled.
    pub conflicts: Vec<Row>,
}

/// The first screen.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts"))]
pub struct Today {
    pub name: String,
    pub town_name: String,
    pub role: String,
    pub grids: Vec<String>,
    /// `YYYY-MM-DD` of the town's calendar.
    pub day: String,
    /// What the town wants known.
    pub notices: Vec<NoticeShown>,
    pub todo: Todo,
    pub whereabouts: Whereabouts,
    pub patrol: Option<PatrolNow>,
    pub drafts: usize,
}

impl Phone {
    /// The name of the person and of their grids: what everybody who holds the phone may read.
    pub fn whose(&self) -> Result<(String, Vec<String>), FieldError> {
        let (identity, around) = (self.identity()?, self.surroundings()?);
        let grids = identity.grids.iter().map(|grid| around.grid_name(grid.as_str())).collect();
        Ok((identity.name, grids))
    }

    pub fn today(&self) -> Result<Today, FieldError> {
        let identity = self.identity()?;
        let around = self.surroundings()?;
        Ok(Today {
            name: identity.name,
            town_name: identity.town_name,
            role: identity.role.as_str().to_owned(),
            grids: identity.grids.iter().map(|grid| around.grid_name(grid.as_str())).collect(),
            day: dates::day_of(self.env.now_s(), 0),
            notices: self.notices()?,
            todo: self.todo()?,
            whereabouts: self.whereabouts()?,
            patrol: self.patrol_now()?,
            drafts: self.store.drafts()?.len(),
        })
    }

    pub fn todo(&self) -> Result<Todo, FieldError> {
        let identity = self.identity()?;
        let (me, limit) = (identity.account, MAX_TODO);
        let own = |record: &Record| record.created_by == me;
        let mut returned = self.store.hazards_by_status("returned", limit)?;
        returned.retain(|stored| own(&stored.record));
        let mut assigned = self.store.hazards_by_status("assigned", limit)?;
        assigned.extend(self.store.hazards_by_status("rectifying", limit)?);
        let account = me.to_string();
        assigned.retain(|stored| stored.record.shown_text("assignee") == Some(&account));
        let tasks = self.store.open_tasks(me, &identity.grids, limit)?;
        let until = dates::day_of(self.env.now_s(), DUE_AHEAD_DAYS);
        let due = self.store.checks_due(&until, limit)?;
        let conflicts = self.store.conflicted(limit)?;
        let conflicts: Vec<_> =
            conflicts.into_iter().filter(|s| s.record.kind != Kind::Grid).collect();
        Ok(Todo {
            returned: self.rows(&returned)?,
            assigned: self.rows(&assigned)?,
            tasks: self.rows(&tasks)?,
            due: self.rows(&due)?,
            conflicts: self.rows(&conflicts)?,
        })
    }

    pub fn whereabouts(&self) -> Result<Whereabouts, FieldError> {
        let counts = self.store.counts()?;
        Ok(Whereabouts {
            waiting: counts.pending,
            files: self.files_waiting()?.0,
            rejected: counts.quarantined,
            conflicts: counts.siblings,
            last_contact: self.store.state()?.last_contact_s,
        })
    }
}
