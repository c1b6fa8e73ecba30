//! A push as SQL: chain, load, judge, write, feed.

use std::collections::{BTreeSet, HashMap};

use yaoguan_model::cells::{self, Around};
use yaoguan_model::faults::{Fault, is_broken};
use yaoguan_model::{
    AccountId, Alarm, DeviceId, GridCode, Kind, Record, RecordId, ReplicaId, VersionVector,
    canonical,
};
use yaoguan_wire::{Judgement, PushToken};

use super::super::{Batch, Outcome, Pushed};
use super::{blobs, facts, features, feed, held, id16, inbox, own, people};
use crate::error::TownError;
use crate::push::{Decision, Replicas, Surroundings, decide};
use crate::storage::sql::{Connection, OptionalExtension, Transaction};

/// Judges and writes a batch in the order of ids (households before the checks that hang on them).
pub(super) fn push(tx: &Transaction<'_>, batch: &Batch) -> Result<Pushed, TownError> {
    if !chain_fits(tx, batch)? {
        return Ok(Pushed::Forked);
    }
    let grids = people::grids(tx)?;
    let restored = tx
        .prepare_cached("SELECT lines > 1 AS restored FROM town")?
        .query_row([], |row| row.get("restored"))?;
    let mut replicas = Replicas::default();
    let mut order: Vec<(usize, &Record)> = batch.records.iter().enumerate().collect();
    order.sort_by_key(|(_, record)| (record.kind != Kind::Household, record.id));
    let mut outcomes: Vec<Option<Outcome>> = vec![None; batch.records.len()];
    let mut placements = feed::Placements::default();
    for (index, incoming) in order {
        let decision = judge(tx, batch, incoming, &grids, &mut replicas, restored)?;
        for dot in &decision.registers {
            register(tx, batch, dot.replica, dot.counter)?;
            replicas.known.insert(dot.replica, (batch.pusher.actor.account, dot.counter));
        }
        if let Some(alarm) = decision.alarm {
            note_alarm(tx, batch, incoming.id, alarm)?;
        }
        if let (Judgement::Held { hold: id }, Some(hold)) = (&decision.judgement, &decision.hold) {
            held::keep(tx, batch, incoming, (*id, hold))?;
        }
        if matches!(decision.judgement, Judgement::Taken | Judgement::TakenEvict) {
            held::supersede(tx, incoming, None, batch.now)?;
        }
        if decision.judgement == Judgement::Recovered {
            held::recover(tx, batch, incoming)?;
        }
        if let Some(after) = &decision.write {
            write(tx, after, batch.now)?;
            own::project(tx, after)?;
            let pusher = &batch.pusher.actor;
            let reads = cells::of_reader(pusher.account, pusher.role, &pusher.grids);
            blobs::refer(tx, after, pusher.account, &Vec::from_iter(reads))?;
            let origin = decision.as_pushed.then_some(batch.pusher.replica);
            placements.add(tx, after, origin)?;
        }
        if let Some(slot) = outcomes.get_mut(index) {
            let Decision { judgement, as_pushed, .. } = decision;
            *slot = Some(Outcome { judgement, as_pushed });
        }
    }
    advance_chain(tx, batch)?;
    placements.write(tx)?;
    Ok(Pushed::Done(outcomes.into_iter().flatten().collect()))
}

fn judge(
    tx: &Transaction<'_>,
    batch: &Batch,
    incoming: &Record,
    grids: &BTreeSet<GridCode>,
    replicas: &mut Replicas,
    restored: bool,
) -> Result<Decision, TownError> {
    let before = load(tx, incoming.id)?;
    for dot in incoming.context.iter() {
        look_up_replica(tx, dot.replica, replicas)?;
    }
    let purged = if before.is_none() { purged_context(tx, incoming.id)? } else { None };
    let around_before = before.as_ref().map(|b| around(tx, b)).transpose()?.unwrap_or_default();
    let after = around_both(tx, before.as_ref(), incoming)?;
    let town = Surroundings {
        grids,
        before: &around_before,
        after: &after,
        replicas,
        purged: purged.as_ref(),
        restored,
        lacks_household: restored && lacks_household(tx, incoming)?,
    };
    Ok(decide(before.as_ref(), incoming, &batch.pusher, town))
}

