//! Places as SQL over the facts: marks of hazards, lines of patrols, households that are due. Scope is in each
//! statement, and each answer is bounded.

use async_trait::async_trait;
use yaoguan_model::geodesy::line::{self, LINE_PRECISION};
use yaoguan_model::{GridCode, Kind, Position, RecordId};

use super::super::figures::{
    Coverage, CoverageAsk, DueAsk, DueHousehold, Facts, Figures, FiguresAsk, HOUSEHOLDS_PAGE,
    Lines, LinesAsk, MAX_LINE_POINTS, MAX_LINES, MAX_MARKS, Mark, MarksAsk, PatrolLine,
};
use super::figures::list_of;
use super::push::load;
use super::{audit, figures, id16};
use crate::audit::{Act, Attribution, Subject};
use crate::error::TownError;
use crate::storage::sql::{self, Connection, Engine, Row, named_params};

#[async_trait]
impl<E: Engine> Facts for E {
    async fn figures(&self, ask: FiguresAsk) -> Result<Figures, TownError> {
        self.read(move |connection| figures::figures(connection, &ask)).await
    }

    async fn coverage(&self, ask: CoverageAsk) -> Result<Coverage, TownError> {
        self.read(move |connection| figures::coverage(connection, &ask)).await
    }

    async fn households_due(
        &self,
        ask: DueAsk,
        seen: Attribution,
    ) -> Result<Vec<DueHousehold>, TownError> {
        let due = self.read(move |connection| due(connection, &ask)).await?;
        if !due.is_empty() {
            let ids: Vec<String> = due.iter().map(|one| one.id.to_string()).collect();
            let subject = Subject::Kind(Kind::Household.as_str().to_owned());
            let entry = seen.entry(Act::HouseholdRead, subject);
            let entry = entry.with("count", ids.len()).with("ids", ids);
            self.write(move |tx| audit::write(tx, &entry)).await?;
        }
        Ok(due)
    }

    async fn marks(&self, ask: MarksAsk) -> Result<Vec<Mark>, TownError> {
        self.read(move |connection| marks(connection, &ask)).await
    }

    async fn patrol_lines(&self, ask: LinesAsk) -> Result<Lines, TownError> {
        self.read(move |connection| lines(connection, &ask)).await
    }
}

/// In the order of days, a page at a time: the `||` keeps the planner from gathering and sorting all of it.
pub(super) const DUE: &str = "SELECT household_fact.record AS record, household_fact.grid AS grid, due_on, risk, \
     checked_at, lat_e7, lon_e7 FROM household_fact \
     WHERE due_on <> '' AND due_on <= :until AND (due_on, household_fact.record) > (:after_day, :after) \
     AND household_fact.grid || '' IN (SELECT value FROM json_each(:grids)) \
     AND (:south IS NULL OR (lat_e7 BETWEEN :south AND :north AND lon_e7 BETWEEN :west AND :east)) \
     ORDER BY due_on, household_fact.record LIMIT :limit";
/// The same for a few grids: what is due in them is gathered and sorted.
pub(super) const DUE_IN: &str = "SELECT household_fact.record AS record, household_fact.grid AS grid, due_on, \
     risk, checked_at, lat_e7, lon_e7 \
     FROM json_each(:grids) CROSS JOIN household_fact ON household_fact.grid = value \
     WHERE due_on <> '' AND due_on <= :until AND (due_on, household_fact.record) > (:after_day, :after) \
     AND (:south IS NULL OR (lat_e7 BETWEEN :south AND :north AND lon_e7 BETWEEN :west AND :east)) \
     ORDER BY due_on, household_fact.record LIMIT :limit";
/// So many grids are a few: the others are mostly walked past.
const FEW_GRIDS: usize = 8;

fn due(connection: &Connection, ask: &DueAsk) -> Result<Vec<DueHousehold>, TownError> {
    let (day, id) =
        ask.after.as_ref().map_or(("", [0; 16]), |(day, id)| (day.as_str(), *id.as_bytes()));
    let one: Option<Vec<GridCode>> = ask
        .grid
        .as_ref()
        .map(|grid| ask.grids.iter().filter(|own| *own == grid).cloned().collect());
    let grids = one.as_ref().unwrap_or(&ask.grids);
    let sql = if grids.len() <= FEW_GRIDS { DUE_IN } else { DUE };
    let mut statement = connection.prepare_cached(sql)?;
    let within = ask.within;
    let rows = statement.query_map(
        named_params! {
            ":grids": list_of(grids)?, ":until": ask.until, ":after_day": day, ":after": id,
            ":south": within.map(|b| b.south), ":north": within.map(|b| b.north),
            ":west": within.map(|b| b.west), ":east": within.map(|b| b.east),
            ":limit": HOUSEHOLDS_PAGE,
        },
        |row| {
            Ok(DueHousehold {
                id: RecordId::from_bytes(id16(row, "record")?),
                grid: row.get("grid")?,
                address: String::new(),
                due_on: row.get("due_on")?,
                risk: row.get("risk")?,
                checked_at: row.get("checked_at")?,
                position: position(row)?,
            })
        },
    )?;
    let mut found: Vec<DueHousehold> = rows.collect::<Result<_, _>>()?;
    for one in &mut found {
        let record = load(connection, one.id)?;
        let address = record.as_ref().and_then(|record| record.shown_text("address"));
        one.address = address.unwrap_or_default().to_owned();
    }
    Ok(found)
}

