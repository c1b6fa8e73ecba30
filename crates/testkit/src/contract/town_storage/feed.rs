//! What readers get: their own cells, what moves, pages, what the town writes itself.

use std::collections::{BTreeMap, BTreeSet};

use yaoguan_model::{Change, Kind, Record, Role, Value};
use yaoguan_town::pull::{Ask, Row};
use yaoguan_wire::ErrorCode;

use super::person::{Person, Town, head, person, records};
use crate::town::{GRID, OTHER_GRID};

pub(super) async fn a_reader_gets_its_own_cells_alone(town: &Town) {
    let mut a = person(town, Role::Chief, &[GRID]).await;
    let mut other = person(town, Role::Chief, &[OTHER_GRID]).await;
    let hazard = a.hazard(GRID, "一");
    a.take(town, std::slice::from_ref(&hazard)).await;
    assert!(other.sees(town).await.is_empty());
    let readable = async |person: &Person| {
        let cells = person.ask(0).cells;
        town.readable(cells, Kind::Hazard, None, 10).await.unwrap().len()
    };
    assert_eq!((readable(&a).await, readable(&other).await), (1, 0));
    // Knowing an id gives nothing, also with a grid of one's own beside the real one.
    let mut forged = hazard.clone();
    let dot = other.dot();
    let grid = Change { replaces: Vec::new(), value: Some(Value::text(OTHER_GRID)) };
    forged.put(&BTreeMap::from([("grid".parse().unwrap(), grid)]), dot);
    other.refuse(town, forged, ErrorCode::OutOfScope).await;
    assert_eq!(a.sees(town).await[&hazard.id], hazard);
}

pub(super) async fn a_household_and_what_hangs_on_it_is_hidden_from_volunteers(town: &Town) {
    let mut chief = person(town, Role::Chief, &[GRID]).await;
    let mut volunteer = person(town, Role::Volunteer, &[GRID]).await;
    let household = chief.household(GRID);
    let check = chief.check(household.id);
    chief.take(town, &[check.clone(), household.clone()]).await;
    let seen = volunteer.hazard(GRID, "一");
    volunteer.take(town, std::slice::from_ref(&seen)).await;
    assert_eq!(volunteer.sees(town).await.len(), 1);
    let link = Value::text(household.id.to_string());
    let linked = chief.edit(&seen, "household", link);
    let after = head(town, &volunteer).await;
    chief.take(town, &[linked]).await;
    assert!(volunteer.sees(town).await.is_empty(), "even where a volunteer wrote it");
    let page = town.pull(volunteer.ask(after)).await.unwrap();
    assert!(matches!(page.rows.as_slice(), [Row::Left(id)] if *id == seen.id));
    assert_eq!(chief.sees(town).await.len(), 3);
    let own = volunteer.household(GRID);
    volunteer.refuse(town, own, ErrorCode::KindNotAllowed).await;
}

pub(super) async fn own_states_do_not_come_back_and_merged_ones_do(town: &Town) {
    let mut a = person(town, Role::Chief, &[GRID]).await;
    let mut b = person(town, Role::Chief, &[GRID]).await;
    let hazard = a.hazard(GRID, "一");
    let after = head(town, &a).await;
    a.take(town, std::slice::from_ref(&hazard)).await;
    let pull = async |person: &Person, after| {
        let ask = Ask { skip_origin: Some(person.replica), ..person.ask(after) };
        records(town.pull(ask).await.unwrap())
    };
    assert!(pull(&a, after).await.is_empty(), "no echo");
    assert_eq!(pull(&b, after).await.len(), 1);
    let (ours, theirs) =
        (a.edit(&hazard, "title", Value::text("甲")), b.edit(&hazard, "title", Value::text("乙")));
    a.take(town, &[ours]).await;
    let after = head(town, &a).await;
    b.take(town, &[theirs]).await;
    let merged = pull(&b, after).await;
    assert_eq!(merged[&hazard.id].distinct("title").len(), 2, "a merge goes back to its pusher");
}