/// The chain: the current token of this replica must be among those that the phone knows.
fn chain_fits(tx: &Transaction<'_>, batch: &Batch) -> Result<bool, TownError> {
    let mut statement = tx.prepare_cached("SELECT account, token FROM replica WHERE id = ?1")?;
    let row = statement
        .query_row([batch.pusher.replica.0], |row| {
            let account = AccountId::from_bytes(id16(row, "account")?);
            Ok((account, row.get::<_, Option<[u8; 16]>>("token")?.map(PushToken::new)))
        })
        .optional()?;
    Ok(match row {
        None => true,
        // A replica id belongs to one person, also before its first push of its own.
        Some((account, token)) => {
            account == batch.pusher.actor.account
                && (token.is_none_or(|token| batch.tokens.contains(&token))
                    || is_broken(Fault::CloneKeepsReplicaId))
        }
    })
}

fn advance_chain(tx: &Transaction<'_>, batch: &Batch) -> Result<(), TownError> {
    let Some(next) = batch.next else { return Ok(()) };
    register(tx, batch, batch.pusher.replica, batch.pusher.counter)?;
    let sql = "UPDATE replica SET token = ?2 WHERE id = ?1";
    tx.prepare_cached(sql)?.execute((batch.pusher.replica.0, next.as_bytes()))?;
    Ok(())
}

fn register(
    tx: &Transaction<'_>,
    batch: &Batch,
    replica: ReplicaId,
    counter: u64,
) -> Result<(), TownError> {
    let DeviceId(_) = batch.device;
    tx.prepare_cached(
        "INSERT INTO replica (id, account, device, counter) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (id) DO UPDATE SET counter = max(replica.counter, excluded.counter)",
    )?
    .execute((
        replica.0,
        batch.pusher.actor.account.as_bytes(),
        batch.device.as_bytes(),
        counter,
    ))?;
    Ok(())
}

fn look_up_replica(
    tx: &Transaction<'_>,
    replica: ReplicaId,
    replicas: &mut Replicas,
) -> Result<(), TownError> {
    if replicas.known.contains_key(&replica) {
        return Ok(());
    }
    // The town's own replica belongs to nobody: its dots are never a pusher's.
    let mut statement = tx.prepare_cached(
        "SELECT account, counter FROM replica WHERE id = ?1 \
         UNION ALL SELECT zeroblob(16), counter FROM town WHERE replica = ?1",
    )?;
    let owner = statement
        .query_row([replica.0], |row| {
            Ok((AccountId::from_bytes(id16(row, "account")?), row.get("counter")?))
        })
        .optional()?;
    if let Some(owner) = owner {
        replicas.known.insert(replica, owner);
    }
    Ok(())
}

fn note_alarm(
    tx: &Transaction<'_>,
    batch: &Batch,
    record: RecordId,
    alarm: Alarm,
) -> Result<(), TownError> {
    let what = match alarm {
        Alarm::EqualContextsDiffer => "equal_contexts_differ",
        Alarm::DotReused => "dot_reused",
    };
    tracing::error!(%record, device = %batch.device, what, "a pushed record breaks an invariant");
    let sql = "INSERT INTO alarm (at, what, record, device) VALUES (?1, ?2, ?3, ?4)";
    let row = (batch.now, what, record.as_bytes(), batch.device.as_bytes());
    tx.prepare_cached(sql)?.execute(row)?;
    Ok(())
}

/// One record as the town has it.
pub(super) fn load(tx: &Connection, id: RecordId) -> Result<Option<Record>, TownError> {
    let mut statement = tx.prepare_cached("SELECT body FROM record WHERE id = ?1")?;
    let body =
        statement.query_row([id.as_bytes()], |row| row.get::<_, Vec<u8>>("body")).optional()?;
    body.map(|bytes| Ok(canonical::decode(&bytes)?)).transpose()
}

/// What the cells of a record depend on beside it: the grids of a check's household.
pub(super) fn around(tx: &Connection, record: &Record) -> Result<Around, TownError> {
    around_households(tx, households(record))
}

/// The same for what comes in and the town's state together.
pub(super) fn around_both(
    tx: &Transaction<'_>,
    before: Option<&Record>,
    incoming: &Record,
) -> Result<Around, TownError> {
    let mut all = households(incoming);
    all.extend(before.map(households).unwrap_or_default());
    around_households(tx, all)
}

