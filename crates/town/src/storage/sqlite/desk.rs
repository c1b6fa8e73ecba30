//! The console's questions as SQL.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use tokio::sync::watch;
use yaoguan_model::authorise::Actor;
use yaoguan_model::cells::Cell;
use yaoguan_model::geodesy::{distance_m, within_m};
use yaoguan_model::hazard::NEARBY_M;
use yaoguan_model::{AccountId, Kind, Position, Record, RecordId, ReplicaId, Value, canonical};

use super::super::desk::{
    Colleague, Decided, Decision, Desk, InboxAsk, InboxRow, MAX_CHANGED, MAX_DAILY, MAX_LINKS,
    NewRecord, Relation, TaskAsk, TaskRow, View, Waiting,
};
use super::feed::{in_cells, names_of, next_rows};
use super::push::around;
use super::{audit, decide, desk_task, inbox};
use crate::audit::{Act, Attribution, Subject};
use crate::error::TownError;
use crate::storage::sql::{Connection, Engine, OptionalExtension, params};

#[async_trait]
impl<E: Engine> Desk for E {
    async fn inbox(&self, ask: InboxAsk) -> Result<Vec<InboxRow>, TownError> {
        self.read(move |connection| inbox::page(connection, &ask)).await
    }

    async fn view(
        &self,
        cells: Vec<Cell>,
        id: RecordId,
        seen: Attribution,
    ) -> Result<Option<View>, TownError> {
        let view = self.read(move |connection| view(connection, &cells, id)).await?;
        let household =
            |record: &&Record| matches!(record.kind, Kind::Household | Kind::HouseholdCheck);
        let shown = view
            .iter()
            .flat_map(|view| view.links.iter().map(|(_, link)| link).chain([&view.record]));
        let read: Vec<RecordId> = shown.filter(household).map(|record| record.id).collect();
        if !read.is_empty() {
            // Nobody sees a household unless that stands in the log.
            self.write(move |tx| {
                for id in &read {
                    audit::write(tx, &seen.entry(Act::HouseholdRead, Subject::Record(*id)))?;
                }
                Ok(())
            })
            .await?;
        }
        Ok(view)
    }

    async fn waiting(&self, ask: InboxAsk, today: String) -> Result<Waiting, TownError> {
        self.read(move |connection| inbox::waiting(connection, &ask, &today)).await
    }

    async fn tasks(&self, ask: TaskAsk) -> Result<Vec<TaskRow>, TownError> {
        self.read(move |connection| desk_task::page(connection, &ask)).await
    }

    async fn decide(&self, decision: Decision) -> Result<Decided, TownError> {
        self.write(move |tx| decide::decide(tx, &decision)).await
    }

    async fn decide_all(&self, decisions: Vec<Decision>) -> Result<Vec<Decided>, TownError> {
        self.write(move |tx| {
            decisions.iter().map(|decision| decide::decide(tx, decision)).collect()
        })
        .await
    }

    async fn create(&self, new: NewRecord) -> Result<Decided, TownError> {
        self.write(move |tx| decide::create(tx, &new)).await
    }

    async fn changed_since(
        &self,
        cells: Vec<Cell>,
        since: i64,
    ) -> Result<Vec<(Record, i64)>, TownError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(CHANGED_SINCE)?;
            let rows = statement.query_map(params![since, names_of(&cells), MAX_DAILY], |row| {
                Ok((row.get::<_, Vec<u8>>("body")?, row.get("received_at")?))
            })?;
            rows.map(|row| {
                let (body, received_at) = row?;
                Ok((canonical::decode(&body)?, received_at))
            })
            .collect()
        })
        .await
    }

    async fn changed(
        &self,
        cells: Vec<Cell>,
        after: u64,
    ) -> Result<(Vec<RecordId>, u64), TownError> {
        self.read(move |connection| changed(connection, &cells, after)).await
    }

    async fn colleagues(&self, actor: Actor) -> Result<Vec<Colleague>, TownError> {
        self.read(move |connection| colleagues(connection, &actor)).await
    }

    fn feed_moves(&self) -> watch::Receiver<u64> {
        self.moves()
    }
}

