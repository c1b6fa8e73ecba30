//! What figures, coverage and map ask of storage. All of it is about the grids asked for, which are the asker's
//! own; a record counts in the grid that it shows, once. Nothing is counted by person (privacy.md), and of
//! households only what [`crate::suppression`] lets be told leaves storage.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::Serialize;
use utoipa::ToSchema;
use yaoguan_model::geodesy::line;
use yaoguan_model::{GridCode, Position, RecordId};

use crate::audit::Attribution;
use crate::error::TownError;
use crate::suppression::Shown;

/// Rows of one page of households that are due.
pub const HOUSEHOLDS_PAGE: u32 = 100;
/// Marks of hazards in one answer; the map's cells are made so large that there are no more.
pub const MAX_MARKS: u32 = 2_000;
/// Patrols in one answer, the newest.
pub const MAX_LINES: u32 = 300;
/// Points of all lines of one answer together; lines are drawn more coarsely until they fit.
pub const MAX_LINE_POINTS: usize = 20_000;

/// A stretch of time: from a second on, until before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    pub from: i64,
    pub until: i64,
}

/// What is to be counted.
#[derive(Debug, Clone)]
pub struct FiguresAsk {
    pub grids: Vec<GridCode>,
    /// Only this one of them; the households' table is made of all of them first.
    pub grid: Option<GridCode>,
    pub period: Period,
    /// The town's day and time.
    pub today: String,
    pub now: i64,
}

/// Counts. Hazards are those reported in the period unless it says otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Figures {
    pub reported: u64,
    pub by_category: BTreeMap<String, u64>,
    pub by_severity: BTreeMap<String, u64>,
    pub by_status: BTreeMap<String, u64>,
    pub by_grid: BTreeMap<String, GridHazards>,
    /// By day of the town's calendar; days without any are left out.
    pub by_day: BTreeMap<String, DayHazards>,
    pub rectified: Rate,
    pub closing: Closing,
    pub now: Now,
    pub households: Households,
}

/// Hazards of a grid.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct GridHazards {
    pub reported: u64,
    /// Closed in the period, whenever they were reported.
    pub closed: u64,
    /// Open and overdue now.
    pub open: u64,
    pub overdue: u64,
}

/// Hazards of a day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct DayHazards {
    pub reported: u64,
    pub closed: u64,
}

/// Of those reported in the period and neither unfounded nor merged, how many are put right.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Rate {
    pub done: u64,
    pub of: u64,
}

/// From the first receipt to the closing, in seconds, of those closed in the period (nearest rank).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Closing {
    pub closed: u64,
    pub median_s: Option<i64>,
    pub p90_s: Option<i64>,
}

/// How things stand at this moment, whatever the period.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Now {
    pub open: u64,
    pub overdue: u64,
    pub conflicts: Conflicts,
    /// Saves that wait for a supervisor, of people who share a grid with the asker.
    pub held: u64,
    pub devices: Devices,
}

/// Records in which somebody has to settle something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Conflicts {
    pub hazards: u64,
    pub patrols: u64,
    /// Households that are in conflict themselves or in one of their checks.
    #[schema(value_type = Option<String>)]
    pub households: Shown,
}

impl Default for Conflicts {
    fn default() -> Self {
        Self { hazards: 0, patrols: 0, households: Shown::Few }
    }
}

/// Devices in use, of people who share a grid with the asker, by their last contact.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Devices {
    pub day: u64,
    pub week: u64,
    pub month: u64,
    pub longer: u64,
    pub never: u64,
}

/// Households by the risk of the dwelling after its latest visit, now: no period, whose difference to
/// another would give single households away.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Households {
    pub by_grid: BTreeMap<String, HouseholdCounts>,
    pub all: HouseholdCounts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct HouseholdCounts {
    #[schema(value_type = Option<String>)]
    pub high: Shown,
    #[schema(value_type = Option<String>)]
    pub medium: Shown,
    #[schema(value_type = Option<String>)]
    pub low: Shown,
    /// Not visited yet, or by an unknown template.
    #[schema(value_type = Option<String>)]
    pub unknown: Shown,
    #[schema(value_type = Option<String>)]
    pub all: Shown,
    /// Whose check is due today or was before.
    #[schema(value_type = Option<String>)]
    pub due: Shown,
}