fn around_households(tx: &Connection, ids: BTreeSet<RecordId>) -> Result<Around, TownError> {
    let mut around = Around::default();
    for id in ids {
        if let Some(household) = load(tx, id)? {
            around.household_grids.extend(cells::grids_of(&household));
        }
    }
    Ok(around)
}

/// Whether a household that a check hangs on is unknown here: neither there nor purged.
fn lacks_household(tx: &Transaction<'_>, incoming: &Record) -> Result<bool, TownError> {
    for id in households(incoming) {
        if load(tx, id)?.is_none() && purged_context(tx, id)?.is_none() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The households that a check hangs on; other kinds hang on none.
fn households(check: &Record) -> BTreeSet<RecordId> {
    if check.kind != Kind::HouseholdCheck {
        return BTreeSet::new();
    }
    let texts = check.siblings("household").iter().filter_map(|s| s.value.as_text());
    texts.filter_map(|text| text.parse().ok()).collect()
}

/// The context at which a record was purged.
pub(super) fn purged_context(
    tx: &Connection,
    id: RecordId,
) -> Result<Option<VersionVector>, TownError> {
    let mut statement = tx.prepare_cached("SELECT context FROM purged WHERE id = ?1")?;
    let text = statement.query_row([id.as_bytes()], |row| row.get::<_, String>("context"));
    let Some(text) = text.optional()? else { return Ok(None) };
    serde_json::from_str(&text).map(Some).map_err(|e| TownError::Corrupt(format!("purged: {e}")))
}

/// A record without the context entries under which nothing stands: see [`Fault::PrunedContext`].
fn pruned(record: &Record) -> Record {
    let stands = |replica| record.fields.values().flatten().any(|s| s.dot.replica == replica);
    let context = record.context.iter().filter(|dot| stands(dot.replica)).collect();
    Record { context, ..record.clone() }
}

/// Writes a record and what is derived from it, apart from the feed.
pub(super) fn write(tx: &Transaction<'_>, record: &Record, now: i64) -> Result<(), TownError> {
    let body = if is_broken(Fault::PrunedContext) {
        canonical::encode(&pruned(record))
    } else {
        canonical::encode(record)
    };
    tx.prepare_cached(
        "INSERT INTO record (id, kind, created_by, body, hash, received_at, changed_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) ON CONFLICT (id) DO UPDATE SET \
         body = excluded.body, hash = excluded.hash, changed_at = excluded.changed_at",
    )?
    .execute((
        record.id.as_bytes(),
        record.kind.as_str(),
        record.created_by.as_bytes(),
        &body,
        canonical::hash(&body),
        now,
    ))?;
    inbox::project(tx, record, now)?;
    facts::project(tx, record)?;
    features::project(tx, record)?;
    if record.kind == Kind::HouseholdCheck {
        for household in households(record) {
            let sql = "INSERT OR IGNORE INTO check_of (household, record) VALUES (?1, ?2)";
            tx.prepare_cached(sql)?.execute((household.as_bytes(), record.id.as_bytes()))?;
        }
    }
    Ok(())
}

/// The checks of a household: they move with it.
pub(super) fn checks_of(tx: &Connection, household: RecordId) -> Result<Vec<RecordId>, TownError> {
    let mut statement = tx.prepare_cached("SELECT record FROM check_of WHERE household = ?1")?;
    let rows = statement.query_map([household.as_bytes()], |row| id16(row, "record"))?;
    Ok(rows.map(|id| id.map(RecordId::from_bytes)).collect::<Result<_, _>>()?)
}

/// Names of cells and their row numbers, remembered for one transaction.
#[derive(Debug, Default)]
pub(super) struct CellIds(HashMap<String, i64>);

impl CellIds {
    pub(super) fn of(&mut self, tx: &Transaction<'_>, name: String) -> Result<i64, TownError> {
        if let Some(id) = self.0.get(&name) {
            return Ok(*id);
        }
        let id = tx
            .prepare_cached(
                "INSERT INTO cell (name) VALUES (?1) \
                 ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id",
            )?
            .query_row([&name], |row| row.get("id"))?;
        self.0.insert(name, id);
        Ok(id)
    }
}
