//! Takes records off the phone: those that left its scope, and those that were purged.
//!
//! A record goes only when all of it is confirmed, and while phone and town are known to have the same:
//! until a reconciliation after a new epoch this phone may hold what the town has lost.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use yaoguan_model::cells::{self, Around};
use yaoguan_model::{GridCode, Kind, Record, RecordId};

use crate::apply::Applied;
use crate::local::Local;
use crate::state::SyncState;
use crate::store::Tx;

/// One record is to go.
pub(crate) fn one<T: Tx>(
    tx: &mut T,
    state: &mut SyncState,
    local: &Local,
    applied: &mut Applied,
) -> Result<(), T::Error> {
    let id = local.record.id;
    if local.unsent.is_some() {
        state.evict_owed = true;
        return tx.put_unsent(local);
    }
    if state.reconcile || tx.offers()?.contains(&id) {
        state.evict_owed = true;
        return Ok(());
    }
    applied.evicted += 1;
    tx.remove(id)
}

/// All that lie outside the person's scope, when that is owed. What cannot go yet stays owed.
pub(crate) fn out_of_scope<T: Tx>(
    tx: &mut T,
    state: &mut SyncState,
    applied: &mut Applied,
) -> Result<(), T::Error> {
    let Some(person) = tx.person()? else { return Ok(()) };
    if !state.evict_owed || state.reconcile {
        return Ok(());
    }
    let own = cells::of_reader(person.account, person.role, &person.grids);
    let mut outside = Vec::new();
    let mut households = BTreeMap::new();
    for id in tx.ids()? {
        let Some(local) = tx.load(id)? else { continue };
        // Where records of a later program stand is not for this one to say.
        if matches!(local.record.kind, Kind::Unknown(_)) {
            continue;
        }
        let around = around(tx, &local.record, &mut households)?;
        if cells::of_record(&local.record, &around).is_disjoint(&own) {
            outside.push(local);
        }
    }
    let offered: BTreeSet<RecordId> = tx.offers()?.into_iter().collect();
    state.evict_owed = false;
    for local in outside {
        let id = local.record.id;
        if local.unsent.is_some() || offered.contains(&id) {
            state.evict_owed = true;
            continue;
        }
        applied.evicted += 1;
        applied.changed.push((local.record.kind, id));
        tx.remove(id)?;
    }
    Ok(())
}

/// The grids of the household that a check hangs on.
fn around<T: Tx>(
    tx: &mut T,
    record: &Record,
    households: &mut BTreeMap<RecordId, BTreeSet<GridCode>>,
) -> Result<Around, T::Error> {
    let mut around = Around::default();
    if record.kind != Kind::HouseholdCheck {
        return Ok(around);
    }
    for sibling in record.siblings("household") {
        let id = sibling.value.as_text().and_then(|text| text.parse::<RecordId>().ok());
        let Some(id) = id else { continue };
        let grids = match households.entry(id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let grids = tx.load(id)?.map(|household| cells::grids_of(&household.record));
                unknown.insert(grids.unwrap_or_default())
            }
        };
        around.household_grids.extend(grids.iter().cloned());
    }
    Ok(around)
}