impl Default for HouseholdCounts {
    fn default() -> Self {
        let few = Shown::Few;
        Self { high: few, medium: few, low: few, unknown: few, all: few, due: few }
    }
}

/// Which grids were walked.
#[derive(Debug, Clone)]
pub struct CoverageAsk {
    pub grids: Vec<GridCode>,
    /// The days looked at; hazards are open at its end.
    pub period: Period,
    pub today: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Coverage {
    pub grids: Vec<GridCoverage>,
    pub households: HouseholdCounts,
}

/// One grid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct GridCoverage {
    pub grid: String,
    /// In the period.
    pub patrols: u64,
    pub distance_cm: i64,
    /// The start of the last one before the period's end.
    pub last_patrol_at: Option<i64>,
    pub open: u64,
    pub households: HouseholdCounts,
}

/// A box in 1e-7 degrees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    pub south: i64,
    pub west: i64,
    pub north: i64,
    pub east: i64,
}

/// Households whose check is due.
#[derive(Debug, Clone)]
pub struct DueAsk {
    pub grids: Vec<GridCode>,
    pub grid: Option<GridCode>,
    /// The last day that counts as due.
    pub until: String,
    pub within: Option<Extent>,
    /// Day and id of the last row of the page before.
    pub after: Option<(String, RecordId)>,
}

/// One of them, as a place to go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueHousehold {
    pub id: RecordId,
    pub grid: String,
    pub address: String,
    pub due_on: String,
    pub risk: String,
    pub checked_at: Option<i64>,
    pub position: Option<Position>,
}

/// What of hazards lies in a part of the map, open at a moment.
#[derive(Debug, Clone)]
pub struct MarksAsk {
    pub grids: Vec<GridCode>,
    pub within: Extent,
    pub at: i64,
    /// Side of the cells that marks are gathered in, in 1e-7 degrees.
    pub cell: i64,
}

/// A hazard, or several near each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The middle of them.
    pub position: Position,
    pub count: u64,
    /// The worst severity among them.
    pub severity: String,
    /// Of one by itself.
    pub one: Option<(RecordId, String)>,
}

/// Which lines of patrols go through a part of the map.
#[derive(Debug, Clone)]
pub struct LinesAsk {
    pub grids: Vec<GridCode>,
    pub within: Extent,
    pub period: Period,
    /// How far a drawn line may be from the recorded one.
    pub tolerance_m: f64,
}

/// The line of a patrol; its parts, between which there was no fix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatrolLine {
    pub id: RecordId,
    pub grid: String,
    pub at: i64,
    pub parts: Vec<Vec<Position>>,
}

/// The newest lines, and whether there were more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines {
    pub lines: Vec<PatrolLine>,
    pub more: bool,
}

impl Lines {
    /// Draws the lines more coarsely until they have no more than `max` points, but at least the ends.
    pub fn thinned(mut self, tolerance_m: f64, max: usize) -> Self {
        let mut tolerance_m = tolerance_m.max(1.0);
        loop {
            let mut points = 0;
            for part in self.lines.iter_mut().flat_map(|line| &mut line.parts) {
                *part = line::simplify(part, tolerance_m);
                points += part.len();
            }
            // Beyond the size of the earth nothing but ends is left.
            if points <= max || tolerance_m > 2e7 {
                return self;
            }
            tolerance_m *= 2.0;
        }
    }
}

/// Counts and places. Each method is one transaction.
#[async_trait]
pub trait Facts: Send + Sync {
    async fn figures(&self, ask: FiguresAsk) -> Result<Figures, TownError>;
    async fn coverage(&self, ask: CoverageAsk) -> Result<Coverage, TownError>;
    /// The longest due first. That they were read is written to the audit log, or nothing is given out.
    async fn households_due(
        &self,
        ask: DueAsk,
        seen: Attribution,
    ) -> Result<Vec<DueHousehold>, TownError>;
    async fn marks(&self, ask: MarksAsk) -> Result<Vec<Mark>, TownError>;
    async fn patrol_lines(&self, ask: LinesAsk) -> Result<Lines, TownError>;
}