fn position(row: &Row<'_>) -> sql::Result<Option<Position>> {
    let place = row.get::<_, Option<i64>>("lat_e7")?.zip(row.get::<_, Option<i64>>("lon_e7")?);
    Ok(place.map(|(lat_e7, lon_e7)| Position { lat_e7, lon_e7 }))
}

/// Hazards that were open at a moment, gathered by cell. The worst severity has the highest rank.
pub(super) const MARKS: &str = "SELECT count(*) AS n, CAST(sum(lat_e7) AS BIGINT) / count(*) AS lat_e7, \
     CAST(sum(lon_e7) AS BIGINT) / count(*) AS lon_e7, min(record) AS record, min(category) AS category, \
     max(CASE severity WHEN 'major' THEN 2 WHEN 'serious' THEN 1 ELSE 0 END) AS worst \
     FROM json_each(:grids) CROSS JOIN hazard_fact ON hazard_fact.grid = value \
     WHERE lat_e7 BETWEEN :south AND :north AND lon_e7 BETWEEN :west AND :east \
     AND reported_at < :at AND (ended_at IS NULL OR ended_at >= :at) \
     GROUP BY lat_e7 / :cell, lon_e7 / :cell ORDER BY worst DESC, n DESC LIMIT :limit";

fn marks(connection: &Connection, ask: &MarksAsk) -> Result<Vec<Mark>, TownError> {
    let mut statement = connection.prepare_cached(MARKS)?;
    let asked = named_params! {
        ":grids": list_of(&ask.grids)?, ":south": ask.within.south, ":north": ask.within.north,
        ":west": ask.within.west, ":east": ask.within.east, ":at": ask.at, ":cell": ask.cell.max(1),
        ":limit": MAX_MARKS,
    };
    let rows = statement.query_map(asked, |row| {
        let count = row.get("n")?;
        let one = RecordId::from_bytes(id16(row, "record")?);
        let severity = match row.get::<_, i64>("worst")? {
            2 => "major",
            1 => "serious",
            _ => "general",
        };
        Ok(Mark {
            position: Position { lat_e7: row.get("lat_e7")?, lon_e7: row.get("lon_e7")? },
            count,
            severity: severity.to_owned(),
            one: if count == 1 { Some((one, row.get("category")?)) } else { None },
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The newest first: what is sorted is small, and only lines that are given out are read.
pub(super) const LINES: &str = "SELECT patrol_fact.record AS record, grid, at, line FROM \
     (SELECT patrol_fact.record AS record \
     FROM json_each(:grids) CROSS JOIN patrol_fact ON patrol_fact.grid = value \
     WHERE at >= :from AND at < :until AND south_e7 <= :north AND north_e7 >= :south \
     AND west_e7 <= :east AND east_e7 >= :west ORDER BY at DESC, patrol_fact.record LIMIT :limit) AS newest \
     CROSS JOIN patrol_fact ON patrol_fact.record = newest.record ORDER BY at DESC, patrol_fact.record";

fn lines(connection: &Connection, ask: &LinesAsk) -> Result<Lines, TownError> {
    let mut statement = connection.prepare_cached(LINES)?;
    let mut rows = statement.query(named_params! {
        ":grids": list_of(&ask.grids)?, ":south": ask.within.south, ":north": ask.within.north,
        ":west": ask.within.west, ":east": ask.within.east, ":from": ask.period.from,
        ":until": ask.period.until, ":limit": MAX_LINES + 1,
    })?;
    let mut found = Lines::default();
    while let Some(row) = rows.next()? {
        if found.lines.len() >= MAX_LINES as usize {
            found.more = true;
            break;
        }
        let texts: Vec<String> = serde_json::from_str(&row.get::<_, String>("line")?)
            .map_err(|e| TownError::Corrupt(e.to_string()))?;
        let parts = texts.iter().filter_map(|text| line::decode(text, LINE_PRECISION).ok());
        let id = RecordId::from_bytes(id16(&row, "record")?);
        let (grid, at) = (row.get("grid")?, row.get("at")?);
        found.lines.push(PatrolLine { id, grid, at, parts: parts.collect() });
    }
    Ok(found.thinned(ask.tolerance_m, MAX_LINE_POINTS))
}