/// Scope is in the statement itself.
pub(super) const CHANGED_SINCE: &str = concat!(
    "SELECT body, received_at FROM record WHERE changed_at >= ?1 AND ",
    in_cells!("record.id", "?2"),
    " ORDER BY changed_at LIMIT ?3"
);

/// Scope is in the statement itself.
pub(super) const READ: &str = "SELECT body, received_at, changed_at FROM record WHERE id = ?1 AND EXISTS \
     (SELECT 1 FROM feed JOIN cell ON cell.id = feed.cell WHERE feed.record = record.id \
     AND feed.state = 0 AND cell.name IN (SELECT value FROM json_each(?2)))";

/// A record within these cells, with the times of its first receipt and of its last change.
pub(super) fn read(
    connection: &Connection,
    cells: &str,
    id: RecordId,
) -> Result<Option<(Record, i64, i64)>, TownError> {
    let mut statement = connection.prepare_cached(READ)?;
    let row = statement.query_row(params![id.as_bytes(), cells], |row| {
        let times = (row.get("received_at")?, row.get("changed_at")?);
        Ok((row.get::<_, Vec<u8>>("body")?, times))
    });
    let Some((body, (received_at, changed_at))) = row.optional()? else { return Ok(None) };
    Ok(Some((canonical::decode(&body)?, received_at, changed_at)))
}

fn view(tx: &Connection, cells: &[Cell], id: RecordId) -> Result<Option<View>, TownError> {
    let cells = names_of(cells);
    let Some((record, received_at, changed_at)) = read(tx, &cells, id)? else { return Ok(None) };
    let around = around(tx, &record)?;
    let replicas = replicas(tx, &record)?;
    let mut people: BTreeSet<AccountId> = replicas.values().copied().collect();
    people.insert(record.created_by);
    for sibling in record.fields.values().flatten() {
        let by = sibling.value.get("by").unwrap_or(&sibling.value);
        people.extend(by.as_text().and_then(|text| text.parse::<AccountId>().ok()));
    }
    let links = links(tx, &cells, &record)?;
    let near = near(tx, &cells, &record)?;
    let names = names(tx, people)?;
    Ok(Some(View { record, around, received_at, changed_at, replicas, names, links, near }))
}

/// Where stands what names a record.
pub(super) const NAMING: [(&str, Relation); 4] = [
    ("SELECT record FROM inbox WHERE duplicate_of = ?1", Relation::Merged),
    ("SELECT record FROM inbox WHERE patrol = ?1", Relation::Seen),
    ("SELECT record FROM desk_task WHERE about = ?1", Relation::Task),
    ("SELECT record FROM check_of WHERE household = ?1", Relation::Check),
];

/// What a record names, and what names it, as far as the asker reads it.
fn links(
    tx: &Connection,
    cells: &str,
    record: &Record,
) -> Result<Vec<(Relation, Record)>, TownError> {
    let mut links = Vec::new();
    let named = [
        ("patrol", Relation::Patrol),
        ("household", Relation::Household),
        ("duplicate_of", Relation::MergedInto),
        ("about", Relation::About),
    ];
    for (path, relation) in named {
        for sibling in record.siblings(path) {
            let id = sibling.value.as_text().and_then(|text| text.parse::<RecordId>().ok());
            let Some(id) = id else { continue };
            links.extend(read(tx, cells, id)?.map(|(record, ..)| (relation, record)));
        }
    }
    for (sql, relation) in NAMING {
        let sql = format!("{sql} ORDER BY record DESC LIMIT ?2");
        let mut statement = tx.prepare_cached(&sql)?;
        let asked = params![record.id.as_bytes(), MAX_LINKS];
        let ids = statement.query_map(asked, |row| super::id16(row, "record"))?;
        let ids: Vec<[u8; 16]> = ids.collect::<Result<_, _>>()?;
        for id in ids {
            let found = read(tx, cells, RecordId::from_bytes(id))?;
            links.extend(found.map(|(record, ..)| (relation, record)));
        }
    }
    Ok(links)
}

