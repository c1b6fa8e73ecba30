//! Why a put-back leaves the replica id behind, in the fewest steps.

use std::collections::BTreeMap;

use yaoguan_model::{Change, Dot, Record, ReplicaId, Value, merge};
use yaoguan_sync::Local;

use crate::check::name;
use crate::world::World;

const OLD: ReplicaId = ReplicaId([1; 16]);
const NEW: ReplicaId = ReplicaId([2; 16]);

fn write(path: usize, value: i64) -> BTreeMap<yaoguan_model::FieldPath, Change> {
    let change = Change { replaces: Vec::new(), value: Some(Value::Int(value)) };
    BTreeMap::from([(name(path), change)])
}

/// The town took a save of which the phone never heard. The next push is refused, the phone goes back to
/// its base and then writes another field under the dot given.
fn town_after(later: Dot) -> Record {
    let mut base = World::blank(0);
    base.put(&write(0, 1), Dot::new(OLD, 1));
    let mut phone = Local::confirmed(base);
    phone.save(&write(1, 2), Dot::new(OLD, 2));
    let town = phone.send().clone();
    phone.save(&write(2, 3), Dot::new(OLD, 3));
    let refused = phone.send().context.clone();
    let (phone, kept) = phone.put_back(&refused, || unreachable!("nothing was saved meanwhile"));
    assert!(kept.is_some());
    let mut phone = phone.expect("a base to go back to");
    phone.save(&write(3, 4), later);
    merge(&town, &phone.record).expect("one record").record
}

#[test]
fn save_after_a_put_back_under_the_old_id_removes_what_the_town_had_taken() {
    assert!(town_after(Dot::new(OLD, 4)).siblings(crate::check::NAMES[1]).is_empty());
}

#[test]
fn save_after_a_put_back_under_a_new_id_removes_nothing() {
    assert_eq!(town_after(Dot::new(NEW, 4)).siblings(crate::check::NAMES[1]).len(), 1);
}