pub(super) async fn a_record_that_moves_leaves_the_old_readers(town: &Town) {
    let mut a = person(town, Role::Chief, &[GRID]).await;
    let b = person(town, Role::Chief, &[GRID]).await;
    let other = person(town, Role::Chief, &[OTHER_GRID]).await;
    let hazard = a.hazard(GRID, "一");
    a.take(town, std::slice::from_ref(&hazard)).await;
    let after = head(town, &a).await;
    let moved = a.edit(&hazard, "grid", Value::text(OTHER_GRID));
    a.take(town, &[moved]).await;
    let rows = town.pull(b.ask(after)).await.unwrap().rows;
    assert!(matches!(rows.as_slice(), [Row::Left(id)] if *id == hazard.id));
    let rows = town.pull(a.ask(after)).await.unwrap().rows;
    assert!(matches!(rows.as_slice(), [Row::Record(_)]), "authors keep what they wrote");
    assert!(other.sees(town).await.contains_key(&hazard.id));
}

pub(super) async fn checks_move_with_their_household(town: &Town) {
    let mut a = person(town, Role::Chief, &[GRID, OTHER_GRID]).await;
    let old = person(town, Role::Chief, &[GRID]).await;
    let new = person(town, Role::Chief, &[OTHER_GRID]).await;
    let household = a.household(GRID);
    let check = a.check(household.id);
    a.take(town, &[household.clone(), check.clone()]).await;
    assert_eq!((old.sees(town).await.len(), new.sees(town).await.len()), (2, 0));
    let moved = a.edit(&household, "grid", Value::text(OTHER_GRID));
    a.take(town, &[moved]).await;
    assert_eq!((old.sees(town).await.len(), new.sees(town).await.len()), (0, 2));
}

pub(super) async fn pages_bring_every_record_once(town: &Town) {
    let mut a = person(town, Role::Chief, &[GRID]).await;
    let mut written = BTreeSet::new();
    let mut noise = 1_u64;
    for _ in 0..6 {
        // Text that hardly compresses, so that the page's limit on the wire is what ends it.
        let batch: Vec<Record> = (0..100)
            .map(|_| {
                let text: String = std::iter::repeat_with(|| {
                    noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    char::from_u32(0x4E00 + (noise >> 40) as u32 % 20_000).unwrap()
                })
                .take(1_500)
                .collect();
                let hazard = a.hazard(GRID, "长");
                a.edit(&hazard, "description", Value::text(text))
            })
            .collect();
        written.extend(batch.iter().map(|record| record.id));
        a.take(town, &batch).await;
    }
    let (mut after, mut pages, mut found) = (0, 0, BTreeSet::new());
    loop {
        let page = town.pull(a.ask(after)).await.unwrap();
        let (position, more) = (page.position, page.more);
        for id in records(page).into_keys() {
            assert!(found.insert(id), "each once over all pages");
        }
        pages += 1;
        assert!(position > after || !more, "each page goes on");
        after = position;
        if !more {
            break;
        }
    }
    assert!(pages > 1, "{pages} pages");
    assert_eq!((found, after), (written, head(town, &a).await));
}

pub(super) async fn the_town_writes_as_a_replica_of_its_own(town: &Town) {
    let replica = town.info().await.unwrap().replica;
    let grids = town.records(Kind::Grid).await.unwrap();
    let dots: BTreeSet<u64> = grids
        .iter()
        .flat_map(|grid| grid.context.iter())
        .inspect(|dot| assert_eq!(dot.replica, replica))
        .map(|dot| dot.counter)
        .collect();
    assert_eq!(dots.len(), 91, "a dot for each");
    let volunteer = person(town, Role::Volunteer, &[GRID]).await;
    let page = town.pull(volunteer.ask(0)).await.unwrap();
    assert_eq!(page.rows.len(), 91, "everyone enrolled reads them");
}