fn replicas(
    connection: &Connection,
    record: &Record,
) -> Result<BTreeMap<ReplicaId, AccountId>, TownError> {
    let mut statement = connection.prepare_cached("SELECT account FROM replica WHERE id = ?1")?;
    let mut found = BTreeMap::new();
    let all: BTreeSet<_> = record.fields.values().flatten().map(|s| s.dot.replica).collect();
    for replica in all {
        let account = statement.query_row([replica.0], |row| super::id16(row, "account"));
        if let Some(account) = account.optional()? {
            found.insert(replica, AccountId::from_bytes(account));
        }
    }
    Ok(found)
}

fn names(
    connection: &Connection,
    ids: BTreeSet<AccountId>,
) -> Result<BTreeMap<AccountId, String>, TownError> {
    let mut statement = connection.prepare_cached("SELECT name FROM account WHERE id = ?1")?;
    let mut found = BTreeMap::new();
    for id in ids {
        let name = statement.query_row([id.as_bytes()], |row| row.get::<_, String>("name"));
        if let Some(name) = name.optional()? {
            found.insert(id, name);
        }
    }
    Ok(found)
}

/// Scope is in the statement itself.
pub(super) const NEAR: &str = concat!(
    "SELECT body FROM inbox CROSS JOIN record ON record.id = inbox.record \
     WHERE category = ?1 AND lat_e7 BETWEEN ?2 AND ?3 AND lon_e7 BETWEEN ?4 AND ?5 \
     AND inbox.record <> ?6 AND status NOT IN ('closed', 'merged', 'unfounded') AND ",
    in_cells!("inbox.record", "?7"),
    " ORDER BY inbox.record LIMIT 20"
);

fn near(
    connection: &Connection,
    cells: &str,
    record: &Record,
) -> Result<Vec<(Record, f64)>, TownError> {
    let at = record.shown("position").and_then(Position::of);
    let (Some(at), Some(category)) = (at, record.shown_text("category")) else {
        return Ok(Vec::new());
    };
    let edge = at.around(NEARBY_M);
    let mut statement = connection.prepare_cached(NEAR)?;
    let id = record.id.as_bytes();
    let asked =
        params![category, edge.lat_min, edge.lat_max, edge.lon_min, edge.lon_max, id, cells];
    let rows = statement.query_map(asked, |row| row.get::<_, Vec<u8>>("body"))?;
    let mut found = Vec::new();
    for body in rows {
        let other = canonical::decode(&body?)?;
        if let Some(there) = other.shown("position").and_then(Position::of)
            && within_m(at, there, NEARBY_M)
        {
            found.push((other, distance_m(at, there)));
        }
    }
    found.sort_by(|(_, a), (_, b)| a.total_cmp(b));
    Ok(found)
}

fn changed(
    connection: &Connection,
    cells: &[Cell],
    after: u64,
) -> Result<(Vec<RecordId>, u64), TownError> {
    let sql = "SELECT position FROM feed_head";
    let head: u64 = connection.prepare_cached(sql)?.query_row([], |row| row.get("position"))?;
    let rows = next_rows(connection, &names_of(cells), after, head)?;
    let reached = match rows.get(MAX_CHANGED.saturating_sub(1)) {
        Some(last) if rows.len() > MAX_CHANGED => last.position,
        Some(_) | None => head,
    };
    Ok((rows.into_iter().take(MAX_CHANGED).map(|row| row.record).collect(), reached))
}

fn colleagues(connection: &Connection, actor: &Actor) -> Result<Vec<Colleague>, TownError> {
    let grids: Vec<Value> = actor.grids.iter().map(|grid| Value::text(grid.as_str())).collect();
    let grids = serde_json::to_string(&grids).map_err(|e| TownError::Corrupt(e.to_string()))?;
    let sql = "SELECT id, name, role FROM account WHERE disabled_at IS NULL AND role <> 'admin' \
         AND (whole_town = 1 OR EXISTS (SELECT 1 FROM account_grid WHERE account = account.id \
         AND grid IN (SELECT value FROM json_each(?1)))) ORDER BY name, id";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([grids], |row| {
        let id = AccountId::from_bytes(super::id16(row, "id")?);
        Ok(Colleague { id, name: row.get("name")?, role: row.get("role")? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
